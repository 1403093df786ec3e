//! Why a command failed, and with which exit status.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use refrain::SelfTestError;
use refrain_trainer::checkpoint::CheckpointError;
use refrain_trainer::data::{DataError, Source};
use refrain_trainer::device::DeviceError;
use refrain_trainer::evaluate::EvaluateError;
use refrain_trainer::model_file::ModelFileError;
use refrain_trainer::plot::PlotError;
use refrain_trainer::quantise::ExportError;
use refrain_trainer::run::RunError;
use refrain_trainer::train::TrainError;

/// The exit status after Ctrl-C or its like: 128 and its number, as shells have it.
pub(super) const INTERRUPTED_STATUS: u8 = 130;

/// Every message is one sentence that names the file or flag, what was found and what was expected.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error("{path}: {source}")]
    Export { path: PathBuf, source: ExportError },
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(
        "{first} was trained on {data} and {other} on {other_data}, which differ by their fingerprints; a report compares \
         runs of the same data, so write one for each"
    )]
    RunsOnOtherData { first: PathBuf, data: String, other: PathBuf, other_data: String },
    #[error("{flag} {path}: {problem}")]
    Destination { flag: &'static str, path: PathBuf, problem: String },
    #[error("{path}: cannot write it: {reason}")]
    Write { path: PathBuf, reason: io::Error },
    #[error("cannot make a temporary folder: {0}")]
    Temporary(io::Error),
    #[error("{path}: cannot read it: {reason}")]
    Read { path: PathBuf, reason: io::Error },
    #[error(
        "{path} is neither a model file, which begins with \"RFRN\", nor a checkpoint, which begins with \"REFRCKPT\""
    )]
    UnknownFile { path: PathBuf },
    #[error(
        "{path} is a checkpoint where a model file is expected; make one with: refrain export {path} --out MODEL.rfn"
    )]
    CheckpointAsModel { path: PathBuf },
    #[error("{path} is a model file where a checkpoint is expected; only refrain train writes those")]
    ModelAsCheckpoint { path: PathBuf },
    #[error(
        "{path} is for {expected}, but the data set {data} has {found}; name the set that it was trained on by --data"
    )]
    OtherData { path: PathBuf, expected: String, data: String, found: String },
    #[error(
        "{path} was trained on the data set {name}, which cannot be found by that name alone; say where it is by --data"
    )]
    DataNotNamed { path: PathBuf, name: String },
    #[error(
        "{path} was trained on a data set {name} of fingerprint {expected}, but {set} is one of fingerprint {found} \
         here; say by --data where the right one is, or which other one to take"
    )]
    DataChanged { path: PathBuf, name: String, expected: String, set: Source, found: String },
    #[error(
        "{path}: {source}; either the file was made by a faulty program or this machine computes wrongly"
    )]
    SelfTest { path: PathBuf, source: SelfTestError },
    #[error(
        "{place}, logit {logit}: the board {board} computed {found:#010x} where the host computed {expected:#010x}; their \
         programs were built from different sources, or one of them computes wrongly"
    )]
    BoardDiffers { board: String, place: String, logit: usize, found: u32, expected: u32 },
    #[error("{cause}; {kept}")]
    Stopped { cause: TrainError, kept: String },
    #[error("interrupted in epoch {epoch} of {cell}; {kept}")]
    Interrupted { cell: &'static str, epoch: u32, kept: String },
    #[error("--resume needs --out or --run to say which run is meant")]
    ResumeWhat,
    #[error("{source}; {kept}")]
    NotRecorded { source: Box<RunError>, kept: String },
    #[error("cannot listen for Ctrl-C and its like: {0}")]
    Signal(io::Error),
    #[error("cannot start {threads} threads: {source}")]
    Threads { threads: usize, source: rayon::ThreadPoolBuildError },
    #[error("cannot write the result to stdout: {0}")]
    Stdout(io::Error),
}

impl CliError {
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Interrupted { .. } => ExitCode::from(INTERRUPTED_STATUS),
            _ => ExitCode::FAILURE,
        }
    }
}
