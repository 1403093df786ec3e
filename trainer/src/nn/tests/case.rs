//! Problems to compute: networks off their initial values, sequences and targets.

use ndarray::{Array2, Array3};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use refrain::{CellKind, Shape};

use crate::nn::reference::Reference;
use crate::nn::{Batch, Dropout, Loss, Network, Objective, Padded, SHARD_ROWS, Steps, Targets};

pub(super) struct Case {
    pub(super) network: Network,
    pub(super) x: Array3<f32>,
    pub(super) lengths: Vec<usize>,
    pub(super) objective: Objective,
    labels: Vec<u8>,
    values: Array2<f32>,
    streams: Vec<u64>,
    pub(super) dropout: f32,
}

/// What [`Case::new`] makes a case of.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) shape: Shape,
    pub(super) batch: usize,
    pub(super) timesteps: usize,
    pub(super) ragged: bool,
}

impl Sizes {
    /// An ordinary size.
    pub(super) const SMALL: Self = Self {
        shape: Shape { inputs: 3, units: 4, outputs: 4, layers: 1 },
        batch: 5,
        timesteps: 4,
        ragged: false,
    };
}

impl Case {
    pub(super) fn new(kind: CellKind, sizes: Sizes, objective: Objective) -> Self {
        let Sizes { shape, batch, timesteps, ragged } = sizes;
        let rng = &mut ChaCha8Rng::seed_from_u64(5);
        let mut network = Network::new(kind, shape, 5);
        for mut parameter in network.parameters_mut() {
            // Moved a little and kept positive where it must be: the moving variance starts at one.
            parameter.values.mapv_inplace(|w| w + rng.random_range(-0.3..0.3));
        }
        let size = (batch, timesteps, usize::from(shape.inputs));
        let x = Array3::from_shape_simple_fn(size, || rng.random_range(-1.5..1.5));
        let length = |sequence: usize| if ragged { 1 + (7 * sequence + 2) % timesteps } else { timesteps };
        let lengths: Vec<usize> = (0..batch).map(length).collect();
        let entries = Padded::new(x.view(), &lengths).targets(objective.steps);
        let labels = (0..entries).map(|_| rng.random_range(0..shape.outputs as u8)).collect();
        let values =
            Array2::from_shape_simple_fn((entries, shape.outputs.into()), || rng.random_range(-2.0..2.0));
        let streams = (0..batch as u64).map(|sequence| 1000 - sequence).collect();
        Self { network, x, lengths, objective, labels, values, streams, dropout: 0.0 }
    }

    /// One label for each sequence.
    pub(super) fn classification(kind: CellKind, sizes: Sizes) -> Self {
        Self::new(kind, sizes, Objective::CLASSIFICATION)
    }

    pub(super) fn sequences(&self) -> Padded<'_> {
        Padded::new(self.x.view(), &self.lengths)
    }

    pub(super) fn batch(&self) -> Batch<'_> {
        let targets = match self.objective.loss {
            Loss::CrossEntropy { .. } => Targets::Labels(&self.labels),
            Loss::MeanSquaredError => Targets::Values(self.values.view()),
        };
        let dropout = Dropout { rate: self.dropout, seed: 8, streams: &self.streams };
        Batch { sequences: self.sequences(), targets, dropout: (self.dropout > 0.0).then_some(dropout) }
    }

    /// The masks of the batch, `[batch, layers, units]`; ones without dropout.
    pub(super) fn masks(&self) -> Vec<f32> {
        let width = self.network.layers.len() * self.network.units();
        let mut masks = vec![1.0; self.lengths.len() * width];
        if let Some(dropout) = self.batch().dropout {
            dropout.draw(width, &mut masks);
        }
        masks
    }

    /// The loss in training mode by the plain reference, with this case's network or one moved off it.
    pub(super) fn reference_loss(&self, reference: &Reference) -> f64 {
        reference.loss(&self.batch(), &self.objective, &self.masks())
    }

    /// Every cell with one, two and three layers, read out once and at every timestep, with sequences of one length and of
    /// several, and each loss; with dropout; and the sizes that code for whole batches could get wrong.
    pub(super) fn all() -> impl Iterator<Item = (String, Self)> {
        CellKind::ALL.into_iter().flat_map(|kind| {
            let sizes = sizes()
                .into_iter()
                .map(move |(name, sizes)| (name.to_owned(), Self::classification(kind, sizes)));
            sizes.chain(combinations(kind)).map(move |(name, case)| (format!("{kind}, {name}"), case))
        })
    }
}

fn sizes() -> [(&'static str, Sizes); 9] {
    let shape = |inputs, units, outputs| Shape { inputs, units, outputs, layers: 1 };
    let (one, small) = (shape(1, 1, 1), Sizes::SMALL);
    [
        ("one timestep", Sizes { timesteps: 1, ..small }),
        ("batch of one", Sizes { batch: 1, ..small }),
        ("one unit", Sizes { shape: shape(3, 1, 4), ..small }),
        ("one input", Sizes { shape: shape(1, 5, 4), ..small }),
        ("two classes", Sizes { shape: shape(3, 5, 2), ..small }),
        ("everything one", Sizes { shape: one, batch: 1, ..small }),
        ("units of no whole vector", Sizes { shape: shape(2, 19, 3), batch: 5, timesteps: 3, ..small }),
        ("two shards", Sizes { shape: shape(2, 3, 3), batch: SHARD_ROWS + 3, timesteps: 3, ..small }),
        (
            "two ragged shards",
            Sizes {
                shape: Shape { layers: 2, ..shape(2, 3, 3) },
                batch: SHARD_ROWS + 3,
                timesteps: 5,
                ragged: true,
            },
        ),
    ]
}

fn combinations(kind: CellKind) -> impl Iterator<Item = (String, Case)> {
    let weighted =
        Loss::CrossEntropy { label_smoothing: 0.1, class_weights: Some(vec![0.5, 2.0, 1.0, 0.25]) };
    let losses = [Loss::CROSS_ENTROPY, weighted, Loss::MeanSquaredError];
    (0..36).map(move |number| {
        let (layers, ragged) = (1 + number as u8 % 3, number / 3 % 2 == 0);
        let steps = if number / 6 % 2 == 0 { Steps::Last } else { Steps::Every };
        let objective = Objective { loss: losses[number / 12].clone(), steps };
        let name = format!("{layers} layers, {objective:?}, ragged: {ragged}");
        let mut case = Case::new(
            kind,
            Sizes { shape: Shape { layers, ..Sizes::SMALL.shape }, ragged, ..Sizes::SMALL },
            objective,
        );
        // with the second of the losses too, so that both ways of reading out meet it
        case.dropout = if number / 12 == 1 { 0.4 } else { 0.0 };
        (name, case)
    })
}
