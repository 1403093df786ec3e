//! What is exported and what is refused: bytes that are always the same, sums that stay inside the accumulator, and files
//! that are not the ones asked for.

use refrain::{AnyModel, CellKind, Numbers, Shape};

use super::{metadata, network, samples};
use crate::data::Task;
use crate::model_file::AlignedBytes;
use crate::nn::Network;
use crate::quantise::{Metadata, export};

#[test]
fn equal_arguments_give_equal_bytes() {
    let shape = Shape { inputs: 4, units: 6, outputs: 3, layers: 1 };
    let of = |seed| {
        let network = network(CellKind::Lstm, shape, seed);
        export(&network, &metadata(3), Numbers::Int8, samples(5, 9, 4).view()).unwrap().as_bytes().to_vec()
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn large_weights_and_biases_stay_inside_the_accumulator() {
    let shape = Shape { inputs: 512, units: 512, outputs: 3, layers: 1 };
    for cell in CellKind::ALL {
        let mut network = network(cell, shape, 1);
        network.layers[0].kernel.fill(3.0);
        network.layers[0].recurrent_kernel.fill(-3.0);
        network.layers[0].bias.fill(50.0);
        // `export` reads the file back, and the runtime refuses rows that could overflow
        export(&network, &metadata(3), Numbers::Int8, samples(2, 3, 512).view()).unwrap();
    }
}

#[test]
fn what_cannot_be_exported_is_named() {
    let shape = Shape { inputs: 4, units: 6, outputs: 3, layers: 1 };
    let x = samples(2, 3, 4);
    let refused = |change: fn(&mut Network, &mut Metadata), expected: &str| {
        let (mut network, mut metadata) = (network(CellKind::Gru, shape, 1), metadata(3));
        change(&mut network, &mut metadata);
        let message = export(&network, &metadata, Numbers::Int8, x.view()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    };
    refused(|network, _| network.layers[0].recurrent_kernel[[1, 1]] = f32::NAN, "cell/recurrent_kernel");
    refused(|network, _| network.dense.bias[0] = f32::INFINITY, "dense/bias");
    refused(|network, _| network.layers[0].kernel.fill(1e9), "too large");
    refused(|_, metadata| metadata.name = "n".repeat(256), "name has 256 bytes, at most 255");
    refused(|_, metadata| metadata.task = Task::classification(["one", "two\nlines", "three"]), "line break");
}

#[test]
fn a_file_of_another_kind_is_refused_by_name() {
    let shape = Shape { inputs: 4, units: 6, outputs: 3, layers: 1 };
    let network = network(CellKind::Gru, shape, 2);
    let file = export(&network, &metadata(3), Numbers::Int8, samples(2, 3, 4).view()).unwrap();
    let bytes = file.as_bytes();
    let error = |result: Result<(), refrain::ModelError>| result.unwrap_err().to_string();
    assert_eq!(
        error(refrain::Lstm::<4, 6, 3>::from_bytes(bytes).map(drop)),
        "the model is of cell gru, expected lstm"
    );
    assert_eq!(
        error(refrain::FloatGru::<4, 6, 3>::from_bytes(bytes).map(drop)),
        "the model computes with int8, expected f32"
    );
    assert_eq!(
        error(refrain::Gru::<4, 8, 3>::from_bytes(bytes).map(drop)),
        "the model has 4 inputs, 6 units, 3 outputs; expected 4 inputs, 8 units, 3 outputs"
    );
}

#[test]
fn any_flipped_bit_and_any_cut_is_refused() {
    let shape = Shape { inputs: 2, units: 3, outputs: 2, layers: 1 };
    let network = network(CellKind::Lstm, shape, 2);
    let file = export(&network, &metadata(2), Numbers::Int8, samples(2, 3, 2).view()).unwrap();
    let bytes = file.as_bytes();
    for length in 0..bytes.len() {
        let cut = AlignedBytes::copy_of(&bytes[..length]);
        assert!(AnyModel::from_bytes(cut.as_slice()).is_err(), "cut to {length} bytes");
    }
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let flipped = AlignedBytes::copy_of(&flipped);
        assert!(AnyModel::from_bytes(flipped.as_slice()).is_err(), "bit {bit}");
    }
    let longer = AlignedBytes::copy_of(&[bytes, &[0]].concat());
    assert!(AnyModel::from_bytes(longer.as_slice()).is_err());
    // a buffer of u128 begins at a multiple of 16, so one byte further does not
    let shifted = AlignedBytes::copy_of(&[&[0], bytes].concat());
    let error = AnyModel::from_bytes(&shifted.as_slice()[1..]).unwrap_err();
    assert_eq!(error, refrain::ModelError::Misaligned { remainder: 1 });
}
