//! Which gesture was it? From the recordings of an accelerometer to a GRU on a Cortex-M4F, in seconds.
//!
//! ```text
//! cargo run --release -p refrain-trainer --example gestures [FOLDER]
//! ```
//!
//! Three axes of 16-bit integers at 50 Hz, recordings of 31 to 82 timesteps, six classes of different sizes. The
//! recordings and the model stay in FOLDER where one is named, and recordings that are there already are used: any
//! folder `gestures` of CSV files, in sub-folders named after their classes, is classified likewise.

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

/// From recordings in `folder` to the board: how good the network is in f32, and the board's report.
///
/// # Errors
/// Whatever goes wrong on the way, in one sentence.
pub fn run(folder: &Path) -> Result<(Scores, DeviceReport), Box<dyn Error>> {
    let recordings = folder.join("gestures");
    if !recordings.exists() {
        Example::Gestures.write(&recordings, 1)?;
    }
    let dataset = data::read(&recordings)?.dataset;
    println!("{} recordings to train on: {}", dataset.train().count(), dataset.classes().join(", "));

    // Some gestures are rarer than others and are to be recognised as well as those.
    let options = Options { units: 24, class_weights: true, ..Options::new(CellKind::Gru) };
    let trained = train(&options, &dataset, &mut Unobserved)?;
    println!("{} epochs in {:.1} s", trained.history.len(), trained.seconds);

    // The training recordings tell how far the readings reach, so how fine the integers can be.
    let metadata = Metadata::of(&trained.checkpoint, "gestures");
    let model = export(&trained.checkpoint.network, &metadata, Numbers::Int8, dataset.train().view())?;
    model.save(&folder.join("gestures.rfn"))?;

    let test = dataset.test().view();
    let in_f32 = Evaluation::of_checkpoint(&trained.checkpoint, test)?.scores;
    let on_host = evaluate(&model, test)?.scores;
    let board = Target::Emulated(Board::default());
    let on_board = device::run(&board, Via::Memory, &model, test, &mut |_| {})?;
    for (name, scores) in [("f32", &in_f32), ("int8", &on_host), (&on_board.board, &on_board.scores)] {
        let classes = scores.classes().ok_or("the recordings are of no classes")?;
        let recall = classes.recall.iter().flatten().fold(1.0, |least: f64, &recall| least.min(recall));
        println!("{name}: macro F1 {:.3}, least recall {recall:.3}", classes.macro_f1);
    }
    println!(
        "{} bytes of model; {} instructions a timestep; every logit as on the host: {}",
        on_board.flash_bytes.model,
        on_board.instructions_per_timestep.unwrap_or_default(),
        on_board.host_matches
    );
    Ok((in_f32, on_board))
}
