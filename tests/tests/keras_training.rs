//! Whole training runs against Keras: the loss of every epoch, and every weight at the end.
//!
//! `golden/keras_training.json` was computed by Keras 3 on TensorFlow in f32: a few epochs of `fit(shuffle=False)` from the
//! same initial weights, by each optimiser. The last batch of an epoch is a smaller one.

use std::collections::BTreeMap;

use ndarray::{Array3, ArrayD, Axis, Slice};
use refrain::{CellKind, Shape};
use refrain_trainer::nn::{Algorithm, Batch, Network, Objective, Optimizer, Trainer};
use serde::Deserialize;
use serde_json::Value;

/// Largest error of an epoch's loss and of a weight. Both are about one, and rounding errors add up over the steps.
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Golden {
    shape: Sizes,
    batch: usize,
    input: Value,
    labels: Vec<u8>,
    models: BTreeMap<String, Model>,
}

#[derive(Deserialize)]
struct Sizes {
    samples: usize,
    timesteps: usize,
    inputs: u16,
    units: u16,
    outputs: u16,
}

#[derive(Deserialize)]
struct Model {
    initial: BTreeMap<String, Value>,
    runs: BTreeMap<String, Run>,
}

#[derive(Deserialize)]
struct Run {
    losses: Vec<f32>,
    weights: BTreeMap<String, Value>,
}

/// The numbers in nested lists, in order.
fn flatten(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(list) => list.iter().flat_map(flatten).collect(),
        number => vec![number.as_f64().expect("a number") as f32],
    }
}

/// One epoch in the samples' own order; returns its mean loss.
fn epoch(
    golden: &Golden,
    x: &Array3<f32>,
    network: &mut Network,
    trainer: &mut Trainer,
    optimizer: &mut Optimizer,
    learning_rate: f32,
) -> f32 {
    let mut sum = 0.0;
    for (step, labels) in golden.labels.chunks(golden.batch).enumerate() {
        let start = step * golden.batch;
        let x = x.slice_axis(Axis(0), Slice::from(start..start + labels.len()));
        let batch = Batch::labelled(x, labels);
        sum += trainer.backpropagate(network, &batch, &Objective::CLASSIFICATION) * labels.len() as f32;
        optimizer.step(network, trainer.gradients(), learning_rate);
    }
    sum / golden.labels.len() as f32
}

#[test]
fn training_runs_agree() {
    let golden: Golden = serde_json::from_str(include_str!("../golden/keras_training.json"))
        .expect("the golden file is sound");
    let Sizes { samples, timesteps, inputs, units, outputs } = golden.shape;
    let x = Array3::from_shape_vec((samples, timesteps, usize::from(inputs)), flatten(&golden.input))
        .expect("inputs of every sample and timestep");
    assert_ne!(samples % golden.batch, 0, "the last batch is a smaller one");
    let optimizers = [
        ("sgd", Algorithm::Sgd, 0.1),
        ("momentum", Algorithm::Momentum { momentum: 0.9 }, 0.1),
        ("adam", Algorithm::ADAM, 0.01),
    ];
    for (kind, name) in CellKind::ALL.into_iter().zip(["SimpleRNN", "LSTM", "GRU"]) {
        let model = &golden.models[name];
        for (optimizer_name, algorithm, learning_rate) in optimizers {
            let run = &model.runs[optimizer_name];
            let mut network = Network::zeros(kind, Shape { inputs, units, outputs, layers: 1 });
            for mut parameter in network.parameters_mut() {
                let shape = parameter.values.raw_dim();
                let weights = ArrayD::from_shape_vec(shape, flatten(&model.initial[parameter.name]));
                parameter.values.assign(&weights.expect("a weight for every place"));
            }
            let (mut trainer, mut optimizer) = (Trainer::new(&network), Optimizer::new(algorithm));
            for (number, expected) in (1..).zip(&run.losses) {
                let loss = epoch(&golden, &x, &mut network, &mut trainer, &mut optimizer, learning_rate);
                let error = (loss - expected).abs();
                assert!(error < TOLERANCE, "{kind} {optimizer_name} epoch {number}: {loss} for {expected}");
            }
            for parameter in network.parameters() {
                let expected = flatten(&run.weights[parameter.name]);
                assert_eq!(parameter.values.len(), expected.len(), "{kind} {}", parameter.name);
                let close = |(got, expected): (&f32, &f32)| (got - expected).abs() < TOLERANCE;
                let all_close = parameter.values.iter().zip(&expected).all(close);
                assert!(all_close, "{kind} {optimizer_name} {}: {}", parameter.name, parameter.values);
            }
        }
    }
}
