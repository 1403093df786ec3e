//! Exported networks against the networks that they came from.

mod blank;
mod fidelity;
mod files;
mod typed;

use ndarray::Array3;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use refrain::{CellKind, Samples, Shape};

use super::Metadata;
use crate::data::{InputScaling, Sequences, Split, Targets, Task, Values};
use crate::nn::Network;

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
