//! The loop of a GRU.

use core::arch::naked_asm;

use super::{BETWEEN_OF_THREE, END_OF_THREE, Last};

/// [`plain`](crate::cell::gru::plain), tile after tile.
///
/// # Safety
/// As of [`simple_rnn`](super::simple_rnn).
#[unsafe(naked)]
pub(super) unsafe extern "C" fn gru(last: *mut Last) {
    naked_asm!(
        assembler!(),
        "0:",
        "b.w 5f",
        turn!(four_groups_of_three_pairs!(), "r10"),
        ".org 0b + {between}",
        // Between the halves: r2: where the candidates' sums go; r0: the recurrent biases they go on from.
        // 4: input = [r8, r9]
        "sub.w r8, r8, r9",
        "asr.w r8, r8, #8",
        "str.w r8, [r2]",
        "str.w r9, [r2, #4]",
        // 5: [r8, r9] = bias
        "ldr.w r8, [r0], #4",
        "ldr.w r9, [r0], #4",
        "str r0, [r3, #-16]",
        "add.w r8, r9, r8, lsl #8",
        "add.w r3, r3, #4",
        // 7: the next run
        "ldm.w r3!, {{r0, r1, r2, pc}}",
        // an error where the code before it is longer than it is said to be
        ".org 0b + {end}",
        // 7: the sums of z and r times 256, as `requantise` multiplies them, those of the candidates times 4, as
        // `scale_by_gate` does
        "subs r4, r4, r5",
        "lsls r5, r5, #8",
        "subs r6, r6, r7",
        "lsls r7, r7, #8",
        "sub r8, r8, r9",
        "asr r8, r8, #6",
        "lsl r9, r9, #2",
        // 9: requantise
        "ldm r0!, {{r10, r11, r12, lr}}",
        "smmulr r4, r4, r10",
        "smmulr r5, r5, r11",
        "smmulr r6, r6, r12",
        "smmulr r7, r7, lr",
        // 29: r = [r6, r7], z = [r4, r5]: sigmoid_of_half
        sigmoid_rounding!("r11"),
        intervals!("r6", "r7", "r10", "r12"),
        on_line!("r6", "r10", "r11", "#9"),
        on_line!("r7", "r12", "r11", "#9"),
        intervals!("r4", "r5", "r10", "r12"),
        on_line!("r4", "r10", "r11", "#9"),
        on_line!("r5", "r12", "r11", "#9"),
        // 5: candidate = input + scale_by_gate(recurrent, r)
        "ldr r10, [r3, #12]",
        "ldr r12, [r3, #16]",
        "smlawb r8, r8, r6, r10",
        "smlawb r9, r9, r7, r12",
        // 8: requantise
        "lsl r8, r8, #8",
        "lsl r9, r9, #8",
        "ldr r10, [r0], #4",
        "ldr r12, [r0], #4",
        "str r0, [r3, #-16]",
        "smmulr r8, r8, r10",
        "smmulr r9, r9, r12",
        // 14: g = [r8, r9] = tanh
        "mov r11, #64",
        intervals!("r8", "r9", "r10", "r12"),
        on_line!("r8", "r10", "r11", "#7"),
        on_line!("r9", "r12", "r11", "#7"),
        // 12: h = g + round_shift(z * (h - g), 14)
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
