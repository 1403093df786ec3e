//! When does the bearing knock? A verdict at each timestep, by two layers of SimpleRNN on a Cortex-M4F.
//!
//! ```text
//! cargo run --release -p refrain-trainer --example vibration [FOLDER]
//! ```
//!
//! Two axes of 16-bit integers from machines of different speed and strength, so that no threshold tells a knock. Each
//! timestep is normal or an anomaly, between two knocks as well. The data and the model stay in FOLDER where one is
//! named, and a `vibration.npz` that is there already is used.

use std::error::Error;
use std::path::Path;

use refrain::{CellKind, Numbers};
use refrain_trainer::data::{self, synthetic::Example};
use refrain_trainer::device::{self, Board, DeviceReport, Target, Via};
use refrain_trainer::evaluate::{Evaluation, Scores, evaluate};
use refrain_trainer::quantise::{Metadata, export};
use refrain_trainer::train::{Options, Unobserved, train};

/// Number of the class `anomaly`.
pub const ANOMALY: usize = 1;

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

/// From recordings in `folder` to the board: how good the network is in f32, and the board's report.
///
/// # Errors
/// Whatever goes wrong on the way, in one sentence.
pub fn run(folder: &Path) -> Result<(Scores, DeviceReport), Box<dyn Error>> {
    let recordings = folder.join("vibration.npz");
    if !recordings.exists() {
        Example::Vibration.write(&recordings, 1)?;
    }
    let dataset = data::read(&recordings)?.dataset;
    let [normal, anomaly] = dataset.class_counts()[..] else {
        return Err("two classes were expected".into());
    };
    println!("{normal} timesteps to train on are normal, {anomaly} are anomalies");

    // The first layer follows the machine, the second one what is left of its vibration.
    let options = Options { units: 20, layers: 2, ..Options::new(CellKind::SimpleRnn) };
    let trained = train(&options, &dataset, &mut Unobserved)?;
    println!("{} epochs in {:.1} s", trained.history.len(), trained.seconds);

    let metadata = Metadata::of(&trained.checkpoint, "vibration");
    let model = export(&trained.checkpoint.network, &metadata, Numbers::Int8, dataset.train().view())?;
    model.save(&folder.join("vibration.rfn"))?;

    let test = dataset.test().view();
    let in_f32 = Evaluation::of_checkpoint(&trained.checkpoint, test)?.scores;
    let on_host = evaluate(&model, test)?.scores;
    let board = Target::Emulated(Board::default());
    let on_board = device::run(&board, Via::Memory, &model, test, &mut |_| {})?;
    for (place, scores) in [("f32", &in_f32), ("int8", &on_host), (&on_board.board, &on_board.scores)] {
        let classes = scores.classes().ok_or("the timesteps are of no classes")?;
        let of_anomalies = |figures: &[Option<f64>]| figures[ANOMALY].unwrap_or_default();
        println!(
            "{place}: anomalies with F1 {:.3}, precision {:.3}, recall {:.3}",
            of_anomalies(&classes.f1),
            of_anomalies(&classes.precision),
            of_anomalies(&classes.recall)
        );
    }
    println!(
        "{} bytes of model; {} instructions a timestep; every logit as on the host: {}",
        on_board.flash_bytes.model,
        on_board.instructions_per_timestep.unwrap_or_default(),
        on_board.host_matches
    );
    Ok((in_f32, on_board))
}
