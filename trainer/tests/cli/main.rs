//! Whole commands of `refrain`, run as a user runs them: no network and no MNIST is needed, and QEMU only where
//! `monitor` says so.

mod boards;
mod data;
mod models;
mod monitor;
mod report;
mod runs;
mod sequences;
mod support;
mod train;
