//! A file that classifies: a checkpoint or a model file, told apart by how it begins.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ndarray::{Array3, ArrayView3, Axis};
use refrain::format::MAGIC as MODEL_MAGIC;
use refrain::{CellKind, Numbers, Shape};
use refrain_trainer::checkpoint::{Checkpoint, MAGIC as CHECKPOINT_MAGIC};
use refrain_trainer::data::{Dataset, Images, SplitView, ValuesView};
use refrain_trainer::evaluate::{Evaluation, evaluate};
use refrain_trainer::model_file::ModelFile;

use super::error::CliError;
use super::progress::Counter;

/// Samples classified between two looks at the progress; also bounds the f32 copy of them.
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
    pub(super) timesteps: usize,
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
        }
    }

    /// Refuses a data set that the network in `path` was not trained for.
    pub(super) fn check(&self, path: &Path, dataset: &Dataset) -> Result<(), CliError> {
        let Shape { inputs, outputs, .. } = self.shape;
        let expected = (self.timesteps, usize::from(inputs), usize::from(outputs));
        let found = (dataset.timesteps(), dataset.inputs(), dataset.classes().len());
        if found == expected {
            return Ok(());
        }
        let in_words = |(timesteps, inputs, classes): (usize, usize, usize)| {
            format!("{timesteps} rows of {inputs} features and {classes} classes")
        };
        Err(CliError::OtherData {
            path: path.to_owned(),
            expected: in_words(expected),
            data: dataset.name().to_owned(),
            found: in_words(found),
        })
    }
}

impl Classifier {
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::Checkpoint(checkpoint) => Facts::of_checkpoint(checkpoint),
            Self::Model(file) => Facts::of_model(file),
        }
    }

    /// Classifies samples; `label` is what the progress says.
    pub(super) fn evaluate(&self, samples: SplitView<'_>, label: &str) -> Result<Evaluation, CliError> {
        match self {
            Self::Checkpoint(checkpoint) => evaluate_checkpoint(checkpoint, samples, label),
            Self::Model(file) => evaluate_model(file, samples, label),
        }
    }
}

/// Classifies samples in f32.
pub(super) fn evaluate_checkpoint(
    checkpoint: &Checkpoint,
    samples: SplitView<'_>,
    label: &str,
) -> Result<Evaluation, CliError> {
    in_chunks(Facts::of_checkpoint(checkpoint), samples, label, |samples, _| {
        let mut x = Array3::zeros(samples.dim());
        let raw = samples.as_slice().expect("images are in standard layout");
        let scaled = x.as_slice_mut().expect("made in standard layout");
        checkpoint.data.scaling.apply(ValuesView::U8(raw), scaled);
        Ok(checkpoint.network.infer(x.view()).iter().flat_map(|logit| logit.to_le_bytes()).collect())
    })
}

/// Classifies samples as a board would, in the runtime's arithmetic.
pub(super) fn evaluate_model(
    file: &ModelFile,
    samples: SplitView<'_>,
    label: &str,
) -> Result<Evaluation, CliError> {
    in_chunks(Facts::of_model(file), samples, label, |samples, labels| {
        Ok(evaluate(file, samples, labels)?.logits)
    })
}

/// Evaluates samples chunk by chunk; `logits` gives those of a chunk, four bytes each, little-endian.
fn in_chunks(
    facts: Facts,
    samples: SplitView<'_>,
    label: &str,
    logits: impl Fn(ArrayView3<'_, u8>, &[u8]) -> Result<Vec<u8>, CliError>,
) -> Result<Evaluation, CliError> {
    let mut counter = Counter::new(label, samples.count());
    let mut all = Vec::new();
    let mut done = 0;
    let Images { pixels, labels: all_labels } = samples.images()?;
    for (chunk, labels) in pixels.axis_chunks_iter(Axis(0), CHUNK).zip(all_labels.chunks(CHUNK)) {
        all.extend(logits(chunk, labels)?);
        done += labels.len();
        counter.set(done);
    }
    Ok(Evaluation::of_logits(facts.numbers, facts.shape.outputs.into(), all, all_labels)?)
}
