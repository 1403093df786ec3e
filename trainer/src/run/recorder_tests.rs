//! Run folders as they are written.

use super::tests::config;
use super::*;

use crate::data::{DataRecord, InputScaling, Task};
use crate::nn::{Algorithm, Network, Optimizer};
use crate::train::{Best, Hyperparameters, Score, TrainingState};
use refrain::{CellKind, Shape};
use serde_json::json;

const RATES: Rates = Rates { learning_rate: 0.25, samples_per_second: 1e4 };

fn configuration() -> Config {
    serde_json::from_value(config()).unwrap()
}

const HYPERPARAMETERS: Hyperparameters =
    Hyperparameters { batch: 64, learning_rate: 0.5, dropout: 0.25, class_weights: true };

/// The run after epochs with these validation losses.
fn after(val_losses: &[f64]) -> Resumable {
    let shape = Shape { inputs: 2, units: 3, outputs: 2, layers: 1 };
    let epochs = val_losses.len() as u32;
    let network = Network::new(CellKind::Gru, shape, epochs.into());
    let history = history(val_losses);
    let state = TrainingState { history, ..TrainingState::new(network, Optimizer::new(Algorithm::Sgd)) };
    let checkpoint = Checkpoint {
        network: state.network.clone(),
        seed: 1,
        recipe: "best".into(),
        hyperparameters: HYPERPARAMETERS,
        epochs,
        timesteps: 4,
        data: DataRecord {
            name: "digits".into(),
            fingerprint: "00ff".into(),
            task: Task::classification(["0", "1"]),
            scaling: InputScaling::PIXELS,
        },
    };
    Resumable { checkpoint, state }
}

fn history(val_losses: &[f64]) -> Vec<Epoch> {
    let score = |loss| Score { loss, accuracy: Some(0.75), ..Score::default() };
    let epoch = |(epoch, &val_loss)| Epoch::new(epoch, &score(0.5), &score(val_loss));
    (1..).zip(val_losses).map(epoch).collect()
}

fn begin(folder: &Path, earlier: Earlier) -> Result<Recorder, RunError> {
    Recorder::begin(folder, earlier, &configuration(), "refrain train gru --out gru.ckpt")
}

fn outcome() -> Outcome {
    Outcome {
        epochs: 6,
        stopped_early: true,
        best_epoch: 2,
        kept_epoch: 2,
        seconds: Some(1.5),
        samples_per_second: 1e4,
        test_loss: 0.25,
        test_accuracy: Some(0.75),
        test_mean_absolute_error: None,
        test_r2: None,
    }
}

fn device() -> serde_json::Value {
    json!({
        "board": "mps2-an386", "samples": 4, "host_matches": true, "instructions_per_inference": null,
        "flash_bytes": { "code": null, "model": 99 }, "ram_bytes": { "static": 24, "stack": 900 }, "via": "link"
    })
}

/// Records epochs with these validation losses.
fn record(recorder: &mut Recorder, val_losses: &[f64]) {
    for count in 1..=val_losses.len() {
        recorder.epoch(&after(&val_losses[..count]), &RATES).unwrap();
    }
}

fn kept(run: &Run) -> Vec<u32> {
    run.checkpoints().unwrap().into_iter().map(|(epoch, _)| epoch).collect()
}

fn event_files(folder: &Path) -> usize {
    let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    fs::read_dir(folder).unwrap().map(name).filter(|name| name.starts_with("events.out.tfevents.")).count()
}

#[test]
fn what_is_recorded_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/gru.run");
    let mut recorder = begin(&path, Earlier::Keep).unwrap();
    let run = Run::open(&path).unwrap();
    assert_eq!((run.config.clone(), run.history.len()), (configuration(), 0));
    let message = run.resume_as(&configuration()).unwrap_err().to_string();
    assert!(message.contains("has no checkpoint, for no epoch was finished"), "{message}");

    let losses = [0.9, 0.3, 0.8, 0.7, 0.6, 0.5];
    record(&mut recorder, &losses);
    let run = Run::open(&path).unwrap();
    assert_eq!((&run.history, run.best_epoch(), run.outcome.is_none()), (&history(&losses), Some(2), true));
    assert_eq!(kept(&run), [2, 4, 5, 6], "the last three and the best one");
    assert_eq!(fs::read_to_string(path.join(HISTORY_CSV)).unwrap().lines().count(), 7);
    assert_eq!(fs::read_to_string(path.join(COMMAND)).unwrap(), "refrain train gru --out gru.ckpt\n");
    assert_eq!(event_files(&path), 1);

    recorder.end(&outcome()).unwrap();
    recorder
        .exported(
            &json!({ "model": "gru.rfn", "bytes": 99, "kind": "int8", "layers": [], "more": 1 }),
            &folder.path().join("new/gru.rfn"),
        )
        .unwrap();
    recorder.on_device(&device()).unwrap();
    let run = Run::open(&path).unwrap();
    assert_eq!(run.outcome, Some(outcome()));
    assert_eq!(run.model(), Some(folder.path().join("new/gru.rfn")));
    assert_eq!(run.device.unwrap().ram_bytes, RamBytes { statics: Some(24), stack: 900 });
}

#[test]
fn a_run_is_not_replaced_unless_that_is_asked_for_and_what_is_not_its_own_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut recorder = begin(path, Earlier::Keep).unwrap();
    drop(recorder);
    // no epoch was finished: there is nothing to lose
    recorder = begin(path, Earlier::Keep).unwrap();
    record(&mut recorder, &[0.5, 0.4]);
    recorder.on_device(&device()).unwrap();
    fs::write(path.join("notes.txt"), "mine").unwrap();
    drop(recorder);

    let message = begin(path, Earlier::Keep).unwrap_err().to_string();
    assert!(
        message.contains("holds a run of gru already, 2 epochs of it done; --resume goes on"),
        "{message}"
    );
    let recorder = begin(path, Earlier::Replace).unwrap();
    let run = Run::open(path).unwrap();
    assert!(run.history.is_empty() && run.device.is_none() && kept(&run).is_empty());
    assert_eq!(event_files(path), 1);
    assert_eq!(fs::read_to_string(path.join("notes.txt")).unwrap(), "mine");
    drop(recorder);

    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("notes.txt"), "mine").unwrap();
    for earlier in [Earlier::Keep, Earlier::Replace] {
        let message = begin(other.path(), earlier).unwrap_err().to_string();
        assert!(message.contains("is not empty and is no run folder"), "{message}");
    }
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_in_which_nothing_could_be_written_may_be_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    // what a full disk leaves of the first attempt
    fs::create_dir(folder.path().join(CHECKPOINTS)).unwrap();
    fs::write(folder.path().join(LOCK), "").unwrap();
    begin(folder.path(), Earlier::Keep).unwrap();

    let other = tempfile::tempdir().unwrap();
    fs::create_dir(other.path().join(CHECKPOINTS)).unwrap();
    fs::write(other.path().join(CHECKPOINTS).join("mine.ckpt"), "mine").unwrap();
    let message = begin(other.path(), Earlier::Replace).unwrap_err().to_string();
    assert!(message.contains("is not empty and is no run folder"), "{message}");
}

#[test]
fn one_process_writes_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = begin(folder.path(), Earlier::Keep).unwrap();
    let run = Run::open(folder.path()).unwrap();
    for second in [
        begin(folder.path(), Earlier::Replace).unwrap_err(),
        Recorder::resume(&run, &[], &configuration(), "").unwrap_err(),
    ] {
        assert!(second.to_string().starts_with("another process is training in "), "{second}");
    }
    drop(recorder);
    begin(folder.path(), Earlier::Keep).unwrap();
}

#[test]
fn a_resumed_run_has_the_history_of_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = begin(folder.path(), Earlier::Keep).unwrap();
    record(&mut recorder, &[0.9, 0.8, 0.7]);
    recorder.end(&outcome()).unwrap();
    drop(recorder);
    fs::write(folder.path().join(TIMES), "[1000.0, 2000.0, 3000.0]").unwrap();
    let run = Run::open(folder.path()).unwrap();
    assert!(run.outcome.is_some());
    let more = Config { epochs: 9, ..configuration() };
    let mut recorder = Recorder::resume(&run, &history(&[0.9, 0.8]), &more, "again").unwrap();
    let run = Run::open(folder.path()).unwrap();
    assert_eq!((run.history.len(), run.config.epochs, run.outcome), (2, 9, None));
    recorder.epoch(&after(&[0.9, 0.8, 0.7]), &RATES).unwrap();
    assert_eq!(Run::open(folder.path()).unwrap().history.len(), 3);
    assert_eq!(event_files(folder.path()), 2);
    let seconds = recorder.seconds().unwrap();
    assert!(2000.0 < seconds && seconds < 3000.0, "{seconds}");
}

#[cfg(unix)]
#[test]
fn a_checkpoint_that_cannot_be_written_leaves_the_last_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = begin(folder.path(), Earlier::Keep).unwrap();
    record(&mut recorder, &[0.9, 0.8]);
    // a folder that is not empty takes the name
    let taken = folder.path().join(CHECKPOINTS).join("epoch-0003.ckpt/inside");
    fs::create_dir_all(&taken).unwrap();
    let error = recorder.epoch(&after(&[0.9, 0.8, 0.7]), &RATES).unwrap_err();
    assert!(error.to_string().contains("epoch-0003.ckpt"), "{error}");
    fs::remove_dir_all(taken.parent().unwrap()).unwrap();
    let run = Run::open(folder.path()).unwrap();
    assert_eq!((kept(&run), run.history.len()), (vec![1, 2], 2));
}

#[test]
fn what_makes_it_another_run_is_named() {
    let run = Config { patience: Some(2), ..configuration() };
    let spoilt = |spoil: &dyn Fn(&mut Config)| {
        let mut asked = run.clone();
        spoil(&mut asked);
        run.conflict_with(&asked).map(|conflict| conflict.to_string())
    };
    assert_eq!(spoilt(&|_| {}), None);
    assert_eq!(spoilt(&|asked| asked.units = 7).unwrap(), "its units is 6 where 7 is asked for");
    assert_eq!(
        spoilt(&|asked| asked.cell = "lstm".into()).unwrap(),
        "its cell is \"gru\" where \"lstm\" is asked for"
    );
    assert_eq!(spoilt(&|asked| asked.seed = 2).unwrap(), "its seed is 1 where 2 is asked for");
    let data = spoilt(&|asked| asked.data.fingerprint = "11ee".into()).unwrap();
    assert_eq!(
        data,
        "its data set is \"digits of fingerprint 00ff\" where \"digits of fingerprint 11ee\" is asked for"
    );
    let setting = spoilt(&|asked| asked.settings = json!({ "batch": 64, "momentum": 0.5 })).unwrap();
    assert_eq!(setting, "its settings.momentum is null where 0.5 is asked for");
    let free = spoilt(&|asked| {
        (asked.epochs, asked.patience, asked.threads) = (9, Some(3), 5);
        (asked.program, asked.checkpoint) = ("refrain 0.2.0".into(), "../moved.ckpt".into());
        (asked.data.name, asked.data.source) = ("copy".into(), "/elsewhere/copy".into());
    });
    assert_eq!(free, None);
}

#[test]
fn a_configuration_survives_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        json!({ "learning_rate": 0.003_f32, "label_smoothing": 0.05_f32, "rate": 1.0 / 3.0, "none": null });
    let config = Config { settings, dropout: 0.1, seed: u64::MAX, ..configuration() };
    Recorder::begin(folder.path(), Earlier::Keep, &config, "").unwrap();
    let read = Run::open(folder.path()).unwrap().config;
    assert_eq!(read.conflict_with(&config), None);
    assert_eq!(read, config);
}

/// A recorded run of four epochs of six, of a constant learning rate, in a folder.
fn recorded(val_losses: &[f64]) -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { epochs: 6, settings: json!({ "schedule": false }), ..configuration() };
    let mut recorder = Recorder::begin(folder.path(), Earlier::Keep, &config, "").unwrap();
    record(&mut recorder, val_losses);
    (folder, config)
}

fn write(folder: &tempfile::TempDir, name: &str, value: &impl serde::Serialize) {
    fs::write(folder.path().join(name), serde_json::to_string(value).unwrap()).unwrap();
}

fn resume(folder: &tempfile::TempDir, asked: &Config) -> Result<Resumable, String> {
    Run::open(folder.path()).unwrap().resume_as(asked).map_err(|error| error.to_string())
}

#[test]
fn a_run_goes_on_from_its_last_checkpoint_with_more_epochs_where_that_is_sound() {
    let losses = [0.9, 0.8, 0.7, 0.6];
    let (folder, config) = recorded(&losses);
    assert_eq!(resume(&folder, &config).unwrap(), after(&losses));
    let longer = Config { epochs: 9, ..config.clone() };
    assert_eq!(resume(&folder, &longer).unwrap(), after(&losses));
    let other = resume(&folder, &Config { units: 7, ..config.clone() }).unwrap_err();
    assert!(other.contains("cannot be resumed: its units is 6 where 7 is asked for"), "{other}");
    let impatient = resume(&folder, &Config { patience: Some(1), ..config.clone() }).unwrap_err();
    assert!(impatient.contains("its patience is null where 1 is asked for"), "{impatient}");

    let planned = Config { settings: json!({ "schedule": true }), ..config };
    write(&folder, CONFIG, &planned);
    let message = resume(&folder, &Config { epochs: 9, ..planned }).unwrap_err();
    assert!(message.contains("its learning rate is planned over 6 epochs, and 9 are asked for"), "{message}");
}

#[test]
fn a_finished_run_is_told_from_one_whose_end_was_not_recorded() {
    let losses = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4];
    let (folder, config) = recorded(&losses);
    assert_eq!(resume(&folder, &config).unwrap(), after(&losses));
    write(&folder, RESULT, &outcome());
    let message = resume(&folder, &config).unwrap_err();
    assert!(
        message.contains("is finished: 6 epochs are done and 6 are asked for, so there is nothing"),
        "{message}"
    );
    assert!(resume(&folder, &Config { epochs: 7, ..config }).is_ok());
}

#[test]
fn a_run_that_ended_early_goes_on_with_more_patience() {
    let (folder, config) = recorded(&[0.9, 0.5]);
    let config = Config { patience: Some(2), ..config };
    write(&folder, CONFIG, &config);
    write(&folder, RESULT, &outcome());
    let mut last = after(&[0.9, 0.5, 0.8, 0.7]);
    last.state.best = Some(Best { epoch: 2, val_loss: 0.5, network: last.state.network.clone() });
    last.save(&folder.path().join(CHECKPOINTS).join("epoch-0004.ckpt")).unwrap();
    let message = resume(&folder, &config).unwrap_err();
    assert!(message.contains("it ended after epoch 4 because 2 epochs brought no lower"), "{message}");
    assert!(resume(&folder, &Config { patience: Some(3), ..config }).is_ok());
}

#[test]
fn a_checkpoint_of_no_use_is_told_with_the_one_before_it() {
    let (folder, config) = recorded(&[0.9, 0.8]);
    let checkpoints = folder.path().join(CHECKPOINTS);
    let (first, last) = (checkpoints.join("epoch-0001.ckpt"), checkpoints.join("epoch-0002.ckpt"));
    let mut bytes = fs::read(&last).unwrap();
    bytes[99] ^= 1;
    fs::write(&last, &bytes).unwrap();
    let message = resume(&folder, &config).unwrap_err();
    assert!(message.contains("epoch-0002.ckpt is not a usable checkpoint: its CRC-32 is"), "{message}");
    let remedy = format!("; delete {} to go on from {}", last.display(), "epoch-0001.ckpt");
    assert!(message.ends_with(&remedy), "{message}");
    fs::remove_file(&last).unwrap();
    assert_eq!(resume(&folder, &config).unwrap(), after(&[0.9]));

    // of another run
    let mut other = after(&[0.9]);
    other.checkpoint.seed = 2;
    other.save(&first).unwrap();
    let message = resume(&folder, &config).unwrap_err();
    assert!(message.contains("epoch-0001.ckpt is not of this run; there is no earlier one"), "{message}");
    // a network alone
    other.checkpoint.save(&first).unwrap();
    let message = resume(&folder, &config).unwrap_err();
    assert!(message.contains("it holds a network alone"), "{message}");
}
