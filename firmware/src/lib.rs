//! What the firmware does with models and messages, on any board and on the host, where it is tested.
//!
//! A board gives [`Parts`]: a serial line, a busy light and a clock, behind the traits of `embedded-io`,
//! `embedded-hal`, [`Clock`] and [`Wait`]. The [`Server`] reads requests from the line and answers them, as
//! [`refrain::link`] describes; [`memory`] classifies many sequences that a host has put into the board's RAM.
//! Both know a model as a [`Classifier`], so neither depends on its cell or its shape.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]

mod arrivals;
pub mod classifier;
pub mod clock;
pub mod depth;
pub mod memory;
mod mode;
mod parts;
pub mod record;
mod ring;
pub mod server;
mod session;
#[cfg(test)]
mod testing;
pub mod update;
mod wait;
pub mod watchdog;

pub use arrivals::Arrivals;
pub use classifier::{Classifier, Network};
pub use clock::{Clock, Meter};
pub use depth::DepthGauge;
pub use mode::Mode;
pub use parts::Parts;
pub use record::Record;
pub use ring::Ring;
pub use server::Server;
pub use session::Session;
pub use wait::Wait;
pub use watchdog::{NoWatchdog, Watchdog};
