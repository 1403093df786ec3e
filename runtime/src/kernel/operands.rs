//! Operands, several at a time in words: small cores load and store a word as fast as a part of one.

use crate::fixed::{halves, hidden_operand, shifted_operand, word};

/// Hidden states, Q15, as operands with `operand_bits` fraction bits, as far as both go.
pub(crate) fn hidden_operands(hidden: &[i16], operand: &mut [i16], operand_bits: u32) {
    // eight at a time, two in a word
    let (hidden, operand) = of_one_length(hidden, operand);
    let (eights, last) = hidden.as_chunks::<8>();
    let (operand_eights, last_operands) = operand.as_chunks_mut::<8>();
    for (operands, eight) in operand_eights.iter_mut().zip(eights) {
        let (operands, _) = operands.as_chunks_mut();
        for (operands, &two) in operands.iter_mut().zip(eight.as_chunks().0) {
            let two = halves(word(two.map(i16::cast_unsigned)));
            let two = two.map(|hidden| hidden_operand(hidden.cast_signed(), operand_bits).cast_unsigned());
            *operands = halves(word(two)).map(u16::cast_signed);
        }
    }
    for (operand, &hidden) in last_operands.iter_mut().zip(last) {
        *operand = hidden_operand(hidden, operand_bits);
    }
}

/// Bytes shifted left, [`shifted_operand`] of each, as far as both go.
#[inline(never)]
pub(crate) fn shift_bytes(row: &[u8], operand: &mut [i16], shift: i8) {
    // four at a time, in two words
    let (row, operand) = of_one_length(row, operand);
    let (fours, last) = row.as_chunks();
    let (operand_fours, last_operands) = operand.as_chunks_mut();
    for (operands, &four) in operand_fours.iter_mut().zip(fours) {
        let bytes = u32::from_le_bytes(four);
        let (even, odd) = (bytes & 0x00ff_00ff, bytes >> 8 & 0x00ff_00ff);
        let words = [even & 0x0000_ffff | odd << 16, even >> 16 | odd & 0xffff_0000];
        let [[a, b], [c, d]] = words.map(|word| halves(word << shift));
        *operands = [a, b, c, d].map(u16::cast_signed);
    }
    for (operand, &byte) in last_operands.iter_mut().zip(last) {
        *operand = shifted_operand(byte.into(), shift) as i16;
    }
}

/// Both as far as both go: one may lie in memory for more, and what is left over of either in twos or fours must be of
/// the same places.
fn of_one_length<'a, 'b, A, B>(from: &'a [A], to: &'b mut [B]) -> (&'a [A], &'b mut [B]) {
    let length = from.len().min(to.len());
    (from.get(..length).unwrap_or_default(), to.get_mut(..length).unwrap_or_default())
}
