//! Dropout between the layers and before the dense layer: one mask a sequence, for all its timesteps.
//!
//! ```text
//! m = 0 with probability p, else 1 / (1 - p)         one draw for each unit of a layer and each sequence
//! ```
//! A layer's hidden states are multiplied by m on their way to the next layer, and so is the normalised state on its way to
//! the dense layer: behind the batch normalisation, whose variance at inference would otherwise not be that of training
//! (Li et al. 2019). Dividing by `1 - p` leaves nothing to do at inference. A mask that stays the same over time is that
//! of Gal & Ghahramani 2016; a new one at each timestep would drown what the cell remembers in noise.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// What is left out of a network for each sequence of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout<'a> {
    /// p, the part of the units that is left out: at least 0 and below 1.
    pub rate: f32,
    /// What the masks are drawn from, together with the streams.
    pub seed: u64,
    /// `[batch]`: a number for each sequence. The same number gives the same mask, wherever in a batch the sequence is.
    pub streams: &'a [u64],
}

impl Dropout<'_> {
    /// Sets `masks` to `[batch, width]` factors.
    ///
    /// # Panics
    /// If `masks` is of another size.
    pub(super) fn draw(&self, width: usize, masks: &mut [f32]) {
        assert_eq!(masks.len(), self.streams.len() * width, "a mask for each sequence");
        let dropped_below = (f64::from(self.rate) * 2f64.powi(32)) as u32;
        let kept = 1.0 / (1.0 - self.rate);
        masks.par_chunks_exact_mut(width).zip(self.streams).for_each(|(mask, &stream)| {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(stream);
            mask.iter_mut().for_each(|m| *m = if rng.next_u32() < dropped_below { 0.0 } else { kept });
        });
    }
}

/// The masks of a batch, or of a shard of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Masks<'a> {
    /// `[sequences, layers, units]`
    values: &'a [f32],
    layers: usize,
    units: usize,
}

impl<'a> Masks<'a> {
    /// Masks out of `values` `[sequences, layers, units]`; the last layer's is for the dense layer.
    pub(super) fn new(values: &'a [f32], layers: usize, units: usize) -> Self {
        Self { values, layers, units }
    }

    /// The factors for what layer `layer` passes on of sequence `sequence`, `[units]`.
    pub(super) fn of(&self, sequence: usize, layer: usize) -> &'a [f32] {
        &self.values[(sequence * self.layers + layer) * self.units..][..self.units]
    }

    /// The masks of sequence `start` and of those after it.
    pub(super) fn from(&self, start: usize) -> Self {
        Self { values: &self.values[start * self.layers * self.units..], ..*self }
    }
}

/// `row *= mask`, element by element.
pub(super) fn apply(mask: &[f32], row: &mut [f32]) {
    for (value, m) in row.iter_mut().zip(mask) {
        *value *= m;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(rate: f32, streams: &[u64], width: usize) -> Vec<f32> {
        let mut masks = vec![9.0; streams.len() * width];
        Dropout { rate, seed: 3, streams }.draw(width, &mut masks);
        masks
    }

    #[test]
    fn so_many_units_are_dropped_that_the_mean_stays() {
        for rate in [0.1, 0.5, 0.8_f32] {
            let masks = masks(rate, &(0..100).collect::<Vec<u64>>(), 500);
            let dropped = masks.iter().filter(|&&m| m == 0.0).count() as f32 / masks.len() as f32;
            assert!((dropped - rate).abs() < 0.01, "{dropped} for {rate}");
            assert!(masks.iter().all(|&m| m == 0.0 || m == 1.0 / (1.0 - rate)));
            let mean = masks.iter().sum::<f32>() / masks.len() as f32;
            assert!((mean - 1.0).abs() < 0.03, "{mean}");
        }
    }

    #[test]
    fn a_rate_of_zero_drops_nothing() {
        assert!(masks(0.0, &[1, 2], 64).iter().all(|&m| m == 1.0));
    }

    #[test]
    fn a_mask_belongs_to_its_stream_and_not_to_its_place() {
        let (here, there) = (masks(0.5, &[7, 8], 64), masks(0.5, &[8, 9, 7], 64));
        assert_eq!(here[..64], there[128..]);
        assert_eq!(here[64..], there[..64]);
        assert_ne!(here[..64], here[64..]);
    }

    #[test]
    fn masks_are_found_by_sequence_and_layer() {
        let values: Vec<f32> = (0..12u8).map(f32::from).collect();
        let masks = Masks::new(&values, 3, 2);
        assert_eq!(masks.of(1, 2), [10.0, 11.0]);
        assert_eq!(masks.from(1).of(0, 1), [8.0, 9.0]);
    }
}
