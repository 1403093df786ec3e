//! The fast code against the plain reference; what must make no difference to it; and one seed, one result.

mod case;

use ndarray::{Array3, s};
use refrain::{CellKind, Shape};

use super::reference::Reference;
use super::{Algorithm, Batch, Network, Objective, Optimizer, Padded, SHARD_ROWS, Steps, Targets, Trainer};
use case::{Case, Sizes};

#[test]
fn inference_agrees_with_the_plain_reference() {
    for (name, case) in Case::all() {
        let steps = case.objective.steps;
        let expected = Reference::of(&case.network).infer(case.sequences(), steps);
        let logits = case.network.infer_at(steps, case.sequences());
        assert_eq!(logits.len(), expected.len(), "{name}");
        for (got, expected) in logits.iter().zip(&expected) {
            assert!((f64::from(*got) - expected).abs() < 1e-5, "{name}: logit {got} for {expected}");
        }
    }
}

#[test]
fn loss_agrees_with_the_plain_reference() {
    for (name, case) in Case::all() {
        let expected = case.reference_loss(&Reference::of(&case.network));
        let mut network = case.network.clone();
        let loss = Trainer::new(&network).backpropagate(&mut network, &case.batch(), &case.objective);
        assert!((f64::from(loss) - expected).abs() < 1e-5, "{name}: {loss} for {expected}");
    }
}

#[test]
fn every_gradient_agrees_with_finite_differences() {
    for (name, case) in Case::all() {
        let reference = Reference::of(&case.network);
        let mut network = case.network.clone();
        let mut trainer = Trainer::new(&network);
        trainer.backpropagate(&mut network, &case.batch(), &case.objective);
        for (tensor, gradient) in trainer.gradients().tensors() {
            let slope = |element: usize| {
                let loss_at = |offset: f64| {
                    let mut moved = reference.clone();
                    moved.weights.get_mut(tensor).unwrap()[element] += offset;
                    case.reference_loss(&moved)
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
        let case = Case::classification(kind, Sizes { batch: 1, ..Sizes::SMALL });
        let mut network = case.network.clone();
        let mut trainer = Trainer::new(&network);
        let loss = trainer.backpropagate(&mut network, &case.batch(), &case.objective);
        assert!(loss.is_finite());
        let gradients = trainer.gradients();
        let cell = &gradients.layers[0];
        assert!(cell.kernel.iter().chain(&cell.recurrent_kernel).all(|g| *g == 0.0));
        assert!(gradients.dense.bias.iter().all(|g| *g != 0.0));
    }
}

#[test]
fn a_step_leaves_nothing_behind_for_the_next() {
    for kind in CellKind::ALL {
        let sizes = Sizes {
            shape: Shape { layers: 2, ..Sizes::SMALL.shape },
            batch: SHARD_ROWS + 3,
            ragged: true,
            ..Sizes::SMALL
        };
        let case = Case::classification(kind, sizes);
        let objective = Objective { steps: Steps::Every, ..Objective::CLASSIFICATION };
        let mut larger = Case::new(kind, Sizes { batch: 2 * SHARD_ROWS, timesteps: 6, ..sizes }, objective);
        larger.dropout = 0.5;
        let mut used = Trainer::new(&case.network);
        used.backpropagate(&mut larger.network.clone(), &larger.batch(), &larger.objective);
        let mut fresh = Trainer::new(&case.network);
        let step = |trainer: &mut Trainer| {
            trainer.backpropagate(&mut case.network.clone(), &case.batch(), &case.objective)
        };
        assert_eq!(step(&mut used), step(&mut fresh));
        assert_eq!(used.gradients(), fresh.gradients(), "{kind}");
    }
}

#[test]
fn filling_makes_no_difference() {
    for kind in CellKind::ALL {
        let sizes = Sizes {
            shape: Shape { layers: 2, ..Sizes::SMALL.shape },
            batch: SHARD_ROWS + 3,
            ragged: true,
            ..Sizes::SMALL
        };
        let case = Case::new(kind, sizes, Objective { steps: Steps::Every, ..Objective::CLASSIFICATION });
        let mut filled = Array3::from_elem((sizes.batch, 9, 3), f32::NAN);
        for (sequence, &length) in case.lengths.iter().enumerate() {
            filled.slice_mut(s![sequence, ..length, ..]).assign(&case.x.slice(s![sequence, ..length, ..]));
        }
        let sequences = Padded::new(filled.view(), &case.lengths);
        assert_eq!(case.network.infer(sequences), case.network.infer(case.sequences()), "{kind}");

        let run = |sequences| {
            let (mut network, mut trainer) = (case.network.clone(), Trainer::new(&case.network));
            let batch = Batch { sequences, ..case.batch() };
            let loss = trainer.backpropagate(&mut network, &batch, &case.objective);
            (loss, trainer.gradients().clone(), network)
        };
        assert!(run(sequences) == run(case.sequences()), "{kind}");
    }
}

#[test]
fn a_sequence_alone_gives_what_it_gives_among_others() {
    for kind in CellKind::ALL {
        let sizes = Sizes {
            shape: Shape { layers: 3, ..Sizes::SMALL.shape },
            batch: SHARD_ROWS + 3,
            timesteps: 9,
            ragged: true,
        };
        let case = Case::classification(kind, sizes);
        let together = case.network.infer(case.sequences());
        let traces = case.network.trace(case.sequences());
        for (sequence, &length) in case.lengths.iter().enumerate() {
            let alone = case.x.slice(s![sequence..=sequence, ..length, ..]);
            let logits = case.network.infer(alone);
            let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
            assert!(logits.iter().zip(together.row(sequence)).all(close), "{kind}, sequence {sequence}");
            for (trace, alone) in traces.iter().zip(case.network.trace(alone)) {
                let held = trace.hidden.slice(s![sequence, length - 1.., ..]);
                let last = alone.hidden.slice(s![0, length - 1, ..]);
                assert!(held.outer_iter().all(|state| state.iter().zip(last).all(close)), "{kind}");
            }
        }
    }
}

#[test]
fn read_outs_at_every_timestep_are_those_of_sequences_cut_there() {
    for kind in CellKind::ALL {
        let case = Case::classification(
            kind,
            Sizes { shape: Shape { layers: 2, ..Sizes::SMALL.shape }, ragged: true, ..Sizes::SMALL },
        );
        let every = case.network.infer_at(Steps::Every, case.sequences());
        let mut rows = every.outer_iter();
        for (sequence, &length) in case.lengths.iter().enumerate() {
            for cut in 1..=length {
                let logits = case.network.infer(case.x.slice(s![sequence..=sequence, ..cut, ..]));
                let row = rows.next().expect("a read-out for each timestep");
                assert!(logits.iter().zip(row).all(|(a, b)| (a - b).abs() < 1e-6), "{kind}");
            }
        }
        assert!(rows.next().is_none(), "and for no filling");
    }
}

/// Trains a while, with batches of different sizes, on a pool of so many threads.
fn train(kind: CellKind, threads: usize) -> (Network, Vec<f32>) {
    let shape = Shape { inputs: 4, units: 16, outputs: 5, layers: 2 };
    let sizes = Sizes { shape, batch: 5 * SHARD_ROWS + 7, timesteps: 6, ragged: true };
    let mut case = Case::classification(kind, sizes);
    case.dropout = 0.2;
    let mut network = case.network.clone();
    let mut trainer = Trainer::new(&network);
    let mut optimizer = Optimizer::new(Algorithm::ADAM).with_weight_decay(0.01).with_clip_norm(0.5);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let losses = pool.install(|| {
        let step = |step: usize| {
            let size = if step.is_multiple_of(2) { sizes.batch } else { SHARD_ROWS - 1 };
            let batch = case.batch();
            let Targets::Labels(labels) = batch.targets else { panic!("labels") };
            let mut dropout = batch.dropout.expect("dropout");
            dropout.streams = &dropout.streams[..size];
            let batch = Batch {
                sequences: Padded::new(case.x.slice(s![..size, .., ..]), &case.lengths[..size]),
                targets: Targets::Labels(&labels[..size]),
                dropout: Some(dropout),
            };
            let loss = trainer.backpropagate(&mut network, &batch, &case.objective);
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
        assert!(losses[10] < 0.9 * losses[0], "{kind}: {losses:?}");
    }
}
