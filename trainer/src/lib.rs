//! Training, quantisation, export and device runs.

pub mod checkpoint;
pub mod files;
pub mod nn;
