//! Boards.
//!
//! A board is one file that implements [`Board`], one memory layout (`NAME.x`) beside it, and its two lines
//! below. `REFRAIN_BOARD` chooses it when the firmware is built.

use embedded_hal::digital::StatefulOutputPin;
use embedded_io::{Read, ReadReady, Write};
use refrain_firmware::{Clock, Mode, Parts};

#[cfg(board = "mps2-an386")]
mod mps2_an386;
#[cfg(board = "mps2-an386")]
pub(crate) use mps2_an386::Mps2An386 as Selected;

mod register;
mod semihosting;

/// What the firmware needs of a board.
pub(crate) trait Board {
    /// Its name, as in `REFRAIN_BOARD`.
    const NAME: &'static str;
    /// The line to the host.
    type Serial: Read + ReadReady + Write;
    /// The busy light.
    type Light: StatefulOutputPin;
    /// What inferences are measured with.
    type Clock: Clock;

    /// Sets the hardware up and hands it over, the first time it is called.
    fn take() -> Option<Parts<Self::Serial, Self::Light, Self::Clock>>;

    /// What the board is to do.
    fn mode() -> Mode;

    /// Hands the answers of a job in memory to the host.
    fn save_answers(answers: &[u8]) -> Result<(), SaveError>;

    /// Ends the program.
    fn exit(success: bool) -> !;
}

/// The answers of a job in memory could not be handed to the host.
pub(crate) struct SaveError;
