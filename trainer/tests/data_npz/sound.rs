//! Sound files: what is read, what is made of it, and what the user is told.

use ndarray::array;
use refrain_trainer::data::{InputScaling, Kind, Source, Split, Targets, Values, ValuesView, load, npz};

use crate::arrays::{Npy, f32s, f64s, fortran, i16s, i64s, npy, strings, u8s};
use crate::bench::{Bench, refused, sound, with};

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
    assert_eq!(set.test().name(5), Some("x_test[5]"));
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
    // each is called by its place in the array that it was held out of
    for split in [set.train(), set.test()] {
        let ValuesView::I16(values) = split.view().sequence(2) else { panic!("not integers") };
        assert_eq!(split.name(2), Some(format!("x_train[{}]", values[0] / 2).as_str()));
    }
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
