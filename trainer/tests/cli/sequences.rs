//! Sequences that are no images, from the data to a model file: of any lengths, with classes or values.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Bench, error, json, stderr};

/// Timesteps of sequence `number`.
fn length(number: usize) -> usize {
    3 + number * 7 % 11
}

/// What a sensor reads at a timestep of a sequence: quiet, and loud for a while in every other one.
fn reading(number: usize, t: usize) -> [f32; 2] {
    let noise = ((number * 31 + t * 17) % 23) as f32 - 11.0;
    let loud = if is_loud(number, t) { 300.0 } else { 20.0 };
    [loud + noise, noise - loud / 2.0]
}

fn is_loud(number: usize, t: usize) -> bool {
    number % 2 == 1 && t >= 2
}

/// Writes 30 sequences to train on and 9 to test on, each `line(number, t)` by line below `header`.
fn write_files(folder: &Path, header: &str, line: impl Fn(usize, usize) -> String) {
    for number in 0..39 {
        let part = folder.join(if number < 30 { "train" } else { "test" });
        fs::create_dir_all(&part).unwrap();
        let mut text = format!("{header}\n");
        for t in 0..length(number) {
            writeln!(text, "{}", line(number, t)).unwrap();
        }
        fs::write(part.join(format!("{number:02}.csv")), text).unwrap();
    }
}

/// A label at each timestep, of floats.
fn write_labelled(folder: &Path) {
    write_files(folder, "x,y,label", |number, t| {
        let [x, y] = reading(number, t);
        format!("{:.2},{:.2},{}", x / 7.0, y / 7.0, if is_loud(number, t) { "loud" } else { "quiet" })
    });
}

/// Two values at each timestep, of integers.
fn write_valued(folder: &Path) {
    write_files(folder, "x,y,target_sum,target_loud", |number, t| {
        let [x, y] = reading(number, t);
        format!("{x},{y},{},{}", 1000.0 + x + y, f32::from(u8::from(is_loud(number, t))))
    });
}

/// Trains and exports in `bench` on `set`; returns the reports of the export and of evaluating both files.
fn go_the_way(bench: &Bench, cell: &str, set: &str, export: &str) -> [Value; 3] {
    let train =
        format!("train {cell} --data ${set} --layers 2 --units 6 --epochs 4 --batch 10 --out ${set}.ckpt");
    let trained = bench.run(&train);
    assert!(trained.status.success(), "{}", stderr(&trained));
    let exported =
        json(&bench.run(&format!("export ${set}.ckpt --data ${set} --json --out ${set}.rfn{export}")));
    let [checkpoint, model] = ["ckpt", "rfn"].map(|kind| {
        let report = json(&bench.run(&format!("eval ${set}.{kind} --data ${set} --json")));
        let timesteps: usize = (30..39).map(length).sum();
        assert_eq!((&report["samples"], &report["answers"]), (&9.into(), &timesteps.into()));
        report
    });
    assert_eq!(model["kind"], exported["kind"]);
    [exported, checkpoint, model]
}

#[test]
fn a_class_for_each_timestep_of_sequences_of_any_length() {
    let bench = Bench::new();
    write_labelled(&bench.path("labelled"));
    let [exported, checkpoint, model] = go_the_way(&bench, "gru", "labelled", "");
    for (report, when) in [(&checkpoint, "before"), (&model, "after")] {
        assert_eq!(report["accuracy"], exported[format!("accuracy_{when}")]);
        assert_eq!(report["macro_f1"], exported[when]["macro_f1"]);
        assert_eq!(report["classes"], serde_json::json!(["loud", "quiet"]));
        let confusion: Vec<Vec<u64>> = serde_json::from_value(report["confusion"].clone()).unwrap();
        assert_eq!(confusion.iter().flatten().sum::<u64>(), report["answers"].as_u64().unwrap());
        let loud = confusion[0].iter().sum::<u64>() as f64;
        assert_eq!(report["recall"][0], confusion[0][0] as f64 / loud);
    }
    let text = String::from_utf8(bench.run("eval $labelled.rfn --data $labelled").stdout).unwrap();
    for word in ["loud", "recall", "macro F1", "gru (int8): accuracy"] {
        assert!(text.contains(word), "{text}");
    }
    let text = String::from_utf8(bench.run("inspect $labelled.rfn").stdout).unwrap();
    let compared = stderr(&bench.run("eval $labelled.rfn --data $labelled"));
    assert!(!compared.contains("was trained on"), "{compared}");
    write_files(&bench.path("renamed"), "x,y,label", |number, t| {
        let [x, y] = reading(number, t);
        format!("{:.2},{:.2},{}", x / 7.0, y / 7.0, if is_loud(number, t) { "a" } else { "b" })
    });
    let compared = stderr(&bench.run("eval $labelled.rfn --data $renamed"));
    assert!(
        compared.contains("was trained on loud, quiet, and this data has a, b in their places"),
        "{compared}"
    );
    for word in ["2 layers of 6 units", "loud quiet", "f32, each feature", "a class for each timestep"] {
        assert!(text.contains(word), "{text}");
    }
    json(&bench.run("report $labelled.run --board none --out $page.html --json"));
    let page = fs::read_to_string(bench.path("page.html")).unwrap();
    let shown = (30..39).filter(|number| page.contains(&format!(">test/{number}.csv<"))).count();
    assert_eq!(shown, 4, "the worst sequences by their files");
}

#[test]
fn values_for_each_timestep_in_the_units_of_the_targets() {
    let bench = Bench::new();
    write_valued(&bench.path("valued"));
    let [exported, checkpoint, float] = go_the_way(&bench, "lstm", "valued", " --float");
    for report in [&checkpoint, &float] {
        assert!(report["accuracy"].is_null() && report.get("confusion").is_none(), "{report}");
        assert_eq!(report["outputs"], serde_json::json!(["target_sum", "target_loud"]));
        let errors: Vec<f64> = serde_json::from_value(report["mean_absolute_error"].clone()).unwrap();
        // the sum ranges over hundreds, the other is 0 or 1
        assert!(errors[0] > 1.0 && errors[1] < 1.0, "{errors:?}");
        assert_eq!(report["r2"].as_array().unwrap().len(), 2);
    }
    let errors = |report: &Value| report["root_mean_squared_error"][0].as_f64().unwrap();
    assert!((errors(&checkpoint) / errors(&float) - 1.0).abs() < 1e-3, "a float model is its checkpoint");
    assert!(exported["same_class"].is_null() && exported["accuracy_after"].is_null(), "{exported}");
    assert_eq!(exported["after"]["r2"], float["r2"]);
    let text = String::from_utf8(bench.run("eval $valued.rfn --data $valued").stdout).unwrap();
    for word in ["target_loud", "R²", "lstm (f32): mean absolute error"] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn data_for_another_task_or_sensor_is_refused() {
    let bench = Bench::new();
    let [labelled, valued] = ["labelled", "valued"].map(|set| bench.path(set));
    write_labelled(&labelled);
    write_valued(&valued);
    bench.model("gru", "images");
    go_the_way(&bench, "simple-rnn", "valued", "");
    let refused = |line: &str, words: &[&str]| {
        let message = error(&bench.run(line));
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    };
    let [values, labels] =
        ["features and 2 values for each timestep", "features and 2 classes for each timestep"];
    refused(
        "eval $valued.rfn --data $labelled",
        &["is for rows of 2", values, "labelled has rows of 2", labels],
    );
    refused("device $valued.ckpt --data $labelled", &["a checkpoint where a model file"]);
    refused("device $valued.rfn --data $labelled", &[values, labels]);
    refused("eval $images.rfn --data $labelled", &["6 rows of 5 features and 3 classes", labels]);

    // the model takes integers; one reading that is none is named
    let path = valued.join("test/31.csv");
    let text = fs::read_to_string(&path).unwrap();
    let (first, _) = text.split_once('\n').unwrap();
    fs::write(&path, format!("{first}\n1,2,3,4\n5,0.5,7,8\n")).unwrap();
    let range = "takes whole numbers from -32768 to 32767";
    for command in ["eval", "device"] {
        let place = "sample 1 of the data has 0.5 at timestep 1, feature 1";
        refused(&format!("{command} $valued.rfn --data $valued"), &["valued.rfn", range, place]);
    }
}
