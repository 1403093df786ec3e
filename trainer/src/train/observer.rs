//! Who watches a training run, and may end it.

use std::ops::ControlFlow;

use super::state::{Epoch, TrainingState};
use crate::checkpoint::Checkpoint;

/// Who watches a training run, and may end it.
pub trait Observer: Send {
    /// Training begins, or goes on.
    fn started(&mut self, plan: &Plan);

    /// A step is done. `Break` ends the run at once; the epoch that it interrupts counts for nothing.
    fn batch(&mut self, progress: &Progress) -> ControlFlow<()>;

    /// An epoch is done. `Break` ends the run here.
    fn epoch(&mut self, done: &EpochDone<'_>) -> ControlFlow<()>;
}

/// What a run is going to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Epochs that were done before; 0 for a new run.
    pub done: u32,
    /// Epochs that the run is to have in all.
    pub epochs: u32,
    /// Training samples that an epoch meets.
    pub samples_per_epoch: usize,
}

/// How far an epoch is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// The epoch, from 1.
    pub epoch: u32,
    /// Samples that it has met so far.
    pub samples_done: usize,
    /// Their mean loss.
    pub loss: f64,
    /// Part of the read-outs that were classified rightly so far; `None` for a regression.
    pub accuracy: Option<f64>,
    /// Mean absolute error of the read-outs so far, as in [`Epoch`]; `None` for a classification.
    pub mean_absolute_error: Option<f64>,
}

/// A finished epoch.
pub struct EpochDone<'a> {
    /// What it came to.
    pub epoch: &'a Epoch,
    /// The learning rate of its last step.
    pub learning_rate: f32,
    /// All that is needed to go on from here, byte for byte as if the run had not stopped.
    pub state: &'a TrainingState,
    /// Makes a checkpoint of a network of this run.
    pub(super) checkpoint: &'a dyn Fn(&TrainingState) -> Checkpoint,
}

impl EpochDone<'_> {
    /// A checkpoint of the network as it stands.
    pub fn checkpoint(&self) -> Checkpoint {
        (self.checkpoint)(self.state)
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn started(&mut self, _: &Plan) {}

    fn batch(&mut self, _: &Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, _: &EpochDone<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
