//! The integers that training computes in, against the files that networks are exported to.

use ndarray::Array1;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use refrain::{Samples, Shape};

use super::*;
use crate::data::{Sequences, Split, Targets, Values, ValuesView};
use crate::nn::batch_norm::BatchNormalization;
use crate::nn::dense::Dense;
use crate::nn::{Algorithm, Batch, Objective, Optimizer, Padded, Steps, Trainer, integer};
use aware::Formats;

const LENGTHS: [usize; 40] = [7; 40];
const RAGGED: [usize; 40] = {
    let mut lengths = [7; 40];
    (lengths[0], lengths[7], lengths[33], lengths[39]) = (1, 3, 12, 1);
    lengths
};

/// A network whose weights are `gain` times those of a new one, and whose batch normalisation is no new one.
fn network(cell: CellKind, shape: Shape, gain: f32) -> Network {
    let mut network = Network::new(cell, shape, 4);
    for layer in &mut network.layers {
        layer.kernel *= gain;
        layer.recurrent_kernel *= gain;
    }
    let rng = &mut ChaCha8Rng::seed_from_u64(5);
    for mut parameter in network.parameters_mut() {
        let spread = if parameter.name.ends_with("kernel") { 0.0 } else { 0.3 };
        parameter.values.mapv_inplace(|v| v + spread * (rng.next_u32() as f32 / u32::MAX as f32 - 0.5));
    }
    network
}

/// Sequences of raw samples without a pattern, a third of them zero.
fn sequences(samples: Samples, inputs: usize, lengths: &[usize]) -> Split {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let mut draw = || match rng.next_u32() {
        zero if zero % 3 == 0 => 0,
        bits => (bits >> 8) as i16,
    };
    let count = lengths.iter().sum::<usize>() * inputs;
    let values = match samples {
        Samples::U8 => Values::U8((0..count).map(|_| draw() as u8).collect()),
        Samples::I16 => Values::I16((0..count).map(|_| draw()).collect()),
        Samples::F32 => Values::F32((0..count).map(|_| f32::from(draw()) / 4096.0).collect()),
    };
    let targets = Targets::Labels(vec![0; lengths.len()]);
    Split::new(Sequences::ragged(values, inputs, lengths), targets, false, "sequences", "targets").unwrap()
}

/// The bytes of one sequence, as the board takes them.
fn bytes_of(sequence: ValuesView<'_>) -> Vec<u8> {
    match sequence {
        ValuesView::U8(values) => values.to_vec(),
        ValuesView::I16(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ValuesView::F32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    }
}

/// Every logit of a network's integers is that of its file, after each sequence and after each timestep.
fn assert_equal(network: &Network, scaling: InputScaling, split: &Split, about: &str) {
    let shape = network.shape();
    let classes = (0..shape.outputs).map(|class| format!("class {class}"));
    let [last, every] = [false, true].map(|per_step| Metadata {
        name: "test".into(),
        timesteps: split.timesteps() as u16,
        scaling: scaling.clone(),
        task: Task { per_step, ..Task::classification(classes.clone()) },
    });
    let (x, lengths) = calibrate::features(&scaling, split.view());
    for (numbers, metadata, steps) in [
        (Numbers::Int8, &last, Steps::Last),
        (Numbers::Int8, &every, Steps::Every),
        (Numbers::Int4, &last, Steps::Last),
    ] {
        let integers = Formats::new(network, &scaling, numbers, split.view()).integers(network).unwrap();
        let file = export(network, metadata, numbers, split.view()).unwrap();
        let model = file.model();
        let logits = integers.infer_at(steps, Padded::new(x.view(), &lengths));
        let mut rows = logits.outer_iter();
        for (index, length) in lengths.iter().enumerate() {
            let read_outs = if steps == Steps::Every { *length } else { 1 };
            let mut expected = vec![0; read_outs * usize::from(shape.outputs) * 4];
            let bytes = bytes_of(split.view().sequence(index));
            match steps {
                Steps::Last => model.classify(&bytes, &mut expected).unwrap(),
                Steps::Every => model.classify_every_step(&bytes, &mut expected).unwrap(),
            }
            let found: Vec<u8> =
                rows.by_ref().take(read_outs).flatten().flat_map(|logit| logit.to_le_bytes()).collect();
            assert_eq!(found, expected, "{about}, {shape}, {numbers}, sequence {index}, {steps:?}");
        }
    }
}

#[test]
fn every_cell_and_shape_gives_the_logits_of_its_file() {
    let shapes = [(28, 64, 10, 1), (1, 1, 1, 1), (3, 5, 2, 2), (5, 7, 3, 3), (130, 66, 11, 1)];
    for cell in CellKind::ALL {
        for (inputs, units, outputs, layers) in shapes {
            // the second drives gates, and with them the cell state, to their ends
            for gain in [1.0, 40.0] {
                let network = network(cell, Shape { inputs, units, outputs, layers }, gain);
                let split = sequences(Samples::U8, inputs.into(), &LENGTHS);
                assert_equal(&network, InputScaling::PIXELS, &split, &format!("{cell} times {gain}"));
            }
        }
    }
}

#[test]
fn every_kind_of_samples_and_length_gives_the_logits_of_its_file() {
    let shape = Shape { inputs: 3, units: 6, outputs: 3, layers: 2 };
    // so that features go back to the very samples that they came from
    let per_feature = |unit: f32| InputScaling::PerFeature {
        mean: vec![3.0 * unit, 0.0, -20.0 * unit],
        deviation: vec![32.0 * unit, 16.0 * unit, 64.0 * unit],
    };
    for cell in CellKind::ALL {
        let network = network(cell, shape, 1.5);
        for (samples, scaling) in [
            (Samples::U8, per_feature(1.0)),
            (Samples::I16, per_feature(128.0)),
            (Samples::I16, InputScaling::Uniform { scale: 1.0 / 4096.0 }),
            (Samples::F32, per_feature(1.0 / 16.0)),
        ] {
            let about = format!("{cell} of {samples:?} by {scaling:?}");
            assert_equal(&network, scaling, &sequences(samples, 3, &RAGGED), &about);
        }
    }
}

#[test]
fn gradients_pass_through_the_fold() {
    // with f(K, b) = Σ A∘K' + a·b', which is linear, a step changes f by its product with the gradient exactly
    let mut norm = BatchNormalization::new(3);
    let wave = |n: usize| (n as f32 * 1.7).sin();
    norm.gamma = Array1::from_shape_fn(3, |n| 1.0 + 0.3 * wave(n));
    norm.beta = Array1::from_shape_fn(3, |n| wave(n + 3));
    norm.moving_mean = Array1::from_shape_fn(3, |n| wave(n + 6));
    norm.moving_variance = Array1::from_shape_fn(3, |n| 1.5 + wave(n + 9));
    let numbers = |start: usize| Dense {
        kernel: ndarray::Array2::from_shape_fn((3, 2), |(row, column)| wave(start + 2 * row + column)),
        bias: Array1::from_shape_fn(2, |n| wave(start + 6 + n)),
    };
    let (mut dense, step, d_folded) = (numbers(0), numbers(20), numbers(40));
    let product = |a: &Dense, b: &Dense| (&a.kernel * &b.kernel).sum() + (&a.bias * &b.bias).sum();
    let before = product(&fold::batch_normalization(&norm, &dense), &d_folded);
    dense.kernel += &step.kernel;
    dense.bias += &step.bias;
    let after = product(&fold::batch_normalization(&norm, &dense), &d_folded);
    let expected = product(&integer::through_fold(&norm, &d_folded), &step);
    assert!((after - before - expected).abs() < 1e-4, "{} for {expected}", after - before);
}

#[test]
fn training_in_integers_lowers_the_loss_that_the_board_would_have() {
    let shape = Shape { inputs: 3, units: 8, outputs: 2, layers: 2 };
    let split = sequences(Samples::U8, 3, &RAGGED);
    let (x, lengths) = calibrate::features(&InputScaling::PIXELS, split.view());
    let labels: Vec<u8> = x.outer_iter().map(|x| u8::from(x[[0, 0]] > 0.3)).collect();
    let batch = Batch::labelled(Padded::new(x.view(), &lengths), &labels);
    for cell in CellKind::ALL {
        let mut network = network(cell, shape, 1.0);
        let statistics = network.batch_normalization.clone();
        let formats = Formats::new(&network, &InputScaling::PIXELS, Numbers::Int8, split.view());
        let mut trainer = Trainer::new(&network);
        let mut optimizer = Optimizer::new(Algorithm::ADAM);
        let mut losses = Vec::new();
        for _ in 0..60 {
            let integers = formats.integers(&network).unwrap();
            let objective = Objective::CLASSIFICATION;
            losses.push(trainer.backpropagate_integers(&network, &integers, &batch, &objective, || ()));
            optimizer.step(&mut network, trainer.gradients(), 0.01);
        }
        assert!(losses[59] < 0.5 * losses[0], "{cell}: {losses:?}");
        assert_eq!(network.batch_normalization, statistics, "{cell}");
    }
}
