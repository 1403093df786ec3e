//! The trainer's examples, each from its data to the emulated board.

use std::path::Path;

use refrain_tests::{battery, gestures, vibration};
use refrain_trainer::data;
use refrain_trainer::device::DeviceReport;
use refrain_trainer::evaluate::evaluate;
use refrain_trainer::model_file::ModelFile;

/// Checks that the model which the example left in `folder` gives on the host what the board gave.
fn check_board(folder: &Path, data: &str, model: &str, on_board: &DeviceReport) {
    let dataset = data::read(&folder.join(data)).expect("the example left its data").dataset;
    let model = ModelFile::load(&folder.join(model)).expect("the example left its model");
    let on_host = evaluate(&model, dataset.test().view()).expect("the model is for this data");
    assert!(on_board.host_matches, "{:?}", on_board.mismatch);
    assert_eq!(on_board.logits_sha256, on_host.logits_sha256);
    assert_eq!((on_board.samples, &on_board.scores), (on_host.samples, &on_host.scores));
    assert_eq!(on_board.flash_bytes.model, model.as_bytes().len() as u64);
}

#[test]
fn gestures_are_told_apart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (in_f32, on_board) = gestures::run(folder.path()).expect("the example runs");
    check_board(folder.path(), "gestures", "gestures.rfn", &on_board);
    let [in_f32, in_int8] = [&in_f32, &on_board.scores].map(|scores| scores.classes().expect("gestures"));
    assert!(in_f32.macro_f1 > 0.95, "{in_f32:?}");
    assert!((in_int8.macro_f1 - in_f32.macro_f1).abs() < 0.02, "{in_int8:?}, {in_f32:?}");
}

#[test]
fn charge_and_resistance_are_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (in_f32, on_board) = battery::run(folder.path()).expect("the example runs");
    check_board(folder.path(), "battery.npz", "battery.rfn", &on_board);
    let [in_f32, in_int8] = [&in_f32, &on_board.scores].map(|scores| scores.values().expect("two values"));
    for (in_f32, in_int8) in in_f32.r2.iter().zip(&in_int8.r2) {
        assert!(*in_f32 > 0.95, "{in_f32}");
        assert!((in_int8 - in_f32).abs() < 0.01, "{in_int8}, {in_f32}");
    }
}

#[test]
fn knocks_are_told_from_vibration() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (in_f32, on_board) = vibration::run(folder.path()).expect("the example runs");
    check_board(folder.path(), "vibration.npz", "vibration.rfn", &on_board);
    let [in_f32, in_int8] = [&in_f32, &on_board.scores]
        .map(|scores| scores.classes().expect("two classes").f1[vibration::ANOMALY].expect("anomalies"));
    assert!(in_f32 > 0.9, "{in_f32}");
    assert!((in_int8 - in_f32).abs() < 0.02, "{in_int8}, {in_f32}");
}
