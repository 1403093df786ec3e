//! The kernel for machines with vectors of 128 bits: eight products an instruction.
//!
//! x86-64 multiplies eight pairs of 16-bit numbers and adds neighbours by `pmaddwd`, WebAssembly by
//! `i32x4.dot_i16x8_s`: with words of two columns beside their two operands that is what the portable kernel does word by
//! word. The former belongs to SSE2, which every x86-64 has, so that any build for it has this kernel; the latter to `simd128`,
//! which a build must name (`-C target-feature=+simd128`). What a machine calls its instructions says `vector`, which is all
//! that another one would need.

#[cfg(target_arch = "wasm32")]
#[path = "wasm32.rs"]
mod vector;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod vector;

use self::vector::Vector;
pub(crate) use super::portable::Operands;
use super::{FIXED_TIME, PairSums, scaled};
use crate::fixed::word;

/// Columns that are taken at once: `P` vectors of four words.
const COLUMNS: usize = 8;

/// The words of eight columns: those of a tile's pairs in turn.
type Words<const P: usize> = [[u32; 4]; P];

/// The same sums as [`portable::sums`](super::portable::sums), in the same two parts. Eight operands that are
/// all zero are skipped.
pub(crate) fn sums<const P: usize>(
    start: &[PairSums; P],
    tiles: [&[u32]; 2],
    operands: &Operands<'_>,
    multipliers: Option<&[[i32; 2]; P]>,
) -> [PairSums; P] {
    let mut parts = [[Vector::of_words([0; 4]); 2]; P];
    for (tile, operands) in tiles.into_iter().zip(operands.halves()) {
        if !tile.is_empty() {
            add_half(&mut parts, tile, operands);
        }
    }
    let mut sums = *start;
    for (sum, [packed, low]) in sums.iter_mut().zip(totals(parts)) {
        sum[0] += packed.wrapping_sub(low) >> 8;
        sum[1] += low;
    }
    scaled(sums, multipliers)
}

/// Adds the products of one half: of each pair of rows, whose words are in turn in the vectors' lanes, those of `w·p`,
/// modulo 2^32, and of `B·p`.
#[inline]
fn add_half<const P: usize>(parts: &mut [[Vector; 2]; P], tile: &[u32], operands: &[i16]) {
    let (words, _) = tile.as_chunks::<4>();
    let (operands, last_operands) = operands.as_chunks();
    for (values, words) in operands.iter().zip(words.as_chunks().0) {
        if FIXED_TIME || *values != [0; COLUMNS] {
            add_columns(parts, words, values);
        }
    }
    if !last_operands.is_empty() {
        let (mut last_words, mut values) = ([[0; 4]; P], [0; COLUMNS]);
        let rest = tile.iter().skip(operands.len() * 4 * P);
        last_words.as_flattened_mut().iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        values.iter_mut().zip(last_operands).for_each(|(to, from)| *to = *from);
        add_columns(parts, &last_words, &values);
    }
}

/// Adds the products of eight columns.
#[inline]
fn add_columns<const P: usize>(parts: &mut [[Vector; 2]; P], words: &Words<P>, values: &[i16; COLUMNS]) {
    let values: [[i16; 2]; COLUMNS / 2] = bytemuck::cast(*values);
    // beside each word the operands of its two columns
    let twos = |vector: usize| {
        core::array::from_fn(|lane| word(values[(4 * vector + lane) / P].map(i16::cast_unsigned)))
    };
    for (vector, ([packed, low], &words)) in parts.iter_mut().zip(words).enumerate() {
        let (words, values) = (Vector::of_words(words), Vector::of_words(twos(vector)));
        *packed = packed.plus(words.dot(values));
        *low = low.plus(words.low_bytes().dot(values));
    }
}

/// Each pair's two sums out of all lanes.
#[inline]
fn totals<const P: usize>(parts: [[Vector; 2]; P]) -> [[i32; 2]; P] {
    let mut totals = [[0i32; 2]; P];
    for (vector, part) in parts.into_iter().enumerate() {
        let [packed, low] = part.map(|sums| sums.to_words().map(u32::cast_signed));
        for (lane, (packed, low)) in packed.into_iter().zip(low).enumerate() {
            let total = &mut totals[pair_of::<P>(vector, lane)];
            total[0] = total[0].wrapping_add(packed);
            total[1] += low;
        }
    }
    totals
}

/// The pair of rows that a word belongs to. It is the same in every eight columns, so that words can be summed lane by lane.
const fn pair_of<const P: usize>(vector: usize, lane: usize) -> usize {
    (4 * vector + lane) % P
}
