//! How full is the battery, and how old? Two values from its voltage and current, by an LSTM on a Cortex-M4F.
//!
//! ```text
//! cargo run --release -p refrain-trainer --example battery [FOLDER]
//! ```
//!
//! Ten minutes under a changing load, a row of floats every ten seconds; to be learnt are the charge in percent, which no
//! single voltage tells, and the resistance in milliohms, which shows only where the current changes. The data and the
//! model stay in FOLDER where one is named, and a `battery.npz` that is there already is used.

use std::error::Error;
use std::path::Path;

use refrain::{CellKind, Numbers};
use refrain_trainer::data::{self, synthetic::Example};
use refrain_trainer::device::{self, Board, DeviceReport, Target, Via};
use refrain_trainer::evaluate::{Evaluation, Scores, evaluate};
use refrain_trainer::quantise::{Metadata, export};
use refrain_trainer::train::{Options, Unobserved, train};

/// Runs the example in the folder that is named, or else in a temporary one.
///
/// # Errors
/// As [`run`].
pub fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args_os().nth(1) {
        Some(folder) => run(folder.as_ref()),
        None => run(tempfile::tempdir()?.path()),
    }
    .map(drop)
}

/// From measurements in `folder` to the board: how good the network is in f32, and the board's report.
///
/// # Errors
/// Whatever goes wrong on the way, in one sentence.
pub fn run(folder: &Path) -> Result<(Scores, DeviceReport), Box<dyn Error>> {
    let measurements = folder.join("battery.npz");
    if !measurements.exists() {
        Example::Battery.write(&measurements, 1)?;
    }
    let dataset = data::read(&measurements)?.dataset;
    let names = dataset.task().output_names();
    println!("{} measurements to train on, of {}", dataset.train().count(), names.join(" and "));

    let options = Options { units: 24, ..Options::new(CellKind::Lstm) };
    let trained = train(&options, &dataset, &mut Unobserved)?;
    println!("{} epochs in {:.1} s", trained.history.len(), trained.seconds);

    // The model file carries what the board needs to take volts and amperes and to answer in percent and milliohms.
    let metadata = Metadata::of(&trained.checkpoint, "battery");
    let model = export(&trained.checkpoint.network, &metadata, Numbers::Int8, dataset.train().view())?;
    model.save(&folder.join("battery.rfn"))?;

    let test = dataset.test().view();
    let in_f32 = Evaluation::of_checkpoint(&trained.checkpoint, test)?.scores;
    let on_host = evaluate(&model, test)?.scores;
    let board = Target::Emulated(Board::default());
    let on_board = device::run(&board, Via::Memory, &model, test, &mut |_| {})?;
    for (place, scores) in [("f32", &in_f32), ("int8", &on_host), (&on_board.board, &on_board.scores)] {
        let values = scores.values().ok_or("there are no values to be learnt")?;
        for (name, (r2, error)) in names.iter().zip(values.r2.iter().zip(&values.mean_absolute_error)) {
            println!("{place}: {name} with R² {r2:.4}, off by {error:.2} on average");
        }
    }
    println!(
        "{} bytes of model; {} instructions a timestep; every answer as on the host: {}",
        on_board.flash_bytes.model,
        on_board.instructions_per_timestep.unwrap_or_default(),
        on_board.host_matches
    );
    Ok((in_f32, on_board))
}
