//! A whole data set: what is asked, and sequences to train on, to validate with and to test on.

use std::path::Path;
use std::sync::OnceLock;

use super::{DataError, InputScaling, Kind, Split, SplitView, TargetScaling, Targets, Task};

/// Splits of one kind of sequences, and the task that they set.
///
/// All splits have as many features a timestep and targets of the task's kind; training labels are of two classes at
/// least.
#[derive(Debug, Clone)]
pub struct Dataset {
    name: String,
    task: Task,
    scaling: InputScaling,
    splits: Splits,
    /// Made when it is first asked for: a large set takes a moment.
    fingerprint: OnceLock<String>,
}

/// The parts of a data set.
#[derive(Debug, Clone)]
pub struct Splits {
    /// To train on; those to be held out for validation included where `validation` is `None`.
    pub train: Split,
    /// To validate with, where the set comes with sequences for that.
    pub validation: Option<Split>,
    /// To test on.
    pub test: Split,
}

impl Dataset {
    /// Checks that the splits belong together and to the task.
    ///
    /// # Errors
    /// [`DataError::InputsMismatch`], [`DataError::TargetKind`], [`DataError::LabelOutOfRange`] or
    /// [`DataError::OneClass`].
    ///
    /// # Panics
    /// If a scaling has not one entry for each feature or output.
    pub fn new(
        name: impl Into<String>,
        task: Task,
        scaling: InputScaling,
        splits: Splits,
    ) -> Result<Dataset, DataError> {
        let inputs = splits.train.inputs();
        if let InputScaling::PerFeature { mean, deviation } = &scaling {
            assert_eq!([mean.len(), deviation.len()], [inputs; 2], "one mean and deviation for each feature");
        }
        if let Kind::Regression { names, scaling: TargetScaling { mean, deviation } } = &task.kind {
            assert_eq!(
                [mean.len(), deviation.len()],
                [names.len(); 2],
                "one mean and deviation for each output"
            );
        }
        check_targets(&splits.train, &task)?;
        check_two_classes(&splits.train, task.classes())?;
        for split in splits.all() {
            if split.inputs() != inputs {
                return Err(DataError::InputsMismatch {
                    path: split.sequences_from().into(),
                    found: split.inputs(),
                    train_from: splits.train.sequences_from().into(),
                    expected: inputs,
                });
            }
            check_targets(split, &task)?;
        }
        Ok(Dataset { name: name.into(), task, scaling, splits, fingerprint: OnceLock::new() })
    }

    /// A set of images. The classes are `0` to the greatest training label.
    ///
    /// # Errors
    /// [`DataError::SizeMismatch`] when the image sizes differ, [`DataError::SkippedLabels`] when a class has no
    /// training image, or as [`new`](Self::new).
    pub fn of_images(name: impl Into<String>, train: Split, test: Split) -> Result<Dataset, DataError> {
        let sizes = [&train, &test].map(|split| [split.timesteps(), split.inputs()]);
        if sizes[0] != sizes[1] {
            return Err(DataError::SizeMismatch {
                train_from: train.sequences_from().into(),
                train: sizes[0],
                test_from: test.sequences_from().into(),
                test: sizes[1],
            });
        }
        let task =
            Task::classification(numbered_classes(train.view().images()?.labels, train.targets_from())?);
        Dataset::new(name, task, InputScaling::PIXELS, Splits { train, validation: None, test })
    }

    /// What the set is called: `mnist`, `digits`, or the name of its file or folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is asked.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// The names of the classes, in the order of the labels; none for a regression.
    pub fn classes(&self) -> &[String] {
        self.task.classes()
    }

    /// How many numbers a network gives: logits or values.
    pub fn outputs(&self) -> usize {
        self.task.outputs()
    }

    /// How raw numbers become what a network sees.
    pub fn scaling(&self) -> &InputScaling {
        &self.scaling
    }

    /// SHA-256 of all that tells the set from others, in hexadecimal; the name is not in it.
    pub fn fingerprint(&self) -> &str {
        self.fingerprint.get_or_init(|| self.compute_fingerprint())
    }

    /// The sequences to train on; those to be held out for validation included where there is no
    /// [`validation`](Self::validation).
    pub fn train(&self) -> &Split {
        &self.splits.train
    }

    /// The sequences to validate with, where the set comes with some.
    pub fn validation(&self) -> Option<&Split> {
        self.splits.validation.as_ref()
    }

    /// The sequences to test on.
    pub fn test(&self) -> &Split {
        &self.splits.test
    }

    /// What to train on and what to validate with: the set's own sequences for that, or else the last
    /// [`validation_count`](Split::validation_count) of the training sequences.
    pub fn training_and_validation(&self) -> (SplitView<'_>, SplitView<'_>) {
        let train = self.train();
        match self.validation() {
            Some(validation) => (train.view(), validation.view()),
            None => train.view().split_at(train.count() - train.validation_count()),
        }
    }

    /// Timesteps of the longest sequence of all splits.
    pub fn timesteps(&self) -> usize {
        self.splits.all().map(Split::timesteps).max().expect("there is always a split to train on")
    }

    /// Features of a timestep.
    pub fn inputs(&self) -> usize {
        self.train().inputs()
    }

    /// How many training targets each class has: sequences, or timesteps where each has a label. Empty for a
    /// regression.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes().len()];
        for &label in self.train().labels().unwrap_or_default() {
            counts[usize::from(label)] += 1;
        }
        counts
    }

    /// What a training target of each class weighs, so that all classes together weigh the same: `N / (classes *
    /// count)`, the mean weight of the training targets being 1. A class without any weighs nothing and is not
    /// counted. Empty for a regression.
    pub fn class_weights(&self) -> Vec<f32> {
        let counts = self.class_counts();
        let present = counts.iter().filter(|&&count| count > 0).count();
        let all: usize = counts.iter().sum();
        let weight = |count| if count == 0 { 0.0 } else { all as f64 / (present * count) as f64 };
        counts.into_iter().map(|count| weight(count) as f32).collect()
    }
}

impl Splits {
    fn all(&self) -> impl Iterator<Item = &Split> {
        [Some(&self.train), self.validation.as_ref(), Some(&self.test)].into_iter().flatten()
    }
}

/// Refuses labels that are all the same.
pub(super) fn check_two_classes(train: &Split, classes: &[String]) -> Result<(), DataError> {
    let Some(&[first, ref others @ ..]) = train.labels() else { return Ok(()) };
    if others.iter().any(|&label| label != first) {
        return Ok(());
    }
    let class = classes.get(usize::from(first)).cloned().unwrap_or_else(|| first.to_string());
    Err(DataError::OneClass { path: train.targets_from().into(), class })
}

/// Refuses targets that are not those of the task.
fn check_targets(split: &Split, task: &Task) -> Result<(), DataError> {
    let path = || split.targets_from().to_path_buf();
    let outputs = task.outputs();
    let (found, fits) = match (split.targets(), &task.kind) {
        (Targets::Labels(labels), Kind::Classification { .. }) => {
            if let Some(index) = labels.iter().position(|&label| usize::from(label) >= outputs) {
                let label = labels[index];
                return Err(DataError::LabelOutOfRange { path: path(), index, label, classes: outputs });
            }
            ("labels".into(), true)
        }
        (Targets::Labels(_), Kind::Regression { .. }) => ("labels".into(), false),
        (Targets::Values(values), kind) => {
            let regression = matches!(kind, Kind::Regression { .. });
            (format!("rows of {} values", values.ncols()), regression && values.ncols() == outputs)
        }
    };
    if fits && split.per_step() == task.per_step {
        return Ok(());
    }
    let each = |per_step| if per_step { "for each timestep" } else { "for each sequence" };
    let wanted = match task.kind {
        Kind::Classification { .. } => "labels".into(),
        Kind::Regression { .. } => format!("rows of {outputs} values"),
    };
    Err(DataError::TargetKind {
        path: path(),
        found: format!("{found} {}", each(split.per_step())),
        expected: format!("{wanted} {}", each(task.per_step)),
    })
}

/// Names for classes that are known by their numbers alone: `0` to the greatest of the training labels, which came from
/// `path`.
///
/// # Errors
/// [`DataError::SkippedLabels`].
pub(super) fn numbered_classes(labels: &[u8], path: &Path) -> Result<Vec<String>, DataError> {
    let mut present = [false; 256];
    labels.iter().for_each(|&label| present[usize::from(label)] = true);
    let greatest = labels.iter().copied().max().unwrap_or(0);
    let missing: Vec<String> =
        (0..greatest).filter(|&label| !present[usize::from(label)]).map(|label| label.to_string()).collect();
    if !missing.is_empty() {
        return Err(DataError::SkippedLabels { path: path.into(), missing: missing.join(", "), greatest });
    }
    Ok((0..=greatest).map(|label| label.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Sequences, Values};
    use ndarray::{Array2, Array3};

    fn split(name: &str, shape: [usize; 3], labels: &[u8]) -> Split {
        let (images, label_file) = (format!("{name}-images"), format!("{name}-labels"));
        Split::of_images(Array3::zeros(shape), labels.to_vec(), images, label_file).expect("a sound split")
    }

    #[test]
    fn classes_are_counted_over_the_training_labels() {
        let (train, test) = (split("train", [4, 2, 5], &[0, 1, 2, 1]), split("t10k", [1, 2, 5], &[1]));
        let set = Dataset::of_images("toy", train, test).expect("a sound set");
        assert_eq!(set.name(), "toy");
        assert_eq!(set.classes(), ["0", "1", "2"]);
        assert_eq!((set.timesteps(), set.inputs(), set.outputs()), (2, 5, 3));
        assert_eq!((set.train().count(), set.test().count()), (4, 1));
        assert_eq!(set.class_counts(), [1, 2, 1]);
        assert_eq!(set.class_weights(), [4.0 / 3.0, 2.0 / 3.0, 4.0 / 3.0]);
    }

    #[test]
    fn all_256_labels_of_a_byte_may_be_classes() {
        let labels: Vec<u8> = (0..=255).collect();
        let set = Dataset::of_images(
            "wide",
            split("train", [256, 1, 1], &labels),
            split("t10k", [1, 1, 1], &[255]),
        );
        assert_eq!(set.expect("a sound set").classes().len(), 256);
    }

    #[test]
    fn a_test_label_unknown_to_training_is_named() {
        let error = Dataset::of_images(
            "toy",
            split("train", [3, 1, 1], &[0, 1, 2]),
            split("t10k", [3, 1, 1], &[2, 1, 3]),
        )
        .expect_err("label 3 is unknown");
        let text = error.to_string();
        assert!(text.starts_with("t10k-labels: label 3 at index 2 is out of range"), "{text}");
        assert!(text.contains("3 classes, 0 to 2"), "{text}");
    }

    #[test]
    fn images_of_two_sizes_are_refused() {
        let error =
            Dataset::of_images("toy", split("train", [1, 2, 3], &[0]), split("t10k", [1, 3, 2], &[0]))
                .expect_err("the sizes differ");
        let text = error.to_string();
        assert!(text.starts_with("t10k-images: its images are [3, 2]"), "{text}");
        assert!(text.contains("train-images are [2, 3]"), "{text}");
    }

    #[test]
    fn labels_that_skip_numbers_and_single_classes_are_refused() {
        let refused = |labels: &[u8]| {
            let train = split("train", [labels.len(), 1, 1], labels);
            Dataset::of_images("toy", train, split("t10k", [1, 1, 1], &[0])).expect_err("unsound").to_string()
        };
        let skipped = refused(&[1, 3, 1, 6]);
        assert!(skipped.starts_with("train-labels: no training label is 0, 2, 4, 5, though"), "{skipped}");
        assert!(skipped.contains("up to 6"), "{skipped}");
        assert!(refused(&[0, 0]).starts_with("train-labels: every training label is 0; "));
    }

    #[test]
    fn validation_is_held_out_where_the_set_has_none() {
        let train = split("train", [24, 1, 1], &[0, 1].repeat(12));
        let (own, test) = (split("val", [2, 1, 1], &[0, 1]), split("t10k", [1, 1, 1], &[0]));
        let counts = |validation| {
            let splits = Splits { train: train.clone(), validation, test: test.clone() };
            let set = Dataset::new("toy", Task::classification(["a", "b"]), InputScaling::PIXELS, splits);
            let set = set.expect("a sound set");
            let (training, validation) = set.training_and_validation();
            (training.count(), validation.count())
        };
        assert_eq!(counts(None), (22, 2));
        assert_eq!(counts(Some(own)), (24, 2));
    }

    #[test]
    fn splits_that_do_not_belong_together_are_refused() {
        let values = |name: &str, inputs: usize, outputs: usize, per_step| {
            let sequences = Sequences::equal(Values::I16(vec![0; 2 * inputs]), [2, 1, inputs]);
            let targets = Targets::Values(Array2::zeros((2, outputs)));
            Split::new(sequences, targets, per_step, format!("{name}-x"), format!("{name}-y")).expect("sound")
        };
        let scaling = TargetScaling { mean: vec![0.0; 2], deviation: vec![1.0; 2] };
        let kind = Kind::Regression { names: vec!["a".into(), "b".into()], scaling };
        let refused = |test: Split| {
            let splits = Splits { train: values("train", 3, 2, false), validation: None, test };
            let task = Task { kind: kind.clone(), per_step: false };
            Dataset::new("toy", task, InputScaling::PIXELS, splits).expect_err("unsound").to_string()
        };
        let text = refused(values("test", 4, 2, false));
        assert!(text.starts_with("test-x: its timesteps have 4 features, but those of"), "{text}");
        let text = refused(values("test", 3, 1, false));
        assert!(
            text.starts_with("test-y: it holds rows of 1 values for each sequence, but the task"),
            "{text}"
        );
        assert!(
            refused(values("test", 3, 2, true)).contains("for each timestep, but the task needs rows of 2")
        );
        assert!(
            refused(split("test", [1, 1, 3], &[0]))
                .contains("test-labels: it holds labels for each sequence")
        );
    }
}
