//! The fast code against the plain reference, for shapes at the edges; and one seed, one result.

use ndarray::Array3;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use refrain::{CellKind, Shape};

use super::reference::Reference;
use super::{Algorithm, Network, Optimizer, SHARD_ROWS, Trainer};

/// A problem to compute: a network off its initial values, sequences and labels.
struct Case {
    network: Network,
    x: Array3<f32>,
    labels: Vec<u8>,
}

impl Case {
    fn new(kind: CellKind, shape: Shape, batch: usize, timesteps: usize) -> Self {
        let rng = &mut ChaCha8Rng::seed_from_u64(5);
        let mut network = Network::new(kind, shape, 5);
        for mut parameter in network.parameters_mut() {
            // Moved a little and kept positive where it must be: the moving variance starts at one.
            parameter.values.mapv_inplace(|w| w + rng.random_range(-0.3..0.3));
        }
        let size = (batch, timesteps, usize::from(shape.inputs));
        let x = Array3::from_shape_simple_fn(size, || rng.random_range(-1.5..1.5));
        let labels = (0..batch).map(|_| rng.random_range(0..shape.outputs as u8)).collect();
        Self { network, x, labels }
    }

    /// The shapes that code for whole batches could get wrong.
    fn all() -> impl Iterator<Item = (String, Self)> {
        let shape = |inputs, units, outputs| Shape { inputs, units, outputs, layers: 1 };
        let sizes = [
            ("one timestep", shape(3, 5, 4), 6, 1),
            ("batch of one", shape(3, 5, 4), 1, 4),
            ("one unit", shape(3, 1, 4), 6, 4),
            ("one input", shape(1, 5, 4), 6, 4),
            ("two classes", shape(3, 5, 2), 6, 4),
            ("everything one", shape(1, 1, 1), 1, 1),
            ("units of no whole vector", shape(2, 19, 3), 5, 3),
            ("two shards, one not full", shape(2, 3, 3), SHARD_ROWS + 3, 3),
        ];
        CellKind::ALL.into_iter().flat_map(move |kind| {
            sizes.map(|(name, shape, batch, timesteps)| {
                (format!("{kind}, {name}"), Self::new(kind, shape, batch, timesteps))
            })
        })
    }
}

#[test]
fn inference_agrees_with_the_plain_reference() {
    for (name, case) in Case::all() {
        let expected = Reference::of(&case.network).infer(&case.x);
        for (got, expected) in case.network.infer(case.x.view()).iter().zip(&expected) {
            assert!((f64::from(*got) - expected).abs() < 1e-5, "{name}: logit {got} for {expected}");
        }
    }
}

#[test]
fn loss_agrees_with_the_plain_reference() {
    for (name, mut case) in Case::all() {
        let expected = Reference::of(&case.network).loss(&case.x, &case.labels);
        let step =
            Trainer::new(&case.network).backpropagate(&mut case.network, case.x.view(), &case.labels, 0.0);
        assert!((f64::from(step.loss) - expected).abs() < 1e-5, "{name}: {} for {expected}", step.loss);
    }
}

#[test]
fn every_gradient_agrees_with_finite_differences() {
    for (name, mut case) in Case::all() {
        let reference = Reference::of(&case.network);
        let mut trainer = Trainer::new(&case.network);
        trainer.backpropagate(&mut case.network, case.x.view(), &case.labels, 0.0);
        for (tensor, gradient) in trainer.gradients().tensors() {
            let slope = |element: usize| {
                let loss_at = |offset: f64| {
                    let mut moved = reference.clone();
                    moved.weights.get_mut(tensor).unwrap()[element] += offset;
                    moved.loss(&case.x, &case.labels)
                };
                (loss_at(1e-5) - loss_at(-1e-5)) / 2e-5
            };
            let expected: Vec<f64> = (0..gradient.len()).map(slope).collect();
            let largest = expected.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
            for (got, expected) in gradient.iter().zip(&expected) {
                let error = (f64::from(*got) - expected).abs();
                assert!(error <= 1e-4 * largest + 1e-8, "{name}: {tensor} {got} for {expected}");
            }
        }
    }
}

#[test]
fn a_batch_of_one_teaches_the_dense_layer_alone() {
    for kind in CellKind::ALL {
        let mut case = Case::new(kind, Shape { inputs: 3, units: 5, outputs: 4, layers: 1 }, 1, 4);
        let mut trainer = Trainer::new(&case.network);
        let step = trainer.backpropagate(&mut case.network, case.x.view(), &case.labels, 0.0);
        assert!(step.loss.is_finite());
        let gradients = trainer.gradients();
        assert!(gradients.cell.kernel.iter().chain(&gradients.cell.recurrent_kernel).all(|g| *g == 0.0));
        assert!(gradients.dense.bias.iter().all(|g| *g != 0.0));
    }
}

#[test]
fn a_step_leaves_nothing_behind_for_the_next() {
    for kind in CellKind::ALL {
        let shape = Shape { inputs: 3, units: 5, outputs: 4, layers: 1 };
        let mut case = Case::new(kind, shape, SHARD_ROWS + 3, 4);
        let mut longer = Case::new(kind, shape, 2 * SHARD_ROWS, 6);
        let mut used = Trainer::new(&case.network);
        used.backpropagate(&mut longer.network, longer.x.view(), &longer.labels, 0.0);
        let mut fresh = Trainer::new(&case.network);
        let mut network = case.network.clone();
        let step = used.backpropagate(&mut case.network, case.x.view(), &case.labels, 0.0);
        assert_eq!(step, fresh.backpropagate(&mut network, case.x.view(), &case.labels, 0.0));
        assert_eq!(used.gradients(), fresh.gradients(), "{kind}");
    }
}

/// Trains a while, with batches of different sizes, on a pool of so many threads.
fn train(kind: CellKind, threads: usize) -> (Network, Vec<f32>) {
    let shape = Shape { inputs: 4, units: 16, outputs: 5, layers: 1 };
    let Case { mut network, x, labels } = Case::new(kind, shape, 5 * SHARD_ROWS + 7, 6);
    let mut trainer = Trainer::new(&network);
    let mut optimizer = Optimizer::new(Algorithm::ADAM).with_weight_decay(0.01).with_clip_norm(0.5);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let losses = pool.install(|| {
        let step = |step: usize| {
            let batch = if step.is_multiple_of(2) { labels.len() } else { SHARD_ROWS - 1 };
            let x = x.slice(ndarray::s![..batch, .., ..]);
            let loss = trainer.backpropagate(&mut network, x, &labels[..batch], 0.1).loss;
            optimizer.step(&mut network, trainer.gradients(), 0.01);
            loss
        };
        (0..12).map(step).collect()
    });
    (network, losses)
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for kind in CellKind::ALL {
        let one = train(kind, 1);
        for threads in [2, 3] {
            assert!(one == train(kind, threads), "{kind} with {threads} threads");
        }
    }
}

#[test]
fn training_lowers_the_loss() {
    for kind in CellKind::ALL {
        let (_, losses) = train(kind, 2);
        assert!(losses[10] < 0.8 * losses[0], "{kind}: {losses:?}");
    }
}
