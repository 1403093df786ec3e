//! What quantisation costs: the file's numbers against the network's.

use ndarray::s;
use refrain::Shape;
use serde::Serialize;

use super::calibrate::features;
use super::{LAYER_NAMES, Metadata};
use crate::data::SplitView;
use crate::evaluate::LOGIT_BYTES;
use crate::model_file::ModelFile;
use crate::nn::{Network, Padded, Steps};
use crate::train::steps;

/// Sequences that the hidden states are compared on.
const SEQUENCES: usize = 500;

/// How far one layer's outputs are off.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerError {
    /// `cell`, `cell_1` or `cell_2` (the hidden state, after every timestep) or `dense` (the logits, at the end of a
    /// sequence or after every timestep, wherever the task has them read).
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
    /// Runs the file and the network on the first of some raw sequences.
    ///
    /// # Panics
    /// If the file's model has not the network's shape, or takes other samples.
    pub fn new(network: &Network, metadata: &Metadata, file: &ModelFile, sequences: SplitView<'_>) -> Self {
        let model = file.model();
        let sequences = sequences.first(SEQUENCES);
        let Shape { units, layers, .. } = network.shape();
        let (units, layers) = (usize::from(units), usize::from(layers));
        let (x, lengths) = features(&metadata.scaling, sequences);
        let x = Padded::new(x.view(), &lengths);
        let steps = steps(&metadata.task);
        let (traces, logits) = (network.trace(x), network.infer_at(steps, x));
        let mut errors = vec![Difference::default(); layers + 1];
        let mut read_outs_before = 0;
        for (index, &timesteps) in lengths.iter().enumerate() {
            let sequence = sequences.sequence(index).to_bytes();
            let mut hidden = vec![0.0; timesteps * layers * units];
            model.trace(&sequence, &mut hidden).expect("the sequences have the network's shape");
            for (layer, error) in errors[..layers].iter_mut().enumerate() {
                let exact = traces[layer].hidden.slice(s![index, ..timesteps, ..]);
                let own = hidden.chunks(units).skip(layer).step_by(layers).flatten();
                error.add(exact.iter(), own.copied());
            }
            let read_outs = match steps {
                Steps::Last => 1,
                Steps::Every => timesteps,
            };
            let exact = logits.slice(s![read_outs_before..read_outs_before + read_outs, ..]);
            read_outs_before += read_outs;
            let mut bytes = vec![0; exact.len() * LOGIT_BYTES];
            match steps {
                Steps::Last => model.classify(&sequence, &mut bytes),
                Steps::Every => model.classify_every_step(&sequence, &mut bytes),
            }
            .expect("the sequences have the network's shape");
            let values = bytes.as_chunks().0.iter().map(|&logit| model.header().numbers.logit_value(logit));
            errors[layers].add(exact.iter(), values);
        }
        let names = LAYER_NAMES[..layers].iter().copied().chain(["dense"]);
        Self { layers: names.zip(&errors).map(|(name, error)| error.layer(name)).collect() }
    }
}

/// Differences between exact and approximate values, summed up.
#[derive(Clone, Default)]
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
