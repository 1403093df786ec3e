//! Batches out of a data set: order, scaling and augmentation, the same for any number of threads.

use ndarray::{Array3, ArrayView3, Axis};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::augment::Augmentation;
use super::recipe::{Order, Settings};
use crate::data::{DataError, InputScaling, PIXEL_SCALE, SplitView, ValuesView};

/// The random numbers for the order of samples have this stream of the seed; those for sample `i` in epoch `e`
/// have stream `(e + 1) << 32 | i`.
const ORDER_STREAM: u64 = u64::MAX;

/// Gathers batches of training samples.
pub(super) struct Batches<'d> {
    samples: SplitView<'d>,
    /// `[count]`
    sample_labels: &'d [u8],
    seed: u64,
    augmentation: Option<Augmentation>,
    order: Order,
    order_rng: ChaCha8Rng,
    /// Sample numbers in the order of this epoch.
    indices: Vec<u32>,
    x: Array3<f32>,
    labels: Vec<u8>,
}

impl<'d> Batches<'d> {
    pub(super) fn new(samples: SplitView<'d>, settings: &Settings, seed: u64) -> Result<Self, DataError> {
        let sample_labels = samples.images()?.labels;
        let mut order_rng = ChaCha8Rng::seed_from_u64(seed);
        order_rng.set_stream(ORDER_STREAM);
        let batch = settings.batch.min(samples.count());
        Ok(Self {
            samples,
            sample_labels,
            seed,
            augmentation: settings.augmentation,
            order: settings.order,
            order_rng,
            indices: (0..samples.count() as u32).collect(),
            x: Array3::zeros((batch, samples.timesteps(), samples.inputs())),
            labels: Vec::with_capacity(batch),
        })
    }

    /// Steps of an epoch. A last batch of one sample, whose batch normalisation would be empty of meaning, is left
    /// out.
    pub(super) fn steps(&self) -> usize {
        let (count, batch) = (self.indices.len(), self.x.len_of(Axis(0)));
        let whole = count.div_ceil(batch);
        if count % batch == 1 && whole > 1 { whole - 1 } else { whole }
    }

    /// Puts the samples in the order of epoch number `epoch`, from 1.
    pub(super) fn begin_epoch(&mut self, epoch: u32) {
        if epoch == 1 || self.order == Order::Reshuffled {
            self.indices.shuffle(&mut self.order_rng);
        }
    }

    /// Batch number `step` of the epoch: `x` `[batch, timesteps, inputs]` and labels.
    pub(super) fn gather(&mut self, epoch: u32, step: usize) -> (ArrayView3<'_, f32>, &[u8]) {
        let (batch, width) = (self.x.len_of(Axis(0)), self.samples.inputs());
        let start = step * batch;
        let indices = &self.indices[start..self.indices.len().min(start + batch)];
        self.labels.clear();
        self.labels.extend(indices.iter().map(|&index| self.sample_labels[index as usize]));

        let sample_size = self.samples.timesteps() * width;
        let x = self.x.as_slice_mut().expect("made in standard layout");
        let (samples, seed, augmentation) = (self.samples, self.seed, self.augmentation);
        // few samples to a task: a sample takes microseconds
        x.par_chunks_exact_mut(sample_size).with_min_len(8).zip(indices).for_each(|(out, &index)| {
            match (augmentation, samples.sequence(index as usize)) {
                (Some(augmentation), ValuesView::U8(image)) => {
                    let mut rng = ChaCha8Rng::seed_from_u64(seed);
                    rng.set_stream(u64::from(epoch + 1) << 32 | u64::from(index));
                    augmentation.draw(image, width, PIXEL_SCALE, &mut rng, out);
                }
                _ => samples.gather(index as usize, &InputScaling::PIXELS, out),
            }
        });
        (self.x.slice_axis(Axis(0), (..indices.len()).into()), &self.labels)
    }
}

#[cfg(test)]
mod tests {
    use refrain::CellKind;

    use super::*;
    use crate::data::Split;
    use crate::train::Recipe;

    fn split(count: usize) -> Split {
        let samples = Array3::from_shape_fn((count, 3, 2), |(n, t, i)| (n + t + i) as u8);
        Split::of_images(samples, (0..count as u8).collect(), "images", "labels").unwrap()
    }

    /// Plain batches of at most `batch` samples.
    fn plain(batch: usize) -> Settings {
        Settings { batch, ..Recipe::Article.settings(CellKind::Gru) }
    }

    #[test]
    fn an_epoch_visits_every_sample_once() {
        let split = split(10);
        let mut batches = Batches::new(split.view(), &plain(4), 1).unwrap();
        batches.begin_epoch(1);
        assert_eq!(batches.steps(), 3);
        let mut seen = Vec::new();
        for step in 0..3 {
            let (x, labels) = batches.gather(1, step);
            assert_eq!(x.len_of(Axis(0)), labels.len());
            for (x, &label) in x.outer_iter().zip(labels) {
                assert_eq!(x[[2, 1]], PIXEL_SCALE * f32::from(label + 3));
            }
            seen.extend_from_slice(labels);
        }
        assert_ne!(seen, (0..10).collect::<Vec<u8>>(), "in a new order");
        seen.sort();
        assert_eq!(seen, (0..10).collect::<Vec<u8>>());
    }

    #[test]
    fn a_batch_is_at_most_the_set_and_a_last_single_sample_is_left_out() {
        let (nine, one) = (split(9), split(1));
        let steps = |split: &Split, batch| Batches::new(split.view(), &plain(batch), 1).unwrap().steps();
        assert_eq!([64, 4, 8].map(|batch| steps(&nine, batch)), [1, 2, 1]);
        assert_eq!(steps(&one, 4), 1);
    }

    #[test]
    fn the_article_repeats_its_first_order_and_the_best_recipe_draws_new_ones() {
        let split = split(100);
        for recipe in Recipe::ALL {
            let settings = Settings { batch: 100, ..recipe.settings(CellKind::Gru) };
            let mut batches = Batches::new(split.view(), &settings, 1).unwrap();
            let mut order_of = |epoch| {
                batches.begin_epoch(epoch);
                batches.gather(epoch, 0).1.to_vec()
            };
            let (first, second, third) = (order_of(1), order_of(2), order_of(3));
            let repeated = recipe == Recipe::Article;
            assert_eq!((first == second, second == third), (repeated, repeated), "{recipe}");
        }
    }

    #[test]
    fn augmented_samples_differ_between_epochs_and_not_between_runs() {
        let split = split(6);
        let draw = |epoch| {
            let settings = Settings { batch: 6, ..Recipe::Best.settings(CellKind::Gru) };
            Batches::new(split.view(), &settings, 5).unwrap().gather(epoch, 0).0.to_owned()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
