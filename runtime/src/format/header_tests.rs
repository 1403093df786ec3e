//! Headers as they are read here, against `postcard`'s own reader.

use heapless::Vec as SectionVec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::header::Start;
use super::*;
use crate::{CellKind, MAX_INPUTS, MAX_LAYERS, MAX_OUTPUTS, MAX_UNITS, Shape};

/// A header as `postcard` reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Derived<'a> {
    magic: [u8; 4],
    version: u8,
    cell: CellKind,
    numbers: Numbers,
    shape: Shape,
    timesteps: u16,
    input: InputFormat,
    output: OutputFormat,
    operand_bits: u8,
    cell_bits: u8,
    name: &'a str,
    labels: &'a str,
    sections: SectionVec<Section, MAX_SECTIONS>,
}

impl<'a> Derived<'a> {
    fn of(header: Header<'a>) -> Self {
        let Header { magic, version, cell, numbers, shape, timesteps, input, output, .. } = header;
        let Header { operand_bits, cell_bits, name, labels, sections, .. } = header;
        let (name, labels, sections) = (name.as_str(), labels.as_str(), sections.iter().collect());
        Self {
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

    /// Whether no field is out of its range.
    fn is_in_range(&self) -> bool {
        let Shape { inputs, units, outputs, layers } = self.shape;
        let within = |value: u16, most| (1..=most).contains(&usize::from(value));
        let is_float = self.numbers == Numbers::F32;
        let has_cell_state = self.cell == CellKind::Lstm && !is_float;
        let lines = self.labels.split('\n').count();
        self.version == VERSION
            && within(inputs, MAX_INPUTS)
            && within(units, MAX_UNITS)
            && within(outputs, MAX_OUTPUTS)
            && within(layers.into(), MAX_LAYERS)
            && if is_float { self.operand_bits == 0 } else { (4..=15).contains(&self.operand_bits) }
            && if has_cell_state { (12..=29).contains(&self.cell_bits) } else { self.cell_bits == 0 }
            && self.name.len() <= MAX_NAME_BYTES
            && (self.labels.is_empty() || lines == usize::from(outputs))
            && self.input_is_in_range(is_float)
            && (is_float || self.input.greatest_operand() <= i16::MAX as u32)
            && self.sections_follow()
    }

    fn input_is_in_range(&self, is_float: bool) -> bool {
        match (self.input.scaling, self.input.samples) {
            (Scaling::Uniform { .. }, Samples::F32) => false,
            (Scaling::Uniform { scale, min, max, shift }, samples) => {
                let (least, most) = if samples == Samples::U8 { (0, 255) } else { (-i16::MAX, i16::MAX) };
                let shifts = if is_float { 0..=0 } else { -15..=15 };
                (least..=most).contains(&max)
                    && (least..=max).contains(&min)
                    && scale.is_finite()
                    && scale > 0.0
                    && shifts.contains(&shift)
            }
            (Scaling::PerFeature { shift, limit }, _) if is_float => (shift, limit) == (0, 0),
            (Scaling::PerFeature { shift, limit }, samples) => {
                let most = match samples {
                    Samples::U8 => 14,
                    Samples::I16 => 7,
                    Samples::F32 => 0,
                };
                shift <= most && (1..=i16::MAX as u16).contains(&limit)
            }
        }
    }

    /// Whether every section stands once, at the first multiple of 16 behind the one before it.
    fn sections_follow(&self) -> bool {
        let mut end = 0u64;
        self.sections.iter().enumerate().all(|(index, section)| {
            let follows = u64::from(section.offset) == end.next_multiple_of(16);
            end = u64::from(section.offset) + u64::from(section.length);
            follows && self.sections.iter().take(index).all(|earlier| earlier.kind != section.kind)
        })
    }
}

/// Reads bytes both ways, and returns whether they are a header.
fn check(bytes: &[u8]) -> Result<bool, TestCaseError> {
    let derived = postcard::take_from_bytes::<Derived<'_>>(bytes)
        .ok()
        .filter(|(header, _)| header.magic == MAGIC && header.is_in_range());
    let found = Header::read(bytes);
    match (&found, derived) {
        (Ok((header, length)), Some((derived, rest))) => {
            prop_assert_eq!(*length, bytes.len() - rest.len());
            prop_assert_eq!(Derived::of(*header), derived);
            let end = header
                .sections
                .iter()
                .last()
                .map_or(0, |last| u64::from(last.offset) + u64::from(last.length));
            prop_assert_eq!(Start::of(bytes).payload_bytes as u64, end);
        }
        (Err(_), None) => {}
        (found, derived) => prop_assert!(false, "read {:?}, by postcard {:?}", found, derived),
    }
    Ok(found.is_ok())
}

fn samples() -> impl Strategy<Value = Samples> {
    prop_oneof![Just(Samples::U8), Just(Samples::I16), Just(Samples::F32)]
}

/// A number on either side of the ends of a range.
fn around(least: u16, most: u16) -> impl Strategy<Value = u16> {
    prop_oneof![8 => least..=most, 1 => Just(least.wrapping_sub(1)), 1 => Just(most.wrapping_add(1)), 1 => any::<u16>()]
}

fn scaling() -> impl Strategy<Value = Scaling> {
    let scale = prop_oneof![8 => 1e-6f32..10.0, 1 => any::<u32>().prop_map(f32::from_bits)];
    let shift = prop_oneof![8 => -15i8..=7, 1 => any::<i8>()];
    prop_oneof![
        (scale, prop_oneof![Just(0), -300i16..300], around(0, 255), shift)
            .prop_map(|(scale, min, max, shift)| Scaling::Uniform { scale, min, max: max as i16, shift }),
        (0u8..9, around(0, i16::MAX as u16)).prop_map(|(shift, limit)| Scaling::PerFeature { shift, limit }),
    ]
}

/// Sections that follow one another but for a few.
fn sections() -> impl Strategy<Value = Vec<Section>> {
    let kinds = Just(SectionKind::ALL.to_vec()).prop_shuffle();
    let section =
        (prop_oneof![3 => 0u32..500, 1 => any::<u32>()], prop_oneof![15 => Just(0), 1 => any::<u32>()]);
    (kinds, proptest::collection::vec(section, 0..=MAX_SECTIONS), 0usize..16).prop_map(
        |(kinds, sections, twice)| {
            let mut end = 0u32;
            let mut sections: Vec<Section> = kinds
                .into_iter()
                .zip(sections)
                .map(|(kind, (length, moved))| {
                    let offset = end.saturating_add(15) & !15;
                    end = offset.saturating_add(length);
                    Section { kind, offset: offset.wrapping_add(moved), length }
                })
                .collect();
            if let [first, .., last] = &mut sections[..]
                && twice == 0
            {
                last.kind = first.kind;
            }
            sections
        },
    )
}

prop_compose! {
    /// The bytes of headers that are sound for the most part.
    fn headers()(
        cell in prop_oneof![Just(CellKind::SimpleRnn), Just(CellKind::Lstm), Just(CellKind::Gru)],
        numbers in prop_oneof![Just(Numbers::Int8), Just(Numbers::Int4), Just(Numbers::F32)],
        inputs in around(1, 512),
        units in around(1, 512),
        outputs in prop_oneof![4 => 1u16..4, 1 => around(1, 256)],
        (layers, timesteps) in (prop_oneof![8 => 1u8..=3, 1 => any::<u8>()], any::<u16>()),
        input in (samples(), scaling()).prop_map(|(samples, scaling)| InputFormat { samples, scaling }),
        output in (any::<bool>(), any::<bool>()),
        (operand_bits, cell_bits) in (prop_oneof![4u8..=15, Just(0), any::<u8>()], prop_oneof![12u8..=29, Just(0), any::<u8>()]),
        name in prop_oneof![8 => ".{0,12}", 1 => ".{120,140}"],
        labels in prop_oneof![2 => Just(String::new()), 1 => ".{0,4}(\n.{0,4}){0,3}"],
        sections in sections(),
        fits in any::<bool>(),
    ) -> Vec<u8> {
        let mut header = Header {
            magic: MAGIC,
            version: VERSION,
            cell,
            numbers,
            shape: Shape { inputs, units, outputs, layers },
            timesteps,
            input,
            output: OutputFormat {
                task: if output.0 { Task::Classification } else { Task::Regression },
                steps: if output.1 { Steps::Last } else { Steps::Every },
            },
            operand_bits,
            cell_bits,
            name: name.as_str().into(),
            labels: labels.as_str().into(),
            sections: sections.as_slice(),
        };
        if fits && numbers == Numbers::F32 {
            (header.operand_bits, header.cell_bits) = (0, 0);
        } else if fits {
            header.operand_bits = operand_bits.clamp(4, 15);
            header.cell_bits = if cell == CellKind::Lstm { cell_bits.clamp(12, 29) } else { 0 };
        }
        postcard::to_allocvec(&header).expect("a header can be written")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]
    #[test]
    fn a_header_is_read_as_by_postcard(bytes in headers()) {
        check(&bytes)?;
    }

    #[test]
    fn a_header_is_refused_wherever_postcard_refuses_it(
        bytes in headers(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        end in any::<prop::sample::Index>(),
        is_cut: bool,
    ) {
        let mut bytes = bytes;
        for (index, byte) in changes {
            // most of what is worth a change is in front of the names
            let length = bytes.len();
            bytes[index.index(length)] = byte;
        }
        if is_cut {
            bytes.truncate(end.index(bytes.len() + 1));
        }
        check(&bytes)?;
    }

    #[test]
    fn any_bytes_are_a_header_for_both_or_for_none(rest in proptest::collection::vec(any::<u8>(), 0..80)) {
        check(&[&b"RFRN\x01"[..], &rest].concat())?;
    }
}

/// An integer of more bytes than it needs is the same integer, and one of too many bits is none.
#[test]
fn integers_are_read_to_their_last_bit() {
    let file = crate::include_model!("../../../firmware/models/lstm.rfn");
    let (_, length) = Header::read(file).unwrap();
    // the inputs, 28, in one byte behind magic, version, cell and numbers
    assert_eq!(file[7], 28);
    for (inputs, is_sound) in [
        (&[28][..], true),
        (&[0x9c, 0], true),
        (&[0x9c, 0x80, 0], true),
        (&[0x9c, 0x80, 4], false),
        (&[0x9c, 0x80, 0x80, 0], false),
        (&[0xff, 0xff, 3], false),
        (&[0x80, 4], true),
        (&[0x81, 4], false),
    ] {
        let bytes = [&file[..7], inputs, &file[8..length]].concat();
        assert_eq!(check(&bytes).unwrap(), is_sound, "{inputs:02x?}");
    }
}

#[test]
fn every_prefix_of_a_header_is_none() {
    for file in [
        crate::include_model!("../../../firmware/models/simple-rnn.rfn"),
        crate::include_model!("../../../firmware/models/gru.rfn"),
    ] {
        let (_, length) = Header::read(file).unwrap();
        assert!(check(&file[..length]).unwrap());
        for end in 0..length {
            assert!(!check(&file[..end]).unwrap(), "{end} bytes");
        }
    }
}
