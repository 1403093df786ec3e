//! Models on an emulated Cortex-M4F, bit for bit against the host.
//!
//! Where QEMU is missing it is installed by the system's package manager, if that is allowed; otherwise these tests
//! fail with the command to type.

use refrain::{CellKind, Numbers, Samples, Shape};
use refrain_tests::{Recordings, dataset, per_step, random_model, regression, shipped_models};
use refrain_trainer::data::{SplitView, Task};
use refrain_trainer::device::{self, Bench, Board, DeviceReport, Target, Via};
use refrain_trainer::evaluate::evaluate;
use refrain_trainer::model_file::ModelFile;

/// Runs on the board and checks all that must hold of any run.
fn run(file: &ModelFile, via: Via, samples: SplitView<'_>) -> DeviceReport {
    let target = Target::Emulated(Board::Mps2An386);
    let report = device::run(&target, via, file, samples, &mut |_| {}).expect("the board answers");
    check(&report, file, samples);
    report
}

/// What must hold of any run on any emulated board.
fn check(report: &DeviceReport, file: &ModelFile, samples: SplitView<'_>) {
    let host = evaluate(file, samples).expect("the host can evaluate what the board can");
    assert!(report.host_matches, "{}: {:?}", file.name(), report.mismatch);
    assert_eq!(report.mismatch, None);
    assert_eq!(report.logits_sha256, host.logits_sha256);
    assert_eq!((report.samples, &report.scores), (samples.count(), &host.scores));
    assert_eq!((report.retries, report.lost_bytes), (0, 0), "an emulated line loses nothing");
    assert_eq!(report.flash_bytes.model, file.as_bytes().len() as u64);
    let [sequence, timestep] = [report.instructions_per_inference, report.instructions_per_timestep];
    assert!(timestep > Some(100) && sequence >= timestep, "{sequence:?}, {timestep:?}");
    assert!(report.ram_bytes.stack > 0);
}

#[test]
fn the_shipped_models_answer_from_memory_as_on_the_host() {
    let dataset = dataset();
    for file in &shipped_models() {
        let report = run(file, Via::Memory, dataset.test().view().first(400));
        println!("{}: {report:?}", report.cell);
    }
}

#[test]
fn the_shipped_models_answer_over_the_link_as_on_the_host() {
    let dataset = dataset();
    for file in &shipped_models() {
        run(file, Via::Link, dataset.test().view().first(10));
    }
}

/// The program for an STM32L475, which asks QEMU for nothing and tests its models before it answers.
#[test]
fn the_program_for_a_real_board_answers_as_the_host() {
    let (board, dataset, models) = (Board::BL475eIot01a, dataset(), shipped_models());
    for (via, images) in [(Via::Link, 10), (Via::Sequences, 50)] {
        let samples = dataset.test().view().first(images);
        let reports = device::run_all(board, via, &models, samples).expect("the board answers");
        for (report, file) in reports.iter().zip(&models) {
            check(report, file, samples);
        }
    }
    device::self_test(board, &models.each_ref()).expect("it answers, so it has passed its self-test");
}

/// The firmware's option to copy its models to RAM changes where they are read from, and nothing else.
#[test]
fn weights_in_ram_give_the_logits_of_weights_in_flash() {
    let (dataset, models) = (dataset(), shipped_models());
    let samples = dataset.test().view().first(50);
    let bench = Bench::prepare(Board::Mps2An386, &models.each_ref(), &["weights-in-ram"]);
    let bench = bench.expect("the firmware can be built so");
    let model_bytes: usize = models.iter().map(|file| file.as_bytes().len()).sum();
    assert!(bench.firmware().static_ram_bytes >= model_bytes as u64, "the models are among the variables");
    for (number, file) in models.iter().enumerate() {
        let run = bench.run(number, samples, None).expect("the board answers");
        let host = evaluate(file, samples).expect("the host can evaluate what the board can");
        assert_eq!(run.logits, host.logits, "{}", file.name());
    }
}

/// Every cell and kind of numbers, at odd sizes, with sequences of different lengths: each with other samples, another
/// task and another number of layers, so that each of those occurs with integers and with floats.
#[test]
fn both_ways_answer_any_task_as_on_the_host() {
    let classes = || Task::classification(["rest", "walk", "run"]);
    let kinds = [
        (CellKind::SimpleRnn, Numbers::Int8, Samples::U8, 1, per_step(classes())),
        (CellKind::Lstm, Numbers::Int8, Samples::I16, 3, regression(2)),
        (CellKind::Gru, Numbers::Int8, Samples::F32, 2, per_step(regression(1))),
        (CellKind::SimpleRnn, Numbers::Int4, Samples::F32, 2, classes()),
        (CellKind::Lstm, Numbers::Int4, Samples::I16, 1, per_step(regression(2))),
        (CellKind::Gru, Numbers::Int4, Samples::U8, 3, classes()),
        (CellKind::SimpleRnn, Numbers::F32, Samples::F32, 3, regression(3)),
        (CellKind::Lstm, Numbers::F32, Samples::U8, 2, classes()),
        (CellKind::Gru, Numbers::F32, Samples::I16, 1, per_step(regression(2))),
    ];
    for (cell, numbers, samples, layers, task) in kinds {
        let recordings = Recordings::random(samples, 5, &[9, 1, 4, 12, 2, 7], task, 3);
        let file = recordings.model(cell, 7, layers, numbers);
        let [memory, link] = [Via::Memory, Via::Link].map(|via| run(&file, via, recordings.split.view()));
        assert_eq!(memory.logits_sha256, link.logits_sha256, "{cell} {numbers}");
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
            [Numbers::Int8, Numbers::Int4, Numbers::F32].map(|numbers| random_model(cell, shape, numbers, 9))
        })
        .collect();
    let sensors = [
        (CellKind::Lstm, Numbers::Int8, Samples::F32, 3, regression(2)),
        (CellKind::Gru, Numbers::F32, Samples::I16, 2, per_step(regression(1))),
    ]
    .map(|(cell, numbers, samples, layers, task)| {
        Recordings::random(samples, 3, &[4, 2, 6], task, 5).model(cell, 9, layers, numbers)
    });
    let models: Vec<&ModelFile> = models.iter().chain(&sensors).collect();
    device::self_test(Board::Mps2An386, &models).expect("every model passes its self-test on the board");
}
