//! What a board counts.

use serde::{Deserialize, Serialize};

/// What a board has counted since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Statistics {
    /// Sequences answered.
    pub sequences: u32,
    /// Timesteps of those sequences.
    pub timesteps: u32,
    /// Timer ticks spent in inference, over all sequences, without the link.
    pub ticks: u64,
    /// Timer ticks that one thousand instructions take, where the board knows it; otherwise 0.
    pub ticks_per_1000_instructions: u32,
    /// Most stack used so far, in bytes.
    pub stack_bytes: u32,
    /// Of that, what an inference takes; 0 where that was not measured, as it is in [jobs in memory](super::bulk) alone.
    pub inference_stack_bytes: u32,
    /// Frames dropped because they were broken.
    pub broken_frames: u32,
    /// Bytes that came and were lost, for the board took them too late or had no room; each breaks a frame.
    pub lost_bytes: u32,
    /// Rows of streams answered.
    pub streamed_rows: u32,
    /// Of those, rows whose answers took longer than their streams' deadlines.
    pub late_rows: u32,
    /// Rows of streams that never came whole: a later one came in their place.
    pub missing_rows: u32,
    /// Times that a row of a stream was not there though its period and slack had passed.
    pub overdue_rows: u32,
    /// Microseconds that the slowest answer to a row of a stream took.
    pub longest_row_micros: u32,
}

impl Statistics {
    /// Instructions of one inference, the mean over all sequences; `None` where nothing was counted.
    ///
    /// ```
    /// use refrain::link::Statistics;
    ///
    /// let counted = Statistics { sequences: 2, ticks: 51_200, ..Statistics::default() };
    /// assert_eq!(counted.instructions_per_inference(), None);
    /// let counted = Statistics { ticks_per_1000_instructions: 25_600, ..counted };
    /// assert_eq!(counted.instructions_per_inference(), Some(1000));
    /// ```
    pub fn instructions_per_inference(&self) -> Option<u64> {
        self.instructions_for_each(self.sequences)
    }

    /// Instructions of one timestep, the mean over all timesteps of all sequences, with the reading of the logits;
    /// `None` where nothing was counted.
    ///
    /// ```
    /// use refrain::link::Statistics;
    ///
    /// let counted = Statistics { sequences: 2, timesteps: 50, ticks: 51_200, ..Statistics::default() };
    /// let counted = Statistics { ticks_per_1000_instructions: 25_600, ..counted };
    /// assert_eq!(counted.instructions_per_timestep(), Some(40));
    /// ```
    pub fn instructions_per_timestep(&self) -> Option<u64> {
        self.instructions_for_each(self.timesteps)
    }

    /// Timer ticks of one inference, the mean over all sequences: on the silicon of a b-l475e-iot01a cycles of the
    /// processor. `None` where there was none.
    ///
    /// ```
    /// use refrain::link::Statistics;
    ///
    /// let counted = Statistics { sequences: 2, ticks: 1_400_000, ..Statistics::default() };
    /// assert_eq!(counted.ticks_per_inference(), Some(700_000));
    /// ```
    pub fn ticks_per_inference(&self) -> Option<u64> {
        self.ticks.checked_div(u64::from(self.sequences))
    }

    fn instructions_for_each(&self, count: u32) -> Option<u64> {
        let ticks = self.ticks.checked_div(u64::from(count))?;
        ticks.checked_mul(1000)?.checked_div(u64::from(self.ticks_per_1000_instructions))
    }
}
