//! What can be wrong with a run folder.

use std::io;
use std::path::{Path, PathBuf};

use super::config::Conflict;
use crate::checkpoint::CheckpointError;

/// Why a run folder cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The operating system refused to read.
    #[error("cannot read {path} of the run: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The operating system refused to write.
    #[error("cannot write {path} of the run: {source}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A folder of another kind, or none.
    #[error("{path} is no run folder: it has no config.json, which refrain train writes there first")]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// A file that is not what this program writes there.
    #[error("{path} cannot be understood ({reason}); it was changed or cut after refrain train wrote it")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        reason: serde_json::Error,
    },
    /// A folder of another version of this program.
    #[error("{path} has format {found} where this program reads format {expected}; train it again")]
    Format {
        /// Its `config.json`.
        path: PathBuf,
        /// The file's.
        found: u32,
        /// This program's.
        expected: u32,
    },
    /// A run that would be lost.
    #[error(
        "{path} holds a run of {cell} already, {epochs} epochs of it done; --resume goes on with it, --overwrite \
         replaces it, --run names another folder"
    )]
    Taken {
        /// The folder.
        path: PathBuf,
        /// The run's cell.
        cell: String,
        /// Its last checkpoint's epoch.
        epochs: u32,
    },
    /// A folder with something else in it.
    #[error("{path} is not empty and is no run folder; name another by --run")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A path that no JSON can hold.
    #[error("{path} is no Unicode text, so the run folder cannot note it; name another path")]
    NotText {
        /// The path.
        path: PathBuf,
    },
    /// Somebody else writes to it.
    #[error("another process is training in {path}; wait for its end, or name another folder by --run")]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// A run that ended, or was ended, in its first epoch.
    #[error("{path} has no checkpoint, for no epoch was finished; train it again without --resume")]
    NoCheckpoint {
        /// The folder.
        path: PathBuf,
    },
    /// A run cannot be resumed as another one.
    #[error(
        "{path} cannot be resumed: {conflict}; resume it with its own options, or train another by --run"
    )]
    Conflict {
        /// The folder.
        path: PathBuf,
        /// What differs.
        conflict: Conflict,
    },
    /// More or fewer epochs than the learning rate was planned for.
    #[error(
        "{path} cannot be resumed: its learning rate is planned over {found} epochs, and {asked} are asked for; leave \
         --epochs out, or train another run by --run"
    )]
    Schedule {
        /// The folder.
        path: PathBuf,
        /// The run's epochs.
        found: u32,
        /// Those asked for.
        asked: u32,
    },
    /// All epochs are done.
    #[error(
        "{path} is finished: {done} epochs are done and {epochs} are asked for, so there is nothing to resume"
    )]
    Finished {
        /// The folder.
        path: PathBuf,
        /// Epochs done.
        done: u32,
        /// Epochs asked for.
        epochs: u32,
    },
    /// It ended early and would do so again.
    #[error(
        "{path} is finished, it ended after epoch {done} because {patience} epochs brought no lower validation loss than \
         epoch {best}; a greater --patience goes on"
    )]
    StoppedEarly {
        /// The folder.
        path: PathBuf,
        /// Epochs done.
        done: u32,
        /// The epoch with the lowest validation loss.
        best: u32,
        /// The patience asked for.
        patience: u32,
    },
    /// The last checkpoint is damaged, or from elsewhere.
    #[error("{reason}{}", remedy(.path, .earlier))]
    Spoilt {
        /// What is wrong, with the file's name.
        reason: String,
        /// The file.
        path: PathBuf,
        /// The checkpoint before it.
        earlier: Option<PathBuf>,
    },
    /// A checkpoint that cannot be written or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// What to do about a checkpoint of no use.
fn remedy(path: &Path, earlier: &Option<PathBuf>) -> String {
    match earlier.as_ref().and_then(|earlier| earlier.file_name()) {
        Some(earlier) => format!("; delete {} to go on from {}", path.display(), earlier.display()),
        None => "; there is no earlier one, so train it again with --overwrite".into(),
    }
}

/// For `map_err`: a [`RunError::Write`] about `path`.
pub(super) fn writing(path: &Path) -> impl Fn(io::Error) -> RunError {
    move |source| RunError::Write { path: path.to_owned(), source }
}
