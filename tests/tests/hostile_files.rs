//! Model files that are whole, with a right CRC, and still must not be believed: whatever breaks a rule that the
//! arithmetic relies on is refused by name, and whatever breaks none runs without an overflow.

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use refrain::fixed::{ACCUMULATOR_LIMIT, OFFSET_LIMIT};
use refrain::format::{MAX_SECTIONS, PAYLOAD_ALIGNMENT, Section, SectionFault, SectionKind};
use refrain::{CellKind, Header, InputFormat, ModelError, Numbers, Samples, Scaling, Shape, crc32};
use refrain_tests::{Recordings, random_model, regression};
use refrain_trainer::model_file::{ModelFile, ModelFileError};

const SHAPE: Shape = Shape { inputs: 3, units: 5, outputs: 3, layers: 1 };

const SCALE: f32 = 1.0 / 255.0;

/// One scale for all features.
fn uniform(samples: Samples, scale: f32, (min, max): (i16, i16), shift: i8) -> InputFormat {
    InputFormat { samples, scaling: Scaling::Uniform { scale, min, max, shift } }
}

/// A model file taken apart, to be changed and sealed again.
#[derive(Clone)]
struct Forgery<'a> {
    header: Header<'a>,
    sections: Vec<(SectionKind, Vec<u8>)>,
}

impl<'a> Forgery<'a> {
    fn of(file: &'a [u8]) -> Self {
        let (header, length) = Header::read(file).expect("a sound file");
        let payload = &file[length.next_multiple_of(PAYLOAD_ALIGNMENT)..];
        let bytes =
            |section: &Section| payload[section.offset as usize..][..section.length as usize].to_vec();
        let sections = header.sections.iter().map(|section| (section.kind, bytes(section))).collect();
        Self { header, sections }
    }

    fn section(&mut self, kind: SectionKind) -> &mut Vec<u8> {
        let mut sections = self.sections.iter_mut();
        &mut sections.find(|(found, _)| *found == kind).expect("the model has that section").1
    }

    /// Puts a number of four bytes into a section.
    fn put(&mut self, kind: SectionKind, index: usize, value: [u8; 4]) {
        self.section(kind)[4 * index..][..4].copy_from_slice(&value);
    }

    /// Brings a bias nearer to zero, by `surplus` at most; `false` where it is zero already.
    fn shrink(&mut self, kind: SectionKind, index: usize, surplus: i32) -> bool {
        let bytes = &mut self.section(kind)[4 * index..][..4];
        let bias = i32::from_le_bytes(bytes.try_into().expect("four bytes"));
        let magnitude = (bias.abs() - surplus).max(0);
        bytes.copy_from_slice(&(magnitude * bias.signum()).to_le_bytes());
        bias != 0
    }

    /// The file with its sections where they belong.
    fn sealed(mut self) -> Vec<u8> {
        let mut payload = Vec::new();
        let lay_out = |(kind, bytes): &(SectionKind, Vec<u8>)| {
            payload.resize(payload.len().next_multiple_of(PAYLOAD_ALIGNMENT), 0);
            let (offset, length) = (payload.len() as u32, bytes.len() as u32);
            payload.extend_from_slice(bytes);
            Section { kind: *kind, offset, length }
        };
        self.header.sections = self.sections.iter().map(lay_out).collect();
        seal(&self.header, &payload)
    }
}

/// Header, padding, payload and a right CRC.
fn seal(header: &Header<'_>, payload: &[u8]) -> Vec<u8> {
    let mut bytes = postcard::to_stdvec(header).expect("a header can be written");
    bytes.resize(bytes.len().next_multiple_of(PAYLOAD_ALIGNMENT), 0);
    bytes.extend_from_slice(payload);
    bytes.extend(crc32(&bytes).to_le_bytes());
    bytes
}

/// A changed file with a right CRC.
fn sealed_again(mut bytes: Vec<u8>) -> Vec<u8> {
    let body = bytes.len() - 4;
    let crc = crc32(&bytes[..body]).to_le_bytes();
    bytes[body..].copy_from_slice(&crc);
    bytes
}

fn refusal(bytes: &[u8]) -> ModelError {
    match ModelFile::from_bytes("forged", bytes) {
        Err(ModelFileError::Model { reason, .. }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

/// What the runtime says of a random model after a change.
fn refused(cell: CellKind, numbers: Numbers, change: impl Fn(&mut Forgery<'_>)) -> ModelError {
    let file = random_model(cell, SHAPE, numbers, 1);
    let mut forgery = Forgery::of(file.as_bytes());
    assert_eq!(forgery.clone().sealed(), file.as_bytes(), "taken apart and sealed again it is the same");
    change(&mut forgery);
    refusal(&forgery.sealed())
}

/// Every cell with every kind of numbers.
fn kinds() -> impl Iterator<Item = (CellKind, Numbers)> {
    CellKind::ALL
        .into_iter()
        .flat_map(|cell| [Numbers::Int8, Numbers::Int4, Numbers::F32].map(|numbers| (cell, numbers)))
}

#[test]
fn a_header_out_of_range_is_refused_by_its_field() {
    const LONG_NAME: &str = match std::str::from_utf8(&[b'n'; 256]) {
        Ok(name) => name,
        Err(_) => "",
    };
    let field = |cell, numbers, field: &str, change: &dyn Fn(&mut Header<'_>)| match refused(
        cell,
        numbers,
        |forgery| change(&mut forgery.header),
    ) {
        ModelError::Field { name, .. } => assert_eq!(name, field),
        other => panic!("{field}: {other:?}"),
    };
    for (cell, numbers) in kinds() {
        for size in [0, 513, u16::MAX] {
            field(cell, numbers, "inputs", &|header| header.shape.inputs = size);
            field(cell, numbers, "units", &|header| header.shape.units = size);
        }
        for size in [0, 257, u16::MAX] {
            field(cell, numbers, "outputs", &|header| header.shape.outputs = size);
        }
        field(cell, numbers, "name's length", &|header| header.name = LONG_NAME);
        for size in [0, 4, u8::MAX] {
            field(cell, numbers, "layers", &|header| header.shape.layers = size);
        }
        for (samples, least) in [(Samples::U8, -1), (Samples::I16, i16::MIN)] {
            field(cell, numbers, "input.min", &|header| {
                header.input = uniform(samples, SCALE, (least, 255), 0);
            });
        }
        field(cell, numbers, "input.min", &|header| header.input = uniform(Samples::U8, SCALE, (9, 8), 0));
        field(cell, numbers, "input.max", &|header| header.input = uniform(Samples::U8, SCALE, (0, 256), 0));
        for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            let reason = refused(cell, numbers, |forgery| {
                forgery.header.input = uniform(Samples::U8, scale, (0, 255), 0);
            });
            assert_eq!(reason, ModelError::InputScale);
        }
        let bits: &[u8] = if numbers == Numbers::F32 { &[1, 12, 255] } else { &[0, 3, 16, 255] };
        for &bits in bits {
            field(cell, numbers, "operand_bits", &|header| header.operand_bits = bits);
        }
        let has_cell_state = cell == CellKind::Lstm && numbers != Numbers::F32;
        for &bits in if has_cell_state { &[0, 11, 30, 255] } else { &[1, 12, 29, 255] } {
            field(cell, numbers, "cell_bits", &|header| header.cell_bits = bits);
        }
        for shift in [i8::MIN, -16, 16, i8::MAX] {
            field(cell, numbers, "input.shift", &|header| {
                header.input = uniform(Samples::U8, SCALE, (0, 255), shift);
            });
        }
    }
    for cell in CellKind::ALL {
        // 255 * 2^8 is beyond an i16
        field(cell, Numbers::Int8, "greatest operand", &|header| {
            header.input = uniform(Samples::U8, SCALE, (0, 255), 8);
        });
        field(cell, Numbers::F32, "input.shift", &|header| {
            header.input = uniform(Samples::U8, SCALE, (0, 255), 1);
        });
    }
}

#[test]
fn text_that_is_none_is_refused() {
    let file = random_model(CellKind::Gru, SHAPE, Numbers::Int8, 1);
    let mut bytes = file.as_bytes().to_vec();
    let name = bytes.windows(6).position(|window| window == b"random").expect("the model's name");
    bytes[name] = 0xff;
    assert_eq!(refusal(&sealed_again(bytes)), ModelError::Header);
}

#[test]
fn a_section_that_is_missing_surplus_or_of_another_length_is_refused() {
    let fault = |cell, numbers, change: &dyn Fn(&mut Forgery<'_>)| match refused(cell, numbers, change) {
        ModelError::Section { kind, fault } => (kind, fault),
        other => panic!("{other:?}"),
    };
    for (cell, numbers) in kinds() {
        let file = random_model(cell, SHAPE, numbers, 1);
        for (index, (kind, bytes)) in Forgery::of(file.as_bytes()).sections.into_iter().enumerate() {
            let (found_kind, found) = fault(cell, numbers, &|forgery| {
                forgery.sections.remove(index);
            });
            let logits_are_gone = kind == SectionKind::SelfTestLogits;
            let expected = match logits_are_gone {
                true => (SectionKind::SelfTestRows, SectionFault::Unexpected),
                false => (kind, SectionFault::Missing),
            };
            if kind == SectionKind::SelfTestRows {
                assert!(matches!(found, SectionFault::Missing), "{found:?}");
            } else {
                assert_eq!((found_kind, found), expected, "{cell} {numbers}");
            }

            for length in [0, bytes.len() - 1, bytes.len() - 4, bytes.len() + 4] {
                let (_, found) = fault(cell, numbers, &|forgery| forgery.sections[index].1.resize(length, 0));
                assert!(matches!(found, SectionFault::Length { .. }), "{cell} {numbers} {kind:?}: {found:?}");
            }
        }
        if cell != CellKind::Gru {
            let surplus = fault(cell, numbers, &|forgery| {
                forgery.sections.push((SectionKind::RecurrentBias, vec![0; 16]));
            });
            assert_eq!(surplus, (SectionKind::RecurrentBias, SectionFault::Unexpected));
        }
        if numbers == Numbers::F32 {
            for kind in [SectionKind::Multiplier, SectionKind::DenseMultiplier] {
                let surplus = fault(cell, numbers, &|forgery| forgery.sections.push((kind, vec![0; 16])));
                assert_eq!(surplus, (kind, SectionFault::Unexpected));
            }
        }
    }
}

#[test]
fn sections_that_overlap_repeat_or_leave_the_file_are_refused() {
    let file = random_model(CellKind::Lstm, SHAPE, Numbers::Int8, 1);
    let (header, length) = Header::read(file.as_bytes()).unwrap();
    let start = length.next_multiple_of(PAYLOAD_ALIGNMENT);
    let payload = &file.as_bytes()[start..file.as_bytes().len() - 4];
    let changed = |index: usize, change: &dyn Fn(&mut Section)| {
        let mut header = header.clone();
        change(&mut header.sections[index]);
        refusal(&seal(&header, payload))
    };
    for index in 0..header.sections.len() {
        for offset in [1, 8, 16, u32::MAX, u32::MAX - 15, header.sections[index].offset + 16] {
            if offset != header.sections[index].offset {
                let reason = changed(index, &|section| section.offset = offset);
                let is_misplaced =
                    matches!(reason, ModelError::Section { fault: SectionFault::Misplaced, .. });
                assert!(is_misplaced, "{index}, {offset}: {reason:?}");
            }
        }
        for length in [u32::MAX, u32::MAX - 15, 1 << 31] {
            // what follows is then misplaced; the last section leaves the file
            let reason = changed(index, &|section| section.length = length);
            let expected = matches!(
                reason,
                ModelError::Section { fault: SectionFault::Misplaced, .. } | ModelError::Truncated { .. }
            );
            assert!(expected, "{index}, {length}: {reason:?}");
        }
        let reason = changed(index, &|section| {
            section.kind = if index == 0 { SectionKind::Bias } else { SectionKind::Kernel };
        });
        assert!(
            matches!(reason, ModelError::Section { fault: SectionFault::Twice, .. }),
            "{index}: {reason:?}"
        );
    }
    // one section more than a header has room for: the count is the byte before the sections
    let mut bytes = file.as_bytes().to_vec();
    let table = postcard::to_stdvec(&header.sections).unwrap();
    let at = length - table.len();
    assert_eq!(&bytes[at..length], table);
    bytes[at] = MAX_SECTIONS as u8 + 1;
    assert_eq!(refusal(&sealed_again(bytes)), ModelError::Header);
}

#[test]
fn numbers_that_the_arithmetic_cannot_take_are_refused() {
    for cell in CellKind::ALL {
        for kind in [SectionKind::Multiplier, SectionKind::DenseMultiplier] {
            for value in [-1, i32::MIN] {
                let reason =
                    refused(cell, Numbers::Int8, |forgery| forgery.put(kind, 2, value.to_le_bytes()));
                assert_eq!(reason, ModelError::Multiplier { kind, row: 2 });
            }
        }
        for (kind, of) in
            [(SectionKind::Bias, SectionKind::Kernel), (SectionKind::DenseBias, SectionKind::DenseKernel)]
        {
            for value in [i32::MIN, i32::MAX, 1 << 23, -(1 << 23)] {
                let reason =
                    refused(cell, Numbers::Int8, |forgery| forgery.put(kind, 3, value.to_le_bytes()));
                assert!(
                    matches!(reason, ModelError::Accumulator { kind, row: 3, .. } if kind == of),
                    "{reason:?}"
                );
            }
        }
        let weights = [SectionKind::Kernel, SectionKind::RecurrentKernel, SectionKind::DenseKernel];
        for kind in weights {
            // 127 and -128 all over, with operands of 15 bits, are more than 2^23
            let reason = refused(cell, Numbers::Int8, |forgery| {
                forgery.header.operand_bits = 15;
                forgery.header.input = uniform(Samples::U8, SCALE, (0, 255), 7);
                let section = forgery.section(kind);
                section.iter_mut().for_each(|byte| *byte = 0x7f);
            });
            assert!(matches!(reason, ModelError::Accumulator { .. }), "{kind:?}: {reason:?}");
        }
    }
    let reason = refused(CellKind::Gru, Numbers::Int8, |forgery| {
        forgery.put(SectionKind::RecurrentBias, 3, i32::MIN.to_le_bytes());
    });
    // the fourth candidate: the second side of tile 1
    assert!(
        matches!(reason, ModelError::Accumulator { kind: SectionKind::Kernel, row: 11, .. }),
        "{reason:?}"
    );
}

#[test]
fn floats_that_are_not_finite_are_refused() {
    for cell in CellKind::ALL {
        let file = random_model(cell, SHAPE, Numbers::F32, 1);
        for (kind, _) in Forgery::of(file.as_bytes()).sections {
            if matches!(kind, SectionKind::SelfTestRows | SectionKind::SelfTestLogits) {
                continue;
            }
            for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let reason = refused(cell, Numbers::F32, |forgery| forgery.put(kind, 1, value.to_le_bytes()));
                assert_eq!(reason, ModelError::NotFinite { kind });
            }
        }
    }
}

/// A model for a sensor: three features with an offset and a gain each, two layers, two values.
fn sensor_model(cell: CellKind, numbers: Numbers, samples: Samples) -> ModelFile {
    Recordings::random(samples, 3, &[5, 8], regression(2), 1).model(cell, 5, 2, numbers)
}

#[test]
fn readings_that_the_arithmetic_cannot_take_are_refused() {
    for (cell, numbers) in kinds() {
        for samples in [Samples::I16, Samples::F32] {
            let file = sensor_model(cell, numbers, samples);
            let is_integer = numbers != Numbers::F32;
            let refused = |change: &dyn Fn(&mut Forgery<'_>)| {
                let mut forgery = Forgery::of(file.as_bytes());
                change(&mut forgery);
                refusal(&forgery.sealed())
            };
            let field = |name: &str, shift, limit| {
                let reason = refused(&|forgery| {
                    forgery.header.input.scaling = Scaling::PerFeature { shift, limit };
                });
                assert!(
                    matches!(reason, ModelError::Field { name: found, .. } if found == name),
                    "{reason:?}"
                );
            };
            field("input.shift", 8, if is_integer { 100 } else { 0 });
            for limit in if is_integer { &[0, 32_768, u16::MAX][..] } else { &[1, 100] } {
                field("input.limit", 0, *limit);
            }
            for kind in [SectionKind::InputOffset, SectionKind::InputGain, SectionKind::OutputScaling] {
                let fault = |fault| ModelError::Section { kind, fault };
                let is = |section: &(SectionKind, Vec<u8>)| section.0 == kind;
                let missing = refused(&|forgery| forgery.sections.retain(|section| !is(section)));
                assert_eq!(missing, fault(SectionFault::Missing));
                let longer = refused(&|forgery| forgery.section(kind).extend([0; 4]));
                let expected = if kind == SectionKind::OutputScaling { 16 } else { 12 };
                assert_eq!(longer, fault(SectionFault::Length { found: expected + 4, expected }));
                let is_float = kind == SectionKind::OutputScaling || !is_integer || samples == Samples::F32;
                if is_float {
                    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                        let reason = refused(&|forgery| forgery.put(kind, 1, value.to_le_bytes()));
                        assert_eq!(reason, ModelError::NotFinite { kind });
                    }
                }
            }
            if is_integer && samples == Samples::I16 {
                for offset in [OFFSET_LIMIT as i32 + 1, -(OFFSET_LIMIT as i32) - 1, i32::MIN, i32::MAX] {
                    let reason =
                        refused(&|forgery| forgery.put(SectionKind::InputOffset, 2, offset.to_le_bytes()));
                    assert_eq!(reason, ModelError::Offset { feature: 2 });
                }
                let kind = SectionKind::InputGain;
                let reason = refused(&|forgery| forgery.put(kind, 0, (-1i32).to_le_bytes()));
                assert_eq!(reason, ModelError::Multiplier { kind, row: 0 });
            }
        }
    }
}

#[test]
fn scalings_that_do_not_belong_together_are_refused() {
    for (cell, numbers) in kinds() {
        let reason = refused(cell, numbers, |forgery| forgery.header.input.samples = Samples::F32);
        assert_eq!(reason, ModelError::InputScaling);
        for kind in [SectionKind::InputOffset, SectionKind::InputGain, SectionKind::OutputScaling] {
            let reason = refused(cell, numbers, |forgery| forgery.sections.push((kind, vec![0; 24])));
            assert_eq!(reason, ModelError::Section { kind, fault: SectionFault::Unexpected });
        }
        for labels in ["one", "one\ntwo", "one\ntwo\nthree\n"] {
            let reason = refused(cell, numbers, |forgery| forgery.header.labels = labels);
            let found = labels.split('\n').count();
            assert_eq!(reason, ModelError::OutputNames { found, expected: 3 });
        }
    }
}

#[test]
fn every_layer_has_its_bound() {
    for numbers in [Numbers::Int8, Numbers::Int4] {
        for cell in CellKind::ALL {
            let file = sensor_model(cell, numbers, Samples::I16);
            let mut forgery = Forgery::of(file.as_bytes());
            let rows = forgery.section(SectionKind::Bias).len() / 4;
            for row in [0, rows / 2, rows - 1] {
                let mut forgery = forgery.clone();
                forgery.put(SectionKind::Bias, row, (1i32 << 23).to_le_bytes());
                let reason = refusal(&forgery.sealed());
                let of_that_row = |reason: &ModelError| matches!(reason, ModelError::Accumulator { kind: SectionKind::Kernel, row: found, .. } if *found == row);
                assert!(of_that_row(&reason), "{cell}, {row}: {reason:?}");
            }
        }
    }
}

#[test]
fn a_flipped_bit_of_the_header_is_damage() {
    let file = random_model(CellKind::Lstm, SHAPE, Numbers::Int8, 1);
    let (_, length) = Header::read(file.as_bytes()).expect("a sound file");
    let mut damaged = 0;
    for bit in 0..length * 8 {
        let mut bytes = file.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match refusal(&bytes) {
            ModelError::Crc { .. } => damaged += 1,
            ModelError::Magic { .. } => assert!(bit < 32, "bit {bit}"),
            // the length of the last section says where the file ends
            ModelError::Truncated { .. } | ModelError::TrailingBytes { .. } => {}
            other => panic!("bit {bit}: {other:?}"),
        }
    }
    assert!(damaged > length * 8 * 8 / 10, "{damaged} of {} bits", length * 8);
}

#[test]
fn the_bound_is_exact() {
    // One row of no weights: its bias alone is the sum.
    let limit = ACCUMULATOR_LIMIT as i32;
    for cell in CellKind::ALL {
        let file = random_model(cell, SHAPE, Numbers::Int8, 1);
        let with_bias = |bias: i32| {
            let mut forgery = Forgery::of(file.as_bytes());
            for kind in [SectionKind::Kernel, SectionKind::RecurrentKernel] {
                forgery.section(kind).fill(0);
            }
            forgery.put(SectionKind::Bias, 0, bias.to_le_bytes());
            ModelFile::from_bytes("forged", &forgery.sealed())
        };
        for sign in [1, -1] {
            assert!(with_bias(sign * (limit - 1)).is_ok(), "{cell}");
            assert!(with_bias(sign * limit).is_err(), "{cell}");
        }
    }
}

/// A model of random sections whose sums go right up to the bound.
fn hostile(cell: CellKind, of: Numbers) -> impl Strategy<Value = Vec<u8>> {
    let numbers = (any::<u64>(), 4u8..=15, 12u8..=29, -15i8..=7, -32767i16..=0, 0i16..=255);
    numbers.prop_map(move |(seed, operand_bits, cell_bits, shift, min, max)| {
        let file = random_model(cell, SHAPE, of, 1);
        let mut forgery = Forgery::of(file.as_bytes());
        forgery.header.operand_bits = operand_bits;
        forgery.header.cell_bits = if cell == CellKind::Lstm { cell_bits } else { 0 };
        // after a left shift an operand still has 16 bits
        forgery.header.input = uniform(Samples::I16, SCALE, (-(min.abs() >> shift.max(0)), max), shift);
        let is_self_test = |kind| matches!(kind, SectionKind::SelfTestRows | SectionKind::SelfTestLogits);
        forgery.sections.retain(|(kind, _)| !is_self_test(*kind));
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        for (kind, bytes) in &mut forgery.sections {
            for number in bytes.as_chunks_mut::<4>().0 {
                let bits = rng.next_u32();
                *number = match kind {
                    // nibbles are small enough as they are
                    SectionKind::Kernel | SectionKind::RecurrentKernel if of == Numbers::Int4 => {
                        bits.to_le_bytes()
                    }
                    // from -16 to 16: with eight columns of units and four of inputs, padding included, the
                    // weights alone stay below the bound
                    SectionKind::Kernel | SectionKind::RecurrentKernel | SectionKind::DenseKernel => {
                        bits.to_le_bytes().map(|byte| (byte as i8 >> 3) as u8)
                    }
                    SectionKind::Multiplier | SectionKind::DenseMultiplier => {
                        (i32::MAX >> [0, 0, 8, 16][bits as usize % 4]).to_le_bytes()
                    }
                    _ => [0i32, 8_388_607, -8_388_607, 100_000][bits as usize % 4].to_le_bytes(),
                };
            }
        }
        within_the_bound(forgery)
    })
}

/// The file with biases just so small that the runtime takes it.
fn within_the_bound(mut forgery: Forgery<'_>) -> Vec<u8> {
    loop {
        let bytes = forgery.clone().sealed();
        match ModelFile::from_bytes("hostile", &bytes) {
            Err(ModelFileError::Model { reason: ModelError::Accumulator { kind, row, bound }, .. }) => {
                let surplus = (bound - ACCUMULATOR_LIMIT + 1) as i32;
                let own =
                    if kind == SectionKind::Kernel { SectionKind::Bias } else { SectionKind::DenseBias };
                if !forgery.shrink(own, row, surplus) {
                    forgery.shrink(SectionKind::RecurrentBias, row / 6 * 2 + row % 6 - 4, surplus);
                }
            }
            _ => return bytes,
        }
    }
}

/// Runs rows of extreme samples; every overflow would panic, as tests check them.
fn run_extremes(bytes: &[u8]) {
    let file = ModelFile::from_bytes("hostile", bytes).expect("its sums were brought within the bound");
    let model = file.model();
    let row = model.header().row_bytes();
    let timesteps = 40;
    let mut hidden = vec![0.0; timesteps * usize::from(SHAPE.units)];
    let mut logits = [0; 4 * SHAPE.outputs as usize];
    for pattern in [[0x00, 0x80], [0xff, 0x7f], [0xff, 0xff], [0x00, 0x00], [0x34, 0x12]] {
        let sequence: Vec<u8> = pattern.into_iter().cycle().take(row * timesteps).collect();
        model.classify(&sequence, &mut logits).expect("whole rows");
        model.trace(&sequence, &mut hidden).expect("whole rows");
        assert!(hidden.iter().all(|h| h.abs() < 1.0), "{hidden:?}");
    }
}

proptest! {
    #[test]
    fn a_simple_rnn_at_the_bound_runs_without_overflow(bytes in hostile(CellKind::SimpleRnn, Numbers::Int8)) {
        run_extremes(&bytes);
    }

    #[test]
    fn an_lstm_at_the_bound_runs_without_overflow(bytes in hostile(CellKind::Lstm, Numbers::Int8)) {
        run_extremes(&bytes);
    }

    #[test]
    fn a_gru_at_the_bound_runs_without_overflow(bytes in hostile(CellKind::Gru, Numbers::Int8)) {
        run_extremes(&bytes);
    }

    #[test]
    fn a_simple_rnn_of_nibbles_runs_without_overflow(bytes in hostile(CellKind::SimpleRnn, Numbers::Int4)) {
        run_extremes(&bytes);
    }

    #[test]
    fn an_lstm_of_nibbles_runs_without_overflow(bytes in hostile(CellKind::Lstm, Numbers::Int4)) {
        run_extremes(&bytes);
    }

    #[test]
    fn a_gru_of_nibbles_runs_without_overflow(bytes in hostile(CellKind::Gru, Numbers::Int4)) {
        run_extremes(&bytes);
    }
}
