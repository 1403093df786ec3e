//! The same bits on every core: the logits of the shipped models for the same images, on every board that QEMU emulates,
//! on this machine by either of its kernels, in WebAssembly
//! with vectors and without, and on RISC-V.
//!
//! Where `REFRAIN_MNIST_DIR` is set these are 1,000 images of MNIST, otherwise digits that the program draws.

use refrain::CellKind;
use refrain_tests::machines::{Job, Program, Wasm, riscv};
use refrain_tests::{dataset, shipped_models};
use refrain_trainer::data::SplitView;
use refrain_trainer::device::{self, Board, Via};
use refrain_trainer::evaluate::{Evaluation, evaluate};
use refrain_trainer::model_file::ModelFile;

/// Images that every machine classifies.
const IMAGES: usize = 1000;

/// Images of a board that gets them over its line.
const IMAGES_BY_LINE: usize = 100;

/// The SHA-256 of each model's logits on this machine, as the trainer has them, and the models.
fn expected(images: SplitView<'_>) -> Vec<(ModelFile, String)> {
    let by_trainer = |file: ModelFile| {
        let evaluation = evaluate(&file, images).expect("the shipped models take these images");
        (file, evaluation.logits_sha256)
    };
    shipped_models().map(by_trainer).into()
}

#[test]
fn every_board_gives_the_same_logits() {
    let dataset = dataset();
    let samples = dataset.test().view();
    println!(
        "| core | board | images | {} |",
        CellKind::ALL.map(|cell| format!("{cell}: instructions")).join(" | ")
    );
    println!("| --- | --- | --: | --: | --: | --: |");
    for board in Board::ALL {
        let (via, count) = match board.job_memory() {
            Some(_) => (Via::Memory, IMAGES),
            None => (Via::Sequences, IMAGES_BY_LINE),
        };
        let images = samples.first(count);
        let (models, expected): (Vec<_>, Vec<_>) = expected(images).into_iter().unzip();
        let reports = device::run_all(board, via, &models, images).expect("the board answers");
        let counts =
            reports.iter().map(|report| report.instructions_per_inference.expect("QEMU counts them"));
        let counts: Vec<String> = counts.map(|count| count.to_string()).collect();
        let core = match board.emulated_core() {
            core if core == board.core() => core.to_owned(),
            other => format!("{}, on QEMU's {other}", board.core()),
        };
        println!("| {core} | {board} | {count} | {} |", counts.join(" | "));
        let found: Vec<_> = reports.into_iter().map(|report| report.logits_sha256).collect();
        assert_eq!(found, expected, "{board}");
    }
}

#[test]
fn every_other_machine_gives_the_same_logits() {
    let dataset = dataset();
    let images = dataset.test().view().first(IMAGES);
    let expected = expected(images);
    let check = |machine: &str, classify: &dyn Fn(&Job) -> Vec<u8>| {
        for (file, expected) in &expected {
            let logits = classify(&Job::new(file, images));
            let found =
                Evaluation::of_model(file, logits, images).expect("as many logits as there should be");
            assert_eq!(&found.logits_sha256, expected, "{machine}, {}", file.name());
        }
        println!("the same logits on {machine}");
    };
    let (host, portable) = (Program::of_this_machine(), Program::portable());
    check("this machine", &|job| host.classify(job).0);
    check("this machine by the portable kernel", &|job| portable.classify(job).0);
    let (plain, simd) = (Wasm::plain(), Wasm::simd());
    check("WebAssembly", &|job| plain.classify(job).0);
    check("WebAssembly with vectors", &|job| simd.classify(job).0);
    match riscv() {
        Some(classify) => check("RISC-V", &classify),
        None => eprintln!("qemu-system-riscv32 is not installed: RISC-V was left out"),
    }
    for (file, expected) in &expected {
        println!("{}: {expected}", file.name());
    }
}

#[test]
fn vectors_save_webassembly_more_than_half() {
    let dataset = dataset();
    let images = dataset.test().view().first(20);
    let (plain, simd) = (Wasm::plain(), Wasm::simd());
    for file in &shipped_models() {
        let job = Job::new(file, images);
        let (plain, simd) = (plain.classify(&job).1, simd.classify(&job).1);
        let cell = file.model().header().cell;
        println!("{cell}: {plain} of fuel for {} images, with vectors {simd}", images.count());
        assert!(simd * 2 < plain, "{cell}: {simd} with vectors, {plain} without");
    }
}
