//! `refrain report`: from run folders to a page that a browser shows.

#[path = "../report/browser.rs"]
mod browser;

use std::fs;

use serde_json::{Value, json};

use super::support::{Bench, CLASSES, INPUTS, TIMESTEPS, error, json, stderr};
use browser::{Scheme, View, look};

/// Trains a network and puts down what its run folder tells.
fn run(bench: &Bench, cell: &str, fingerprint: &str) {
    let line = format!("train {cell} --data $data --units 6 --epochs 3 --out ${cell}.ckpt --json");
    let trained = json(&bench.run(&line));
    let folder = bench.path(&format!("{cell}.run"));
    fs::create_dir_all(&folder).unwrap();
    let classes: Vec<String> = (0..CLASSES).map(|class| class.to_string()).collect();
    let config = json!({
        "format": 1, "program": "refrain", "cell": cell, "units": 6, "layers": 1, "dropout": 0.0, "recipe": "best",
        "settings": {}, "epochs": 3, "patience": null, "seed": 1, "threads": 2,
        "data": {
            "name": "data", "source": bench.data(), "fingerprint": fingerprint, "task": "classification",
            "per_step": false, "timesteps": TIMESTEPS, "inputs": INPUTS, "outputs": classes,
            "train": 88, "validation": 8, "test": 30
        },
        "checkpoint": format!("../{cell}.ckpt")
    });
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    fs::write(folder.join("history.json"), trained["history"].to_string()).unwrap();
    fs::write(folder.join("command.txt"), format!("refrain {}\n", line.replace('$', ""))).unwrap();
}

#[test]
fn two_runs_become_a_page() {
    let bench = Bench::new();
    run(&bench, "gru", "00ff");
    run(&bench, "simple-rnn", "00ff");
    let report = bench.run("report $gru.run $simple-rnn.run --board none --out $page.html --limit 20 --json");
    let told = json(&report);
    let html = fs::read_to_string(bench.path("page.html")).unwrap();
    assert_eq!((&told["bytes"], &told["samples"]), (&Value::from(html.len()), &Value::from(20)));
    assert_eq!(told["notes"].as_array().unwrap().len(), 2, "neither run has noted an end: {told}");
    for (told, name) in told["runs"].as_array().unwrap().iter().zip(["gru", "simple-rnn"]) {
        assert_eq!(
            (&told["name"], &told["cell"], &told["kind"]),
            (&name.into(), &name.into(), &"int8".into())
        );
        let evaluated = json(&bench.run(&format!("eval ${name}.ckpt --data $data --limit 20 --json")));
        let difference = told["accuracy"].as_f64().unwrap() - evaluated["accuracy"].as_f64().unwrap();
        assert!(difference.abs() <= 0.1, "int8 and f32 differ by {difference}");
        assert!(html.contains(&format!("refrain train {name} --data data --units 6")), "its command");
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

#[test]
fn what_cannot_be_reported_is_told_and_nothing_is_written() {
    let bench = Bench::new();
    run(&bench, "gru", "00ff");
    run(&bench, "lstm", "ff00");
    let message = |line: &str| error(&bench.run(&format!("{line} --board none --out $page.html")));
    let other = message("report $gru.run $lstm.run");
    assert!(other.contains("lstm.run on data, which differ by their fingerprints"), "{other}");
    let none = message("report $data");
    assert!(none.contains("data is no run folder: it has no config.json"), "{none}");
    let missing = message("report");
    assert!(missing.contains("<RUN>..."), "{missing}");
    let board = error(&bench.run("report $gru.run --board pdp-11"));
    assert!(board.contains("[possible values: mps2-an386, none]"), "{board}");
    fs::remove_file(bench.path("gru.ckpt")).unwrap();
    let gone = message("report $gru.run");
    assert!(gone.contains("gru.ckpt"), "{gone}");
    let folder = error(&bench.run("report $gru.run --out $data"));
    assert!(folder.contains("a folder is there, a file name is expected"), "{folder}");
    assert!(!bench.path("page.html").exists());
}
