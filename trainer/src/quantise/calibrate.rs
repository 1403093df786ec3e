//! How far the numbers of a network reach on training data.

use ndarray::Array3;

use crate::data::{InputScaling, SplitView};
use crate::nn::{Network, Padded};

/// Sequences that are looked at together.
const BATCH: usize = 500;
/// A cell state is 30 bits wide, its sign included.
const MAGNITUDE_BITS: f32 = 29.0;
/// Room for a cell state so many times greater than any that calibration saw.
const HEADROOM: f32 = 2.0;

/// The greatest magnitudes that were seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Reach {
    /// Of a feature as the network sees it.
    pub(super) feature: f32,
    /// Of an LSTM's cell state; 0 of another cell's.
    pub(super) cell: f32,
}

impl Reach {
    /// What `network` reaches on raw sequences.
    pub(super) fn of(network: &Network, scaling: &InputScaling, sequences: SplitView<'_>) -> Self {
        let mut reach = Self::default();
        let mut rest = sequences;
        while rest.count() > 0 {
            let (batch, behind) = rest.split_at(BATCH.min(rest.count()));
            let (x, lengths) = features(scaling, batch);
            reach.feature = greatest(&x, reach.feature);
            let traces = network.trace(Padded::new(x.view(), &lengths));
            for cell in traces.iter().filter_map(|trace| trace.cell.as_ref()) {
                reach.cell = greatest(cell, reach.cell);
            }
            rest = behind;
        }
        reach
    }
}

fn greatest(values: &Array3<f32>, least: f32) -> f32 {
    values.iter().fold(least, |greatest, value| greatest.max(value.abs()))
}

/// Sequences as a network sees them, `[count, timesteps, inputs]`, shorter ones filled up with zeros, and their
/// lengths.
pub(super) fn features(scaling: &InputScaling, sequences: SplitView<'_>) -> (Array3<f32>, Vec<usize>) {
    let mut x = Array3::zeros((sequences.count(), sequences.timesteps(), sequences.inputs()));
    for (index, mut x) in x.outer_iter_mut().enumerate() {
        sequences.gather(index, scaling, x.as_slice_mut().expect("made in standard layout"));
    }
    (x, (0..sequences.count()).map(|index| sequences.length(index)).collect())
}

/// Fraction bits for cell states of up to `greatest`, with headroom: as many as there is room for.
pub(super) fn cell_bits(greatest: f32) -> u8 {
    let integer_bits = (greatest * HEADROOM).log2().ceil();
    (MAGNITUDE_BITS - integer_bits).clamp(12.0, 29.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_state_has_room_for_twice_what_was_seen() {
        // 2 * 11.4 needs 5 integer bits, 2 * 0.4 none, and nothing at all still has a format
        assert_eq!([11.4, 8.0, 0.4, 0.0].map(cell_bits), [24, 25, 29, 29]);
        assert_eq!(cell_bits(f32::MAX), 12);
    }
}
