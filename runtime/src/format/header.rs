//! The header of a model file.

use core::fmt;

use heapless::Vec;
use serde::{Deserialize, Serialize};

use super::ModelError;
use crate::{CellKind, Logit, MAX_INPUTS, MAX_OUTPUTS, MAX_UNITS, Shape};

/// The first four bytes of every model file.
pub const MAGIC: [u8; 4] = *b"RFRN";
/// The fifth byte: the version of the format that this crate reads.
pub const VERSION: u8 = 1;
/// Most bytes of a model's name: it must fit a message of the link.
pub const MAX_NAME_BYTES: usize = 255;
/// Most sections that a file has.
pub const MAX_SECTIONS: usize = 10;

/// What a model computes with.
///
/// ```
/// assert_eq!(refrain::Numbers::Int8.to_string(), "int8");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Numbers {
    /// int8 weights, 16-bit state, integer arithmetic throughout.
    Int8,
    /// 32-bit floats, for boards with an FPU and as the reference.
    F32,
}

impl Numbers {
    /// `int8` or `f32`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::F32 => "f32",
        }
    }

    /// The value of a logit that travels in four bytes: an `i32` in Q16, or an `f32`.
    ///
    /// ```
    /// use refrain::Numbers;
    ///
    /// assert_eq!(Numbers::Int8.logit_value(65_536_i32.to_le_bytes()), 1.0);
    /// assert_eq!(Numbers::F32.logit_value(1.0_f32.to_le_bytes()), 1.0);
    /// ```
    pub fn logit_value(self, bytes: [u8; 4]) -> f32 {
        match self {
            Self::Int8 => i32::from_le_bytes(bytes).to_f32(),
            Self::F32 => f32::from_le_bytes(bytes),
        }
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How the integers that a sensor gives become numbers for the network.
///
/// ```
/// use refrain::InputFormat;
///
/// let pixels = InputFormat { scale: 1.0 / 255.0, min: 0, max: 255, shift: 2 };
/// let sound = InputFormat { scale: 1.0 / 32768.0, min: -32767, max: 32767, shift: -5 };
/// assert_eq!([pixels.sample_bytes(), sound.sample_bytes()], [1, 2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputFormat {
    /// The real value of an integer sample is `sample * scale`.
    pub scale: f32,
    /// The least sample; whatever is less counts as this.
    pub min: i16,
    /// The greatest sample; whatever is greater counts as this.
    pub max: i16,
    /// int8 models: a sample is shifted left by so many bits (right, rounding, where negative) to become an
    /// operand of the kernel.
    pub shift: i8,
}

impl InputFormat {
    /// Bytes that one sample takes on the link: one where every sample fits a `u8`, otherwise two.
    pub const fn sample_bytes(&self) -> usize {
        if self.min >= 0 && self.max <= u8::MAX as i16 { 1 } else { 2 }
    }

    /// The greatest magnitude that a sample can have, as an operand of the kernel.
    pub(crate) const fn greatest_operand(&self) -> u32 {
        let (low, high) = (self.min.unsigned_abs() as u32, self.max.unsigned_abs() as u32);
        let most = if low > high { low } else { high };
        if self.shift >= 0 { most << self.shift } else { (most + (1 << (-self.shift - 1))) >> -self.shift }
    }
}

/// What a section holds; the module's documentation describes each.
///
/// ```
/// use refrain::format::SectionKind;
///
/// assert_eq!(format!("{:?}", SectionKind::DenseBias), "DenseBias");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
/// assert_eq!(header.class_names().nth(3), Some("3"));
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
    /// int8: fraction bits of an operand of the kernel, from 4 to 15; the hidden state, in Q15, is rounded to
    /// them. 0 in an f32 model.
    pub operand_bits: u8,
    /// int8 LSTM: fraction bits of the cell state, from 12 to 29. Otherwise 0.
    pub cell_bits: u8,
    /// The model's name.
    pub name: &'a str,
    /// The names of the classes, a line each; may be empty.
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

    /// The names of the classes, in the order of the logits; nothing where the file has none.
    pub fn class_names(&self) -> impl Iterator<Item = &'a str> {
        self.labels.lines()
    }

    /// Bytes of one row on the link.
    pub fn row_bytes(&self) -> usize {
        usize::from(self.shape.inputs) * self.input.sample_bytes()
    }

    /// Refuses values that no model can have.
    fn check(&self) -> Result<(), ModelError> {
        let field = |name, found: i64, least: i64, most: i64| {
            if (least..=most).contains(&found) {
                Ok(())
            } else {
                Err(ModelError::Field { name, found: found as i32, least: least as i32, most: most as i32 })
            }
        };
        let (shape, input) = (&self.shape, &self.input);
        field("inputs", shape.inputs.into(), 1, MAX_INPUTS as i64)?;
        field("units", shape.units.into(), 1, MAX_UNITS as i64)?;
        field("outputs", shape.outputs.into(), 1, MAX_OUTPUTS as i64)?;
        field("name's length", self.name.len() as i64, 0, MAX_NAME_BYTES as i64)?;
        field("input.min", input.min.into(), -32767, input.max.into())?;
        if !(input.scale.is_finite() && input.scale > 0.0) {
            return Err(ModelError::InputScale);
        }
        match self.numbers {
            Numbers::F32 => {
                field("operand_bits", self.operand_bits.into(), 0, 0)?;
                field("cell_bits", self.cell_bits.into(), 0, 0)?;
                field("input.shift", input.shift.into(), 0, 0)
            }
            Numbers::Int8 => {
                field("operand_bits", self.operand_bits.into(), 4, 15)?;
                let (least, most) = if self.cell == CellKind::Lstm { (12, 29) } else { (0, 0) };
                field("cell_bits", self.cell_bits.into(), least, most)?;
                field("input.shift", input.shift.into(), -15, 15)?;
                field("greatest operand", input.greatest_operand().into(), 0, i16::MAX.into())
            }
        }
    }
}
