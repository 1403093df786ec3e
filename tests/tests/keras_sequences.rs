//! Stacked layers, masked sequences, read-outs at every timestep, weighted and smoothed losses and squared errors
//! against Keras: every output, every gradient and the moving statistics of one training step.
//!
//! `golden/keras_sequences.json` was computed by Keras 3 on TensorFlow in f32, for two layers of each cell behind a `Masking`
//! layer: once read out at the end, with categorical cross-entropy of smoothed labels and a weight for each class, and
//! once at every timestep, with mean squared error.

use std::collections::BTreeMap;

use ndarray::{Array2, Array3, ArrayD, ArrayViewD};
use refrain::{CellKind, Shape};
use refrain_trainer::nn::{Batch, Loss, Network, Objective, Padded, Steps, Targets, Trainer};
use serde::Deserialize;
use serde_json::Value;

/// Largest error of an output.
const OUTPUT_TOLERANCE: f32 = 1e-5;
/// Largest error of a gradient, in proportion to the largest element of its tensor.
const GRADIENT_TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Golden {
    shape: Sizes,
    lengths: Vec<usize>,
    input: Value,
    labels: Vec<u8>,
    class_weights: Vec<f32>,
    label_smoothing: f32,
    values: Value,
    models: BTreeMap<String, BTreeMap<String, Model>>,
}

#[derive(Deserialize)]
struct Sizes {
    batch: usize,
    timesteps: usize,
    inputs: u16,
    units: u16,
    outputs: u16,
    layers: u8,
}

#[derive(Deserialize)]
struct Model {
    weights: BTreeMap<String, Value>,
    logits_inference: Value,
    logits_training: Value,
    loss_training: f32,
    gradients: BTreeMap<String, Value>,
    moving_statistics_after_training_step: BTreeMap<String, Value>,
}

/// The numbers in nested lists, in order.
fn flatten(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(list) => list.iter().flat_map(flatten).collect(),
        number => vec![number.as_f64().expect("a number") as f32],
    }
}

/// Largest difference of two lists of equal length.
fn error<'a>(got: impl ExactSizeIterator<Item = &'a f32>, expected: &Value) -> f32 {
    let expected = flatten(expected);
    assert_eq!(got.len(), expected.len());
    let differences = got.zip(expected).map(|(got, expected)| (got - expected).abs());
    differences
        .fold(0.0, |most, difference| if difference.is_nan() { f32::INFINITY } else { most.max(difference) })
}

fn relative_error(got: &ArrayViewD<'_, f32>, expected: &Value) -> f32 {
    let largest = flatten(expected).into_iter().fold(0.0, |most: f32, value| most.max(value.abs()));
    error(got.iter(), expected) / largest
}

/// Compares the networks of one way of reading out.
fn check(golden: &Golden, task: &str, objective: &Objective, batch: &Batch<'_>) {
    let Sizes { inputs, units, outputs, layers, .. } = golden.shape;
    for (kind, name) in CellKind::ALL.into_iter().zip(["SimpleRNN", "LSTM", "GRU"]) {
        let model = &golden.models[name][task];
        let mut network = Network::zeros(kind, Shape { inputs, units, outputs, layers });
        assert_eq!(model.weights.len(), network.parameters().len());
        for mut parameter in network.parameters_mut() {
            let weights = flatten(&model.weights[parameter.name]);
            let weights = ArrayD::from_shape_vec(parameter.values.shape(), weights);
            parameter.values.assign(&weights.expect("weights of Keras's shape"));
        }

        let logits = network.infer_at(objective.steps, batch.sequences);
        let off = error(logits.iter(), &model.logits_inference);
        assert!(off < OUTPUT_TOLERANCE, "{kind}, {task}: a logit is off by {off:e}");

        let mut trainer = Trainer::new(&network);
        let loss = trainer.backpropagate(&mut network, batch, objective);
        let off = error(trainer.logits().iter(), &model.logits_training);
        assert!(off < OUTPUT_TOLERANCE, "{kind}, {task}: a logit in training is off by {off:e}");
        let expected = model.loss_training;
        assert!((loss - expected).abs() < OUTPUT_TOLERANCE, "{kind}, {task}: loss {loss} for {expected}");

        let gradients = trainer.gradients().tensors();
        assert_eq!(gradients.len(), model.gradients.len());
        for (tensor, gradient) in gradients {
            let off = relative_error(&gradient, &model.gradients[tensor]);
            assert!(off < GRADIENT_TOLERANCE, "{kind}, {task}: {tensor} is off by {off:e}");
        }
        for parameter in network.parameters().into_iter().filter(|parameter| !parameter.trainable) {
            let off =
                error(parameter.values.iter(), &model.moving_statistics_after_training_step[parameter.name]);
            assert!(off < 1e-6, "{kind}, {task}: {} is off by {off:e}", parameter.name);
        }
    }
}

impl Golden {
    fn read() -> Self {
        serde_json::from_str(include_str!("../golden/keras_sequences.json"))
            .expect("the golden file is sound")
    }

    fn x(&self) -> Array3<f32> {
        let size = (self.shape.batch, self.shape.timesteps, self.shape.inputs.into());
        Array3::from_shape_vec(size, flatten(&self.input)).expect("inputs of every sample and timestep")
    }
}

#[test]
fn classes_of_whole_sequences_agree() {
    let golden = Golden::read();
    let (label_smoothing, class_weights) = (golden.label_smoothing, Some(golden.class_weights.clone()));
    let loss = Loss::CrossEntropy { label_smoothing, class_weights };
    let x = golden.x();
    let batch = Batch::labelled(Padded::new(x.view(), &golden.lengths), &golden.labels);
    check(&golden, "last", &Objective { loss, steps: Steps::Last }, &batch);
}

#[test]
fn values_of_every_timestep_agree() {
    let golden = Golden::read();
    let entries = golden.lengths.iter().sum();
    let values = Array2::from_shape_vec((entries, golden.shape.outputs.into()), flatten(&golden.values))
        .expect("values of every timestep");
    let objective = Objective { loss: Loss::MeanSquaredError, steps: Steps::Every };
    let x = golden.x();
    let batch = Batch::new(Padded::new(x.view(), &golden.lengths), Targets::Values(values.view()));
    check(&golden, "every", &objective, &batch);
}
