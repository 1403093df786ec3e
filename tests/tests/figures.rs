//! The figures of the shipped models on MNIST, kept in `figures.json`: they must not get worse.
//!
//! `REFRAIN_UPDATE_FIGURES=1 cargo test -p refrain-tests --test figures` writes the file anew.

use std::collections::BTreeMap;
use std::path::Path;

use refrain_tests::{dataset, shipped_models};
use refrain_trainer::device::{self, Board, Target, Via};
use refrain_trainer::evaluate::evaluate;
use serde::{Deserialize, Serialize};

/// A size or an instruction count may grow by this part before it counts as worse.
const TOLERANCE: f64 = 0.02;

/// Images that the emulated board classifies.
const BOARD_IMAGES: usize = 1000;

/// What is kept of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Figures {
    /// On the 10,000 test images.
    accuracy: f64,
    /// Of the logits of the 10,000 test images.
    logits_sha256: String,
    model_bytes: u64,
    /// On mps2-an386, the mean over the first 1,000 test images.
    instructions_per_inference: u64,
    /// The firmware without the model.
    code_bytes: u64,
    static_ram_bytes: u64,
    stack_bytes: u32,
}

fn measure() -> BTreeMap<String, Figures> {
    let dataset = dataset();
    let all = dataset.test().view();
    let some = all.first(BOARD_IMAGES);
    let of = |file| {
        let host = evaluate(file, all).expect("MNIST fits the shipped models");
        let target = Target::Emulated(Board::Mps2An386);
        let board = device::run(&target, Via::Memory, file, some, &mut |_| {}).expect("the board answers");
        assert!(board.host_matches, "{:?}", board.mismatch);
        let figures = Figures {
            accuracy: host.scores.accuracy.expect("a classification"),
            logits_sha256: host.logits_sha256,
            model_bytes: board.flash_bytes.model,
            instructions_per_inference: board.instructions_per_inference.expect("QEMU counts them"),
            code_bytes: board.flash_bytes.code.expect("the firmware was built here"),
            static_ram_bytes: board.ram_bytes.statics.expect("the firmware was built here"),
            stack_bytes: board.ram_bytes.stack,
        };
        (board.cell.to_string(), figures)
    };
    shipped_models().iter().map(of).collect()
}

#[test]
fn the_figures_have_not_got_worse() {
    if std::env::var_os("REFRAIN_MNIST_DIR").is_none() {
        eprintln!("REFRAIN_MNIST_DIR is not set: the figures, which are those of MNIST, were left out");
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("figures.json");
    let found = measure();
    if std::env::var_os("REFRAIN_UPDATE_FIGURES").is_some() {
        let text = serde_json::to_string_pretty(&found).expect("figures can be written") + "\n";
        std::fs::write(&path, text).expect("figures.json can be written");
    }
    let text = std::fs::read_to_string(&path).expect("figures.json is part of the repository");
    let kept: BTreeMap<String, Figures> = serde_json::from_str(&text).expect("figures.json is sound");
    assert!(found.keys().eq(kept.keys()), "{:?}, kept {:?}", found.keys(), kept.keys());
    let worse: Vec<String> = found.iter().flat_map(|(cell, found)| worse(cell, found, &kept[cell])).collect();
    assert!(worse.is_empty(), "{}", worse.join("\n"));
    println!("{found:#?}");
}

/// A line for each figure that has got worse.
fn worse(cell: &str, found: &Figures, kept: &Figures) -> Vec<String> {
    let mut lines = Vec::new();
    if (found.accuracy, &found.logits_sha256) != (kept.accuracy, &kept.logits_sha256) {
        let [found, kept] = [found, kept].map(|of| format!("{} {}", of.accuracy, of.logits_sha256));
        lines.push(format!("{cell}: the logits have changed: {found}, kept {kept}"));
    }
    let sizes = |of: &Figures| {
        [
            ("model bytes", of.model_bytes),
            ("instructions", of.instructions_per_inference),
            ("code bytes", of.code_bytes),
            ("static RAM", of.static_ram_bytes),
            ("stack", of.stack_bytes.into()),
        ]
    };
    for ((name, found), (_, kept)) in sizes(found).into_iter().zip(sizes(kept)) {
        if found as f64 > kept as f64 * (1.0 + TOLERANCE) {
            lines.push(format!("{cell}: {name} {found}, kept {kept}"));
        }
    }
    lines
}

#[test]
fn what_is_worse_is_named() {
    let kept = Figures {
        accuracy: 0.99,
        logits_sha256: "aa".into(),
        model_bytes: 1000,
        instructions_per_inference: 1000,
        code_bytes: 1000,
        static_ram_bytes: 1000,
        stack_bytes: 1000,
    };
    assert_eq!(worse("gru", &Figures { code_bytes: 1020, stack_bytes: 900, ..kept.clone() }, &kept), [""; 0]);
    assert_eq!(
        worse("gru", &Figures { code_bytes: 1021, ..kept.clone() }, &kept),
        ["gru: code bytes 1021, kept 1000"]
    );
    let other = Figures { logits_sha256: "bb".into(), ..kept.clone() };
    assert_eq!(worse("gru", &other, &kept).len(), 1);
}
