//! Training, quantisation, export and device runs.

pub mod model_file;
pub mod nn;
pub mod quantise;
