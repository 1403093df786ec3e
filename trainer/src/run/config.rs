//! `config.json`: what a run trains, on what and how.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RunError;

/// The layout of run folders that this program reads and writes.
pub(super) const FORMAT: u32 = 1;

/// Every option of a run, resolved: nothing is left to defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// The layout of the folder.
    pub format: u32,
    /// Name and version of the program.
    pub program: String,
    /// The recurrent cell: `simple-rnn`, `lstm` or `gru`.
    pub cell: String,
    /// Its units.
    pub units: u16,
    /// Recurrent layers.
    pub layers: u16,
    /// Part of the numbers between layers that is dropped while training.
    pub dropout: f32,
    /// Name of the recipe.
    pub recipe: String,
    /// Its settings, by their names.
    pub settings: Value,
    /// Epochs that the run is to have at most.
    pub epochs: u32,
    /// Epochs without a lower validation loss after which it ends; `None` where it goes on to the last one.
    pub patience: Option<u32>,
    /// What all random numbers are drawn from.
    pub seed: u64,
    /// Threads; they do not change the result.
    pub threads: usize,
    /// What it is trained on.
    pub data: DataConfig,
    /// Where the network goes; where this is relative, it is so to the run folder.
    pub checkpoint: PathBuf,
}

/// A data set, by what tells it from others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataConfig {
    /// What it is called.
    pub name: String,
    /// The word after `--data` that loads it: `mnist`, `digits` or an absolute path.
    pub source: String,
    /// SHA-256 of its sequences, targets, names and scaling, in hexadecimal.
    pub fingerprint: String,
    /// `classification` or `regression`.
    pub task: String,
    /// Whether every timestep has a target of its own.
    pub per_step: bool,
    /// Timesteps of the longest sequence.
    pub timesteps: usize,
    /// Features of a timestep.
    pub inputs: usize,
    /// Names of the classes, or of the values to be predicted.
    pub outputs: Vec<String>,
    /// Sequences that are trained on.
    pub train: usize,
    /// Sequences that the network is measured on after each epoch.
    pub validation: usize,
    /// Sequences that it is measured on at the end.
    pub test: usize,
}

impl Config {
    /// Refuses the folder of a program whose folders are laid out otherwise.
    pub(super) fn check_format(&self, path: &Path) -> Result<(), RunError> {
        if self.format == FORMAT {
            return Ok(());
        }
        Err(RunError::Format { path: path.to_owned(), found: self.format, expected: FORMAT })
    }
}
