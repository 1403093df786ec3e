//! What is known of a run once its training, its export and its run on a board are over.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `result.json`: how a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Epochs done.
    pub epochs: u32,
    /// Whether it ended because the validation loss did not get lower any more.
    pub stopped_early: bool,
    /// The epoch of the lowest validation loss.
    pub best_epoch: u32,
    /// The epoch whose network is in the checkpoint: the best one after an early stop, else the last.
    pub kept_epoch: u32,
    /// Seconds that the epochs took, validation included, however often the run was resumed; `None` where those of the
    /// epochs before it was resumed are not known.
    pub seconds: Option<f64>,
    /// Training samples met in a second, since it was last resumed.
    pub samples_per_second: f64,
    /// Mean loss over the test samples.
    pub test_loss: f64,
    /// Part of the test samples (or of their timesteps) that is classified rightly; `None` for regression.
    pub test_accuracy: Option<f64>,
    /// Mean absolute error over the test samples, in the targets' own unit; `None` for classification.
    pub test_mean_absolute_error: Option<f64>,
    /// R² over the test samples; `None` for classification.
    pub test_r2: Option<f64>,
}

/// `export.json`: fields of `refrain export --json`; the file may have more.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Exported {
    /// The model file; where this is relative, it is so to the run folder.
    pub model: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// `int8`, `int4` or `f32`.
    pub kind: String,
    /// What quantising cost, layer by layer.
    pub layers: Vec<ExportedLayer>,
}

/// One layer's error.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ExportedLayer {
    /// Its name.
    pub layer: String,
    /// Greatest error.
    pub max: f64,
    /// Root of the mean squared error.
    pub rms: f64,
    /// Root mean square of the values themselves.
    pub signal_rms: f64,
}

/// `device.json`: fields of `refrain device --json`; the file may have more.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OnDevice {
    /// The board.
    pub board: String,
    /// Samples that it took.
    pub samples: usize,
    /// Whether every logit is the host's.
    pub host_matches: bool,
    /// `None` where the board cannot count them.
    pub instructions_per_inference: Option<u64>,
    /// Flash.
    pub flash_bytes: FlashBytes,
    /// RAM.
    pub ram_bytes: RamBytes,
}

/// Flash that the firmware takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct FlashBytes {
    /// Everything but the model; `None` where the firmware was not built on this machine.
    pub code: Option<u64>,
    /// The model file.
    pub model: u64,
}

/// RAM that the firmware takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct RamBytes {
    /// Variables; `None` where the firmware was not built on this machine.
    #[serde(rename = "static")]
    pub statics: Option<u64>,
    /// The most stack that was used.
    pub stack: u64,
}
