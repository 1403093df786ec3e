//! Streams: rows that come at a fixed rate, as from a sensor, each of which is answered.

use core::fmt;

use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::{Refusal, Reply, Request};

/// How fast the rows of a stream come, and how long its answers may take. All in microseconds.
///
/// ```
/// use refrain::link::Pace;
///
/// let pace = Pace { period: 50_000, slack: 25_000, deadline: 40_000, silence: 2_000_000 };
/// assert!(pace.is_sound());
/// assert!(!Pace { period: 0, ..pace }.is_sound());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Pace {
    /// From one row to the next.
    pub period: u32,
    /// How much later than that a row may come before it counts as overdue.
    pub slack: u32,
    /// How long an answer may take: from the last byte of the row until the first byte of its answer is handed to the
    /// line.
    pub deadline: u32,
    /// How long no row may be taken before the board's watchdog resets it; 0 where that is not watched. A board refuses
    /// more than its watchdog can do, with [`Refusal::Silence`].
    pub silence: u32,
}

impl Pace {
    /// Whether a board takes it: period and deadline are not 0, and it does not take for silence what is none.
    pub fn is_sound(&self) -> bool {
        let longest_wait = u64::from(self.period) + u64::from(self.slack);
        self.period > 0 && self.deadline > 0 && (self.silence == 0 || u64::from(self.silence) > longest_wait)
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { period, slack, deadline, silence } = self;
        write!(
            f,
            "a period of {period} us, a slack of {slack}, a deadline of {deadline}, a silence of {silence}"
        )
    }
}

/// The answer to a row of a stream, in [`Reply::Streamed`].
///
/// It is that of an unbroken run of `rows` rows, of which number `index` is the last: a row that was missing has begun
/// the state anew, so no answer mixes rows from before a gap with rows from behind it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Streamed<'a> {
    /// Number of the row that is answered.
    pub index: u32,
    /// Rows that were missing right before it.
    pub missing: u32,
    /// Rows that the answer is of.
    pub rows: u32,
    /// Microseconds from the row's last byte until this answer went to the line. Its framing is taken to last as long as
    /// that of the answer before it.
    pub micros: u32,
    /// Whether that is more than [`Pace::deadline`].
    pub is_late: bool,
    /// What a softmax of the logits gives to the greatest of them, from 0 to 1; `None` where they are values of a
    /// regression.
    pub confidence: Option<f32>,
    /// Each logit in four bytes, as in [`Reply::Logits`].
    pub logits: &'a [u8],
}

/// How far row `index` of a stream is ahead of the row that is `expected`; `None` where it is one of those before. The
/// numbers begin at 0 again after the last `u32`: a stream has no end.
///
/// ```
/// use refrain::link::rows_ahead;
///
/// assert_eq!(rows_ahead(7, 7), Some(0));
/// assert_eq!(rows_ahead(1, u32::MAX), Some(2));
/// assert_eq!(rows_ahead(6, 7), None);
/// ```
pub fn rows_ahead(index: u32, expected: u32) -> Option<u32> {
    let ahead = index.wrapping_sub(expected);
    (ahead <= u32::MAX / 2).then_some(ahead)
}
