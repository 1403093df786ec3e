//! A model on a board: the same samples on the board and on the host, and every logit compared.
//!
//! As a run goes: [`run`] classifies on the host, finds QEMU ([`crate::setup`]), builds firmware around the model
//! ([`firmware`]), boots it ([`qemu`]) and lets the board classify, either row by row over the link
//! ([`crate::link`]) or from its memory. A real board is reached over a serial port and already runs the
//! firmware. [`validate`] does the same, and then has the board measure what each part of an inference costs.

mod bench;
mod board;
mod elf;
mod error;
pub mod firmware;
mod guard;
mod launch;
mod link;
pub mod log;
mod memory;
pub mod monitor;
mod profile;
pub mod qemu;
mod report;
mod update;
mod validation;
mod work;

use std::time::{Duration, Instant};

use refrain::link::{Boot, Statistics};

pub use bench::{Bench, BenchRun};
pub use board::{Board, JobMemory};
pub use error::DeviceError;
pub use launch::end_runs;
pub use profile::{Costs, PartCost, WithoutZeros};
pub use report::{DeviceReport, FlashBytes, Mismatch, RamBytes};
pub use update::{Revision, Update, UpdateError, UpdateReport, UpdateStage, UsedModel, update, update_over};
pub use validation::{HostFigures, ModelFacts, Validation, validate};

use crate::data::SplitView;
use crate::evaluate::check_data;
use crate::link::LineRate;
use crate::model_file::ModelFile;
use crate::setup;
use firmware::Firmware;
use launch::{Launch, RunFolder};
use link::Piece;
use qemu::Mode;
use work::Work;

/// With more samples than this an emulated board gets them in its memory, unless it is told otherwise.
const MOST_BY_LINK: usize = 100;

/// How long a self-test may take.
const SELF_TEST_PATIENCE: Duration = Duration::from_secs(120);

/// The board to run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// QEMU emulates it, and runs firmware that is built around the model.
    Emulated(Board),
    /// A real one at a serial port, which runs firmware that holds the model.
    Port(String),
}

/// How samples get to the board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Via {
    /// In memory where QEMU can fill that and there are more than 100 samples, otherwise over the link.
    #[default]
    Auto,
    /// In the [memory](Board::job_memory) of an emulated board, many at once.
    Memory,
    /// Over the UART, row by row.
    Link,
    /// Over the UART, a whole sequence in a request.
    Sequences,
}

/// What a run is doing, for whoever waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Finding QEMU and building the firmware, or opening the port.
    Preparing,
    /// The board is classifying.
    Classifying {
        /// Samples classified so far.
        done: usize,
        /// All samples.
        total: usize,
    },
    /// The board measures the parts of some inferences.
    Measuring,
}

/// What came out of a board.
struct Outcome {
    board: String,
    logits: Vec<u8>,
    statistics: Statistics,
    retries: u64,
    /// Why the board started again in the course of the run, if it did.
    started_again: Option<Boot<String>>,
    seconds: f64,
    via: &'static str,
    line: Option<LineRate>,
    firmware: Option<Firmware>,
}

/// Runs `file` over `samples`, sequences of any lengths, on a board and on the host, and compares every logit.
///
/// `progress` is told now and then how far the run is. A logit that differs is no error here: see
/// [`DeviceReport::host_matches`].
///
/// # Errors
/// [`DeviceError`].
pub fn run(
    target: &Target,
    via: Via,
    file: &ModelFile,
    samples: SplitView<'_>,
    progress: &mut dyn FnMut(Stage),
) -> Result<DeviceReport, DeviceError> {
    check(target, via, file, samples)?;
    progress(Stage::Preparing);
    let work = Work::new(file, samples);
    let outcome = Ready::new(target, file)?.classify(via, file, &work, progress)?;
    Ok(report::judge(file, outcome, samples)?.report)
}

/// Refuses what is asked in vain before there is any work.
fn check(target: &Target, via: Via, file: &ModelFile, samples: SplitView<'_>) -> Result<(), DeviceError> {
    if matches!(target, Target::Port(_)) && via == Via::Memory {
        return Err(DeviceError::MemoryOfRealBoard);
    }
    if let &Target::Emulated(board) = target {
        check_way(board, via)?;
    }
    Ok(check_data(file, samples)?)
}

/// As [`run`] of each of `files` on an emulated board; one program holds all models.
///
/// # Errors
/// [`DeviceError`].
pub fn run_all(
    board: Board,
    via: Via,
    files: &[ModelFile],
    samples: SplitView<'_>,
) -> Result<Vec<DeviceReport>, DeviceError> {
    check_way(board, via)?;
    files.iter().try_for_each(|file| check_data(file, samples))?;
    let folder = RunFolder::new()?;
    let launch = Launch::prepare(board, &files.iter().collect::<Vec<_>>(), &[], folder.path())?;
    let of = |(number, file)| {
        let outcome = emulated(&launch, number, via, file, &Work::new(file, samples), &mut |_| {})?;
        Ok(report::judge(file, outcome, samples)?.report)
    };
    (0..).zip(files).map(of).collect()
}

/// Sees to it that an emulated `board` can be had: finds QEMU and the Rust target, or installs them where that is
/// allowed. [`run`] does that too; whoever has long work to do before it calls this first.
///
/// # Errors
/// [`DeviceError::Setup`] or [`DeviceError::Firmware`].
pub fn set_up(board: Board) -> Result<(), DeviceError> {
    setup::qemu(board.name(), board.minimum_qemu())?;
    Ok(firmware::set_up(board)?)
}

/// Builds firmware around the models and runs its self-test on an emulated board: that of the hardware, and the
/// sequences that each model file carries with the logits that they must give.
///
/// # Errors
/// [`DeviceError`]; where the self-test is not passed, [`qemu::EmulatorError::Ended`], or [`DeviceError::Link`] of the
/// firmware of a real board.
pub fn self_test(board: Board, models: &[&ModelFile]) -> Result<(), DeviceError> {
    let folder = RunFolder::new()?;
    let launch = Launch::prepare(board, models, &[], folder.path())?;
    if !board.asks_qemu() {
        // It tests itself before it answers the first request.
        return link::greet(&launch);
    }
    let mut emulator = launch.start(Mode::SelfTest, folder.path())?;
    Ok(emulator.finish(SELF_TEST_PATIENCE)?)
}

/// Samples get to the board's memory only where it has some for them.
fn check_way(board: Board, via: Via) -> Result<(), DeviceError> {
    match via {
        Via::Memory => memory::job_memory(board).map(|_| ()),
        Via::Auto | Via::Link | Via::Sequences => Ok(()),
    }
}

/// A run under QEMU, of the program's model of that number.
fn emulated(
    launch: &Launch,
    model: u32,
    via: Via,
    file: &ModelFile,
    work: &Work,
    classified: &mut dyn FnMut(usize),
) -> Result<Outcome, DeviceError> {
    if in_memory(launch.board, via, work.count()) {
        return from_memory(launch, model, work, classified);
    }
    link::on_emulator(launch, Piece::of(via), file, work, classified)
}

/// A board that can be given samples, as often as one likes.
enum Ready<'t> {
    /// QEMU and the firmware are there.
    Emulated { launch: Launch, _folder: RunFolder },
    /// A serial port, not opened yet.
    Port(&'t str),
}

impl<'t> Ready<'t> {
    /// For an emulated board finds QEMU and builds firmware around `file`.
    fn new(target: &'t Target, file: &ModelFile) -> Result<Self, DeviceError> {
        Ok(match target {
            Target::Emulated(board) => {
                let folder = RunFolder::new()?;
                let launch = Launch::prepare(*board, &[file], &[], folder.path())?;
                Self::Emulated { launch, _folder: folder }
            }
            Target::Port(port) => Self::Port(port),
        })
    }

    /// Has the board answer all of `work`.
    fn classify(
        &self,
        via: Via,
        file: &ModelFile,
        work: &Work,
        progress: &mut dyn FnMut(Stage),
    ) -> Result<Outcome, DeviceError> {
        let total = work.count();
        let mut classified = |done| progress(Stage::Classifying { done, total });
        match self {
            Self::Emulated { launch, .. } => emulated(launch, 0, via, file, work, &mut classified),
            Self::Port(port) => link::on_port(port, Piece::of(via), file, work, &mut classified),
        }
    }
}

/// A run under QEMU, of sequences in memory for the program's model of that number.
fn from_memory(
    launch: &Launch,
    model: u32,
    work: &Work,
    classified: &mut dyn FnMut(usize),
) -> Result<Outcome, DeviceError> {
    let start = Instant::now();
    let answers = memory::classify(launch, model, work, classified)?;
    Ok(Outcome {
        board: launch.board.name().into(),
        logits: answers.logits,
        statistics: answers.statistics,
        retries: 0,
        started_again: None,
        seconds: start.elapsed().as_secs_f64(),
        via: "memory",
        line: None,
        firmware: Some(launch.firmware.clone()),
    })
}

/// Whether an emulated board gets `samples` samples in its memory.
fn in_memory(board: Board, via: Via, samples: usize) -> bool {
    match via {
        Via::Auto => samples > MOST_BY_LINK && board.job_memory().is_some(),
        Via::Memory => true,
        Via::Link | Via::Sequences => false,
    }
}
