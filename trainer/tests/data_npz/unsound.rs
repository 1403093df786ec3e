//! Unsound files: each is refused by a message that names the file, the array and the place.

use refrain_trainer::data::npz;

use crate::arrays::{Npy, f32s, f64s, i16s, i64s, npy, strings, u8s, write};
use crate::bench::{Bench, refused, sound, with, without};

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
fn numbers_that_are_too_far_off_are_named() {
    let values = |name: &str, scale: f32| {
        let x: Vec<f32> = (0..24).map(|n| scale * (n * n % 17) as f32).collect();
        f32s(name, "(6, 2, 2)", &x)
    };
    let set = |val, test| with([values("x_train", 1e-20), values("x_val", val), values("x_test", test)]);
    sound(&set(1e-10, 1e-10));
    for (x, set) in [("x_val", set(1.0, 1e-10)), ("x_test", set(1e-10, 1.0))] {
        let text = refused(&set);
        assert!(text.starts_with(&format!("{x}: {x}[0], timestep 0, feature 1 is 1e0, more than")), "{text}");
    }
}

#[test]
fn a_number_is_named_by_its_place_in_the_file_whatever_is_held_out() {
    let mut refused = 0;
    for sample in 0..40 {
        let mut x: Vec<f32> = (0..80).map(|n| 1e-20 * (n * n % 17) as f32).collect();
        // where it is trained on, the deviation is as great; held out, it is far off
        x[2 * sample + 1] = 1e30;
        let y: Vec<i64> = (0..40).map(|n| n % 2).collect();
        let arrays = [f32s("x_train", "(40, 2, 1)", &x), i64s("y_train", "(40,)", &y)];
        if let Err(error) = Bench::new().read(&arrays) {
            let place = format!("x_train: x_train[{sample}], timestep 1, feature 0 is 1e30");
            assert!(error.to_string().contains(&place), "{error}");
            refused += 1;
        }
    }
    assert_eq!(refused, 12, "of those held out");
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
fn an_array_that_is_there_twice_is_named() {
    // no writer of archives makes two entries of one name: one is renamed in the bytes
    let twice = |name: &str| {
        let bench = Bench::new();
        write(&bench.path(), &with([u8s("renamed", "(1,)", &[0])]));
        let mut bytes = std::fs::read(bench.path()).unwrap();
        let places: Vec<_> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"renamed")).collect();
        assert_eq!(places.len(), 2, "before the array and in the directory");
        places.iter().for_each(|&at| bytes[at..at + 7].copy_from_slice(name.as_bytes()));
        std::fs::write(bench.path(), bytes).unwrap();
        npz::read(&bench.path())
    };
    for name in ["x_train", "y_train"] {
        let text = twice(name).expect_err("an array that is there twice").to_string();
        let expected = format!("set.npz: {name}: the file holds two arrays of this name");
        assert!(text.contains(&expected), "{text}");
    }
    twice("another").expect("names that differ");
}

#[test]
fn wrong_shapes_are_named() {
    let cases: [(Npy, &str); 8] = [
        (
            i16s("x_train", "(6, 4)", &[1; 24]),
            "x_train: its shape is (6, 4), but it must be (samples, timesteps, features)",
        ),
        (i16s("x_train", "(24,)", &[1; 24]), "x_train: its shape is (24,), but it must be"),
        (i16s("x_train", "(0, 2, 2)", &[]), "x_train: it holds no samples: its sizes are [0, 2, 2]"),
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
    // nor does one about samples without numbers cost time
    let claim = [
        f32s("x_train", "(1152921504606846976, 0, 5)", &[]),
        i64s("y_train", "(1152921504606846976, 0)", &[]),
    ];
    assert!(refused(&with(claim)).starts_with("x_train: its sequences hold no numbers"));
    let empty = [f32s("x_train", "(0, 9223372036854775808, 2)", &[]), i64s("y_train", "(0,)", &[])];
    assert!(refused(&with(empty)).starts_with("x_train: it holds no samples"));
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
