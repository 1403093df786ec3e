//! Whole training runs, on digits that the program draws and on waves of different lengths.

mod faults;
mod integers;
mod resume;
mod sets;

use std::ops::ControlFlow;

use refrain::CellKind;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::nn::{Loss, Network};
use sets::{Ask, images, waves};

fn options(cell: CellKind) -> Options {
    Options { units: 16, epochs: Some(2), threads: Some(2), ..Options::new(cell) }
}

fn bytes(checkpoint: &Checkpoint) -> Vec<u8> {
    checkpoint.to_bytes()
}

#[test]
fn a_few_epochs_learn_something() {
    let dataset = images();
    for cell in CellKind::ALL {
        let options = Options { units: 32, epochs: Some(20), ..options(cell) };
        let trained = train(&options, &dataset, &mut Unobserved).unwrap();
        let (first, last) = (trained.history[0], trained.history[19]);
        assert!(last.loss < 0.85 * first.loss, "{cell}: {first:?} {last:?}");
        assert!(last.val_accuracy.unwrap() > 0.3, "{cell}: {last:?}");
        assert_eq!(trained.checkpoint.epochs, 20);
    }
}

#[test]
fn every_kind_of_task_is_learnt_from_sequences_of_different_lengths() {
    for (ask, layers, dropout) in [
        (Ask::Class, 2, 0.1),
        (Ask::ClassEachStep, 1, 0.0),
        (Ask::Value, 1, 0.0),
        (Ask::ValueEachStep, 2, 0.0),
    ] {
        let dataset = waves(ask);
        let options = Options {
            layers,
            dropout,
            epochs: Some(30),
            batch: Some(20),
            learning_rate: Some(1e-2),
            class_weights: ask == Ask::Class,
            ..options(CellKind::Gru)
        };
        let trained = train(&options, &dataset, &mut Unobserved).unwrap();
        let score =
            measure(&trained.checkpoint.network, dataset.test().view(), dataset.scaling(), dataset.task());
        let last = trained.history[29];
        match ask {
            Ask::Class | Ask::ClassEachStep => {
                assert!(score.accuracy.unwrap() > 0.95, "{ask:?}: {score:?}");
                assert!(
                    last.accuracy.is_some() && last.r2.is_none() && last.val_mean_absolute_error.is_none()
                );
            }
            Ask::Value | Ask::ValueEachStep => {
                assert!(score.r2.unwrap() > 0.75, "{ask:?}: {score:?}");
                assert!(last.accuracy.is_none() && last.val_r2.unwrap() > 0.75, "{ask:?}: {last:?}");
            }
        }
    }
}

#[test]
fn errors_are_in_the_unit_of_the_targets() {
    let dataset = waves(Ask::ValueEachStep);
    // a network that always says 0, which stands for the mean of 100
    let shape = options(CellKind::Gru).shape(&dataset).unwrap();
    let network = Network::zeros(CellKind::Gru, shape);
    let test = dataset.test();
    let crate::data::Targets::Values(targets) = test.targets() else { panic!("values") };
    let expected =
        targets.iter().map(|value| f64::from((value - 100.0).abs())).sum::<f64>() / targets.len() as f64;
    let score = measure(&network, test.view(), dataset.scaling(), dataset.task());
    let found = score.mean_absolute_error.unwrap();
    assert!((found - expected).abs() < 1e-4 * expected, "{found} for {expected}");
    assert!(score.r2.unwrap() < 0.01 && score.accuracy.is_none());
}

#[test]
fn outputs_come_in_the_order_of_the_samples() {
    for ask in [Ask::Value, Ask::ValueEachStep] {
        let dataset = waves(ask);
        let network = Network::new(CellKind::Lstm, options(CellKind::Lstm).shape(&dataset).unwrap(), 3);
        let (test, at) = (dataset.test().view(), steps(dataset.task()));
        let together = outputs(&network, test, dataset.scaling(), at);
        let (first, rest) = test.split_at(23);
        let apart = [first, rest].map(|part| outputs(&network, part, dataset.scaling(), at));
        let apart = ndarray::concatenate(ndarray::Axis(0), &[apart[0].view(), apart[1].view()]).unwrap();
        assert_eq!(together.dim(), apart.dim());
        assert!(together.iter().zip(&apart).all(|(a, b)| (a - b).abs() < 1e-6), "{ask:?}");
    }
}

#[test]
fn class_weights_are_those_of_the_data_set_and_change_what_is_learnt() {
    let dataset = waves(Ask::Class);
    let weighted = Options { class_weights: true, ..options(CellKind::Gru) };
    let Loss::CrossEntropy { class_weights: Some(weights), .. } = weighted.objective(&dataset).loss else {
        panic!("a weighted loss")
    };
    assert_eq!(weights, [0.625, 2.5], "180 entries in two classes of 144 and 36");
    let network = |options| train(options, &dataset, &mut Unobserved).unwrap().checkpoint.network;
    assert_ne!(network(&weighted), network(&options(CellKind::Gru)));
}

#[test]
fn threads_and_runs_do_not_change_a_byte_and_seeds_do() {
    let (images, waves) = (images(), waves(Ask::ClassEachStep));
    for cell in CellKind::ALL {
        for dataset in [&images, &waves] {
            let run = |seed, threads| {
                let options =
                    Options { seed, threads: Some(threads), dropout: 0.2, layers: 2, ..options(cell) };
                bytes(&train(&options, dataset, &mut Unobserved).unwrap().checkpoint)
            };
            let first = run(1, 1);
            assert_eq!(first, run(1, 1), "{cell}, again");
            assert_eq!(first, run(1, 3), "{cell}, three threads");
            assert_ne!(first, run(2, 1), "{cell}, another seed");
        }
    }
}

/// Notes what it is told.
#[derive(Default)]
struct Notes {
    plan: Option<Plan>,
    last_progress: Option<Progress>,
}

impl Observer for Notes {
    fn started(&mut self, plan: &Plan) {
        self.plan = Some(*plan);
    }

    fn batch(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.last_progress = Some(*progress);
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, done: &EpochDone<'_>) -> ControlFlow<()> {
        let Progress { loss, accuracy, mean_absolute_error, .. } = self.last_progress.unwrap();
        let Epoch { loss: all, accuracy: of_all, mean_absolute_error: error_of_all, .. } = *done.epoch;
        assert_eq!((loss, accuracy, mean_absolute_error), (all, of_all, error_of_all));
        assert_eq!(done.state.history.last(), Some(done.epoch));
        ControlFlow::Continue(())
    }
}

#[test]
fn the_article_trains_on_every_sample_and_the_best_recipe_holds_a_twelfth_out() {
    let dataset = images();
    for (recipe, samples) in [(Recipe::Article, 600), (Recipe::Best, 550)] {
        let mut notes = Notes::default();
        let options = Options { recipe, epochs: Some(1), ..options(CellKind::SimpleRnn) };
        let trained = train(&options, &dataset, &mut notes).unwrap();
        assert_eq!(notes.plan, Some(Plan { done: 0, epochs: 1, samples_per_epoch: samples }), "{recipe}");
        assert_eq!(notes.last_progress.unwrap().samples_done, samples);
        let validation = dataset.train().view().split_at(samples).1;
        let measured = if validation.count() > 0 { validation } else { dataset.test().view() };
        let expected = measure(&trained.checkpoint.network, measured, dataset.scaling(), dataset.task());
        let epoch = trained.history[0];
        assert_eq!((epoch.val_loss, epoch.val_accuracy), (expected.loss, expected.accuracy), "{recipe}");
    }
}

#[test]
fn the_error_of_a_regression_is_told_as_it_goes() {
    for (ask, is_regression) in [(Ask::Value, true), (Ask::ValueEachStep, true), (Ask::Class, false)] {
        let mut notes = Notes::default();
        train(&options(CellKind::Gru), &waves(ask), &mut notes).unwrap();
        let Progress { accuracy, mean_absolute_error, .. } = notes.last_progress.unwrap();
        assert_eq!((accuracy.is_none(), mean_absolute_error.is_some()), (is_regression, is_regression));
    }
}

/// Ends a run after so many batches.
struct Stop {
    after_batches: usize,
    epochs_seen: u32,
}

impl Observer for Stop {
    fn started(&mut self, _: &Plan) {}

    fn batch(&mut self, _: &Progress) -> ControlFlow<()> {
        self.after_batches -= 1;
        if self.after_batches == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn epoch(&mut self, done: &EpochDone<'_>) -> ControlFlow<()> {
        assert_eq!(done.checkpoint().epochs, done.epoch.epoch);
        self.epochs_seen = done.epoch.epoch;
        ControlFlow::Continue(())
    }
}

#[test]
fn an_observer_can_end_a_run() {
    let dataset = images();
    let mut stop = Stop { after_batches: 12, epochs_seen: 0 };
    let error = train(&options(CellKind::Gru), &dataset, &mut stop).unwrap_err();
    assert!(matches!(error, TrainError::Interrupted { epoch: 2 }), "{error}");
    assert_eq!(stop.epochs_seen, 1);
}

#[test]
fn with_patience_the_best_network_is_kept_and_training_ends_early() {
    let dataset = waves(Ask::Class);
    // too fast to settle
    let options = Options {
        epochs: Some(60),
        patience: Some(3),
        learning_rate: Some(0.2),
        batch: Some(20),
        ..options(CellKind::Gru)
    };
    let trained = train(&options, &dataset, &mut Unobserved).unwrap();
    let history = &trained.history;
    let lowest = history.iter().min_by(|a, b| a.val_loss.total_cmp(&b.val_loss)).unwrap();
    assert!(trained.stopped_early && history.len() < 60, "{} epochs", history.len());
    assert_eq!(history.len() as u32, lowest.epoch + 3);
    assert_eq!(trained.checkpoint.epochs, lowest.epoch);
    let validation = dataset.training_and_validation().1;
    let score = measure(&trained.checkpoint.network, validation, dataset.scaling(), dataset.task());
    assert_eq!(score.loss, lowest.val_loss);

    let patient = Options { patience: Some(60), epochs: Some(4), ..options };
    assert!(!train(&patient, &dataset, &mut Unobserved).unwrap().stopped_early);
}
