//! Training, quantisation, export and device runs.

pub mod device;
pub mod evaluate;
pub mod model_file;
pub mod setup;
#[cfg(test)]
mod test_models;
#[cfg(all(test, unix))]
mod test_programs;
