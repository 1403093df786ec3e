//! Data sets that are wrong, given to whole commands.

use std::fs;

use crate::support::{Bench, INPUTS, TIMESTEPS, error, idx, json};

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

/// What training says of a small set of which one file was replaced, or removed where there are no bytes for it.
fn with_file(name: &str, bytes: Option<Vec<u8>>) -> String {
    let bench = Bench::new();
    let path = bench.data().join(name);
    match bytes {
        Some(bytes) => fs::write(path, bytes).unwrap(),
        None => fs::remove_file(path).unwrap(),
    }
    let message = error(&bench.run("train lstm --data $data --epochs 1 --out $f.ckpt"));
    assert!(!bench.path("f.ckpt").exists());
    message
}

#[test]
fn every_kind_of_wrong_file_is_named() {
    let images = |count: usize| idx(&[count, TIMESTEPS, INPUTS], &vec![9; count * TIMESTEPS * INPUTS]);
    let cases: [(&str, Option<Vec<u8>>, &str); 9] = [
        (TRAIN_IMAGES, None, "no such file"),
        (TRAIN_IMAGES, Some(images(96)[..400].to_vec()), "truncated"),
        (TRAIN_IMAGES, Some(b"\x89PNG\r\n\x1a\n and so on".to_vec()), "not an idx file"),
        (TEST_IMAGES, Some(Vec::new()), "truncated"),
        (TRAIN_LABELS, Some(idx(&[95], &[1; 95])), "95 labels for the 96 images"),
        (TEST_LABELS, Some(idx(&[30], &[200; 30])), "label 200 at index 0 is out of range"),
        (TEST_IMAGES, Some(images(0)), "holds no samples"),
        (TEST_IMAGES, Some(idx(&[30, 5, 6], &[0; 900])), "images are [5, 6]"),
        (TRAIN_LABELS, Some(images(96)), "3 dimension(s) where 1 was expected"),
    ];
    for (name, bytes, words) in cases {
        let message = with_file(name, bytes);
        assert!(message.contains(name) && message.contains(words), "{message}");
    }
}

#[test]
fn a_folder_that_is_none_is_named() {
    let bench = Bench::new();
    let missing = error(&bench.run("train lstm --data $none --out $f.ckpt"));
    assert!(missing.contains("none: no such file or folder; --data takes a folder"), "{missing}");
    let empty = error(&bench.command("train lstm --out $f.ckpt").args(["--data", ""]).output().unwrap());
    assert!(empty.contains("--data is empty"), "{empty}");
}

#[test]
fn a_folder_named_for_mnist_is_not_passed_over() {
    let bench = Bench::new();
    let output =
        bench.command("train lstm --out $f.ckpt").env("REFRAIN_MNIST_DIR", bench.data()).output().unwrap();
    let message = error(&output);
    assert!(message.contains("not the MNIST file of that name"), "{message}");
}

#[test]
fn compressed_files_do_as_well() {
    let bench = Bench::new();
    for name in [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS] {
        let path = bench.data().join(name);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, &fs::read(&path).unwrap()).unwrap();
        fs::write(bench.data().join(format!("{name}.gz")), encoder.finish().unwrap()).unwrap();
        fs::remove_file(path).unwrap();
    }
    let report = json(&bench.run("train gru --json --data $data --epochs 1 --out $f.ckpt"));
    assert_eq!(report["data"], "data");
}

#[test]
fn examples_are_written_and_can_be_trained_on() {
    let bench = Bench::new();
    let report = json(&bench.run("data vibration --json --out $v.npz"));
    assert_eq!(
        (&report["train"], &report["test"], &report["per_step"]),
        (&700.into(), &200.into(), &true.into())
    );
    assert_eq!(report["outputs"], serde_json::json!(["normal", "anomaly"]));
    let text = String::from_utf8(bench.run("data gestures --out $g").stdout).unwrap();
    assert!(text.contains("up to ") && text.contains("circle-left, circle-right"), "{text}");
    let again = error(&bench.run("data gestures --out $g"));
    assert!(again.contains("something is there already"), "{again}");
    let unknown = error(&bench.run("data weather --out $w"));
    assert!(unknown.contains("weather") && unknown.contains("gestures, battery, vibration"), "{unknown}");
    let nowhere = error(&bench.run("data battery --out $nowhere/b.npz"));
    assert!(nowhere.contains("--out") && nowhere.contains("nowhere"), "{nowhere}");

    let output = bench.run("train gru --json --data $g --units 4 --epochs 1 --out $g.ckpt");
    let report = json(&output);
    assert_eq!(report["data"], "g");
    let stderr = crate::support::stderr(&output);
    assert_eq!(
        stderr.lines().filter(|line| line.starts_with("note: ") && line.contains("held out")).count(),
        2
    );
}

#[test]
fn data_is_never_replaced_by_what_comes_of_it() {
    let bench = Bench::new();
    json(&bench.run("data battery --json --out $b.npz"));
    json(&bench.run("train gru --json --data $b.npz --units 2 --epochs 1 --out $f.ckpt"));
    let files = ["b.npz", "f.ckpt"].map(|name| (bench.path(name), fs::read(bench.path(name)).unwrap()));
    for line in [
        "train gru --data $b.npz --units 2 --epochs 1 --out $b.npz",
        "train gru --data $b.npz --units 2 --epochs 1 --out $f.run/config.json --run $g.run",
        "export $f.ckpt --data $b.npz --out $b.npz",
        "report $f.run --data $b.npz --board none --out $b.npz",
        "report $f.run --data $b.npz --board none --out $f.ckpt",
        "data vibration --out $b.npz",
    ] {
        let message = error(&bench.run(line));
        assert!(message.contains("--out") && message.contains("would be replaced"), "{message}");
    }
    for (path, bytes) in files {
        assert!(fs::read(&path).unwrap() == bytes, "{}", path.display());
    }
    // an earlier network makes way for a new one
    json(&bench.run("train gru --json --data $b.npz --units 3 --epochs 1 --overwrite --out $f.ckpt"));
    let same = error(&bench.run("train gru --data $b.npz --units 2 --epochs 1 --out $h --run $h"));
    assert!(same.contains("the run folder is to be there too"), "{same}");
    assert!(!bench.path("h").exists());
}

#[test]
fn what_holds_no_data_is_told_with_what_was_looked_for() {
    let bench = Bench::new();
    fs::create_dir(bench.path("empty")).unwrap();
    let empty = error(&bench.run("train gru --data $empty --out $f.ckpt"));
    assert!(empty.contains("empty: it holds neither idx files") && empty.contains("an .npz file"), "{empty}");
    fs::write(bench.path("notes.npz"), "a shopping list").unwrap();
    let notes = error(&bench.run("train gru --data $notes.npz --out $f.ckpt"));
    assert!(notes.contains("notes.npz: not an .npz file"), "{notes}");
}
