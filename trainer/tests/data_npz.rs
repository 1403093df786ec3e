//! The `.npz` reader on sound files of every supported type and shape, and on every kind of unsound one.

#[path = "data_support/npz.rs"]
mod arrays;

use std::path::PathBuf;

use arrays::{Npy, f32s, f64s, fortran, i16s, i64s, npy, strings, u8s, write};
use ndarray::array;
use refrain_trainer::data::{
    DataError, Dataset, InputScaling, Kind, Source, Split, Targets, Values, ValuesView, load, npz,
};
use tempfile::TempDir;

struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("set.npz")
    }

    fn read(&self, arrays: &[Npy]) -> Result<(Dataset, Vec<String>), DataError> {
        write(&self.path(), arrays);
        npz::read(&self.path())
    }
}

fn sound(arrays: &[Npy]) -> (Dataset, Vec<String>) {
    Bench::new().read(arrays).expect("a sound file")
}

/// The message about an unsound file, which must begin with its name; the rest of it.
fn refused(arrays: &[Npy]) -> String {
    let bench = Bench::new();
    let text = bench.read(arrays).expect_err("an unsound file").to_string();
    let start = format!("{}: ", bench.path().display());
    text.strip_prefix(&start).unwrap_or_else(|| panic!("does not name the file: {text}")).to_owned()
}

/// A part of six sequences of two timesteps of two features, with labels of two classes.
fn part(part: &str) -> [Npy; 2] {
    let x: Vec<i16> = (0..24).map(|n| n * n % 17).collect();
    [i16s(&format!("x_{part}"), "(6, 2, 2)", &x), i64s(&format!("y_{part}"), "(6,)", &[0, 1, 0, 1, 1, 0])]
}

/// All three parts, with the arrays of the same name as one of `changed` replaced by it, and those new added.
fn with(changed: impl IntoIterator<Item = Npy>) -> Vec<Npy> {
    let mut arrays: Vec<Npy> = ["train", "val", "test"].into_iter().flat_map(part).collect();
    for change in changed {
        arrays.retain(|array| array.name != change.name);
        arrays.push(change);
    }
    arrays
}

fn without(name: &str) -> Vec<Npy> {
    let mut arrays = with([]);
    arrays.retain(|array| array.name != name);
    arrays
}

fn values(split: &Split) -> &Values {
    split.sequences().values()
}

#[test]
fn a_classification_is_read_and_standardised() {
    let (set, notes) = sound(&with([strings("classes", &["still", "shaken"])]));
    assert_eq!(notes, Vec::<String>::new());
    assert_eq!((set.name(), set.classes()), ("set", &["still".to_owned(), "shaken".into()][..]));
    assert_eq!((set.timesteps(), set.inputs(), set.outputs(), set.task().per_step), (2, 2, 2, false));
    assert_eq!(set.train().labels(), Some(&[0, 1, 0, 1, 1, 0][..]));
    assert_eq!(set.train().view().sequence(1), ValuesView::I16(&[16, 8, 2, 15]));
    assert_eq!(set.validation().map(Split::count), Some(6));

    // every feature has mean 0 and deviation 1 over the training sequences
    let mut x = vec![0.0; 4];
    let (mut sums, mut squares) = ([0.0; 2], [0.0; 2]);
    for index in 0..6 {
        set.train().view().gather(index, set.scaling(), &mut x);
        for (n, value) in x.iter().enumerate() {
            sums[n % 2] += f64::from(*value);
            squares[n % 2] += f64::from(value * value);
        }
    }
    for (sum, square) in sums.iter().zip(squares) {
        assert!(sum.abs() < 1e-5 && (square - 12.0).abs() < 1e-4, "{sum} {square}");
    }
}

#[test]
fn every_number_type_is_kept_as_small_as_it_is() {
    let numbers = |x: Npy| {
        let y = i64s("y_train", "(4,)", &[0, 1, 0, 1]);
        let (x_val, x_test) = (u8s("x_val", "(1, 1, 1)", &[3]), u8s("x_test", "(1, 1, 1)", &[3]));
        let ones = ["y_val", "y_test"].map(|name| i64s(name, "(1,)", &[1]));
        let [y_val, y_test] = ones;
        let (set, _) = sound(&[x, y, x_val, y_val, x_test, y_test]);
        let kinds =
            [set.validation().unwrap(), set.test()].map(|split| std::mem::discriminant(values(split)));
        assert_eq!(kinds, [std::mem::discriminant(values(set.train())); 2], "one type for all parts");
        values(set.train()).clone()
    };
    let shape = "(4, 1, 1)";
    let whole = Values::I16(vec![1, 2, 3, -4]);
    assert_eq!(numbers(u8s("x_train", shape, &[1, 2, 3, 255])), Values::U8(vec![1, 2, 3, 255]));
    assert_eq!(numbers(npy("x_train", "|b1", shape, vec![0, 1, 1, 0])), Values::U8(vec![0, 1, 1, 0]));
    assert_eq!(numbers(npy("x_train", "|i1", shape, vec![1, 2, 3, 252])), whole);
    assert_eq!(numbers(i16s("x_train", shape, &[1, 2, 3, -4])), whole);
    assert_eq!(numbers(i64s("x_train", shape, &[1, 2, 3, -4])), whole);
    let big = [1i32, 2, 3, -4].iter().flat_map(|value| value.to_be_bytes()).collect();
    assert_eq!(numbers(npy("x_train", ">i4", shape, big)), whole);
    let wide = [1, 2, 3, 70_000];
    assert_eq!(numbers(i64s("x_train", shape, &wide)), Values::F32(vec![1.0, 2.0, 3.0, 70_000.0]));
    let floats = Values::F32(vec![0.5, -1.0, 2.0, 0.1]);
    assert_eq!(numbers(f32s("x_train", shape, &[0.5, -1.0, 2.0, 0.1])), floats);
    assert_eq!(numbers(f64s("x_train", shape, &[0.5, -1.0, 2.0, 0.1])), floats);
    let big = [0.5f64, -1.0, 2.0, 0.1].iter().flat_map(|value| value.to_be_bytes()).collect();
    assert_eq!(numbers(npy("x_train", ">f8", shape, big)), floats);
}

#[test]
fn columns_first_is_the_same_array() {
    // [2 samples, 2 timesteps, 3 features] of the numbers 0 to 11, the first index running fastest
    let x = fortran(u8s("x_train", "(2, 2, 3)", &[0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11]));
    let other =
        |part| [u8s(&format!("x_{part}"), "(1, 2, 3)", &[9; 6]), i64s(&format!("y_{part}"), "(1,)", &[1])];
    let y = i64s("y_train", "(2,)", &[0, 1]);
    let arrays: Vec<Npy> = [x, y].into_iter().chain(other("val")).chain(other("test")).collect();
    assert_eq!(values(sound(&arrays).0.train()), &Values::U8((0..12).collect()));
}

#[test]
fn sequences_of_different_lengths_lose_their_padding() {
    let x = f32s("x_train", "(3, 3, 1)", &[1.0, 2.0, f32::NAN, 4.0, 5.0, 6.0, 7.0, f32::NAN, f32::INFINITY]);
    let lengths = i64s("lengths_train", "(3,)", &[2, 3, 1]);
    let others = ["val", "test"].map(|part| {
        [f32s(&format!("x_{part}"), "(1, 2, 1)", &[1.0, 2.0]), i64s(&format!("y_{part}"), "(1,)", &[1])]
    });
    let others = || {
        others.iter().flatten().map(|a| Npy {
            name: a.name.clone(),
            head: a.head.clone(),
            bytes: a.bytes.clone(),
        })
    };
    let y = i64s("y_train", "(3,)", &[0, 1, 0]);
    let (set, _) = sound(&[x, y, lengths].into_iter().chain(others()).collect::<Vec<_>>());
    assert_eq!(values(set.train()), &Values::F32(vec![1.0, 2.0, 4.0, 5.0, 6.0, 7.0]));
    assert_eq!([0, 1, 2].map(|index| set.train().view().length(index)), [2, 3, 1]);
    assert_eq!(set.timesteps(), 3);

    // per-step labels are cut with their sequences; what stands in the padding does not matter
    let x = f32s("x_train", "(2, 3, 1)", &[1.0, 2.0, 0.0, 4.0, 5.0, 6.0]);
    let y = i64s("y_train", "(2, 3)", &[0, 1, -1, 1, 0, 1]);
    let lengths = i64s("lengths_train", "(2,)", &[2, 3]);
    let steps = ["val", "test"].map(|part| i64s(&format!("y_{part}"), "(1, 2)", &[0, 1]));
    let others = others().filter(|array| array.name.starts_with('x')).chain(steps);
    let (set, _) = sound(&[x, y, lengths].into_iter().chain(others).collect::<Vec<_>>());
    assert!(set.task().per_step);
    assert_eq!(set.train().labels(), Some(&[0, 1, 1, 0, 1][..]));
    assert_eq!((set.class_counts(), set.class_weights()), (vec![2, 3], vec![1.25, 5.0 / 6.0]));
}

#[test]
fn floats_are_values_to_be_learnt() {
    let all = |shape: &str, values: &[f32]| {
        with(["train", "val", "test"].map(|part| f32s(&format!("y_{part}"), shape, values)))
    };
    let numbers: Vec<f32> = (0..24).map(|n| (n * n) as f32).collect();
    let task = |arrays: &[Npy]| {
        let (set, _) = sound(arrays);
        let Kind::Regression { names, scaling } = &set.task().kind else { panic!("{:?}", set.task()) };
        assert_eq!(names.len(), scaling.mean.len());
        (set.task().per_step, names.clone(), set.train().targets().clone())
    };
    let (per_step, names, targets) = task(&all("(6,)", &numbers[..6]));
    assert_eq!((per_step, names), (false, vec!["0".to_owned()]));
    assert_eq!(targets, Targets::Values(array![[0.0], [1.0], [4.0], [9.0], [16.0], [25.0]]));
    let (per_step, names, targets) = task(&all("(6, 3)", &numbers[..18]));
    assert_eq!((per_step, names.len(), targets.count()), (false, 3, 6));
    let (per_step, names, targets) = task(&all("(6, 2, 1)", &numbers[..12]));
    assert_eq!((per_step, names.len(), targets.count()), (true, 1, 12));
    let mut named = all("(6, 2, 2)", &numbers);
    named.push(strings("outputs", &["speed", "load"]));
    let (per_step, names, targets) = task(&named);
    assert_eq!((per_step, names, targets.count()), (true, vec!["speed".into(), "load".into()], 12));

    // two values a sequence, or one at each of two timesteps
    let mut unclear = all("(6, 2)", &numbers[..12]);
    let text = refused(&unclear);
    assert!(
        text.starts_with("y_train: its shape is (6, 2), but that may be 2 values for each sequence"),
        "{text}"
    );
    for (word, expected) in [("per-step-regression", (true, 1)), ("regression", (false, 2))] {
        unclear.retain(|array| array.name != "task");
        unclear.push(strings("task", &[word]));
        let (per_step, names, _) = task(&unclear);
        assert_eq!((per_step, names.len()), expected, "{word}");
    }
    // integers are values where the file says so
    let mut integers = with([]);
    integers.push(strings("task", &["regression"]));
    assert_eq!(task(&integers).2.count(), 6);
}

#[test]
fn strings_are_the_names_of_classes() {
    let y = ["train", "val", "test"].map(|part| Npy {
        name: format!("y_{part}"),
        ..strings("", &["up", "down", "up", "left", "down", "up"])
    });
    let (set, _) = sound(&with(y));
    assert_eq!(set.classes(), ["down", "left", "up"]);
    assert_eq!(set.train().labels(), Some(&[2, 0, 2, 1, 0, 2][..]));
    let y = Npy { name: "y_test".into(), ..strings("", &["up", "dwon", "up", "up", "up", "up"]) };
    let train = ["train", "val"].map(|part| Npy {
        name: format!("y_{part}"),
        ..strings("", &["up", "down", "up", "up", "up", "up"])
    });
    let text = refused(&with(train.into_iter().chain([y])));
    assert!(
        text.starts_with("y_test: sample 1 is the label \"dwon\", but the classes are down, up"),
        "{text}"
    );
}

#[test]
fn what_is_missing_is_held_out_and_that_is_told() {
    let count = 40;
    let x: Vec<i16> = (0..count * 2).collect();
    let y: Vec<i64> = (0..count).map(|n| i64::from(n % 4 == 0)).collect();
    let arrays = [i16s("x_train", "(40, 2, 1)", &x), i64s("y_train", "(40,)", &y)];
    let bench = Bench::new();
    let (set, notes) = bench.read(&arrays).expect("a sound file");
    let counts = [set.train(), set.validation().unwrap(), set.test()].map(Split::count);
    assert_eq!((counts.iter().sum::<usize>(), counts), (40, [28, 5, 7]));
    for (part, words) in notes.iter().zip(["to test on, so 7 of the 40", "to validate with, so 5 of the 40"])
    {
        assert!(part.contains("set.npz: x_train: there are no sequences") && part.contains(words), "{part}");
    }
    let (again, _) = bench.read(&arrays).expect("a sound file");
    assert_eq!((again.train(), again.test()), (set.train(), set.test()));
    // the scaling is that of what is trained on
    let InputScaling::PerFeature { mean, .. } = set.scaling() else { panic!("{:?}", set.scaling()) };
    let Values::I16(values) = values(set.train()) else { panic!("not integers") };
    assert_eq!(mean[0], values.iter().map(|&v| f32::from(v)).sum::<f32>() / values.len() as f32);
}

#[test]
fn constant_features_and_unknown_arrays_are_told() {
    let x =
        i16s("x_train", "(6, 2, 2)", &(0..24).map(|n| if n % 2 == 0 { n } else { 7 }).collect::<Vec<_>>());
    let extra = f32s("x_validation", "(1,)", &[0.0]);
    let (_, notes) = sound(&with([x, extra, strings("features", &["force", "heat"])]));
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(
        notes[0].contains("x_train: feature 1 (heat) is 7 throughout the training sequences"),
        "{notes:?}"
    );
    assert!(notes[1].ends_with("set.npz: nothing was done with x_validation"), "{notes:?}");
    let constant = i16s("x_train", "(6, 2, 2)", &[7; 24]);
    assert!(refused(&with([constant])).starts_with("x_train: every feature is constant"));
    let y = ["train", "val", "test"].map(|part| f32s(&format!("y_{part}"), "(6,)", &[2.5; 6]));
    assert!(refused(&with(y)).starts_with("y_train: target 0 is 2.5 for every training sequence"));
}

#[test]
fn numbers_that_are_none_are_named() {
    for (bad, word) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (1e300, "inf")] {
        let mut x = [0.5; 24];
        x[2 * 4 + 3] = bad;
        let text = refused(&with([f64s("x_test", "(6, 2, 2)", &x)]));
        assert!(
            text.starts_with(&format!("x_test: sample 2, timestep 1, feature 1 is {word} where")),
            "{text}"
        );
    }
    let y = ["train", "val", "test"].map(|part| {
        f32s(
            &format!("y_{part}"),
            "(6, 3)",
            &(0..18).map(|n| if n == 5 { f32::NAN } else { n as f32 }).collect::<Vec<_>>(),
        )
    });
    let text = refused(&with(y));
    assert!(text.starts_with("y_train: sample 1, output 2 is NaN"), "{text}");
    let mut x = [1_i64; 24];
    x[5] = 1_700_000_000;
    let text = refused(&with([i64s("x_train", "(6, 2, 2)", &x)]));
    assert!(
        text.starts_with("x_train: sample 1, timestep 0, feature 1 is 1700000000, which neither"),
        "{text}"
    );
}

#[test]
fn missing_arrays_are_named() {
    for name in ["x_train", "y_train", "y_val", "x_test"] {
        let text = refused(&without(name));
        assert!(text.starts_with(&format!("it has no array {name}; it holds x_")), "{text}");
    }
    assert!(refused(&[]).starts_with("it has no array x_train; it holds nothing"));
}

#[test]
fn wrong_shapes_are_named() {
    let cases: [(Npy, &str); 8] = [
        (
            i16s("x_train", "(6, 4)", &[1; 24]),
            "x_train: its shape is (6, 4), but it must be (samples, timesteps, features)",
        ),
        (i16s("x_train", "(24,)", &[1; 24]), "x_train: its shape is (24,), but it must be"),
        (i16s("x_train", "(0, 2, 2)", &[]), "y_train: its shape is (6,), but x_train has 0 samples"),
        (i64s("y_test", "(5,)", &[0, 1, 0, 1, 1]), "y_test: its shape is (5,), but x_test has 6 samples"),
        (i64s("y_val", "(6, 3)", &[0; 18]), "y_val: its shape is (6, 3), but labels must be (samples,)"),
        (
            i16s("x_test", "(6, 2, 3)", &[1; 36]),
            "x_test: its timesteps have 3 features, but those of the training",
        ),
        (i64s("lengths_val", "(5,)", &[1; 5]), "lengths_val: its shape is (5,), but it must be (6,)"),
        (strings("features", &["a", "b", "c"]), "features: its shape is (3,), but there are 2 to be named"),
    ];
    for (array, words) in cases {
        let text = refused(&with([array]));
        assert!(text.starts_with(words), "{text}");
    }
    let empty = [i16s("x_train", "(0, 2, 2)", &[]), i64s("y_train", "(0,)", &[])];
    assert!(refused(&with(empty)).starts_with("x_train: it holds no samples"));
    let none = [i16s("x_train", "(6, 0, 2)", &[])];
    assert!(refused(&with(none)).starts_with("x_train: its sequences hold no numbers"));
}

#[test]
fn wrong_types_are_named() {
    let cases: [(Npy, &str); 6] = [
        (
            npy("x_train", "<f2", "(6, 2, 2)", vec![0; 48]),
            "x_train: its elements are of type <f2, but floats must",
        ),
        (
            npy("x_train", "<c8", "(6, 2, 2)", vec![0; 192]),
            "x_train: its elements are of type <c8, but integers",
        ),
        (
            npy("x_train", "|O", "(6,)", vec![0; 48]),
            "x_train: its elements are of type |O, but Python objects",
        ),
        (Npy { name: "x_train".into(), ..strings("", &["a"; 6]) }, "x_train: its shape is (6,)"),
        (
            f32s("lengths_train", "(6,)", &[1.0; 6]),
            "lengths_train: its elements are of type float or string, but",
        ),
        (
            i64s("classes", "(2,)", &[0, 1]),
            "classes: its elements are of type number, but strings belong there",
        ),
    ];
    for (array, words) in cases {
        let text = refused(&with([array]));
        assert!(text.starts_with(words), "{text}");
    }
}

#[test]
fn labels_that_are_none_are_named() {
    let labels = |values: &[i64; 6]| refused(&with([i64s("y_train", "(6,)", values)]));
    let text = labels(&[0, 1, 0, -1, 1, 0]);
    assert!(
        text.starts_with("y_train: sample 3 is the label -1; labels are whole numbers from 0 to 255"),
        "{text}"
    );
    assert!(labels(&[0, 1, 256, 1, 1, 0]).starts_with("y_train: sample 2 is the label 256; "));
    let text = labels(&[0, 4, 2, 2, 4, 0]);
    assert!(
        text.starts_with("y_train: no training label is 1, 3, though there are labels up to 4"),
        "{text}"
    );
    assert!(labels(&[1; 6]).contains("no training label is 0"));
    assert!(labels(&[0; 6]).starts_with("y_train: every training label is 0; "));
    let text = refused(&with([i64s("y_test", "(6,)", &[0, 1, 0, 2, 1, 0])]));
    assert!(
        text.starts_with("y_test: label 2 at index 3 is out of range: there are 2 classes, 0 to 1"),
        "{text}"
    );

    // names for all of them allow gaps, and the class without sequences is told
    let named =
        |names: &[&str]| with([i64s("y_train", "(6,)", &[0, 2, 0, 2, 2, 0]), strings("classes", names)]);
    let (set, notes) = sound(&named(&["a", "b", "c"]));
    assert_eq!((set.class_counts(), set.class_weights()), (vec![3, 0, 3], vec![1.0, 0.0, 1.0]));
    assert!(
        notes[0].ends_with("class b has no training sequence, so a network cannot learn it"),
        "{notes:?}"
    );
    assert!(
        refused(&named(&["a", "b"]))
            .starts_with("y_train: label 2 at index 1 is out of range: there are 2 classes")
    );
    assert!(refused(&named(&["a", "b", "a"])).starts_with("classes: it names the class \"a\" twice"));
    let text = refused(&with([strings("task", &["clustering"])]));
    assert!(text.starts_with("task: \"clustering\" is no task; expected one of classification, "), "{text}");
}

#[test]
fn lengths_that_are_none_are_named() {
    for (lengths, words) in [
        ([1, 2, 0, 2, 2, 2], "lengths_train: sample 2 has length 0, where 1 to 2 timesteps belong"),
        ([1, 2, 2, 3, 2, 2], "lengths_train: sample 3 has length 3"),
        ([-1, 2, 2, 3, 2, 2], "lengths_train: sample 0 has length -1"),
    ] {
        let text = refused(&with([i64s("lengths_train", "(6,)", &lengths)]));
        assert!(text.starts_with(words), "{text}");
    }
}

#[test]
fn arrays_of_another_size_than_announced_are_refused() {
    for size in [0, 23, 25] {
        let text = refused(&with([i16s("x_train", "(6, 2, 2)", &vec![1; size])]));
        assert!(
            text.starts_with("x_train: it has other than the 48 bytes that its shape (6, 2, 2) and"),
            "{text}"
        );
        let text = refused(&with([u8s("x_train", "(6, 2, 2)", &vec![1; size])]));
        assert!(text.starts_with("x_train: it has other than the 24 bytes"), "{text}");
    }
    let text = refused(&with([u8s("x_train", "(4294967296, 4294967296, 16)", &[1])]));
    assert!(text.starts_with("x_train: its shape (4294967296, 4294967296, 16) multiplies to more"), "{text}");
    // a lie about a great size costs no memory
    let text = refused(&with([f32s("x_train", "(1000000, 1000000, 1000)", &[1.0])]));
    assert!(text.contains("4000000000000000 bytes"), "{text}");
    let text = refused(&with([Npy { name: "x_train".into(), head: "hello".into(), bytes: vec![] }]));
    assert!(text.starts_with("x_train: cannot read it: it is not an array of plain numbers"), "{text}");
}

#[test]
fn damaged_files_are_refused() {
    let bench = Bench::new();
    bench.read(&with([])).expect("a sound file");
    let whole = std::fs::read(bench.path()).unwrap();
    for length in (0..whole.len()).step_by(97) {
        std::fs::write(bench.path(), &whole[..length]).unwrap();
        let text = npz::read(&bench.path()).expect_err("a part of a file").to_string();
        assert!(text.contains("set.npz: "), "{text}");
    }
    // a flipped bit of the numbers is seen by the archive's checksum
    let (at, _) =
        whole.windows(6).enumerate().find(|(_, window)| *window == b"}\0\0\x01\0\x04").expect("the numbers");
    let mut flipped = whole.clone();
    flipped[at + 5] ^= 1;
    std::fs::write(bench.path(), &flipped).unwrap();
    let text = npz::read(&bench.path()).expect_err("a flipped bit").to_string();
    assert!(text.contains("x_train: cannot read it"), "{text}");
}

#[test]
fn what_is_written_is_read_again_and_found_by_its_contents() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no ending");
    let x: Vec<i16> = (0..60).map(|n| n * 31 % 97).collect();
    let y: Vec<u8> = (0..20).map(|n| n % 2).collect();
    let arrays: [(&str, &[usize], npz::Column<'_>); 3] = [
        ("x_train", &[20, 3, 1], npz::Column::Integers(&x)),
        ("y_train", &[20], npz::Column::Bytes(&y)),
        ("classes", &[2], npz::Column::Strings(&["even", "örtlich"])),
    ];
    npz::write(&path, &arrays).expect("a file");
    let first = std::fs::read(&path).unwrap();
    npz::write(&path, &arrays).expect("a file");
    assert_eq!(std::fs::read(&path).unwrap(), first, "equal arrays make equal files");
    let loaded = load(Some(&Source::Path(path.clone()))).expect("a sound file");
    assert_eq!(loaded.dataset.classes(), ["even", "örtlich"]);
    assert_eq!(loaded.why, format!("the arrays in {}, as --data says", path.display()));
    assert_eq!(loaded.notes.len(), 2);

    std::fs::write(&path, "a shopping list").unwrap();
    let text = load(Some(&Source::Path(path.clone()))).expect_err("no archive").to_string();
    assert!(text.starts_with(&format!("{}: not an .npz file", path.display())), "{text}");
}
