//! Why a board started.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Why a board started, and how often it has.
///
/// `T` is text: `&str` on the link, and whatever owns it at the ends.
///
/// ```
/// use refrain::link::{Boot, Cause};
///
/// let boot = Boot { resets: 2, cause: Cause::Panic { file: "firmware/src/run.rs", line: 7 } };
/// assert_eq!(boot.to_string(), "a panic at firmware/src/run.rs:7; resets since power came: 2");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot<T> {
    /// Resets since power came, that is, since the board's memory was last without a trace of the program.
    pub resets: u32,
    /// How the program ended before.
    pub cause: Cause<T>,
}

/// How a program ended, so that its board had to start again.
///
/// ```
/// use refrain::link::Cause;
///
/// let hung = |pc| Cause::<&str>::Watchdog { pc }.to_string();
/// assert_eq!(hung(0x8a2), "the watchdog, for the program hung at 0x000008a2");
/// assert_eq!(hung(0), "the watchdog or a reset from outside, in the middle of work");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause<T> {
    /// Nothing is known of a program before this one: power came.
    PowerOn,
    /// A reset from outside, as by a button or a debugger, while nothing was worked on.
    Outside,
    /// A request asked for it.
    Requested,
    /// The program found that it cannot go on, and its log says why.
    Failure,
    /// The program panicked.
    Panic {
        /// The source file; only the end of a long name.
        file: T,
        /// The line there.
        line: u32,
    },
    /// The processor met something that it cannot do.
    HardFault {
        /// Address of the instruction, or one soon after it; 0 where it is not known.
        pc: u32,
        /// Where that code was called from, as far as is known.
        lr: u32,
    },
    /// The stack was full.
    StackOverflow {
        /// Bytes that the program was beyond its end when that was seen, at most: 0 where the processor limits the stack
        /// pointer, and elsewhere hardly more than what the last function wanted.
        beyond: u32,
    },
    /// An interrupt that the program does not know.
    UnexpectedInterrupt {
        /// Its number; those below 0 are the processor's own.
        number: i16,
    },
    /// The program worked on one thing for longer than the watchdog waits.
    Watchdog {
        /// Address of the instruction that it was at; 0 where it is not known. Then it may have been a reset from outside as
        /// well, that came in the middle of some work.
        pc: u32,
    },
}

impl<T> Boot<T> {
    /// Power came, and nothing has happened since.
    pub const POWER_ON: Self = Self { resets: 0, cause: Cause::PowerOn };

    /// The same with another kind of text.
    ///
    /// ```
    /// use refrain::link::{Boot, Cause};
    ///
    /// let boot = Boot { resets: 1, cause: Cause::Panic { file: "run.rs", line: 7 } };
    /// let owned: Boot<String> = boot.map(String::from);
    /// assert_eq!(owned.cause, Cause::Panic { file: "run.rs".into(), line: 7 });
    /// ```
    pub fn map<U>(self, text: impl FnOnce(T) -> U) -> Boot<U> {
        let cause = match self.cause {
            Cause::PowerOn => Cause::PowerOn,
            Cause::Outside => Cause::Outside,
            Cause::Requested => Cause::Requested,
            Cause::Failure => Cause::Failure,
            Cause::Panic { file, line } => Cause::Panic { file: text(file), line },
            Cause::HardFault { pc, lr } => Cause::HardFault { pc, lr },
            Cause::StackOverflow { beyond } => Cause::StackOverflow { beyond },
            Cause::UnexpectedInterrupt { number } => Cause::UnexpectedInterrupt { number },
            Cause::Watchdog { pc } => Cause::Watchdog { pc },
        };
        Boot { resets: self.resets, cause }
    }
}

impl<T> Cause<T> {
    /// Whether the program ended by a fault of its own.
    pub fn is_fault(&self) -> bool {
        !matches!(self, Self::PowerOn | Self::Outside | Self::Requested)
    }
}

/// The words for a cause, which are the same in a log of defmt's: `write` is either one's macro.
macro_rules! write_cause {
    ($write:path, $f:expr, $cause:expr) => {{
        use $write as write_words;
        match $cause {
            Cause::PowerOn => write_words!($f, "power came"),
            Cause::Outside => write_words!($f, "a reset from outside"),
            Cause::Requested => write_words!($f, "a request to start again"),
            Cause::Failure => write_words!($f, "a failure that the board's log names"),
            Cause::Panic { file, line } => write_words!($f, "a panic at {}:{}", file, line),
            Cause::HardFault { pc, lr } => {
                write_words!($f, "a hard fault at {:#010x}, called from {:#010x}", pc, lr)
            }
            Cause::StackOverflow { beyond } => {
                write_words!($f, "a stack overflow, seen {} bytes beyond its end", beyond)
            }
            Cause::UnexpectedInterrupt { number } => {
                write_words!($f, "interrupt {}, which has no handler", number)
            }
            Cause::Watchdog { pc: 0 } => {
                write_words!($f, "the watchdog or a reset from outside, in the middle of work")
            }
            Cause::Watchdog { pc } => {
                write_words!($f, "the watchdog, for the program hung at {:#010x}", pc)
            }
        }
    }};
}

impl<T: fmt::Display> fmt::Display for Boot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; resets since power came: {}", self.cause, self.resets)
    }
}

impl<T: fmt::Display> fmt::Display for Cause<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_cause!(core::write, f, self)
    }
}

#[cfg(feature = "defmt")]
impl<T: defmt::Format> defmt::Format for Boot<T> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{}; resets since power came: {}", self.cause, self.resets);
    }
}

#[cfg(feature = "defmt")]
impl<T: defmt::Format> defmt::Format for Cause<T> {
    fn format(&self, f: defmt::Formatter<'_>) {
        write_cause!(defmt::write, f, self);
    }
}
