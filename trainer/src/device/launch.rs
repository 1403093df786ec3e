//! All that is needed to start an emulated board, as often as one likes.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::board::Board;
use super::error::DeviceError;
use super::firmware::{self, Firmware};
use super::qemu::{Emulator, EmulatorError, Mode};
use crate::model_file::ModelFile;
use crate::setup::{Qemu, qemu};

/// A QEMU and firmware to run in it.
pub(super) struct Launch {
    pub(super) qemu: Qemu,
    pub(super) board: Board,
    pub(super) firmware: Firmware,
    /// For the files of the run.
    pub(super) folder: PathBuf,
}

impl Launch {
    /// Finds QEMU and builds the firmware.
    pub(super) fn prepare(board: Board, models: &[&ModelFile], folder: &Path) -> Result<Self, DeviceError> {
        let qemu = qemu(board.name(), board.minimum_qemu())?;
        let firmware = firmware::build(board, models, folder)?;
        Ok(Self { qemu, board, firmware, folder: folder.to_owned() })
    }

    /// Starts a board; QEMU and the firmware write their files into `folder`.
    pub(super) fn start(&self, mode: Mode<'_>, folder: &Path) -> Result<Emulator, EmulatorError> {
        Emulator::start(&self.qemu, self.board, &self.firmware, mode, folder)
    }
}

/// A folder for the files of a run, removed when it is dropped.
pub(super) fn run_folder() -> Result<TempDir, DeviceError> {
    let action = "make a folder for the files of the run here";
    TempDir::with_prefix("refrain-").map_err(|reason| DeviceError::File {
        path: std::env::temp_dir(),
        action,
        reason,
    })
}
