//! What cannot be trained, and what ends badly.

use super::*;
use crate::data::{InputScaling, Sequences, Split, Splits, Targets, Task, Values};

fn refused(options: &Options, dataset: &Dataset) -> String {
    train(options, dataset, &mut Unobserved).unwrap_err().to_string()
}

#[test]
fn impossible_sizes_are_refused() {
    let dataset = images();
    for units in [0, 513] {
        let message = refused(&Options { units, ..options(CellKind::Lstm) }, &dataset);
        assert!(message.contains(&format!("{units} units")), "{message}");
    }
    for layers in [0, 4] {
        let message = refused(&Options { layers, ..options(CellKind::Lstm) }, &dataset);
        assert_eq!(
            message,
            format!("the network would have {layers} recurrent layers; 1 to 3 are supported")
        );
    }
}

#[test]
fn options_that_make_no_sense_are_refused_in_one_sentence() {
    let (images, values) = (images(), waves(Ask::Value));
    let gru = || options(CellKind::Gru);
    let cases = [
        (Options { dropout: 1.0, ..gru() }, &images, "a dropout of 1 was asked for"),
        (Options { dropout: f32::NAN, ..gru() }, &images, "a dropout of NaN"),
        (Options { learning_rate: Some(0.0), ..gru() }, &images, "a learning rate of 0 was asked for"),
        (Options { learning_rate: Some(f32::INFINITY), ..gru() }, &images, "a learning rate of inf"),
        (Options { class_weights: true, ..gru() }, &values, "this data has values to learn and no classes"),
        (Options { patience: Some(0), ..gru() }, &images, "a patience of 0 epochs"),
        (
            Options { patience: Some(2), recipe: Recipe::Article, ..gru() },
            &images,
            "recipe `article` validates on the test samples",
        ),
        (
            Options { batch: Some(551), ..gru() },
            &images,
            "there are only 550 to train on: ask for 550 at most",
        ),
        (Options { batch: Some(1), ..gru() }, &images, "normalisation needs at least 2"),
        (Options { batch: Some(0), ..gru() }, &images, "a batch of 0 samples"),
    ];
    for (options, dataset, expected) in cases {
        let message = refused(&options, dataset);
        assert!(message.contains(expected) && !message.contains('\n'), "{message}");
    }
}

/// A set of sequences of one feature and three timesteps.
fn tiny(training: usize, per_step: bool) -> Dataset {
    let split = |count: usize| {
        let values = Values::I16((0..3 * count as i16).collect());
        let entries = if per_step { 3 * count } else { count };
        let labels = Targets::Labels((0..entries).map(|entry| (entry % 2) as u8).collect());
        Split::new(Sequences::equal(values, [count, 3, 1]), labels, per_step, "x", "y").unwrap()
    };
    let task = Task { per_step, ..Task::classification(["even", "odd"]) };
    let splits = Splits { train: split(training), validation: None, test: split(2) };
    let scaling = InputScaling::PerFeature { mean: vec![2.0], deviation: vec![3.0] };
    Dataset::new("tiny", task, scaling, splits).unwrap()
}

#[test]
fn a_set_needs_samples_to_train_on_and_to_validate_with() {
    let message = refused(&options(CellKind::Gru), &tiny(2, false));
    assert!(message.contains("1 samples to train on and 1 to validate with"), "{message}");
    let trained = train(&options(CellKind::Gru), &tiny(3, false), &mut Unobserved).unwrap();
    assert_eq!(trained.history.len(), 2);

    // a sequence that is read out at every timestep can be normalised over by itself
    let message = refused(&options(CellKind::Gru), &tiny(1, true));
    assert!(message.contains("1 samples to train on and 0 to validate with"), "{message}");
    let trained = train(&options(CellKind::Gru), &tiny(2, true), &mut Unobserved).unwrap();
    assert!(trained.checkpoint.network.layers[0].kernel.iter().all(|w| w.is_finite()));
}

#[test]
fn divergence_in_the_first_epoch_names_epoch_step_and_cause() {
    let dataset = images();
    let options = Options { learning_rate: Some(1e30), recipe: Recipe::Article, ..options(CellKind::Gru) };
    let error = train(&options, &dataset, &mut Unobserved).unwrap_err();
    assert!(matches!(error, TrainError::Diverged { epoch: 1, kept: None, .. }), "{error}");
    let message = error.to_string();
    assert!(message.starts_with("training diverged in epoch 1, step "), "{message}");
    assert!(
        message.ends_with("; lower the learning rate, which was 1000000000000000000000000000000"),
        "{message}"
    );
}

#[test]
fn a_loss_far_beyond_guessing_is_divergence_too() {
    let options = Options { learning_rate: Some(1e4), ..options(CellKind::Gru) };
    let error = train(&options, &images(), &mut Unobserved).unwrap_err();
    let expected = matches!(error, TrainError::Diverged { cause: Divergence::WorseThanGuessing(..), .. });
    assert!(expected, "{error}");
}

/// Keeps the state after the first epoch.
struct First(Option<TrainingState>);

impl Observer for First {
    fn started(&mut self, _: &Plan) {}

    fn batch(&mut self, _: &Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, done: &EpochDone<'_>) -> ControlFlow<()> {
        self.0 = Some(done.state.clone());
        ControlFlow::Break(())
    }
}

#[test]
fn the_last_good_network_outlives_divergence() {
    let dataset = images();
    let mut first = First(None);
    train(&options(CellKind::Gru), &dataset, &mut first).unwrap();
    let state = first.0.unwrap();
    let wild = Options { learning_rate: Some(f32::MAX), ..options(CellKind::Gru) };
    let error = resume(&wild, &dataset, state.clone(), &mut Unobserved).unwrap_err();
    let message = error.to_string();
    assert!(message.ends_with("(the network of epoch 1 is kept)"), "{message}");
    let TrainError::Diverged { epoch: 2, kept: Some(kept), .. } = error else { panic!("{message}") };
    assert_eq!((kept.epochs, &kept.network), (1, &state.network));
}
