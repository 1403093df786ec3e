//! From sums to gates: what [`activation`](crate::activation) says, a few instructions each.

/// The intervals of the table, whose zero is at `r1`, that two pre-activations lie in: 5 cycles. They are saturated there,
/// where the line is level, so that no saturation of the pre-activations themselves is needed.
#[rustfmt::skip]
macro_rules! intervals {
    ($y:literal, $z:literal, $interval_of_y:literal, $interval_of_z:literal) => {
        concat!(
            "ssat ", $interval_of_y, ", #9, ", $y, ", asr #7\n",
            "ssat ", $interval_of_z, ", #9, ", $z, ", asr #7\n",
            "ldr ", $interval_of_y, ", [r1, ", $interval_of_y, ", lsl #2]\n",
            "ldr ", $interval_of_z, ", [r1, ", $interval_of_z, ", lsl #2]\n",
        )
    };
}

/// `tanh` or, with the shift and the rounding of [`sigmoid_rounding`], `sigmoid_of_half`: 4 cycles. The interval's value
/// and growth are multiplied by 128 and the fraction, which stands below the 128 in `lr`.
#[rustfmt::skip]
macro_rules! on_line {
    ($z:literal, $interval:literal, $rounding:literal, $shift:literal) => {
        concat!(
            "bfi lr, ", $z, ", #0, #7\n",
            // one less for negative ones
            "add ", $z, ", ", $rounding, ", ", $z, ", asr #31\n",
            "smlad ", $z, ", ", $interval, ", lr, ", $z, "\n",
            "asr ", $z, ", ", $z, ", ", $shift, "\n",
        )
    };
}

/// What [`on_line`] needs for a sigmoid: 3 cycles. 64, the half of 128 that `tanh` rounds with, and 2^15 + 2 times 128, so
/// that one shift by 9 does what `tanh` and `sigmoid_of_half` do one after the other.
#[rustfmt::skip]
macro_rules! sigmoid_rounding {
    ($rounding:literal) => {
        concat!(
            "mov lr, #0x800000\n",
            "movw ", $rounding, ", #0x0140\n",
            "movt ", $rounding, ", #0x0040\n",
        )
    };
}

/// `requantise` of the sums of two pairs, and the intervals of the table that these pre-activations lie in: 23 cycles.
macro_rules! preactivations_of_two_pairs {
    () => {
        concat!(
            // 4: 256·A = S - T and 256·B, which is what `requantise` multiplies
            "subs r4, r4, r5\n",
            "lsls r5, r5, #8\n",
            "subs r6, r6, r7\n",
            "lsls r7, r7, #8\n",
            // 9: times the multipliers
            "ldm r0!, {{r8, r9, r10, r11}}\n",
            "smmulr r4, r4, r8\n",
            "smmulr r5, r5, r9\n",
            "smmulr r6, r6, r10\n",
            "smmulr r7, r7, r11\n",
            // 9, as in `intervals`; a load behind a store takes one cycle
            "ssat r8, #9, r4, asr #7\n",
            "ssat r9, #9, r5, asr #7\n",
            "ssat r10, #9, r6, asr #7\n",
            "ssat r11, #9, r7, asr #7\n",
            "str r0, [r3, #-16]\n",
            "ldr r8, [r1, r8, lsl #2]\n",
            "ldr r9, [r1, r9, lsl #2]\n",
            "ldr r10, [r1, r10, lsl #2]\n",
            "ldr r11, [r1, r11, lsl #2]\n",
        )
    };
}
