//! A file that can be evaluated: a checkpoint or a model file, told apart by how it begins.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ndarray::Array2;
use refrain::format::MAGIC as MODEL_MAGIC;
use refrain::{CellKind, Numbers, Scaling, Shape, Steps, Task};
use refrain_trainer::checkpoint::{Checkpoint, MAGIC as CHECKPOINT_MAGIC};
use refrain_trainer::data::{Dataset, InputScaling, SplitView};
use refrain_trainer::evaluate::{Evaluation, ReadOut, check_data, logits};
use refrain_trainer::model_file::ModelFile;
use refrain_trainer::train::{outputs, steps};

use super::error::CliError;
use super::output::note;
use super::progress::Counter;

/// Samples evaluated between two looks at the progress.
const CHUNK: usize = 500;

/// A file that can be evaluated.
#[derive(Debug)]
pub(super) enum Classifier {
    Checkpoint(Box<Checkpoint>),
    Model(ModelFile),
}

/// What a network is, and what it was trained for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) cell: CellKind,
    pub(super) numbers: Numbers,
    pub(super) shape: Shape,
    /// Of the longest training sequence.
    timesteps: usize,
    /// Whether it was trained on images, all of which have as many rows.
    images: bool,
    read_out: ReadOut,
}

/// Reads and checks a file of either kind.
pub(super) fn load(path: &Path) -> Result<Classifier, CliError> {
    let start = first_bytes(path).map_err(|reason| CliError::Read { path: path.to_owned(), reason })?;
    if start.starts_with(&CHECKPOINT_MAGIC) {
        Ok(Classifier::Checkpoint(Checkpoint::load(path)?.into()))
    } else if start.starts_with(&MODEL_MAGIC) {
        Ok(Classifier::Model(ModelFile::load(path)?))
    } else {
        Err(CliError::UnknownFile { path: path.to_owned() })
    }
}

/// Reads and checks a model file.
pub(super) fn load_model(path: &Path) -> Result<ModelFile, CliError> {
    match load(path)? {
        Classifier::Model(file) => Ok(file),
        Classifier::Checkpoint(_) => Err(CliError::CheckpointAsModel { path: path.to_owned() }),
    }
}

/// Reads and checks a checkpoint.
pub(super) fn load_checkpoint(path: &Path) -> Result<Checkpoint, CliError> {
    match load(path)? {
        Classifier::Checkpoint(checkpoint) => Ok(*checkpoint),
        Classifier::Model(_) => Err(CliError::ModelAsCheckpoint { path: path.to_owned() }),
    }
}

/// As many bytes of the file as the longer of the two magics has.
fn first_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(path)?.take(CHECKPOINT_MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(start)
}

impl Facts {
    pub(super) fn of_checkpoint(checkpoint: &Checkpoint) -> Self {
        Self {
            cell: checkpoint.network.kind(),
            numbers: Numbers::F32,
            shape: checkpoint.network.shape(),
            timesteps: checkpoint.timesteps.into(),
            images: matches!(checkpoint.data.scaling, InputScaling::Uniform { .. }),
            read_out: ReadOut::of_task(&checkpoint.data.task),
        }
    }

    pub(super) fn of_model(file: &ModelFile) -> Self {
        let model = file.model();
        let header = model.header();
        Self {
            cell: header.cell,
            numbers: header.numbers,
            shape: header.shape,
            timesteps: header.timesteps.into(),
            images: matches!(header.input.scaling, Scaling::Uniform { .. }),
            read_out: ReadOut::of_model(file),
        }
    }

    /// Refuses a data set that the network in `path` was not trained for. Sequences other than images may have any
    /// lengths.
    pub(super) fn check(&self, path: &Path, dataset: &Dataset) -> Result<(), CliError> {
        let read_out = ReadOut::of_task(dataset.task());
        let rows = self.images.then_some((self.timesteps, dataset.timesteps()));
        let expected =
            Wanted::new(rows.map(|(expected, _)| expected), self.shape.inputs.into(), self.read_out);
        let found = Wanted::new(rows.map(|(_, found)| found), dataset.inputs(), read_out);
        if found == expected {
            return Ok(());
        }
        Err(CliError::OtherData {
            path: path.to_owned(),
            expected: expected.to_string(),
            data: dataset.name().to_owned(),
            found: found.to_string(),
        })
    }
}

/// Says so on stderr where the data calls classes or values otherwise than the model: they are compared by their numbers.
pub(super) fn compare_names(path: &Path, file: &ModelFile, dataset: &Dataset) {
    let model = file.model();
    let names: Vec<&str> = model.header().output_names().collect();
    let found = dataset.task().output_names();
    if !names.is_empty() && names != found {
        let (path, names, found) = (path.display(), names.join(", "), found.join(", "));
        note(format_args!("note: {path} was trained on {names}, and this data has {found} in their places"));
    }
}

/// What a data set must have for a network.
#[derive(PartialEq)]
struct Wanted {
    /// Where they matter.
    timesteps: Option<usize>,
    inputs: usize,
    outputs: usize,
    task: Task,
    steps: Steps,
}

impl Wanted {
    fn new(timesteps: Option<usize>, inputs: usize, read_out: ReadOut) -> Self {
        let ReadOut { outputs, task, steps, .. } = read_out;
        Self { timesteps, inputs, outputs, task, steps }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(timesteps) = self.timesteps {
            write!(f, "{timesteps} ")?;
        }
        let what = match self.task {
            Task::Classification => "classes",
            Task::Regression => "values",
        };
        write!(f, "rows of {} features and {} {what}", self.inputs, self.outputs)?;
        match self.steps {
            Steps::Last => Ok(()),
            Steps::Every => f.write_str(" for each timestep"),
        }
    }
}

impl Classifier {
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::Checkpoint(checkpoint) => Facts::of_checkpoint(checkpoint),
            Self::Model(file) => Facts::of_model(file),
        }
    }

    /// Evaluates samples; `label` is what the progress says.
    pub(super) fn evaluate(
        &self,
        path: &Path,
        samples: SplitView<'_>,
        label: &str,
    ) -> Result<Evaluation, CliError> {
        match self {
            Self::Checkpoint(checkpoint) => evaluate_checkpoint(checkpoint, path, samples, label),
            Self::Model(file) => evaluate_model(file, samples, label),
        }
    }
}

/// Evaluates the checkpoint in `path` in f32.
pub(super) fn evaluate_checkpoint(
    checkpoint: &Checkpoint,
    path: &Path,
    samples: SplitView<'_>,
    label: &str,
) -> Result<Evaluation, CliError> {
    let (network, task) = (&checkpoint.network, &checkpoint.data.task);
    let mut all = Vec::new();
    in_chunks(samples, label, |chunk| {
        all.extend(outputs(network, chunk, &checkpoint.data.scaling, steps(task)));
        Ok(())
    })?;
    let outputs = Array2::from_shape_vec((all.len() / network.outputs(), network.outputs()), all);
    let outputs = outputs.expect("whole rows of outputs");
    Ok(Evaluation::of_network(&path.display().to_string(), task, &outputs, samples)?)
}

/// Evaluates a model as a board would, in the runtime's arithmetic.
pub(super) fn evaluate_model(
    file: &ModelFile,
    samples: SplitView<'_>,
    label: &str,
) -> Result<Evaluation, CliError> {
    check_data(file, samples)?;
    let mut all = Vec::new();
    in_chunks(samples, label, |chunk| {
        all.extend(logits(file, chunk)?);
        Ok(())
    })?;
    Ok(Evaluation::of_model(file, all, samples)?)
}

/// Hands on the samples chunk by chunk, and tells how far that is.
fn in_chunks(
    samples: SplitView<'_>,
    label: &str,
    mut each: impl FnMut(SplitView<'_>) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let (mut counter, mut rest) = (Counter::new(label, samples.count()), samples);
    while rest.count() > 0 {
        let (chunk, after) = rest.split_at(rest.count().min(CHUNK));
        each(chunk)?;
        rest = after;
        counter.set(samples.count() - rest.count());
    }
    Ok(())
}
