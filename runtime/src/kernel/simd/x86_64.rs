//! Vectors of x86-64.

#![expect(unsafe_code, reason = "an instruction set is named where it is entered")]

use core::arch::x86_64::{__m128i, _mm_add_epi32, _mm_madd_epi16, _mm_slli_epi16, _mm_srai_epi16};

/// Four words, or eight halves of words.
#[derive(Clone, Copy)]
pub(super) struct Vector(__m128i);

impl Vector {
    #[inline(always)]
    pub(super) fn of_words(words: [u32; 4]) -> Self {
        Self(bytemuck::cast(words))
    }

    #[inline(always)]
    pub(super) fn to_words(self) -> [u32; 4] {
        bytemuck::cast(self.0)
    }

    /// Sums of words, modulo 2^32.
    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Self {
        // SAFETY: SSE2 is a part of x86-64.
        Self(unsafe { _mm_add_epi32(self.0, other.0) })
    }

    /// In each word the sum of the products of its two halves, signed.
    #[inline(always)]
    pub(super) fn dot(self, other: Self) -> Self {
        // SAFETY: SSE2 is a part of x86-64.
        Self(unsafe { _mm_madd_epi16(self.0, other.0) })
    }

    /// The lower byte of each half of a word, signed.
    #[inline(always)]
    pub(super) fn low_bytes(self) -> Self {
        // SAFETY: SSE2 is a part of x86-64.
        Self(unsafe { _mm_srai_epi16::<8>(_mm_slli_epi16::<8>(self.0)) })
    }
}
