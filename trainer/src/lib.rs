//! Training, quantisation, export and device runs.

pub mod data;
