//! A model validated on the board that it is to run on.

use refrain::Shape;
use serde::Serialize;

use super::profile::{self, Costs};
use super::report::{DeviceReport, Judged, judge};
use super::work::Work;
use super::{Board, DeviceError, Ready, Stage, Target, Via, check, link};
use crate::data::SplitView;
use crate::evaluate::{Evaluation, Scores};
use crate::model_file::ModelFile;

/// What came of a validation: all that a [`run`](super::run) tells, how the host does on the same samples, and what each
/// part of an inference costs.
///
/// As JSON it is one object: the fields of [`DeviceReport`] and those below side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Validation {
    /// What ran.
    pub model: ModelFacts,
    /// Where, and what came of it.
    #[serde(flatten)]
    pub on_board: DeviceReport,
    /// Version of the board's firmware.
    pub firmware: String,
    /// Version of the QEMU that emulated the board; `None` for a real board.
    pub qemu: Option<String>,
    /// The serial port of a real board; `None` for an emulated one.
    pub port: Option<String>,
    /// The board's processor, where that is known.
    pub core: Option<&'static str>,
    /// What it is clocked with, in Hz, where that is known.
    pub clock_hz: Option<u32>,
    /// The milliseconds that an inference takes at that clock at least: one instruction a cycle, and no wait states. An
    /// estimate; `None` where the board cannot count instructions or its clock is not known.
    pub least_milliseconds_per_inference: Option<f64>,
    /// What the host made of the same samples.
    pub host: HostFigures,
    /// What each part of an inference costs.
    pub profile: Costs,
    /// The board's answers.
    #[serde(skip)]
    pub answers: Evaluation,
}

/// A model file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelFacts {
    /// Its name, which the file carries.
    pub name: String,
    /// The file.
    pub file: String,
    /// Sizes of its network.
    pub shape: Shape,
    /// CRC-32 at its end, eight hexadecimal digits: tells which model a board holds.
    pub crc32: String,
}

/// What the host made of the samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostFigures {
    /// How good its answers are.
    #[serde(flatten)]
    pub scores: Scores,
    /// SHA-256 of its logits, as that of the board's.
    pub logits_sha256: String,
}

/// Runs `file` over `samples` on a board and on the host, compares every logit, and has the board measure what each part
/// of an inference costs, over the first of the samples.
///
/// `progress` is told now and then how far that is. A logit that differs is no error here: see
/// [`DeviceReport::host_matches`].
///
/// # Errors
/// [`DeviceError`].
pub fn validate(
    target: &Target,
    via: Via,
    file: &ModelFile,
    samples: SplitView<'_>,
    progress: &mut dyn FnMut(Stage),
) -> Result<Validation, DeviceError> {
    check(target, via, file, samples)?;
    progress(Stage::Preparing);
    let (ready, work) = (Ready::new(target, file)?, Work::new(file, samples));
    let outcome = ready.classify(via, file, &work, progress)?;
    progress(Stage::Measuring);
    // A board of its own, for what was counted of the samples is told already.
    let (hello, profile) = match &ready {
        Ready::Emulated { launch, .. } => {
            link::with_emulator(launch, |client| profile::measure(client, file, &work))?
        }
        Ready::Port(port) => link::with_port(port, |client| profile::measure(client, file, &work))?,
    };
    let (qemu, port) = match &ready {
        Ready::Emulated { launch, .. } => (Some(launch.qemu.version.to_string()), None),
        Ready::Port(port) => (None, Some((*port).to_owned())),
    };
    let known = hello.board.parse::<Board>().ok();
    let Judged { report, board, host } = judge(file, outcome, samples)?;
    let core = known.map(|board| match &ready {
        Ready::Emulated { .. } => board.emulated_core(),
        Ready::Port(_) => board.core(),
    });
    let clock_hz = known.map(Board::clock_hz);
    let least = |(instructions, clock): (u64, u32)| 1e3 * instructions as f64 / f64::from(clock);
    Ok(Validation {
        model: ModelFacts::of(file),
        least_milliseconds_per_inference: report.instructions_per_inference.zip(clock_hz).map(least),
        on_board: report,
        firmware: hello.firmware,
        qemu,
        port,
        core,
        clock_hz,
        host: HostFigures { scores: host.scores, logits_sha256: host.logits_sha256 },
        profile,
        answers: board,
    })
}

impl ModelFacts {
    fn of(file: &ModelFile) -> Self {
        let model = file.model();
        let header = model.header();
        Self {
            name: header.name.as_str().into(),
            file: file.name().into(),
            shape: header.shape,
            crc32: format!("{:08x}", model.crc()),
        }
    }
}
