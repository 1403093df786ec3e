//! Recurrent networks for microcontrollers: SimpleRNN, LSTM and GRU on integers.
#![no_std]

mod shape;

pub use shape::{CellKind, MAX_INPUTS, MAX_OUTPUTS, MAX_UNITS, Shape};
