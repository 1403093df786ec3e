//! What a board has measured of one sequence.

use serde::{Deserialize, Serialize};

use crate::MAX_LAYERS;

/// What a sequence costs, as a whole and in parts, in ticks of the board's timer.
///
/// The board runs the sequence twice: as it always does, for `whole`, and timestep by timestep, each as a whole and its
/// layers again. What looking at the timer costs is taken off, but for the few instructions around each look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Timesteps of the sequence.
    pub timesteps: u16,
    /// As in [`Statistics`](super::Statistics).
    pub ticks_per_1000_instructions: u32,
    /// From the reset to the last logits.
    pub whole: u64,
    /// Of the parts: the reset, rows made operands, and states out of the table of leading blank rows. It is what is left
    /// of the timesteps beside their layers.
    pub input: u64,
    /// Of the parts: each recurrent layer; 0 for those that the model does not have.
    pub layers: [u64; MAX_LAYERS],
    /// Of the parts: the dense layer, read as often as the model answers.
    pub logits: u64,
}

impl Profile {
    /// All parts together.
    ///
    /// ```
    /// use refrain::link::Profile;
    ///
    /// let profile = Profile { input: 10, layers: [200, 300, 0], logits: 40, ..Profile::default() };
    /// assert_eq!(profile.parts(), 550);
    /// ```
    pub fn parts(&self) -> u64 {
        self.input + self.layers.iter().sum::<u64>() + self.logits
    }
}
