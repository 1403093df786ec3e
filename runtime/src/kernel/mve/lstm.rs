//! A whole timestep of an LSTM: the loop over its tiles, four units at a time, and their equations, a unit a lane.

use core::arch::naked_asm;

use super::{COLUMNS, Operands, Span};
use crate::activation::{TANH, ZERO};
use crate::cell::LayerStep;
use crate::fixed::{GATE_BITS, HIDDEN_BITS, PREACTIVATION_BITS};
use crate::kernel::Bits8;

/// What the assembly works with; it loads and stores the fields by their offsets.
#[repr(C)]
struct Frame {
    /// 0
    input_columns: usize,
    /// 4
    hidden_operands: *const i16,
    /// 8
    hidden_columns: usize,
    /// 12: bytes from behind the words of one tile to those of the next
    hidden_gap: usize,
    /// 16
    input_operands: *const i16,
    /// 20: as the other
    input_gap: usize,
    /// 24: of the first tile, eight columns before the first
    hidden_words: *const u32,
    /// 28: as the others
    input_words: *const u32,
    /// 32
    biases: *const i32,
    /// 36: tanh from 0 on
    table: *const u32,
    /// 40: units that are left
    units: usize,
    /// 44: of the next unit
    cell: *mut i32,
    /// 48: of the next unit
    hidden: *mut i16,
    /// 52: of the next unit
    multipliers: *const i32,
    /// 56: a shift to the left, of what is written to the cell state
    written_shift: i32,
    /// 60: a shift to the left, from the cell state to a pre-activation
    squash_shift: i32,
    /// 64: of four units the sums `256·A + B` and `B` of both pairs, each of which comes to lie in a vector
    sums: [[i32; 4]; 4],
}

/// One half of a layer's tiles.
struct Half {
    /// Of the first tile, eight columns before the first.
    words: *const u32,
    operands: *const i16,
    columns: usize,
    /// Bytes from behind the words of one tile to those of the next.
    gap: usize,
}

impl Half {
    /// The half of `tiles` tiles that meets these operands; `None` where there are too few words.
    fn new(
        (words, of_tile): (&[u32], usize),
        Span { values, first }: &Span<'_>,
        tiles: usize,
    ) -> Option<Self> {
        // two pairs: as many words as columns, which come in fours
        let columns = (first + values.len()).next_multiple_of(4);
        if columns > of_tile || tiles.saturating_mul(of_tile) > words.len() {
            return None;
        }
        let passed = values.len().next_multiple_of(COLUMNS);
        Some(Self {
            words: words.as_ptr().wrapping_add(*first).wrapping_sub(COLUMNS),
            operands: values.as_ptr(),
            columns: values.len(),
            gap: of_tile.wrapping_sub(passed).wrapping_mul(size_of::<u32>()),
        })
    }
}

/// One timestep of a layer of an LSTM, [`plain`](crate::cell::lstm::plain) bit for bit.
///
/// A layer that lacks words or rows, which no checked model has, keeps its state.
#[inline(never)]
pub(crate) fn lstm(step: LayerStep<'_, Bits8, 2>, cell: &mut [i32], cell_bits: u32) {
    let LayerStep { rows, x, old, hidden: state } = step;
    let mut operands = Operands::default();
    operands.set([x, old]);
    let [input, hidden] = &operands.halves;
    let (units, rows_needed) = (state.len(), state.len() * 4);
    let (Some(input), Some(hidden)) = (
        Half::new(rows.kernel.words(), input, units),
        Half::new(rows.recurrent_kernel.words(), hidden, units),
    ) else {
        return;
    };
    let has_rows = rows.bias.len() >= rows_needed && rows.multiplier.len() >= rows_needed;
    if !has_rows || cell.len() < units || units == 0 {
        return;
    }
    let mut frame = Frame {
        input_columns: input.columns,
        hidden_operands: hidden.operands,
        hidden_columns: hidden.columns,
        hidden_gap: hidden.gap,
        input_operands: input.operands,
        input_gap: input.gap,
        hidden_words: hidden.words,
        input_words: input.words,
        biases: rows.bias.as_ptr(),
        table: TANH.as_ptr().wrapping_add(ZERO),
        units,
        cell: cell.as_mut_ptr(),
        hidden: state.as_mut_ptr(),
        multipliers: rows.multiplier.as_ptr(),
        written_shift: cell_bits as i32 - (GATE_BITS + HIDDEN_BITS) as i32,
        squash_shift: PREACTIVATION_BITS as i32 - cell_bits as i32,
        sums: [[0; 4]; 4],
    };
    // SAFETY: every tile has a unit of `cell` and of the state, four rows, and words for as many columns as either half has
    // operands. A pre-activation is brought to 16 bits before the table is read.
    unsafe { all_units(&raw mut frame) };
}

/// Adds the products of one half of a tile: 2 instructions, and 10 for eight columns.
macro_rules! half {
    ($operands:literal, $columns:literal, $first:literal, $second:literal) => {
        concat!(
            "mov r5, ",
            $operands,
            "\n",
            "dlstp.16 lr, ",
            $columns,
            "\n",
            "4:\n",
            "vldrh.u16 q0, [r5], #16\n",
            pair!("r4", "r6", $first, "32"),
            pair!("r8", "r10", $second, "32"),
            "letp lr, 4b\n",
        )
    };
}

/// `tanh` of four pre-activations: 12 instructions. q4 to q6 are used; q7 is 127, r4 the table.
macro_rules! tanh {
    ($z:literal) => {
        concat!(
            // clamp
            "vqmovnb.s32 ",
            $z,
            ", ",
            $z,
            "\n",
            "vmovlb.s16 ",
            $z,
            ", ",
            $z,
            "\n",
            // TANH[z >> 7], and the fraction
            "vshr.s32 q4, ",
            $z,
            ", #7\n",
            "vldrw.u32 q5, [r4, q4, uxtw #2]\n",
            "vand q4, ",
            $z,
            ", q7\n",
            // value + (growth * fraction + 64 + (z >> 31)) >> 7
            "vshr.s32 ",
            $z,
            ", ",
            $z,
            ", #31\n",
            "vmovlb.s16 q6, q5\n",
            "vmul.i32 q4, q4, q6\n",
            "vadd.i32 q4, q4, ",
            $z,
            "\n",
            "vrshr.s32 q4, q4, #7\n",
            "vshr.s32 q5, q5, #16\n",
            "vadd.i32 ",
            $z,
            ", q4, q5\n",
        )
    };
}

/// `sigmoid_of_half` of four pre-activations: 14 instructions. r11 is 2^15.
macro_rules! sigmoid_of_half {
    ($z:literal) => {
        concat!(tanh!($z), "vadd.i32 ", $z, ", ", $z, ", r11\n", "vrshr.s32 ", $z, ", ", $z, ", #2\n",)
    };
}

/// Computes the new states of all units. A unit's sums take 17 instructions and 10 for every eight columns; the equations
/// of four units take 125.
///
/// # Safety
/// `frame` is as [`lstm`] makes it.
#[unsafe(naked)]
unsafe extern "C" fn all_units(frame: *mut Frame) {
    naked_asm!(
        assembler!(),
        // the input's gap lies beside the frame on the stack
        "ldr r3, [r0, #20]",
        "push {{r0, r3, r4, r5, r6, r7, r8, r9, r10, r11, lr}}",
        "vpush {{d8, d9, d10, d11, d12, d13, d14, d15}}",
        // q2, q3: the addresses of the words of each pair before the first eight columns of the hidden state; q4, q5: of the
        // input
        "ldrd r2, r4, [r0, #24]",
        "vidup.u32 q2, r2, #8",
        "sub r2, r2, #28",
        "vidup.u32 q3, r2, #8",
        "vidup.u32 q4, r4, #8",
        "sub r4, r4, #28",
        "vidup.u32 q5, r4, #8",
        "ldr r1, [r0, #32]",
        // four units, or what is left. r9, r3: where their sums go and end
        "2:",
        "ldr r3, [r0, #40]",
        "cmp r3, #4",
        "it hi",
        "movhi r3, #4",
        "add r9, r0, #64",
        "add r3, r9, r3, lsl #4",
        // r0, r12: columns and operands of the input; r7, r2: of the hidden state; r11: its gap
        "ldm r0, {{r0, r2, r7, r11, r12}}",
        // one tile. r4, r8: 256·A + B of each pair, which begins as the bias; r6, r10: B
        "3:",
        "ldm r1!, {{r4, r6, r8, r10}}",
        "add r4, r6, r4, lsl #8",
        "add r8, r10, r8, lsl #8",
        "cbz r7, 5f",
        half!("r2", "r7", "q2", "q3"),
        "vadd.i32 q2, q2, r11",
        "vadd.i32 q3, q3, r11",
        "5:",
        "cbz r0, 5f",
        half!("r12", "r0", "q4", "q5"),
        "ldr r5, [sp, #68]",
        "vadd.i32 q4, q4, r5",
        "vadd.i32 q5, q5, r5",
        "5:",
        "stm r9!, {{r4, r6, r8, r10}}",
        "cmp r9, r3",
        "bne 3b",
        // q0 to q3: of all four units, 256·A + B and B of either pair
        "ldr r0, [sp, #64]",
        "vpush {{d4, d5, d6, d7, d8, d9, d10, d11}}",
        "add r9, r0, #64",
        "vld40.32 {{q0, q1, q2, q3}}, [r9]",
        "vld41.32 {{q0, q1, q2, q3}}, [r9]",
        "vld42.32 {{q0, q1, q2, q3}}, [r9]",
        "vld43.32 {{q0, q1, q2, q3}}, [r9]",
        // r4: table; r5: units; r6: cell; r7: hidden; r8: multipliers; r10, r12: shifts
        "add r2, r0, #36",
        "ldm r2, {{r4, r5, r6, r7, r8, r10, r12}}",
        // `requantise`, of 256·A and 256·B: the gates i, f, c, o; q5: where each unit's multipliers are
        "movs r0, #0",
        "vidup.u32 q5, r0, #8",
        "vshl.i32 q5, q5, #1",
        "vadd.i32 q5, q5, r8",
        "vsub.i32 q0, q0, q1",
        "vshl.i32 q1, q1, #8",
        "vsub.i32 q2, q2, q3",
        "vshl.i32 q3, q3, #8",
        "vctp.32 r5",
        "vpstttt",
        "vldrwt.u32 q4, [q5]",
        "vrmulht.s32 q0, q0, q4",
        "vldrwt.u32 q4, [q5, #4]",
        "vrmulht.s32 q1, q1, q4",
        "vpstttt",
        "vldrwt.u32 q4, [q5, #8]",
        "vrmulht.s32 q2, q2, q4",
        "vldrwt.u32 q4, [q5, #12]",
        "vrmulht.s32 q3, q3, q4",
        "movs r0, #127",
        "vdup.32 q7, r0",
        "mov.w r11, #32768",
        sigmoid_of_half!("q0"),
        sigmoid_of_half!("q1"),
        tanh!("q2"),
        sigmoid_of_half!("q3"),
        // written = (i * g) >> shift
        "vmul.i32 q0, q0, q2",
        "vshl.s32 q0, r10",
        // `scale_by_gate`
        "vpst",
        "vldrwt.u32 q2, [r6]",
        "vshl.i32 q2, q2, #2",
        "vshl.i32 q1, q1, #16",
        "vmulh.s32 q2, q2, q1",
        // `saturate_cell` of the sum
        "vadd.i32 q2, q2, q0",
        "vqshl.s32 q2, q2, #2",
        "vshr.s32 q2, q2, #2",
        "vpst",
        "vstrwt.32 q2, [r6], #16",
        // o * tanh(c')
        "vrshl.s32 q2, r12",
        tanh!("q2"),
        "vmul.i32 q2, q2, q3",
        "vrshr.s32 q2, q2, #14",
        "vpst",
        "vstrht.32 q2, [r7], #8",
        "vpop {{d4, d5, d6, d7, d8, d9, d10, d11}}",
        "add r8, r8, #64",
        "subs r5, r5, #4",
        "stm r2, {{r4, r5, r6, r7, r8}}",
        "sub r0, r2, #36",
        "bhi 2b",
        "vpop {{d8, d9, d10, d11, d12, d13, d14, d15}}",
        "pop {{r0, r3, r4, r5, r6, r7, r8, r9, r10, r11, pc}}",
    )
}
