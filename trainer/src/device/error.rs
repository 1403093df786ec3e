//! What can go wrong with a board.

use std::io;
use std::path::PathBuf;

use refrain::link::Boot;

use super::firmware::FirmwareError;
use super::log::LogError;
use super::qemu::EmulatorError;
use super::update::UpdateError;
use crate::evaluate::EvaluateError;
use crate::link::LinkError;
use crate::setup::SetupError;

/// Why a model was not run on a board.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// There is no board of that name.
    #[error("there is no board {name}; the boards are: {known}")]
    UnknownBoard {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// A real board's memory cannot be filled from here.
    #[error("--via memory is for emulated boards, whose memory QEMU fills; use --via link with --port")]
    MemoryOfRealBoard,
    /// The firmware of that board takes nothing from its memory.
    #[error(
        "--via memory is not for the board {board}, whose firmware is that of a real board and answers over the link \
         alone; use --via link"
    )]
    NoJobMemory {
        /// The board.
        board: &'static str,
    },
    /// The data is not the model's.
    #[error(transparent)]
    Data(#[from] EvaluateError),
    /// A tool is not to be had.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The firmware is not to be had.
    #[error(transparent)]
    Firmware(#[from] FirmwareError),
    /// The emulated board ended or did not end.
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
    /// The board gives no answer, or a wrong one.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A model did not take another one's place.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// The board starts again and again, or did so and then gave no answer.
    #[error("the board started again in the middle of the run, after {boot}; then {reason}")]
    StartedAgain {
        /// Why it did, the last time.
        boot: Boot<String>,
        /// What came of it.
        reason: LinkError,
    },
    /// The board's log is not to be had.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The serial port cannot be opened.
    #[error("{port}: cannot open this serial port: {reason}")]
    Port {
        /// The port.
        port: String,
        /// What the system says.
        reason: io::Error,
    },
    /// The board holds other models.
    #[error(
        "{model}: the board {board} does not hold this model (CRC-32 {crc:08x}), it holds: {held}; put it in the place of \
         one of its kind by refrain update, or flash firmware that was built with it"
    )]
    WrongModel {
        /// The model file.
        model: String,
        /// The board.
        board: String,
        /// The file's CRC-32.
        crc: u32,
        /// The models that the board holds.
        held: String,
    },
    /// A whole sequence in a request has one answer.
    #[error(
        "--via sequences is for models that answer after a sequence's last timestep, this one answers every timestep; \
         use --via link"
    )]
    SequencesOfEveryStep,
    /// One sequence is more than the board takes in a request.
    #[error(
        "sample {sequence} has {bytes} bytes, the board takes sequences of at most {room} at once; use --via link"
    )]
    SequenceTooLong {
        /// Number of the sequence.
        sequence: usize,
        /// Its bytes.
        bytes: usize,
        /// Bytes that there is room for.
        room: usize,
    },
    /// One sequence is more than the board's memory holds.
    #[error(
        "sample {sequence} takes {bytes} bytes with its logits, more than the {memory} bytes of memory that the board has \
         for them; use --via link"
    )]
    JobTooLarge {
        /// Number of the sequence.
        sequence: usize,
        /// Bytes of its length, its rows and its logits.
        bytes: usize,
        /// Bytes that there are.
        memory: usize,
    },
    /// The emulated board tells nothing of its progress.
    #[error(
        "the emulated board is silent: it told nothing of its progress for {seconds} s; for long sequences of a large model use --via link"
    )]
    NoProgress {
        /// How long it was waited for.
        seconds: u64,
    },
    /// The emulated board refuses a job.
    #[error("the emulated board refuses the job in its memory: {0}")]
    JobRefused(refrain::link::Refusal),
    /// The emulated board ended without telling what it counted.
    #[error("the emulated board ended without telling its statistics; its firmware is at fault")]
    NoStatistics,
    /// The file of logits that the firmware wrote is not whole.
    #[error("{path}: the logits that the board wrote are damaged: {problem}")]
    Logits {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file for the run cannot be made or read.
    #[error("{path}: cannot {action}: {reason}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was attempted.
        action: &'static str,
        /// What the system says.
        reason: io::Error,
    },
}

/// Names the file in an error of the system.
pub(super) fn in_file(path: &std::path::Path, action: &'static str) -> impl FnOnce(io::Error) -> DeviceError {
    move |reason| DeviceError::File { path: path.to_owned(), action, reason }
}
