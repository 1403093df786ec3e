//! Vectors of WebAssembly.

use core::arch::wasm32::{i16x8_shl, i16x8_shr, i32x4_add, i32x4_dot_i16x8, u32x4, u32x4_extract_lane, v128};

/// Four words, or eight halves of words.
#[derive(Clone, Copy)]
pub(super) struct Vector(v128);

impl Vector {
    #[inline(always)]
    pub(super) fn of_words([a, b, c, d]: [u32; 4]) -> Self {
        Self(u32x4(a, b, c, d))
    }

    #[inline(always)]
    pub(super) fn to_words(self) -> [u32; 4] {
        [
            u32x4_extract_lane::<0>(self.0),
            u32x4_extract_lane::<1>(self.0),
            u32x4_extract_lane::<2>(self.0),
            u32x4_extract_lane::<3>(self.0),
        ]
    }

    /// Sums of words, modulo 2^32.
    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Self {
        Self(i32x4_add(self.0, other.0))
    }

    /// In each word the sum of the products of its two halves, signed.
    #[inline(always)]
    pub(super) fn dot(self, other: Self) -> Self {
        Self(i32x4_dot_i16x8(self.0, other.0))
    }

    /// The lower byte of each half of a word, signed.
    #[inline(always)]
    pub(super) fn low_bytes(self) -> Self {
        Self(i16x8_shr(i16x8_shl(self.0, 8), 8))
    }
}
