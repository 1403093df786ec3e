//! A whole timestep of a SimpleRNN.

use super::activations::tanh_of_rows;
use super::{Layer, Sums, TILES};
use crate::cell::LayerStep;
use crate::kernel::Bits8;

/// Units of a tile.
const UNITS: usize = 4;

/// One timestep of a layer of a SimpleRNN, [`plain`](crate::cell::simple_rnn::plain) bit for bit.
#[inline(never)]
pub(crate) fn simple_rnn(LayerStep { rows, x, old, hidden }: LayerStep<'_, Bits8, 2>) {
    let Some(mut layer) = Layer::new(&rows, [x, old], hidden.len().div_ceil(UNITS)) else { return };
    let mut sums: Sums<2> = Default::default();
    for hidden in hidden.chunks_mut(TILES * UNITS) {
        let tiles = hidden.len().div_ceil(UNITS);
        let pairs = sums.as_flattened_mut().as_mut_ptr();
        // SAFETY: the layer has as many tiles as the hidden state needs, and a group at most `TILES`, at least one. Each row
        // leaves 2 bytes of what 4 bytes of its sums were.
        unsafe {
            layer.begin(pairs, tiles);
            let [input, recurrent] = &mut layer.halves;
            input.add_products::<2>(pairs, tiles);
            recurrent.add_products::<2>(pairs, tiles);
            tanh_of_rows(pairs.cast(), pairs.cast(), layer.next_multipliers(tiles), tiles * 2);
        }
        let rows: &[i16] = bytemuck::cast_slice(sums.as_flattened().as_flattened());
        hidden.iter_mut().zip(rows).for_each(|(hidden, row)| *hidden = *row);
    }
}
