//! Headers: fields out of range, text that is none, and flipped bits.

use refrain::{CellKind, Header, ModelError, Numbers, Samples};
use refrain_tests::random_model;

use crate::forgery::{SCALE, SHAPE, kinds, refusal, refused, sealed_again, uniform};

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
        ModelError::Field { field: found, .. } => assert_eq!(found.name(), field),
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
        field(cell, numbers, "name's length", &|header| header.name = LONG_NAME.into());
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
