//! One part of a data set: sequences and their targets.

use std::path::{Path, PathBuf};

use ndarray::Array3;

use super::{DataError, Sequences, SplitView, Targets, Values};

/// Sequences and what is to be learnt of each: at least one, none without timesteps or features.
///
/// ```
/// use refrain_trainer::data::{InputScaling, Sequences, Split, Targets, Values};
///
/// // 24 sequences of three timesteps and four features
/// let values = Values::I16((0..24 * 3 * 4).collect());
/// let labels = Targets::Labels((0..24).map(|index| index % 2).collect());
/// let split = Split::new(Sequences::equal(values, [24, 3, 4]), labels, false, "a recording", "a list")?;
/// assert_eq!((split.count(), split.timesteps(), split.inputs()), (24, 3, 4));
///
/// let (training, validation) = split.hold_out(split.validation_count())?;
/// assert_eq!((training.count(), validation.count()), (22, 2));
/// let mut x = [0.0; 12];
/// validation.gather(0, &InputScaling::Uniform { scale: 0.5 }, &mut x);
/// assert_eq!(x[..4], [132.0, 132.5, 133.0, 133.5]);
/// # Ok::<(), refrain_trainer::data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    sequences: Sequences,
    targets: Targets,
    /// Whether there is a target for each timestep.
    per_step: bool,
    sequences_from: PathBuf,
    targets_from: PathBuf,
    /// What each sequence is called there; none where they have no names.
    names: Vec<String>,
}

impl Split {
    /// Checks and joins sequences and targets: one target for each sequence, or `per_step` for each timestep.
    ///
    /// `sequences_from` and `targets_from` say where each came from, a file as a rule, for the messages of errors.
    ///
    /// # Errors
    /// [`DataError::Empty`], [`DataError::NoNumbers`], [`DataError::NoTimesteps`], [`DataError::TargetCount`] or
    /// [`DataError::StepTargetCount`].
    pub fn new(
        sequences: Sequences,
        targets: Targets,
        per_step: bool,
        sequences_from: impl Into<PathBuf>,
        targets_from: impl Into<PathBuf>,
    ) -> Result<Split, DataError> {
        let (sequences_from, targets_from) = (sequences_from.into(), targets_from.into());
        let (count, found) = (sequences.count(), targets.count());
        let shape = vec![count, sequences.timesteps(), sequences.inputs()];
        if count == 0 {
            return Err(DataError::Empty { path: sequences_from, shape });
        }
        if shape.contains(&0) {
            return Err(DataError::NoNumbers { path: sequences_from, shape });
        }
        if let Some(sequence) = (0..count).find(|&index| sequences.length(index) == 0) {
            return Err(DataError::NoTimesteps { path: sequences_from, sequence });
        }
        let timesteps = sequences.total_timesteps();
        if per_step && found != timesteps {
            let targets = found;
            return Err(DataError::StepTargetCount { sequences_from, timesteps, targets_from, targets });
        }
        if !per_step && found != count {
            let (sequences, targets) = (count, found);
            return Err(DataError::TargetCount { sequences_from, sequences, targets_from, targets });
        }
        Ok(Split { sequences, targets, per_step, sequences_from, targets_from, names: Vec::new() })
    }

    /// The same split with a name for each sequence, by which its owner finds it again: a file, or a place in an array.
    ///
    /// # Panics
    /// If there are more or fewer names than sequences.
    pub fn named(self, names: Vec<String>) -> Split {
        assert_eq!(names.len(), self.count(), "a name for each sequence");
        Split { names, ..self }
    }

    /// Grey images, each read row by row as one sequence: `pixels` is `[count, rows, columns]`, `labels` `[count]`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_images(
        pixels: Array3<u8>,
        labels: Vec<u8>,
        images_from: impl Into<PathBuf>,
        labels_from: impl Into<PathBuf>,
    ) -> Result<Split, DataError> {
        let shape = pixels.dim().into();
        // the logical order is the row-major one, whatever the layout
        let pixels = if pixels.is_standard_layout() {
            pixels.into_raw_vec_and_offset().0
        } else {
            pixels.iter().copied().collect()
        };
        let sequences = Sequences::equal(Values::U8(pixels), shape);
        Split::new(sequences, Targets::Labels(labels), false, images_from, labels_from)
    }

    /// Where the sequences came from.
    pub fn sequences_from(&self) -> &Path {
        &self.sequences_from
    }

    /// Where the targets came from.
    pub fn targets_from(&self) -> &Path {
        &self.targets_from
    }

    /// What sequence `index` is called where it came from: its file within a folder of CSV files, or its place in an array
    /// (`x_test[7]`), held out or not. `None` for images, which have nothing but their number.
    pub fn name(&self, index: usize) -> Option<&str> {
        self.names.get(index).map(String::as_str)
    }

    /// How many sequences there are; at least one.
    pub fn count(&self) -> usize {
        self.sequences.count()
    }

    /// Timesteps of the longest sequence.
    pub fn timesteps(&self) -> usize {
        self.sequences.timesteps()
    }

    /// Features of a timestep.
    pub fn inputs(&self) -> usize {
        self.sequences.inputs()
    }

    /// Whether there is a target for each timestep instead of one for each sequence.
    pub fn per_step(&self) -> bool {
        self.per_step
    }

    /// The sequences.
    pub fn sequences(&self) -> &Sequences {
        &self.sequences
    }

    /// The targets: one for each sequence, or for each timestep.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The labels; `None` where values are to be learnt.
    pub fn labels(&self) -> Option<&[u8]> {
        self.view().labels()
    }

    /// All of it, borrowed.
    pub fn view(&self) -> SplitView<'_> {
        SplitView::new(self)
    }

    /// Takes the sequences that `is_taken` names, and their targets, out of this split: a copy of those alone, the rest
    /// closes up in place.
    pub(super) fn take_out(&mut self, is_taken: &[bool]) -> Split {
        let entries = |index| match self.per_step {
            true => self.sequences.start(index)..self.sequences.start(index + 1),
            false => index..index + 1,
        };
        let ranges = |taken| {
            let numbers = (0..is_taken.len()).filter(move |&index| is_taken[index] == taken);
            numbers.map(entries).collect::<Vec<_>>().into_iter()
        };
        let (taken, rest) = (ranges(true), ranges(false));
        let targets = self.targets.take_out(taken, rest);
        let sequences = self.sequences.take_out(is_taken);
        let names = std::mem::take(&mut self.names).into_iter().zip(is_taken);
        let (taken, rest): (Vec<_>, Vec<_>) = names.partition(|(_, is_taken)| **is_taken);
        let words = |names: Vec<(String, &bool)>| names.into_iter().map(|(name, _)| name).collect();
        self.names = words(rest);
        Split {
            names: words(taken),
            sequences,
            targets,
            per_step: self.per_step,
            sequences_from: self.sequences_from.clone(),
            targets_from: self.targets_from.clone(),
        }
    }

    /// The same split with its numbers in the type that holds those of `other` as well.
    pub(super) fn widened_for(self, other: &Split) -> Split {
        Split { sequences: self.sequences.widened_for(&other.sequences), ..self }
    }

    /// How many sequences to hold out for validation: a twelfth, which is 5,000 of MNIST's 60,000; at least one
    /// where that leaves something to train on.
    pub fn validation_count(&self) -> usize {
        (self.count() / 12).max(1).min(self.count() - 1)
    }

    /// All but the last `held_out` sequences, and the last `held_out` sequences; nothing is copied.
    ///
    /// # Errors
    /// [`DataError::HoldOut`] when nothing would remain to train on.
    pub fn hold_out(&self, held_out: usize) -> Result<(SplitView<'_>, SplitView<'_>), DataError> {
        if held_out >= self.count() {
            let path = self.sequences_from.clone();
            return Err(DataError::HoldOut { path, held_out, count: self.count() });
        }
        Ok(self.view().split_at(self.count() - held_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{InputScaling, TargetsView, ValuesView};
    use ndarray::array;

    fn counted(count: usize) -> Split {
        let samples =
            Array3::from_shape_fn((count, 2, 3), |(n, row, column)| (n * 6 + row * 3 + column) as u8);
        Split::of_images(samples, (0..count as u8).collect(), "images", "labels").expect("a sound split")
    }

    #[test]
    fn holding_out_takes_the_last_samples() {
        let split = counted(30);
        assert_eq!(split.validation_count(), 2);
        let (training, validation) = split.hold_out(4).expect("26 remain");
        assert_eq!((training.count(), validation.count()), (26, 4));
        assert_eq!(training.labels(), Some(&split.labels().expect("labels")[..26]));
        assert_eq!(validation.labels(), Some(&[26, 27, 28, 29][..]));
        assert_eq!(validation.sequence(1), ValuesView::U8(&[162, 163, 164, 165, 166, 167]));
        assert_eq!((validation.timesteps(), validation.inputs()), (2, 3));
        assert_eq!(validation.images().expect("images").pixels[[0, 1, 2]], 161);
    }

    #[test]
    fn a_twelfth_is_held_out_and_never_all() {
        let held_out = [1, 2, 11, 24, 120].map(|count| counted(count).validation_count());
        assert_eq!(held_out, [0, 1, 1, 2, 10]);
        let nothing =
            counted(5).hold_out(0).map(|(training, validation)| (training.count(), validation.count()));
        assert_eq!(nothing.expect("nothing held out"), (5, 0));
        let text = counted(5).hold_out(5).expect_err("none would remain").to_string();
        assert!(text.starts_with("images: cannot hold 5 samples out of 5"), "{text}");
    }

    #[test]
    fn first_stops_at_the_end() {
        let split = counted(5);
        assert_eq!(split.view().first(2).labels(), Some(&[0, 1][..]));
        assert_eq!(split.view().first(9).count(), 5);
    }

    #[test]
    fn a_transposed_array_is_laid_out_afresh() {
        let samples = Array3::from_shape_fn((4, 3, 2), |(n, row, column)| (n * 6 + row * 2 + column) as u8);
        let swapped = samples.permuted_axes([0, 2, 1]);
        let split = Split::of_images(swapped, vec![0; 4], "images", "labels").expect("a sound split");
        assert_eq!(split.view().sequence(1), ValuesView::U8(&[6, 8, 10, 7, 9, 11]));
    }

    #[test]
    fn each_timestep_may_have_a_target() {
        let sequences = Sequences::ragged(Values::I16(vec![1, 2, 3, 4, 5]), 1, &[2, 3]);
        let labels = Targets::Labels(vec![0, 1, 1, 0, 1]);
        let split = Split::new(sequences.clone(), labels, true, "x", "y").expect("a sound split");
        let (first, second) = split.view().split_at(1);
        assert_eq!((first.labels(), second.labels()), (Some(&[0, 1][..]), Some(&[1, 0, 1][..])));
        assert_eq!(split.view().target(1), second.targets());
        assert_eq!((second.length(0), second.targets().count()), (3, 3));
        let mut x = [9.0; 4];
        second.gather(0, &InputScaling::PerFeature { mean: vec![3.0], deviation: vec![2.0] }, &mut x);
        assert_eq!(x, [0.0, 0.5, 1.0, 9.0]);

        let text = Split::new(sequences, Targets::Labels(vec![0, 1]), true, "x", "y").expect_err("too few");
        assert_eq!(text.to_string(), "y: 2 targets for the 5 timesteps of x; each timestep needs one");
    }

    #[test]
    fn targets_go_with_the_sequences_that_are_taken_out() {
        let sequences = Sequences::ragged(Values::I16(vec![1, 2, 3, 4, 5, 6]), 1, &[2, 3, 1]);
        let labels = Targets::Labels(vec![0, 1, 1, 0, 1, 0]);
        let split = Split::new(sequences.clone(), labels, true, "x", "y").expect("a sound split");
        let mut split = split.named(["first", "second", "third"].map(String::from).into());
        let taken = split.take_out(&[false, true, false]);
        assert_eq!((taken.name(0), taken.name(1)), (Some("second"), None));
        assert_eq!([0, 1].map(|index| split.name(index)), [Some("first"), Some("third")]);
        assert_eq!(split.view().split_at(1).1.name(0), Some("third"));
        assert_eq!((taken.labels(), taken.count()), (Some(&[1, 0, 1][..]), 1));
        assert_eq!((split.labels(), split.count()), (Some(&[0, 1, 0][..]), 2));
        assert_eq!(split.view().sequence(1), ValuesView::I16(&[6]));

        let values = Targets::Values(array![[1.0], [2.0], [3.0]]);
        let mut split = Split::new(sequences, values, false, "x", "y").expect("a sound split");
        let taken = split.take_out(&[true, false, true]);
        assert_eq!(taken.targets(), &Targets::Values(array![[1.0], [3.0]]));
        assert_eq!(split.targets(), &Targets::Values(array![[2.0]]));
    }

    #[test]
    fn values_are_targets_too() {
        let sequences = Sequences::equal(Values::F32(vec![0.5, 0.25]), [2, 1, 1]);
        let values = Targets::Values(array![[1.0, 2.0], [3.0, 4.0]]);
        let split = Split::new(sequences, values, false, "x", "y").expect("a sound split");
        assert_eq!(split.labels(), None);
        assert_eq!(split.view().target(1), TargetsView::Values(array![[3.0, 4.0]].view()));
        let text = split.view().images().expect_err("no images").to_string();
        assert!(text.starts_with("x: it holds no images"), "{text}");
    }

    #[test]
    fn unsound_halves_are_refused() {
        let refused = |shape: [usize; 3], labels: usize| {
            let error = Split::of_images(Array3::zeros(shape), vec![0; labels], "the-images", "the-labels");
            error.expect_err("unsound").to_string()
        };
        assert_eq!(
            refused([3, 1, 1], 2),
            "the-labels: 2 targets for the 3 sequences of the-images; each sequence needs one"
        );
        assert_eq!(refused([0, 2, 2], 0), "the-images: it holds no samples: its sizes are [0, 2, 2]");
        assert!(refused([2, 0, 2], 2).starts_with("the-images: its sequences hold no numbers"));
        assert!(refused([2, 2, 0], 2).starts_with("the-images: its sequences hold no numbers"));
        let ragged = Sequences::ragged(Values::U8(vec![1, 2]), 1, &[2, 0]);
        let text = Split::new(ragged, Targets::Labels(vec![0, 1]), false, "x", "y").expect_err("a gap");
        assert!(text.to_string().starts_with("x: sequence 1 has no timesteps"), "{text}");
    }
}
