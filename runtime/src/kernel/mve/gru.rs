//! A whole timestep of a GRU.

use core::arch::naked_asm;
use core::mem::offset_of;

use super::{Layer, Sums, TILES, in_vectors};
use crate::activation::{TANH, ZERO};
use crate::cell::LayerStep;
use crate::kernel::Bits8;

/// Units of a tile.
const UNITS: usize = 2;

/// The sums of a group. The assembly finds them by their offsets.
#[derive(Default)]
#[repr(C)]
struct GroupSums {
    /// Of the gates, and of the candidate the hidden state's half.
    tiles: Sums<3>,
    /// Of the candidate the input's half, `256·A + B` of each tile.
    input_packed: [i32; TILES],
    /// And `B`.
    input_low: [i32; TILES],
}

impl GroupSums {
    /// Puts the candidate's sums of the input's half aside, as the reset gate comes between them and those of the hidden
    /// state's half, which begin with this bias.
    #[inline(always)]
    fn leave_input(&mut self, recurrent_bias: &[[i32; UNITS]]) {
        let input = self.input_packed.iter_mut().zip(&mut self.input_low);
        for (([.., sums], [a, b]), (packed, low)) in self.tiles.iter_mut().zip(recurrent_bias).zip(input) {
            [*packed, *low] = *sums;
            *sums = [(a << 8).wrapping_add(*b), *b];
        }
    }
}

/// One timestep of a layer of a GRU, [`plain`](crate::cell::gru::plain) bit for bit.
#[inline(never)]
pub(crate) fn gru(step: LayerStep<'_, Bits8, 3>, recurrent_bias: &[i32]) {
    let LayerStep { rows, x, old, hidden } = step;
    let Some(mut layer) = Layer::new(&rows, [x, old], hidden.len().div_ceil(UNITS)) else { return };
    let mut sums = GroupSums::default();
    let recurrent_bias = recurrent_bias.as_chunks::<UNITS>().0.chunks(TILES);
    for (hidden, recurrent_bias) in hidden.chunks_mut(TILES * UNITS).zip(recurrent_bias) {
        let tiles = hidden.len().div_ceil(UNITS);
        let pairs = sums.tiles.as_flattened_mut().as_mut_ptr();
        // SAFETY: the layer has as many tiles as the hidden state needs, and a group at most `TILES`, at least one.
        unsafe {
            layer.begin(pairs, tiles);
            layer.halves[0].add_products::<3>(pairs, tiles);
        }
        sums.leave_input(recurrent_bias);
        let pairs = sums.tiles.as_flattened_mut().as_mut_ptr();
        // SAFETY: as above.
        unsafe { layer.halves[1].add_products::<3>(pairs, tiles) };
        in_vectors::<_, { TILES * UNITS }>(hidden, |hidden| {
            // SAFETY: so many tiles have sums and multipliers, and their units places in the hidden state.
            unsafe {
                equations(&raw const sums, hidden.as_mut_ptr(), layer.next_multipliers(tiles), tiles);
            }
        });
    }
}

/// The new states of the units of so many tiles, at least one. Eight units take 90 instructions.
///
/// # Safety
/// There are sums and multipliers, `[tiles][3][2]`, of so many tiles, and the hidden states of their units, two each.
#[unsafe(naked)]
unsafe extern "C" fn equations(
    sums: *const GroupSums,
    hidden: *mut i16,
    multipliers: *const i32,
    tiles: usize,
) {
    naked_asm!(
        assembler!(),
        "push {{r4, r5, r6, r8, r9, lr}}",
        "vpush {{d8, d9, d10, d11, d12, d13, d14, d15}}",
        table!(),
        // 1/2 in Q14
        "mov r8, #8192",
        // r6: the input's half of the candidate's sums
        "add r6, r0, #{input}",
        // q6, q7: where the reset gate's sums and multipliers are of the four tiles before the first
        "sub r0, r0, #88",
        "sub r2, r2, #88",
        // a tile's come 24 bytes behind the last one's
        "movs r9, #24",
        "mov r12, #0",
        "vidup.u32 q6, r12, #1",
        "vmul.i32 q6, q6, r9",
        "vadd.i32 q7, q6, r2",
        "vadd.i32 q6, q6, r0",
        "dlstp.32 lr, r3",
        "2:",
        // q1: r = sigmoid(..), of even units in the lower halves of words and of odd ones in the upper halves
        "vldrw.u32 q0, [q6, #96]!",
        "vldrw.u32 q1, [q6, #4]",
        "vldrw.u32 q2, [q7, #96]!",
        "vldrw.u32 q3, [q7, #4]",
        requantise!("q0", "q1", "q2", "q3"),
        tanh!("q1", "q0", "q2", "q3", "q4"),
        sigmoid_of_tanh!("q1"),
        // q2, q3: A and B of the candidate's recurrent half, times 4
        "vldrw.u32 q2, [q6, #8]",
        "vldrw.u32 q3, [q6, #12]",
        "vsub.i32 q2, q2, q3",
        "vshr.s32 q2, q2, #6",
        "vshl.i32 q3, q3, #2",
        // `scale_by_gate`, r of even units by 2^16 beside A and of odd ones beside B
        "vshl.i32 q0, q1, #16",
        "vmulh.s32 q2, q2, q0",
        "vshr.u32 q1, q1, #16",
        "vshl.i32 q1, q1, #16",
        "vmulh.s32 q3, q3, q1",
        // and the input's half, which is 256·A + B in q0 and B in q1: 256 times the one and once the other come to q0
        "vldrw.u32 q1, [r6, #{low}]",
        "vldrw.u32 q0, [r6], #16",
        "vshl.i32 q2, q2, #8",
        "vadd.i32 q0, q0, q2",
        "vadd.i32 q0, q0, q3",
        "vadd.i32 q1, q1, q3",
        "vldrw.u32 q2, [q7, #8]",
        "vldrw.u32 q3, [q7, #12]",
        requantise!("q0", "q1", "q2", "q3"),
        // q5: g = tanh(..)
        tanh!("q5", "q0", "q1", "q2", "q3"),
        // q1: z = sigmoid(..)
        "vldrw.u32 q0, [q6, #-8]",
        "vldrw.u32 q1, [q6, #-4]",
        "vldrw.u32 q2, [q7, #-8]",
        "vldrw.u32 q3, [q7, #-4]",
        requantise!("q0", "q1", "q2", "q3"),
        tanh!("q1", "q0", "q2", "q3", "q4"),
        sigmoid_of_tanh!("q1"),
        // q2, q3: z * h - z * g, of even units and of odd ones
        "vldrh.u16 q0, [r1]",
        "vmullb.s16 q2, q1, q0",
        "vmullb.s16 q3, q1, q5",
        "vsub.i32 q2, q2, q3",
        "vmullt.s16 q3, q1, q0",
        "vmullt.s16 q4, q1, q5",
        "vsub.i32 q3, q3, q4",
        // `round_shift` of them, as 16 bits, and g
        "vrshrnb.i32 q2, q2, #14",
        "vrshrnt.i32 q2, q3, #14",
        "vadd.i16 q2, q2, q5",
        "vstrh.16 q2, [r1], #16",
        "letp lr, 2b",
        "vpop {{d8, d9, d10, d11, d12, d13, d14, d15}}",
        "pop {{r4, r5, r6, r8, r9, pc}}",
        input = const offset_of!(GroupSums, input_packed),
        low = const offset_of!(GroupSums, input_low) - offset_of!(GroupSums, input_packed),
        table = sym TANH,
        zero = const ZERO * size_of::<u32>(),
    )
}
