//! What can be wrong with a run folder.

use std::io;
use std::path::PathBuf;

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
}
