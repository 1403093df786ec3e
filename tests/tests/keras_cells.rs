//! The three cells against Keras: every output, every gradient and the moving statistics of one training step.
//!
//! `golden/keras_cells.json` was computed by Keras 3 on TensorFlow in f32, with random weights, biases and statistics.

use std::collections::BTreeMap;

use ndarray::{Array, ArrayD, Dimension};
use refrain::{CellKind, Shape};
use refrain_trainer::nn::{Batch, Network, Objective, Trainer};
use serde::Deserialize;
use serde_json::Value;

/// Largest error of an output.
const OUTPUT_TOLERANCE: f32 = 1e-5;
/// Largest error of a gradient, in proportion to the largest element of its tensor.
const GRADIENT_TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Golden {
    shape: Sizes,
    input: Value,
    labels: Vec<u8>,
    models: BTreeMap<String, Model>,
}

#[derive(Deserialize)]
struct Sizes {
    batch: usize,
    timesteps: usize,
    inputs: u16,
    units: u16,
    outputs: u16,
}

#[derive(Deserialize)]
struct Model {
    weights: BTreeMap<String, Value>,
    sequence: Value,
    logits_inference: Value,
    logits_training: Value,
    loss_training: f32,
    gradients: BTreeMap<String, Value>,
    moving_statistics_after_training_step: BTreeMap<String, Value>,
}

impl Golden {
    fn read() -> Self {
        serde_json::from_str(include_str!("../golden/keras_cells.json")).expect("the golden file is sound")
    }

    fn x(&self) -> ndarray::Array3<f32> {
        let size = (self.shape.batch, self.shape.timesteps, usize::from(self.shape.inputs));
        array(&self.input).into_shape_with_order(size).expect("inputs of every sample and timestep")
    }

    /// Forward in training mode and back; returns the loss.
    fn step(&self, network: &mut Network, trainer: &mut Trainer) -> f32 {
        let x = self.x();
        trainer.backpropagate(network, &Batch::labelled(x.view(), &self.labels), &Objective::CLASSIFICATION)
    }

    /// The network of `kind` with Keras's weights, and what Keras made of it.
    fn network(&self, kind: CellKind) -> (Network, &Model) {
        let model = &self.models[keras_name(kind)];
        let Sizes { inputs, units, outputs, .. } = self.shape;
        let mut network = Network::zeros(kind, Shape { inputs, units, outputs, layers: 1 });
        assert_eq!(model.weights.len(), network.parameters().len());
        for mut parameter in network.parameters_mut() {
            let weights = array(&model.weights[parameter.name]);
            assert_eq!(weights.shape(), parameter.values.shape(), "{kind} {}", parameter.name);
            parameter.values.assign(&weights);
        }
        (network, model)
    }
}

fn keras_name(kind: CellKind) -> &'static str {
    match kind {
        CellKind::SimpleRnn => "SimpleRNN",
        CellKind::Lstm => "LSTM",
        CellKind::Gru => "GRU",
    }
}

/// Nested lists of numbers as an array of their shape.
fn array(value: &Value) -> ArrayD<f32> {
    fn walk(value: &Value, depth: usize, shape: &mut Vec<usize>, elements: &mut Vec<f32>) {
        match value {
            Value::Array(list) => {
                if shape.len() == depth {
                    shape.push(list.len());
                }
                list.iter().for_each(|inner| walk(inner, depth + 1, shape, elements));
            }
            number => elements.push(number.as_f64().expect("a number") as f32),
        }
    }
    let (mut shape, mut elements) = (Vec::new(), Vec::new());
    walk(value, 0, &mut shape, &mut elements);
    ArrayD::from_shape_vec(shape, elements).expect("lists of equal length")
}

/// Largest element of `got` less `expected`, which must have the same shape.
fn error<D: Dimension>(got: Array<f32, D>, expected: &Value) -> f32 {
    let (got, expected) = (got.into_dyn(), array(expected));
    assert_eq!(got.shape(), expected.shape());
    largest(&(got - expected))
}

fn largest(values: &ArrayD<f32>) -> f32 {
    values.iter().fold(0.0, |most, value| if value.is_nan() { f32::INFINITY } else { most.max(value.abs()) })
}

#[test]
fn whole_sequences_agree() {
    let golden = Golden::read();
    for kind in CellKind::ALL {
        let (network, model) = golden.network(kind);
        let error = error(network.trace(golden.x().view()).remove(0).hidden, &model.sequence);
        assert!(error < OUTPUT_TOLERANCE, "{kind}: {error:e}");
    }
}

#[test]
fn inference_logits_agree() {
    let golden = Golden::read();
    for kind in CellKind::ALL {
        let (network, model) = golden.network(kind);
        let error = error(network.infer(golden.x().view()), &model.logits_inference);
        assert!(error < OUTPUT_TOLERANCE, "{kind}: {error:e}");
    }
}

#[test]
fn training_logits_and_loss_agree() {
    let golden = Golden::read();
    for kind in CellKind::ALL {
        let (mut network, model) = golden.network(kind);
        let mut trainer = Trainer::new(&network);
        let loss = golden.step(&mut network, &mut trainer);
        let error = error(trainer.logits().to_owned(), &model.logits_training);
        assert!(error < OUTPUT_TOLERANCE, "{kind}: {error:e}");
        let error = (loss - model.loss_training).abs();
        assert!(error < OUTPUT_TOLERANCE, "{kind}: loss {loss} for {}", model.loss_training);
    }
}

#[test]
fn every_gradient_agrees() {
    let golden = Golden::read();
    for kind in CellKind::ALL {
        let (mut network, model) = golden.network(kind);
        let mut trainer = Trainer::new(&network);
        golden.step(&mut network, &mut trainer);
        let tensors = trainer.gradients().tensors();
        assert_eq!(tensors.len(), model.gradients.len());
        for (name, gradient) in tensors {
            let expected = &model.gradients[name];
            let relative = error(gradient.to_owned(), expected) / largest(&array(expected));
            assert!(relative < GRADIENT_TOLERANCE, "{kind} {name}: {relative:e}");
        }
    }
}

#[test]
fn moving_statistics_after_a_step_agree() {
    let golden = Golden::read();
    for kind in CellKind::ALL {
        let (mut network, model) = golden.network(kind);
        let mut trainer = Trainer::new(&network);
        golden.step(&mut network, &mut trainer);
        for parameter in network.parameters().into_iter().filter(|p| !p.trainable) {
            let expected = &model.moving_statistics_after_training_step[parameter.name];
            let error = error(parameter.values.to_owned(), expected);
            assert!(error < 1e-6, "{kind} {}: {error:e}", parameter.name);
        }
    }
}
