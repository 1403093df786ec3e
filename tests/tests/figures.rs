//! The figures of the shipped models on MNIST, and cycles at other sizes, kept in `figures.json`: they must not get worse.
//!
//! `REFRAIN_UPDATE_FIGURES=1 cargo test -p refrain-tests --test figures` writes the file anew.

use std::collections::BTreeMap;
use std::path::Path;

use refrain_tests::cycles::{CountError, Counter, ModelCost, scaling};
use refrain_tests::{dataset, shipped_models};
use refrain_trainer::data::SplitView;
use refrain_trainer::evaluate::evaluate;
use refrain_trainer::model_file::ModelFile;
use serde::{Deserialize, Serialize};

/// A size or a cost may grow by this part before it counts as worse.
const TOLERANCE: f64 = 0.02;

/// Images that the emulated board classifies.
const BOARD_IMAGES: usize = 1000;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Figures {
    /// Of each shipped model, by its cell.
    models: BTreeMap<String, ModelFigures>,
    /// Cycles of an inference of random weights, by cell and size.
    cycles_by_size: BTreeMap<String, u64>,
}

/// What is kept of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ModelFigures {
    /// On the 10,000 test images.
    accuracy: f64,
    /// Of the logits of the 10,000 test images.
    logits_sha256: String,
    /// What must not grow, by its name.
    costs: BTreeMap<String, u64>,
}

fn measure() -> Result<Figures, CountError> {
    let dataset = dataset();
    let mut figures = Figures::default();
    for file in &shipped_models() {
        let cell = file.model().header().cell.to_string();
        figures.models.insert(cell, measure_model(file, dataset.test().view())?);
    }
    for cost in scaling::measure(&scaling::samples_of_all(), &[])? {
        let scaling::SizeCost { cell, size, cycles, .. } = cost;
        figures
            .cycles_by_size
            .insert(format!("{cell}, {} inputs, {} units", size.inputs, size.units), cycles);
    }
    Ok(figures)
}

/// A model in firmware of its own.
fn measure_model(file: &ModelFile, images: SplitView<'_>) -> Result<ModelFigures, CountError> {
    let host = evaluate(file, images).expect("MNIST fits the shipped models");
    let counter = Counter::new(&[file], &[])?;
    let cost = ModelCost::measure(&counter, 0, images.first(BOARD_IMAGES))?;
    let firmware = counter.bench().firmware();
    let costs = [
        ("instructions", cost.instructions.mean),
        ("cycles", cost.cycles.mean),
        ("cycles at worst", cost.cycles_without_zeros.max.max(cost.cycles.max)),
        ("bytes of the model file", cost.model_bytes as u64),
        ("bytes of code in flash, the whole firmware", firmware.code_bytes),
        ("bytes of variables", firmware.static_ram_bytes),
        ("bytes of state", cost.state_bytes as u64),
        ("bytes of stack of an inference", cost.stack_bytes.into()),
        ("bytes of stack, the whole firmware", cost.firmware_stack_bytes.into()),
    ];
    Ok(ModelFigures {
        accuracy: host.scores.accuracy.expect("a classification"),
        logits_sha256: host.logits_sha256,
        costs: costs.map(|(name, cost)| (name.to_owned(), cost)).into(),
    })
}

#[test]
fn the_figures_have_not_got_worse() {
    if std::env::var_os("REFRAIN_MNIST_DIR").is_none() {
        eprintln!("REFRAIN_MNIST_DIR is not set: the figures, which are those of MNIST, were left out");
        return;
    }
    let found = match measure() {
        Ok(found) => found,
        Err(error) if error.is_lack_of_tools() => {
            eprintln!("the figures, which are cycles too, were left out: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("figures.json");
    if std::env::var_os("REFRAIN_UPDATE_FIGURES").is_some() {
        let text = serde_json::to_string_pretty(&found).expect("figures can be written") + "\n";
        std::fs::write(&path, text).expect("figures.json can be written");
    }
    let text = std::fs::read_to_string(&path).expect("figures.json is part of the repository");
    let kept: Figures = serde_json::from_str(&text).expect("figures.json is sound");
    let worse = worse(&found, &kept);
    assert!(worse.is_empty(), "{}", worse.join("\n"));
    println!("{found:#?}");
}

/// A line for each figure that has got worse, or is in one of the two alone.
fn worse(found: &Figures, kept: &Figures) -> Vec<String> {
    let mut lines = dearer("cycles", &found.cycles_by_size, &kept.cycles_by_size);
    if !found.models.keys().eq(kept.models.keys()) {
        lines.push(format!("models {:?}, kept {:?}", found.models.keys(), kept.models.keys()));
    }
    for (cell, found) in &found.models {
        let Some(kept) = kept.models.get(cell) else { continue };
        if (found.accuracy, &found.logits_sha256) != (kept.accuracy, &kept.logits_sha256) {
            let [found, kept] = [found, kept].map(|of| format!("{} {}", of.accuracy, of.logits_sha256));
            lines.push(format!("{cell}: the logits have changed: {found}, kept {kept}"));
        }
        lines.extend(dearer(cell, &found.costs, &kept.costs));
    }
    lines
}

/// A line for each cost that has grown, or is in one of the two alone.
fn dearer(what: &str, found: &BTreeMap<String, u64>, kept: &BTreeMap<String, u64>) -> Vec<String> {
    let mut lines = Vec::new();
    if !found.keys().eq(kept.keys()) {
        lines.push(format!("{what}: figures {:?}, kept {:?}", found.keys(), kept.keys()));
    }
    for (name, &found) in found {
        let kept = kept.get(name).copied().unwrap_or(found);
        if found as f64 > kept as f64 * (1.0 + TOLERANCE) {
            lines.push(format!("{what}: {name} {found}, kept {kept}"));
        }
    }
    lines
}

#[test]
fn what_is_worse_is_named() {
    let costs = |costs: &[(&str, u64)]| costs.iter().map(|&(name, cost)| (name.to_owned(), cost)).collect();
    let model = |stack, sha: &str| ModelFigures {
        accuracy: 0.99,
        logits_sha256: sha.into(),
        costs: costs(&[("cycles", 1000), ("stack", stack)]),
    };
    let figures = |model, size| Figures {
        models: [("gru".to_owned(), model)].into(),
        cycles_by_size: costs(&[("gru, 8 inputs, 16 units", size)]),
    };
    let kept = figures(model(1000, "aa"), 1000);
    assert_eq!(worse(&figures(model(900, "aa"), 1020), &kept), [""; 0]);
    assert_eq!(worse(&figures(model(1021, "aa"), 1000), &kept), ["gru: stack 1021, kept 1000"]);
    let size = ["cycles: gru, 8 inputs, 16 units 1021, kept 1000"];
    assert_eq!(worse(&figures(model(1000, "aa"), 1021), &kept), size);
    assert_eq!(worse(&figures(model(1000, "bb"), 1000), &kept).len(), 1);
    assert_eq!(worse(&Figures::default(), &kept).len(), 2, "what is missing is named too");
}
