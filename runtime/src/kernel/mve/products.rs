//! Products of the operands of one half of a layer and the words of some tiles: what most of a timestep's time goes to.
//!
//! Up to 32 operands lie in four vectors while all tiles go by, so that a tile's loop is as long as its products are, and
//! has nothing else than them to load.

use core::arch::naked_asm;

use crate::kernel::PairSums;

/// Operands and words of one half. The assembly loads the fields in this order.
#[repr(C)]
pub(super) struct Half {
    /// From the words of one tile to those of the next.
    pub(super) tile_bytes: usize,
    /// Of operands. The words are those of as many columns, rounded up to a multiple of four.
    pub(super) columns: usize,
    pub(super) operands: *const i16,
    /// Of the next tile.
    pub(super) words: *const u32,
}

impl Half {
    /// Adds the products of so many tiles, of `P` pairs, to their sums, `256·A + B` and `B` of each pair, and leaves the tiles
    /// behind.
    ///
    /// # Safety
    /// There are the sums and the words of so many tiles, at least one.
    #[inline(always)]
    pub(super) unsafe fn add_products<const P: usize>(&mut self, sums: *mut PairSums, tiles: usize) {
        const { assert!(P == 1 || P == 2 || P == 3, "a tile has one to three pairs of rows") };
        let kernel = match P {
            1 => one_pair,
            2 => two_pairs,
            _ => three_pairs,
        };
        if self.columns != 0 {
            // SAFETY: as the caller says.
            unsafe { kernel(sums.cast(), self, tiles) };
            self.words = self.words.wrapping_byte_add(tiles * self.tile_bytes);
        }
    }
}

/// The products of a pair of rows in eight columns: 4 instructions. `q1` has the addresses of the words of pair 0 in the
/// block's first eight columns; those wanted are `$bytes` behind, and their operands in `$operands`.
macro_rules! pair {
    ($packed:literal, $low:literal, $bytes:expr, $operands:literal) => {
        concat!(
            // eight columns of both rows
            "vldrw.u32 q0, [q1, #(",
            $bytes,
            ")]\n",
            // packed += first * p + second * q, of all four words, modulo 2^32
            "vmladava.s16 ",
            $packed,
            ", q0, ",
            $operands,
            "\n",
            // (first as i8, second as i8), of all four
            "vmovlb.s8 q0, q0\n",
            // low += the same of those
            "vmladava.s16 ",
            $low,
            ", q0, ",
            $operands,
            "\n",
        )
    };
}

/// The products of all pairs of a tile in one vector of columns, the `$vector`-th of its block.
macro_rules! eight {
    ([$(($packed:literal, $low:literal, $word:literal)),+], $stride:literal, $vector:literal, $operands:literal) => {
        concat!($(pair!($packed, $low, concat!($stride, "*", $vector, "+", $word), $operands)),+)
    };
}

/// All tiles' products in the block's vectors of columns: 4 instructions a tile besides its products.
macro_rules! tiles {
    ($sums:literal, $($eight:expr),+) => {
        concat!(
            // q1: the addresses of the words; r1: the sums of the first tile; r9: behind the block
            "vadd.i32 q1, q1, r9\n",
            "add r9, r9, r0\n",
            "mov r1, r11\n",
            "dls lr, r12\n",
            "3:\n",
            "ldm r1, {{", $sums, "}}\n",
            $($eight,)+
            "vadd.i32 q1, q1, r3\n",
            "stm r1!, {{", $sums, "}}\n",
            "le lr, 3b\n",
            // until no column is left: the flags are those of `last!`
            "bhi 2b\n",
            "b 9f\n",
        )
    };
}

/// Loads the operands of the block's last vector, and zeros behind the last column: 5 instructions.
macro_rules! last {
    ($operands:literal, $block_bytes:expr) => {
        concat!(
            "vctp.16 r5\n",
            "vpst\n",
            "vldrht.u16 ",
            $operands,
            ", [r7], #16\n",
            "mov r0, #(",
            $block_bytes,
            ")\n",
            "subs r5, r5, #8\n",
        )
    };
}

/// Makes the function for tiles of `$pairs` pairs, whose registers are `$sums`; `$stride` bytes are from eight columns of a
/// pair to its next eight.
macro_rules! products {
    ($name:ident, $pairs:literal, $stride:literal, $sums:literal, $rows:tt) => {
        /// Adds the products of one half to `sums: [tiles][P][2]`. For each block of up to 32 columns a tile takes
        /// 4 instructions, and 4 for each pair and eight columns.
        ///
        /// # Safety
        /// There are the sums and the words of so many tiles, at least one, and at least one column.
        #[unsafe(naked)]
        unsafe extern "C" fn $name(sums: *mut i32, half: *const Half, tiles: usize) {
            naked_asm!(
                assembler!(),
                "push {{r4, r5, r6, r7, r8, r9, r10, r11, lr}}",
                "vpush {{d8, d9, d10, d11, d12, d13, d14, d15}}",
                // r3: bytes of a tile; r5: columns that are left; r7: operands; r9: words; r11: sums; r12: tiles
                "mov r11, r0",
                "mov r12, r2",
                "ldm r1, {{r3, r5, r7, r9}}",
                // q3: of each two of eight columns, how far their word is from the first
                "movs r0, #0",
                concat!("movs r1, #", $pairs),
                "vidup.u32 q3, r0, #4",
                "vmul.i32 q3, q3, r1",
                // a block of four vectors, or of three or two, that have words for all eight columns, or of one
                "2:",
                "vmov q1, q3",
                "add r0, r5, #3",
                "cmp r0, #16",
                "blo 6f",
                "cmp r0, #24",
                "blo 5f",
                "cmp r0, #32",
                "blo 4f",
                "vldrh.u16 q4, [r7], #16",
                "vldrh.u16 q5, [r7], #16",
                "vldrh.u16 q6, [r7], #16",
                "sub r5, r5, #24",
                last!("q7", concat!($stride, "*4")),
                tiles!(
                    $sums,
                    eight!($rows, $stride, "0", "q4"),
                    eight!($rows, $stride, "1", "q5"),
                    eight!($rows, $stride, "2", "q6"),
                    eight!($rows, $stride, "3", "q7")
                ),
                "4:",
                "vldrh.u16 q4, [r7], #16",
                "vldrh.u16 q5, [r7], #16",
                "sub r5, r5, #16",
                last!("q6", concat!($stride, "*3")),
                tiles!(
                    $sums,
                    eight!($rows, $stride, "0", "q4"),
                    eight!($rows, $stride, "1", "q5"),
                    eight!($rows, $stride, "2", "q6")
                ),
                "5:",
                "vldrh.u16 q4, [r7], #16",
                "sub r5, r5, #8",
                last!("q5", concat!($stride, "*2")),
                tiles!($sums, eight!($rows, $stride, "0", "q4"), eight!($rows, $stride, "1", "q5")),
                "6:",
                // where there are words for four columns alone, the operands of the others are zeros beside the last word
                "cmp r5, #4",
                "bhi 7f",
                concat!("movs r0, #(4*", $pairs, ")"),
                "vdup.32 q1, r0",
                "vmin.u32 q1, q1, q3",
                "7:",
                last!("q4", $stride),
                tiles!($sums, eight!($rows, $stride, "0", "q4")),
                "9:",
                "vpop {{d8, d9, d10, d11, d12, d13, d14, d15}}",
                "pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}",
            )
        }
    };
}

products!(one_pair, "1", "16", "r2, r4", [("r2", "r4", "0")]);
products!(two_pairs, "2", "32", "r2, r4, r6, r8", [("r2", "r4", "0"), ("r6", "r8", "4")]);
products!(
    three_pairs,
    "3",
    "48",
    "r0, r2, r4, r6, r8, r10",
    [("r0", "r2", "0"), ("r4", "r6", "4"), ("r8", "r10", "8")]
);
