//! ST's STM32L4x5: boards differ in pins and clocks, and a board's file says what its are.

#[path = "../cycles.rs"]
mod cycles;

mod clock;
mod flash;
mod gpio;
mod usart;
mod watchdog;

#[cfg_attr(board = "b-l475e-iot01a", path = "b_l475e_iot01a.rs")]
mod selected;
pub(crate) use selected::Selected;
