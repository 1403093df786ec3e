//! Batches out of a data set: order, scaling, augmentation and dropout, the same for any number of threads.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::augment::Augmentation;
use super::gather::Gathered;
use super::recipe::{Order, Settings};
use crate::data::{Dataset, InputScaling, SplitView, ValuesView};
use crate::nn::{Batch, Dropout};

/// Random numbers come from streams of the seed, one for each use, so that they depend neither on threads nor on what was
/// drawn before: that for the order of the samples in epoch `e` is `ORDER_STREAM - e`.
const ORDER_STREAM: u64 = u64::MAX;
/// Added to the stream of a sample in an epoch for its dropout; without it the sample is drawn by augmentation.
const DROPOUT_STREAM: u64 = 1 << 63;

/// The stream of sample `index` in epoch `epoch`.
fn sample_stream(epoch: u32, index: u32) -> u64 {
    u64::from(epoch + 1) << 32 | u64::from(index)
}

/// Gathers batches of training samples, each while the one before it is computed.
pub(super) struct Batches<'d> {
    source: BatchSource<'d>,
    current: Drawn,
    next: Drawn,
}

/// What batches are drawn from.
struct BatchSource<'d> {
    dataset: &'d Dataset,
    samples: SplitView<'d>,
    seed: u64,
    augmentation: Option<Augmentation>,
    dropout: f32,
    order: Order,
    /// Samples of a batch.
    size: usize,
    /// Sample numbers in the order of this epoch.
    indices: Vec<u32>,
}

/// The samples of one batch.
struct Drawn {
    /// Number of the batch in this epoch; `None` where there is none yet.
    step: Option<usize>,
    gathered: Gathered,
    /// Streams for the dropout of the samples.
    streams: Vec<u64>,
}

impl<'d> Batches<'d> {
    /// Batches of `samples`, which are of `dataset`.
    pub(super) fn new(
        dataset: &'d Dataset,
        samples: SplitView<'d>,
        settings: &Settings,
        dropout: f32,
        seed: u64,
    ) -> Self {
        let size = settings.batch.min(samples.count());
        let empty = || Drawn {
            step: None,
            gathered: Gathered::new(size, samples.timesteps(), samples.inputs()),
            streams: Vec::with_capacity(size),
        };
        let source = BatchSource {
            dataset,
            samples,
            seed,
            augmentation: settings.augmentation,
            dropout,
            order: settings.order,
            size,
            indices: (0..samples.count() as u32).collect(),
        };
        Self { source, current: empty(), next: empty() }
    }

    /// Steps of an epoch. A last batch of one sample, whose batch normalisation would be empty of meaning, is left out,
    /// unless every timestep is read out.
    pub(super) fn steps(&self) -> usize {
        let BatchSource { indices, size, samples, .. } = &self.source;
        let count = indices.len();
        let whole = count.div_ceil(*size);
        let lonely = count % size == 1 && whole > 1 && !samples.per_step();
        if lonely { whole - 1 } else { whole }
    }

    /// Puts the samples in the order of epoch number `epoch`, from 1.
    pub(super) fn begin_epoch(&mut self, epoch: u32) {
        self.source.begin_epoch(epoch);
        self.next.step = None;
    }

    /// Batch number `step` of the epoch, and what gathers the batch after it: to be called while this one is computed, or
    /// not at all.
    pub(super) fn gather(&mut self, epoch: u32, step: usize) -> (Batch<'_>, impl FnOnce() + Send) {
        let last = step + 1 == self.steps();
        let Self { source, current, next } = self;
        if next.step != Some(step) {
            source.draw(epoch, step, next);
        }
        std::mem::swap(current, next);
        let source = &*source;
        let gather_next = move || {
            if !last {
                source.draw(epoch, step + 1, next);
            }
        };
        (source.batch(current), gather_next)
    }
}

impl BatchSource<'_> {
    fn begin_epoch(&mut self, epoch: u32) {
        let drawn_in = match self.order {
            Order::Reshuffled => epoch,
            Order::Repeated => 1,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(ORDER_STREAM - u64::from(drawn_in - 1));
        self.indices.clear();
        self.indices.extend(0..self.samples.count() as u32);
        self.indices.shuffle(&mut rng);
    }

    /// Gathers batch number `step` of the epoch into `drawn`.
    fn draw(&self, epoch: u32, step: usize, drawn: &mut Drawn) {
        let start = step * self.size;
        let indices = &self.indices[start..self.indices.len().min(start + self.size)];
        let (samples, scaling, seed) = (self.samples, self.dataset.scaling(), self.seed);
        let augmentation = self.augmentation;
        drawn.gathered.gather(samples, indices, |index, out| {
            // bytes that are all of one scale are an image; measurements are taken as they are
            match (augmentation, scaling, samples.sequence(index)) {
                (Some(augmentation), InputScaling::Uniform { scale }, ValuesView::U8(image)) => {
                    let mut rng = ChaCha8Rng::seed_from_u64(seed);
                    rng.set_stream(sample_stream(epoch, index as u32));
                    augmentation.draw(image, samples.inputs(), *scale, &mut rng, out);
                }
                _ => samples.gather(index, scaling, out),
            }
        });
        drawn.gathered.gather_targets(samples, indices, self.dataset.task());
        drawn.streams.clear();
        drawn.streams.extend(indices.iter().map(|&index| DROPOUT_STREAM | sample_stream(epoch, index)));
        drawn.step = Some(step);
    }

    /// The samples in `drawn`, as a network takes them.
    fn batch<'b>(&self, drawn: &'b Drawn) -> Batch<'b> {
        let dropout = Dropout { rate: self.dropout, seed: self.seed, streams: &drawn.streams };
        Batch {
            sequences: drawn.gathered.sequences(),
            targets: drawn.gathered.targets(),
            dropout: (self.dropout > 0.0).then_some(dropout),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, ArrayD};
    use refrain::CellKind;

    use super::*;
    use crate::data::{Split, Splits, Task};
    use crate::nn::Targets;
    use crate::train::Recipe;

    const PIXEL_SCALE: f32 = 0.5;

    /// Sample number n has label n and begins with pixel n.
    fn dataset_scaled(count: usize, scaling: InputScaling) -> Dataset {
        let samples = Array3::from_shape_fn((count, 3, 2), |(n, t, i)| (n + t + i) as u8);
        let train = Split::of_images(samples, (0..count as u8).collect(), "images", "labels").unwrap();
        let task = Task::classification((0..count).map(|class| class.to_string()));
        let splits = Splits { test: train.clone(), validation: None, train };
        Dataset::new("toy", task, scaling, splits).unwrap()
    }

    fn dataset(count: usize) -> Dataset {
        dataset_scaled(count, InputScaling::Uniform { scale: PIXEL_SCALE })
    }

    fn batches<'d>(dataset: &'d Dataset, settings: &Settings) -> Batches<'d> {
        Batches::new(dataset, dataset.train().view(), settings, 0.0, 1)
    }

    /// Plain batches of at most `batch` samples.
    fn plain(batch: usize) -> Settings {
        Settings { batch, ..Recipe::Article.settings(CellKind::Gru) }
    }

    fn labels(batch: &Batch<'_>) -> Vec<u8> {
        let Targets::Labels(labels) = batch.targets else { panic!("labels") };
        labels.to_vec()
    }

    fn x(batch: &Batch<'_>) -> ArrayD<f32> {
        let sequences: Vec<_> =
            (0..batch.sequences.count()).map(|index| batch.sequences.sequence(index)).collect();
        ndarray::stack(ndarray::Axis(0), &sequences).unwrap().into_dyn()
    }

    #[test]
    fn an_epoch_visits_every_sample_once() {
        let dataset = dataset(10);
        let mut batches = batches(&dataset, &plain(4));
        batches.begin_epoch(1);
        assert_eq!(batches.steps(), 3);
        let mut seen = Vec::new();
        for step in 0..3 {
            let (batch, gather_next) = batches.gather(1, step);
            assert_eq!(batch.sequences.count(), labels(&batch).len());
            for (x, label) in x(&batch).outer_iter().zip(labels(&batch)) {
                assert_eq!(x[[2, 1]], PIXEL_SCALE * f32::from(label + 3));
            }
            seen.extend_from_slice(&labels(&batch));
            gather_next();
        }
        assert_ne!(seen, (0..10).collect::<Vec<u8>>(), "in a new order");
        seen.sort();
        assert_eq!(seen, (0..10).collect::<Vec<u8>>());
    }

    #[test]
    fn a_batch_is_at_most_the_set_and_a_last_single_sample_is_left_out() {
        let (nine, two) = (dataset(9), dataset(2));
        let steps = |dataset: &Dataset, batch| batches(dataset, &plain(batch)).steps();
        assert_eq!([64, 4, 8].map(|batch| steps(&nine, batch)), [1, 2, 1]);
        assert_eq!(steps(&two, 4), 1);
    }

    #[test]
    fn the_article_repeats_its_first_order_and_the_best_recipe_draws_new_ones() {
        let dataset = dataset(100);
        for recipe in Recipe::ALL {
            let settings = Settings { batch: 100, ..recipe.settings(CellKind::Gru) };
            let mut batches = batches(&dataset, &settings);
            let mut order_of = |epoch| {
                batches.begin_epoch(epoch);
                labels(&batches.gather(epoch, 0).0)
            };
            let (first, second, third) = (order_of(1), order_of(2), order_of(3));
            let repeated = recipe == Recipe::Article;
            assert_eq!((first == second, second == third), (repeated, repeated), "{recipe}");
            // whoever begins with a later epoch meets the samples in its order
            assert_eq!(order_of(2), second, "{recipe}");
        }
    }

    #[test]
    fn augmented_samples_differ_between_epochs_and_not_between_runs() {
        let dataset = dataset(6);
        let draw = |epoch| {
            let settings = Settings { batch: 6, ..Recipe::Best.settings(CellKind::Gru) };
            x(&batches(&dataset, &settings).gather(epoch, 0).0)
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn measurements_are_scaled_and_never_augmented() {
        let scaling = InputScaling::PerFeature { mean: vec![1.0, 2.0], deviation: vec![2.0, 4.0] };
        let dataset = dataset_scaled(6, scaling);
        let settings = Settings { batch: 6, ..Recipe::Best.settings(CellKind::Gru) };
        assert!(settings.augmentation.is_some());
        let x = x(&batches(&dataset, &settings).gather(1, 0).0);
        for (n, x) in x.outer_iter().enumerate() {
            assert_eq!((x[[2, 0]], x[[2, 1]]), ((n + 1) as f32 / 2.0, (n + 1) as f32 / 4.0));
        }
    }

    #[test]
    fn dropout_has_streams_of_its_own() {
        let dataset = dataset(6);
        let mut batches = Batches::new(&dataset, dataset.train().view(), &plain(6), 0.5, 1);
        let mut streams_of = |epoch| {
            let (batch, _) = batches.gather(epoch, 0);
            let dropout = batch.dropout.expect("dropout was asked for");
            dropout.streams.to_vec()
        };
        let (mut first, second) = (streams_of(1), streams_of(2));
        assert_eq!(first[3], DROPOUT_STREAM | sample_stream(1, 3));
        first.extend(second);
        first.extend((0..6).flat_map(|index| [1, 2].map(|epoch| sample_stream(epoch, index))));
        first.sort();
        first.dedup();
        assert_eq!(first.len(), 24, "no stream is used twice");
    }
}
