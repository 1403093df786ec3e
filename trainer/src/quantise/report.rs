//! What quantisation costs: the file's numbers against the network's.

use ndarray::{ArrayView3, Axis};
use serde::Serialize;

use super::Metadata;
use crate::model_file::ModelFile;
use crate::nn::Network;

/// Sequences that the hidden states are compared on.
const SEQUENCES: usize = 500;

/// How far one layer's outputs are off.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerError {
    /// `cell` (the hidden state, after every timestep) or `dense` (the logits).
    pub layer: &'static str,
    /// The greatest difference.
    pub max: f64,
    /// The root of the mean square of all differences.
    pub rms: f64,
    /// The root of the mean square of the f32 values themselves, to hold the error against.
    pub signal_rms: f64,
}

/// The error of each layer, on raw samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Layer after layer.
    pub layers: Vec<LayerError>,
}

impl Report {
    /// Runs the file and the network on the first of `samples` `[count, timesteps, inputs]`.
    ///
    /// # Panics
    /// If the file's model has not the network's shape, or takes other samples than bytes.
    pub fn new(
        network: &Network,
        metadata: &Metadata,
        file: &ModelFile,
        samples: ArrayView3<'_, u8>,
    ) -> Self {
        let model = file.model();
        let count = samples.len_of(Axis(0)).min(SEQUENCES);
        let samples = samples.slice_axis(Axis(0), (..count).into());
        let x = samples.mapv(|sample| f32::from(sample) * metadata.input_scale);
        let (traces, logits) = (network.trace(x.view()), network.infer(x.view()));
        let (mut hidden_error, mut logit_error) = (Difference::default(), Difference::default());
        let mut hidden = vec![0.0; samples.len_of(Axis(1)) * network.units()];
        let mut bytes = vec![0; logits.ncols() * 4];
        for ((sample, exact_hidden), exact_logits) in
            samples.outer_iter().zip(traces[0].hidden.outer_iter()).zip(logits.outer_iter())
        {
            let sequence: Vec<u8> = sample.iter().copied().collect();
            model.trace(&sequence, &mut hidden).expect("the samples have the network's shape");
            model.classify(&sequence, &mut bytes).expect("the samples have the network's shape");
            hidden_error.add(exact_hidden.iter(), hidden.iter().copied());
            let values = bytes.as_chunks().0.iter().map(|&logit| model.header().numbers.logit_value(logit));
            logit_error.add(exact_logits.iter(), values);
        }
        Self { layers: vec![hidden_error.layer("cell"), logit_error.layer("dense")] }
    }
}

/// Differences between exact and approximate values, summed up.
#[derive(Default)]
struct Difference {
    count: usize,
    max: f64,
    square: f64,
    signal: f64,
}

impl Difference {
    fn add<'e>(&mut self, exact: impl Iterator<Item = &'e f32>, approximate: impl Iterator<Item = f32>) {
        for (&exact, approximate) in exact.zip(approximate) {
            let difference = (f64::from(exact) - f64::from(approximate)).abs();
            self.count += 1;
            self.max = self.max.max(difference);
            self.square += difference * difference;
            self.signal += f64::from(exact).powi(2);
        }
    }

    fn layer(&self, layer: &'static str) -> LayerError {
        let root = |sum: f64| (sum / self.count.max(1) as f64).sqrt();
        LayerError { layer, max: self.max, rms: root(self.square), signal_rms: root(self.signal) }
    }
}
