//! `cargo qemu-bench`: what inference costs on the emulated Cortex-M4, in the tables of the README.

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use comfy_table::{CellAlignment, Table, presets};
use indicatif::HumanCount;
use refrain::CellKind;
use refrain_tests::cycles::scaling::{self, INPUTS, OddSize, Size, SizeCost, UNITS};
use refrain_tests::cycles::{Counter, FlashWaits, ModelCost, Spread};
use refrain_tests::panic_free::{Image, link};
use refrain_tests::shipped_models;
use refrain_trainer::data;
use refrain_trainer::device::Board;
use serde::Serialize;

/// What inference costs on the emulated Cortex-M4: instructions, cycles of a model of the core, memory
#[derive(Debug, Parser)]
#[command(name = "cargo qemu-bench")]
struct Args {
    /// Print one JSON object on stdout and nothing else there
    #[arg(long)]
    json: bool,
    /// Test images for the shipped models
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Measure these parts alone
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["models", "fixed-time", "code", "sizes"])]
    parts: Vec<Part>,
    /// Features of the firmware
    #[arg(long, value_delimiter = ',')]
    features: Vec<String>,
    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The models that are shipped with the firmware, each in a firmware of its own
    Models,
    /// The same in firmware with the feature fixed-time, as their times differ from image to image
    FixedTime,
    /// Flash of the cells and the model parser, linked into programs that do nothing else
    Code,
    /// Networks of random weights, of 16 to 256 units and 8 to 128 inputs, and of odd sizes
    Sizes,
}

/// Everything that was measured.
#[derive(Serialize)]
struct Report {
    board: &'static str,
    features: Vec<String>,
    /// Which images the shipped models were run on.
    data: String,
    images: usize,
    models: Vec<Model>,
    /// In firmware with the feature `fixed-time`, of all images.
    fixed_time: Vec<FixedTime>,
    code_flash: Vec<CodeFlash>,
    sizes: Vec<SizeCost>,
    odd_sizes: Vec<OddSize>,
}

#[derive(Serialize)]
struct Model {
    #[serde(flatten)]
    cost: ModelCost,
    /// An estimate for weights in the flash of an STM32L475 at 80 MHz.
    flash_waits: FlashWaits,
}

/// Least and most of all images: the same, if the feature does what it says.
#[derive(Serialize)]
struct FixedTime {
    cell: String,
    instructions: Spread,
    cycles: Spread,
}

/// Flash of a program that holds cells and the model parser, and nothing else.
#[derive(Serialize)]
struct CodeFlash {
    program: &'static str,
    /// Bytes of code and constants.
    code: u64,
    /// Bytes of constant tables.
    tables: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match measure(&args) {
        Ok(report) => {
            print(args.json, &report);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(args: &Args) -> Result<Report, Box<dyn Error>> {
    let features: Vec<&str> = args.features.iter().map(String::as_str).collect();
    let loaded = data::load(None)?;
    let images = loaded.dataset.test().view().first(args.limit as usize);
    let mut report = Report {
        board: Board::Mps2An386.name(),
        features: args.features.clone(),
        data: loaded.why,
        images: images.count(),
        models: Vec::new(),
        fixed_time: Vec::new(),
        code_flash: Vec::new(),
        sizes: Vec::new(),
        odd_sizes: Vec::new(),
    };
    eprintln!("{} images: {}", report.images, report.data);
    if args.parts.contains(&Part::Models) {
        for file in &shipped_models() {
            eprintln!("building firmware for {}, and counting", file.name());
            let cost = ModelCost::measure(&Counter::new(&[file], &features)?, 0, images)?;
            report.models.push(Model { cost, flash_waits: FlashWaits::of(file.model().header()) });
        }
    }
    if args.parts.contains(&Part::FixedTime) {
        let features: Vec<&str> = features.iter().copied().chain(["fixed-time"]).collect();
        for file in &shipped_models() {
            eprintln!("building firmware for {} with its time fixed, and counting", file.name());
            let calls = Counter::new(&[file], &features)?.count(0, images)?;
            let (instructions, cycles) = (calls.instructions(), calls.cycles());
            let cell = file.model().header().cell.to_string();
            report.fixed_time.push(FixedTime { cell, instructions, cycles });
        }
    }
    if args.parts.contains(&Part::Code) {
        for program in ["simple-rnn", "lstm", "gru", "three-cells"] {
            eprintln!("linking {program} and the model parser alone");
            let Image { code, tables, .. } =
                link(program, Board::Mps2An386.target()).map_err(|error| error.to_string())?;
            report.code_flash.push(CodeFlash { program, code, tables });
        }
    }
    if args.parts.contains(&Part::Sizes) {
        let sizes = scaling::all_sizes();
        for cell in CellKind::ALL {
            eprintln!("building firmware for {cell} of {} sizes, and counting", sizes.len());
            let networks: Vec<_> = sizes.iter().map(|&size| (cell, size)).collect();
            let costs = scaling::measure(&networks, &features)?;
            report.odd_sizes.extend(scaling::beside_neighbours(&costs));
            report.sizes.extend(costs);
        }
    }
    Ok(report)
}

fn print(json: bool, report: &Report) {
    if json {
        println!("{}", serde_json::to_string(report).expect("a report has only names for keys"));
        return;
    }
    if !report.models.is_empty() {
        println!("One inference on {}, {} images: {}\n", report.board, report.images, report.data);
        println!("{}\n", models_table(&report.models));
    }
    if !report.fixed_time.is_empty() {
        println!("The same images with the firmware's feature fixed-time\n");
        println!("{}\n", fixed_time_table(&report.fixed_time));
    }
    if !report.code_flash.is_empty() {
        println!("Flash of cells and model parser, bytes\n");
        println!("{}\n", code_table(&report.code_flash));
    }
    for cell in CellKind::ALL.map(CellKind::name) {
        let is_of_cell = |cost: &&SizeCost| cost.cell == cell;
        let costs: Vec<&SizeCost> = report.sizes.iter().filter(is_of_cell).collect();
        if !costs.is_empty() {
            println!("Cycles for each multiply-accumulate of a {cell}, units by inputs, no input zero\n");
            println!("{}\n", sizes_table(&costs));
        }
    }
    if !report.odd_sizes.is_empty() {
        println!("Odd sizes: the same, and how much dearer than the mean of their even neighbours\n");
        println!("{}", odd_table(&report.odd_sizes));
    }
}

/// A table that can be put into the README as it is, its numbers set to the right.
fn table(header: Vec<String>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn models_table(models: &[Model]) -> Table {
    let names = models.iter().map(|model| model.cost.cell.clone());
    let mut table = table([String::new()].into_iter().chain(names).collect());
    let mut row = |name: &str, value: &dyn Fn(&Model) -> String| {
        table.add_row([name.to_owned()].into_iter().chain(models.iter().map(value)));
    };
    row("instructions, mean", &|of| count(of.cost.instructions.mean));
    row("cycles, mean", &|of| count(of.cost.cycles.mean));
    row("cycles, least to most", &|of| range(of.cost.cycles));
    row("instructions when no input is zero, at most", &|of| count(of.cost.instructions_without_zeros.max));
    row("cycles when no input is zero, at most", &|of| count(of.cost.cycles_without_zeros.max));
    row("state and a row's operands, bytes of RAM", &|of| count(of.cost.state_bytes as u64));
    row("stack of an inference, bytes of RAM", &|of| count(of.cost.stack_bytes.into()));
    row("model file, bytes of flash", &|of| count(of.cost.model_bytes as u64));
    row("of these, self-test and tables that save time", &|of| count(of.cost.optional_bytes as u64));
    row("the rest, above one byte a weight", &|of| format!("{:.1} %", 100.0 * of.cost.overhead));
    row("estimate: cycles of waiting for an STM32L475's flash", &|of| {
        format!("{} to {}", count(of.flash_waits.at_best), count(of.flash_waits.at_worst))
    });
    table
}

fn fixed_time_table(models: &[FixedTime]) -> Table {
    let names = models.iter().map(|model| model.cell.clone());
    let mut table = table([String::new()].into_iter().chain(names).collect());
    let mut row = |name: &str, value: &dyn Fn(&FixedTime) -> String| {
        table.add_row([name.to_owned()].into_iter().chain(models.iter().map(value)));
    };
    row("instructions, least to most", &|of| range(of.instructions));
    row("cycles, least to most", &|of| range(of.cycles));
    table
}

fn code_table(programs: &[CodeFlash]) -> Table {
    let names = programs.iter().map(|program| program.program.to_owned());
    let mut table = table([String::new()].into_iter().chain(names).collect());
    table.add_row(["code".to_owned()].into_iter().chain(programs.iter().map(|of| count(of.code))));
    table.add_row(
        ["constant tables".to_owned()].into_iter().chain(programs.iter().map(|of| count(of.tables))),
    );
    table
}

/// A number with its thousands apart.
fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

fn range(Spread { min, max, .. }: Spread) -> String {
    format!("{} to {}", count(min), count(max))
}

fn sizes_table(costs: &[&SizeCost]) -> Table {
    let mut table =
        table([String::new()].into_iter().chain(INPUTS.map(|inputs| format!("{inputs} inputs"))).collect());
    for units in UNITS {
        let cost = |inputs| {
            let size = Size { inputs, units };
            let found = costs.iter().find(|cost| cost.size == size);
            found.map_or_else(String::new, |cost| format!("{:.2}", cost.cycles_per_mac))
        };
        table.add_row([format!("{units} units")].into_iter().chain(INPUTS.map(cost)));
    }
    table
}

fn odd_table(sizes: &[OddSize]) -> Table {
    let mut table =
        table([String::new()].into_iter().chain(CellKind::ALL.map(|cell| cell.to_string())).collect());
    let mut shown: Vec<Size> = Vec::new();
    for OddSize { cost: SizeCost { size, .. }, .. } in sizes {
        if shown.contains(size) {
            continue;
        }
        shown.push(*size);
        let of_cell = |cell: CellKind| {
            let odd = sizes.iter().find(|odd| odd.cost.size == *size && odd.cost.cell == cell.name());
            odd.map_or_else(String::new, |odd| {
                format!("{:.2} ({:+.1} %)", odd.cost.cycles_per_mac, 100.0 * odd.dearer)
            })
        };
        let name = format!("{} inputs, {} units", size.inputs, size.units);
        table.add_row([name].into_iter().chain(CellKind::ALL.map(of_cell)));
    }
    table
}
