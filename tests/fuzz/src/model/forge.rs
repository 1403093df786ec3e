//! Files that get further than bytes of a fuzzer would: past the CRC, and past the lengths of the sections.

use refrain::format::{MAGIC, PAYLOAD_ALIGNMENT, Section, SectionFault, SectionKind, VERSION};
use refrain::{AnyModel, Header, ModelError, Numbers, crc32};

use super::{MAX_FILE_BYTES, Place};

/// Most changes to a file: every section may need a few.
const MAX_CHANGES: usize = 60;

/// The file with the right first bytes, of the length that its header asks for, and with a right CRC.
pub(super) fn sealed(mut file: Vec<u8>) -> Vec<u8> {
    let start = [&MAGIC[..], &[VERSION]].concat();
    file.resize(file.len().max(start.len() + 4), 0);
    file[..start.len()].copy_from_slice(&start);
    if let Ok((header, length)) = Header::read(&file) {
        // hostile numbers of 32 bits, whose sum has more
        let end = |section: Section| section.offset as usize + section.length as usize;
        let body = length.next_multiple_of(PAYLOAD_ALIGNMENT) + header.sections.iter().last().map_or(0, end);
        if body < MAX_FILE_BYTES {
            file.resize(body + 4, 0);
        }
    }
    let body = file.len() - 4;
    let crc = crc32(&file[..body]);
    file[body..].copy_from_slice(&crc.to_le_bytes());
    file
}

/// The file with whatever changes its reader asks for: sections of the right lengths, which hold what a section of that
/// kind may, and states after blank rows that are right. What the file's own bytes say is kept as far as it goes.
pub(super) fn forged(file: &[u8]) -> Vec<u8> {
    let file = sealed(file.to_vec());
    let Some(mut forgery) = Forgery::of(&file) else { return file };
    let mut place = Place::default();
    let mut blank_states = 0;
    for _ in 0..MAX_CHANGES {
        let file = forgery.written();
        match AnyModel::from_bytes(place.put(&file, 0)) {
            Ok(model) if blank_states > 0 => {
                let mut states = vec![0; blank_states * model.blank_state_bytes()];
                model.write_blank_states(&mut states);
                forgery.sections.push((SectionKind::BlankStates, states));
                blank_states = 0;
            }
            Err(ModelError::BlankState { entry }) => {
                blank_states = entry + 1;
                forgery.remove(SectionKind::BlankStates);
            }
            Err(error) if forgery.mend(error) => {}
            _ => return file,
        }
    }
    forgery.written()
}

/// A model file taken apart.
struct Forgery<'a> {
    header: Header<'a>,
    sections: Vec<(SectionKind, Vec<u8>)>,
}

impl<'a> Forgery<'a> {
    /// A file's header, and of its sections what there is of them.
    fn of(file: &'a [u8]) -> Option<Self> {
        let (header, length) = Header::read(file).ok()?;
        let payload = file.get(length.next_multiple_of(PAYLOAD_ALIGNMENT)..).unwrap_or_default();
        let section = |Section { kind, offset, length }| {
            let (rest, length) = (payload.get(offset as usize..).unwrap_or_default(), length as usize);
            (kind, rest[..length.min(rest.len())].to_vec())
        };
        Some(Self { header, sections: header.sections.iter().map(section).collect() })
    }

    /// The file, its sections one behind the other, with a right CRC.
    fn written(&self) -> Vec<u8> {
        let (mut table, mut payload) = (Vec::new(), Vec::new());
        for (kind, bytes) in &self.sections {
            payload.resize(payload.len().next_multiple_of(PAYLOAD_ALIGNMENT), 0);
            let (offset, length) = (payload.len() as u32, bytes.len() as u32);
            table.push(Section { kind: *kind, offset, length });
            payload.extend(bytes);
        }
        let header = self.header.with_sections(table);
        let mut file = postcard::to_stdvec(&header).expect("a header can be written");
        file.resize(file.len().next_multiple_of(PAYLOAD_ALIGNMENT), 0);
        file.extend(payload);
        file.extend(crc32(&file).to_le_bytes());
        file
    }

    fn remove(&mut self, unwanted: SectionKind) {
        self.sections.retain(|(kind, _)| *kind != unwanted);
    }

    /// Changes every word of a section.
    fn change(&mut self, wanted: SectionKind, change: impl Fn(u32) -> u32) {
        let sections = self.sections.iter_mut().filter(|(kind, _)| *kind == wanted);
        for word in sections.flat_map(|(_, bytes)| bytes.as_chunks_mut().0) {
            *word = change(u32::from_le_bytes(*word)).to_le_bytes();
        }
    }

    /// Changes the sections so that they are not refused for this any more; `false` where they are not to blame.
    fn mend(&mut self, error: ModelError) -> bool {
        match error {
            ModelError::Section { kind, fault: SectionFault::Missing } => {
                self.sections.push((kind, Vec::new()));
            }
            ModelError::Section { kind, fault: SectionFault::Unexpected } => self.remove(kind),
            ModelError::Section { kind, fault: SectionFault::Length { expected, .. } }
                if expected <= MAX_FILE_BYTES =>
            {
                for (_, bytes) in self.sections.iter_mut().filter(|(found, _)| *found == kind) {
                    bytes.resize(expected, 0);
                }
            }
            ModelError::Multiplier { kind, .. } => self.change(kind, |word| word & 0x7fff_ffff),
            ModelError::NotFinite { kind } => self.change(kind, |word| word & !0x4000_0000),
            ModelError::Offset { .. } => self.change(SectionKind::InputOffset, |word| word & 0x001f_ffff),
            ModelError::Accumulator { .. } => self.shrink(),
            _ => return false,
        }
        true
    }

    /// Halves every weight and every bias.
    fn shrink(&mut self) {
        for kind in [SectionKind::Bias, SectionKind::RecurrentBias, SectionKind::DenseBias] {
            self.change(kind, |word| (word.cast_signed() / 2).cast_unsigned());
        }
        let nibbles = self.header.numbers == Numbers::Int4;
        for kind in [SectionKind::Kernel, SectionKind::RecurrentKernel, SectionKind::DenseKernel] {
            self.change(
                kind,
                match nibbles && kind != SectionKind::DenseKernel {
                    true => half_nibbles,
                    false => half_bytes,
                },
            );
        }
    }
}

/// Half of each of four weights of 8 bits.
fn half_bytes(word: u32) -> u32 {
    u32::from_le_bytes(word.to_le_bytes().map(|byte| (byte.cast_signed() / 2).cast_unsigned()))
}

/// Half of each of eight weights of 4 bits, of which 8 is zero.
fn half_nibbles(word: u32) -> u32 {
    (0..8).map(|nibble| 4 * nibble).map(|shift| (((word >> shift & 15) + 8) / 2) << shift).sum()
}
