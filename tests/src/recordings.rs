//! Sequences as sensors give them: of any lengths, numbers and tasks.

use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use refrain::{CellKind, Numbers, Samples, Shape};
use refrain_trainer::data::{InputScaling, Kind, Sequences, Split, TargetScaling, Targets, Task, Values};
use refrain_trainer::model_file::ModelFile;
use refrain_trainer::quantise::{BlankStates, Metadata, export_with};

use super::random_network;

/// Random sequences and targets, and how a network sees them.
pub struct Recordings {
    /// The sequences and what is asked of them.
    pub split: Split,
    scaling: InputScaling,
    task: Task,
}

/// The same task, asked at every timestep.
pub fn per_step(task: Task) -> Task {
    Task { per_step: true, ..task }
}

/// A regression of so many values, each with a unit of its own.
pub fn regression(outputs: u16) -> Task {
    let each = |first: f32, step: f32| (0..outputs).map(|output| first + step * f32::from(output)).collect();
    let scaling = TargetScaling { mean: each(20.0, -7.5), deviation: each(4.0, 0.3) };
    let names = (0..outputs).map(|output| format!("value {output}")).collect();
    Task { kind: Kind::Regression { names, scaling }, per_step: false }
}

impl Recordings {
    /// Sequences of these lengths and of so many features, as `samples`; bytes have one scale, other samples one for
    /// each feature.
    ///
    /// # Panics
    /// If there are no sequences, or one without timesteps or features.
    pub fn random(samples: Samples, inputs: u16, lengths: &[usize], task: Task, seed: u64) -> Self {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let timesteps: usize = lengths.iter().sum();
        let mut numbers = || (0..timesteps * usize::from(inputs)).map(|_| rng.next_u32()).collect::<Vec<_>>();
        let values = match samples {
            Samples::U8 => Values::U8(numbers().into_iter().map(|bits| (bits >> 24) as u8).collect()),
            Samples::I16 => Values::I16(numbers().into_iter().map(|bits| (bits >> 16) as i16).collect()),
            Samples::F32 => Values::F32(
                numbers().into_iter().map(|bits| (bits >> 8) as f32 / (1 << 22) as f32 - 1.0).collect(),
            ),
        };
        let each = |first: f32, step: f32| (0..inputs).map(|input| first + step * f32::from(input)).collect();
        let scaling = match samples {
            Samples::U8 => InputScaling::PIXELS,
            Samples::I16 => {
                InputScaling::PerFeature { mean: each(-300.0, 90.5), deviation: each(9000.0, 777.0) }
            }
            Samples::F32 => InputScaling::PerFeature { mean: each(1.0, -0.1), deviation: each(0.8, 0.05) },
        };
        let entries = if task.per_step { timesteps } else { lengths.len() };
        let targets = match &task.kind {
            Kind::Classification { classes } => {
                Targets::Labels((0..entries).map(|entry| (entry * 5 % classes.len()) as u8).collect())
            }
            Kind::Regression { names, .. } => {
                Targets::Values(Array2::from_shape_fn((entries, names.len()), |(entry, output)| {
                    (entry * 3 % 7) as f32 + 10.0 * output as f32
                }))
            }
        };
        let sequences = Sequences::ragged(values, inputs.into(), lengths);
        let split = Split::new(sequences, targets, task.per_step, "recordings", "targets");
        Self { split: split.expect("sequences and their targets"), scaling, task }
    }

    /// A model of random weights for such sequences.
    ///
    /// # Panics
    /// If such a model cannot be exported, which would be an error of the exporter.
    pub fn model(&self, cell: CellKind, units: u16, layers: u8, numbers: Numbers) -> ModelFile {
        self.model_with(BlankStates::Auto, cell, units, layers, numbers)
    }

    /// [`model`](Self::model) with a choice of states after blank rows.
    ///
    /// # Panics
    /// If such a model cannot be exported, as one of floats with such states.
    pub fn model_with(
        &self,
        blank_states: BlankStates,
        cell: CellKind,
        units: u16,
        layers: u8,
        numbers: Numbers,
    ) -> ModelFile {
        let (inputs, outputs) = (self.split.inputs() as u16, self.task.outputs() as u16);
        let network = random_network(cell, Shape { inputs, units, outputs, layers }, 4);
        let metadata = Metadata {
            name: format!("{cell} for recordings"),
            timesteps: self.split.timesteps() as u16,
            scaling: self.scaling.clone(),
            task: self.task.clone(),
        };
        export_with(blank_states, &network, &metadata, numbers, self.split.view())
            .expect("random weights can be exported")
    }
}
