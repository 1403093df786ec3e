//! ST's STM32L4x5: boards differ in pins and clocks, and a board's file says what its are.

#[path = "../cycles.rs"]
mod cycles;

mod clock;
mod flash;
mod gpio;
mod usart;
mod watchdog;

// the board's file, as `mod selected`
include!(concat!(env!("OUT_DIR"), "/board.rs"));
pub(crate) use selected::Selected;
