//! The specification of the kernel: one weight, one operand, one product at a time.

use super::PairSums;

/// Adds to each row's sum the products of its weights and the operand.
///
/// `tile: [columns/2][P]`, a word of two columns each, `columns` being `operand.len()` rounded up to a multiple of
/// four; `sums: [P][2]`.
#[cfg_attr(
    not(any(test, feature = "check-kernel")),
    expect(dead_code, reason = "the specification that tests hold every kernel against")
)]
pub(crate) fn accumulate<const P: usize>(sums: &mut [PairSums; P], tile: &[u32], operand: &[i16]) {
    for (column, &value) in operand.iter().enumerate() {
        for (pair, sum) in sums.iter_mut().enumerate() {
            let [a, b] = unpack(tile[column / 2 * P + pair])[column % 2];
            sum[0] += i32::from(a) * i32::from(value);
            sum[1] += i32::from(b) * i32::from(value);
        }
    }
}

/// As [`accumulate`], of weights of 4 bits: `tile: [columns/4][P]`, a word of four columns each.
#[cfg_attr(not(test), expect(dead_code, reason = "the specification that tests hold every kernel against"))]
pub(crate) fn accumulate_nibbles<const P: usize>(sums: &mut [PairSums; P], tile: &[u32], operand: &[i16]) {
    for (column, &value) in operand.iter().enumerate() {
        for (pair, sum) in sums.iter_mut().enumerate() {
            let [a, b] = unpack_nibbles(tile[column / 4 * P + pair])[column % 4];
            sum[0] += i32::from(a) * i32::from(value);
            sum[1] += i32::from(b) * i32::from(value);
        }
    }
}

/// The weights of rows A and B in each of the four columns of a word; a nibble is a weight plus 8. From the lowest
/// nibble on: B of columns 0 and 2, A of columns 0 and 2, B of columns 1 and 3, A of columns 1 and 3.
pub(crate) const fn unpack_nibbles(word: u32) -> [[i16; 2]; 4] {
    const fn weight(word: u32, nibble: u32) -> i16 {
        (word >> (4 * nibble) & 15) as i16 - 8
    }
    [
        [weight(word, 2), weight(word, 0)],
        [weight(word, 6), weight(word, 4)],
        [weight(word, 3), weight(word, 1)],
        [weight(word, 7), weight(word, 5)],
    ]
}

/// The weights of rows A and B in each of the two columns of a word, out of `256·A + B`; B is an int8 and A lies
/// between -128 and 128.
pub(crate) const fn unpack(word: u32) -> [[i16; 2]; 2] {
    const fn column(packed: i16) -> [i16; 2] {
        let b = packed as i8 as i16;
        [((packed as i32 - b as i32) >> 8) as i16, b]
    }
    [column(word as i16), column((word >> 16) as i16)]
}
