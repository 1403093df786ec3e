//! Run folders: what `refrain train` leaves behind, and the reader of it.
//!
//! ```text
//! lstm.run/
//!   config.json                  [`Config`]: every option resolved, the data set and its fingerprint
//!   .lock                        locked by the process that trains
//!   command.txt                  one line for a POSIX shell: the command that repeats the run
//!   history.json                 [`Epoch`]s: an array of one object an epoch, as in `refrain train --json`
//!   history.csv                  the same as a table
//!   times.json                   seconds from the beginning of the run to the end of each epoch, without the times in
//!                                which it had stopped
//!   events.out.tfevents.*        the same for TensorBoard; a resumed run adds a file
//!   checkpoints/epoch-0007.ckpt  [`Resumable`]s, with all that is needed to go on from there, byte for byte: those of
//!                                the last three epochs and of the best one
//!   result.json                  [`Outcome`]: there once the run has ended, and not before
//!   export.json                  [`Exported`]: where the run's model file is (written by `refrain demo`)
//!   device.json                  [`OnDevice`]: what a board made of it (written by `refrain demo`)
//! ```
//! Every file but the event file is replaced whole, so whoever looks finds the old one or the new one. After each epoch
//! its time and the checkpoint come first; history and events follow from it. [`Run::open`] reads a folder at any moment, of a run
//! that is still going on too.
//!
//! The best epoch is that of the lowest validation loss, the earliest of them where several have it.

mod command;
mod config;
mod error;
mod events;
mod figures;
mod history;
mod recorder;
mod times;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

pub use command::command_line;
pub use config::{Config, Conflict, DataConfig};
pub use error::RunError;
pub use figures::{Exported, ExportedLayer, FlashBytes, OnDevice, Outcome, RamBytes};
pub use recorder::{Earlier, Rates, Recorder};

use crate::checkpoint::{Checkpoint, Resumable};
use crate::train::Epoch;

/// A run as its folder tells it.
#[derive(Clone, Debug)]
pub struct Run {
    folder: PathBuf,
    /// What was trained, on what and how.
    pub config: Config,
    /// The epochs done so far, from the first.
    pub history: Vec<Epoch>,
    /// How it ended; `None` while it has not.
    pub outcome: Option<Outcome>,
    /// The model file made of it, if that was noted.
    pub exported: Option<Exported>,
    /// What a board made of that, if it was noted.
    pub device: Option<OnDevice>,
}

impl Run {
    /// Reads the folder.
    ///
    /// # Errors
    /// [`RunError::NotARun`] for a folder without `config.json`; otherwise an error that names the file that cannot be
    /// read or understood.
    pub fn open(folder: &Path) -> Result<Self, RunError> {
        let config: Config =
            read_json(&folder.join(CONFIG))?.ok_or_else(|| RunError::NotARun { path: folder.to_owned() })?;
        config.check_format(&folder.join(CONFIG))?;
        Ok(Self {
            folder: folder.to_owned(),
            config,
            history: read_json(&folder.join(HISTORY_JSON))?.unwrap_or_default(),
            outcome: read_json(&folder.join(RESULT))?,
            exported: read_json(&folder.join(EXPORT))?,
            device: read_json(&folder.join(DEVICE))?,
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder's name without `.run`, to call the run by.
    pub fn name(&self) -> String {
        let absolute = fs::canonicalize(&self.folder).unwrap_or_else(|_| self.folder.clone());
        let name = absolute.file_name().unwrap_or(absolute.as_os_str()).to_string_lossy();
        name.strip_suffix(".run").filter(|stem| !stem.is_empty()).unwrap_or(&name).to_owned()
    }

    /// The number of the epoch with the lowest validation loss; `None` before the first is done.
    pub fn best_epoch(&self) -> Option<u32> {
        best_epoch(&self.history)
    }

    /// The checkpoints that are kept, by epoch.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn checkpoints(&self) -> Result<Vec<(u32, PathBuf)>, RunError> {
        checkpoints_in(&self.folder)
    }

    /// The network that the run is for: the file that `--out` named.
    pub fn checkpoint(&self) -> PathBuf {
        self.resolve(&self.config.checkpoint)
    }

    /// The model file made of it, if that was noted.
    pub fn model(&self) -> Option<PathBuf> {
        self.exported.as_ref().map(|exported| self.resolve(&exported.model))
    }

    /// What a path noted in the folder means here.
    fn resolve(&self, noted: &Path) -> PathBuf {
        match (noted.strip_prefix(".."), self.folder.file_name(), self.folder.parent()) {
            (Ok(name), Some(_), Some(parent)) => parent.join(name),
            _ => self.folder.join(noted),
        }
    }

    /// The last checkpoint, to go on from as a run of `asked`.
    ///
    /// # Errors
    /// [`RunError::Conflict`] or [`RunError::Schedule`] if that would be another run, [`RunError::Finished`] if there is
    /// nothing left to do, [`RunError::NoCheckpoint`], or [`RunError::Spoilt`] if the last checkpoint is damaged or not
    /// the run's.
    pub fn resume_as(&self, asked: &Config) -> Result<Resumable, RunError> {
        let path = || self.folder.clone();
        if let Some(conflict) = self.config.conflict_with(asked) {
            return Err(RunError::Conflict { path: path(), conflict });
        }
        let (found, epochs) = (self.config.epochs, asked.epochs);
        if found != epochs && self.config.follows_schedule() {
            return Err(RunError::Schedule { path: path(), found, asked: epochs });
        }
        let resumable = self.last_resumable()?;
        let state = &resumable.state;
        if self.outcome.is_some() && state.epochs() >= epochs {
            return Err(RunError::Finished { path: path(), done: state.epochs(), epochs });
        }
        match (asked.patience, &state.best) {
            (Some(patience), Some(best))
                if state.epochs() - best.epoch >= patience && self.outcome.is_some() =>
            {
                Err(RunError::StoppedEarly { path: path(), done: state.epochs(), best: best.epoch, patience })
            }
            _ => Ok(resumable),
        }
    }

    /// The last checkpoint, if it is this run's.
    fn last_resumable(&self) -> Result<Resumable, RunError> {
        let mut checkpoints = self.checkpoints()?;
        let (epoch, path) =
            checkpoints.pop().ok_or_else(|| RunError::NoCheckpoint { path: self.folder.clone() })?;
        let earlier = checkpoints.pop().map(|(_, path)| path);
        let spoilt =
            |reason: String| RunError::Spoilt { reason, path: path.clone(), earlier: earlier.clone() };
        let resumable = Resumable::load(&path).map_err(|error| spoilt(error.to_string()))?;
        let Checkpoint { seed, recipe, epochs, data, .. } = &resumable.checkpoint;
        let found = (*seed, recipe.as_str(), *epochs, data.fingerprint.as_str());
        let config = &self.config;
        let expected = (config.seed, config.recipe.as_str(), epoch, config.data.fingerprint.as_str());
        if found != expected {
            return Err(spoilt(format!("{} is not of this run", path.display())));
        }
        Ok(resumable)
    }
}

const CONFIG: &str = "config.json";
const COMMAND: &str = "command.txt";
const HISTORY_CSV: &str = "history.csv";
const HISTORY_JSON: &str = "history.json";
const TIMES: &str = "times.json";
const RESULT: &str = "result.json";
const EXPORT: &str = "export.json";
const DEVICE: &str = "device.json";
const CHECKPOINTS: &str = "checkpoints";
const LOCK: &str = ".lock";

/// Whether a run was recorded in a folder, or is being recorded.
pub(crate) fn is_run_folder(folder: &Path) -> bool {
    [CONFIG, COMMAND, CHECKPOINTS].iter().all(|name| folder.join(name).exists())
}

/// The number of the epoch with the lowest validation loss, the earliest of several; `None` where there is no epoch.
pub fn best_epoch(history: &[Epoch]) -> Option<u32> {
    history.iter().min_by(|a, b| a.val_loss.total_cmp(&b.val_loss)).map(|epoch| epoch.epoch)
}

/// How a run folder notes where a file is: a name beside it where that is so, for the two may be moved together, and an
/// absolute path elsewhere.
///
/// # Errors
/// If the current folder is gone.
pub fn noted(folder: &Path, file: &Path) -> io::Result<PathBuf> {
    let (folder, file) = (std::path::absolute(folder)?, std::path::absolute(file)?);
    Ok(match file.file_name() {
        Some(name) if file.parent() == folder.parent() => Path::new("..").join(name),
        _ => file,
    })
}

/// The name of an epoch's checkpoint.
fn checkpoint_name(epoch: u32) -> String {
    format!("epoch-{epoch:04}.ckpt")
}

/// The epoch of a checkpoint's name.
fn epoch_of(name: &str) -> Option<u32> {
    let epoch = name.strip_prefix("epoch-")?.strip_suffix(".ckpt")?.parse().ok()?;
    (checkpoint_name(epoch) == name).then_some(epoch)
}

/// The checkpoints in a run folder, by epoch.
fn checkpoints_in(folder: &Path) -> Result<Vec<(u32, PathBuf)>, RunError> {
    let folder = folder.join(CHECKPOINTS);
    let failed = |source| RunError::Read { path: folder.clone(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if let Some(epoch) = entry.file_name().to_str().and_then(epoch_of) {
            found.push((epoch, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

/// What a file holds; `None` where there is no such file.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, RunError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(RunError::Read { path: path.to_owned(), source }),
    };
    let damaged = |reason| RunError::Damaged { path: path.to_owned(), reason };
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

#[cfg(test)]
mod recorder_tests;
#[cfg(test)]
mod tests;
