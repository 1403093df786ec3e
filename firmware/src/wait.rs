//! Waiting for bytes, and not for longer than need be.

use embedded_io::Read;

/// A line whose bytes can be waited for until a time.
pub trait Wait: Read {
    /// Sleeps until there are bytes to read, or for about so many microseconds. Returns whether there are bytes, or the line
    /// has ended; what else wakes the processor may end the sleep as well.
    ///
    /// # Errors
    /// The line failed.
    fn wait(&mut self, micros: u32) -> Result<bool, Self::Error>;

    /// When the byte came that was read last, where that is the end of a frame, in the lower 32 bits of the microseconds
    /// of the board's [`Clock`](crate::Clock); `None` for now, on a line that does not write that down. One that does
    /// reads no further than to the end of a frame at once.
    fn arrived(&self) -> Option<u32> {
        None
    }
}
