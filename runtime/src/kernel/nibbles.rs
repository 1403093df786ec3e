//! The kernel for weights of 4 bits: safe Rust, 32-bit products.
//!
//! A nibble holds a weight plus 8, so it is never negative and a mask takes it out. What the 8s add to a sum is 8·Σp,
//! the same for every row: [`Operands`] works it out once.

use super::{FIXED_TIME, PairSums, add_products, scaled};
use crate::fixed::word;

/// Every other nibble: the two weights of two columns as the int8 kernels have them, each 8 too great.
const COLUMNS: u32 = 0x0f0f_0f0f;

/// The operands of both halves.
#[derive(Debug, Default)]
pub(crate) struct Operands<'o> {
    values: [&'o [i16]; 2],
    /// What the 8s in the nibbles add to every row's sum of each half.
    excess: [i32; 2],
}

impl<'o> Operands<'o> {
    pub(crate) fn set(&mut self, values: [&'o [i16]; 2]) {
        let sum = |values: &[i16]| values.iter().map(|&value| i32::from(value)).sum::<i32>();
        *self = Self { values, excess: values.map(|values| sum(values) * 8) };
    }
}

/// The same sums as [`reference::accumulate_nibbles`](super::reference::accumulate_nibbles).
///
/// A masked word is `256·(A+8) + (B+8)` for each of two columns, and as in the int8 kernel rows A and B come out of
/// two sums, of `w·p` and of `(B+8)·p`, less the excess. Row A's sum is found modulo 2^24 and is below 2^23, which
/// every checked model guarantees. On ARMv7E-M a word of four columns would take two masks (one with its shift), four
/// `SMLAD` and two `UXTB16`.
///
/// Four operands that are all zero are skipped.
#[inline(never)]
pub(crate) fn sums<const P: usize>(
    start: &[PairSums; P],
    tiles: [&[u32]; 2],
    operands: &Operands<'_>,
    multipliers: Option<&[[i32; 2]; P]>,
) -> [PairSums; P] {
    // of each pair, the sums of w·p and of (B+8)·p
    let mut parts = [[0i32; 2]; P];
    let mut excess = 0;
    let halves = tiles.into_iter().zip(operands.values).zip(operands.excess);
    for ((tile, operands), half_excess) in halves.filter(|((tile, _), _)| !tile.is_empty()) {
        excess += half_excess;
        let mut columns = tile.chunks_exact(P);
        let (fours, rest) = operands.as_chunks::<4>();
        for (&values, words) in fours.iter().zip(&mut columns) {
            if FIXED_TIME || values != [0; 4] {
                add_columns(&mut parts, words, values);
            }
        }
        if let (false, Some(words)) = (rest.is_empty(), columns.next()) {
            let mut values = [0; 4];
            values.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            add_columns(&mut parts, words, values);
        }
    }
    let mut sums = *start;
    for (sum, [packed, low]) in sums.iter_mut().zip(parts) {
        sum[0] += packed.wrapping_sub(low).wrapping_sub(excess << 8) >> 8;
        sum[1] += low - excess;
    }
    scaled(sums, multipliers)
}

/// Adds the products of four columns: `words: [P]`.
#[inline(always)]
fn add_columns<const P: usize>(parts: &mut [[i32; 2]; P], words: &[u32], values: [i16; 4]) {
    let [p, q, r, s] = values.map(i16::cast_unsigned);
    let (first, second) = (word([p, q]), word([r, s]));
    for (part, &word) in parts.iter_mut().zip(words) {
        add_products(part, word & COLUMNS, first);
        add_products(part, word >> 4 & COLUMNS, second);
    }
}
