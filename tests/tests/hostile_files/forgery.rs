//! Model files taken apart, changed and sealed again.

use refrain::format::{PAYLOAD_ALIGNMENT, Section, SectionKind};
use refrain::{CellKind, Header, InputFormat, ModelError, Numbers, Samples, Scaling, Shape, crc32};
use refrain_tests::{Recordings, random_model, regression};
use refrain_trainer::model_file::{ModelFile, ModelFileError};

pub(crate) const SHAPE: Shape = Shape { inputs: 3, units: 5, outputs: 3, layers: 1 };

pub(crate) const SCALE: f32 = 1.0 / 255.0;

/// One scale for all features.
pub(crate) fn uniform(samples: Samples, scale: f32, (min, max): (i16, i16), shift: i8) -> InputFormat {
    InputFormat { samples, scaling: Scaling::Uniform { scale, min, max, shift } }
}

/// A model file taken apart, to be changed and sealed again.
#[derive(Clone)]
pub(crate) struct Forgery<'a> {
    pub(crate) header: Header<'a>,
    pub(crate) sections: Vec<(SectionKind, Vec<u8>)>,
}

impl<'a> Forgery<'a> {
    pub(crate) fn of(file: &'a [u8]) -> Self {
        let (header, length) = Header::read(file).expect("a sound file");
        let payload = &file[length.next_multiple_of(PAYLOAD_ALIGNMENT)..];
        let bytes =
            |section: &Section| payload[section.offset as usize..][..section.length as usize].to_vec();
        let sections = header.sections.iter().map(|section| (section.kind, bytes(&section))).collect();
        Self { header, sections }
    }

    pub(crate) fn section(&mut self, kind: SectionKind) -> &mut Vec<u8> {
        let mut sections = self.sections.iter_mut();
        &mut sections.find(|(found, _)| *found == kind).expect("the model has that section").1
    }

    /// Puts a number of four bytes into a section.
    pub(crate) fn put(&mut self, kind: SectionKind, index: usize, value: [u8; 4]) {
        self.section(kind)[4 * index..][..4].copy_from_slice(&value);
    }

    /// Brings a bias nearer to zero, by `surplus` at most; `false` where it is zero already.
    pub(crate) fn shrink(&mut self, kind: SectionKind, index: usize, surplus: i32) -> bool {
        let bytes = &mut self.section(kind)[4 * index..][..4];
        let bias = i32::from_le_bytes(bytes.try_into().expect("four bytes"));
        let magnitude = (bias.abs() - surplus).max(0);
        bytes.copy_from_slice(&(magnitude * bias.signum()).to_le_bytes());
        bias != 0
    }

    /// The file with its sections where they belong.
    pub(crate) fn sealed(self) -> Vec<u8> {
        let mut payload = Vec::new();
        let lay_out = |(kind, bytes): &(SectionKind, Vec<u8>)| {
            payload.resize(payload.len().next_multiple_of(PAYLOAD_ALIGNMENT), 0);
            let (offset, length) = (payload.len() as u32, bytes.len() as u32);
            payload.extend_from_slice(bytes);
            Section { kind: *kind, offset, length }
        };
        let sections: Vec<Section> = self.sections.iter().map(lay_out).collect();
        seal(&self.header, &sections, &payload)
    }
}

/// Header, padding, payload and a right CRC.
pub(crate) fn seal(header: &Header<'_>, sections: &[Section], payload: &[u8]) -> Vec<u8> {
    let mut bytes = postcard::to_stdvec(&header.with_sections(sections)).expect("a header can be written");
    bytes.resize(bytes.len().next_multiple_of(PAYLOAD_ALIGNMENT), 0);
    bytes.extend_from_slice(payload);
    bytes.extend(crc32(&bytes).to_le_bytes());
    bytes
}

/// A changed file with a right CRC.
pub(crate) fn sealed_again(mut bytes: Vec<u8>) -> Vec<u8> {
    let body = bytes.len() - 4;
    let crc = crc32(&bytes[..body]).to_le_bytes();
    bytes[body..].copy_from_slice(&crc);
    bytes
}

pub(crate) fn refusal(bytes: &[u8]) -> ModelError {
    match ModelFile::from_bytes("forged", bytes) {
        Err(ModelFileError::Model { reason, .. }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

/// What the runtime says of a random model after a change.
pub(crate) fn refused(cell: CellKind, numbers: Numbers, change: impl Fn(&mut Forgery<'_>)) -> ModelError {
    refused_of(&random_model(cell, SHAPE, numbers, 1), change)
}

/// What the runtime says of a model after a change.
pub(crate) fn refused_of(file: &ModelFile, change: impl Fn(&mut Forgery<'_>)) -> ModelError {
    let mut forgery = Forgery::of(file.as_bytes());
    assert_eq!(forgery.clone().sealed(), file.as_bytes(), "taken apart and sealed again it is the same");
    change(&mut forgery);
    refusal(&forgery.sealed())
}

/// Every cell with every kind of numbers.
pub(crate) fn kinds() -> impl Iterator<Item = (CellKind, Numbers)> {
    CellKind::ALL
        .into_iter()
        .flat_map(|cell| [Numbers::Int8, Numbers::Int4, Numbers::F32].map(|numbers| (cell, numbers)))
}

/// A model for a sensor: three features with an offset and a gain each, two layers, two values.
pub(crate) fn sensor_model(cell: CellKind, numbers: Numbers, samples: Samples) -> ModelFile {
    Recordings::random(samples, 3, &[5, 8], regression(2), 1).model(cell, 5, 2, numbers)
}
