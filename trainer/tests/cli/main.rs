//! Whole commands of `refrain`, run as a user runs them: no network, no MNIST and no QEMU is needed.

mod boards;
mod data;
mod models;
mod report;
mod runs;
mod sequences;
mod support;
mod train;
