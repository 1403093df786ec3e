//! A model file out of its sections; `refrain::format` describes it byte by byte.

use bytemuck::NoUninit;
use refrain::format::{Header, MAGIC, PAYLOAD_ALIGNMENT, Section, SectionKind, VERSION};
use refrain::{CellKind, InputFormat, Numbers, OutputFormat, Shape, Steps, Task, crc32};

use super::Metadata;
use crate::data::Kind;
use crate::model_file::{ModelFile, ModelFileError};

/// The sections of a file, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Payload {
    bytes: Vec<u8>,
    sections: Vec<Section>,
}

impl Payload {
    /// Adds a section at the next multiple of 16.
    pub(super) fn push<T: NoUninit>(&mut self, kind: SectionKind, values: &[T]) {
        self.bytes.resize(self.bytes.len().next_multiple_of(PAYLOAD_ALIGNMENT), 0);
        let values: &[u8] = bytemuck::cast_slice(values);
        let section = Section { kind, offset: self.bytes.len() as u32, length: values.len() as u32 };
        self.sections.push(section);
        self.bytes.extend_from_slice(values);
    }
}

/// What a header says besides where the sections are.
pub(super) struct Description<'m> {
    pub(super) cell: CellKind,
    pub(super) numbers: Numbers,
    pub(super) shape: Shape,
    pub(super) metadata: &'m Metadata,
    pub(super) input: InputFormat,
    pub(super) operand_bits: u8,
    pub(super) cell_bits: u8,
}

/// The file's bytes, read back and checked by the runtime.
///
/// # Errors
/// What the runtime has against them.
pub(super) fn write(description: &Description<'_>, payload: &Payload) -> Result<ModelFile, ModelFileError> {
    let Description { cell, numbers, shape, metadata, input, operand_bits, cell_bits } = *description;
    let labels = metadata.task.output_names().join("\n");
    let output = OutputFormat {
        task: match metadata.task.kind {
            Kind::Classification { .. } => Task::Classification,
            Kind::Regression { .. } => Task::Regression,
        },
        steps: if metadata.task.per_step { Steps::Every } else { Steps::Last },
    };
    let header = Header {
        magic: MAGIC,
        version: VERSION,
        cell,
        numbers,
        shape,
        timesteps: metadata.timesteps,
        input,
        output,
        operand_bits,
        cell_bits,
        name: metadata.name.as_str().into(),
        labels: labels.as_str().into(),
        sections: payload.sections.as_slice(),
    };
    let mut bytes =
        postcard::to_stdvec(&header).expect("a header of plain fields can be written to a vector");
    bytes.resize(bytes.len().next_multiple_of(PAYLOAD_ALIGNMENT), 0);
    bytes.extend_from_slice(&payload.bytes);
    bytes.extend_from_slice(&crc32(&bytes).to_le_bytes());
    ModelFile::from_bytes(&metadata.name, &bytes)
}
