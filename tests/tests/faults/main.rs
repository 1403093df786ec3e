//! Rows, streams and models over a bad line: no wrong answer is ever accepted, no model is ever used that is not whole, and
//! nothing hangs.
//!
//! Most of it runs between the host's client and the firmware's own server in one process, where a time-out takes no time;
//! `emulated` has the UART of a board under QEMU between them. One seed gives the same faults each time.

mod board;
mod emulated;
mod rows;
mod streams;
mod uploads;
