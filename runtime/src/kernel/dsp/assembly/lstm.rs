//! The loop of an LSTM.

use core::arch::naked_asm;

use super::{END_OF_TWO, HIDDEN_OF_TWO, Last};

/// [`plain`](crate::cell::lstm::plain), tile after tile.
///
/// # Safety
/// As of [`simple_rnn`](super::simple_rnn).
#[unsafe(naked)]
pub(super) unsafe extern "C" fn lstm(last: *mut Last) {
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
        // 15: r4 = i, r5 = f, r7 = o: sigmoid_of_half
        sigmoid_rounding!("r12"),
        on_line!("r4", "r8", "r12", "#9"),
        on_line!("r5", "r9", "r12", "#9"),
        on_line!("r7", "r11", "r12", "#9"),
        // 5: r6 = g: tanh
        "mov r12, #64",
        on_line!("r6", "r10", "r12", "#7"),
        // 6: the fields of `Lstm`, and r0 = c
        "ldr r8, [r3, #12]",
        "ldr r9, [r3, #16]",
        "ldr r10, [r3, #20]",
        "ldr r11, [r3, #24]",
        "ldr r0, [r8]",
        // 2: r4 = written = i * g >> written_shift
        "mul r4, r4, r6",
        "asr r4, r4, r9",
        // 4: c = saturate_cell(scale_by_gate(c, f) + written)
        "lsl r0, r0, #2",
        "smlawb r4, r0, r5, r4",
        "ssat r4, #30, r4",
        "str r4, [r8], #4",
        // 2: r4 = round_shift(c, squash_shift)
        "add r4, r4, r10",
        "asr r4, r4, r11",
        // 7: r4 = tanh(r4)
        "ssat r5, #9, r4, asr #7",
        "str r8, [r3, #12]",
        "ldr r5, [r1, r5, lsl #2]",
        on_line!("r4", "r5", "r12", "#7"),
        // 4: h = round_shift(o * r4, 14)
        "mov r0, #8192",
        "mla r4, r7, r4, r0",
        "asr r4, r4, #14",
        "strh r4, [r2], #2",
        next_tile_of_two_pairs!(),
        hidden = const HIDDEN_OF_TWO.first,
        end = const END_OF_TWO,
    )
}
