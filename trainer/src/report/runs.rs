//! From what run folders, model files and boards say to what a page shows.

use super::page::{Board, Data, Epoch, Layer, Measure, Network, Results, Run, Task, Training};
use crate::data::{Dataset, Kind, SplitView};
use crate::device::DeviceReport;
use crate::model_file::ModelFile;
use crate::quantise::LayerError;
use crate::run::{self, ExportedLayer, OnDevice};
use crate::train;

/// A run and all that was found out about it.
#[derive(Clone, Debug)]
pub struct Findings<'a> {
    /// What the page calls it.
    pub name: String,
    /// Its folder.
    pub run: &'a run::Run,
    /// Trained numbers of its network.
    pub parameters: usize,
    /// The model file made of it.
    pub model: &'a ModelFile,
    /// How far that file's layers are off.
    pub layers: Vec<Layer>,
    /// What it makes of the test samples.
    pub results: Results,
    /// What it costs on a board.
    pub board: Option<Board>,
    /// The command that repeats it.
    pub command: String,
}

impl From<Findings<'_>> for Run {
    fn from(found: Findings<'_>) -> Self {
        let Findings { name, run, parameters, model, layers, results, board, command } = found;
        let network = Network {
            cell: run.config.cell.clone(),
            layers: run.config.layers.into(),
            units: run.config.units.into(),
            parameters,
            numbers: model.model().header().numbers.name().into(),
            model_bytes: model.as_bytes().len(),
        };
        let last = run.history.last().map(|epoch| epoch.epoch);
        let training = Some(Training {
            recipe: run.config.recipe.clone(),
            seed: run.config.seed,
            kept_epoch: run
                .outcome
                .as_ref()
                .map(|outcome| outcome.kept_epoch)
                .filter(|kept| Some(*kept) != last),
            seconds: run.outcome.as_ref().and_then(|outcome| outcome.seconds),
            command,
            history: run.history.iter().map(Epoch::from).collect(),
        });
        Self { name, network, training, results, layers, board }
    }
}

impl From<&train::Epoch> for Epoch {
    fn from(epoch: &train::Epoch) -> Self {
        let train = Measure {
            loss: epoch.loss,
            accuracy: epoch.accuracy,
            mean_absolute_error: epoch.mean_absolute_error,
        };
        let validation = Measure {
            loss: epoch.val_loss,
            accuracy: epoch.val_accuracy,
            mean_absolute_error: epoch.val_mean_absolute_error,
        };
        Self { epoch: epoch.epoch, train, validation: Some(validation) }
    }
}

impl From<&ExportedLayer> for Layer {
    fn from(layer: &ExportedLayer) -> Self {
        Self { name: layer.layer.clone(), rms: layer.rms, max: layer.max, signal_rms: layer.signal_rms }
    }
}

impl From<&LayerError> for Layer {
    fn from(layer: &LayerError) -> Self {
        Self { name: layer.layer.to_string(), rms: layer.rms, max: layer.max, signal_rms: layer.signal_rms }
    }
}

impl From<&OnDevice> for Board {
    fn from(device: &OnDevice) -> Self {
        Self {
            name: device.board.clone(),
            emulated: is_emulated(device.flash_bytes.code),
            samples: device.samples,
            host_matches: device.host_matches,
            instructions: device.instructions_per_inference,
            code_bytes: device.flash_bytes.code,
            model_bytes: device.flash_bytes.model,
            static_bytes: device.ram_bytes.statics,
            stack_bytes: device.ram_bytes.stack,
        }
    }
}

impl From<&DeviceReport> for Board {
    fn from(device: &DeviceReport) -> Self {
        Self {
            name: device.board.clone(),
            emulated: is_emulated(device.flash_bytes.code),
            samples: device.samples,
            host_matches: device.host_matches,
            instructions: device.instructions_per_inference,
            code_bytes: device.flash_bytes.code,
            model_bytes: device.flash_bytes.model,
            static_bytes: device.ram_bytes.statics,
            stack_bytes: device.ram_bytes.stack.into(),
        }
    }
}

/// Firmware is built, and so its code measured, for emulated boards alone; a real one may have the same name.
fn is_emulated(code_bytes: Option<u64>) -> bool {
    code_bytes.is_some()
}

impl Data {
    /// Test samples of a data set that came from `origin`.
    pub fn new(dataset: &Dataset, samples: SplitView<'_>, origin: &str) -> Self {
        let lengths = || (0..samples.count()).map(|index| samples.length(index));
        let task = match &dataset.task().kind {
            Kind::Classification { classes } => Task::Classes(classes.clone()),
            Kind::Regression { names, .. } => Task::Values(names.clone()),
        };
        Self {
            name: dataset.name().into(),
            origin: origin.into(),
            samples: samples.count(),
            timesteps: (lengths().min().unwrap_or(0), lengths().max().unwrap_or(0)),
            inputs: samples.inputs(),
            task,
            per_step: samples.per_step(),
        }
    }
}

/// A name for each run: its own where no other has it too, else its folder's path.
pub fn names(runs: &[run::Run]) -> Vec<String> {
    let own: Vec<String> = runs.iter().map(run::Run::name).collect();
    let is_taken = |name: &String| own.iter().filter(|other| *other == name).count() > 1;
    let name = |(run, own): (&run::Run, &String)| {
        if is_taken(own) { run.folder().display().to_string() } else { own.clone() }
    };
    runs.iter().zip(&own).map(name).collect()
}
