//! What an inference waits for flash: an estimate from a model of an STM32L475, not a measurement.
//!
//! The model is described in the firmware, `src/models.rs`, beside the feature `weights-in-ram` that avoids the waiting.

use refrain::Header;
use refrain::format::SectionKind;
use serde::Serialize;

/// Bytes of a line of the data cache.
const LINE_BYTES: u64 = 32;
/// Wait states of a read, at 80 MHz.
const WAIT_STATES: u64 = 4;
/// Reads that fill a line, of 8 bytes each.
const READS: u64 = 4;

/// Cycles that an inference waits where its weights lie in flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FlashWaits {
    /// Where it waits for the first read of each line alone.
    pub at_best: u64,
    /// Where it waits for each read.
    pub at_worst: u64,
}

impl FlashWaits {
    /// Of a whole sequence of as many timesteps as the model was trained on, with no input skipped.
    pub fn of(header: &Header<'_>) -> Self {
        let lines = |kinds: &[SectionKind]| -> u64 {
            let sections = header.sections.iter().filter(|section| kinds.contains(&section.kind));
            sections.map(|section| u64::from(section.length).div_ceil(LINE_BYTES)).sum()
        };
        use SectionKind::{Bias, DenseBias, DenseKernel, DenseMultiplier, Kernel, Multiplier};
        use SectionKind::{RecurrentBias, RecurrentKernel};
        let step = lines(&[Kernel, RecurrentKernel, Bias, RecurrentBias, Multiplier]);
        let logits = lines(&[DenseKernel, DenseBias, DenseMultiplier]);
        let at_best = (step * u64::from(header.timesteps) + logits) * WAIT_STATES;
        Self { at_best, at_worst: at_best * READS }
    }
}
