//! `cargo bench -p refrain-tests --bench machines`: how fast the shipped models are on this machine and in WebAssembly, by
//! the kernels for vectors and by the portable one.

use std::time::Duration;

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use indicatif::HumanCount;
use refrain_tests::machines::{Job, Program, Wasm};
use refrain_tests::shipped_models;
use refrain_trainer::data;

/// Images that are interpreted: every one of them takes the same.
const INTERPRETED: usize = 20;

/// How fast the shipped models are on this machine and in WebAssembly, with vectors and without
#[derive(Debug, Parser)]
#[command(name = "cargo bench -p refrain-tests --bench machines --")]
struct Args {
    /// Test images
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Runs of a program, of which the fastest counts
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<(), data::DataError> {
    let args = Args::parse();
    let loaded = data::load(None)?;
    let images = loaded.dataset.test().view().first(args.limit as usize);
    eprintln!("{} images: {}", images.count(), loaded.why);
    let programs = [Program::of_this_machine(), Program::portable()];
    let modules = [Wasm::simd(), Wasm::plain()];
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "",
        "this machine: images a second",
        "portable kernel",
        "WebAssembly with simd128: fuel an image",
        "portable kernel",
    ]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for file in &shipped_models() {
        let job = Job::new(file, images);
        let mut fastest = [Duration::MAX; 2];
        // in turn, as what else goes on in the machine then slows both
        for _ in 0..args.runs {
            for (fastest, program) in fastest.iter_mut().zip(&programs) {
                *fastest = program.classify(&job).1.min(*fastest);
            }
        }
        let speeds = fastest.map(|time| (images.count() as f64 / time.as_secs_f64()) as u64);
        let (job, model_alone) = (Job::new(file, images.first(INTERPRETED)), Job::new(file, images.first(0)));
        let fuel = modules.each_ref().map(|module| {
            (module.classify(&job).1 - module.classify(&model_alone).1)
                / INTERPRETED.min(images.count()) as u64
        });
        let numbers = speeds.into_iter().chain(fuel).map(|number| HumanCount(number).to_string());
        table.add_row([file.model().header().cell.to_string()].into_iter().chain(numbers));
    }
    println!("{table}");
    Ok(())
}
