//! The header of a model file.

use serde::Serialize;

use super::cursor::Cursor;
use super::{
    HeaderField, InputFormat, ModelError, Numbers, OutputFormat, Samples, Scaling, Sections, Steps, Task,
    Text,
};
use crate::{CellKind, MAX_INPUTS, MAX_LAYERS, MAX_OUTPUTS, MAX_UNITS, Shape};

/// The first four bytes of every model file.
pub const MAGIC: [u8; 4] = *b"RFRN";
/// The fifth byte: the version of the format that this crate reads.
pub const VERSION: u8 = 1;
/// Most bytes of a model's name: it must fit a message of the link.
pub const MAX_NAME_BYTES: usize = 255;
/// Most states after leading blank rows that a file has.
pub const MAX_BLANK_STATES: usize = 255;

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
///
/// Whoever writes a file gives the sections as a slice or vector of [`Section`](super::Section) for `T`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Header<'a, T = Sections<'a>> {
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
    pub name: Text<'a>,
    /// The names of the outputs, a line each, of classes or of values; may be empty.
    pub labels: Text<'a>,
    /// The sections, in the order of their offsets.
    pub sections: T,
}

impl<'a> Header<'a> {
    /// What is read into.
    const EMPTY: Self = Self {
        magic: MAGIC,
        version: VERSION,
        cell: CellKind::SimpleRnn,
        numbers: Numbers::Int8,
        shape: Shape { inputs: 0, units: 0, outputs: 0, layers: 0 },
        timesteps: 0,
        input: InputFormat { samples: Samples::U8, scaling: Scaling::PerFeature { shift: 0, limit: 0 } },
        output: OutputFormat { task: Task::Classification, steps: Steps::Last },
        operand_bits: 0,
        cell_bits: 0,
        name: Text::EMPTY,
        labels: Text::EMPTY,
        sections: Sections::EMPTY,
    };

    /// Reads the header at the front of `bytes` and returns it with its length in bytes.
    ///
    /// This looks at no weights and does not need `bytes` to be aligned or whole, so build scripts and tools
    /// may use it; [`Model::from_bytes`](crate::Model::from_bytes) checks everything.
    ///
    /// # Errors
    /// [`ModelError::Truncated`], [`ModelError::Magic`], [`ModelError::Version`], [`ModelError::Header`],
    /// [`ModelError::Field`] and the like, or [`ModelError::Section`] where the sections do not follow one another.
    pub fn read(bytes: &'a [u8]) -> Result<(Self, usize), ModelError> {
        check_magic(bytes)?;
        let Start { header, length, accepted, .. } = Start::of(bytes);
        accepted.map(|()| (header, length))
    }

    /// Reads every field, checks it, and returns where the payload ends, counted from its start.
    fn fill(&mut self, cursor: &mut Cursor<'a>) -> usize {
        self.magic = cursor.array();
        self.version = cursor.byte();
        if self.version != VERSION {
            cursor.refuse(ModelError::Version { found: self.version });
        }
        self.cell = cursor.variant(CellKind::SimpleRnn);
        self.numbers = cursor.variant(Numbers::Int8);
        self.shape.inputs = cursor.u16_within(HeaderField::Inputs, 1, MAX_INPUTS as u16);
        self.shape.units = cursor.u16_within(HeaderField::Units, 1, MAX_UNITS as u16);
        self.shape.outputs = cursor.u16_within(HeaderField::Outputs, 1, MAX_OUTPUTS as u16);
        self.shape.layers = cursor.byte_within(HeaderField::Layers, 1, MAX_LAYERS as u8);
        self.timesteps = cursor.u16();
        let is_float = self.numbers == Numbers::F32;
        self.fill_input(cursor, is_float);
        self.output.task = cursor.variant(Task::Classification);
        self.output.steps = cursor.variant(Steps::Last);
        let (least, most) = if is_float { (0, 0) } else { (4, 15) };
        self.operand_bits = cursor.byte_within(HeaderField::OperandBits, least, most);
        let has_cell_state = !is_float && self.cell == CellKind::Lstm;
        let (least, most) = if has_cell_state { (12, 29) } else { (0, 0) };
        self.cell_bits = cursor.byte_within(HeaderField::CellBits, least, most);
        self.name = cursor.text();
        cursor.check(HeaderField::NameLength, self.name.as_bytes().len() as i32, 0, MAX_NAME_BYTES as i32);
        self.labels = cursor.text();
        let (found, expected) = (lines(self.labels), usize::from(self.shape.outputs));
        if found != 0 && found != expected {
            cursor.refuse(ModelError::OutputNames { found, expected });
        }
        let (sections, end) = Sections::read(cursor);
        self.sections = sections;
        end
    }

    /// Reads what the model takes.
    fn fill_input(&mut self, cursor: &mut Cursor<'_>, is_float: bool) {
        let samples = cursor.variant(Samples::U8);
        self.input.samples = samples;
        match cursor.u32() {
            0 => {
                let scale = f32::from_le_bytes(cursor.array());
                let (min, max, shift) = (cursor.i16(), cursor.i16(), cursor.byte() as i8);
                let (least, most) = match samples {
                    Samples::U8 => (0, u8::MAX.into()),
                    Samples::I16 => (-i16::MAX, i16::MAX),
                    Samples::F32 => {
                        cursor.refuse(ModelError::InputScaling);
                        (0, 0)
                    }
                };
                cursor.check(HeaderField::InputMax, max.into(), least.into(), most.into());
                cursor.check(HeaderField::InputMin, min.into(), least.into(), max.into());
                // the bits of positive finite numbers; no float arithmetic is linked for it
                if !(1..f32::INFINITY.to_bits()).contains(&scale.to_bits()) {
                    cursor.refuse(ModelError::InputScale);
                }
                let most = if is_float { 0 } else { 15 };
                cursor.check(HeaderField::InputShift, shift.into(), -most, most);
                self.input.scaling = Scaling::Uniform { scale, min, max, shift };
            }
            1 => {
                // integer samples with that many fraction bits stay within 2^22
                let most = match samples {
                    _ if is_float => 0,
                    Samples::U8 => 14,
                    Samples::I16 => 7,
                    Samples::F32 => 0,
                };
                let shift = cursor.byte_within(HeaderField::InputShift, 0, most);
                let (least, most) = if is_float { (0, 0) } else { (1, i16::MAX as u16) };
                let limit = cursor.u16_within(HeaderField::InputLimit, least, most);
                self.input.scaling = Scaling::PerFeature { shift, limit };
            }
            _ => cursor.fail(),
        }
        if cursor.accepted.is_ok() && !is_float {
            let greatest = self.input.greatest_operand();
            cursor.check(HeaderField::GreatestOperand, greatest as i32, 0, i16::MAX.into());
        }
    }
}

/// What a file says before its payload.
pub(super) struct Start<'a> {
    pub(super) header: Header<'a>,
    /// Bytes of the header.
    pub(super) length: usize,
    pub(super) payload_bytes: usize,
    /// Whether the header can be believed.
    pub(super) accepted: Result<(), ModelError>,
}

impl<'a> Start<'a> {
    #[inline(never)]
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let (mut header, mut cursor) = (Header::EMPTY, Cursor::new(bytes));
        let payload_bytes = header.fill(&mut cursor);
        Self { header, length: cursor.position(), payload_bytes, accepted: cursor.accepted }
    }
}

/// How many lines a text has, none if it is empty.
fn lines(text: Text<'_>) -> usize {
    let ends = text.as_bytes().iter().filter(|&&byte| byte == b'\n').count();
    if text.as_bytes().is_empty() { 0 } else { ends + 1 }
}

/// Refuses bytes that do not begin as a model file does, or that end before the version.
pub(super) fn check_magic(bytes: &[u8]) -> Result<(), ModelError> {
    match *bytes {
        [a, b, c, d, ..] if [a, b, c, d] != MAGIC => Err(ModelError::Magic { found: [a, b, c, d] }),
        [_, _, _, _, _, ..] => Ok(()),
        _ => Err(ModelError::Truncated { found: bytes.len(), expected: MAGIC.len() + 1 }),
    }
}

impl<'a, T> Header<'a, T> {
    /// The same header with other sections.
    pub fn with_sections<U>(self, sections: U) -> Header<'a, U> {
        let Self { magic, version, cell, numbers, shape, timesteps, input, output, .. } = self;
        let Self { operand_bits, cell_bits, name, labels, .. } = self;
        Header {
            magic,
            version,
            cell,
            numbers,
            shape,
            timesteps,
            input,
            output,
            operand_bits,
            cell_bits,
            name,
            labels,
            sections,
        }
    }

    /// The names of the outputs, of classes or of values, in the order of the logits; nothing where the file has none.
    pub fn output_names(&self) -> impl Iterator<Item = &'a str> + use<'a, T> {
        let labels = self.labels.as_str();
        (!labels.is_empty()).then(|| labels.split('\n')).into_iter().flatten()
    }

    /// Bytes of one row on the link.
    pub fn row_bytes(&self) -> usize {
        usize::from(self.shape.inputs) * self.input.samples.bytes()
    }
}
