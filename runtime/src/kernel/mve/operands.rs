//! Operands, eight at once.

use core::arch::naked_asm;

use crate::fixed::HIDDEN_BITS;

/// Hidden states, Q15, as operands with `operand_bits` fraction bits, as many as both have room for.
pub(crate) fn hidden_operands(hidden: &[i16], operand: &mut [i16], operand_bits: u32) {
    let count = hidden.len().min(operand.len());
    // SAFETY: there are so many of both.
    unsafe {
        round_shift(hidden.as_ptr(), operand.as_mut_ptr(), count, operand_bits as i32 - HIDDEN_BITS as i32)
    };
}

/// Bytes shifted left, as many as both have room for.
pub(crate) fn shift_bytes(row: &[u8], operand: &mut [i16], shift: i8) {
    let count = row.len().min(operand.len());
    // SAFETY: there are so many of both.
    unsafe { widen_and_shift(row.as_ptr(), operand.as_mut_ptr(), count, shift.into()) };
}

/// `to = from * 2^shift`, rounded to the nearest, halves up. Eight take 4 instructions.
///
/// # Safety
/// There are so many of both.
#[unsafe(naked)]
unsafe extern "C" fn round_shift(from: *const i16, to: *mut i16, count: usize, shift: i32) {
    naked_asm!(
        assembler!(),
        "cbz r2, 3f",
        "push {{r7, lr}}",
        "dlstp.16 lr, r2",
        "2:",
        "vldrh.u16 q0, [r0], #16",
        "vrshl.s16 q0, r3",
        "vstrh.16 q0, [r1], #16",
        "letp lr, 2b",
        "pop {{r7, pc}}",
        "3:",
        "bx lr",
    )
}

/// `to = from << shift`. Eight take 4 instructions.
///
/// # Safety
/// There are so many of both.
#[unsafe(naked)]
unsafe extern "C" fn widen_and_shift(from: *const u8, to: *mut i16, count: usize, shift: i32) {
    naked_asm!(
        assembler!(),
        "cbz r2, 3f",
        "push {{r7, lr}}",
        "dlstp.16 lr, r2",
        "2:",
        "vldrb.u16 q0, [r0], #8",
        "vshl.s16 q0, r3",
        "vstrh.16 q0, [r1], #16",
        "letp lr, 2b",
        "pop {{r7, pc}}",
        "3:",
        "bx lr",
    )
}
