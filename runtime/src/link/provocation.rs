//! Ends that a test asks for.

use serde::{Deserialize, Serialize};

/// A way to end a board's program, see [`Request::Provoke`](super::Request::Provoke).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Provocation {
    /// A panic.
    Panic,
    /// A sum that its type has no room for.
    ArithmeticOverflow,
    /// An instruction that no processor knows.
    HardFault,
    /// Calls without end.
    StackOverflow {
        /// Whether each takes kilobytes of the stack at once, and not some words.
        large_frames: bool,
    },
    /// An interrupt without a handler.
    UnexpectedInterrupt,
    /// A loop without end.
    Hang,
    /// The same, and no interrupt comes to anything, not even one that nothing masks.
    DeafHang,
    /// A panic in the middle of a line of the log, so that how it ends cannot be logged.
    PanicInLog,
    /// A hard fault likewise.
    HardFaultInLog,
}

impl Provocation {
    /// Every one of them.
    pub const ALL: [Self; 10] = [
        Self::Panic,
        Self::ArithmeticOverflow,
        Self::HardFault,
        Self::StackOverflow { large_frames: false },
        Self::StackOverflow { large_frames: true },
        Self::UnexpectedInterrupt,
        Self::Hang,
        Self::DeafHang,
        Self::PanicInLog,
        Self::HardFaultInLog,
    ];
}
