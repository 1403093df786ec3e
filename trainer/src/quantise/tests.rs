//! Exported networks against the networks that they came from.

use ndarray::{Array2, Array3};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use refrain::{AnyModel, CellKind, Numbers, OutputFormat, Samples, Shape, State, Steps};

use super::*;
use crate::data::{Sequences, Split, Targets, Values, ValuesView};
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

/// Sequences of features of wildly different offsets and ranges, as readings of that type, and their scaling.
fn readings(samples: Samples, count: usize, timesteps: usize, inputs: usize) -> (Split, InputScaling) {
    let rng = &mut ChaCha8Rng::seed_from_u64(11);
    // bytes have less room for ranges: from 4 of 255 to all
    let of = |feature: usize| match samples {
        Samples::U8 => (40.0 + 30.0 * (feature % 6) as f32, 2.0 + 10.0 * (feature % 3) as f32),
        Samples::I16 => (-20_000.0 + 9000.0 * (feature % 5) as f32, [3.0, 60.0, 3000.0][feature % 3]),
        Samples::F32 => (-1e3 + 1e3 * (feature % 3) as f32, [1e-3, 2.0, 1e6][feature % 3]),
    };
    let values: Vec<f32> = (0..count * timesteps * inputs)
        .map(|index| {
            let (mean, deviation) = of(index % inputs);
            // uniform between -√3 and √3 has a deviation of 1
            mean + deviation * 3.464 * (rng.next_u32() as f32 / u32::MAX as f32 - 0.5)
        })
        .collect();
    let values = match samples {
        Samples::U8 => Values::U8(values.iter().map(|&value| value.round() as u8).collect()),
        Samples::I16 => Values::I16(values.iter().map(|&value| value.round() as i16).collect()),
        Samples::F32 => Values::F32(values),
    };
    let lengths: Vec<usize> = (0..count).map(|index| timesteps - index % 3).collect();
    let total: usize = lengths.iter().sum();
    let values = match values {
        Values::U8(values) => Values::U8(values[..total * inputs].to_vec()),
        Values::I16(values) => Values::I16(values[..total * inputs].to_vec()),
        Values::F32(values) => Values::F32(values[..total * inputs].to_vec()),
    };
    let (mean, deviation) = (0..inputs).map(of).unzip();
    let sequences = Sequences::ragged(values, inputs, &lengths);
    let split = Split::new(sequences, Targets::Labels(vec![0; count]), false, "readings", "none").unwrap();
    (split, InputScaling::PerFeature { mean, deviation })
}

const SAMPLES: [Samples; 3] = [Samples::U8, Samples::I16, Samples::F32];

#[test]
fn every_kind_of_reading_is_standardised_in_the_model() {
    for cell in CellKind::ALL {
        for samples in SAMPLES {
            let shape = Shape { inputs: 7, units: 20, outputs: 3, layers: 1 };
            let network = network(cell, shape, 3);
            let (x, scaling) = readings(samples, 20, 9, 7);
            let metadata = Metadata { scaling, ..metadata(3) };
            for (numbers, part) in [(Numbers::Int8, 0.02), (Numbers::F32, 1e-4)] {
                let file = export(&network, &metadata, numbers, x.view()).unwrap();
                assert_eq!(file.model().header().input.samples, samples);
                file.model().self_test().unwrap();
                let report = Report::new(&network, &metadata, &file, x.view());
                for layer in &report.layers {
                    let most = part * layer.signal_rms.max(0.5);
                    assert!(layer.rms < most, "{cell}, {samples}, {numbers}: {layer:?}");
                }
            }
        }
    }
}

#[test]
fn layers_stand_one_upon_the_other() {
    for cell in CellKind::ALL {
        for layers in 1..=3 {
            let shape = Shape { inputs: 7, units: 13, outputs: 3, layers };
            let network = network(cell, shape, 3);
            let (x, scaling) = readings(Samples::I16, 20, 9, 7);
            let metadata = Metadata { scaling, ..metadata(3) };
            for (numbers, part) in [(Numbers::Int8, 0.02), (Numbers::F32, 1e-4)] {
                let file = export(&network, &metadata, numbers, x.view()).unwrap();
                file.model().self_test().unwrap();
                let report = Report::new(&network, &metadata, &file, x.view());
                assert_eq!(report.layers.len(), usize::from(layers) + 1);
                for layer in &report.layers {
                    let most = part * layer.signal_rms.max(0.5);
                    assert!(layer.rms < most, "{cell}, {layers} layers, {numbers}: {layer:?}");
                }
            }
        }
    }
}

#[test]
fn four_bits_follow_f32_as_far_as_they_can_and_take_half_the_flash() {
    for cell in CellKind::ALL {
        for (inputs, units, outputs) in SHAPES {
            let shape = Shape { inputs, units, outputs, layers: 2 };
            let (network, metadata) = (network(cell, shape, 3), metadata(outputs.into()));
            let x = samples(20, 9, inputs.into());
            let file = export(&network, &metadata, Numbers::Int4, x.view()).unwrap();
            file.model().self_test().unwrap();
            let report = Report::new(&network, &metadata, &file, x.view());
            for layer in &report.layers {
                assert!(layer.rms < 0.35 * layer.signal_rms.max(0.5), "{cell}, {shape}: {layer:?}");
            }
            let int8 = export(&network, &metadata, Numbers::Int8, x.view()).unwrap();
            for kind in [SectionKind::Kernel, SectionKind::RecurrentKernel] {
                let length = |file: &ModelFile| {
                    let model = file.model();
                    model.header().sections.iter().find(|section| section.kind == kind).unwrap().length
                };
                assert_eq!(length(&file) * 2, length(&int8), "{cell}, {shape}");
            }
        }
    }
}

#[test]
fn weights_that_four_bits_hold_compute_what_eight_bits_compute() {
    // every row has weights of -7 to 7 times one scale, so that both round to the same real numbers
    let shape = Shape { inputs: 6, units: 9, outputs: 3, layers: 2 };
    for cell in CellKind::ALL {
        let mut network = network(cell, shape, 3);
        for layer in &mut network.layers {
            let weight = |(row, column): (usize, usize)| {
                if row == 0 { 7.0 / 16.0 } else { ((row * 5 + column * 3) % 15) as f32 / 16.0 - 7.0 / 16.0 }
            };
            layer.kernel = Array2::from_shape_fn(layer.kernel.dim(), weight);
            layer.recurrent_kernel = Array2::from_shape_fn(layer.recurrent_kernel.dim(), weight);
        }
        // operands of inputs and of hidden states are alike: x = sample / 256
        let metadata = Metadata { scaling: InputScaling::Uniform { scale: 1.0 / 256.0 }, ..metadata(3) };
        let x = samples(20, 9, 6);
        let [four, eight] = [Numbers::Int4, Numbers::Int8].map(|numbers| {
            let file = export(&network, &metadata, numbers, x.view()).unwrap();
            Report::new(&network, &metadata, &file, x.view())
        });
        for (four, eight) in four.layers.iter().zip(&eight.layers) {
            assert!(four.rms < 1.5 * eight.rms + 1e-3, "{cell}: {four:?}, {eight:?}");
        }
    }
}

#[test]
fn typed_models_compute_what_the_tools_compute() {
    let shape = Shape { inputs: 3, units: 5, outputs: 2, layers: 2 };
    let (x, scaling) = readings(Samples::F32, 6, 9, 3);
    let metadata = Metadata { scaling, ..metadata(2) };
    let file = export(&network(CellKind::Lstm, shape, 4), &metadata, Numbers::Int8, x.view()).unwrap();
    let model = refrain::Lstm::<3, 5, 2, 2, f32>::from_bytes(file.as_bytes()).unwrap();
    for index in 0..6 {
        let mut state = State::new();
        let ValuesView::F32(values) = x.view().sequence(index) else { panic!("floats") };
        for row in values.as_chunks::<3>().0 {
            model.step(&mut state, row);
        }
        let mut logits = [0; 8];
        file.model().classify(&x.view().sequence(index).to_bytes(), &mut logits).unwrap();
        assert_eq!(model.logits(&state).map(i32::to_le_bytes).as_flattened(), logits);
    }
    let error = refrain::Lstm::<3, 5, 2, 2>::from_bytes(file.as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model takes samples of f32, expected u8 or i16: give the model's type f32 as its samples"
    );
}

#[test]
fn readings_of_another_type_are_converted() {
    let shape = Shape { inputs: 3, units: 5, outputs: 2, layers: 1 };
    let exported = |samples| {
        let (x, scaling) = readings(samples, 6, 9, 3);
        let metadata = Metadata { scaling, ..metadata(2) };
        export(&network(CellKind::Gru, shape, 4), &metadata, Numbers::Int8, x.view()).unwrap()
    };
    let file = exported(Samples::U8);
    let model = refrain::Gru::<3, 5, 2>::from_bytes(file.as_bytes()).unwrap();
    let mut states = [State::new(); 3];
    model.step(&mut states[0], &[0u8, 255, 128]);
    model.step(&mut states[1], &[-7i16, 300, 128]);
    model.step(&mut states[2], &[f32::NAN, f32::INFINITY, 127.6]);
    assert_eq!(states[0], states[1]);
    assert_eq!(states[0], states[2]);
    let file = exported(Samples::F32);
    let model = refrain::Gru::<3, 5, 2, 1, f32>::from_bytes(file.as_bytes()).unwrap();
    let mut states = [State::new(); 2];
    model.step(&mut states[0], &[5i16, -3, 0]);
    model.step(&mut states[1], &[5.0f32, -3.0, 0.0]);
    assert_eq!(states[0], states[1]);
}

#[test]
fn a_reading_that_is_no_number_counts_as_the_mean() {
    let shape = Shape { inputs: 3, units: 5, outputs: 2, layers: 1 };
    let (x, scaling) = readings(Samples::F32, 6, 9, 3);
    let InputScaling::PerFeature { mean, .. } = &scaling else { panic!("per feature") };
    let mean = [mean[0], mean[1], mean[2]];
    let metadata = Metadata { scaling, ..metadata(2) };
    let network = network(CellKind::Lstm, shape, 4);
    let file = export(&network, &metadata, Numbers::Int8, x.view()).unwrap();
    let model = refrain::Lstm::<3, 5, 2, 1, f32>::from_bytes(file.as_bytes()).unwrap();
    let after = |row: [f32; 3]| {
        let mut state = State::new();
        model.step(&mut state, &row);
        state
    };
    assert_eq!(after([f32::NAN; 3]), after(mean));
    assert_eq!(after([f32::INFINITY; 3]), after([f32::MAX; 3]));
    assert_ne!(after([f32::INFINITY; 3]), after([f32::NEG_INFINITY; 3]));
    let file = export(&network, &metadata, Numbers::F32, x.view()).unwrap();
    let model = refrain::FloatLstm::<3, 5, 2>::from_bytes(file.as_bytes()).unwrap();
    let mut state = State::new();
    model.step(&mut state, &[f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
    assert!(model.logits(&state).iter().all(|logit| logit.is_finite()));
}

#[test]
fn outliers_and_tiny_deviations_keep_a_format() {
    let shape = Shape { inputs: 3, units: 5, outputs: 2, layers: 1 };
    let mut values: Vec<i16> =
        (0..600).map(|index| [7, -30_000, 9][index % 3] + (index % 5) as i16).collect();
    values[300] = 32_767;
    let sequences = Sequences::equal(Values::I16(values), [20, 10, 3]);
    let x = Split::new(sequences, Targets::Labels(vec![0; 20]), false, "readings", "none").unwrap();
    // as of a feature that hardly ever moves
    let scaling =
        InputScaling::PerFeature { mean: vec![9.0, -29_998.0, 11.0], deviation: vec![1.5, 0.02, 40.0] };
    let metadata = Metadata { scaling, ..metadata(2) };
    let network = network(CellKind::Gru, shape, 4);
    let file = export(&network, &metadata, Numbers::Int8, x.view()).unwrap();
    let report = Report::new(&network, &metadata, &file, x.view());
    assert!(report.layers[0].rms < 0.05, "{report:?}");
}

#[test]
fn a_regression_gives_values_in_their_own_units() {
    let shape = Shape { inputs: 3, units: 5, outputs: 2, layers: 1 };
    let (x, scaling) = readings(Samples::I16, 6, 9, 3);
    let task = Task {
        kind: Kind::Regression {
            names: vec!["volts".into(), "amperes".into()],
            scaling: TargetScaling { mean: vec![230.0, -2.0], deviation: vec![10.0, 0.5] },
        },
        per_step: true,
    };
    let metadata = Metadata { scaling, task, ..metadata(2) };
    for numbers in [Numbers::Int8, Numbers::F32] {
        let file = export(&network(CellKind::Gru, shape, 4), &metadata, numbers, x.view()).unwrap();
        let model = file.model();
        let header = model.header();
        assert_eq!(header.output, OutputFormat { task: refrain::Task::Regression, steps: Steps::Every });
        assert_eq!(header.output_names().collect::<Vec<_>>(), ["volts", "amperes"]);
        let sequence = x.view().sequence(0).to_bytes();
        let mut logits = [0; 9 * 8];
        model.classify_every_step(&sequence, &mut logits).unwrap();
        let mut last = [0; 8];
        model.classify(&sequence, &mut last).unwrap();
        assert_eq!(logits[8 * 8..], last);
        model.classify(&sequence[..6], &mut last).unwrap();
        assert_eq!(logits[..8], last);
        let mut values = [0.0; 18];
        model.values(&logits, &mut values);
        for (index, (&value, &logit)) in values.iter().zip(logits.as_chunks().0).enumerate() {
            let logit = numbers.logit_value(logit);
            let expected = [230.0 + 10.0 * logit, -2.0 + 0.5 * logit][index % 2];
            assert_eq!(value, expected);
        }
        if numbers == Numbers::Int8 {
            let typed = refrain::Gru::<3, 5, 2>::from_bytes(file.as_bytes()).unwrap();
            let mut state = State::new();
            typed.step_bytes(&mut state, &sequence[..6]).unwrap();
            assert_eq!(typed.values(&state), values[..2]);
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
