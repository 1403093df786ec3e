//! The kernel for x86-64: eight products an instruction.
//!
//! `pmaddwd` multiplies eight pairs of 16-bit numbers and adds neighbours: with words of two columns beside their two
//! operands that is what the portable kernel does word by word. It belongs to SSE2, which every x86-64 has.

#![expect(unsafe_code, reason = "an instruction set is named where it is entered")]

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_madd_epi16, _mm_shuffle_epi32, _mm_slli_epi16, _mm_srai_epi16,
};

pub(crate) use super::portable::Operands;
use super::{FIXED_TIME, PairSums, scaled};

/// Columns that are taken at once: `P` vectors of four words.
const COLUMNS: usize = 8;

/// The same sums as [`portable::sums`](super::portable::sums), in the same two parts. Eight operands that are
/// all zero are skipped.
pub(crate) fn sums<const P: usize>(
    start: &[PairSums; P],
    tiles: [&[u32]; 2],
    operands: &Operands<'_>,
    multipliers: Option<&[[i32; 2]; P]>,
) -> [PairSums; P] {
    // SAFETY: SSE2 is a part of x86-64.
    let parts = unsafe { part_sums::<P>(tiles, operands.halves()) };
    let mut sums = *start;
    for (sum, [packed, low]) in sums.iter_mut().zip(parts) {
        sum[0] += packed.wrapping_sub(low) >> 8;
        sum[1] += low;
    }
    scaled(sums, multipliers)
}

/// Of each pair of rows the sums of `w·p`, modulo 2^32, and of `B·p`.
#[target_feature(enable = "sse2")]
fn part_sums<const P: usize>(tiles: [&[u32]; 2], operands: [&[i16]; 2]) -> [[i32; 2]; P] {
    let mut parts = [[bytemuck::cast([0u32; 4]); 2]; P];
    for (tile, operands) in tiles.into_iter().zip(operands) {
        if !tile.is_empty() {
            add_half(&mut parts, tile, operands);
        }
    }
    let mut totals = [[0i32; 2]; P];
    for (vector, part) in parts.into_iter().enumerate() {
        let [packed, low]: [[i32; 4]; 2] = part.map(bytemuck::cast);
        for (lane, (packed, low)) in packed.into_iter().zip(low).enumerate() {
            let total = &mut totals[pair_of::<P>(vector, lane)];
            total[0] = total[0].wrapping_add(packed);
            total[1] += low;
        }
    }
    totals
}

/// Adds the products of one half.
#[inline]
#[target_feature(enable = "sse2")]
fn add_half<const P: usize>(parts: &mut [[__m128i; 2]; P], tile: &[u32], operands: &[i16]) {
    let (words, _) = tile.as_chunks();
    let (operands, last_operands) = operands.as_chunks();
    for (&values, words) in operands.iter().zip(words.chunks_exact(P)) {
        if FIXED_TIME || values != [0; COLUMNS] {
            add_columns(parts, words, values);
        }
    }
    if !last_operands.is_empty() {
        let (mut last_words, mut values) = ([[0; 4]; P], [0; COLUMNS]);
        let rest = tile.iter().skip(operands.len() * 4 * P);
        last_words.as_flattened_mut().iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        values.iter_mut().zip(last_operands).for_each(|(to, from)| *to = *from);
        add_columns(parts, &last_words, values);
    }
}

/// The pair of rows that a word belongs to. It is the same in every eight columns, so that words can be summed lane by lane.
const fn pair_of<const P: usize>(vector: usize, lane: usize) -> usize {
    (4 * vector + lane) % P
}

/// Adds the products of eight columns: `words: [P]` vectors of four.
#[inline]
#[target_feature(enable = "sse2")]
fn add_columns<const P: usize>(parts: &mut [[__m128i; 2]; P], words: &[[u32; 4]], values: [i16; COLUMNS]) {
    let values = bytemuck::cast(values);
    for (vector, ([packed, low], &words)) in parts.iter_mut().zip(words).enumerate() {
        let (words, values) = (bytemuck::cast(words), values_beside::<P>(vector, values));
        let low_bytes = _mm_srai_epi16::<8>(_mm_slli_epi16::<8>(words));
        *packed = _mm_add_epi32(*packed, _mm_madd_epi16(words, values));
        *low = _mm_add_epi32(*low, _mm_madd_epi16(low_bytes, values));
    }
}

/// Puts beside each word of a vector the operands of its two columns: in lane `lane` those numbered `(4·vector + lane) / P`
/// of the four twos that `values` holds.
#[inline]
#[target_feature(enable = "sse2")]
fn values_beside<const P: usize>(vector: usize, values: __m128i) -> __m128i {
    const { assert!(P == 1 || P == 2 || P == 3, "a tile has one to three pairs of rows") };
    match (P, vector) {
        (1, _) => values,
        (2, 0) => _mm_shuffle_epi32::<0b01_01_00_00>(values),
        (2, _) => _mm_shuffle_epi32::<0b11_11_10_10>(values),
        (_, 0) => _mm_shuffle_epi32::<0b01_00_00_00>(values),
        (_, 1) => _mm_shuffle_epi32::<0b10_10_01_01>(values),
        (_, _) => _mm_shuffle_epi32::<0b11_11_11_10>(values),
    }
}
