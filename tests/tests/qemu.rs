//! Models on an emulated Cortex-M4F, bit for bit against the host.
//!
//! Where QEMU is missing it is installed by the system's package manager, if that is allowed; otherwise these tests
//! fail with the command to type.

use ndarray::ArrayView3;
use refrain::{CellKind, Numbers, Shape};
use refrain_tests::{dataset, random_model, random_samples, shipped_models};
use refrain_trainer::device::{self, Board, DeviceReport, Target, Via};
use refrain_trainer::evaluate::evaluate;
use refrain_trainer::model_file::ModelFile;

/// Runs on the board and checks all that must hold of any run.
fn run(file: &ModelFile, via: Via, samples: ArrayView3<'_, u8>, labels: &[u8]) -> DeviceReport {
    let target = Target::Emulated(Board::Mps2An386);
    let report = device::run(&target, via, file, samples, labels, &mut |_| {}).expect("the board answers");
    let host = evaluate(file, samples, labels).expect("the host can evaluate what the board can");
    assert!(report.host_matches, "{}: {:?}", file.name(), report.mismatch);
    assert_eq!(report.mismatch, None);
    assert_eq!(report.logits_sha256, host.logits_sha256);
    assert_eq!((report.samples, report.accuracy), (labels.len(), host.accuracy));
    assert_eq!(report.retries, 0, "an emulated line loses nothing");
    assert_eq!(report.flash_bytes.model, file.as_bytes().len() as u64);
    assert!(report.instructions_per_inference.is_some_and(|count| count > 1000));
    assert!(report.ram_bytes.stack > 0);
    report
}

#[test]
fn the_shipped_models_answer_from_memory_as_on_the_host() {
    let dataset = dataset();
    let test = dataset.test().view().first(400).images().expect("a set of images");
    for file in &shipped_models() {
        let report = run(file, Via::Memory, test.pixels, test.labels);
        println!("{}: {report:?}", report.cell);
    }
}

#[test]
fn the_shipped_models_answer_over_the_link_as_on_the_host() {
    let dataset = dataset();
    let test = dataset.test().view().first(10).images().expect("a set of images");
    for file in &shipped_models() {
        run(file, Via::Link, test.pixels, test.labels);
    }
}

#[test]
fn both_ways_of_every_cell_and_number_agree_at_odd_sizes() {
    let shape = Shape { inputs: 5, units: 7, outputs: 3, layers: 1 };
    let samples = random_samples(6, 9, 5, 3);
    let labels = [0, 1, 2, 0, 1, 2];
    for cell in CellKind::ALL {
        for numbers in [Numbers::Int8, Numbers::F32] {
            let file = random_model(cell, shape, numbers, 4);
            let memory = run(&file, Via::Memory, samples.view(), &labels);
            let link = run(&file, Via::Link, samples.view(), &labels);
            assert_eq!(memory.logits_sha256, link.logits_sha256, "{cell} {numbers}");
        }
    }
}

#[test]
fn one_image_holds_models_of_every_kind_and_shape() {
    let shapes = [(1, 1, 1), (28, 64, 10), (13, 33, 4)];
    let models: Vec<ModelFile> = CellKind::ALL
        .into_iter()
        .zip(shapes)
        .flat_map(|(cell, (inputs, units, outputs))| {
            let shape = Shape { inputs, units, outputs, layers: 1 };
            [Numbers::Int8, Numbers::F32].map(|numbers| random_model(cell, shape, numbers, 9))
        })
        .collect();
    let models: Vec<&ModelFile> = models.iter().collect();
    device::self_test(Board::Mps2An386, &models).expect("every model passes its self-test on the board");
}
