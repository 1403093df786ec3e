//! From the sums of rows to their activations.

use core::arch::naked_asm;

use crate::activation::{TANH, ZERO};

/// Brings the table of tanh into r4 and r5: 4 instructions. In the upper half of each interval's word is what tanh is at its
/// lower end, in the lower half how much it grows; r4 leads to the latter in the interval that begins at 0, r5 to the former.
macro_rules! table {
    () => {
        concat!(
            "movw r4, #:lower16:{table}\n",
            "movt r4, #:upper16:{table}\n",
            "add r4, r4, #{zero}\n",
            "add r5, r4, #2\n",
        )
    };
}

/// `tanh` of eight pre-activations, which stay: 10 instructions. r4 and r5 are as `table!` leaves them; of the three other
/// vectors but `$to` nothing is kept.
///
/// tanh is odd, so it is read at the magnitude, and a negative one's is negated.
macro_rules! tanh {
    ($to:literal, $z:literal, $index:literal, $growth:literal, $value:literal) => {
        concat!(
            // clamped, as -2^15 becomes 2^15 - 1
            "vqabs.s16 ",
            $to,
            ", ",
            $z,
            "\n",
            // TANH[z >> 7], in halves of words
            "vshr.u16 ",
            $index,
            ", ",
            $to,
            ", #6\n",
            "vbic.i16 ",
            $index,
            ", #1\n",
            "vldrh.u16 ",
            $growth,
            ", [r4, ",
            $index,
            ", uxtw #1]\n",
            "vldrh.u16 ",
            $value,
            ", [r5, ",
            $index,
            ", uxtw #1]\n",
            // value + (growth * fraction + 64) >> 7, as (growth * (fraction << 9) + 2^15) >> 16
            "vshl.i16 ",
            $to,
            ", ",
            $to,
            ", #9\n",
            "vrmulh.u16 ",
            $to,
            ", ",
            $to,
            ", ",
            $growth,
            "\n",
            "vadd.i16 ",
            $to,
            ", ",
            $to,
            ", ",
            $value,
            "\n",
            // the sign
            "vpt.s16 lt, ",
            $z,
            ", zr\n",
            "vnegt.s16 ",
            $to,
            ", ",
            $to,
            "\n",
        )
    };
}

/// `sigmoid_of_half` out of `tanh`: 2 instructions. r8 is 2^13.
macro_rules! sigmoid_of_tanh {
    ($value:literal) => {
        concat!("vrshr.s16 ", $value, ", ", $value, ", #2\n", "vadd.i16 ", $value, ", ", $value, ", r8\n")
    };
}

/// 16 bits of each of eight pre-activations out of the sums of four pairs of rows, `256·A + B` and `B`, and their
/// multipliers, into `$packed`: 6 instructions.
macro_rules! requantise {
    ($packed:literal, $low:literal, $of_a:literal, $of_b:literal) => {
        concat!(
            // 256·A and 256·B, which is what `requantise` multiplies
            "vsub.i32 ",
            $packed,
            ", ",
            $packed,
            ", ",
            $low,
            "\n",
            "vshl.i32 ",
            $low,
            ", ",
            $low,
            ", #8\n",
            "vrmulh.s32 ",
            $packed,
            ", ",
            $packed,
            ", ",
            $of_a,
            "\n",
            "vrmulh.s32 ",
            $low,
            ", ",
            $low,
            ", ",
            $of_b,
            "\n",
            // clamped, A's in even halves of words and B's in odd ones
            "vqmovnb.s32 ",
            $packed,
            ", ",
            $packed,
            "\n",
            "vqmovnt.s32 ",
            $packed,
            ", ",
            $low,
            "\n",
        )
    };
}

/// Where the sums of rows begin: `256·A + B` and `B` of each pair's biases. Four pairs take 7 instructions.
///
/// # Safety
/// `sums` and `biases` are `[pairs][2]`, and there is at least one pair.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn begin(sums: *mut i32, pairs: usize, biases: *const i32) {
    naked_asm!(
        assembler!(),
        "push {{r7, lr}}",
        // q2, q3: where the biases and the sums are of the four pairs before the first
        "sub r0, r0, #32",
        "vidup.u32 q3, r0, #8",
        "sub r2, r2, #32",
        "vidup.u32 q2, r2, #8",
        "dlstp.32 lr, r1",
        "2:",
        "vldrw.u32 q0, [q2, #32]!",
        "vldrw.u32 q1, [q2, #4]",
        "vshl.i32 q0, q0, #8",
        "vadd.i32 q0, q0, q1",
        "vstrw.32 q0, [q3, #32]!",
        "vstrw.32 q1, [q3, #4]",
        "letp lr, 2b",
        "pop {{r7, pc}}",
    )
}

/// tanh of the pre-activations of rows, row after row: `rows: [pairs][2]`, which may be where the sums are. Eight rows take
/// 22 instructions.
///
/// # Safety
/// `sums`, `rows` and `multipliers` are `[pairs][2]`, and there is at least one pair.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn tanh_of_rows(
    sums: *const i32,
    rows: *mut i16,
    multipliers: *const i32,
    pairs: usize,
) {
    naked_asm!(
        assembler!(),
        "push {{r4, r5, r7, lr}}",
        "vpush {{d10, d11, d12, d13, d14, d15}}",
        table!(),
        // q6, q7: where the sums and the multipliers are of the four pairs before the first
        "sub r0, r0, #32",
        "vidup.u32 q6, r0, #8",
        "sub r2, r2, #32",
        "vidup.u32 q7, r2, #8",
        "dlstp.32 lr, r3",
        "2:",
        "vldrw.u32 q0, [q6, #32]!",
        "vldrw.u32 q1, [q6, #4]",
        "vldrw.u32 q2, [q7, #32]!",
        "vldrw.u32 q3, [q7, #4]",
        requantise!("q0", "q1", "q2", "q3"),
        tanh!("q1", "q0", "q2", "q3", "q5"),
        "vstrh.16 q1, [r1], #16",
        "letp lr, 2b",
        "vpop {{d10, d11, d12, d13, d14, d15}}",
        "pop {{r4, r5, r7, pc}}",
        table = sym TANH,
        zero = const ZERO * size_of::<u32>(),
    )
}
