//! What `refrain train` leaves behind, whatever way it ends.

use std::fs;
use std::path::Path;

use crate::support::{Bench, error, json, stderr};
use refrain_trainer::checkpoint::{Checkpoint, Resumable};
use refrain_trainer::run::Run;

const TRAIN: &str = "train gru --data $data --units 6 --epochs 4 --seed 7 --threads 2";

fn run(bench: &Bench, name: &str) -> Run {
    Run::open(&bench.path(name)).unwrap()
}

#[test]
fn a_run_leaves_all_that_is_known_of_it() {
    let bench = Bench::new();
    let report = json(&bench.run(&format!("{TRAIN} --json --out $f.ckpt")));
    assert_eq!(report["run"], bench.path("f.run").to_str().unwrap());
    let run = run(&bench, "f.run");
    let (config, outcome) = (&run.config, run.outcome.as_ref().unwrap());
    assert_eq!(
        (config.cell.as_str(), config.units, config.epochs, config.seed, config.threads),
        ("gru", 6, 4, 7, 2)
    );
    assert_eq!((config.recipe.as_str(), &config.settings["batch"]), ("best", &64.into()));
    assert_eq!((config.data.train, config.data.validation, config.data.test), (88, 8, 30));
    assert_eq!(config.data.source, bench.data().to_str().unwrap());
    assert_eq!(config.data.outputs, ["0", "1", "2"]);

    assert_eq!(serde_json::to_value(&run.history).unwrap(), report["history"]);
    let table = fs::read_to_string(bench.path("f.run/history.csv")).unwrap();
    assert_eq!(table.lines().count(), 5);
    assert_eq!(outcome.epochs, 4);
    assert_eq!(
        (Some(outcome.test_loss), outcome.test_accuracy),
        (report["test_loss"].as_f64(), report["test_accuracy"].as_f64())
    );
    let last = Resumable::load(&bench.path("f.run/checkpoints/epoch-0004.ckpt")).unwrap().checkpoint;
    let kept = Checkpoint::load(&run.checkpoint()).unwrap();
    assert_eq!(last, kept);
    assert_eq!(kept.data.fingerprint, config.data.fingerprint);
    let events = fs::read_dir(run.folder()).unwrap().filter(|entry| {
        entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with("events.out.tfevents.")
    });
    assert_eq!(events.count(), 1);
}

#[cfg(unix)]
#[test]
fn the_command_that_is_left_repeats_the_run() {
    let bench = Bench::new();
    json(
        &bench.run("train lstm --json --data $data --units 5 --epochs 2 --out $f.ckpt --run $the_first_run"),
    );
    let first = fs::read(bench.path("f.ckpt")).unwrap();
    let line = fs::read_to_string(bench.path("the_first_run/command.txt")).unwrap();
    fs::remove_file(bench.path("f.ckpt")).unwrap();
    fs::remove_dir_all(bench.path("the_first_run")).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_refrain")).parent().unwrap();
    let path = std::env::join_paths([program, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    // from another folder, by a shell
    let output =
        std::process::Command::new("sh").args(["-c", &line]).env("PATH", path).current_dir("/").output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(fs::read(bench.path("f.ckpt")).unwrap(), first);
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let bench = Bench::new();
    json(&bench.run(&format!("{TRAIN} --json --out $f.ckpt")));
    let taken = error(&bench.run(&format!("{TRAIN} --out $f.ckpt")));
    assert!(
        taken.contains("f.run holds a run of gru already, 4 epochs of it done; --resume goes on"),
        "{taken}"
    );
    assert_eq!(run(&bench, "f.run").history.len(), 4);
    let replaced = TRAIN.replace("--seed 7", "--seed 8");
    json(&bench.run(&format!("{replaced} --json --overwrite --out $f.ckpt")));
    assert_eq!(run(&bench, "f.run").config.seed, 8);

    // what cannot be trained replaces nothing
    let impossible = error(&bench.run(&format!("{TRAIN} --overwrite --dropout 1 --out $f.ckpt")));
    assert!(impossible.contains("a dropout of 1 was asked for"), "{impossible}");
    assert_eq!(run(&bench, "f.run").history.len(), 4);

    let other = error(&bench.run(&format!("{TRAIN} --out $g.ckpt --run $data")));
    assert!(other.contains("data is not empty and is no run folder"), "{other}");
    let other = error(&bench.run(&format!("{TRAIN} --overwrite --out $g.ckpt --run $data")));
    assert!(other.contains("data is not empty and is no run folder"), "{other}");
    assert!(!bench.path("g.ckpt").exists());
    assert_eq!(fs::read_dir(bench.data()).unwrap().count(), 4);
}

/// Takes a finished run back to what a crash after its second epoch would have left.
fn crash_after_two_epochs(bench: &Bench) {
    for lost in ["checkpoints/epoch-0003.ckpt", "checkpoints/epoch-0004.ckpt", "result.json"] {
        let _ = fs::remove_file(bench.path("f.run").join(lost));
    }
    fs::remove_file(bench.path("f.ckpt")).unwrap();
}

/// All of a run that must be the same however often it was resumed.
fn results(bench: &Bench, out: &str, run: &str) -> Vec<Vec<u8>> {
    let files = [
        out,
        &format!("{run}/checkpoints/epoch-0004.ckpt"),
        &format!("{run}/history.csv"),
        &format!("{run}/history.json"),
    ];
    files.iter().map(|name| fs::read(bench.path(name)).unwrap()).collect()
}

#[test]
fn a_resumed_run_ends_byte_for_byte_as_one_that_never_stopped() {
    let bench = Bench::new();
    for (cell, more) in
        [("gru", ""), ("lstm", " --layers 2 --dropout 0.3 --patience 3"), ("simple-rnn", " --recipe article")]
    {
        let train = format!("train {cell} --data $data --units 6 --epochs 4 --seed 7{more}");
        json(&bench.run(&format!("{train} --json --overwrite --threads 1 --out $f.ckpt")));
        let whole = results(&bench, "f.ckpt", "f.run");
        crash_after_two_epochs(&bench);
        let report = json(&bench.run("train --resume --json --threads 2 --out $f.ckpt"));
        assert_eq!((&report["resumed_after"], &report["epochs"]), (&2.into(), &4.into()), "{cell}");
        assert_eq!((&report["cell"], &report["seed"]), (&cell.into(), &7.into()));
        assert!(whole == results(&bench, "f.ckpt", "f.run"), "{cell}");
        assert_eq!(run(&bench, "f.run").outcome.unwrap().epochs, 4);
    }
}

#[test]
fn a_run_is_not_resumed_as_another_one() {
    let bench = Bench::new();
    json(&bench.run(&format!("{TRAIN} --json --out $f.ckpt")));
    crash_after_two_epochs(&bench);
    let refused = |arguments: &str| error(&bench.run(&format!("train {arguments} --resume --out $f.ckpt")));
    for (arguments, conflict) in [
        ("--units 7", "its units is 6 where 7 is asked for"),
        ("--layers 2", "its layers is 1 where 2 is asked for"),
        ("lstm", "its cell is \"gru\" where \"lstm\" is asked for"),
        ("--recipe article", "its recipe is \"best\" where \"article\" is asked for"),
        ("--seed 8", "its seed is 7 where 8 is asked for"),
        ("--learning-rate 0.5", "its learning_rate is 0.01 where 0.5 is asked for"),
        ("--dropout 0.5", "its dropout is 0.0 where 0.5 is asked for"),
        ("--data digits", "its data set is \"data of fingerprint "),
        ("--epochs 9", "its learning rate is planned over 4 epochs, and 9 are asked for"),
        ("--patience 2", "its patience is null where 2 is asked for"),
    ] {
        let message = refused(arguments);
        assert!(message.contains("f.run cannot be resumed: ") && message.contains(conflict), "{message}");
    }
    let message = error(&bench.run("train --resume --out $g.ckpt"));
    assert!(message.contains("g.run is no run folder"), "{message}");
    assert!(error(&bench.run("train --resume")).contains("--resume needs --out or --run"));
    // the data has changed behind the run's back
    let labels = bench.data().join("train-labels-idx1-ubyte");
    let mut bytes = fs::read(&labels).unwrap();
    bytes[9] = (bytes[9] + 1) % 3;
    fs::write(&labels, bytes).unwrap();
    assert!(refused("gru").contains("its data set is \"data of fingerprint "));
    // other data is told before what else is wrong with it
    json(&bench.run("data battery --json --out $b.npz"));
    assert!(refused("gru --data $b.npz --class-weights").contains("where \"b of fingerprint "));
    assert!(!bench.path("f.ckpt").exists());
}

#[test]
fn a_finished_run_is_not_resumed_unless_more_epochs_make_sense() {
    let bench = Bench::new();
    json(&bench.run(&format!("{TRAIN} --json --out $f.ckpt")));
    let message = error(&bench.run("train --resume --out $f.ckpt"));
    assert!(message.contains("f.run is finished: 4 epochs are done and 4 are asked for"), "{message}");

    let article = "train gru --json --recipe article --data $data --units 6";
    json(&bench.run(&format!("{article} --epochs 4 --out $whole.ckpt")));
    json(&bench.run(&format!("{article} --epochs 2 --out $half.ckpt")));
    let report = json(&bench.run("train --resume --json --epochs 4 --run $half.run"));
    assert_eq!((&report["resumed_after"], &report["epochs"]), (&2.into(), &4.into()));
    assert_eq!(report["checkpoint"], bench.path("half.ckpt").to_str().unwrap());
    assert!(results(&bench, "half.ckpt", "half.run") == results(&bench, "whole.ckpt", "whole.run"));
    let command = fs::read_to_string(bench.path("half.run/command.txt")).unwrap();
    assert!(command.contains("--epochs 4"), "{command}");
}

#[test]
fn a_damaged_checkpoint_is_named_with_what_to_do() {
    let bench = Bench::new();
    json(&bench.run(&format!("{TRAIN} --json --out $f.ckpt")));
    let whole = results(&bench, "f.ckpt", "f.run");
    for lost in ["checkpoints/epoch-0004.ckpt", "result.json"] {
        fs::remove_file(bench.path("f.run").join(lost)).unwrap();
    }
    let last = bench.path("f.run/checkpoints/epoch-0003.ckpt");
    let bytes = fs::read(&last).unwrap();
    fs::write(&last, &bytes[..bytes.len() / 2]).unwrap();
    let message = error(&bench.run("train --resume --out $f.ckpt"));
    assert!(message.contains("epoch-0003.ckpt is not a usable checkpoint: it has "), "{message}");
    assert!(message.ends_with("epoch-0003.ckpt to go on from epoch-0002.ckpt"), "{message}");
    fs::remove_file(last).unwrap();
    json(&bench.run("train --resume --json --out $f.ckpt"));
    assert!(whole == results(&bench, "f.ckpt", "f.run"));
}

#[test]
fn training_ends_when_validation_gets_no_better() {
    let bench = Bench::new();
    // Steps too small to change a weight: the validation loss moves only as batch normalisation's averages settle.
    let train = "train gru --json --data $data --units 3 --epochs 400 --learning-rate 1e-30 --out $f.ckpt";
    let report = json(&bench.run(&format!("{train} --patience 2")));
    let (epochs, kept) = (report["epochs"].as_u64().unwrap(), report["kept_epoch"].as_u64().unwrap());
    assert_eq!((&report["stopped_early"], epochs), (&true.into(), kept + 2));
    let history = report["history"].as_array().unwrap();
    let losses: Vec<f64> = history.iter().map(|epoch| epoch["val_loss"].as_f64().unwrap()).collect();
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(losses[kept as usize - 1], lowest);
    assert_eq!(u64::from(Checkpoint::load(&bench.path("f.ckpt")).unwrap().epochs), kept);
    let run = run(&bench, "f.run");
    let outcome = run.outcome.as_ref().unwrap();
    assert_eq!((u64::from(outcome.best_epoch), outcome.stopped_early), (kept, true));
    assert_eq!(run.checkpoints().unwrap()[0].0 as u64, kept, "the best one is kept");

    let message = error(&bench.run("train --resume --out $f.ckpt"));
    assert!(
        message.contains("is finished, it ended after epoch") && message.contains("--patience"),
        "{message}"
    );
    let more = json(&bench.run("train --resume --json --patience 3 --out $f.ckpt"));
    assert_eq!(more["resumed_after"], epochs);
    assert!(more["epochs"].as_u64().unwrap() > epochs);

    let article = error(&bench.run("train gru --recipe article --patience 2 --data $data --out $g.ckpt"));
    assert!(article.contains("recipe `article` validates on the test samples"), "{article}");
}

#[test]
fn a_run_that_diverges_keeps_its_last_good_checkpoint() {
    let bench = Bench::new();
    json(&bench.run(&format!("{TRAIN} --json --out $f.ckpt")));
    crash_after_two_epochs(&bench);
    // As if the second epoch had gone to the brink.
    let last = bench.path("f.run/checkpoints/epoch-0002.ckpt");
    let mut resumable = Resumable::load(&last).unwrap();
    resumable.state.network.dense.kernel.fill(1e38);
    resumable.save(&last).unwrap();
    let message = error(&bench.run("train --resume --out $f.ckpt"));
    assert!(message.contains("training diverged in epoch 3, step 1: the loss is "), "{message}");
    assert!(message.contains("f.ckpt holds the network as it was after epoch 2 of 4"), "{message}");
    assert_eq!(Resumable::load(&last).unwrap(), resumable_as_a_checkpoint(&resumable));
    assert_eq!(run(&bench, "f.run").checkpoints().unwrap().last().unwrap().0, 2);

    let message = error(&bench.run("train gru --data $data --learning-rate 1e38 --out $g.ckpt"));
    assert!(
        message.contains("diverged in epoch 1") && message.contains("no epoch was finished"),
        "{message}"
    );
    assert!(!bench.path("g.ckpt").exists());
}

#[test]
fn a_run_whose_weights_fit_no_integers_says_what_it_has() {
    let bench = Bench::new();
    json(&bench.run("train gru --json --data $data --units 3 --epochs 20 --out $f.ckpt"));
    for lost in ["checkpoints/epoch-0020.ckpt", "result.json"] {
        fs::remove_file(bench.path("f.run").join(lost)).unwrap();
    }
    // as if the epochs in floats had led to weights that the last one, in integers, has no room for
    let last = bench.path("f.run/checkpoints/epoch-0019.ckpt");
    let mut resumable = Resumable::load(&last).unwrap();
    resumable.state.network.dense.kernel.fill(1e9);
    resumable.save(&last).unwrap();
    let message = error(&bench.run("train --resume --out $f.ckpt"));
    assert!(message.contains("too large for the integer format: train again with a lower"), "{message}");
    assert!(message.ends_with("f.ckpt holds the network as it was after epoch 19 of 20"), "{message}");
}

#[test]
fn with_patience_a_run_that_is_cut_short_leaves_the_best_network() {
    let bench = Bench::new();
    json(&bench.run(&format!("{TRAIN} --patience 4 --json --out $f.ckpt")));
    crash_after_two_epochs(&bench);
    // As if the first epoch had been better than the second, and the second had gone to the brink.
    let last = bench.path("f.run/checkpoints/epoch-0002.ckpt");
    let mut resumable = Resumable::load(&last).unwrap();
    let best = resumable.state.best.as_mut().unwrap();
    best.epoch = 1;
    best.network.dense.bias.fill(0.5);
    let expected = best.network.clone();
    resumable.state.network.dense.kernel.fill(1e38);
    resumable.save(&last).unwrap();
    let message = error(&bench.run("train --resume --out $f.ckpt"));
    assert!(message.contains("f.ckpt holds the network as it was after epoch 1 of 4"), "{message}");
    let kept = Checkpoint::load(&bench.path("f.ckpt")).unwrap();
    assert_eq!((kept.epochs, kept.network), (1, expected));
}

/// What is read back of a state whose network was changed after its checkpoint was made.
fn resumable_as_a_checkpoint(resumable: &Resumable) -> Resumable {
    let mut read = resumable.clone();
    read.checkpoint.network = read.state.network.clone();
    read
}

#[cfg(unix)]
#[test]
fn a_full_disk_costs_the_epoch_that_was_to_be_saved_and_no_other() {
    let bench = Bench::new();
    let article = "train gru --recipe article --data $data --units 64";
    json(&bench.run(&format!("{article} --json --epochs 2 --out $f.ckpt")));
    let whole = fs::read(bench.path("f.ckpt")).unwrap();
    // No file may grow beyond 16 blocks of 512 bytes: to a program that looks like a disk that is full, and holds for
    // any user.
    let resume = bench.command("train --resume --epochs 4 --out $f.ckpt");
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\""]);
    limited.arg(resume.get_program()).args(resume.get_args());
    let message = error(&limited.output().unwrap());
    assert!(message.contains("cannot write") && message.contains("ckpt"), "{message}");
    assert_eq!(fs::read(bench.path("f.ckpt")).unwrap(), whole);
    let kept: Vec<_> =
        run(&bench, "f.run").checkpoints().unwrap().into_iter().map(|(epoch, _)| epoch).collect();
    assert_eq!(kept, [1, 2]);
    let names = |folder: &str| fs::read_dir(bench.path(folder)).unwrap().count();
    assert_eq!((names("f.run/checkpoints"), names("")), (2, 3), "no temporary file stays");
    json(&bench.run("train --resume --json --epochs 4 --out $f.ckpt"));
    assert_eq!(Checkpoint::load(&bench.path("f.ckpt")).unwrap().epochs, 4);
}
