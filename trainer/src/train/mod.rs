//! Training: [`Options`], a data set and a seed make a [`Checkpoint`].
//!
//! Equal options and data give equal checkpoints, byte for byte, whatever the number of threads, and whether a run goes on
//! without a stop or from the [`TrainingState`] of one of its epochs. The `best` recipe validates on samples that it does not
//! train on: the data set's own ones, or else the last twelfth of the training samples (5,000 of MNIST's 60,000).
//!
//! Memory does not grow from epoch to epoch: a batch's buffers, the record of its way through the network and the copies of
//! the network are made once.

mod augment;
mod batches;
mod error;
mod gather;
mod measure;
mod observer;
mod options;
mod recipe;
mod run;
mod state;

pub use augment::Augmentation;
pub use error::{Divergence, TrainError};
pub use measure::{Infer, Score, measure, outputs, steps};
pub use observer::{EpochDone, Observer, Plan, Progress, Unobserved};
pub use options::{Hyperparameters, Options};
pub use recipe::{Order, Recipe, Settings, UnknownRecipe, Validation, fine_tuning_epochs};
pub use state::{Best, Epoch, TrainingState};

use refrain::Numbers;

use crate::checkpoint::Checkpoint;
use crate::data::Dataset;

/// A finished run.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The network: as it stands after the last epoch, or with [`patience`](Options::patience) the best one.
    pub checkpoint: Checkpoint,
    /// Epoch after epoch, those before the run went on included.
    pub history: Vec<Epoch>,
    /// Whether training ended because the validation loss did not get lower any more.
    pub stopped_early: bool,
    /// Seconds that training took, validation included.
    pub seconds: f64,
    /// Training samples met in a second, validation's time left out.
    pub samples_per_second: f64,
    /// Threads that were used.
    pub threads: usize,
}

/// Trains a network on a data set's training samples.
///
/// # Errors
/// [`TrainError`].
pub fn train(
    options: &Options,
    dataset: &Dataset,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainError> {
    start(options, options.settings(dataset), dataset, None, observer)
}

/// Goes on with a run from `state`, which an [`Observer`] was given after one of its epochs. With the same options and data
/// the same bytes come out as if the run had not stopped.
///
/// # Errors
/// [`TrainError::Resume`] if the state is of another network or of more epochs than `options` ask for; or as [`train`].
pub fn resume(
    options: &Options,
    dataset: &Dataset,
    state: TrainingState,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainError> {
    start(options, options.settings(dataset), dataset, Some(state), observer)
}

/// Trains a finished network on for `epochs` in the integers `numbers`, so that it gets used to their rounding: what weights
/// of 4 bits need, for [`fine_tuning_epochs`]. The history has these epochs alone, measured in those integers.
///
/// It is the best recipe, with the [`Hyperparameters`] that the checkpoint was trained with; dropout there is none in
/// integers, as in the recipe's own.
///
/// # Errors
/// As [`train`].
///
/// # Panics
/// If `numbers` are no integers.
pub fn fine_tune(
    checkpoint: &Checkpoint,
    dataset: &Dataset,
    numbers: Numbers,
    epochs: u32,
    threads: Option<usize>,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainError> {
    let Checkpoint { network, seed, recipe, hyperparameters, .. } = checkpoint;
    let (cell, shape) = (network.kind(), network.shape());
    let options = Options {
        units: shape.units,
        layers: shape.layers,
        epochs: Some(epochs),
        class_weights: hyperparameters.class_weights,
        seed: *seed,
        threads,
        ..Options::new(cell)
    };
    let settings = Settings::fine_tuning(cell, dataset, (recipe, *hyperparameters), numbers, epochs);
    let state = TrainingState::new(network.clone(), settings.optimizer());
    start(&options, settings, dataset, Some(state), observer)
}

/// Trains on a pool of as many threads as the options say.
fn start(
    options: &Options,
    settings: Settings,
    dataset: &Dataset,
    state: Option<TrainingState>,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainError> {
    let threads = options.threads.unwrap_or(0);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|source| TrainError::Threads { threads, source })?;
    pool.install(|| run::Run::new(options, settings, dataset, state)?.train(observer))
}

#[cfg(test)]
mod tests;
