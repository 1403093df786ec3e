//! The kernel for every core that has no better one: safe Rust, 32-bit products.

use super::{FIXED_TIME, PairSums, scaled};
#[cfg(not(kernel = "dsp"))]
use crate::fixed::halves;
use crate::fixed::word;

/// The operands of both halves, as they are.
#[derive(Debug, Default)]
pub(crate) struct Operands<'o>([&'o [i16]; 2]);

impl<'o> Operands<'o> {
    pub(crate) fn set(&mut self, values: [&'o [i16]; 2]) {
        self.0 = values;
    }

    /// The operands.
    pub(crate) fn halves(&self) -> [&'o [i16]; 2] {
        self.0
    }
}

/// The same sums as [`reference::accumulate`](super::reference::accumulate), without unpacking row A.
///
/// With `w = 256·A + B` the sum of `w·p` is `256·(A·p) + (B·p)`, so rows A and B come out of two sums, of
/// `w·p` and of `B·p`, and A needs no unpacking. The first may wrap around 2^32: shifting the difference right
/// by 8 recovers A's sum as long as that is below 2^23, which every checked model guarantees.
///
/// Two operands that are both zero are skipped; blank pixels cost next to nothing.
///
/// The function is not inlined: it needs all of a small core's registers for itself.
#[inline(never)]
pub(crate) fn sums<const P: usize>(
    start: &[PairSums; P],
    tiles: [&[u32]; 2],
    operands: &Operands<'_>,
    multipliers: Option<&[[i32; 2]; P]>,
) -> [PairSums; P] {
    // of each pair, the sums of w·p and of B·p
    let mut parts = [[0i32; 2]; P];
    for (tile, operands) in tiles.into_iter().zip(operands.halves()) {
        let (columns, _) = tile.as_chunks();
        let (twos, rest) = operands.as_chunks();
        add_twos(&mut parts, columns, twos);
        add_last(&mut parts, columns.get(twos.len()), rest);
    }
    let mut sums = *start;
    for (sum, [packed, low]) in sums.iter_mut().zip(parts) {
        sum[0] += packed.wrapping_sub(low) >> 8;
        sum[1] += low;
    }
    scaled(sums, multipliers)
}

/// Adds the products of all columns that come in twos.
#[inline(always)]
pub(crate) fn add_twos<const P: usize>(parts: &mut [[i32; 2]; P], columns: &[[u32; P]], twos: &[[i16; 2]]) {
    for (&values, words) in twos.iter().zip(columns) {
        let values = word(values.map(i16::cast_unsigned));
        if FIXED_TIME || values != 0 {
            add_columns(parts, words, values);
        }
    }
}

/// Adds the products of the column behind those, where there is one.
#[inline(always)]
pub(crate) fn add_last<const P: usize>(parts: &mut [[i32; 2]; P], words: Option<&[u32; P]>, rest: &[i16]) {
    if let ([last], Some(words)) = (rest, words) {
        add_columns(parts, words, word([last.cast_unsigned(), 0]));
    }
}

/// Adds the products of two columns, `operands` two numbers in a word.
#[inline(always)]
fn add_columns<const P: usize>(parts: &mut [[i32; 2]; P], words: &[u32; P], operands: u32) {
    for (part, &word) in parts.iter_mut().zip(words) {
        super::add_products(part, word, operands);
    }
}

/// Adds to the sums of `w·p` and of `B·p` those of a word's two columns, beside the two halves of `operands`.
#[cfg(not(kernel = "dsp"))]
#[inline(always)]
pub(crate) fn add_products([packed, low]: &mut PairSums, word: u32, operands: u32) {
    let signed = |word| halves(word).map(u16::cast_signed);
    let ([first, second], [p, q]) = (signed(word), signed(operands).map(i32::from));
    *packed = packed.wrapping_add(i32::from(first) * p).wrapping_add(i32::from(second) * q);
    *low += i32::from(first as i8) * p + i32::from(second as i8) * q;
}
