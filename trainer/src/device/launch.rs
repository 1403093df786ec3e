//! All that is needed to start an emulated board, as often as one likes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

use super::board::Board;
use super::error::{DeviceError, in_file};
use super::firmware::{self, Firmware};
use super::guard::Guard;
use super::qemu::{self, Emulator, EmulatorError, Mode};
use crate::model_file::ModelFile;
use crate::setup::{Qemu, qemu as find_qemu};

/// A QEMU and firmware to run in it.
pub(super) struct Launch {
    pub(super) qemu: Qemu,
    pub(super) board: Board,
    pub(super) firmware: Firmware,
    /// For the files of the run.
    pub(super) folder: PathBuf,
}

impl Launch {
    /// Finds QEMU and builds the firmware, with these features.
    pub(super) fn prepare(
        board: Board,
        models: &[&ModelFile],
        features: &[&str],
        folder: &Path,
    ) -> Result<Self, DeviceError> {
        let qemu = find_qemu(board.name(), board.minimum_qemu())?;
        let firmware = firmware::build(board, models, features, folder)?;
        Ok(Self { qemu, board, firmware, folder: folder.to_owned() })
    }

    /// Starts a board; QEMU and the firmware write their files into `folder`.
    pub(super) fn start(&self, mode: Mode<'_>, folder: &Path) -> Result<Emulator, EmulatorError> {
        Emulator::start(&self.qemu, self.board, &self.firmware, mode, folder)
    }
}

/// The folders of all runs that go on.
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A folder for the files of a run, removed when it is dropped, by [`end_runs`], or when this program is killed.
pub(super) struct RunFolder {
    folder: TempDir,
    _guard: Guard,
}

impl RunFolder {
    pub(super) fn new() -> Result<Self, DeviceError> {
        let above = std::env::temp_dir();
        let made = TempDir::with_prefix("refrain-");
        let folder = made.map_err(in_file(&above, "make a folder for the files of the run here"))?;
        let guarded = Guard::of_folder(folder.path());
        let guard = guarded.map_err(in_file(folder.path(), "see to it that this folder goes again"))?;
        folders().push(folder.path().to_owned());
        Ok(Self { folder, _guard: guard })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        folders().retain(|folder| folder != self.path());
    }
}

fn folders() -> MutexGuard<'static, Vec<PathBuf>> {
    FOLDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends every emulated board and removes the files of its run: for a program that is about to end in the middle of one.
pub fn end_runs() {
    qemu::end_all();
    remove(&std::mem::take(&mut *folders()));
}

fn remove(folders: &[PathBuf]) {
    for folder in folders {
        // The program ends either way, and there is nobody left who could do more about it.
        let _ = fs::remove_dir_all(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_run_do_not_outlive_it_nor_the_program() {
        let (ended, cut_short) = (RunFolder::new().unwrap(), RunFolder::new().unwrap());
        let paths = [&ended, &cut_short].map(|folder| folder.path().to_owned());
        assert!(paths.iter().all(|path| path.is_dir()));
        drop(ended);
        assert_eq!(paths.each_ref().map(|path| path.is_dir()), [false, true]);
        fs::write(cut_short.path().join("firmware.elf"), b"a program").unwrap();
        assert!(folders().contains(&paths[1]) && !folders().contains(&paths[0]));
        remove(&paths);
        assert!(!paths[1].exists());
    }
}
