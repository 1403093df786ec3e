//! The loops over all tiles of a layer, one for each cell: what `timestep` calls.
//!
//! All have the same parts in the same order: the products of a turn, groups of four columns; its end, which goes
//! on to the next run; the cell's equations; the start of the next tile. Registers:
//!
//! | | SimpleRNN, LSTM | GRU |
//! | --- | --- | --- |
//! | `r0`, `r1`, `r2` | next operands, their end, next words | the same |
//! | `r3` | what is behind the run in the frame | the same |
//! | `S`, `T` of each pair | `r4`, `r5`; `r6`, `r7` | the same, and `r8`, `r9` |
//! | words and operands | `r8` to `r12`, `lr` | `r10` to `r12`, `lr` |
//!
//! **Cycles** stand beside the instructions, by the Cortex-M4's manual, flash without wait states: loads one behind the
//! other take one cycle each and one more for the first. Where the hidden state follows the input's last run, the branch
//! is to the next instruction: tools that charge a refill by the address count 2 cycles less there than a core takes.

#[macro_use]
mod products;
#[macro_use]
mod activations;
mod gru;
mod lstm;
mod simple_rnn;

use self::gru::gru;
use self::lstm::lstm;
use self::simple_rnn::simple_rnn;
use super::runs::{GROUP, Last};

/// A cell's loop. Places in its code are bytes from its beginning.
pub(super) struct Assembly {
    pub(super) function: unsafe extern "C" fn(*mut Last),
    /// Units of a tile.
    pub(super) units: usize,
    /// Rows of a tile.
    pub(super) rows: usize,
    /// The loop that any run may enter.
    pub(super) any: Turn,
    /// The loop for the hidden state, if it has one of its own.
    pub(super) hidden: Turn,
    /// The cell's equations.
    pub(super) end: usize,
    /// What is done between the halves.
    pub(super) between: usize,
}

/// The products of a loop.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    /// Where its first group is.
    first: usize,
    /// Bytes of the instructions of one group.
    group_bytes: usize,
    /// Groups in one turn, a power of two.
    groups: usize,
}

/// Bytes of the instruction in front of the loop.
const BRANCH_BYTES: usize = 4;
/// Bytes of the instructions behind the groups of a turn.
const TURN_END_BYTES: usize = 20;
/// Bytes of those behind the hidden state's.
const HIDDEN_END_BYTES: usize = 26;
/// Bytes that the last group of the hidden state's turn is shorter than the others.
const SHORTER_BY: usize = 12;
/// Bytes of the instructions between the halves of a GRU.
const BETWEEN_BYTES: usize = 40;

/// The places in the code of two pairs.
const ANY_OF_TWO: Turn = Turn::new(BRANCH_BYTES, 2, 8);
const HIDDEN_OF_TWO: Turn = Turn::new(ANY_OF_TWO.end() + TURN_END_BYTES, 2, 8);
const END_OF_TWO: usize = HIDDEN_OF_TWO.end() - SHORTER_BY + HIDDEN_END_BYTES;
/// The places in the code of three pairs.
const ANY_OF_THREE: Turn = Turn::new(BRANCH_BYTES, 3, 4);
const BETWEEN_OF_THREE: usize = ANY_OF_THREE.end() + TURN_END_BYTES;
const END_OF_THREE: usize = BETWEEN_OF_THREE + BETWEEN_BYTES;

pub(super) static SIMPLE_RNN: Assembly = Assembly::of_two_pairs(simple_rnn, 4);
pub(super) static LSTM: Assembly = Assembly::of_two_pairs(lstm, 1);
pub(super) static GRU: Assembly = Assembly {
    function: gru,
    units: 2,
    rows: 6,
    any: ANY_OF_THREE,
    hidden: ANY_OF_THREE,
    end: END_OF_THREE,
    between: BETWEEN_OF_THREE,
};

impl Assembly {
    const fn of_two_pairs(function: unsafe extern "C" fn(*mut Last), units: usize) -> Self {
        let (any, hidden) = (ANY_OF_TWO, HIDDEN_OF_TWO);
        Self { function, units, rows: 4, any, hidden, end: END_OF_TWO, between: END_OF_TWO }
    }

    /// The address of a place in the code.
    pub(super) fn address(&self, place: usize) -> usize {
        self.function as usize + place
    }

    /// Words of a tile for so many operands.
    pub(super) const fn words(&self, operands: usize) -> usize {
        operands.div_ceil(GROUP) * self.rows
    }
}

impl Turn {
    const fn new(first: usize, pairs: usize, groups: usize) -> Self {
        // a group's operands and words are loaded by an instruction each, and a word takes three
        Self { first, group_bytes: 4 * (2 + 2 * pairs + 3 * 2 * pairs), groups }
    }

    const fn end(&self) -> usize {
        self.first + self.groups * self.group_bytes
    }

    /// Where a run of so many groups enters, so that what is left is a multiple of turns.
    pub(super) const fn entry(&self, groups: usize) -> usize {
        self.first + (groups.wrapping_neg() & (self.groups - 1)) * self.group_bytes
    }
}
