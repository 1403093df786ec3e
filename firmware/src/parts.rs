//! What a board hands over.

/// The parts of a board that the firmware works with.
#[derive(Debug)]
pub struct Parts<S, L, C> {
    /// Name of the board, as hosts are told it.
    pub board: &'static str,
    /// The line to the host: `embedded_io::{Read, Write}`.
    pub serial: S,
    /// A light that is on while a request is worked on: `embedded_hal::digital::OutputPin`.
    pub busy: L,
    /// What inferences are measured with: [`Clock`](crate::Clock).
    pub clock: C,
    /// Where a host may put a [job](crate::memory) before the board starts; empty where it cannot.
    pub memory: &'static mut [u8],
    /// The most stack used since the board started, in bytes.
    pub stack_used: fn() -> u32,
    /// Bytes that came on the line since the board started and were lost.
    pub lost_bytes: fn() -> u32,
}
