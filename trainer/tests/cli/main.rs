//! Whole commands of `refrain`, run as a user runs them: no network and no MNIST is needed, and QEMU only where
//! `monitor` and `signals` say so.

mod boards;
mod data;
mod models;
mod monitor;
mod report;
mod runs;
mod sequences;
#[cfg(target_os = "linux")]
mod signals;
mod support;
mod train;
