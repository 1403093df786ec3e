//! A whole timestep of an LSTM.

use core::arch::naked_asm;

use super::activations::tanh_of_rows;
use super::{LANES, Layer, Sums, TILES, in_vectors};
use crate::activation::{TANH, ZERO};
use crate::cell::LayerStep;
use crate::fixed::{GATE_BITS, HIDDEN_BITS, PREACTIVATION_BITS};
use crate::kernel::Bits8;

/// Shifts to the left. The assembly loads the fields in this order.
#[repr(C)]
struct Shifts {
    /// Of what is written to the cell state.
    written: i32,
    /// From the cell state to a pre-activation.
    squash: i32,
}

/// One timestep of a layer of an LSTM, [`plain`](crate::cell::lstm::plain) bit for bit.
#[inline(never)]
pub(crate) fn lstm(step: LayerStep<'_, Bits8, 2>, cell: &mut [i32], cell_bits: u32) {
    let shifts = Shifts {
        written: cell_bits as i32 - (GATE_BITS + HIDDEN_BITS) as i32,
        squash: PREACTIVATION_BITS as i32 - cell_bits as i32,
    };
    let LayerStep { rows, x, old, hidden } = step;
    let Some(mut layer) = Layer::new(&rows, [x, old], hidden.len()) else { return };
    let mut sums: Sums<2> = Default::default();
    for (hidden, cell) in hidden.chunks_mut(TILES).zip(cell.chunks_mut(TILES)) {
        let tiles = hidden.len();
        let pairs = sums.as_flattened_mut().as_mut_ptr();
        // SAFETY: the layer has a tile for each unit, and a group at most `TILES`, at least one. Each row leaves 2 bytes of
        // what 4 bytes of its sums were.
        unsafe {
            layer.begin(pairs, tiles);
            let [input, recurrent] = &mut layer.halves;
            input.add_products::<2>(pairs, tiles);
            recurrent.add_products::<2>(pairs, tiles);
            tanh_of_rows(pairs.cast(), pairs.cast(), layer.next_multipliers(tiles), tiles * 2);
        }
        in_vectors::<_, TILES>(hidden, |hidden| {
            in_vectors::<_, TILES>(cell, |cell| {
                let vectors = hidden.len().min(cell.len()) / LANES;
                // SAFETY: so many eights of units have a place in both, and there are gates of as many.
                unsafe {
                    equations(
                        pairs.cast(),
                        cell.as_mut_ptr(),
                        hidden.as_mut_ptr(),
                        &raw const shifts,
                        vectors,
                    );
                }
            });
        });
    }
}

/// The new states of `8 * vectors` units, at least eight, from `gates: [units][4]`, tanh of i, f, c and o. Eight units
/// take 50 instructions.
///
/// # Safety
/// There are the gates, cell states and hidden states of so many units.
#[unsafe(naked)]
unsafe extern "C" fn equations(
    gates: *const i16,
    cell: *mut i32,
    hidden: *mut i16,
    shifts: *const Shifts,
    vectors: usize,
) {
    naked_asm!(
        assembler!(),
        "ldr r12, [sp]",
        "push {{r4, r5, r6, r7, r8, lr}}",
        "vpush {{d8, d9, d10, d11, d12, d13, d14, d15}}",
        table!(),
        "ldrd r6, r7, [r3]",
        // 1/2 in Q14
        "mov r8, #8192",
        // q7: the upper halves of words
        "vmvn.i32 q7, #0xffff",
        "dls lr, r12",
        "2:",
        // q0: i; q1: f; q2: g = tanh(c); q3: o
        "vld40.16 {{q0, q1, q2, q3}}, [r0]",
        "vld41.16 {{q0, q1, q2, q3}}, [r0]",
        "vld42.16 {{q0, q1, q2, q3}}, [r0]",
        "vld43.16 {{q0, q1, q2, q3}}, [r0]!",
        sigmoid_of_tanh!("q0"),
        sigmoid_of_tanh!("q1"),
        sigmoid_of_tanh!("q3"),
        // written = (i * g) >> shift, of even units in q0 and of odd ones in q4
        "vmullt.s16 q4, q0, q2",
        "vmullb.s16 q0, q0, q2",
        "vshl.s32 q0, r6",
        "vshl.s32 q4, r6",
        // `scale_by_gate`, of even units in q5 and of odd ones in q6: four times the state beside f by 2^16
        "vld20.32 {{q5, q6}}, [r1]",
        "vld21.32 {{q5, q6}}, [r1]",
        "vshl.i32 q2, q1, #16",
        "vand q1, q1, q7",
        "vshl.i32 q5, q5, #2",
        "vshl.i32 q6, q6, #2",
        "vmulh.s32 q5, q5, q2",
        "vmulh.s32 q6, q6, q1",
        // `saturate_cell` of the sum
        "vadd.i32 q5, q5, q0",
        "vadd.i32 q6, q6, q4",
        "vqshl.s32 q5, q5, #2",
        "vqshl.s32 q6, q6, #2",
        "vshr.s32 q5, q5, #2",
        "vshr.s32 q6, q6, #2",
        "vst20.32 {{q5, q6}}, [r1]",
        "vst21.32 {{q5, q6}}, [r1]!",
        // tanh(c'), of all eight units
        "vrshl.s32 q5, r7",
        "vrshl.s32 q6, r7",
        "vqmovnb.s32 q5, q5",
        "vqmovnt.s32 q5, q6",
        tanh!("q0", "q5", "q1", "q2", "q4"),
        // o * tanh(c') as Q15, rounded
        "vmullt.s16 q1, q3, q0",
        "vmullb.s16 q3, q3, q0",
        "vrshrnb.i32 q3, q3, #14",
        "vrshrnt.i32 q3, q1, #14",
        "vstrh.16 q3, [r2], #16",
        "le lr, 2b",
        "vpop {{d8, d9, d10, d11, d12, d13, d14, d15}}",
        "pop {{r4, r5, r6, r7, r8, pc}}",
        table = sym TANH,
        zero = const ZERO * size_of::<u32>(),
    )
}
