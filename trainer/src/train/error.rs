//! Why training stops before its end.

use std::fmt;

use refrain::{MAX_INPUTS, MAX_LAYERS, MAX_OUTPUTS, MAX_UNITS};

use super::recipe::Recipe;
use crate::checkpoint::Checkpoint;
use crate::quantise::ExportError;

/// Why training did not begin, or stopped before its end.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A size beyond what a model may have.
    #[error(
        "the network would have {0}; at least 1 of each and at most {MAX_INPUTS} inputs, {MAX_UNITS} units and {MAX_OUTPUTS} outputs are supported"
    )]
    Shape(String),
    /// More layers than a model may have, or none.
    #[error("the network would have {found} recurrent layers; 1 to {MAX_LAYERS} are supported")]
    Layers {
        /// Layers asked for.
        found: u8,
    },
    /// More timesteps than a model file can name.
    #[error("the samples have {found} timesteps, at most {} are supported", u16::MAX)]
    Timesteps {
        /// Timesteps of the longest sample.
        found: usize,
    },
    /// A part of the units that is none.
    #[error(
        "a dropout of {found} was asked for; it is the part of the units to leave out, at least 0 and below 1"
    )]
    Dropout {
        /// What was asked for.
        found: f32,
    },
    /// A learning rate that is none.
    #[error("a learning rate of {found} was asked for; it must be a finite number above zero")]
    LearningRate {
        /// What was asked for.
        found: f32,
    },
    /// The last epochs cannot be computed in integers.
    #[error("the network cannot be trained in the integers that it is to be exported as: {0}")]
    Integers(#[from] ExportError),
    /// Class weights where there are no classes.
    #[error("class weights were asked for, but this data has values to learn and no classes: leave them out")]
    ClassWeights,
    /// Early stopping after no epoch at all.
    #[error("a patience of 0 epochs would end training before it began; it must be at least 1")]
    NoPatience,
    /// Early stopping by the test samples.
    #[error(
        "early stopping chooses an epoch by its validation loss, but recipe `{recipe}` validates on the test samples, which must not choose anything: take recipe `best`, or no patience"
    )]
    NothingToWatch {
        /// The recipe.
        recipe: Recipe,
    },
    /// Too few samples.
    #[error(
        "there are {training} samples to train on and {validation} to validate with; at least {least} and 1 are needed, so record more"
    )]
    TooFew {
        /// Samples to train on.
        training: usize,
        /// Samples to validate with.
        validation: usize,
        /// Least number to train on: batch normalisation needs two read-outs.
        least: usize,
    },
    /// A batch that cannot be normalised over.
    #[error(
        "a batch of {found} samples was asked for; batch normalisation needs at least {least} to take a mean of"
    )]
    SmallBatch {
        /// Samples asked for.
        found: usize,
        /// Least number.
        least: usize,
    },
    /// A batch that the training samples do not fill.
    #[error(
        "a batch of {found} samples was asked for, but there are only {training} to train on: ask for {training} at most"
    )]
    LargeBatch {
        /// Samples asked for.
        found: usize,
        /// Samples to train on.
        training: usize,
    },
    /// A state that is not of a run with these options.
    #[error("training cannot go on from there: {0}")]
    Resume(String),
    /// The loss or the weights have left all bounds.
    #[error(
        "training diverged in epoch {epoch}, step {step}: {cause}; lower the learning rate, which was {learning_rate}{}",
        Kept(.kept)
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: u32,
        /// The step in it, from 1.
        step: usize,
        /// What was seen.
        cause: Divergence,
        /// The greatest learning rate of the run.
        learning_rate: f32,
        /// The network as it was after the last good epoch, if there was one.
        kept: Option<Box<Checkpoint>>,
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

/// How divergence shows.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Divergence {
    /// Of a step.
    #[error("the loss is {0}")]
    Loss(f32),
    /// A weight is infinite or not a number.
    #[error("a weight of `{0}` is no finite number any more")]
    Weight(&'static str),
    /// Of a whole epoch, far beyond that of a network that has learnt nothing.
    #[error("the epoch's mean loss is {0}, where guessing would give {1}")]
    WorseThanGuessing(f64, f64),
}

/// The end of the sentence about divergence.
struct Kept<'a>(&'a Option<Box<Checkpoint>>);

impl fmt::Display for Kept<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(checkpoint) => write!(f, " (the network of epoch {} is kept)", checkpoint.epochs),
            None => Ok(()),
        }
    }
}
