//! What a board says.

use refrain::link::{Boot, Source};
use refrain::{CellKind, Numbers, OutputFormat, Samples, Shape, Steps};

use crate::evaluate::LOGIT_BYTES;

/// What a board says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Version of the firmware.
    pub firmware: String,
    /// Name of the board.
    pub board: String,
    /// How many models it holds.
    pub models: u8,
    /// Bytes of the longest message that it takes.
    pub request_bytes: u16,
    /// Why it started.
    pub boot: Boot<String>,
}

/// What a board says of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Its cell.
    pub cell: CellKind,
    /// What it computes with.
    pub numbers: Numbers,
    /// Its sizes.
    pub shape: Shape,
    /// What its features arrive as.
    pub samples: Samples,
    /// What it gives.
    pub output: OutputFormat,
    /// CRC-32 at the end of its file.
    pub crc: u32,
    /// Where the board reads it from.
    pub source: Source,
    /// Which of the models that have taken this place it is; 0 where it is built in.
    pub revision: u32,
}

/// A model on a board, and what travels to and fro for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// Its number on the board.
    pub model: u8,
    /// Bytes of a row.
    pub row_bytes: usize,
    /// Bytes of the logits of one answer, four each.
    pub logits_bytes: usize,
    /// Which rows are answered by logits.
    pub steps: Steps,
}

impl Description {
    /// The model of that number, for [`Client::classify`](super::Client::classify).
    pub fn served(&self, model: u8) -> Served {
        Served {
            model,
            row_bytes: usize::from(self.shape.inputs) * self.samples.bytes(),
            logits_bytes: usize::from(self.shape.outputs) * LOGIT_BYTES,
            steps: self.output.steps,
        }
    }
}
