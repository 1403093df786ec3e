//! The loops over the runs of columns, for one to three pairs of rows: what `sums` calls.
//!
//! **Cycles**, by the Cortex-M4's manual, flash without wait states: four columns of two pairs of rows, 16 products,
//! take 20 and 15 instructions, those of three pairs, 24 products, 29 and 22; every four of them, and the end of a run,
//! 4 more. A run begins in 11 cycles, with three pairs in 17, and a call costs about 70, with the multipliers.

use core::arch::naked_asm;

use super::Run;

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

/// One group of two pairs of rows, without the loads of its operands.
macro_rules! two_pairs_by_group {
    () => {
        concat!(
            // cycles: 5
            // words of columns 0 and 1, pairs 0 and 1; of columns 2 and 3
            "ldm r2!, {{r8, r9, r10, r11}}\n",
            // 12: `add_columns` of columns 0 and 1, then of 2 and 3
            "smlad r4, r8, r12, r4\n",
            "sxtb16 r8, r8\n",
            "smlad r5, r8, r12, r5\n",
            "smlad r6, r9, r12, r6\n",
            "sxtb16 r9, r9\n",
            "smlad r7, r9, r12, r7\n",
            "smlad r4, r10, lr, r4\n",
            "sxtb16 r10, r10\n",
            "smlad r5, r10, lr, r5\n",
            "smlad r6, r11, lr, r6\n",
            "sxtb16 r11, r11\n",
            "smlad r7, r11, lr, r7\n",
        )
    };
}

/// One group of three pairs of rows, without the loads of its operands.
macro_rules! three_pairs_by_group {
    () => {
        concat!(
            // cycles: 4
            // words of columns 0 and 1, pairs 0 to 2
            "ldm r2!, {{r3, r10, r11}}\n",
            // 9: `add_columns` of columns 0 and 1
            "smlad r4, r3, r12, r4\n",
            "sxtb16 r3, r3\n",
            "smlad r5, r3, r12, r5\n",
            "smlad r6, r10, r12, r6\n",
            "sxtb16 r10, r10\n",
            "smlad r7, r10, r12, r7\n",
            "smlad r8, r11, r12, r8\n",
            "sxtb16 r11, r11\n",
            "smlad r9, r11, r12, r9\n",
            // 4
            // of columns 2 and 3
            "ldm r2!, {{r3, r10, r11}}\n",
            // 9: of columns 2 and 3
            "smlad r4, r3, lr, r4\n",
            "sxtb16 r3, r3\n",
            "smlad r5, r3, lr, r5\n",
            "smlad r6, r10, lr, r6\n",
            "sxtb16 r10, r10\n",
            "smlad r7, r10, lr, r7\n",
            "smlad r8, r11, lr, r8\n",
            "sxtb16 r11, r11\n",
            "smlad r9, r11, lr, r9\n",
        )
    };
}

/// The operands of one group, 3 cycles.
macro_rules! operands_of_group {
    () => {
        concat!(
            "ldr r12, [r0], #4\n", // columns 0 and 1
            "ldr lr, [r0], #4\n",  // columns 2 and 3
        )
    };
}

/// What is done with an item of the list, by its `Entry`: 4 cycles.
macro_rules! branch_by_entry {
    () => {
        concat!(
            "tbb [pc, r12]\n",
            "20:\n",
            ".byte (3f - 20b) / 2\n",
            ".byte (6f - 20b) / 2\n",
            ".byte (5f - 20b) / 2\n",
            ".byte (4f - 20b) / 2\n",
            ".byte (7f - 20b) / 2\n",
            ".byte (8f - 20b) / 2\n",
            ".byte (9f - 20b) / 2\n",
            ".balign 2\n",
        )
    };
}

/// Adds the products of one pair of rows to those of `start: [2]`, of one half or, where `second` is not null, of both,
/// multiplies the sums, where `multipliers: [2]` is not null, and writes them to `sums: [2]`.
///
/// # Safety
/// `sums`, `start` and, unless it is null, `multipliers` have the room that is named. `list` is the first half's and has
/// an end, which says where the second half's is if there is one; their runs lie in valid operands, and `first` and
/// `second` have the words of all groups that each half's runs name.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn one_pair(
    sums: *mut i32,
    first: *const u32,
    second: *const u32,
    list: *const Run,
    start: *const i32,
    multipliers: *const i32,
) {
    naked_asm!(
        assembler!(),
        "push {{r0, r1, r2, r4, r5, r6, r7, lr}}",
        // r4: 256·A + B; r5: B
        "ldr r0, [sp, #32]",
        "ldrd r4, r5, [r0]",
        "add r4, r5, r4, lsl #8",
        // the next item: r0, r1: its operands; r2: its words, of which a group has 8 bytes
        "2:",
        "ldm r3!, {{r0, r1, r2, r12}}",
        "ldr lr, [sp, #4]",
        "add r2, lr, r2, lsl #3",
        "cmp r12, #5",
        "beq 8f",
        "bhi 9f",
        "cmp r12, #4",
        "bne 3f",
        // a tail: its operands are here already; behind it the loop ends
        "mov r12, r0",
        "mov lr, r1",
        "mov r0, r1",
        "b 10f",
        // one group: 14 cycles, and 4 for the turn
        "3:",
        operands_of_group!(),
        "10:",
        "ldm r2!, {{r6, r7}}",
        "smlad r4, r6, r12, r4",
        "sxtb16 r6, r6",
        "smlad r5, r6, r12, r5",
        "smlad r4, r7, lr, r4",
        "sxtb16 r7, r7",
        "smlad r5, r7, lr, r5",
        "cmp r0, r1",
        "bne 3b",
        "b 2b",
        // the end of the first half: on to the second, if it is asked for
        "8:",
        "ldr r1, [sp, #8]",
        "adds r3, r3, r0",
        "str r1, [sp, #4]",
        "cmp r1, #0",
        "bne 2b",
        // 256·A and 256·B, which is what `requantise` multiplies
        "9:",
        "subs r4, r4, r5",
        "lsls r5, r5, #8",
        "ldr r0, [sp, #36]",
        "cbz r0, 11f",
        "ldrd r6, r7, [r0]",
        "smmulr r4, r4, r6",
        "smmulr r5, r5, r7",
        "12:",
        "pop {{r0, r1, r2}}",
        "strd r4, r5, [r0]",
        "pop {{r4, r5, r6, r7, pc}}",
        // A and B where there are no multipliers
        "11:",
        "asrs r4, r4, #8",
        "asrs r5, r5, #8",
        "b 12b",
    )
}

/// As [`one_pair`], of two pairs: `sums: [4]`.
///
/// # Safety
/// As of [`one_pair`].
#[unsafe(naked)]
pub(super) unsafe extern "C" fn two_pairs(
    sums: *mut i32,
    first: *const u32,
    second: *const u32,
    list: *const Run,
    start: *const i32,
    multipliers: *const i32,
) {
    naked_asm!(
        assembler!(),
        "push {{r0, r1, r2, r4, r5, r6, r7, r8, r9, r10, r11, lr}}",
        // r4, r6: 256·A + B of each pair; r5, r7: B
        "ldr r0, [sp, #48]",
        "ldm r0, {{r4, r5, r6, r7}}",
        "add r4, r5, r4, lsl #8",
        "add r6, r7, r6, lsl #8",
        // the next item: r0, r1: its operands; r2: its words, of which a group has 16 bytes
        "2:",
        "ldm r3!, {{r0, r1, r2, r12}}",
        "ldr lr, [sp, #4]",
        "add r2, lr, r2, lsl #4",
        branch_by_entry!(),
        // a tail: its operands are here already; behind it the loop ends
        "7:",
        "mov r12, r0",
        "mov lr, r1",
        "mov r0, r1",
        "b 10f",
        // the end of the first half: on to the second, if it is asked for
        "8:",
        "ldr r1, [sp, #8]",
        "adds r3, r3, r0",
        "str r1, [sp, #4]",
        "cmp r1, #0",
        "bne 2b",
        // 256·A and 256·B of each pair, which is what `requantise` multiplies
        "9:",
        "subs r4, r4, r5",
        "lsls r5, r5, #8",
        "subs r6, r6, r7",
        "lsls r7, r7, #8",
        "ldr r0, [sp, #52]",
        "cbz r0, 11f",
        "ldm r0, {{r8, r9, r10, r11}}",
        "smmulr r4, r4, r8",
        "smmulr r5, r5, r9",
        "smmulr r6, r6, r10",
        "smmulr r7, r7, r11",
        "12:",
        "pop {{r0, r1, r2}}",
        "stm r0, {{r4, r5, r6, r7}}",
        "pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}",
        // A and B where there are no multipliers
        "11:",
        "asrs r4, r4, #8",
        "asrs r5, r5, #8",
        "asrs r6, r6, #8",
        "asrs r7, r7, #8",
        "b 12b",
        // four groups, entered so that what is left is a multiple of four
        "3:",
        operands_of_group!(),
        two_pairs_by_group!(),
        "4:",
        operands_of_group!(),
        two_pairs_by_group!(),
        "5:",
        operands_of_group!(),
        two_pairs_by_group!(),
        "6:",
        operands_of_group!(),
        "10:",
        two_pairs_by_group!(),
        "cmp r0, r1",
        "bne 3b",
        "b 2b",
    )
}

/// As [`one_pair`], of three pairs: `sums: [6]`.
///
/// # Safety
/// As of [`one_pair`].
#[unsafe(naked)]
pub(super) unsafe extern "C" fn three_pairs(
    sums: *mut i32,
    first: *const u32,
    second: *const u32,
    list: *const Run,
    start: *const i32,
    multipliers: *const i32,
) {
    naked_asm!(
        assembler!(),
        "push {{r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, lr}}",
        // r4, r6, r8: 256·A + B of each pair; r5, r7, r9: B
        "ldr r0, [sp, #52]",
        "ldm r0, {{r4, r5, r6, r7, r8, r9}}",
        "add r4, r5, r4, lsl #8",
        "add r6, r7, r6, lsl #8",
        "add r8, r9, r8, lsl #8",
        // the next item: r0, r1: its operands; r2: its words, of which a group has 24 bytes
        "2:",
        "ldr r3, [sp, #12]",
        "ldm r3!, {{r0, r1, r2, r12}}",
        "str r3, [sp, #12]",
        "ldr lr, [sp, #4]",
        "add r2, r2, r2, lsl #1",
        "add r2, lr, r2, lsl #3",
        branch_by_entry!(),
        // a tail: its operands are here already; behind it the loop ends
        "7:",
        "mov r12, r0",
        "mov lr, r1",
        "mov r0, r1",
        "b 10f",
        // the end of the first half: on to the second, if it is asked for
        "8:",
        "ldr r1, [sp, #8]",
        "adds r3, r3, r0",
        "str r1, [sp, #4]",
        "str r3, [sp, #12]",
        "cmp r1, #0",
        "bne 2b",
        // 256·A and 256·B of each pair, which is what `requantise` multiplies
        "9:",
        "subs r4, r4, r5",
        "lsls r5, r5, #8",
        "subs r6, r6, r7",
        "lsls r7, r7, #8",
        "sub r8, r8, r9",
        "lsl r9, r9, #8",
        "ldr r0, [sp, #56]",
        "cbz r0, 11f",
        "ldm r0, {{r1, r2, r3, r10, r11, r12}}",
        "smmulr r4, r4, r1",
        "smmulr r5, r5, r2",
        "smmulr r6, r6, r3",
        "smmulr r7, r7, r10",
        "smmulr r8, r8, r11",
        "smmulr r9, r9, r12",
        "12:",
        "pop {{r0, r1, r2, r3}}",
        "stm r0, {{r4, r5, r6, r7, r8, r9}}",
        "pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}",
        // A and B where there are no multipliers
        "11:",
        "asrs r4, r4, #8",
        "asrs r5, r5, #8",
        "asrs r6, r6, #8",
        "asrs r7, r7, #8",
        "asr r8, r8, #8",
        "asr r9, r9, #8",
        "b 12b",
        // four groups, entered so that what is left is a multiple of four
        "3:",
        operands_of_group!(),
        three_pairs_by_group!(),
        "4:",
        operands_of_group!(),
        three_pairs_by_group!(),
        "5:",
        operands_of_group!(),
        three_pairs_by_group!(),
        "6:",
        operands_of_group!(),
        "10:",
        three_pairs_by_group!(),
        "cmp r0, r1",
        "bne 3b",
        "b 2b",
    )
}
