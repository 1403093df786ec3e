//! A whole timestep of a SimpleRNN.

use super::activations::{begin, tanh_of_rows};
use super::{PackedSums, TILES, groups};
use crate::cell::LayerStep;
use crate::kernel::Bits8;

/// One timestep of a layer of a SimpleRNN, [`plain`](crate::cell::simple_rnn::plain) bit for bit.
#[inline(never)]
pub(crate) fn simple_rnn(step: LayerStep<'_, Bits8, 2>) {
    let (groups, spans, of_tile) = groups(step, 4);
    let mut sums = [PackedSums::default(); TILES];
    let mut rows = [[[0; 2]; 2]; TILES];
    for group in groups {
        let Some(sums) = sums.get_mut(..group.hidden.len().div_ceil(4)) else { return };
        begin(sums, group.biases);
        for ((span, words), of_tile) in spans.into_iter().zip(group.words).zip(of_tile) {
            span.add_products(sums, words, of_tile);
        }
        tanh_of_rows(&mut rows, sums, group.multipliers);
        let rows = rows.as_flattened().as_flattened();
        group.hidden.iter_mut().zip(rows).for_each(|(hidden, row)| *hidden = *row);
    }
}
