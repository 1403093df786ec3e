//! The loop of a SimpleRNN.

use core::arch::naked_asm;

use super::{END_OF_TWO, HIDDEN_OF_TWO, Last};

/// [`plain`](crate::cell::simple_rnn::plain), tile after tile.
///
/// # Safety
/// As `timestep` has filled the frame that `last` is a part of.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn simple_rnn(last: *mut Last) {
    naked_asm!(
        assembler!(),
        "0:",
        "b.w 5f",
        turn!(concat!(seven_groups_of_two_pairs!(), group_of_two_pairs!()), "r8"),
        ".org 0b + {hidden}",
        hidden_of_two_pairs!(),
        // an error where the code before it is longer than it is said to be
        ".org 0b + {end}",
        preactivations_of_two_pairs!(),
        // 22: h = tanh(z) of four units
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
