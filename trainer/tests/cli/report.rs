//! `refrain report`: from run folders to a page that a browser shows.

#[path = "../report/browser.rs"]
mod browser;

use std::fs;

use serde_json::{Value, json};

use super::support::{Bench, INPUTS, TIMESTEPS, error, idx, json, stderr};
use browser::{Scheme, View, look};

/// Trains a network, which leaves a run folder of its cell's name.
fn run(bench: &Bench, cell: &str) {
    json(&bench.run(&format!("train {cell} --data $data --units 6 --epochs 3 --out ${cell}.ckpt --json")));
}

#[test]
fn two_runs_become_a_page() {
    let bench = Bench::new();
    run(&bench, "gru");
    run(&bench, "simple-rnn");
    let report = bench.run("report $gru.run $simple-rnn.run --board none --out $page.html --limit 20 --json");
    let told = json(&report);
    let html = fs::read_to_string(bench.path("page.html")).unwrap();
    assert_eq!((&told["bytes"], &told["samples"]), (&Value::from(html.len()), &Value::from(20)));
    assert_eq!(told["notes"], json!([]));
    for (told, name) in told["runs"].as_array().unwrap().iter().zip(["gru", "simple-rnn"]) {
        assert_eq!(
            (&told["name"], &told["cell"], &told["kind"]),
            (&name.into(), &name.into(), &"int8".into())
        );
        let evaluated = json(&bench.run(&format!("eval ${name}.ckpt --data $data --limit 20 --json")));
        let difference = told["accuracy"].as_f64().unwrap() - evaluated["accuracy"].as_f64().unwrap();
        assert!(difference.abs() <= 0.1, "int8 and f32 differ by {difference}");
        assert!(html.contains(&format!("refrain train {name} ")), "its command");
    }
    for scheme in [Scheme::Light, Scheme::Dark] {
        let found = look(&[View { name: "page", html: &html, width: 360 }], scheme);
        let plots = found["page"]["plots"].as_array().unwrap();
        assert!(plots.len() >= 3 && plots.iter().all(|plot| plot["shapes"].as_f64() > Some(0.0)), "{found}");
        assert_eq!((&found["page"]["overflow"], &found["page"]["matrices"]), (&0.into(), &2.into()));
        assert_eq!(found["page"]["faint"], json!([]));
    }
    let text = bench.run("report $gru.run --board none --out $page.html");
    assert!(text.status.success(), "{}", stderr(&text));
    assert!(String::from_utf8_lossy(&text.stdout).contains("saved to "));
    assert_eq!(fs::read(bench.path("page.html")).unwrap(), {
        json(&bench.run("report $gru.run --board none --out $again.html --json"));
        fs::read(bench.path("again.html")).unwrap()
    });
}

/// A page on a network that is trained for one epoch on example data, as a browser shows it.
fn page_on(example: &str) -> (Value, Value) {
    let bench = Bench::new();
    json(&bench.run(&format!("data {example} --out $set.npz --json")));
    json(&bench.run("train gru --data $set.npz --units 8 --epochs 1 --out $net.ckpt --json"));
    let told = json(&bench.run("report $net.run --board none --limit 50 --out $page.html --json"));
    let html = fs::read_to_string(bench.path("page.html")).unwrap();
    let mut found = look(&[View { name: "page", html: &html, width: 360 }], Scheme::Dark);
    assert_eq!(found["page"]["overflow"], 0);
    (told["runs"][0].clone(), found["page"].take())
}

/// The plots of a section, all of which are drawn.
fn plots(found: &Value, section: &str) -> usize {
    let plots = found["plots"].as_array().unwrap().iter().filter(|plot| plot["section"] == section);
    plots.inspect(|plot| assert!(plot["shapes"].as_f64() > Some(0.0), "{plot}")).count()
}

#[test]
fn values_and_timesteps_have_pages_of_their_own() {
    let (told, found) = page_on("battery");
    let errors = told["mean_absolute_error"].as_array().unwrap().len();
    assert!(errors == 2 && told["accuracy"].is_null(), "{told}");
    // a scatter plot and a histogram of each value
    assert_eq!((plots(&found, "errors"), &found["matrices"]), (4, &0.into()));
    assert_eq!(plots(&found, "mistakes"), 12);
    assert_eq!(plots(&found, "curves"), 2, "error and loss");

    let (told, found) = page_on("vibration");
    assert!(told["accuracy"].as_f64() > Some(0.4) && told["macro_f1"].is_f64(), "{told}");
    assert_eq!((&found["matrices"], plots(&found, "mistakes")), (&1.into(), 0));
    let timelines = found["plots"].as_array().unwrap().iter().filter(|plot| plot["section"] == "timelines");
    // features, truth, prediction and differences of four sequences; there may be none of the last
    let drawn = timelines.filter(|plot| plot["shapes"].as_f64() > Some(0.0)).count();
    assert!((12..=16).contains(&drawn), "{found}");
}

#[test]
fn what_a_reader_must_know_is_on_the_page() {
    let bench = Bench::new();
    run(&bench, "gru");
    // a run that was cut off, and other test images
    fs::remove_file(bench.path("gru.run/result.json")).unwrap();
    let pixels = vec![90; 10 * TIMESTEPS * INPUTS];
    let images = idx(&[10, TIMESTEPS, INPUTS], &pixels);
    fs::write(bench.path("data/t10k-images-idx3-ubyte"), images).unwrap();
    fs::write(bench.path("data/t10k-labels-idx1-ubyte"), idx(&[10], &[1; 10])).unwrap();
    let told = json(&bench.run("report $gru.run --data $data --board none --out $page.html --json"));
    let notes: Vec<&str> = told["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(notes[0].starts_with("Trained on another data set than this one: "), "{notes:?}");
    assert!(notes[1].starts_with("gru has not ended: 3 of at most 3 epochs are done"), "{notes:?}");
    let html = fs::read_to_string(bench.path("page.html")).unwrap();
    assert!(notes.iter().all(|note| html.contains(note)));
    let unnamed = error(&bench.run("report $gru.run --board none --out $page.html"));
    assert!(unnamed.contains("say by --data where the right one is"), "{unnamed}");
}

#[test]
fn what_cannot_be_reported_is_told_and_nothing_is_written() {
    let bench = Bench::new();
    run(&bench, "gru");
    run(&bench, "lstm");
    let config = bench.path("lstm.run/config.json");
    let mut other: Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    other["data"]["fingerprint"] = "ff00".into();
    fs::write(&config, other.to_string()).unwrap();
    let message = |line: &str| error(&bench.run(&format!("{line} --board none --out $page.html")));
    let other = message("report $gru.run $lstm.run");
    assert!(other.contains("lstm.run on data, which differ by their fingerprints"), "{other}");
    let none = message("report $data");
    assert!(none.contains("data is no run folder: it has no config.json"), "{none}");
    let missing = message("report");
    assert!(missing.contains("<RUN>..."), "{missing}");
    let board = error(&bench.run("report $gru.run --board pdp-11"));
    assert!(
        board.contains("mps2-an386, b-l475e-iot01a, mps2-an500, mps2-an505, mps3-an547, none]"),
        "{board}"
    );
    fs::remove_file(bench.path("gru.ckpt")).unwrap();
    let gone = message("report $gru.run");
    assert!(gone.contains("gru.ckpt"), "{gone}");
    let folder = error(&bench.run("report $gru.run --out $data"));
    assert!(folder.contains("a folder is there, a file name is expected"), "{folder}");
    assert!(!bench.path("page.html").exists());
}
