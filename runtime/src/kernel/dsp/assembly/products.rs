//! The parts that the loops share: products, and the way from run to run and from tile to tile.

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

/// One word of two columns: 3 cycles.
macro_rules! products {
    ($word:literal, $operands:literal, $s:literal, $t:literal) => {
        concat!(
            "smlad ", $s, ", ", $word, ", ", $operands, ", ", $s, "\n", "sxtb16 ", $word, ", ", $word, "\n",
            "smlad ", $t, ", ", $word, ", ", $operands, ", ", $t, "\n",
        )
    };
}

/// The products of one group of two pairs of rows: 12 cycles.
macro_rules! products_of_two_pairs {
    () => {
        concat!(
            products!("r8", "r12", "r4", "r5"),
            products!("r9", "r12", "r6", "r7"),
            products!("r10", "lr", "r4", "r5"),
            products!("r11", "lr", "r6", "r7"),
        )
    };
}

/// One group of two pairs of rows: 19 cycles.
macro_rules! group_of_two_pairs {
    () => {
        concat!(
            // 7: the operands of columns 0 and 1, and 2 and 3; the words of columns 0 and 1, pairs 0 and 1, and of 2 and 3
            "ldr.w r12, [r0], #4\n",
            "ldr.w lr, [r0], #4\n",
            "ldr.w r8, [r2], #4\n",
            "ldr.w r9, [r2], #4\n",
            "ldr.w r10, [r2], #4\n",
            "ldr.w r11, [r2], #4\n",
            products_of_two_pairs!(),
        )
    };
}

/// The same with its four words in one load: three instructions less, 12 bytes of them, for 20 cycles.
macro_rules! short_group_of_two_pairs {
    () => {
        concat!(
            "ldr.w r12, [r0], #4\n",
            "ldr.w lr, [r0], #4\n",
            "ldm.w r2!, {{r8, r9, r10, r11}}\n",
            products_of_two_pairs!(),
        )
    };
}

/// Two columns of three pairs of rows: 14 cycles.
macro_rules! columns_of_three_pairs {
    () => {
        concat!(
            // 5: their operands, and the words of pairs 0 to 2
            "ldr.w lr, [r0], #4\n",
            "ldr.w r10, [r2], #4\n",
            "ldr.w r11, [r2], #4\n",
            "ldr.w r12, [r2], #4\n",
            products!("r10", "lr", "r4", "r5"),
            products!("r11", "lr", "r6", "r7"),
            products!("r12", "lr", "r8", "r9"),
        )
    };
}

/// One group of three pairs of rows: 28 cycles.
macro_rules! group_of_three_pairs {
    () => {
        concat!(columns_of_three_pairs!(), columns_of_three_pairs!())
    };
}

macro_rules! seven_groups_of_two_pairs {
    () => {
        concat!(
            group_of_two_pairs!(),
            group_of_two_pairs!(),
            group_of_two_pairs!(),
            group_of_two_pairs!(),
            group_of_two_pairs!(),
            group_of_two_pairs!(),
            group_of_two_pairs!(),
        )
    };
}

macro_rules! four_groups_of_three_pairs {
    () => {
        concat!(
            group_of_three_pairs!(),
            group_of_three_pairs!(),
            group_of_three_pairs!(),
            group_of_three_pairs!(),
        )
    };
}

/// A turn of groups and its end, behind which `r3` is behind the next run's entry.
macro_rules! turn {
    ($groups:expr, $temporary:literal) => {
        concat!(
            "3:\n",
            $groups,
            "cmp.n r0, r1\n",
            // 4 with the comparison, but 2 at a run's end
            "bne.w 3b\n",
            // 4: the run's words in the next tile
            "ldr.w ",
            $temporary,
            ", [r3], #4\n",
            "add.n r2, ",
            $temporary,
            "\n",
            "str r2, [r3, #-12]\n",
            // 7: the next run
            "ldm.w r3!, {{r0, r1, r2, pc}}\n",
        )
    };
}

/// The hidden state in a loop of its own, eight groups a turn, the last of them a short one, where it is the last run and its words are all of its half,
/// so that those of the next tile follow. Behind it come [`Last`]'s fields, as if they had been gone on to.
macro_rules! hidden_of_two_pairs {
    () => {
        concat!(
            "6:\n",
            seven_groups_of_two_pairs!(),
            short_group_of_two_pairs!(),
            "cmp.n r0, r1\n",
            "bne.w 6b\n",
            // 5
            "str r2, [r3, #-8]\n",
            "ldr.w r0, [r3, #4]\n",
            "ldr.w r1, [r3, #8]\n",
            "ldr.w r2, [r3, #12]\n",
            "add.w r3, r3, #20\n",
        )
    };
}

/// The start of the function, behind its end: `r0` is [`Last`].
macro_rules! start {
    () => {
        concat!(
            "5:\n",
            "push {{r4, r5, r6, r7, r8, r9, r10, r11, lr}}\n",
            "add.w r3, r0, #16\n",
            "ldr r2, [r3, #-8]\n",
            "b.w 1b\n"
        )
    };
}

/// The next tile of two pairs, or the end: 20 cycles. `r2` is where its hidden state belongs.
macro_rules! next_tile_of_two_pairs {
    () => {
        concat!(
            "str r2, [r3, #-8]\n",
            // 4: was it the last one?
            "1:\n",
            "ldr r8, [r3]\n",
            "ldr r9, [r3, #4]\n",
            "cmp r2, r9\n",
            "beq 4f\n",
            // 9: S = 256·A + B and T = B of the biases A and B
            "ldm r8!, {{r4, r5, r6, r7}}\n",
            "str r8, [r3]\n",
            "ldr r3, [r3, #8]\n",
            "add r4, r5, r4, lsl #8\n",
            "add r6, r7, r6, lsl #8\n",
            // 7: the first run
            "ldm.w r3!, {{r0, r1, r2, pc}}\n",
            "4:\n",
            "pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}\n",
            start!(),
        )
    };
}
