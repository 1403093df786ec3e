//! What a network makes of samples, and how good that is.

use ndarray::{Array2, ArrayView2, s};

use super::gather::Gathered;
use crate::data::{InputScaling, Kind, SplitView, TargetScaling, Task};
use crate::metrics::{Residuals, mean};
use crate::nn::integer::{self, IntegerNetwork};
use crate::nn::loss::argmax;
use crate::nn::{Loss, Network, Padded, Steps, Targets};

/// Samples that statistics are taken from at most.
const STATISTICS: usize = 4096;
/// Samples that go through inference together at most, and numbers that they may take.
const CHUNK: usize = 1024;
const CHUNK_NUMBERS: usize = 1 << 22;

/// How good a network is on some samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Mean loss over the read-outs.
    pub loss: f64,
    /// Part of the read-outs that were classified rightly; `None` for a regression.
    pub accuracy: Option<f64>,
    /// Mean absolute error in the unit of the targets, averaged over the outputs; `None` for a classification.
    pub mean_absolute_error: Option<f64>,
    /// R², averaged over the outputs; `None` for a classification.
    pub r2: Option<f64>,
}

/// Where a network is read out for a task.
pub fn steps(task: &Task) -> Steps {
    if task.per_step { Steps::Every } else { Steps::Last }
}

/// Outputs of `network` for `samples`, `[read-outs, outputs]`: logits, or standardised values. Runs on rayon's current pool,
/// some samples at a time.
pub fn outputs(
    network: &Network,
    samples: SplitView<'_>,
    scaling: &InputScaling,
    steps: Steps,
) -> Array2<f32> {
    let mut outputs = Array2::zeros((read_outs(samples, steps), network.outputs()));
    let mut done = 0;
    for_each_chunk(samples, scaling, None, |chunk| {
        let computed = network.infer_at(steps, chunk.sequences());
        outputs.slice_mut(s![done..done + computed.nrows(), ..]).assign(&computed);
        done += computed.nrows();
    });
    outputs
}

/// What can be measured: a network, or the integers that it is exported as.
pub trait Infer {
    /// Logits or standardised values, `[read-outs, outputs]`, at the timesteps and in the order that `steps` says.
    fn outputs_at(&self, steps: Steps, sequences: Padded<'_>) -> Array2<f32>;
}

impl Infer for Network {
    fn outputs_at(&self, steps: Steps, sequences: Padded<'_>) -> Array2<f32> {
        self.infer_at(steps, sequences)
    }
}

impl Infer for IntegerNetwork {
    fn outputs_at(&self, steps: Steps, sequences: Padded<'_>) -> Array2<f32> {
        integer::logit_values(&self.infer_at(steps, sequences))
    }
}

/// How good `network` is on `samples` of a data set with that input scaling and task; all zero where there are none. Neither
/// label smoothing nor class weights are in the loss. Runs on rayon's current pool, some samples at a time.
pub fn measure(network: &impl Infer, samples: SplitView<'_>, scaling: &InputScaling, task: &Task) -> Score {
    let loss = match task.kind {
        Kind::Classification { .. } => Loss::CROSS_ENTROPY,
        Kind::Regression { .. } => Loss::MeanSquaredError,
    };
    let mut tally = Tally::new(task);
    for_each_chunk(samples, scaling, Some(task), |chunk| {
        let outputs = network.outputs_at(steps(task), chunk.sequences());
        let targets = chunk.targets();
        tally.add(loss.evaluate(outputs.view(), targets).mean, outputs.view(), targets);
    });
    tally.score()
}

/// Sets batch normalisation's statistics to those of `network` on samples from all over `samples`; a single one has none.
pub(super) fn estimate_statistics(
    network: &mut Network,
    samples: SplitView<'_>,
    scaling: &InputScaling,
    steps: Steps,
) {
    let most = (CHUNK_NUMBERS / (samples.timesteps() * samples.inputs())).clamp(2, STATISTICS);
    let count = samples.count().min(most);
    if count > 1 {
        let indices: Vec<u32> = (0..count).map(|n| (n * samples.count() / count) as u32).collect();
        let mut chunk = Gathered::new(count, samples.timesteps(), samples.inputs());
        chunk.gather(samples, &indices, |index, out| samples.gather(index, scaling, out));
        network.estimate_statistics(steps, chunk.sequences());
    }
}

/// How many times a network is read out for `samples`.
fn read_outs(samples: SplitView<'_>, steps: Steps) -> usize {
    match steps {
        Steps::Last => samples.count(),
        Steps::Every => (0..samples.count()).map(|index| samples.length(index)).sum(),
    }
}

/// Gathers `samples` part by part, with the targets of `task` if it is given.
fn for_each_chunk(
    samples: SplitView<'_>,
    scaling: &InputScaling,
    task: Option<&Task>,
    mut visit: impl FnMut(&Gathered),
) {
    let rows = (CHUNK_NUMBERS / (samples.timesteps() * samples.inputs())).clamp(1, CHUNK);
    let mut chunk = Gathered::new(rows.min(samples.count()), samples.timesteps(), samples.inputs());
    let mut rest = samples;
    while rest.count() > 0 {
        let (part, after) = rest.split_at(rest.count().min(rows));
        let indices: Vec<u32> = (0..part.count() as u32).collect();
        chunk.gather(part, &indices, |index, out| part.gather(index, scaling, out));
        if let Some(task) = task {
            chunk.gather_targets(part, &indices, task);
        }
        visit(&chunk);
        rest = after;
    }
}

/// Sums up how good a network is, batch by batch.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    read_outs: usize,
    loss: f64,
    quality: Quality,
}

#[derive(Clone, Debug)]
enum Quality {
    Right(usize),
    Off(Residuals, TargetScaling),
}

impl Tally {
    pub(super) fn new(task: &Task) -> Self {
        let quality = match &task.kind {
            Kind::Classification { .. } => Quality::Right(0),
            Kind::Regression { names, scaling } => Quality::Off(Residuals::new(names.len()), scaling.clone()),
        };
        Self { read_outs: 0, loss: 0.0, quality }
    }

    /// Adds a batch of mean loss `loss` and with those outputs, `[read-outs, outputs]`.
    pub(super) fn add(&mut self, loss: f32, outputs: ArrayView2<'_, f32>, targets: Targets<'_>) {
        self.read_outs += outputs.nrows();
        self.loss += f64::from(loss) * outputs.nrows() as f64;
        match (&mut self.quality, targets) {
            (Quality::Right(right), Targets::Labels(labels)) => {
                let rows = outputs.outer_iter().zip(labels);
                *right += rows.filter(|(row, label)| argmax(row.view()) == usize::from(**label)).count();
            }
            (Quality::Off(residuals, _), Targets::Values(values)) => {
                for (predicted, actual) in outputs.outer_iter().zip(values.outer_iter()) {
                    let whole = "a row's values lie side by side";
                    residuals.add(predicted.to_slice().expect(whole), actual.to_slice().expect(whole));
                }
            }
            (quality, targets) => panic!("{quality:?} cannot be told of {targets:?}"),
        }
    }

    /// How good all that was added so far is.
    pub(super) fn score(&self) -> Score {
        let count = self.read_outs.max(1) as f64;
        let loss = self.loss / count;
        match &self.quality {
            Quality::Right(right) => {
                Score { loss, accuracy: Some(*right as f64 / count), ..Score::default() }
            }
            Quality::Off(residuals, scaling) => {
                // a difference of standardised values is one of the targets' own unit over their deviation
                let errors = residuals.mean_absolute_error().into_iter().zip(&scaling.deviation);
                let errors: Vec<f64> =
                    errors.map(|(error, &deviation)| error * f64::from(deviation)).collect();
                let (error, r2) = (mean(&errors), mean(&residuals.r2()));
                Score { loss, mean_absolute_error: Some(error), r2: Some(r2), ..Score::default() }
            }
        }
    }
}
