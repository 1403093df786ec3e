//! The kernel for ARMv6-M, as the Cortex-M0 and M0+: one product an instruction, and sums that stay in registers.
//!
//! These cores multiply and load by eight of their registers alone, so that a compiler has no room for the sums of a tile
//! and keeps them in memory. They can add to the other registers too, though, and that is all that is done with a sum. The
//! sums are those of the portable kernel, and so is the order of the steps.

#![expect(unsafe_code, reason = "the assembly reads and writes through pointers")]

use core::arch::naked_asm;

pub(crate) use super::portable::Operands;
use super::{FIXED_TIME, PairSums, portable, scaled};

/// The same sums as [`portable::sums`], in the same two parts. Two operands that are both zero are skipped.
pub(crate) fn sums<const P: usize>(
    start: &[PairSums; P],
    tiles: [&[u32]; 2],
    operands: &Operands<'_>,
    multipliers: Option<&[[i32; 2]; P]>,
) -> [PairSums; P] {
    const { assert!(P == 1 || P == 2 || P == 3, "a tile has one to three pairs of rows") };
    // of each pair, the sums of w·p and of B·p
    let mut parts = [[0i32; 2]; P];
    for (tile, operands) in tiles.into_iter().zip(operands.halves()) {
        let (words, _) = tile.as_chunks::<P>();
        let (twos, rest) = operands.as_chunks::<2>();
        if twos.len() <= words.len() && twos.as_ptr().addr().is_multiple_of(4) && !FIXED_TIME {
            let kernel = match P {
                1 => one_pair,
                2 => two_pairs,
                _ => three_pairs,
            };
            let operands = twos.as_ptr_range();
            // SAFETY: there are `P` words for each two operands, which begin at a multiple of four, and `parts` are 2·P.
            unsafe {
                kernel(
                    parts.as_mut_ptr().cast(),
                    words.as_ptr().cast(),
                    operands.start.cast(),
                    operands.end.cast(),
                );
            }
        } else {
            portable::add_twos(&mut parts, words, twos);
        }
        portable::add_last(&mut parts, words.get(twos.len()), rest);
    }
    let mut sums = *start;
    for (sum, [packed, low]) in sums.iter_mut().zip(parts) {
        sum[0] += packed.wrapping_sub(low) >> 8;
        sum[1] += low;
    }
    scaled(sums, multipliers)
}

/// The products of a word, which is used up: 12 instructions. r3 and r4 are its two operands, r0 is used.
macro_rules! word {
    ($word:literal, $packed:literal, $low:literal) => {
        concat!(
            // packed += first * p, low += (first as i8) * p
            "sxth r0, ",
            $word,
            "\n",
            "muls r0, r3, r0\n",
            "add ",
            $packed,
            ", r0\n",
            "sxtb r0, ",
            $word,
            "\n",
            "muls r0, r3, r0\n",
            "add ",
            $low,
            ", r0\n",
            // packed += second * q, low += (second as i8) * q
            "asrs ",
            $word,
            ", ",
            $word,
            ", #16\n",
            "sxtb r0, ",
            $word,
            "\n",
            "muls r0, r4, r0\n",
            "add ",
            $low,
            ", r0\n",
            "muls ",
            $word,
            ", r4, ",
            $word,
            "\n",
            "add ",
            $packed,
            ", ",
            $word,
            "\n",
        )
    };
}

/// A loop over columns, two by two: 7 instructions and those of the words.
macro_rules! columns {
    ($name:ident, $skip:literal, $($line:expr),+) => {
        /// Adds to `parts: [P][2]` the products of all columns from `operands` on up to `end`.
        ///
        /// # Safety
        /// `operands` is a multiple of four, as is `end`, and for each two there are `P` words.
        #[unsafe(naked)]
        unsafe extern "C" fn $name(parts: *mut i32, words: *const u32, operands: *const i16, end: *const i16) {
            naked_asm!(
                "push {{r0, r4, r5, r6, r7, lr}}",
                "mov r4, r8",
                "mov r5, r9",
                "mov r6, r10",
                "mov r7, r11",
                "push {{r4, r5, r6, r7}}",
                "mov r7, r3",
                "movs r0, #0",
                "mov r8, r0",
                "mov r9, r0",
                "mov r10, r0",
                "mov r11, r0",
                "mov r12, r0",
                "mov lr, r0",
                "b 4f",
                "2:",
                "ldmia r2!, {{r4}}",
                "cmp r4, #0",
                "beq 3f",
                "sxth r3, r4",
                "asrs r4, r4, #16",
                $($line,)+
                "4:",
                "cmp r2, r7",
                "bne 2b",
                "b 5f",
                "3:",
                concat!("adds r1, #", $skip),
                "b 4b",
                "5:",
                // to the parts that were there
                "ldr r0, [sp, #16]",
                "ldr r1, [r0, #0]",
                "add r1, r8",
                "str r1, [r0, #0]",
                "ldr r1, [r0, #4]",
                "add r1, r9",
                "str r1, [r0, #4]",
                concat!(".if ", $skip, " > 4"),
                "ldr r1, [r0, #8]",
                "add r1, r10",
                "str r1, [r0, #8]",
                "ldr r1, [r0, #12]",
                "add r1, r11",
                "str r1, [r0, #12]",
                ".endif",
                concat!(".if ", $skip, " > 8"),
                "ldr r1, [r0, #16]",
                "add r1, r12",
                "str r1, [r0, #16]",
                "ldr r1, [r0, #20]",
                "add r1, lr",
                "str r1, [r0, #20]",
                ".endif",
                "pop {{r4, r5, r6, r7}}",
                "mov r8, r4",
                "mov r9, r5",
                "mov r10, r6",
                "mov r11, r7",
                "pop {{r0, r4, r5, r6, r7, pc}}",
            )
        }
    };
}

columns!(one_pair, "4", "ldmia r1!, {{r5}}", word!("r5", "r8", "r9"));
columns!(two_pairs, "8", "ldmia r1!, {{r5, r6}}", word!("r5", "r8", "r9"), word!("r6", "r10", "r11"));
columns!(
    three_pairs,
    "12",
    "ldmia r1!, {{r5, r6}}",
    word!("r5", "r8", "r9"),
    word!("r6", "r10", "r11"),
    "ldmia r1!, {{r5}}",
    word!("r5", "r12", "lr")
);
