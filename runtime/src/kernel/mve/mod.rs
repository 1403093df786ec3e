//! The kernel for cores with MVE (Helium), as the Cortex-M55: eight products an instruction.
//!
//! `VMLADAVA` multiplies eight pairs of 16-bit numbers and adds the products to a sum; `VMOVLB` takes the lower bytes out
//! of eight 16-bit numbers. So the words of eight columns of a pair of rows, `w = 256·A + B` each, and their operands `p`
//! take four instructions for sixteen products, and do what the portable kernel does in its `add_columns`:
//!
//! ```text
//! VLDRW.U32    q, [addresses, #next]!   four words, each of two columns
//! VMLADAVA.S16 S, q, p                  packed += first * p + second * q, of all four, modulo 2^32
//! VMOVLB.S8    q, q                     (first as i8, second as i8), of all four
//! VMLADAVA.S16 T, q, p                  low += the same of those
//! ```
//!
//! At the end row B's sum is `T` and row A's `(S - T) >> 8`. Sums that are there already come in the same way, as
//! `S = 256·A + B` and `T = B`. The loop is one of MVE's own, which leaves out the columns behind the last one.
//!
//! **Zeros.** All tiles of a layer meet the same operands, so [`Operands`] looks once where the first and the last are
//! that are not zero; what lies before and behind is left out.

#![expect(unsafe_code, reason = "the assembly reads and writes through pointers")]

/// What the assembler must be told besides the target's name, which leaves the extension open.
macro_rules! assembler {
    () => {
        ".cpu cortex-m55"
    };
}

/// The products of a pair of rows in eight columns, whose operands are in q0: 4 instructions. `$addresses` are those of
/// four words, `$next` bytes before them.
macro_rules! pair {
    ($packed:literal, $low:literal, $addresses:literal, $next:literal) => {
        concat!(
            "vldrw.u32 q1, [",
            $addresses,
            ", #",
            $next,
            "]!\n",
            "vmladava.s16 ",
            $packed,
            ", q1, q0\n",
            "vmovlb.s8 q1, q1\n",
            "vmladava.s16 ",
            $low,
            ", q1, q0\n",
        )
    };
}

mod lstm;

use core::arch::naked_asm;
use core::mem::MaybeUninit;
use core::ptr;

pub(crate) use self::lstm::lstm;
use super::{FIXED_TIME, PairSums};
pub(crate) use crate::cell::gru::plain as gru;
pub(crate) use crate::cell::simple_rnn::plain as simple_rnn;

/// Columns of a turn of the loop.
const COLUMNS: usize = 8;

/// The operands of both halves of a layer's rows.
#[derive(Debug, Default)]
pub(crate) struct Operands<'o> {
    halves: [Span<'o>; 2],
}

/// What there is to multiply of one half.
#[derive(Debug, Default)]
struct Span<'o> {
    /// From a multiple of [`COLUMNS`] up to the last that is not zero.
    values: &'o [i16],
    /// Columns before them.
    first: usize,
}

impl<'o> Operands<'o> {
    /// Looks where there are zeros.
    pub(crate) fn set(&mut self, values: [&'o [i16]; 2]) {
        self.halves = values.map(|values| {
            if FIXED_TIME {
                return Span { values, first: 0 };
            }
            let first = values.iter().position(|&value| value != 0).unwrap_or(values.len());
            let end = values.iter().rposition(|&value| value != 0).map_or(first, |last| last + 1);
            let first = first / COLUMNS * COLUMNS;
            Span { values: values.get(first..end).unwrap_or_default(), first }
        });
    }
}

/// One half of a tile. The assembly loads the fields in this order.
#[repr(C)]
struct Half {
    words: *const u32,
    operands: *const i16,
    columns: usize,
}

impl Half {
    /// The part of a tile of `P` pairs that meets these operands; none of it where it has too few words, as an empty one
    /// does, which stands for a half that is left out.
    fn of<const P: usize>(tile: &[u32], Span { values, first }: &Span<'_>) -> Self {
        // words come for four columns at a time
        let needed = values.len().next_multiple_of(4) / 2 * P;
        match tile.get(first / 2 * P..) {
            Some(words) if words.len() >= needed => {
                Self { words: words.as_ptr(), operands: values.as_ptr(), columns: values.len() }
            }
            _ => Self { words: ptr::null(), operands: ptr::null(), columns: 0 },
        }
    }
}

/// The same sums as `portable::sums`, times the multipliers where there are some.
#[inline]
pub(crate) fn sums<const P: usize>(
    start: &[PairSums; P],
    tiles: [&[u32]; 2],
    operands: &Operands<'_>,
    multipliers: Option<&[[i32; 2]; P]>,
) -> [PairSums; P] {
    const { assert!(P == 1 || P == 2 || P == 3, "a tile has one to three pairs of rows") };
    let kernel = match P {
        1 => one_pair,
        2 => two_pairs,
        _ => three_pairs,
    };
    let [first, second] = &operands.halves;
    let halves = [Half::of::<P>(tiles[0], first), Half::of::<P>(tiles[1], second)];
    let mut sums = MaybeUninit::<[PairSums; P]>::uninit();
    let start = start.as_ptr().cast();
    let multipliers = multipliers.map_or(ptr::null(), |multipliers| multipliers.as_ptr().cast());
    // SAFETY: `sums`, `start` and `multipliers` are 2·P numbers, and the kernel writes all of `sums`. Each half has as many
    // operands as columns, and words for them.
    unsafe {
        kernel(sums.as_mut_ptr().cast(), halves.as_ptr(), start, multipliers);
        sums.assume_init()
    }
}

/// Adds the products of one pair of rows in both halves to those of `start: [2]`, multiplies the sums, where `multipliers:
/// [2]` is not null, and writes them to `sums: [2]`.
///
/// # Safety
/// `sums`, `start` and, unless it is null, `multipliers` have the room that is named, and there are two `halves`, each with
/// as many operands as columns and the words of as many columns, rounded up to a multiple of four.
#[unsafe(naked)]
unsafe extern "C" fn one_pair(
    sums: *mut i32,
    halves: *const Half,
    start: *const i32,
    multipliers: *const i32,
) {
    naked_asm!(
        assembler!(),
        "push {{r4, r5, r6, r7, r8, lr}}",
        // r4: 256·A + B; r6: B
        "ldrd r4, r6, [r2]",
        "add r4, r6, r4, lsl #8",
        // both halves, behind which r8 points
        "add r8, r1, #24",
        "2:",
        // r2: words; r5: operands; r7: columns
        "ldm r1!, {{r2, r5, r7}}",
        "cbz r7, 4f",
        // q2: the addresses of the words of a pair before the first eight columns
        "sub r2, r2, #16",
        "vidup.u32 q2, r2, #4",
        "dlstp.16 lr, r7",
        "3:",
        "vldrh.u16 q0, [r5], #16",
        pair!("r4", "r6", "q2", "16"),
        "letp lr, 3b",
        "4:",
        "cmp r1, r8",
        "bne 2b",
        // 256·A and 256·B, which is what `requantise` multiplies
        "subs r4, r4, r6",
        "lsls r6, r6, #8",
        "cbz r3, 5f",
        "ldrd r1, r2, [r3]",
        "smmulr r4, r4, r1",
        "smmulr r6, r6, r2",
        "strd r4, r6, [r0]",
        "pop {{r4, r5, r6, r7, r8, pc}}",
        // A and B where there are no multipliers
        "5:",
        "asrs r4, r4, #8",
        "asrs r6, r6, #8",
        "strd r4, r6, [r0]",
        "pop {{r4, r5, r6, r7, r8, pc}}",
    )
}

/// As [`one_pair`], of two pairs: `sums: [4]`.
///
/// # Safety
/// As of [`one_pair`].
#[unsafe(naked)]
unsafe extern "C" fn two_pairs(
    sums: *mut i32,
    halves: *const Half,
    start: *const i32,
    multipliers: *const i32,
) {
    naked_asm!(
        assembler!(),
        "push {{r4, r5, r6, r7, r8, r9, r10, lr}}",
        // r4, r8: 256·A + B of each pair; r6, r10: B
        "ldrd r4, r6, [r2]",
        "ldrd r8, r10, [r2, #8]",
        "add r4, r6, r4, lsl #8",
        "add r8, r10, r8, lsl #8",
        // both halves, behind which r9 points
        "add r9, r1, #24",
        "2:",
        // r2: words; r5: operands; r7: columns
        "ldm r1!, {{r2, r5, r7}}",
        "cbz r7, 4f",
        // q2, q3: the addresses of the words of each pair before the first eight columns
        "sub r2, r2, #32",
        "add r12, r2, #4",
        "vidup.u32 q2, r2, #8",
        "vidup.u32 q3, r12, #8",
        "dlstp.16 lr, r7",
        "3:",
        "vldrh.u16 q0, [r5], #16",
        pair!("r4", "r6", "q2", "32"),
        pair!("r8", "r10", "q3", "32"),
        "letp lr, 3b",
        "4:",
        "cmp r1, r9",
        "bne 2b",
        // 256·A and 256·B of each pair, which is what `requantise` multiplies
        "subs r4, r4, r6",
        "lsls r6, r6, #8",
        "sub r8, r8, r10",
        "lsl r10, r10, #8",
        "cbz r3, 5f",
        "ldm r3, {{r1, r2, r5, r7}}",
        "smmulr r4, r4, r1",
        "smmulr r6, r6, r2",
        "smmulr r8, r8, r5",
        "smmulr r10, r10, r7",
        "stm r0, {{r4, r6, r8, r10}}",
        "pop {{r4, r5, r6, r7, r8, r9, r10, pc}}",
        // A and B where there are no multipliers
        "5:",
        "asrs r4, r4, #8",
        "asrs r6, r6, #8",
        "asr r8, r8, #8",
        "asr r10, r10, #8",
        "stm r0, {{r4, r6, r8, r10}}",
        "pop {{r4, r5, r6, r7, r8, r9, r10, pc}}",
    )
}

/// As [`one_pair`], of three pairs: `sums: [6]`.
///
/// # Safety
/// As of [`one_pair`].
#[unsafe(naked)]
unsafe extern "C" fn three_pairs(
    sums: *mut i32,
    halves: *const Half,
    start: *const i32,
    multipliers: *const i32,
) {
    naked_asm!(
        assembler!(),
        "push {{r0, r3, r4, r5, r6, r7, r8, r9, r10, lr}}",
        "vpush {{d8, d9}}",
        // r4, r8, r12: 256·A + B of each pair; r6, r10, r0: B
        "ldrd r4, r6, [r2]",
        "ldrd r8, r10, [r2, #8]",
        "ldrd r12, r0, [r2, #16]",
        "add r4, r6, r4, lsl #8",
        "add r8, r10, r8, lsl #8",
        "add r12, r0, r12, lsl #8",
        // both halves, behind which r9 points; r3: the bytes from a pair's word to its next one
        "add r9, r1, #24",
        "movs r3, #12",
        "2:",
        // r2: words; r5: operands; r7: columns
        "ldm r1!, {{r2, r5, r7}}",
        "cbz r7, 4f",
        "mov lr, r2",
        "movs r2, #0",
        // q2, q3, q4: the addresses of the words of each pair before the first eight columns
        "vidup.u32 q2, r2, #1",
        "sub r2, lr, #48",
        "vmul.i32 q2, q2, r3",
        "vadd.i32 q2, q2, r2",
        "movs r2, #4",
        "vadd.i32 q3, q2, r2",
        "vadd.i32 q4, q3, r2",
        "dlstp.16 lr, r7",
        "3:",
        "vldrh.u16 q0, [r5], #16",
        pair!("r4", "r6", "q2", "48"),
        pair!("r8", "r10", "q3", "48"),
        pair!("r12", "r0", "q4", "48"),
        "letp lr, 3b",
        "4:",
        "cmp r1, r9",
        "bne 2b",
        // 256·A and 256·B of each pair, which is what `requantise` multiplies
        "subs r4, r4, r6",
        "lsls r6, r6, #8",
        "sub r8, r8, r10",
        "lsl r10, r10, #8",
        "sub r12, r12, r0",
        "lsls r0, r0, #8",
        "vpop {{d8, d9}}",
        "pop {{r2, r3}}",
        "cbz r3, 5f",
        "ldm r3!, {{r1, r5, r7, r9}}",
        "smmulr r4, r4, r1",
        "smmulr r6, r6, r5",
        "smmulr r8, r8, r7",
        "smmulr r10, r10, r9",
        "ldrd r1, r5, [r3]",
        "smmulr r12, r12, r1",
        "smmulr r0, r0, r5",
        "6:",
        "stm r2!, {{r4, r6, r8, r10}}",
        "strd r12, r0, [r2]",
        "pop {{r4, r5, r6, r7, r8, r9, r10, pc}}",
        // A and B where there are no multipliers
        "5:",
        "asrs r4, r4, #8",
        "asrs r6, r6, #8",
        "asr r8, r8, #8",
        "asr r10, r10, #8",
        "asr r12, r12, #8",
        "asrs r0, r0, #8",
        "b 6b",
    )
}
