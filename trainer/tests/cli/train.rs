//! `refrain train`, run as a user runs it.

use std::fs;

use crate::support::{Bench, error, json, stderr};
use refrain_trainer::checkpoint::Checkpoint;

#[test]
fn the_report_has_the_fields_of_the_contract() {
    let bench = Bench::new();
    let output =
        bench.run("train gru --json --data $data --units 6 --epochs 4 --seed 7 --threads 2 --out $f.ckpt");
    let report = json(&output);
    // 3·6 columns of 5 + 6 inputs and two biases; four vectors of batch normalisation; 3 logits of 6 units.
    assert_eq!(report["params"], 3 * 6 * (5 + 6 + 2) + 4 * 6 + 3 * (6 + 1));
    assert_eq!((&report["cell"], &report["epochs"]), (&"gru".into(), &4.into()));
    assert_eq!((&report["seed"], &report["threads"]), (&7.into(), &2.into()));
    assert_eq!(report["data"], "data");
    assert!(report["data_reason"].as_str().unwrap().contains("as --data says"));
    assert!(
        report["seconds"].as_f64().unwrap() > 0.0 && report["samples_per_second"].as_f64().unwrap() > 0.0
    );
    let history = report["history"].as_array().unwrap();
    assert_eq!(history.len(), 4);
    for (number, epoch) in (1..).zip(history) {
        assert_eq!(epoch["epoch"], number);
        for field in ["loss", "accuracy", "val_loss", "val_accuracy"] {
            assert!(epoch[field].is_f64(), "{epoch}");
        }
    }
    assert!((0.0..=1.0).contains(&report["test_accuracy"].as_f64().unwrap()));
    let checkpoint = Checkpoint::load(&bench.path("f.ckpt")).unwrap();
    assert_eq!((checkpoint.epochs, checkpoint.seed, checkpoint.timesteps), (4, 7, 6));
}

#[test]
fn without_json_people_read_what_happened() {
    let bench = Bench::new();
    let output =
        bench.run("train simple-rnn --data $data --units 6 --epochs 2 --recipe article --out $f.ckpt");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout).into_owned(), stderr(&output));
    assert!(
        stdout.contains("simple-rnn with 6 units: 117 parameters, 2 epochs of recipe article"),
        "{stdout}"
    );
    assert!(stdout.contains("test accuracy") && stdout.contains("f.ckpt"), "{stdout}");
    assert!(stderr.contains("data: the idx files in "), "{stderr}");
    assert!(stderr.contains("epoch  1/2") && stderr.contains("epoch  2/2"), "{stderr}");
    let line = stderr.lines().find(|line| line.contains("epoch  1/2")).unwrap();
    for figure in ["loss ", "accuracy ", "validation: loss ", " samples/s  ", "s left"] {
        assert!(line.contains(figure), "{line}");
    }
}

#[test]
fn a_network_learns_what_the_set_shows() {
    let bench = Bench::new();
    let report = json(&bench.run("train lstm --json --data $data --units 12 --epochs 150 --out $f.ckpt"));
    assert!(report["test_accuracy"].as_f64().unwrap() > 0.9, "{}", report["test_accuracy"]);
}

#[test]
fn threads_change_no_byte_and_a_seed_does() {
    let bench = Bench::new();
    for cell in ["simple-rnn", "lstm", "gru"] {
        let files = |seed: u32, threads: u32| {
            let name = format!("{cell}-{seed}-{threads}");
            for line in [
                format!(
                    "train {cell} --data $data --units 7 --epochs 2 --seed {seed} --threads {threads} --out ${name}.ckpt"
                ),
                format!("export ${name}.ckpt --data $data --out ${name}.rfn"),
            ] {
                let output = bench.run(&line);
                assert!(output.status.success(), "{}", stderr(&output));
            }
            ["ckpt", "rfn"].map(|kind| fs::read(bench.path(&format!("{name}.{kind}"))).unwrap())
        };
        let first = files(1, 1);
        assert_eq!(first, files(1, 2), "{cell}, two threads");
        assert_eq!(first, files(1, 3), "{cell}, three threads");
        let other = files(2, 1);
        assert!(first[0] != other[0] && first[1] != other[1], "{cell}, another seed");
    }
}

#[test]
fn without_mnist_the_drawn_digits_run_and_the_report_says_so() {
    let bench = Bench::new();
    let output = bench
        .command("train simple-rnn --json --units 2 --epochs 1 --out $f.ckpt")
        .env("HOME", bench.path("home"))
        .env("XDG_CACHE_HOME", bench.path("cache"))
        .output()
        .unwrap();
    let report = json(&output);
    assert_eq!(report["data"], "digits");
    assert!(report["data_reason"].as_str().unwrap().contains("MNIST could not be had"), "{report}");
    assert!(stderr(&output).contains("data: the built-in pen-stroke digits"), "{}", stderr(&output));
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let bench = Bench::new();
    let refused = |arguments: &str| error(&bench.run(&format!("train {arguments} --data $data")));
    let unknown = refused("perceptron --out $f.ckpt");
    assert!(unknown.contains("'perceptron'") && unknown.contains("simple-rnn, lstm, gru"), "{unknown}");
    let unknown = refused("lstm --recipe secret --out $f.ckpt");
    assert!(unknown.contains("'secret'") && unknown.contains("article, best"), "{unknown}");
    for wrong in
        ["--units 0", "--units 513", "--units many", "--epochs 0", "--threads 0", "--threads -2", "--seed -1"]
    {
        let flag = wrong.split(' ').next().unwrap();
        let message = refused(&format!("lstm {wrong} --out $f.ckpt"));
        assert!(message.contains(flag), "{message}");
    }
    assert!(refused("lstm").contains("--out"));
    assert!(!bench.path("f.ckpt").exists());
}

#[test]
fn an_output_that_cannot_be_written_is_told_before_anything_else() {
    let bench = Bench::new();
    fs::write(bench.path("file"), "").unwrap();
    // The data is wrong too: that it is not complained of shows that the output was looked at first.
    let refused = |out: &str| error(&bench.run(&format!("train lstm --data $none --out {out}")));
    let missing = refused("$nowhere/f.ckpt");
    assert!(missing.contains("--out") && missing.contains("there is no folder"), "{missing}");
    assert!(refused("$data").contains("a folder is there"));
    assert!(refused("$file/f.ckpt").contains("Not a directory"));
}

#[cfg(unix)]
mod interrupted {
    use super::*;
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    /// Training that would go on for ever.
    fn endless(bench: &Bench) -> Child {
        bench
            .command(
                "train gru --json --recipe article --data $data --units 6 --epochs 4000000 --out $f.ckpt",
            )
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn send(signal: &str, child: &Child) {
        let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until there is a file that an epoch leaves behind.
    fn wait_for(bench: &Bench, name: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !bench.path(name).exists() {
            assert!(Instant::now() < deadline, "no epoch was finished");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn ctrl_c_keeps_the_last_finished_epoch_and_the_run_can_go_on() {
        let bench = Bench::new();
        let child = endless(&bench);
        wait_for(&bench, "f.ckpt");
        send("-INT", &child);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130));
        assert!(output.stdout.is_empty());
        let checkpoint = Checkpoint::load(&bench.path("f.ckpt")).unwrap();
        let last = stderr(&output).lines().last().unwrap().to_owned();
        let kept = format!("holds the network as it was after epoch {} of 4000000", checkpoint.epochs);
        assert!(last.starts_with("error: interrupted in epoch") && last.contains(&kept), "{last}");
        let names: Vec<_> =
            fs::read_dir(bench.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 3, "no temporary file stays: {names:?}");
        assert!(
            last.contains("; go on with: refrain train --resume --run ") && last.ends_with("f.run"),
            "{last}"
        );

        // Two epochs more end where a run that was not interrupted ends.
        let epochs = checkpoint.epochs + 2;
        let resumed = json(&bench.run(&format!("train --resume --json --epochs {epochs} --run $f.run")));
        assert_eq!(resumed["resumed_after"], checkpoint.epochs);
        let whole = format!(
            "train gru --json --recipe article --data $data --units 6 --epochs {epochs} --out $g.ckpt"
        );
        assert_eq!(json(&bench.run(&whole))["history"], resumed["history"]);
        assert_eq!(fs::read(bench.path("f.ckpt")).unwrap(), fs::read(bench.path("g.ckpt")).unwrap());
    }

    #[test]
    fn sigterm_is_as_good_as_ctrl_c_and_nohup_keeps_its_promise() {
        let bench = Bench::new();
        let train = bench.command(
            "train gru --json --recipe article --data $data --units 6 --epochs 4000000 --out $f.ckpt",
        );
        // what nohup does
        let mut deaf = Command::new("sh");
        deaf.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(train.get_program()).args(train.get_args());
        let child = deaf.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for(&bench, "f.ckpt");
        send("-HUP", &child);
        // two epochs on: the first may have been under way
        for _ in 0..2 {
            fs::remove_file(bench.path("f.ckpt")).unwrap();
            wait_for(&bench, "f.ckpt");
        }
        send("-TERM", &child);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130));
        let last = stderr(&output).lines().last().unwrap().to_owned();
        let epochs = Checkpoint::load(&bench.path("f.ckpt")).unwrap().epochs;
        let kept = format!("holds the network as it was after epoch {epochs} of 4000000");
        assert!(last.starts_with("error: interrupted in epoch") && last.contains(&kept), "{last}");
    }
}
