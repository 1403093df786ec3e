//! What a checkpoint keeps, and every way in which a file can be spoilt.

use super::*;

fn checkpoint(cell: CellKind) -> Checkpoint {
    Checkpoint {
        network: Network::new(cell, Shape { inputs: 2, units: 2, outputs: 3, layers: 1 }, 9),
        seed: 9,
        recipe: "article".into(),
        epochs: 4,
        timesteps: 9,
        input_scale: 1.0 / 255.0,
        class_names: ["rest", "walk", "run"].map(String::from).into(),
    }
}

/// The fault of a whole file with a right checksum whose body was changed by `spoil`.
fn fault_of(spoil: impl Fn(&mut Body)) -> Fault {
    let mut body = checkpoint(CellKind::Gru).body();
    spoil(&mut body);
    Checkpoint::from_bytes(&body.to_bytes()).unwrap_err()
}

#[test]
fn a_file_holds_all_of_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    for cell in CellKind::ALL {
        let path = folder.path().join("model.ckpt");
        checkpoint(cell).save(&path).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap(), checkpoint(cell));
        assert_eq!(std::fs::read(&path).unwrap(), checkpoint(cell).to_bytes(), "equal runs make equal files");
    }
}

#[test]
fn the_layout_is_the_documented_one() {
    let bytes = checkpoint(CellKind::SimpleRnn).to_bytes();
    let end = bytes.len() - 4;
    assert_eq!(bytes[..12], *b"REFRCKPT\x01\0\0\0");
    assert_eq!(bytes[12..20], (bytes.len() as u64 - 24).to_le_bytes());
    // cell, inputs, units, outputs, seed, recipe
    assert_eq!(bytes[20..33], *b"\x00\x02\x02\x03\x09\x07article");
    assert_eq!(bytes[end..], CRC.checksum(&bytes[..end]).to_le_bytes());
}

#[test]
fn every_flipped_bit_is_noticed() {
    let whole = checkpoint(CellKind::Lstm).to_bytes();
    for bit in 0..8 * whole.len() {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let fault = Checkpoint::from_bytes(&bytes).unwrap_err();
        let right = match bit / 8 {
            0..8 => fault == Fault::Magic,
            8..12 => matches!(fault, Fault::Version { .. }),
            12..20 => matches!(fault, Fault::Length { .. }),
            _ => matches!(fault, Fault::Checksum { .. }),
        };
        assert!(right, "bit {bit}: {fault}");
    }
}

#[test]
fn every_cut_is_noticed() {
    let whole = checkpoint(CellKind::Lstm).to_bytes();
    for length in 0..whole.len() {
        let fault = Checkpoint::from_bytes(&whole[..length]).unwrap_err();
        assert!(matches!(fault, Fault::Length { .. }), "{length} bytes: {fault}");
    }
    let longer = [whole.as_slice(), &[0]].concat();
    assert!(matches!(Checkpoint::from_bytes(&longer), Err(Fault::Length { .. })));
}

#[test]
fn another_kind_of_file_is_refused() {
    assert_eq!(Checkpoint::from_bytes(b"\x1f\x8b\x08 and so on"), Err(Fault::Magic));
    assert_eq!(Checkpoint::from_bytes(b"no"), Err(Fault::Magic));
}

#[test]
fn weights_that_are_not_finite_are_refused() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let fault = fault_of(|body| body.tensors[1].values[5] = value);
        let Fault::NotFinite { tensor, element: 5, .. } = fault else { panic!("{fault}") };
        assert_eq!(tensor, "cell/recurrent_kernel");
    }
}

#[test]
fn tensors_of_another_network_are_refused() {
    let spoils: [fn(&mut Body); 6] = [
        |body| body.cell = CellKind::Lstm,
        |body| body.shape.units = 3,
        |body| body.tensors[2].shape = vec![12],
        |body| body.tensors[0].name = "cell/other".into(),
        |body| body.tensors[8].values.truncate(2),
        |body| body.tensors.truncate(8),
    ];
    for (index, spoil) in spoils.into_iter().enumerate() {
        assert!(matches!(fault_of(spoil), Fault::Tensor { .. }), "spoil {index}");
    }
}

#[test]
fn impossible_sizes_are_refused() {
    let spoils: [fn(&mut Body); 4] = [
        |body| body.shape.inputs = 0,
        |body| body.shape.units = 0,
        |body| body.shape.units = u16::MAX,
        |body| body.shape.outputs = 257,
    ];
    for spoil in spoils {
        assert!(matches!(fault_of(spoil), Fault::Shape(_)));
    }
}

#[test]
fn scale_and_class_names_are_checked() {
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(matches!(fault_of(|body| body.input_scale = scale), Fault::InputScale(_)));
    }
    let fault = fault_of(|body| body.class_names.truncate(2));
    assert_eq!(fault, Fault::ClassNames { found: 2, expected: 3 });
}

#[test]
fn a_body_of_another_make_is_refused() {
    let mut bytes = checkpoint(CellKind::Gru).to_bytes();
    bytes.truncate(bytes.len() - CRC_BYTES);
    // There is no cell of that number.
    bytes[HEAD_BYTES] = 7;
    bytes.extend(CRC.checksum(&bytes).to_le_bytes());
    assert!(matches!(Checkpoint::from_bytes(&bytes), Err(Fault::Body(_))));
}

#[test]
fn errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.ckpt");
    let message = Checkpoint::load(&path).unwrap_err().to_string();
    assert!(message.starts_with("cannot read the checkpoint") && message.contains("model.ckpt"), "{message}");

    std::fs::write(&path, b"REFRCKPT\x02\0\0\0").unwrap();
    let message = Checkpoint::load(&path).unwrap_err().to_string();
    assert!(message.contains("model.ckpt") && message.contains("format version 2"), "{message}");

    let missing = folder.path().join("none/model.ckpt");
    let message = checkpoint(CellKind::Gru).save(&missing).unwrap_err().to_string();
    assert!(message.starts_with("cannot write the checkpoint") && message.contains("none"), "{message}");
}
