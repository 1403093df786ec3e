//! The format of the LSTM's cell state.

use ndarray::ArrayView3;

use crate::nn::Network;

/// A cell state is 30 bits wide, its sign included.
const MAGNITUDE_BITS: f32 = 29.0;
/// Room for a cell state so many times greater than any that calibration saw.
const HEADROOM: f32 = 2.0;

/// The greatest cell state of an LSTM on raw samples `[count, timesteps, inputs]`; `None` for another cell.
pub(super) fn greatest_cell_state(
    network: &Network,
    input_scale: f32,
    samples: ArrayView3<'_, u8>,
) -> Option<f32> {
    let x = samples.mapv(|sample| f32::from(sample) * input_scale);
    let layers = network.trace(x.view()).into_iter().filter_map(|trace| trace.cell);
    layers.map(|cell| cell.iter().fold(0.0, |greatest: f32, &c| greatest.max(c.abs()))).reduce(f32::max)
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
