//! `refrain export`, `eval` and `inspect`, run as a user runs them.

use std::fs;

use crate::support::{Bench, error, json, stderr};
use serde_json::Value;

#[test]
fn export_tells_what_quantising_costs() {
    let bench = Bench::new();
    bench.model("lstm", "m");
    let report = json(&bench.run("export $m.ckpt --json --data $data --out $again.rfn"));
    let file = fs::read(bench.path("again.rfn")).unwrap();
    assert_eq!(report["bytes"], file.len());
    assert_eq!(file, fs::read(bench.path("m.rfn")).unwrap(), "a model does not depend on its file's name");
    assert_eq!((&report["cell"], &report["kind"]), (&"lstm".into(), &"int8".into()));
    let layers = report["layers"].as_array().unwrap();
    assert_eq!(layers.iter().map(|layer| &layer["layer"]).collect::<Vec<_>>(), ["cell", "dense"]);
    for layer in layers {
        let [max, rms] = ["max", "rms"].map(|field| layer[field].as_f64().unwrap());
        assert!(0.0 < rms && rms <= max && max < 0.2, "{layer}");
    }
    for field in ["accuracy_before", "accuracy_after", "same_class"] {
        assert!((0.0..=1.0).contains(&report[field].as_f64().unwrap()), "{report}");
    }
    assert_eq!((&report["samples"], &report["data"]), (&30.into(), &"data".into()));
}

#[test]
fn a_float_model_computes_as_its_checkpoint_does() {
    let bench = Bench::new();
    bench.model("gru", "m");
    let report = json(&bench.run("export $m.ckpt --float --json --data $data --name precise --out $f.rfn"));
    assert_eq!((&report["kind"], &report["same_class"]), (&"f32".into(), &1.0.into()));
    let float = json(&bench.run("eval $f.rfn --json --data $data"));
    let checkpoint = json(&bench.run("eval $m.ckpt --json --data $data"));
    assert_eq!((&float["kind"], &checkpoint["kind"]), (&"f32".into(), &"f32".into()));
    assert_eq!(float["confusion"], checkpoint["confusion"]);
    assert_eq!(json(&bench.run("inspect $f.rfn --json"))["name"], "precise");
}

#[test]
fn eval_counts_every_sample_once() {
    let bench = Bench::new();
    bench.model("simple-rnn", "m");
    for file in ["m.rfn", "m.ckpt"] {
        let report = json(&bench.run(&format!("eval ${file} --json --data $data")));
        assert_eq!((&report["cell"], &report["samples"]), (&"simple-rnn".into(), &30.into()));
        let rows: Vec<Vec<u64>> = serde_json::from_value(report["confusion"].clone()).unwrap();
        let (all, right) =
            (rows.iter().flatten().sum::<u64>(), (0..3).map(|class| rows[class][class]).sum::<u64>());
        assert_eq!(all, 30);
        assert_eq!(report["accuracy"].as_f64().unwrap(), right as f64 / 30.0);
        assert_eq!(report["logits_sha256"].as_str().unwrap().len(), 64);
        assert!(report["seconds"].is_f64());
    }
}

#[test]
fn a_limit_takes_the_first_samples() {
    let bench = Bench::new();
    bench.model("gru", "m");
    let eval = |limit: &str| json(&bench.run(&format!("eval $m.rfn --json --data $data{limit}")));
    let (all, few, more_than_all) = (eval(""), eval(" --limit 7"), eval(" --limit 5000"));
    assert_eq!((&few["samples"], &more_than_all["samples"]), (&7.into(), &30.into()));
    assert_eq!(all["logits_sha256"], more_than_all["logits_sha256"]);
    assert_ne!(all["logits_sha256"], few["logits_sha256"]);
}

#[test]
fn the_name_of_a_file_does_not_say_what_it_is() {
    let bench = Bench::new();
    bench.model("gru", "m");
    fs::rename(bench.path("m.ckpt"), bench.path("c.rfn")).unwrap();
    fs::rename(bench.path("m.rfn"), bench.path("m.txt")).unwrap();
    assert_eq!(json(&bench.run("eval $c.rfn --json --data $data"))["kind"], "f32");
    assert_eq!(json(&bench.run("eval $m.txt --json --data $data"))["kind"], "int8");
}

#[test]
fn inspect_shows_what_is_in_a_model() {
    let bench = Bench::new();
    bench.model("lstm", "m");
    let report = json(&bench.run("inspect $m.rfn --json"));
    let file = fs::read(bench.path("m.rfn")).unwrap();
    assert_eq!((&report["cell"], &report["kind"]), (&"lstm".into(), &"int8".into()));
    assert_eq!(report["shape"], serde_json::json!({ "inputs": 5, "units": 6, "outputs": 3, "layers": 1 }));
    assert_eq!(report["params"], 4 * 6 * (5 + 6 + 1) + 4 * 6 + 3 * (6 + 1));
    assert_eq!(report["bytes"], file.len());
    assert_eq!((&report["name"], &report["self_test"]), (&"lstm-6".into(), &"passed".into()));
    assert_eq!(report["labels"], serde_json::json!(["0", "1", "2"]));
    let sections = report["sections"].as_array().unwrap();
    let bytes = |is_wanted: fn(&str) -> bool| -> u64 {
        let wanted = sections.iter().filter(|section| is_wanted(section["kind"].as_str().unwrap()));
        wanted.map(|section| section["bytes"].as_u64().unwrap()).sum()
    };
    assert_eq!(report["weight_bytes"], bytes(|kind| !kind.starts_with("SelfTest") && kind != "BlankStates"));
    assert!(bytes(|_| true) < file.len() as u64);
    let crc = u32::from_le_bytes(*file.last_chunk().unwrap());
    assert_eq!(report["crc32"], format!("{crc:08x}"));

    let text = String::from_utf8(bench.run("inspect $m.rfn").stdout).unwrap();
    for word in ["lstm-6", "5 inputs, 6 units, 3 outputs", "RecurrentKernel", "passed"] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn states_after_blank_rows_are_a_part_of_the_file_alone() {
    let bench = Bench::new();
    bench.model("lstm", "m");
    let inspected = |file: &str| json(&bench.run(&format!("inspect ${file} --json")));
    let logits =
        |file: &str| json(&bench.run(&format!("eval ${file} --json --data $data")))["logits_sha256"].clone();
    let without = inspected("m.rfn");
    let no_states = (&without["blank_states"], &without["blank_states_bytes"]);
    assert_eq!(no_states, (&0.into(), &0.into()), "no image of the set begins with a blank row");
    for count in [4, 255] {
        let export = format!("export $m.ckpt --json --data $data --blank-states {count} --out $with.rfn");
        assert!(bench.run(&export).status.success());
        let with = inspected("with.rfn");
        let bytes = count * 6 * (2 + 4);
        assert_eq!((&with["blank_states"], &with["blank_states_bytes"]), (&count.into(), &bytes.into()));
        let last = with["sections"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["kind"], &last["bytes"]), (&"BlankStates".into(), &bytes.into()));
        assert_eq!(with["weight_bytes"], without["weight_bytes"]);
        assert_eq!(logits("with.rfn"), logits("m.rfn"));
    }
    let text = String::from_utf8(bench.run("inspect $with.rfn").stdout).unwrap();
    assert!(text.contains("255, 9,180 bytes"), "{text}");

    assert!(bench.run("export $m.ckpt --data $data --blank-states auto --out $auto.rfn").status.success());
    assert_eq!(fs::read(bench.path("auto.rfn")).unwrap(), fs::read(bench.path("m.rfn")).unwrap());
    for count in ["256", "-1", "few"] {
        let line = format!("export $m.ckpt --data $data --blank-states={count} --out $x.rfn");
        let message = error(&bench.run(&line));
        assert!(message.contains("expected a number from 0 to 255, or auto"), "{message}");
    }
    let message = error(&bench.run("export $m.ckpt --data $data --float --blank-states 3 --out $x.rfn"));
    assert!(message.contains("--float") && message.contains("--blank-states"), "{message}");
    assert!(!bench.path("x.rfn").exists());
}

#[test]
fn the_digits_of_the_program_go_the_whole_way() {
    let bench = Bench::new();
    let train = json(&bench.run("train gru --json --data digits --units 8 --epochs 1 --out $d.ckpt"));
    let export = json(&bench.run("export $d.ckpt --json --data digits --out $d.rfn"));
    let eval = json(&bench.run("eval $d.rfn --json --data digits"));
    assert_eq!(train["test_accuracy"], export["accuracy_before"]);
    assert_eq!(eval["accuracy"], export["accuracy_after"]);
    assert!([&train, &export, &eval].iter().all(|report| report["data"] == "digits"));
}

#[test]
fn files_of_another_kind_are_named() {
    let bench = Bench::new();
    bench.model("gru", "m");
    fs::write(bench.path("note.txt"), "a shopping list").unwrap();
    let says = |line: &str, words: &str| {
        let message = error(&bench.run(line));
        assert!(message.contains(words), "{message}");
    };
    says("inspect $m.ckpt", "m.ckpt is a checkpoint where a model file is expected");
    says("device $m.ckpt --data $data", "refrain export");
    says("export $m.rfn --data $data --out $x.rfn", "m.rfn is a model file where a checkpoint is expected");
    says("eval $note.txt --data $data", "note.txt is neither a model file");
    says("eval $none.rfn --data $data", "none.rfn: cannot read it: No such file");
    says("inspect $data", "data: cannot read it: Is a directory");
}

/// Every way to damage a file at some places: cut there, or one bit flipped there.
fn damaged(file: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let places = (0..file.len()).step_by((file.len() / 12).max(1)).chain([file.len() - 1]);
    places.flat_map(|place| {
        let mut flipped = file.to_vec();
        flipped[place] ^= 1 << (place % 8);
        [file[..place].to_vec(), flipped]
    })
}

#[test]
fn damaged_files_are_refused() {
    let bench = Bench::new();
    bench.model("lstm", "m");
    for (kind, commands) in [
        ("ckpt", ["export $bad --data $data --out $x.rfn", "eval $bad --data $data"]),
        ("rfn", ["inspect $bad", "eval $bad --data $data"]),
    ] {
        let file = fs::read(bench.path(&format!("m.{kind}"))).unwrap();
        for (bytes, command) in damaged(&file).zip(commands.into_iter().cycle()) {
            fs::write(bench.path("bad"), bytes).unwrap();
            let message = error(&bench.run(command));
            assert!(message.contains(&bench.path("bad").display().to_string()), "{message}");
        }
        // The version is the byte after the magic.
        let (mut other, at) = (file.clone(), if kind == "ckpt" { 8 } else { 4 });
        other[at] = 99;
        // A model file of another version is whole; with a wrong CRC it would be told to be damaged.
        if kind == "rfn" {
            let end = other.len() - 4;
            let crc = refrain::crc32(&other[..end]).to_le_bytes();
            other[end..].copy_from_slice(&crc);
        }
        fs::write(bench.path("bad"), other).unwrap();
        let message = error(&bench.run(commands[1]));
        assert!(message.contains("format version 99"), "{message}");
    }
    assert!(!bench.path("x.rfn").exists());
}

#[test]
fn data_of_another_shape_is_refused() {
    let bench = Bench::new();
    bench.model("gru", "m");
    let commands = [
        "export $m.ckpt --data digits --out $x.rfn",
        "eval $m.rfn --data digits",
        "eval $m.ckpt --data digits",
        "device $m.rfn --data digits",
    ];
    for command in commands {
        let message = error(&bench.run(command));
        assert!(message.contains("6 rows of 5 features and 3 classes"), "{message}");
        assert!(message.contains("digits has 28 rows of 28 features and 10 classes"), "{message}");
    }
    assert!(!bench.path("x.rfn").exists());
}

#[test]
fn an_output_that_cannot_be_written_is_told_before_exporting() {
    let bench = Bench::new();
    // There is no checkpoint: that it is not complained of shows that the output was looked at first.
    let message = error(&bench.run("export $none.ckpt --data $data --out $nowhere/m.rfn"));
    assert!(message.contains("--out") && message.contains("nowhere"), "{message}");
}

#[test]
fn an_export_does_not_replace_its_checkpoint() {
    let bench = Bench::new();
    bench.model("gru", "m");
    let before = fs::read(bench.path("m.ckpt")).unwrap();
    for line in
        ["export $m.ckpt --data $data --out $m.ckpt", "export $m.ckpt --data $data --out $data/../m.ckpt"]
    {
        let message = error(&bench.run(line));
        assert!(message.contains("--out") && message.contains("would be replaced"), "{message}");
    }
    assert_eq!(fs::read(bench.path("m.ckpt")).unwrap(), before);
}

#[test]
fn errors_leave_stdout_empty_with_json_too() {
    let bench = Bench::new();
    let _: String = error(&bench.run("eval $none.rfn --json --data $data"));
    let report: Option<Value> = serde_json::from_slice(&bench.run("train --json").stdout).ok();
    assert_eq!(report, None);
}

#[test]
fn without_data_the_set_that_was_trained_on_is_taken_or_none() {
    let bench = Bench::new();
    bench.model("gru", "m");
    // The set lies in a folder, and a checkpoint holds no paths.
    for command in ["export $m.ckpt --out $n.rfn", "eval $m.ckpt"] {
        let message = error(&bench.run(command));
        assert!(
            message.contains("m.ckpt was trained on the data set data, which cannot be found by that name"),
            "{message}"
        );
    }
    assert!(!bench.path("n.rfn").exists());

    // Trained on a folder called digits, which is not the set that the program draws.
    fs::rename(bench.data(), bench.path("digits")).unwrap();
    let train = bench.run("train gru --json --data $digits --units 2 --epochs 1 --out $d.ckpt");
    json(&train);
    let message = error(&bench.run("export $d.ckpt --out $n.rfn"));
    assert!(message.contains("d.ckpt was trained on a data set digits of fingerprint "), "{message}");
    assert!(message.contains("but digits is one of fingerprint "), "{message}");
    // Another set on purpose is the user's choice, and it is told.
    let images = bench.path("digits/t10k-images-idx3-ubyte");
    let mut bytes = fs::read(&images).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&images, bytes).unwrap();
    let output = bench.run("eval $m.ckpt --json --data $digits");
    json(&output);
    assert!(
        stderr(&output).contains("m.ckpt was trained on another data set, data ("),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_checkpoint_of_the_drawn_digits_finds_them() {
    let bench = Bench::new();
    json(&bench.run("train simple-rnn --json --data digits --units 2 --epochs 1 --out $d.ckpt"));
    let report = json(&bench.run("eval $d.ckpt --json"));
    assert_eq!(report["data"], "digits");
    assert!(report["data_reason"].as_str().unwrap().contains("d.ckpt was trained on"), "{report}");
}
