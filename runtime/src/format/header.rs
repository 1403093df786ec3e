//! The header of a model file.

use heapless::Vec;
use serde::{Deserialize, Serialize};

use super::fields::from_byte;
use super::{InputFormat, ModelError, Numbers, OutputFormat, Samples, Scaling};
use crate::{CellKind, MAX_INPUTS, MAX_LAYERS, MAX_OUTPUTS, MAX_UNITS, Shape};

/// The first four bytes of every model file.
pub const MAGIC: [u8; 4] = *b"RFRN";
/// The fifth byte: the version of the format that this crate reads.
pub const VERSION: u8 = 1;
/// Most bytes of a model's name: it must fit a message of the link.
pub const MAX_NAME_BYTES: usize = 255;
/// Most sections that a file has.
pub const MAX_SECTIONS: usize = 13;

/// What a section holds; the module's documentation describes each.
///
/// ```
/// use refrain::format::SectionKind;
///
/// assert_eq!(format!("{:?}", SectionKind::DenseBias), "DenseBias");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8")]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(missing_docs, reason = "the table in the module's documentation describes them together")]
pub enum SectionKind {
    Kernel,
    RecurrentKernel,
    Bias,
    RecurrentBias,
    Multiplier,
    DenseKernel,
    DenseBias,
    DenseMultiplier,
    SelfTestRows,
    SelfTestLogits,
    InputOffset,
    InputGain,
    OutputScaling,
}

from_byte! {
    SectionKind {
        Kernel, RecurrentKernel, Bias, RecurrentBias, Multiplier, DenseKernel, DenseBias, DenseMultiplier,
        SelfTestRows, SelfTestLogits, InputOffset, InputGain, OutputScaling
    }
}

/// Where a section lies.
///
/// ```
/// use refrain::{Header, format::SectionKind};
///
/// let file = refrain::include_model!("../../../firmware/models/lstm.rfn");
/// let (header, _) = Header::read(file)?;
/// let kernel = header.sections[0];
/// // four gates of 64 units, 28 inputs, a byte each
/// assert_eq!((kernel.kind, kernel.offset, kernel.length), (SectionKind::Kernel, 0, 4 * 64 * 28));
/// # Ok::<(), refrain::ModelError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// What it holds.
    pub kind: SectionKind,
    /// Bytes from the payload's start, a multiple of 16.
    pub offset: u32,
    /// Its length in bytes.
    pub length: u32,
}

/// The header of a model file: all that is known of a model before its weights are looked at.
///
/// The fields stand in the file in this order, as `postcard` writes them.
///
/// ```
/// use refrain::{CellKind, Header};
///
/// let file = refrain::include_model!("../../../firmware/models/lstm.rfn");
/// let (header, _) = Header::read(file)?;
/// assert_eq!((header.cell, header.timesteps), (CellKind::Lstm, 28));
/// assert_eq!(header.output_names().nth(3), Some("3"));
/// # Ok::<(), refrain::ModelError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header<'a> {
    /// [`MAGIC`].
    pub magic: [u8; 4],
    /// [`VERSION`].
    pub version: u8,
    /// The recurrent cell.
    pub cell: CellKind,
    /// What it computes with.
    pub numbers: Numbers,
    /// Its sizes.
    pub shape: Shape,
    /// Timesteps of the sequences that it was trained on; any other number runs too.
    pub timesteps: u16,
    /// What it takes.
    pub input: InputFormat,
    /// What it gives.
    pub output: OutputFormat,
    /// Integer models: fraction bits of an operand of the kernel, from 4 to 15; the hidden state, in Q15, is rounded
    /// to them. 0 in an f32 model.
    pub operand_bits: u8,
    /// Integer LSTM: fraction bits of the cell state, from 12 to 29. Otherwise 0.
    pub cell_bits: u8,
    /// The model's name.
    pub name: &'a str,
    /// The names of the outputs, a line each, of classes or of values; may be empty.
    pub labels: &'a str,
    /// The sections, in the order of their offsets.
    pub sections: Vec<Section, MAX_SECTIONS>,
}

impl<'a> Header<'a> {
    /// Reads the header at the front of `bytes` and returns it with its length in bytes.
    ///
    /// This looks at no weights and does not need `bytes` to be aligned or whole, so build scripts and tools
    /// may use it; [`Model::from_bytes`](crate::Model::from_bytes) checks everything.
    ///
    /// # Errors
    /// [`ModelError::Truncated`], [`ModelError::Magic`], [`ModelError::Version`], [`ModelError::Header`] or
    /// [`ModelError::Field`].
    pub fn read(bytes: &'a [u8]) -> Result<(Self, usize), ModelError> {
        let (magic, rest) = bytes
            .split_first_chunk::<4>()
            .ok_or(ModelError::Truncated { found: bytes.len(), expected: MAGIC.len() + 1 })?;
        if *magic != MAGIC {
            return Err(ModelError::Magic { found: *magic });
        }
        match rest.first() {
            None => return Err(ModelError::Truncated { found: bytes.len(), expected: MAGIC.len() + 1 }),
            Some(&found) if found != VERSION => return Err(ModelError::Version { found }),
            Some(_) => {}
        }
        let (header, rest) = postcard::take_from_bytes::<Self>(bytes).map_err(|_| ModelError::Header)?;
        header.check()?;
        Ok((header, bytes.len() - rest.len()))
    }

    /// The names of the outputs, of classes or of values, in the order of the logits; nothing where the file has none.
    pub fn output_names(&self) -> impl Iterator<Item = &'a str> {
        let labels = self.labels;
        (!labels.is_empty()).then(|| labels.split('\n')).into_iter().flatten()
    }

    /// Bytes of one row on the link.
    pub fn row_bytes(&self) -> usize {
        usize::from(self.shape.inputs) * self.input.samples.bytes()
    }

    /// Refuses values that no model can have.
    fn check(&self) -> Result<(), ModelError> {
        let (shape, is_float) = (&self.shape, self.numbers == Numbers::F32);
        let mut fields = Fields::default();
        fields.check("inputs", shape.inputs.into(), 1, MAX_INPUTS as i32);
        fields.check("units", shape.units.into(), 1, MAX_UNITS as i32);
        fields.check("outputs", shape.outputs.into(), 1, MAX_OUTPUTS as i32);
        fields.check("layers", shape.layers.into(), 1, MAX_LAYERS as i32);
        fields.check("name's length", self.name.len() as i32, 0, MAX_NAME_BYTES as i32);
        let (least, most) = if is_float { (0, 0) } else { (4, 15) };
        fields.check("operand_bits", self.operand_bits.into(), least, most);
        let has_cell_state = !is_float && self.cell == CellKind::Lstm;
        let (least, most) = if has_cell_state { (12, 29) } else { (0, 0) };
        fields.check("cell_bits", self.cell_bits.into(), least, most);
        self.check_input(&mut fields)?;
        fields.result?;
        let (found, expected) = (self.output_count(), usize::from(shape.outputs));
        if found != 0 && found != expected {
            return Err(ModelError::OutputNames { found, expected });
        }
        Ok(())
    }

    /// How many outputs have a name.
    fn output_count(&self) -> usize {
        match self.labels.len() {
            0 => 0,
            _ => 1 + self.labels.bytes().filter(|&byte| byte == b'\n').count(),
        }
    }

    /// Refuses scalings that no model can have.
    fn check_input(&self, fields: &mut Fields) -> Result<(), ModelError> {
        let (input, is_float) = (&self.input, self.numbers == Numbers::F32);
        match input.scaling {
            Scaling::Uniform { scale, min, max, shift } => {
                let (least, most) = match input.samples {
                    Samples::U8 => (0, u8::MAX.into()),
                    Samples::I16 => (-i16::MAX, i16::MAX),
                    Samples::F32 => return Err(ModelError::InputScaling),
                };
                fields.check("input.max", max.into(), least.into(), most.into());
                fields.check("input.min", min.into(), least.into(), max.into());
                // the bits of positive finite numbers; no float arithmetic is linked for it
                if !(1..f32::INFINITY.to_bits()).contains(&scale.to_bits()) {
                    return Err(ModelError::InputScale);
                }
                let most = if is_float { 0 } else { 15 };
                fields.check("input.shift", shift.into(), -most, most);
            }
            Scaling::PerFeature { shift, limit } => {
                // integer samples with that many fraction bits stay within 2^22
                let most = match input.samples {
                    _ if is_float => 0,
                    Samples::U8 => 14,
                    Samples::I16 => 7,
                    Samples::F32 => 0,
                };
                fields.check("input.shift", shift.into(), 0, most);
                let (least, most) = if is_float { (0, 0) } else { (1, i16::MAX.into()) };
                fields.check("input.limit", limit.into(), least, most);
            }
        }
        if fields.result.is_ok() && !is_float {
            fields.check("greatest operand", input.greatest_operand() as i32, 0, i16::MAX.into());
        }
        Ok(())
    }
}

/// The first field that is out of its range.
struct Fields {
    result: Result<(), ModelError>,
}

impl Default for Fields {
    fn default() -> Self {
        Self { result: Ok(()) }
    }
}

impl Fields {
    #[inline(never)]
    fn check(&mut self, name: &'static str, found: i32, least: i32, most: i32) {
        if self.result.is_ok() && !(least..=most).contains(&found) {
            self.result = Err(ModelError::Field { name, found, least, most });
        }
    }
}
