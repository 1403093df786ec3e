//! Run folders, written and read.

use super::*;
use serde_json::{Value, json};

/// What `refrain train` might note of a small run.
pub(super) fn config() -> Value {
    json!({
        "format": 1, "program": "refrain 0.1.0",
        "cell": "gru", "units": 6, "layers": 1, "dropout": 0.0,
        "recipe": "best", "settings": { "batch": 64 }, "epochs": 3, "batch": 64, "learning_rate": 0.25,
        "class_weights": false, "patience": null, "seed": 1, "threads": 2,
        "data": {
            "name": "digits", "source": "digits", "fingerprint": "00ff", "task": "classification",
            "per_step": false, "timesteps": 28, "inputs": 28, "outputs": ["0", "1"],
            "train": 9, "validation": 3, "test": 4
        },
        "checkpoint": "../gru.ckpt"
    })
}

fn epoch(epoch: u32, val_loss: f64) -> Value {
    json!({ "epoch": epoch, "loss": 0.5, "accuracy": 0.75, "val_loss": val_loss, "val_accuracy": 0.5 })
}

fn folder_with(files: &[(&str, Value)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(CHECKPOINTS)).unwrap();
    for (name, value) in files {
        fs::write(folder.path().join(name), value.to_string()).unwrap();
    }
    folder
}

#[test]
fn a_run_is_read_at_any_moment() {
    let folder = folder_with(&[(CONFIG, config())]);
    let run = Run::open(folder.path()).unwrap();
    assert_eq!((run.config.cell.as_str(), run.config.units, run.config.data.test), ("gru", 6, 4));
    assert!(run.history.is_empty() && run.outcome.is_none() && run.best_epoch().is_none());
    assert_eq!(run.checkpoint(), folder.path().parent().unwrap().join("gru.ckpt"));

    let history = json!([epoch(1, 0.9), epoch(2, 0.4), epoch(3, 0.4)]);
    let folder = folder_with(&[(CONFIG, config()), (HISTORY_JSON, history)]);
    for name in ["epoch-0003.ckpt", "epoch-0002.ckpt", "epoch-12345.ckpt", "epoch-1.ckpt", "notes.txt"] {
        fs::write(folder.path().join(CHECKPOINTS).join(name), "").unwrap();
    }
    let run = Run::open(folder.path()).unwrap();
    assert_eq!((run.history.len(), run.best_epoch()), (3, Some(2)), "the earlier of two equals");
    let kept: Vec<u32> = run.checkpoints().unwrap().into_iter().map(|(epoch, _)| epoch).collect();
    assert_eq!(kept, [2, 3, 12345]);
}

#[test]
fn what_is_no_run_or_a_damaged_one_is_told() {
    let none = tempfile::tempdir().unwrap();
    let message = Run::open(none.path()).unwrap_err().to_string();
    assert!(message.contains("is no run folder: it has no config.json"), "{message}");

    let folder = folder_with(&[(CONFIG, config())]);
    fs::write(folder.path().join(HISTORY_JSON), "[{").unwrap();
    let message = Run::open(folder.path()).unwrap_err().to_string();
    assert!(message.contains("history.json cannot be understood (EOF"), "{message}");

    let mut later = config();
    later["format"] = 2.into();
    let message = Run::open(folder_with(&[(CONFIG, later)]).path()).unwrap_err().to_string();
    assert!(message.contains("config.json has format 2 where this program reads format 1"), "{message}");
}

#[test]
fn a_run_is_called_by_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join(CONFIG), config().to_string()).unwrap();
        Run::open(&path).unwrap().name()
    };
    assert_eq!(["lstm.run", "second", ".run"].map(name), ["lstm", "second", ".run"]);
}

#[test]
fn files_beside_the_folder_may_move_with_it() {
    let noted = |folder: &str, file: &str| noted(Path::new(folder), Path::new(file)).unwrap();
    assert_eq!(noted("lstm.run", "lstm.ckpt"), Path::new("../lstm.ckpt"));
    assert_eq!(noted("/runs/lstm.run", "/runs/lstm.ckpt"), Path::new("../lstm.ckpt"));
    assert_eq!(noted("/runs/lstm.run", "/models/lstm.ckpt"), Path::new("/models/lstm.ckpt"));
    assert!(noted("runs/lstm.run", "lstm.ckpt").is_absolute());
}
