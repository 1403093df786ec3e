//! `config.json`: what a run trains, on what and how.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RunError;
use crate::data::{Dataset, Kind};
use crate::train::Options;

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
    pub layers: u8,
    /// Part of the units that is left out while training, between layers and before the dense layer.
    pub dropout: f32,
    /// Name of the recipe.
    pub recipe: String,
    /// Its settings, by their names, changed where the options below say so.
    pub settings: Value,
    /// Epochs that the run is to have at most.
    pub epochs: u32,
    /// Samples of a step.
    pub batch: usize,
    /// Greatest learning rate.
    pub learning_rate: f32,
    /// Whether all classes weigh the same, however many samples each has.
    pub class_weights: bool,
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

/// An option that a run has and one that is asked for, which are not the same.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("its {field} is {found} where {asked} is asked for")]
pub struct Conflict {
    /// Where `config.json` has it.
    pub field: String,
    /// The run's value.
    pub found: Value,
    /// The other.
    pub asked: Value,
}

/// What may differ when a run is resumed: none of it changes a weight of the epochs done or to be done. More epochs are
/// another matter where the learning rate follows their number; whoever resumes sees to that.
const FREE: [&str; 5] = ["program", "epochs", "patience", "threads", "checkpoint"];

impl Config {
    /// The configuration of a training run with these options on this data, which `source` loads; its network goes to
    /// `checkpoint`, as that is to be noted.
    pub fn new(options: &Options, dataset: &Dataset, source: &str, checkpoint: PathBuf) -> Self {
        let settings = options.settings(dataset);
        let data = DataConfig::new(options, dataset, source);
        Self {
            format: FORMAT,
            program: concat!("refrain ", env!("CARGO_PKG_VERSION")).into(),
            cell: options.cell.name().into(),
            units: options.units,
            layers: options.layers,
            dropout: options.dropout,
            recipe: options.recipe.name().into(),
            settings: value_of(&settings),
            epochs: settings.epochs,
            // an option that is given is taken as it is, to be refused where it is too large
            batch: options.batch.unwrap_or(settings.batch.min(data.train)),
            learning_rate: settings.learning_rate,
            class_weights: options.class_weights,
            patience: options.patience,
            seed: options.seed,
            threads: options.threads.unwrap_or_else(rayon::current_num_threads),
            data,
            checkpoint,
        }
    }

    /// The first option that keeps a run of this configuration from going on as one of `asked`.
    pub fn conflict_with(&self, asked: &Self) -> Option<Conflict> {
        if self.data.fingerprint != asked.data.fingerprint {
            let set = |config: &Self| Value::from(config.data.described());
            return Some(Conflict { field: "data set".into(), found: set(self), asked: set(asked) });
        }
        let fixed = |config: &Self| {
            let mut value = value_of(config);
            FREE.iter().for_each(|name| drop(remove(&mut value, name)));
            if let Some(settings) = value["settings"].as_object_mut() {
                // told by the options of these names
                ["epochs", "batch", "learning_rate"].iter().for_each(|name| drop(settings.remove(*name)));
            }
            // of a data set the fingerprint is what counts
            remove(&mut value, "data");
            value
        };
        // without patience no epoch's network was kept to come back to
        let patience = |config: &Self| config.patience.map_or(Value::Null, Value::from);
        if self.patience.is_some() != asked.patience.is_some() {
            let (found, asked) = (patience(self), patience(asked));
            return Some(Conflict { field: "patience".into(), found, asked });
        }
        first_difference("", &fixed(self), &fixed(asked))
    }

    /// Whether the learning rate of an epoch depends on how many there are to be.
    pub(super) fn follows_schedule(&self) -> bool {
        self.settings["schedule"] != Value::Bool(false)
    }

    /// Refuses the folder of a program whose folders are laid out otherwise.
    pub(super) fn check_format(&self, path: &Path) -> Result<(), RunError> {
        if self.format == FORMAT {
            return Ok(());
        }
        Err(RunError::Format { path: path.to_owned(), found: self.format, expected: FORMAT })
    }
}

impl DataConfig {
    /// Its name, and as much of its fingerprint as people compare.
    fn described(&self) -> String {
        format!("{} of fingerprint {}", self.name, self.fingerprint.chars().take(12).collect::<String>())
    }

    fn new(options: &Options, dataset: &Dataset, source: &str) -> Self {
        let (train, validation) = options.split(dataset);
        Self {
            name: dataset.name().into(),
            source: source.into(),
            fingerprint: dataset.fingerprint().into(),
            task: match dataset.task().kind {
                Kind::Classification { .. } => "classification".into(),
                Kind::Regression { .. } => "regression".into(),
            },
            per_step: dataset.task().per_step,
            timesteps: dataset.timesteps(),
            inputs: dataset.inputs(),
            outputs: dataset.task().output_names().to_vec(),
            train: train.count(),
            validation: validation.count(),
            test: dataset.test().count(),
        }
    }
}

/// A record as JSON, by way of text: that has 0.003 for the f32 that a [`Value`] would hold all f64 digits of.
fn value_of(record: &impl Serialize) -> Value {
    let text = serde_json::to_string(record).expect("records have only names for keys");
    serde_json::from_str(&text).expect("what was written just now")
}

fn remove(object: &mut Value, name: &str) -> Option<Value> {
    object.as_object_mut()?.remove(name)
}

/// The first leaf that is not the same in both, by its path.
fn first_difference(path: &str, found: &Value, asked: &Value) -> Option<Conflict> {
    if let (Value::Object(found), Value::Object(asked)) = (found, asked) {
        let names = found.keys().chain(asked.keys().filter(|name| !found.contains_key(*name)));
        let of =
            |object: &serde_json::Map<String, Value>, name| object.get(name).cloned().unwrap_or_default();
        let path = |name| if path.is_empty() { String::from(name) } else { format!("{path}.{name}") };
        return names
            .map(|name| first_difference(&path(name), &of(found, name), &of(asked, name)))
            .find_map(|difference| difference);
    }
    (found != asked).then(|| Conflict { field: path.into(), found: found.clone(), asked: asked.clone() })
}
