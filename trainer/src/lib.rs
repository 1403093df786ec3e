//! Training, quantisation, export and device runs.

pub mod checkpoint;
pub mod data;
pub mod files;
pub mod model_file;
pub mod nn;
pub mod quantise;
pub mod train;
