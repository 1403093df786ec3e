//! Models side by side in one firmware, run as often as one likes, with a plugin of QEMU's to watch them.

use std::sync::atomic::{AtomicUsize, Ordering};

use refrain::link::Statistics;

use super::board::Board;
use super::elf;
use super::error::DeviceError;
use super::firmware::Firmware;
use super::launch::{Launch, RunFolder};
use super::memory::{Order, run_job};
use super::work::Work;
use crate::data::SplitView;
use crate::evaluate::check_data;
use crate::model_file::ModelFile;
use crate::setup::Qemu;

/// Firmware with models in it, and the emulated board that it runs on. Several threads may [`run`](Self::run) it at
/// once, each on a board of its own.
pub struct Bench {
    models: Vec<ModelFile>,
    launch: Launch,
    /// Names the folders of the runs.
    runs: AtomicUsize,
    /// Holds the firmware, and the files of each run as long as it lasts.
    _folder: RunFolder,
}

/// What came out of a [`Bench`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BenchRun {
    /// The logits of each answer in order, four bytes each, as in
    /// [`Evaluation::logits`](crate::evaluate::Evaluation::logits).
    pub logits: Vec<u8>,
    /// What the board has counted.
    pub statistics: Statistics,
}

impl Bench {
    /// Finds QEMU and builds the firmware of `board` around `models`, with these features of its package.
    ///
    /// # Errors
    /// [`DeviceError::Setup`] or [`DeviceError::Firmware`].
    pub fn prepare(board: Board, models: &[&ModelFile], features: &[&str]) -> Result<Self, DeviceError> {
        let folder = RunFolder::new()?;
        let launch = Launch::prepare(board, models, features, folder.path())?;
        let models = models.iter().map(|&model| model.clone()).collect();
        Ok(Self { models, launch, runs: AtomicUsize::new(0), _folder: folder })
    }

    /// The QEMU that emulates the board.
    pub fn qemu(&self) -> &Qemu {
        &self.launch.qemu
    }

    /// The firmware.
    pub fn firmware(&self) -> &Firmware {
        &self.launch.firmware
    }

    /// The models, in the order of their numbers.
    pub fn models(&self) -> &[ModelFile] {
        &self.models
    }

    /// The address of a function of the firmware, by its symbol; `None` where there is no such symbol.
    ///
    /// # Errors
    /// [`DeviceError::Firmware`] where the program cannot be read.
    pub fn address_of(&self, symbol: &str) -> Result<Option<u64>, DeviceError> {
        Ok(elf::address_of(&self.launch.firmware.elf, symbol)?)
    }

    /// Boots a board and classifies `samples` with the model of that `number`. `plugin` is what QEMU takes behind
    /// `-plugin`: a plugin and its arguments.
    ///
    /// # Errors
    /// [`DeviceError`]; [`EmulatorError::Ended`](super::qemu::EmulatorError::Ended) too where the samples are more
    /// than the board's memory holds.
    ///
    /// # Panics
    /// If there is no model of that number.
    pub fn run(
        &self,
        number: usize,
        samples: SplitView<'_>,
        plugin: Option<&str>,
    ) -> Result<BenchRun, DeviceError> {
        let file = &self.models[number];
        check_data(file, samples)?;
        let work = Work::new(file, samples);
        let name = format!("run-{}", self.runs.fetch_add(1, Ordering::Relaxed));
        let order = Order { name, model: number as u32, sequences: 0..work.count(), plugin };
        let answers = run_job(&self.launch, &work, &order, |_| {})?;
        Ok(BenchRun { logits: answers.logits, statistics: answers.statistics })
    }
}
