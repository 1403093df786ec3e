//! How well a model classifies: accuracy, confusion and the logits themselves.
//!
//! The host and a board that computed the same logits report the same [`Evaluation`], so one hash tells whether
//! they agree.

use ndarray::{Array2, ArrayView2, ArrayView3, Axis};
use rayon::prelude::*;
use refrain::{Header, Numbers, argmax};
use sha2::{Digest, Sha256};

use crate::model_file::ModelFile;

/// Bytes of a logit: an `i32` in Q16, or an `f32`, little-endian.
pub const LOGIT_BYTES: usize = 4;

/// Why a model cannot be evaluated on some data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// There is nothing to classify.
    #[error("there are no samples to classify; the data must hold at least one")]
    NoSamples,
    /// Not one label for each sample.
    #[error("there are {labels} labels for {samples} samples; each sample needs one")]
    LabelCount {
        /// Labels that there are.
        labels: usize,
        /// Samples that there are.
        samples: usize,
    },
    /// Rows of another width than the model's.
    #[error("{model}: the model takes rows of {expected} features, the data has rows of {found}")]
    RowWidth {
        /// The model file.
        model: String,
        /// Features of a row of the data.
        found: usize,
        /// Features that the model takes.
        expected: usize,
    },
    /// A class that the model does not know.
    #[error("sample {sample} has label {label}, the model's classes are 0 to {}", .outputs - 1)]
    Label {
        /// Number of the sample.
        sample: usize,
        /// Its label.
        label: u8,
        /// Logits of the model.
        outputs: usize,
    },
}

/// What a model made of labelled samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// How many samples there were.
    pub samples: usize,
    /// The part of them, from 0 to 1, whose greatest logit is that of their label.
    pub accuracy: f64,
    /// The class that each sample was taken for.
    pub predictions: Vec<u8>,
    /// `[outputs, outputs]`: samples of the row's label that were taken for the column's class.
    pub confusion: Array2<u64>,
    /// SHA-256 of `logits`, in hexadecimal.
    pub logits_sha256: String,
    /// `[samples][outputs]`, [`LOGIT_BYTES`] each.
    pub logits: Vec<u8>,
}

impl Evaluation {
    /// Counts what logits say: `logits` is `[samples][outputs]`, [`LOGIT_BYTES`] each.
    ///
    /// # Errors
    /// [`EvaluateError::NoSamples`], [`EvaluateError::LabelCount`] or [`EvaluateError::Label`].
    pub fn of_logits(
        numbers: Numbers,
        outputs: usize,
        logits: Vec<u8>,
        labels: &[u8],
    ) -> Result<Self, EvaluateError> {
        let samples = logits.len() / (outputs * LOGIT_BYTES);
        check_labels(labels, samples, outputs)?;
        let predictions: Vec<u8> = logits
            .chunks_exact(outputs * LOGIT_BYTES)
            .map(|sample| predicted_class(numbers, sample))
            .collect();
        let mut confusion = Array2::zeros((outputs, outputs));
        for (&class, &label) in predictions.iter().zip(labels) {
            confusion[[label, class].map(usize::from)] += 1;
        }
        let right: u64 = confusion.diag().sum();
        let logits_sha256 = sha256_hex(&logits);
        let accuracy = right as f64 / samples as f64;
        Ok(Self { samples, accuracy, predictions, confusion, logits_sha256, logits })
    }

    /// The part of the samples, from 0 to 1, that `other` put into the same class.
    pub fn agreement(&self, other: &Self) -> f64 {
        let same = self.predictions.iter().zip(&other.predictions).filter(|(ours, theirs)| ours == theirs);
        same.count() as f64 / self.samples as f64
    }
}

/// Classifies `samples: [count, timesteps, inputs]` on the host, on all threads.
///
/// The result does not depend on the number of threads: samples know nothing of one another.
///
/// # Errors
/// [`EvaluateError`].
pub fn evaluate(
    file: &ModelFile,
    samples: ArrayView3<'_, u8>,
    labels: &[u8],
) -> Result<Evaluation, EvaluateError> {
    let model = file.model();
    let header = model.header();
    let outputs = usize::from(header.shape.outputs);
    check_data(file, samples, labels)?;
    let mut logits = vec![0; samples.len_of(Axis(0)) * outputs * LOGIT_BYTES];
    logits.par_chunks_exact_mut(outputs * LOGIT_BYTES).enumerate().for_each(|(index, logits)| {
        let sequence = link_bytes(header, samples.index_axis(Axis(0), index));
        model.classify(&sequence, logits).expect("the data was checked to have rows of the model's width");
    });
    Evaluation::of_logits(header.numbers, outputs, logits, labels)
}

/// Refuses data that is not the model's.
///
/// # Errors
/// [`EvaluateError`].
pub fn check_data(file: &ModelFile, samples: ArrayView3<'_, u8>, labels: &[u8]) -> Result<(), EvaluateError> {
    let shape = file.model().header().shape;
    let (found, expected) = (samples.len_of(Axis(2)), usize::from(shape.inputs));
    if found != expected {
        return Err(EvaluateError::RowWidth { model: file.name().to_owned(), found, expected });
    }
    check_labels(labels, samples.len_of(Axis(0)), shape.outputs.into())
}

/// Refuses labels that do not go with `samples` samples and `outputs` classes.
fn check_labels(labels: &[u8], samples: usize, outputs: usize) -> Result<(), EvaluateError> {
    if samples == 0 {
        return Err(EvaluateError::NoSamples);
    }
    if labels.len() != samples {
        return Err(EvaluateError::LabelCount { labels: labels.len(), samples });
    }
    match labels.iter().position(|&label| usize::from(label) >= outputs) {
        Some(sample) => Err(EvaluateError::Label { sample, label: labels[sample], outputs }),
        None => Ok(()),
    }
}

/// One sample, `[timesteps, inputs]`, as its rows travel to a board: one byte a feature, or two, little-endian.
pub fn link_bytes(header: &Header<'_>, sample: ArrayView2<'_, u8>) -> Vec<u8> {
    match header.input.samples.bytes() {
        1 => sample.iter().copied().collect(),
        _ => sample.iter().flat_map(|&value| i16::from(value).to_le_bytes()).collect(),
    }
}

/// The class that one sample's logits speak for.
fn predicted_class(numbers: Numbers, logits: &[u8]) -> u8 {
    let (words, _) = logits.as_chunks();
    let class = match numbers {
        Numbers::Int8 | Numbers::Int4 => {
            argmax(&words.iter().map(|&word| i32::from_le_bytes(word)).collect::<Vec<_>>())
        }
        Numbers::F32 => argmax(&words.iter().map(|&word| f32::from_le_bytes(word)).collect::<Vec<_>>()),
    };
    u8::try_from(class).expect("a model has 256 outputs at most")
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_models;
    use ndarray::Array3;

    fn file() -> ModelFile {
        ModelFile::from_bytes("hand-made.rfn", &test_models::simple_rnn(3, 4, 2)).unwrap()
    }

    fn samples(count: usize) -> Array3<u8> {
        Array3::from_shape_fn((count, 5, 3), |(n, t, i)| (n * 53 + t * 17 + i * 91) as u8)
    }

    #[test]
    fn logits_are_counted_by_label_and_class() {
        let words = [[3, -1], [0, 5], [7, 7], [-9, -8], [1, 0]];
        let logits: Vec<u8> = words.iter().flatten().flat_map(|word: &i32| word.to_le_bytes()).collect();
        let found = Evaluation::of_logits(Numbers::Int8, 2, logits, &[0, 1, 1, 0, 1]).unwrap();
        assert_eq!(found.confusion, ndarray::array![[1, 1], [2, 1]]);
        assert_eq!(found.predictions, [0, 1, 0, 1, 0]);
        assert_eq!((found.samples, found.accuracy), (5, 0.4));

        let float: Vec<u8> =
            [2.5f32, -1.0, -2.0, -1.5].iter().flat_map(|value| value.to_le_bytes()).collect();
        let found = Evaluation::of_logits(Numbers::F32, 2, float, &[0, 1]).unwrap();
        assert_eq!(found.accuracy, 1.0);
    }

    #[test]
    fn the_hash_is_sha256_of_the_logits_in_order() {
        let found = Evaluation::of_logits(Numbers::Int8, 1, b"abcd".to_vec(), &[0]).unwrap();
        let expected = "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589";
        assert_eq!(found.logits_sha256, expected);
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let (file, samples, labels) = (file(), samples(97), [0, 1].repeat(49)[..97].to_vec());
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| evaluate(&file, samples.view(), &labels)).unwrap()
        };
        let alone = with(1);
        assert_eq!(alone, with(3));
        let mut first = [0; 8];
        file.model()
            .classify(&[0, 91, 182, 17, 108, 199, 34, 125, 216, 51, 142, 233, 68, 159, 250], &mut first)
            .unwrap();
        assert_eq!(alone.logits[..8], first);
    }

    #[test]
    fn data_that_is_not_the_models_is_refused() {
        let message = |samples: Array3<u8>, labels: &[u8]| {
            evaluate(&file(), samples.view(), labels).unwrap_err().to_string()
        };
        assert_eq!(
            message(Array3::zeros((2, 5, 4)), &[0, 0]),
            "hand-made.rfn: the model takes rows of 3 features, the data has rows of 4"
        );
        assert_eq!(message(samples(2), &[0]), "there are 1 labels for 2 samples; each sample needs one");
        assert_eq!(message(samples(2), &[1, 2]), "sample 1 has label 2, the model's classes are 0 to 1");
        assert!(message(samples(0), &[]).contains("no samples"));
    }
}
