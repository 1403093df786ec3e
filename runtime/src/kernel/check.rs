//! The kernel of the machine against its specification, on the machine itself.

mod layer;

use super::{Bits8, Packing, PairSums, hidden_operands, reference, scaled, shift_bytes};
use crate::fixed::{hidden_operand, shifted_operand};

/// Most columns of a half.
const COLUMNS: usize = 130;
/// Words of a tile of three pairs.
const WORDS: usize = COLUMNS.next_multiple_of(4) / 2 * 3;
/// Every sum stays below 2^23, with room for what it starts from.
const GREATEST_SUM: u32 = (1 << 23) - (1 << 10);

/// Compares the kernel for int8 weights with its specification, bit for bit: its sums on random tiles, of one to three
/// pairs, of 0 to 130 columns in either half, at either alignment of operands; its timesteps on random layers of every
/// cell, of 1 to 130 units and up to as many inputs; and how it makes operands. Zeros are here and there, weights and operands as great as the bound of the
/// sums allows. What `cases` are depends on nothing else. It takes 90 KB of stack.
///
/// # Errors
/// The number of the first case that differs: this machine computes wrongly.
///
/// ```
/// # #[cfg(feature = "check-kernel")]
/// assert_eq!(refrain::check_kernel(100), Ok(()));
/// ```
#[inline(never)]
pub fn check_kernel(cases: u32) -> Result<(), u32> {
    let mut dice = Dice(0x9e37_79b9);
    for number in 0..cases {
        let agrees = match number % 7 {
            0 => Case::random(&mut dice).agrees::<1>(),
            1 => Case::random(&mut dice).agrees::<2>(),
            2 => Case::random(&mut dice).agrees::<3>(),
            3 => layer::simple_rnn_agrees(&mut dice),
            4 => layer::lstm_agrees(&mut dice),
            5 => layer::gru_agrees(&mut dice),
            _ => operands_agree(&mut dice),
        };
        if !agrees {
            return Err(number);
        }
    }
    Ok(())
}

/// The two halves of a tile of up to three pairs, and what else its sums depend on.
struct Case {
    columns: [usize; 2],
    words: [[u32; WORDS]; 2],
    /// Each half's begin with the first or the second of these.
    values: [[i16; COLUMNS + 1]; 2],
    first: [usize; 2],
    start: [PairSums; 3],
    multipliers: Option<[[i32; 2]; 3]>,
}

impl Case {
    #[inline(never)]
    fn random(dice: &mut Dice) -> Self {
        let most = [2, 9, 40, COLUMNS as u32][dice.below(4) as usize];
        let columns = [(); 2].map(|()| dice.below(most + 1) as usize);
        // a weight's magnitude is at most 128
        let greatest = GREATEST_SUM / 128 / (columns[0] + columns[1]).max(1) as u32;
        let limit = greatest.min(i16::MAX as u32) as i32;
        let mut case = Self {
            columns,
            words: [[0; WORDS]; 2],
            values: [[0; COLUMNS + 1]; 2],
            first: [(); 2].map(|()| dice.below(2) as usize),
            start: [[0; 2]; 3],
            multipliers: None,
        };
        for word in case.words.as_flattened_mut() {
            *word = dice.word();
        }
        dice.operands(case.values.as_flattened_mut(), limit);
        for start in case.start.as_flattened_mut() {
            *start = dice.below(1000) as i32 - 500;
        }
        if dice.below(2) == 0 {
            let mut multipliers = [[0; 2]; 3];
            for multiplier in multipliers.as_flattened_mut() {
                *multiplier = (dice.word() >> 1) as i32;
            }
            case.multipliers = Some(multipliers);
        }
        case
    }

    /// Whether kernel and specification agree on the first `P` pairs.
    fn agrees<const P: usize>(&self) -> bool {
        let halves: [&[i16]; 2] = core::array::from_fn(|half| {
            let first = self.first[half];
            self.values[half].get(first..first + self.columns[half]).unwrap_or_default()
        });
        let tiles: [&[u32]; 2] = core::array::from_fn(|half| {
            let words_of_pair = self.columns[half].next_multiple_of(4) / 2;
            self.words[half].get(..words_of_pair * P).unwrap_or_default()
        });
        let start: [PairSums; P] = core::array::from_fn(|pair| self.start[pair]);
        let multipliers = self.multipliers.map(|all| core::array::from_fn(|pair| all[pair]));
        let mut expected = start;
        for (tile, half) in tiles.into_iter().zip(halves) {
            reference::accumulate(&mut expected, tile, half);
        }
        let mut operands = Default::default();
        Bits8::prepare(&mut operands, halves);
        Bits8::sums(&start, tiles, &operands, multipliers.as_ref()) == scaled(expected, multipliers.as_ref())
    }
}

/// Whether operands out of hidden states and out of bytes are those of [`fixed`](crate::fixed), as far as there are any.
#[inline(never)]
fn operands_agree(dice: &mut Dice) -> bool {
    let (count, first) = (dice.below(COLUMNS as u32 + 1) as usize, dice.below(2) as usize);
    let (operand_bits, shift) = (dice.below(16), dice.below(8) as i8);
    let mut hidden = [0; COLUMNS + 1];
    dice.operands(&mut hidden, i16::MAX.into());
    let bytes = hidden.map(|value| value as u8);
    let (hidden, bytes) = (hidden.get(first..).unwrap_or_default(), bytes.get(first..).unwrap_or_default());
    let mut found = [[-1; COLUMNS]; 2];
    let mut expected = found;
    let [states, row] = &mut found;
    hidden_operands(hidden, states.get_mut(..count).unwrap_or_default(), operand_bits);
    shift_bytes(bytes, row.get_mut(..count).unwrap_or_default(), shift);
    let [states, row] = &mut expected;
    for (operand, &hidden) in states.iter_mut().zip(hidden).take(count) {
        *operand = hidden_operand(hidden, operand_bits);
    }
    for (operand, &byte) in row.iter_mut().zip(bytes).take(count) {
        *operand = shifted_operand(byte.into(), shift) as i16;
    }
    found == expected
}

/// Random numbers: Marsaglia's xorshift of 32 bits.
struct Dice(u32);

impl Dice {
    #[inline(never)]
    fn word(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// Operands up to `limit` in magnitude: whole groups are zero, and single ones.
    #[inline(never)]
    fn operands(&mut self, operands: &mut [i16], limit: i32) {
        for group in operands.chunks_mut(4) {
            let kinds = if self.below(2) == 0 { 1 } else { 8 };
            for operand in group {
                *operand = match self.below(kinds) {
                    0 => 0,
                    1 => limit as i16,
                    2 => -limit as i16,
                    _ => self.within(limit) as i16,
                };
            }
        }
    }

    /// A number up to `limit` in magnitude.
    fn within(&mut self, limit: i32) -> i32 {
        self.below(2 * limit as u32 + 1) as i32 - limit
    }

    /// A number below `end`.
    fn below(&mut self, end: u32) -> u32 {
        (self.word() >> 8) % end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_agrees_with_the_specification() {
        assert_eq!(check_kernel(20_000), Ok(()));
    }
}
