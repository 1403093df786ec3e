//! Exported networks against the networks that they came from.

use ndarray::Array3;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use refrain::{AnyModel, CellKind, Numbers, Shape};

use super::*;
use crate::data::Split;
use crate::model_file::AlignedBytes;

fn metadata(classes: usize) -> Metadata {
    Metadata {
        name: "test".into(),
        timesteps: 9,
        scaling: InputScaling::PIXELS,
        task: Task::classification((0..classes).map(|class| format!("class {class}"))),
    }
}

/// A network whose biases and batch normalisation are not those of a new one.
fn network(cell: CellKind, shape: Shape, seed: u64) -> Network {
    let mut network = Network::new(cell, shape, seed);
    let rng = &mut ChaCha8Rng::seed_from_u64(seed + 100);
    for mut parameter in network.parameters_mut() {
        let spread = if parameter.name.ends_with("kernel") { 0.0 } else { 0.3 };
        parameter.values.mapv_inplace(|v| v + spread * (rng.next_u32() as f32 / u32::MAX as f32 - 0.5));
    }
    network
}

fn samples(count: usize, timesteps: usize, inputs: usize) -> Split {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let pixels = Array3::from_shape_simple_fn((count, timesteps, inputs), || {
        let bits = rng.next_u32();
        if bits % 3 == 0 { 0 } else { (bits >> 8) as u8 }
    });
    Split::of_images(pixels, vec![0; count], "sequences", "no labels").unwrap()
}

const SHAPES: [(u16, u16, u16); 6] =
    [(28, 64, 10), (1, 1, 1), (3, 5, 2), (5, 7, 3), (9, 33, 4), (130, 66, 11)];

#[test]
fn int8_follows_f32_for_every_cell_and_shape() {
    for cell in CellKind::ALL {
        for (inputs, units, outputs) in SHAPES {
            let shape = Shape { inputs, units, outputs, layers: 1 };
            let (network, metadata) = (network(cell, shape, 3), metadata(outputs.into()));
            let x = samples(20, 9, inputs.into());
            let file = export(&network, &metadata, Numbers::Int8, x.view()).unwrap();
            file.model().self_test().unwrap();
            let report = Report::new(&network, &metadata, &file, x.view());
            for layer in &report.layers {
                assert!(layer.rms < 0.02 * layer.signal_rms.max(0.5), "{cell}, {shape}: {layer:?}");
            }
        }
    }
}

#[test]
fn f32_models_follow_the_trainer_closely() {
    for cell in CellKind::ALL {
        for (inputs, units, outputs) in SHAPES {
            let shape = Shape { inputs, units, outputs, layers: 1 };
            let (network, metadata) = (network(cell, shape, 5), metadata(outputs.into()));
            let x = samples(20, 9, inputs.into());
            let file = export(&network, &metadata, Numbers::F32, x.view()).unwrap();
            file.model().self_test().unwrap();
            let report = Report::new(&network, &metadata, &file, x.view());
            for layer in &report.layers {
                assert!(layer.max < 2e-5, "{cell}, {shape}: {layer:?}");
            }
        }
    }
}

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
fn a_bias_beside_tiny_weights_stays_inside_the_accumulator() {
    let shape = Shape { inputs: 4, units: 6, outputs: 3, layers: 1 };
    let x = samples(30, 9, 4);
    for cell in CellKind::ALL {
        let mut network = network(cell, shape, 1);
        network.layers[0].kernel.fill(1e-20);
        network.layers[0].recurrent_kernel.fill(-1e-20);
        let file = export(&network, &metadata(3), Numbers::Int8, x.view()).unwrap();
        let report = Report::new(&network, &metadata(3), &file, x.view());
        assert!(report.layers[0].max < 0.001, "{cell}: {report:?}");
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
fn a_state_may_be_saved_and_resumed() {
    let shape = Shape { inputs: 4, units: 6, outputs: 3, layers: 1 };
    let file =
        export(&network(CellKind::Lstm, shape, 2), &metadata(3), Numbers::Int8, samples(9, 9, 4).view())
            .unwrap();
    let model = refrain::Lstm::<4, 6, 3>::from_bytes(file.as_bytes()).unwrap();
    let mut state = refrain::State::new();
    for step in 0..5u8 {
        model.step(&mut state, &[step, 2, 3, 200]);
    }
    let mut saved = state;
    let rest = [[9u8, 9, 9, 9], [0, 0, 0, 0], [255, 0, 1, 2]];
    rest.iter().for_each(|row| model.step(&mut state, row));
    rest.iter().for_each(|row| model.step(&mut saved, row));
    assert_eq!(model.logits(&state), model.logits(&saved));
    state.reset();
    assert_eq!(state, refrain::State::new());
}

#[test]
fn samples_outside_the_range_count_as_the_nearest_inside() {
    let shape = Shape { inputs: 2, units: 4, outputs: 2, layers: 1 };
    let file =
        export(&network(CellKind::Gru, shape, 2), &metadata(2), Numbers::Int8, samples(9, 9, 2).view())
            .unwrap();
    let model = refrain::Gru::<2, 4, 2>::from_bytes(file.as_bytes()).unwrap();
    let after = |row: [i16; 2]| {
        let mut state = refrain::State::new();
        model.step(&mut state, &row);
        state
    };
    assert_eq!(after([i16::MIN, i16::MAX]), after([0, 255]));
    assert_ne!(after([0, 254]), after([0, 255]));
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
