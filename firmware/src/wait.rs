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
}
