//! Recurrent networks for microcontrollers: a SimpleRNN, an LSTM or a GRU, then a dense layer, on integers, one
//! timestep at a time.
//!
//! ```
//! use refrain::{ModelError, SimpleRnn};
//!
//! // In firmware: `static MODEL: &[u8] = refrain::include_model!("../models/simple-rnn.rfn");`
//! let not_a_model = refrain::Aligned([0; 64]);
//! let error = SimpleRnn::<28, 64, 10>::from_bytes(&not_a_model.0).unwrap_err();
//! assert_eq!(error, ModelError::Magic { found: [0; 4] });
//! ```
//!
//! The crate is `no_std`, allocates nothing and needs no operating system. A model file is checked once, by
//! [`Model::from_bytes`]; after that [`Model::step`] and [`Model::logits`] cannot fail and cannot panic. The
//! [`State`] belongs to the caller. Every machine computes the same bits.
//!
//! As a row travels: [`link`] (bytes in) → [`Model`] (checked view of the [file](format)) →
//! [`cell`] (one file for each, in the order of its equations) → the kernel (matrix-vector products) and
//! [`activation`] (tanh, sigmoid) → the dense layer → logits. [`fixed`] says how every number is scaled and
//! rounded; [`float`] holds the same cells on 32-bit floats.
//!
//! # Features
//! - `defmt`: `defmt::Format` for errors.
//! - `check-kernel`: `check_kernel`, which compares the kernel with its specification on the machine that it runs on.
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]

pub mod activation;
mod any;
mod blank;
pub mod cell;
mod checksum;
mod dense;
mod embed;
pub mod fixed;
pub mod float;
pub mod format;
mod kernel;
pub mod link;
mod model;
mod networks;
mod parts;
mod sample;
mod self_test;
mod shape;
mod state;
mod tiles;

pub use any::AnyModel;
pub use cell::Logit;
pub use checksum::{crc32, crc32_append};
pub use embed::Aligned;
pub use format::{Header, InputFormat, ModelError, Numbers, OutputFormat, Samples, Scaling, Steps, Task};
#[cfg(any(test, feature = "check-kernel"))]
pub use kernel::check_kernel;
pub use model::{Model, Operands, RowLength, argmax, to_f32};
pub use networks::{FloatGru, FloatLstm, FloatSimpleRnn, Gru, Gru4, Lstm, Lstm4, SimpleRnn, SimpleRnn4};
pub use parts::Part;
pub use sample::{Sample, SampleType, float_operand};
pub use self_test::SelfTestError;
pub use shape::{CellKind, MAX_INPUTS, MAX_LAYERS, MAX_OUTPUTS, MAX_UNITS, Shape};
pub use state::State;
