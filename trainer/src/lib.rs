//! Trains recurrent networks on the desktop and brings them onto a board.
//!
//! As a network travels: [`data`] (sequences of bytes) → [`train`] (a recipe, on the f32 networks of [`nn`]) →
//! [`checkpoint`] (a `.ckpt` file, and the folder of a [`run`]) → [`quantise`] (int8 weights) → [`model_file`] (a
//! `.rfn` file) → [`evaluate`] (on the host, with the runtime that boards run) → [`device`] (on a board, over its
//! [`link`], every logit compared). [`setup`] installs what the emulated board needs, and [`plot`] draws learning curves.
//!
//! The command `refrain` is a thin layer over this library; `refrain --help` says what it does.

pub mod checkpoint;
pub mod data;
pub mod device;
pub mod evaluate;
pub mod files;
pub mod link;
pub mod metrics;
pub mod model_file;
pub mod nn;
pub mod plot;
pub mod quantise;
pub mod report;
pub mod run;
pub mod setup;
#[cfg(test)]
mod test_models;
#[cfg(all(test, unix))]
mod test_programs;
pub mod train;
