//! How good the three cells get, and by how much that is luck: the best recipe from several seeds, in f32, in the board's
//! 8-bit weights and in its 4-bit ones, on the test samples.
//!
//! ```text
//! cargo run --release -p refrain-trainer --example seeds
//! cargo run --release -p refrain-trainer --example seeds -- --seeds 2 --epochs 3 --data digits
//! ```

use std::error::Error;

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use refrain::{CellKind, Numbers};
use refrain_trainer::checkpoint::Checkpoint;
use refrain_trainer::data::{self, Dataset, Source};
use refrain_trainer::evaluate::{Evaluation, evaluate};
use refrain_trainer::nn::Network;
use refrain_trainer::quantise::{CALIBRATION, Metadata, export};
use refrain_trainer::train::{Options, Unobserved, fine_tune, fine_tuning_epochs, train};

#[derive(Parser)]
struct Arguments {
    /// Seeds: 1, 2 and so on to this one
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Passes over the training samples, and so many more for 4 bits [default: the recipe's]
    #[arg(long)]
    epochs: Option<u32>,
    /// As in `refrain train`
    #[arg(long, default_value = "mnist")]
    data: Source,
}

/// What a network is measured in.
const NUMBERS: [&str; 3] = ["f32", "int8", "int4"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let dataset = data::load(Some(&arguments.data))?.dataset;
    let seeds = 1..=arguments.seeds;
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let header = ["cell, accuracy in %", "in", "mean", "deviation"].map(str::to_owned);
    table.set_header(header.into_iter().chain(seeds.clone().map(|seed| format!("seed {seed}"))));
    for cell in CellKind::ALL {
        let mut accuracies = Vec::new();
        for seed in seeds.clone() {
            let options = Options { seed, epochs: arguments.epochs, ..Options::new(cell) };
            let of_seed = accuracies_of(&options, &dataset)?;
            eprintln!("{cell}, seed {seed}: {of_seed:.2?}");
            accuracies.push(of_seed);
        }
        for (place, numbers) in NUMBERS.into_iter().enumerate() {
            let of_seeds: Vec<f64> = accuracies.iter().map(|of_seed| of_seed[place]).collect();
            let (mean, deviation) = mean_and_deviation(&of_seeds);
            let figures = [mean, deviation].into_iter().chain(of_seeds).map(|figure| format!("{figure:.2}"));
            table.add_row([cell.to_string(), numbers.to_owned()].into_iter().chain(figures));
        }
    }
    table.column_iter_mut().skip(2).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    println!("{table}");
    Ok(())
}

/// Accuracy in percent on the test samples: in f32, in 8 bits and in 4.
fn accuracies_of(options: &Options, dataset: &Dataset) -> Result<[f64; 3], Box<dyn Error>> {
    let checkpoint = train(options, dataset, &mut Unobserved)?.checkpoint;
    let in_f32 = percent(&Evaluation::of_checkpoint(&checkpoint, dataset.test().view())?)?;
    let in_8_bits = in_integers(&checkpoint, &checkpoint.network, Numbers::Int8, dataset)?;
    let epochs = options.epochs.unwrap_or(fine_tuning_epochs(options.cell));
    let tuned = fine_tune(&checkpoint, dataset, Numbers::Int4, epochs, options.threads, &mut Unobserved)?;
    let in_4_bits = in_integers(&checkpoint, &tuned.checkpoint.network, Numbers::Int4, dataset)?;
    Ok([in_f32, in_8_bits, in_4_bits])
}

/// Accuracy in percent of the model file, by the arithmetic of every board.
fn in_integers(
    checkpoint: &Checkpoint,
    network: &Network,
    numbers: Numbers,
    dataset: &Dataset,
) -> Result<f64, Box<dyn Error>> {
    let calibration = dataset.train().view().first(CALIBRATION);
    let file = export(network, &Metadata::of(checkpoint, "seeds"), numbers, calibration)?;
    percent(&evaluate(&file, dataset.test().view())?)
}

fn percent(evaluation: &Evaluation) -> Result<f64, Box<dyn Error>> {
    let accuracy =
        evaluation.scores.accuracy.ok_or("accuracy is of classes: this data has values to be learnt")?;
    Ok(100.0 * accuracy)
}

/// The mean, and the standard deviation as a sample estimates it (n - 1); that of one alone is no number.
fn mean_and_deviation(figures: &[f64]) -> (f64, f64) {
    let count = figures.len() as f64;
    let mean = figures.iter().sum::<f64>() / count;
    let squares: f64 = figures.iter().map(|figure| (figure - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0)).sqrt())
}
