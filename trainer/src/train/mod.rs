//! Training: a [`Recipe`], a data set and a seed make a [`Checkpoint`].
//!
//! Equal options and data give equal checkpoints, byte for byte, whatever the number of threads. The
//! `best` recipe holds out the last twelfth of the training samples (5,000 of MNIST's 60,000) for [`Validation`].

mod augment;
mod batches;
mod recipe;

use std::ops::ControlFlow;
use std::time::Instant;

use refrain::{CellKind, MAX_INPUTS, MAX_OUTPUTS, MAX_UNITS, Shape};
use serde::{Deserialize, Serialize};

pub use augment::Augmentation;
pub use recipe::{Order, Recipe, Settings, UnknownRecipe, Validation};

use crate::checkpoint::Checkpoint;
use crate::data::{DataError, Dataset, Images, PIXEL_SCALE, SplitView};
use crate::nn::{Batch, Loss, Network, Objective, Optimizer, Steps, Trainer, loss};
use batches::Batches;

/// Samples that go through inference together when a network is measured.
const MEASURE_ROWS: usize = 1024;

/// What to train, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The recurrent cell.
    pub cell: CellKind,
    /// Its units.
    pub units: u16,
    /// How.
    pub recipe: Recipe,
    /// Passes over the training samples; `None` for the recipe's own number.
    pub epochs: Option<u32>,
    /// What all random numbers are drawn from.
    pub seed: u64,
    /// Threads; `None` for one on each processor. They do not change the result.
    pub threads: Option<usize>,
}

/// What one pass over the training samples came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: u32,
    /// Mean loss over the training samples, as they were met.
    pub loss: f64,
    /// Part of them that was classified rightly, as they were met.
    pub accuracy: f64,
    /// Mean loss over the validation samples, afterwards.
    pub val_loss: f64,
    /// Part of them that was classified rightly, afterwards.
    pub val_accuracy: f64,
}

/// Who watches a training run, and may end it.
pub trait Observer: Send {
    /// Training begins.
    fn started(&mut self, epochs: u32, samples_per_epoch: usize);

    /// A step is done: so many samples of this epoch so far, and the step's mean loss. `Break` ends the run at
    /// once; the epoch that it interrupts counts for nothing.
    fn batch(&mut self, samples_done: usize, loss: f32) -> ControlFlow<()>;

    /// An epoch is done; `checkpoint` makes a checkpoint of the network as it stands. `Break` ends the run here.
    fn epoch(&mut self, epoch: &Epoch, checkpoint: &dyn Fn() -> Checkpoint) -> ControlFlow<()>;
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn started(&mut self, _: u32, _: usize) {}

    fn batch(&mut self, _: usize, _: f32) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, _: &Epoch, _: &dyn Fn() -> Checkpoint) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The network as it stands after the last epoch.
    pub checkpoint: Checkpoint,
    /// Epoch after epoch.
    pub history: Vec<Epoch>,
    /// Seconds that training took, validation included.
    pub seconds: f64,
    /// Training samples met in a second, validation's time left out.
    pub samples_per_second: f64,
    /// Threads that were used.
    pub threads: usize,
}

/// Why training stopped before its end.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A size beyond what a model may have.
    #[error(
        "the network would have {0}; at least 1 of each and at most {MAX_INPUTS} inputs, {MAX_UNITS} units and {MAX_OUTPUTS} outputs are supported"
    )]
    Shape(String),
    /// More timesteps than a model file can name.
    #[error("the samples have {found} timesteps, at most {} are supported", u16::MAX)]
    Timesteps {
        /// Timesteps of a sample.
        found: usize,
    },
    /// Data that cannot be trained on yet.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The loss is no number any more.
    #[error(
        "training diverged in epoch {epoch}, step {step}: the loss is {loss}; a lower learning rate is needed"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: u32,
        /// The step in it, from 1.
        step: usize,
        /// The loss.
        loss: f32,
    },
    /// The observer ended the run in the middle of an epoch.
    #[error("training was interrupted in epoch {epoch}")]
    Interrupted {
        /// The epoch, from 1.
        epoch: u32,
    },
    /// The threads could not be started.
    #[error("cannot start {threads} threads: {source}")]
    Threads {
        /// How many.
        threads: usize,
        /// Why not.
        source: rayon::ThreadPoolBuildError,
    },
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
    let shape = shape(options, dataset)?;
    let threads = options.threads.unwrap_or(0);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|source| TrainError::Threads { threads, source })?;
    pool.install(|| run(options, shape, dataset, observer))
}

/// The network's shape, if it is one that can be trained and exported.
fn shape(options: &Options, dataset: &Dataset) -> Result<Shape, TrainError> {
    let (inputs, units, outputs) = (dataset.inputs(), usize::from(options.units), dataset.classes().len());
    let within = |size, most| (1..=most).contains(&size);
    if !(within(inputs, MAX_INPUTS) && within(units, MAX_UNITS) && within(outputs, MAX_OUTPUTS)) {
        return Err(TrainError::Shape(format!("{inputs} inputs, {units} units and {outputs} outputs")));
    }
    if u16::try_from(dataset.timesteps()).is_err() {
        return Err(TrainError::Timesteps { found: dataset.timesteps() });
    }
    Ok(Shape { inputs: inputs as u16, units: options.units, outputs: outputs as u16, layers: 1 })
}

/// Trains on the current pool.
fn run(
    options: &Options,
    shape: Shape,
    dataset: &Dataset,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainError> {
    let settings = options.recipe.settings(options.cell);
    let epochs = options.epochs.unwrap_or(settings.epochs);
    let (training, validation) = match settings.validation {
        Validation::HeldOut => dataset.training_and_validation(),
        Validation::TestSamples => (dataset.train().view(), dataset.test().view()),
    };
    let mut batches = Batches::new(training, &settings, options.seed)?;
    let mut network = Network::new(options.cell, shape, options.seed);
    let mut trainer = Trainer::new(&network);
    let mut optimizer = Optimizer::new(settings.algorithm);
    if let Some(norm) = settings.clip_norm {
        optimizer = optimizer.with_clip_norm(norm);
    }
    let checkpoint = |network: &Network, epochs| Checkpoint {
        network: network.clone(),
        seed: options.seed,
        recipe: options.recipe.name().into(),
        epochs,
        timesteps: dataset.timesteps() as u16,
        input_scale: PIXEL_SCALE,
        class_names: dataset.classes().to_vec(),
    };

    let label_smoothing = settings.label_smoothing;
    let objective =
        Objective { loss: Loss::CrossEntropy { label_smoothing, class_weights: None }, steps: Steps::Last };
    let steps = batches.steps();
    let (started, mut training_seconds) = (Instant::now(), 0.0);
    let mut history = Vec::new();
    let mut samples_met = 0;
    observer.started(epochs, training.count());
    for epoch in 1..=epochs {
        let epoch_started = Instant::now();
        batches.begin_epoch(epoch);
        let (mut loss, mut correct, mut met) = (0.0, 0, 0);
        for step in 0..steps {
            let rate =
                settings.learning_rate_at((epoch as usize - 1) * steps + step, epochs as usize * steps);
            let (x, labels) = batches.gather(epoch, step);
            let step_loss = trainer.backpropagate(&mut network, &Batch::labelled(x, labels), &objective);
            if !step_loss.is_finite() {
                return Err(TrainError::Diverged { epoch, step: step + 1, loss: step_loss });
            }
            optimizer.step(&mut network, trainer.gradients(), rate);
            met += labels.len();
            loss += f64::from(step_loss) * labels.len() as f64;
            correct += loss::correct(trainer.logits(), labels);
            if observer.batch(met, step_loss).is_break() {
                return Err(TrainError::Interrupted { epoch });
            }
        }
        training_seconds += epoch_started.elapsed().as_secs_f64();
        samples_met += met;
        let (val_loss, val_accuracy) = measure(&network, validation)?;
        // the last step's change is in no training loss, and must not reach a checkpoint either
        if !(val_loss.is_finite() && is_finite(&network)) {
            return Err(TrainError::Diverged { epoch, step: steps, loss: val_loss as f32 });
        }
        let (loss, accuracy) = (loss / met as f64, correct as f64 / met as f64);
        history.push(Epoch { epoch, loss, accuracy, val_loss, val_accuracy });
        let done = &history[history.len() - 1];
        if observer.epoch(done, &|| checkpoint(&network, epoch)).is_break() {
            break;
        }
    }
    let done = history.len() as u32;
    Ok(Trained {
        checkpoint: checkpoint(&network, done),
        history,
        seconds: started.elapsed().as_secs_f64(),
        samples_per_second: samples_met as f64 / training_seconds,
        threads: rayon::current_num_threads(),
    })
}

/// Whether every weight is a finite number.
fn is_finite(network: &Network) -> bool {
    network.parameters().iter().all(|parameter| parameter.values.iter().all(|value| value.is_finite()))
}

/// Mean loss of a network over `samples` and the part of them that it classifies rightly; both zero where there
/// are none. Runs on rayon's current pool, a few samples at a time.
///
/// # Errors
/// [`DataError::NotImages`].
pub fn measure(network: &Network, samples: SplitView<'_>) -> Result<(f64, f64), DataError> {
    let (mut loss, mut correct) = (0.0, 0);
    let mut rest = samples;
    while rest.count() > 0 {
        let (chunk, after) = rest.split_at(rest.count().min(MEASURE_ROWS));
        rest = after;
        let Images { pixels, labels } = chunk.images()?;
        let x = pixels.mapv(|pixel| PIXEL_SCALE * f32::from(pixel));
        let logits = network.infer(x.view());
        loss += f64::from(loss::cross_entropy(logits.view(), labels, 0.0, None).mean) * labels.len() as f64;
        correct += loss::correct(logits.view(), labels);
    }
    let count = samples.count().max(1) as f64;
    Ok((loss / count, correct as f64 / count))
}

#[cfg(test)]
mod tests;
