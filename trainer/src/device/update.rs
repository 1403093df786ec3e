//! Another model in the place of one on the board, over the link, and a look whether the board uses it.

use std::time::Instant;

use refrain::link::Source;
use refrain::{Header, Samples, Steps};
use serde::{Serialize, Serializer};

use super::Target;
use super::error::DeviceError;
use super::launch::{Launch, RunFolder};
use super::link::with_emulator;
use crate::evaluate::LOGIT_BYTES;
use crate::link::{Client, Description, LinkError, Transport};
use crate::model_file::ModelFile;

/// Most timesteps of the sequence that the board's new model is tried on.
const TRIAL_TIMESTEPS: usize = 28;

/// Why a model did not take another one's place.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The board has no such model.
    #[error("the board {board} holds no model {wanted}; it holds: {held}")]
    NoSuchModel {
        /// The board.
        board: String,
        /// The name or number that was asked for.
        wanted: String,
        /// Its models.
        held: String,
    },
    /// It is not clear whose place the model is to take.
    #[error(
        "{model}: the board {board} holds several models and none of this one's name, {name}; say by --replaces which one \
         it is to replace: {held}"
    )]
    WhichModel {
        /// The model file.
        model: String,
        /// The name in it.
        name: String,
        /// The board.
        board: String,
        /// Its models.
        held: String,
    },
    /// The model is of another kind.
    #[error(
        "{model} is {found}; the model {replaced} of the board {board} is {expected}, and only its like can take its place: \
         build firmware around the new model and flash that"
    )]
    OtherKind {
        /// The model file.
        model: String,
        /// What it is.
        found: String,
        /// The board.
        board: String,
        /// Its model.
        replaced: String,
        /// What that is.
        expected: String,
    },
    /// There is no revision left for another model.
    #[error(
        "the model {replaced} of the board {board} is revision {revision}, and a board takes no greater one: build firmware \
         around the new model and flash that"
    )]
    NoRevisionLeft {
        /// The board.
        board: String,
        /// Its model.
        replaced: String,
        /// Its revision.
        revision: u32,
    },
    /// The board started again and uses another model.
    #[error(
        "{model}: the board {board} took it as revision {revision} and, started again, uses {used}; its flash may be worn \
         out, or lost with the power"
    )]
    NotUsed {
        /// The model file.
        model: String,
        /// The board.
        board: String,
        /// Its revision.
        revision: u32,
        /// What is used.
        used: String,
    },
    /// The board uses the model and computes something else than the host.
    #[error(
        "{model}: the board {board} uses it and gives other logits than the host; their programs were built from different \
         sources, or one of them computes wrongly"
    )]
    Differs {
        /// The model file.
        model: String,
        /// The board.
        board: String,
    },
}

/// As which revision a model is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    /// As that one; the board takes it only if it is greater than that of the model in use.
    Number(u32),
    /// As one more than that of the model in use.
    Next,
}

/// What is to be replaced, and by which revision.
#[derive(Clone, Debug)]
pub struct Update<'a> {
    /// The new model.
    pub file: &'a ModelFile,
    /// As which revision.
    pub revision: Revision,
    /// Name or number of the model whose place it takes; where there is none, that of the new model's name, or the board's
    /// only one.
    pub replaces: Option<&'a str>,
    /// What an emulated board's firmware is built around; the new model where there is none.
    pub built_in: Option<&'a ModelFile>,
}

/// How far an update is, for whoever waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateStage {
    /// Finding QEMU and building the firmware, or opening the port.
    Preparing,
    /// The model travels.
    Uploading {
        /// Bytes that are there.
        done: u32,
        /// All bytes.
        total: usize,
    },
    /// The board starts again.
    Restarting,
}

/// What came of an update.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UpdateReport {
    /// Name of the board.
    pub board: String,
    /// The number of the model whose place was taken.
    pub model: u8,
    /// What was used before.
    pub before: UsedModel,
    /// What is used now.
    pub now: UsedModel,
    /// Bytes of the model file.
    pub bytes: usize,
    /// Whether the board used this very file as this revision before, so that nothing was to be done.
    pub already_there: bool,
    /// Bytes that were there of an interrupted upload.
    pub resumed_bytes: u32,
    /// How often the upload was interrupted and taken up again.
    pub interruptions: u32,
    /// How often the host had to ask the board again.
    pub retries: u64,
    /// How long the upload took, without the restart.
    pub seconds: f64,
    /// Whether the board, started again, gives the host's logits of a sequence, bit for bit.
    pub host_matches: bool,
}

/// A model that a board uses.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UsedModel {
    /// Its name.
    pub name: String,
    /// Where the board reads it from: `built in`, `slot A` or `slot B`.
    #[serde(serialize_with = "as_text")]
    pub source: Source,
    /// Its revision; 0 where it is built in.
    pub revision: u32,
    /// CRC-32 at the end of its file.
    pub crc32: String,
}

impl From<&Description> for UsedModel {
    fn from(description: &Description) -> Self {
        Self {
            name: description.name.clone(),
            source: description.source,
            revision: description.revision,
            crc32: format!("{:08x}", description.crc),
        }
    }
}

/// Brings a model to a board, starts the board again and tries the model there.
///
/// An emulated board is built, started and, in the end, gone with all that it was told: that shows how it goes.
///
/// # Errors
/// [`DeviceError`]; [`DeviceError::Link`] where the board does not take the model.
pub fn update(
    target: &Target,
    update: &Update<'_>,
    progress: &mut dyn FnMut(UpdateStage),
) -> Result<UpdateReport, DeviceError> {
    progress(UpdateStage::Preparing);
    match target {
        Target::Emulated(board) => {
            let folder = RunFolder::new()?;
            let built_in = update.built_in.unwrap_or(update.file);
            let launch = Launch::prepare(*board, &[built_in], &[], folder.path())?;
            with_emulator(&launch, |client| update_over(client, update, progress))
        }
        Target::Port(port) => {
            let open = Client::open(port);
            let mut client = open.map_err(|reason| DeviceError::Port { port: port.clone(), reason })?;
            update_over(&mut client, update, progress)
        }
    }
}

/// The same, of the board at the other end of a client's line.
///
/// # Errors
/// [`DeviceError`].
pub fn update_over<T: Transport>(
    client: &mut Client<T>,
    update: &Update<'_>,
    progress: &mut dyn FnMut(UpdateStage),
) -> Result<UpdateReport, DeviceError> {
    let file = update.file;
    let (board, model, before) = find_place(client, update)?;
    check_kind(file, &board, &before)?;
    let is_there = before.crc == file.model().crc();
    let (revision, already_there) = match update.revision {
        Revision::Number(revision) => (revision, is_there && revision == before.revision),
        Revision::Next if is_there => (before.revision, true),
        Revision::Next => (next_revision(&board, &before)?, false),
    };
    let start = Instant::now();
    let mut report = UpdateReport {
        board,
        model,
        before: (&before).into(),
        now: (&before).into(),
        bytes: file.as_bytes().len(),
        already_there,
        resumed_bytes: 0,
        interruptions: 0,
        retries: 0,
        seconds: 0.0,
        host_matches: false,
    };
    if !already_there {
        let mut told = |done| progress(UpdateStage::Uploading { done, total: report.bytes });
        let uploaded = client.upload(model, revision, file.as_bytes(), &mut told)?;
        (report.resumed_bytes, report.interruptions) = (uploaded.resumed, uploaded.interruptions);
        report.seconds = start.elapsed().as_secs_f64();
        progress(UpdateStage::Restarting);
        client.restart()?;
        let now = client.describe(model)?;
        report.now = (&now).into();
        if (now.crc, now.revision) != (file.model().crc(), revision) {
            let used = format!("{} ({}, revision {})", now.name, now.source, now.revision);
            let (model, board) = (file.name().into(), report.board);
            return Err(UpdateError::NotUsed { model, board, revision, used }.into());
        }
    }
    check_logits(client, model, file, &report.board)?;
    (report.host_matches, report.retries) = (true, client.retries());
    Ok(report)
}

/// The revision after that of the model in use.
fn next_revision(board: &str, used: &Description) -> Result<u32, UpdateError> {
    let Description { name, revision, .. } = used;
    let next = revision.checked_add(1).filter(|&next| next < u32::MAX);
    let left =
        || UpdateError::NoRevisionLeft { board: board.into(), replaced: name.clone(), revision: *revision };
    next.ok_or_else(left)
}

/// The board, and number and description of the model whose place is to be taken.
fn find_place<T: Transport>(
    client: &mut Client<T>,
    update: &Update<'_>,
) -> Result<(String, u8, Description), DeviceError> {
    let hello = client.hello()?;
    let held: Result<Vec<_>, LinkError> = (0..hello.models).map(|number| client.describe(number)).collect();
    let held = held?;
    let name = update.file.model().header().name.as_str().to_owned();
    let wanted = update.replaces.unwrap_or(&name);
    let by_name = held.iter().position(|model| model.name == wanted);
    let by_number = || update.replaces?.parse().ok().filter(|&number: &usize| number < held.len());
    let only = || (update.replaces.is_none() && held.len() == 1).then_some(0);
    let Some(number) = by_name.or_else(by_number).or_else(only) else {
        let list = held.iter().enumerate().map(|(number, model)| format!("{number} ({})", model.name));
        let (board, held) = (hello.board, list.collect::<Vec<_>>().join(", "));
        return Err(match update.replaces {
            Some(wanted) => UpdateError::NoSuchModel { board, wanted: wanted.into(), held },
            None => UpdateError::WhichModel { model: update.file.name().into(), name, board, held },
        }
        .into());
    };
    let description = held.into_iter().nth(number).expect("the number of one of them");
    Ok((hello.board, number as u8, description))
}

/// Refuses, before anything is sent, a model that the board will refuse.
fn check_kind(file: &ModelFile, board: &str, replaced: &Description) -> Result<(), UpdateError> {
    let model = file.model();
    let &Header { cell, numbers, shape, input, output, .. } = model.header();
    let found = format!("{cell} on {numbers}, {shape}, for rows of {}, giving {output}", input.samples);
    let Description { cell, numbers, shape, samples, output, .. } = replaced;
    let expected = format!("{cell} on {numbers}, {shape}, for rows of {samples}, giving {output}");
    if found == expected {
        return Ok(());
    }
    let (model, replaced) = (file.name().into(), replaced.name.clone());
    Err(UpdateError::OtherKind { model, found, board: board.into(), replaced, expected })
}

/// Lets the board read a sequence and compares its logits with the host's.
fn check_logits<T: Transport>(
    client: &mut Client<T>,
    number: u8,
    file: &ModelFile,
    board: &str,
) -> Result<(), DeviceError> {
    let model = file.model();
    let header = model.header();
    let timesteps = usize::from(header.timesteps).clamp(1, TRIAL_TIMESTEPS);
    let rows = trial_rows(header.input.samples, timesteps * usize::from(header.shape.inputs));
    let answers = if header.output.steps == Steps::Every { timesteps } else { 1 };
    let mut expected = vec![0; answers * usize::from(header.shape.outputs) * LOGIT_BYTES];
    match header.output.steps {
        Steps::Every => model.classify_every_step(&rows, &mut expected),
        Steps::Last => model.classify(&rows, &mut expected),
    }
    .expect("whole rows and room for all logits");
    let served = client.describe(number)?.served(number);
    if client.classify(served, &rows)? == expected {
        return Ok(());
    }
    Err(UpdateError::Differs { model: file.name().into(), board: board.into() }.into())
}

/// Samples that are neither blank nor all alike, as they travel on the link.
fn trial_rows(samples: Samples, count: usize) -> Vec<u8> {
    let value = |index: usize| ((index * index + 3 * index) % 251) as u8;
    match samples {
        Samples::U8 => (0..count).map(value).collect(),
        Samples::I16 => (0..count).flat_map(|index| (i16::from(value(index)) - 125).to_le_bytes()).collect(),
        Samples::F32 => {
            (0..count).flat_map(|index| (f32::from(value(index)) / 125.0 - 1.0).to_le_bytes()).collect()
        }
    }
}

/// Something as it is displayed.
fn as_text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
mod tests {
    use refrain::{CellKind, Numbers, OutputFormat, Shape, Task};

    use super::*;

    #[test]
    fn the_last_revision_is_never_the_next_one() {
        let next = |revision| {
            let used = Description {
                name: "digits".into(),
                cell: CellKind::Gru,
                numbers: Numbers::Int8,
                shape: Shape { inputs: 1, units: 1, outputs: 2, layers: 1 },
                samples: Samples::U8,
                output: OutputFormat { task: Task::Classification, steps: Steps::Last },
                crc: 0,
                source: Source::SlotA,
                revision,
            };
            next_revision("fake", &used)
        };
        assert_eq!(next(0).unwrap(), 1);
        assert_eq!(next(u32::MAX - 2).unwrap(), u32::MAX - 1);
        let error = next(u32::MAX - 1).unwrap_err().to_string();
        assert!(
            error.starts_with("the model digits of the board fake is revision 4294967294, and "),
            "{error}"
        );
        assert!(next(u32::MAX).is_err());
    }
}
