//! The specification of the kernel: one weight, one operand, one product at a time.

use super::PairSums;

/// Adds to each row's sum the products of its weights and the operand.
///
/// `tile: [columns/2][P]`, a word of two columns each, `columns` being `operand.len()` rounded up to a multiple of
/// four; `sums: [P][2]`.
#[cfg_attr(not(test), expect(dead_code, reason = "the specification that tests hold every kernel against"))]
pub(crate) fn accumulate<const P: usize>(sums: &mut [PairSums; P], tile: &[u32], operand: &[i16]) {
    for (column, &value) in operand.iter().enumerate() {
        for (pair, sum) in sums.iter_mut().enumerate() {
            let [a, b] = unpack(tile[column / 2 * P + pair])[column % 2];
            sum[0] += i32::from(a) * i32::from(value);
            sum[1] += i32::from(b) * i32::from(value);
        }
    }
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
