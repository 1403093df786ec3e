//! What a network is: its cell and its sizes.

use core::fmt;

use crate::format::from_byte;
use serde::{Deserialize, Serialize};

/// Most features a timestep may have.
pub const MAX_INPUTS: usize = 512;
/// Most recurrent units a cell may have.
pub const MAX_UNITS: usize = 512;
/// Most logits a network may have.
pub const MAX_OUTPUTS: usize = 256;
/// Most recurrent layers a network may have, one upon the other.
pub const MAX_LAYERS: usize = 3;

/// Which recurrent cell a network is made of.
///
/// ```
/// use refrain::CellKind;
///
/// assert_eq!(CellKind::Lstm.gates(), 4);
/// assert_eq!(CellKind::from_name("simple-rnn"), Some(CellKind::SimpleRnn));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8")]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum CellKind {
    /// `h = tanh(x·K + h·R + b)`, Keras's `SimpleRNN`.
    SimpleRnn,
    /// Keras's `LSTM`: gates in the order i, f, c, o.
    Lstm,
    /// Keras's `GRU` with `reset_after=True`: gates in the order z, r, h, and two biases.
    Gru,
}

from_byte! { CellKind { SimpleRnn, Lstm, Gru } }

impl CellKind {
    /// Every cell, in the order in which tables show them.
    pub const ALL: [Self; 3] = [Self::SimpleRnn, Self::Lstm, Self::Gru];

    /// Rows of `units` that the kernel holds: 1, 4 or 3.
    pub const fn gates(self) -> usize {
        match self {
            Self::SimpleRnn => 1,
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }

    /// The name used on the command line and in file names: `simple-rnn`, `lstm` or `gru`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SimpleRnn => "simple-rnn",
            Self::Lstm => "lstm",
            Self::Gru => "gru",
        }
    }

    /// The cell of that [`name`](Self::name), if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cell| cell.name() == name)
    }
}

impl fmt::Display for CellKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The sizes of a network.
///
/// ```
/// let shape = refrain::Shape { inputs: 28, units: 64, outputs: 10, layers: 1 };
/// assert_eq!(shape.to_string(), "28 inputs, 64 units, 10 outputs");
/// let shape = refrain::Shape { layers: 2, ..shape };
/// assert_eq!(shape.to_string(), "28 inputs, 2 layers of 64 units, 10 outputs");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Shape {
    /// Features of one timestep.
    pub inputs: u16,
    /// Recurrent units of each layer, the length of its hidden state.
    pub units: u16,
    /// Logits.
    pub outputs: u16,
    /// Recurrent layers, all of one cell: the first takes the features of a timestep, each other one the hidden
    /// state of the layer below it, of the same timestep.
    pub layers: u8,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inputs, units, outputs, layers } = self;
        match layers {
            1 => write!(f, "{inputs} inputs, {units} units, {outputs} outputs"),
            _ => write!(f, "{inputs} inputs, {layers} layers of {units} units, {outputs} outputs"),
        }
    }
}
