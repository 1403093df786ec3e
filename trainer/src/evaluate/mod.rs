//! How good a model's answers are, and the logits themselves.
//!
//! A model answers once for each sequence or after each timestep, with a class or with values. The host and a board
//! that computed the same logits report the same [`Evaluation`], so one hash tells whether they agree.

mod error;
mod read_out;
mod rows;
mod scores;

use ndarray::Array2;
use rayon::prelude::*;
use refrain::{Numbers, Steps, argmax};
use sha2::{Digest, Sha256};

pub use error::EvaluateError;
pub use read_out::ReadOut;
pub use rows::link_bytes;
pub use scores::{ClassScores, Details, Scores, ValueScores};

use crate::checkpoint::Checkpoint;
use crate::data::{Kind, SplitView, TargetsView, Task};
use crate::metrics::{Confusion, Residuals};
use crate::model_file::ModelFile;
use crate::train::{outputs, steps};

/// Bytes of a logit: an `i32` in Q16, or an `f32`, little-endian.
pub const LOGIT_BYTES: usize = 4;

/// What a model made of samples whose targets are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// How many sequences there were.
    pub samples: usize,
    /// What the logits say.
    pub answers: Answers,
    /// How good that is.
    pub scores: Scores,
    /// SHA-256 of `logits`, in hexadecimal.
    pub logits_sha256: String,
    /// `[answers][outputs]`, [`LOGIT_BYTES`] each.
    pub logits: Vec<u8>,
}

/// What logits say, once for each sequence or for each of its timesteps.
#[derive(Clone, Debug, PartialEq)]
pub enum Answers {
    /// The class whose logit is greatest, the first of equals.
    Classes(Vec<u8>),
    /// `[answers][outputs]`, in the units of the targets.
    Values(Vec<f32>),
}

impl Evaluation {
    /// Judges logits that `file` gave for `samples`, `[answers][outputs]`.
    ///
    /// # Errors
    /// Those of [`check_data`].
    ///
    /// # Panics
    /// If there are more or fewer logits than the model gives for that many samples.
    pub fn of_model(
        file: &ModelFile,
        logits: Vec<u8>,
        samples: SplitView<'_>,
    ) -> Result<Self, EvaluateError> {
        check_data(file, samples)?;
        let values = |logits: &[u8]| {
            let mut values = vec![0.0; logits.len() / LOGIT_BYTES];
            file.model().values(logits, &mut values);
            values
        };
        Ok(Self::new(ReadOut::of_model(file), logits, values, samples))
    }

    /// Runs the f32 network of a checkpoint over `samples`, on rayon's current thread pool.
    ///
    /// # Errors
    /// [`EvaluateError::RowWidth`], or those of [`of_network`](Self::of_network).
    pub fn of_checkpoint(checkpoint: &Checkpoint, samples: SplitView<'_>) -> Result<Self, EvaluateError> {
        let Checkpoint { network, data, .. } = checkpoint;
        let name = format!("the {} trained on {}", network.kind(), data.name);
        let (found, expected) = (samples.inputs(), usize::from(network.shape().inputs));
        if found != expected {
            return Err(EvaluateError::RowWidth { model: name, found, expected });
        }
        let outputs = outputs(network, samples, &data.scaling, steps(&data.task));
        Self::of_network(&name, &data.task, &outputs, samples)
    }

    /// Judges what an f32 network in the file `name` gave for `samples` of `task`: `[answers, outputs]` logits, or
    /// standardised values.
    ///
    /// # Errors
    /// [`EvaluateError::NoSamples`], [`EvaluateError::Task`] or [`EvaluateError::Label`].
    ///
    /// # Panics
    /// If there are more or fewer outputs than that.
    pub fn of_network(
        name: &str,
        task: &Task,
        outputs: &Array2<f32>,
        samples: SplitView<'_>,
    ) -> Result<Self, EvaluateError> {
        let read_out = ReadOut::of_task(task);
        read_out.check(name, samples)?;
        let logits = outputs.iter().flat_map(|output| output.to_le_bytes()).collect();
        let values = |logits: &[u8]| {
            let (words, _) = logits.as_chunks();
            let outputs: Vec<f32> = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
            let mut values = outputs.clone();
            if let Kind::Regression { scaling, .. } = &task.kind {
                scaling.restore(&outputs, &mut values);
            }
            values
        };
        Ok(Self::new(read_out, logits, values, samples))
    }

    fn new(
        read_out: ReadOut,
        logits: Vec<u8>,
        values: impl Fn(&[u8]) -> Vec<f32>,
        samples: SplitView<'_>,
    ) -> Self {
        assert_eq!(logits.len(), read_out.logits_bytes(samples), "logits of these samples");
        let (answers, scores) = match samples.targets() {
            TargetsView::Labels(labels) => {
                let classes = classes(read_out, &logits);
                let mut confusion = Confusion::new(read_out.outputs);
                for (&label, &class) in labels.iter().zip(&classes) {
                    confusion.add(label.into(), class.into());
                }
                (Answers::Classes(classes), Scores::of_classes(&confusion))
            }
            TargetsView::Values(targets) => {
                let values = values(&logits);
                let mut residuals = Residuals::new(read_out.outputs);
                for (predicted, actual) in values.chunks_exact(read_out.outputs).zip(targets.outer_iter()) {
                    residuals.add(predicted, actual.as_slice().expect("targets are in standard layout"));
                }
                (Answers::Values(values), Scores::of_values(targets.nrows(), &residuals))
            }
        };
        let logits_sha256 = sha256_hex(&logits);
        Self { samples: samples.count(), answers, scores, logits_sha256, logits }
    }

    /// What the model gave, `[answers][outputs]`: the logits of a classification, or the values of a regression. `numbers`
    /// is what it computes with.
    pub fn outputs(&self, numbers: Numbers) -> Vec<f32> {
        match &self.answers {
            Answers::Classes(_) => {
                self.logits.as_chunks().0.iter().map(|&logit| numbers.logit_value(logit)).collect()
            }
            Answers::Values(values) => values.clone(),
        }
    }

    /// The part of the answers, from 0 to 1, that name the same class as those of `other`; `None` for values.
    pub fn same_class(&self, other: &Self) -> Option<f64> {
        match (&self.answers, &other.answers) {
            (Answers::Classes(ours), Answers::Classes(theirs)) => {
                let same = ours.iter().zip(theirs).filter(|(ours, theirs)| ours == theirs).count();
                Some(same as f64 / ours.len() as f64)
            }
            _ => None,
        }
    }
}

/// Runs `file` over `samples` on the host, on all threads.
///
/// The result does not depend on the number of threads: samples know nothing of one another.
///
/// # Errors
/// Those of [`check_data`].
pub fn evaluate(file: &ModelFile, samples: SplitView<'_>) -> Result<Evaluation, EvaluateError> {
    Evaluation::of_model(file, logits(file, samples)?, samples)
}

/// The logits alone: `[answers][outputs]`, [`LOGIT_BYTES`] each.
///
/// # Errors
/// Those of [`check_data`].
pub fn logits(file: &ModelFile, samples: SplitView<'_>) -> Result<Vec<u8>, EvaluateError> {
    check_data(file, samples)?;
    let (model, read_out) = (file.model(), ReadOut::of_model(file));
    let takes = model.header().input.samples;
    let mut logits = vec![0; read_out.logits_bytes(samples)];
    let (mut places, mut rest) = (Vec::with_capacity(samples.count()), &mut logits[..]);
    for index in 0..samples.count() {
        let (place, after) = rest.split_at_mut(read_out.answer_bytes(samples.length(index)));
        places.push((index, place));
        rest = after;
    }
    places.into_par_iter().for_each(|(index, place)| {
        let sequence = link_bytes(takes, samples.sequence(index));
        match read_out.steps {
            Steps::Last => model.classify(&sequence, place),
            Steps::Every => model.classify_every_step(&sequence, place),
        }
        .expect("the data was checked to have rows of the model's width");
    });
    Ok(logits)
}

/// Refuses data that `file` cannot be evaluated on.
///
/// # Errors
/// [`EvaluateError`].
pub fn check_data(file: &ModelFile, samples: SplitView<'_>) -> Result<(), EvaluateError> {
    let model = file.model();
    let header = model.header();
    let (found, expected) = (samples.inputs(), usize::from(header.shape.inputs));
    if found != expected {
        return Err(EvaluateError::RowWidth { model: file.name().to_owned(), found, expected });
    }
    ReadOut::of_model(file).check(file.name(), samples)?;
    rows::check(file.name(), header.input.samples, samples)
}

/// The class that each answer's logits speak for.
fn classes(read_out: ReadOut, logits: &[u8]) -> Vec<u8> {
    let class = |answer: &[u8]| {
        // an order of the logits as numbers, which all i32 in Q16 keep in f64
        let (words, _) = answer.as_chunks();
        let logits: Vec<f64> = words.iter().map(|&word| read_out.logit(word)).collect();
        u8::try_from(argmax(&logits)).expect("a model has 256 outputs at most")
    };
    logits.chunks_exact(read_out.outputs * LOGIT_BYTES).map(class).collect()
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
