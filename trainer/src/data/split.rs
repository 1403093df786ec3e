//! One half of a data set, owned ([`Split`]) or borrowed in part ([`SplitView`]).

use std::path::{Path, PathBuf};

use ndarray::{Array3, ArrayView3, Axis};

use super::DataError;

/// Samples and their labels: as many of the one as of the other, at least one, none without pixels.
///
/// ```
/// use ndarray::Array3;
/// use refrain_trainer::data::Split;
///
/// let pixels = Array3::from_shape_fn((24, 3, 4), |(sample, row, column)| (sample + row + column) as u8);
/// let split = Split::new(pixels, vec![1; 24], "drawn here", "drawn here")?;
/// assert_eq!((split.count(), split.timesteps(), split.inputs()), (24, 3, 4));
///
/// let (training, validation) = split.hold_out(split.validation_count())?;
/// assert_eq!((training.count(), validation.count()), (22, 2));
/// assert_eq!(validation.sample(0)[..4], [22, 23, 24, 25]);
/// # Ok::<(), refrain_trainer::data::DataError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Split {
    /// `[count, timesteps, inputs]`, in standard (row-major) layout.
    samples: Array3<u8>,
    /// `[count]`
    labels: Vec<u8>,
    images_from: PathBuf,
    labels_from: PathBuf,
}

impl Split {
    /// Checks and joins `samples` (`[count, timesteps, inputs]`) and `labels` (`[count]`).
    ///
    /// `images_from` and `labels_from` say where each came from, a file as a rule, for the messages of errors.
    ///
    /// # Errors
    /// [`DataError::Empty`], [`DataError::NoPixels`] or [`DataError::CountMismatch`].
    pub fn new(
        samples: Array3<u8>,
        labels: Vec<u8>,
        images_from: impl Into<PathBuf>,
        labels_from: impl Into<PathBuf>,
    ) -> Result<Split, DataError> {
        let (images_from, labels_from) = (images_from.into(), labels_from.into());
        let (count, timesteps, inputs) = samples.dim();
        let shape = vec![count, timesteps, inputs];
        if count == 0 {
            return Err(DataError::Empty { path: images_from, shape });
        }
        if timesteps == 0 || inputs == 0 {
            return Err(DataError::NoPixels { path: images_from, shape });
        }
        if labels.len() != count {
            let labels = labels.len();
            return Err(DataError::CountMismatch { images_from, images: count, labels_from, labels });
        }
        // `sample` hands out whole images as slices, so the layout must be the standard one.
        let samples =
            if samples.is_standard_layout() { samples } else { samples.as_standard_layout().into_owned() };
        Ok(Split { samples, labels, images_from, labels_from })
    }

    /// Where the samples came from.
    pub fn images_from(&self) -> &Path {
        &self.images_from
    }

    /// Where the labels came from.
    pub fn labels_from(&self) -> &Path {
        &self.labels_from
    }

    /// How many samples there are; at least one.
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// Rows in an image: steps of a sequence.
    pub fn timesteps(&self) -> usize {
        self.samples.dim().1
    }

    /// Pixels in a row: numbers that go in at each step.
    pub fn inputs(&self) -> usize {
        self.samples.dim().2
    }

    /// The raw pixels, `[count, timesteps, inputs]`.
    pub fn samples(&self) -> ArrayView3<'_, u8> {
        self.samples.view()
    }

    /// The labels, `[count]`.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// All of it, borrowed.
    pub fn view(&self) -> SplitView<'_> {
        SplitView { samples: self.samples.view(), labels: &self.labels }
    }

    /// How many samples to hold out for validation: a twelfth, which is 5,000 of MNIST's 60,000; at least one where
    /// that leaves something to train on.
    pub fn validation_count(&self) -> usize {
        (self.count() / 12).max(1).min(self.count() - 1)
    }

    /// All but the last `held_out` samples, and the last `held_out` samples; nothing is copied.
    ///
    /// # Errors
    /// [`DataError::HoldOut`] when nothing would remain to train on.
    pub fn hold_out(&self, held_out: usize) -> Result<(SplitView<'_>, SplitView<'_>), DataError> {
        if held_out >= self.count() {
            let path = self.images_from.clone();
            return Err(DataError::HoldOut { path, held_out, count: self.count() });
        }
        Ok(self.view().split_at(self.count() - held_out))
    }
}

/// Borrowed samples and their labels: a [`Split`] or a run of it. May be empty.
#[derive(Debug, Clone, Copy)]
pub struct SplitView<'a> {
    /// `[count, timesteps, inputs]`, contiguous
    samples: ArrayView3<'a, u8>,
    /// `[count]`
    labels: &'a [u8],
}

impl<'a> SplitView<'a> {
    /// How many samples there are.
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// Rows in an image: steps of a sequence.
    pub fn timesteps(&self) -> usize {
        self.samples.dim().1
    }

    /// Pixels in a row: numbers that go in at each step.
    pub fn inputs(&self) -> usize {
        self.samples.dim().2
    }

    /// The raw pixels, `[count, timesteps, inputs]`.
    pub fn samples(&self) -> ArrayView3<'a, u8> {
        self.samples
    }

    /// The labels, `[count]`.
    pub fn labels(&self) -> &'a [u8] {
        self.labels
    }

    /// One image, row after row: `[timesteps * inputs]`.
    ///
    /// # Panics
    /// When `index` is not below [`count`](Self::count).
    pub fn sample(&self, index: usize) -> &'a [u8] {
        let image = self.samples.index_axis_move(Axis(0), index);
        image.to_slice().expect("a split is kept in standard layout")
    }

    /// The first `count` samples, or all where there are fewer.
    pub fn first(self, count: usize) -> SplitView<'a> {
        self.split_at(count.min(self.count())).0
    }

    /// The samples before `index` and those from it on.
    ///
    /// # Panics
    /// When `index` is greater than [`count`](Self::count).
    pub fn split_at(self, index: usize) -> (SplitView<'a>, SplitView<'a>) {
        let (before, after) = self.samples.split_at(Axis(0), index);
        let (labels_before, labels_after) = self.labels.split_at(index);
        (
            SplitView { samples: before, labels: labels_before },
            SplitView { samples: after, labels: labels_after },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(count: usize) -> Split {
        let samples =
            Array3::from_shape_fn((count, 2, 3), |(n, row, column)| (n * 6 + row * 3 + column) as u8);
        Split::new(samples, (0..count as u8).collect(), "images", "labels").expect("a sound split")
    }

    #[test]
    fn holding_out_takes_the_last_samples() {
        let split = counted(30);
        assert_eq!(split.validation_count(), 2);
        let (training, validation) = split.hold_out(4).expect("26 remain");
        assert_eq!((training.count(), validation.count()), (26, 4));
        assert_eq!(training.labels(), &split.labels()[..26]);
        assert_eq!(validation.labels(), [26, 27, 28, 29]);
        assert_eq!(validation.sample(1), [162, 163, 164, 165, 166, 167]);
        assert_eq!((validation.timesteps(), validation.inputs()), (2, 3));
        assert_eq!(validation.samples()[[0, 1, 2]], 161);
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
        assert_eq!(split.view().first(2).labels(), [0, 1]);
        assert_eq!(split.view().first(9).count(), 5);
    }

    #[test]
    fn a_transposed_array_is_laid_out_afresh() {
        let samples = Array3::from_shape_fn((4, 3, 2), |(n, row, column)| (n * 6 + row * 2 + column) as u8);
        let swapped = samples.permuted_axes([0, 2, 1]);
        let split = Split::new(swapped, vec![0; 4], "images", "labels").expect("a sound split");
        assert_eq!(split.view().sample(1), [6, 8, 10, 7, 9, 11]);
    }

    #[test]
    fn unsound_halves_are_refused() {
        let refused = |shape: [usize; 3], labels: usize| {
            let error = Split::new(Array3::zeros(shape), vec![0; labels], "the-images", "the-labels");
            error.expect_err("unsound").to_string()
        };
        assert_eq!(refused([3, 1, 1], 2), "the-labels: 2 labels for the 3 images of the-images");
        assert_eq!(refused([0, 2, 2], 0), "the-images: it holds no samples: its sizes are [0, 2, 2]");
        assert!(refused([2, 0, 2], 2).starts_with("the-images: its images have no pixels"));
        assert!(refused([2, 2, 0], 2).starts_with("the-images: its images have no pixels"));
    }
}
