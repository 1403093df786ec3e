//! The loops over all tiles of a layer, one for each cell: what `timestep` calls.
//!
//! All have the same parts in the same order: the products of a turn, four groups of four columns; its end, which goes
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
//! other take one cycle each and one more for the first.

use core::arch::naked_asm;

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
/// Bytes of the instructions between the halves of a GRU.
const BETWEEN_BYTES: usize = 40;

/// The places in the code of two pairs.
const ANY_OF_TWO: Turn = Turn::new(BRANCH_BYTES, 2, 8);
const HIDDEN_OF_TWO: Turn = Turn::new(ANY_OF_TWO.end() + TURN_END_BYTES, 2, 8);
const END_OF_TWO: usize = HIDDEN_OF_TWO.end() + HIDDEN_END_BYTES;
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

/// What the assembler must be told besides the target's name.
#[cfg(not(armv8m))]
macro_rules! assembler {
    () => {
        ""
    };
}

/// Of ARMv8-M the target's name leaves the extension open, and what the build names of the core does not reach the
/// assembler.
#[cfg(armv8m)]
macro_rules! assembler {
    () => {
        ".cpu cortex-m33"
    };
}

/// One word of two columns: 3 cycles.
macro_rules! products {
    ($word:literal, $operands:literal, $s:literal, $t:literal) => {
        concat!(
            "smlad ", $s, ", ", $word, ", ", $operands, ", ", $s, "\n", "sxtb16 ", $word, ", ", $word, "\n",
            "smlad ", $t, ", ", $word, ", ", $operands, ", ", $t, "\n",
        )
    };
}

/// One group of two pairs of rows: 19 cycles.
macro_rules! group_of_two_pairs {
    () => {
        concat!(
            // 7: the operands of columns 0 and 1, and 2 and 3; the words of columns 0 and 1, pairs 0 and 1, and of 2 and 3
            "ldr.w r12, [r0], #4\n",
            "ldr.w lr, [r0], #4\n",
            "ldr.w r8, [r2], #4\n",
            "ldr.w r9, [r2], #4\n",
            "ldr.w r10, [r2], #4\n",
            "ldr.w r11, [r2], #4\n",
            products!("r8", "r12", "r4", "r5"),
            products!("r9", "r12", "r6", "r7"),
            products!("r10", "lr", "r4", "r5"),
            products!("r11", "lr", "r6", "r7"),
        )
    };
}

/// One group of three pairs of rows: 28 cycles.
macro_rules! group_of_three_pairs {
    () => {
        concat!(
            // 5: the operands of columns 0 and 1, and the words of pairs 0 to 2
            "ldr.w lr, [r0], #4\n",
            "ldr.w r10, [r2], #4\n",
            "ldr.w r11, [r2], #4\n",
            "ldr.w r12, [r2], #4\n",
            products!("r10", "lr", "r4", "r5"),
            products!("r11", "lr", "r6", "r7"),
            products!("r12", "lr", "r8", "r9"),
            // 5: of columns 2 and 3
            "ldr.w lr, [r0], #4\n",
            "ldr.w r10, [r2], #4\n",
            "ldr.w r11, [r2], #4\n",
            "ldr.w r12, [r2], #4\n",
            products!("r10", "lr", "r4", "r5"),
            products!("r11", "lr", "r6", "r7"),
            products!("r12", "lr", "r8", "r9"),
        )
    };
}

macro_rules! eight_groups_of_two_pairs {
    () => {
        concat!(
            group_of_two_pairs!(),
            group_of_two_pairs!(),
            group_of_two_pairs!(),
            group_of_two_pairs!(),
            group_of_two_pairs!(),
            group_of_two_pairs!(),
            group_of_two_pairs!(),
            group_of_two_pairs!(),
        )
    };
}

macro_rules! four_groups_of_three_pairs {
    () => {
        concat!(
            group_of_three_pairs!(),
            group_of_three_pairs!(),
            group_of_three_pairs!(),
            group_of_three_pairs!(),
        )
    };
}

/// A turn of groups and its end, behind which `r3` is behind the next run's entry.
macro_rules! turn {
    ($groups:expr, $temporary:literal) => {
        concat!(
            "3:\n",
            $groups,
            "cmp.n r0, r1\n",
            // 4 with the comparison, but 2 at a run's end
            "bne.w 3b\n",
            // 4: the run's words in the next tile
            "ldr.w ",
            $temporary,
            ", [r3], #4\n",
            "add.n r2, ",
            $temporary,
            "\n",
            "str r2, [r3, #-12]\n",
            // 7: the next run
            "ldm.w r3!, {{r0, r1, r2, pc}}\n",
        )
    };
}

/// The hidden state in a loop of its own, eight groups a turn, where it is the last run and its words are all of its half,
/// so that those of the next tile follow. Behind it come [`Last`]'s fields, as if they had been gone on to.
macro_rules! hidden_of_two_pairs {
    () => {
        concat!(
            "6:\n",
            eight_groups_of_two_pairs!(),
            "cmp.n r0, r1\n",
            "bne.w 6b\n",
            // 5
            "str r2, [r3, #-8]\n",
            "ldr.w r0, [r3, #4]\n",
            "ldr.w r1, [r3, #8]\n",
            "ldr.w r2, [r3, #12]\n",
            "add.w r3, r3, #20\n",
        )
    };
}

/// The intervals of the table, whose zero is at `r1`, that two pre-activations lie in: 5 cycles. They are saturated there,
/// where the line is level, so that no saturation of the pre-activations themselves is needed.
macro_rules! intervals {
    ($y:literal, $z:literal, $interval_of_y:literal, $interval_of_z:literal) => {
        concat!(
            "ssat ",
            $interval_of_y,
            ", #9, ",
            $y,
            ", asr #7\n",
            "ssat ",
            $interval_of_z,
            ", #9, ",
            $z,
            ", asr #7\n",
            "ldr ",
            $interval_of_y,
            ", [r1, ",
            $interval_of_y,
            ", lsl #2]\n",
            "ldr ",
            $interval_of_z,
            ", [r1, ",
            $interval_of_z,
            ", lsl #2]\n",
        )
    };
}

/// `tanh` or, with the shift and the rounding of [`sigmoid_rounding`], `sigmoid_of_half`: 4 cycles. The interval's value
/// and growth are multiplied by 128 and the fraction, which stands below the 128 in `lr`.
macro_rules! on_line {
    ($z:literal, $interval:literal, $rounding:literal, $shift:literal) => {
        concat!(
            "bfi lr, ",
            $z,
            ", #0, #7\n",
            // one less for negative ones
            "add ",
            $z,
            ", ",
            $rounding,
            ", ",
            $z,
            ", asr #31\n",
            "smlad ",
            $z,
            ", ",
            $interval,
            ", lr, ",
            $z,
            "\n",
            "asr ",
            $z,
            ", ",
            $z,
            ", ",
            $shift,
            "\n",
        )
    };
}

/// What [`on_line`] needs for a sigmoid: 3 cycles. 64, the half of 128 that `tanh` rounds with, and 2^15 + 2 times 128, so
/// that one shift by 9 does what `tanh` and `sigmoid_of_half` do one after the other.
macro_rules! sigmoid_rounding {
    ($rounding:literal) => {
        concat!("mov lr, #0x800000\n", "movw ", $rounding, ", #0x0140\n", "movt ", $rounding, ", #0x0040\n")
    };
}

/// The start of the function, behind its end: `r0` is [`Last`].
macro_rules! start {
    () => {
        concat!(
            "5:\n",
            "push {{r4, r5, r6, r7, r8, r9, r10, r11, lr}}\n",
            "add.w r3, r0, #16\n",
            "ldr r2, [r3, #-8]\n",
            "b.w 1b\n"
        )
    };
}

/// The next tile of two pairs, or the end: 21 cycles. `r2` is where its hidden state belongs.
macro_rules! next_tile_of_two_pairs {
    () => {
        concat!(
            "str r2, [r3, #-8]\n",
            "1:\n",
            "ldr r8, [r3]\n",
            "ldr r9, [r3, #4]\n",
            "cmp r2, r9\n",
            "beq 4f\n",
            "ldm r8!, {{r4, r5, r6, r7}}\n",
            "str r8, [r3]\n",
            "ldr r3, [r3, #8]\n",
            "add r4, r5, r4, lsl #8\n",
            "add r6, r7, r6, lsl #8\n",
            "ldm.w r3!, {{r0, r1, r2, pc}}\n",
            "4:\n",
            "pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}\n",
            start!(),
        )
    };
}

/// The pre-activations of two pairs, 14 cycles, and their intervals, 9: the sums times 256, as `requantise` has them, times
/// the multipliers.
macro_rules! preactivations_of_two_pairs {
    () => {
        concat!(
            "subs r4, r4, r5\n",
            "lsls r5, r5, #8\n",
            "subs r6, r6, r7\n",
            "lsls r7, r7, #8\n",
            "ldm r0!, {{r8, r9, r10, r11}}\n",
            "smmulr r4, r4, r8\n",
            "smmulr r5, r5, r9\n",
            "smmulr r6, r6, r10\n",
            "smmulr r7, r7, r11\n",
            "ssat r8, #9, r4, asr #7\n",
            "ssat r9, #9, r5, asr #7\n",
            "ssat r10, #9, r6, asr #7\n",
            "ssat r11, #9, r7, asr #7\n",
            // a load behind a store takes one cycle
            "str r0, [r3, #-16]\n",
            "ldr r8, [r1, r8, lsl #2]\n",
            "ldr r9, [r1, r9, lsl #2]\n",
            "ldr r10, [r1, r10, lsl #2]\n",
            "ldr r11, [r1, r11, lsl #2]\n",
        )
    };
}

/// [`plain`](crate::cell::simple_rnn::plain), tile after tile.
///
/// # Safety
/// As `timestep` has filled the frame that `last` is a part of.
#[unsafe(naked)]
unsafe extern "C" fn simple_rnn(last: *mut Last) {
    naked_asm!(
        assembler!(),
        "0:",
        "b.w 5f",
        turn!(eight_groups_of_two_pairs!(), "r8"),
        ".org 0b + {hidden}",
        hidden_of_two_pairs!(),
        // an error where the code before it is longer than it is said to be
        ".org 0b + {end}",
        preactivations_of_two_pairs!(),
        "mov lr, #0x800000",
        "mov r12, #64",
        on_line!("r4", "r8", "r12", "#7"),
        on_line!("r5", "r9", "r12", "#7"),
        on_line!("r6", "r10", "r12", "#7"),
        on_line!("r7", "r11", "r12", "#7"),
        "strh r4, [r2], #2",
        "strh r5, [r2], #2",
        "strh r6, [r2], #2",
        "strh r7, [r2], #2",
        next_tile_of_two_pairs!(),
        hidden = const HIDDEN_OF_TWO.first,
        end = const END_OF_TWO,
    )
}

/// [`plain`](crate::cell::lstm::plain), tile after tile.
///
/// # Safety
/// As of [`simple_rnn`].
#[unsafe(naked)]
unsafe extern "C" fn lstm(last: *mut Last) {
    naked_asm!(
        assembler!(),
        "0:",
        "b.w 5f",
        turn!(eight_groups_of_two_pairs!(), "r8"),
        ".org 0b + {hidden}",
        hidden_of_two_pairs!(),
        // an error where the code before it is longer than it is said to be
        ".org 0b + {end}",
        preactivations_of_two_pairs!(),
        // r4, r5, r7, r6: i, f, o and g
        sigmoid_rounding!("r12"),
        on_line!("r4", "r8", "r12", "#9"),
        on_line!("r5", "r9", "r12", "#9"),
        on_line!("r7", "r11", "r12", "#9"),
        "mov r12, #64",
        on_line!("r6", "r10", "r12", "#7"),
        // 6: the fields of `Lstm`, and the cell state
        "ldr r8, [r3, #12]",
        "ldr r9, [r3, #16]",
        "ldr r10, [r3, #20]",
        "ldr r11, [r3, #24]",
        "ldr r0, [r8]",
        // 7: f·c + i·g
        "mul r4, r4, r6",
        "asr r4, r4, r9",
        "lsl r0, r0, #2",
        "smlawb r4, r0, r5, r4",
        "ssat r4, #30, r4",
        "str r4, [r8], #4",
        // 10: its tanh
        "add r4, r4, r10",
        "asr r4, r4, r11",
        "ssat r5, #9, r4, asr #7",
        "str r8, [r3, #12]",
        "ldr r5, [r1, r5, lsl #2]",
        on_line!("r4", "r5", "r12", "#7"),
        // 4: times o
        "mov r0, #8192",
        "mla r4, r7, r4, r0",
        "asr r4, r4, #14",
        "strh r4, [r2], #2",
        next_tile_of_two_pairs!(),
        hidden = const HIDDEN_OF_TWO.first,
        end = const END_OF_TWO,
    )
}

/// [`plain`](crate::cell::gru::plain), tile after tile.
///
/// # Safety
/// As of [`simple_rnn`].
#[unsafe(naked)]
unsafe extern "C" fn gru(last: *mut Last) {
    naked_asm!(
        assembler!(),
        "0:",
        "b.w 5f",
        turn!(four_groups_of_three_pairs!(), "r10"),
        ".org 0b + {between}",
        // between the halves, 18 cycles: r2: where the candidates' sums go; r0: the recurrent biases they go on from
        "sub.w r8, r8, r9",
        "asr.w r8, r8, #8",
        "str.w r8, [r2]",
        "str.w r9, [r2, #4]",
        "ldr.w r8, [r0], #4",
        "ldr.w r9, [r0], #4",
        "str r0, [r3, #-16]",
        "add.w r8, r9, r8, lsl #8",
        "add.w r3, r3, #4",
        "ldm.w r3!, {{r0, r1, r2, pc}}",
        // an error where the code before it is longer than it is said to be
        ".org 0b + {end}",
        // 7: the sums of z and r times 256, as `requantise` has them, those of the candidates times 4, as
        // `scale_by_gate` has them
        "subs r4, r4, r5",
        "lsls r5, r5, #8",
        "subs r6, r6, r7",
        "lsls r7, r7, #8",
        "sub r8, r8, r9",
        "asr r8, r8, #6",
        "lsl r9, r9, #2",
        // 13: pre-activations
        "ldm r0!, {{r10, r11, r12, lr}}",
        "smmulr r4, r4, r10",
        "smmulr r5, r5, r11",
        "smmulr r6, r6, r12",
        "smmulr r7, r7, lr",
        // 29: r6, r7: r; r4, r5: z
        sigmoid_rounding!("r11"),
        intervals!("r6", "r7", "r10", "r12"),
        on_line!("r6", "r10", "r11", "#9"),
        on_line!("r7", "r12", "r11", "#9"),
        intervals!("r4", "r5", "r10", "r12"),
        on_line!("r4", "r10", "r11", "#9"),
        on_line!("r5", "r12", "r11", "#9"),
        // 13: the candidates' pre-activations
        "ldr r10, [r3, #28]",
        "ldr r12, [r3, #32]",
        "smlawb r8, r8, r6, r10",
        "smlawb r9, r9, r7, r12",
        "lsl r8, r8, #8",
        "lsl r9, r9, #8",
        "ldr r10, [r0], #4",
        "ldr r12, [r0], #4",
        "str r0, [r3, #-16]",
        "smmulr r8, r8, r10",
        "smmulr r9, r9, r12",
        // r8, r9: g
        "mov r11, #64",
        intervals!("r8", "r9", "r10", "r12"),
        on_line!("r8", "r10", "r11", "#7"),
        on_line!("r9", "r12", "r11", "#7"),
        // 12: g + z·(h - g)
        "ldrsh r10, [r2]",
        "ldrsh r12, [r2, #2]",
        "sub r10, r10, r8",
        "sub r12, r12, r9",
        "mov r11, #8192",
        "mla r10, r4, r10, r11",
        "mla r12, r5, r12, r11",
        "add r8, r8, r10, asr #14",
        "add r9, r9, r12, asr #14",
        "strh r8, [r2], #2",
        "strh r9, [r2], #2",
        // 24: the next tile, or the end
        "str r2, [r3, #-8]",
        "1:",
        "ldr r10, [r3]",
        "ldr r11, [r3, #4]",
        "cmp r2, r11",
        "beq 4f",
        "ldm r10!, {{r4, r5, r6, r7, r8, r9}}",
        "str r10, [r3]",
        "ldr r3, [r3, #8]",
        "add r4, r5, r4, lsl #8",
        "add r6, r7, r6, lsl #8",
        "add r8, r9, r8, lsl #8",
        "ldm.w r3!, {{r0, r1, r2, pc}}",
        "4:",
        "pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}",
        start!(),
        between = const BETWEEN_OF_THREE,
        end = const END_OF_THREE,
    )
}
