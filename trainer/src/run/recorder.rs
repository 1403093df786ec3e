//! Writes a run folder, from the first file to the last.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::writing;
use super::events::{EventFile, PREFIX};
use super::times::Times;
use super::{
    CHECKPOINTS, COMMAND, CONFIG, Config, DEVICE, EXPORT, HISTORY_CSV, HISTORY_JSON, LOCK, Outcome, RESULT,
    Run, RunError, TIMES, best_epoch, checkpoint_name, checkpoints_in, history, noted,
};
use crate::checkpoint::Resumable;
use crate::files::write_whole;
use crate::train::Epoch;

/// Checkpoints that are kept of the last epochs; the best one is kept besides.
const KEPT: usize = 3;

/// A run folder that is being written; nobody else writes to it meanwhile.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
    events: EventFile,
    times: Times,
    _lock: File,
}

/// What to do with a folder that a run was recorded in before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// Leave it and fail.
    Keep,
    /// Delete the earlier run's files, and no others.
    Replace,
}

impl Recorder {
    /// Begins a run in `folder`, which is made where it is not there.
    ///
    /// # Errors
    /// [`RunError::Taken`] if the folder holds a run that is to be kept or is not empty and no run folder;
    /// [`RunError::Busy`] if a run goes on in it; [`RunError::Write`].
    pub fn begin(folder: &Path, earlier: Earlier, config: &Config, command: &str) -> Result<Self, RunError> {
        check_free(folder, earlier)?;
        let checkpoints = folder.join(CHECKPOINTS);
        fs::create_dir_all(&checkpoints).map_err(writing(&checkpoints))?;
        let lock = lock(folder)?;
        remove_run(folder)?;
        Self::start(folder, lock, &[], config, command)
    }

    /// Goes on with a run after `history`, which its last checkpoint has; `config` may differ from the run's in what
    /// [`Config::conflict_with`] allows.
    ///
    /// # Errors
    /// [`RunError::Busy`] if the run goes on already; [`RunError::Write`].
    pub fn resume(run: &Run, history: &[Epoch], config: &Config, command: &str) -> Result<Self, RunError> {
        let folder = run.folder();
        let lock = lock(folder)?;
        remove_file(&folder.join(RESULT))?;
        Self::start(folder, lock, history, config, command)
    }

    fn start(
        folder: &Path,
        lock: File,
        history: &[Epoch],
        config: &Config,
        command: &str,
    ) -> Result<Self, RunError> {
        write_json(&folder.join(CONFIG), config)?;
        let path = folder.join(COMMAND);
        write_whole(&path, format!("{command}\n").as_bytes()).map_err(writing(&path))?;
        let events = EventFile::create(folder, history.len() as u64 + 1).map_err(writing(folder))?;
        let times = Times::after(folder, history.len())?;
        let recorder = Self { folder: folder.to_owned(), events, times, _lock: lock };
        recorder.write_history(history)?;
        Ok(recorder)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Records an epoch by its state.
    ///
    /// # Errors
    /// If the disk is full, or whatever else keeps a file from being written. The checkpoint comes before all that shows
    /// the epoch, so the run can be resumed from the last epoch for which this, or the last one before, did not fail.
    pub fn epoch(&mut self, done: &Resumable, rates: &Rates) -> Result<(), RunError> {
        let history = &done.state.history;
        let Some(epoch) = history.last() else { return Ok(()) };
        // a checkpoint whose time is not known would be worse than a time without its checkpoint
        self.times.end_epoch()?;
        done.save(&self.folder.join(CHECKPOINTS).join(checkpoint_name(epoch.epoch)))?;
        self.write_history(history)?;
        let mut scalars = history::scalars(epoch);
        scalars.push(("learning_rate".into(), rates.learning_rate));
        scalars.push(("samples_per_second".into(), rates.samples_per_second));
        let path = self.events.path().to_owned();
        self.events.scalars(epoch.epoch.into(), &scalars).map_err(writing(&path))?;
        self.remove_old_checkpoints(history)
    }

    /// Seconds that all epochs of the run took, however often it was resumed; `None` where `times.json` has not those of the
    /// epochs before.
    pub fn seconds(&self) -> Option<f64> {
        self.times.seconds()
    }

    /// Records how the run ended.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub fn end(&self, outcome: &Outcome) -> Result<(), RunError> {
        write_json(&self.folder.join(RESULT), outcome)
    }

    /// Writes `export.json`: `report` has the fields of [`Exported`](super::Exported) but for `model`, which is where the
    /// model file is.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub fn exported(&self, report: &impl Serialize, model: &Path) -> Result<(), RunError> {
        let mut report = serde_json::to_value(report).expect("a report has only names for keys");
        let model = noted(&self.folder, model).map_err(writing(model))?;
        report["model"] =
            serde_json::to_value(&model).map_err(|_| RunError::NotText { path: model.clone() })?;
        write_json(&self.folder.join(EXPORT), &report)
    }

    /// Writes `device.json`: a report with the fields of [`OnDevice`](super::OnDevice).
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub fn on_device(&self, report: &impl Serialize) -> Result<(), RunError> {
        write_json(&self.folder.join(DEVICE), report)
    }

    fn write_history(&self, history: &[Epoch]) -> Result<(), RunError> {
        for (name, text) in
            [(HISTORY_JSON, history::to_json(history)), (HISTORY_CSV, history::to_csv(history))]
        {
            let path = self.folder.join(name);
            write_whole(&path, text.as_bytes()).map_err(writing(&path))?;
        }
        Ok(())
    }

    /// All but the last few and the best one.
    fn remove_old_checkpoints(&self, history: &[Epoch]) -> Result<(), RunError> {
        let best = best_epoch(history);
        let checkpoints = checkpoints_in(&self.folder)?;
        let old = &checkpoints[..checkpoints.len().saturating_sub(KEPT)];
        old.iter().filter(|(epoch, _)| Some(*epoch) != best).try_for_each(|(_, path)| remove_file(path))
    }
}

/// How fast an epoch learned and how fast it went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// The learning rate of its last step.
    pub learning_rate: f64,
    /// Training samples met in a second.
    pub samples_per_second: f64,
}

/// Refuses a folder with something in it that must stay.
fn check_free(folder: &Path, earlier: Earlier) -> Result<(), RunError> {
    if holds_nothing(folder).map_err(|source| RunError::Read { path: folder.to_owned(), source })? {
        return Ok(());
    }
    if !folder.join(CONFIG).is_file() {
        return Err(RunError::NotEmpty { path: folder.to_owned() });
    }
    if earlier == Earlier::Replace {
        return Ok(());
    }
    let run = Run::open(folder)?;
    match run.checkpoints()?.pop() {
        // nothing is lost with a run that finished no epoch
        None => Ok(()),
        Some((epochs, _)) => Err(RunError::Taken { path: folder.to_owned(), cell: run.config.cell, epochs }),
    }
}

/// Whether a folder is not there, or holds no more than a run that could not write its first file leaves behind.
fn holds_nothing(folder: &Path) -> io::Result<bool> {
    let names = |folder: &Path| match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name())).collect(),
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(reason) => Err(reason),
    };
    if names(folder)?.iter().any(|name| name != LOCK && name != CHECKPOINTS) {
        return Ok(false);
    }
    Ok(names(&folder.join(CHECKPOINTS))?.is_empty())
}

/// Deletes the files of a run.
fn remove_run(folder: &Path) -> Result<(), RunError> {
    for (_, path) in checkpoints_in(folder)? {
        remove_file(&path)?;
    }
    for name in [RESULT, EXPORT, DEVICE, TIMES, HISTORY_JSON, HISTORY_CSV, COMMAND, CONFIG] {
        remove_file(&folder.join(name))?;
    }
    let reading = |source| RunError::Read { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(reading)? {
        let entry = entry.map_err(reading)?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            remove_file(&entry.path())?;
        }
    }
    Ok(())
}

/// Keeps others from writing to the folder as long as this process has the file open.
fn lock(folder: &Path) -> Result<File, RunError> {
    let path = folder.join(LOCK);
    let open = File::options().create(true).truncate(false).write(true).open(&path);
    let file = open.map_err(writing(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RunError::Busy { path: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(RunError::Write { path, source }),
    }
}

fn remove_file(path: &Path) -> Result<(), RunError> {
    match fs::remove_file(path) {
        Err(reason) if reason.kind() != io::ErrorKind::NotFound => {
            Err(RunError::Write { path: path.to_owned(), source: reason })
        }
        _ => Ok(()),
    }
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), RunError> {
    let mut text = serde_json::to_string_pretty(value).expect("records have only names for keys");
    text.push('\n');
    write_whole(path, text.as_bytes()).map_err(writing(path))
}
