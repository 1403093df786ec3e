//! Training, quantisation, export and device runs.

pub mod checkpoint;
pub mod data;
pub mod device;
pub mod evaluate;
pub mod files;
pub mod model_file;
pub mod nn;
pub mod quantise;
pub mod setup;
#[cfg(test)]
mod test_models;
#[cfg(all(test, unix))]
mod test_programs;
pub mod train;
