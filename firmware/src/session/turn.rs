//! Which row of which sequence it is.

use refrain::link::Refusal;

/// The sequence that is being read.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Current {
    pub(super) key: Key,
    /// Rows taken so far.
    pub(super) taken: u16,
    /// Ticks that they and their answers took.
    pub(super) ticks: u64,
}

impl Current {
    /// A sequence of which no row has been taken.
    pub(super) fn new(key: Key) -> Self {
        Self { key, taken: 0, ticks: 0 }
    }
}

/// What tells two sequences apart.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Key {
    pub(super) model: u8,
    pub(super) sequence: u32,
    pub(super) count: u16,
}

/// What a row is to its sequence.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Turn {
    /// The first one: the sequence begins, or begins again.
    Begin,
    /// The next one.
    Next,
    /// The one that was taken last.
    Again,
}

impl Turn {
    /// What row `index` of `count` is to a sequence of which `taken` rows have been taken.
    pub(super) fn of(index: u16, count: u16, taken: u16) -> Result<Self, Refusal> {
        match index {
            0 if count > 0 => Ok(Self::Begin),
            _ if index >= count => Err(()),
            _ if index == taken => Ok(Self::Next),
            _ if index + 1 == taken => Ok(Self::Again),
            _ => Err(()),
        }
        .map_err(|()| Refusal::RowOrder { expected: taken.checked_rem(count).unwrap_or(0) })
    }
}
