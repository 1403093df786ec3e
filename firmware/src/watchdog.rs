//! What resets a board that hangs.

use core::time::Duration;

/// A board that nothing watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoWatchdog;

impl Watchdog for NoWatchdog {
    fn start(&mut self, _: Duration) {}

    fn feed(&mut self) {}

    fn stop(&mut self) {}
}

/// A device that resets the board unless it hears from the program in time.
///
/// It watches work: a board that waits for a request does not hang, however long that takes, and one that works on a
/// request does where for long no row of it has been done.
///
/// A board whose watchdog cannot be stopped once it was started feeds it while it waits for bytes; there `stop` only
/// feeds it.
pub trait Watchdog {
    /// Work begins. The board is reset where this is neither fed nor stopped for as long as `time_out`.
    fn start(&mut self, time_out: Duration);

    /// The work goes on.
    fn feed(&mut self);

    /// The work is done.
    fn stop(&mut self);
}
