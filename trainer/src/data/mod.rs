//! Data sets: sequences of bytes with one label each.
//!
//! A sample is a grey image read row by row: `timesteps` rows of `inputs` pixels. Samples stay the bytes they are
//! on disk; the number a network sees is `pixel * PIXEL_SCALE`, made when a batch is gathered, so that the whole of
//! MNIST takes 55 MB instead of 220.
//!
//! [`load`] turns the word after `--data` into a [`Dataset`]; [`idx`] reads files, [`mnist`] finds or fetches the
//! classic set and [`digits`] draws one when there is no network at all.

pub mod digits;
pub mod download;
mod error;
pub mod idx;
pub mod mnist;
mod source;
mod split;

pub use error::DataError;
pub use source::{Loaded, Source, load, load_with};
pub use split::{Split, SplitView};

/// What one unit of a raw pixel is worth: networks see `pixel * PIXEL_SCALE`, from 0 to 1.
pub const PIXEL_SCALE: f32 = 1.0 / 255.0;

/// A set to train on and a set to test on, of one image size and one list of classes.
#[derive(Debug, Clone)]
pub struct Dataset {
    name: String,
    classes: Vec<String>,
    train: Split,
    test: Split,
}

impl Dataset {
    /// Puts the two halves together. The classes are `0` to the greatest training label.
    ///
    /// # Errors
    /// [`DataError::SizeMismatch`] when the image sizes differ; [`DataError::LabelOutOfRange`] for the first test
    /// label beyond the greatest training label.
    pub fn new(name: impl Into<String>, train: Split, test: Split) -> Result<Dataset, DataError> {
        let sizes = [&train, &test].map(|split| [split.timesteps(), split.inputs()]);
        if sizes[0] != sizes[1] {
            return Err(DataError::SizeMismatch {
                train_from: train.images_from().into(),
                train: sizes[0],
                test_from: test.images_from().into(),
                test: sizes[1],
            });
        }
        let greatest = train.labels().iter().copied().max().unwrap_or(0);
        if let Some(index) = test.labels().iter().position(|&label| label > greatest) {
            return Err(DataError::LabelOutOfRange {
                path: test.labels_from().into(),
                index,
                label: test.labels()[index],
                classes: usize::from(greatest) + 1,
            });
        }
        let classes = (0..=greatest).map(|label| label.to_string()).collect();
        Ok(Dataset { name: name.into(), classes, train, test })
    }

    /// What the set is called: `mnist`, `digits`, or the name of its folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of the classes, in the order of the labels.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The samples to train on, those to be held out for validation included.
    pub fn train(&self) -> &Split {
        &self.train
    }

    /// The samples to test on.
    pub fn test(&self) -> &Split {
        &self.test
    }

    /// Rows in an image: steps of a sequence.
    pub fn timesteps(&self) -> usize {
        self.train.timesteps()
    }

    /// Pixels in a row: numbers that go in at each step.
    pub fn inputs(&self) -> usize {
        self.train.inputs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array3;

    fn split(name: &str, shape: [usize; 3], labels: &[u8]) -> Split {
        let (images, label_file) = (format!("{name}-images"), format!("{name}-labels"));
        Split::new(Array3::zeros(shape), labels.to_vec(), images, label_file).expect("a sound split")
    }

    #[test]
    fn classes_are_counted_over_the_training_labels() {
        let set = Dataset::new("toy", split("train", [3, 2, 5], &[0, 6, 2]), split("t10k", [1, 2, 5], &[4]))
            .expect("a sound set");
        assert_eq!(set.name(), "toy");
        assert_eq!(set.classes(), ["0", "1", "2", "3", "4", "5", "6"]);
        assert_eq!((set.timesteps(), set.inputs()), (2, 5));
        assert_eq!((set.train().count(), set.test().count()), (3, 1));
    }

    #[test]
    fn all_256_labels_of_a_byte_may_be_classes() {
        let set = Dataset::new("wide", split("train", [1, 1, 1], &[255]), split("t10k", [1, 1, 1], &[255]));
        assert_eq!(set.expect("a sound set").classes().len(), 256);
    }

    #[test]
    fn a_test_label_unknown_to_training_is_named() {
        let error =
            Dataset::new("toy", split("train", [2, 1, 1], &[0, 2]), split("t10k", [3, 1, 1], &[2, 1, 3]))
                .expect_err("label 3 is unknown");
        let text = error.to_string();
        assert!(text.starts_with("t10k-labels: label 3 at index 2 is out of range"), "{text}");
        assert!(text.contains("3 classes, 0 to 2"), "{text}");
    }

    #[test]
    fn images_of_two_sizes_are_refused() {
        let error = Dataset::new("toy", split("train", [1, 2, 3], &[0]), split("t10k", [1, 3, 2], &[0]))
            .expect_err("the sizes differ");
        let text = error.to_string();
        assert!(text.starts_with("t10k-images: its images are [3, 2]"), "{text}");
        assert!(text.contains("train-images are [2, 3]"), "{text}");
    }
}
