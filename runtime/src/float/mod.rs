//! The cells on 32-bit floats, for boards with an FPU and as the reference for the integer cells.
//!
//! Only additions, multiplications and divisions are used, each rounded as IEEE 754 says and in a fixed order,
//! so a float model too gives the same bits on every machine.

pub mod activation;
mod gru;
mod lstm;
mod rows;
mod simple_rnn;

pub use gru::Gru;
pub use lstm::Lstm;
pub use simple_rnn::SimpleRnn;

use crate::cell::Value;
use crate::{InputFormat, Scaling};

impl Value for f32 {
    type CellState = f32;

    fn from_sample(sample: i16, input: &InputFormat) -> f32 {
        let Scaling::Uniform { min, max, scale, .. } = input.scaling else { return 0.0 };
        f32::from(sample.max(min).min(max)) * scale
    }

    fn to_f32(self) -> f32 {
        self
    }
}
