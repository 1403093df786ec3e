//! Whole training runs, on digits that the program draws.

use super::*;
use crate::data::digits;

fn options(cell: CellKind) -> Options {
    Options { cell, units: 16, recipe: Recipe::Best, epochs: Some(2), seed: 1, threads: Some(2) }
}

fn small() -> Dataset {
    digits::dataset(600, 60, 1).expect("a small set")
}

fn bytes(checkpoint: &Checkpoint) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.ckpt");
    checkpoint.save(&path).unwrap();
    std::fs::read(path).unwrap()
}

#[test]
fn a_few_epochs_learn_something() {
    let dataset = small();
    for cell in CellKind::ALL {
        let options = Options { units: 32, epochs: Some(20), ..options(cell) };
        let trained = train(&options, &dataset, &mut Unobserved).unwrap();
        let (first, last) = (trained.history[0], trained.history[19]);
        assert!(last.loss < 0.85 * first.loss, "{cell}: {first:?} {last:?}");
        assert!(last.val_accuracy > 0.3, "{cell}: {last:?}");
        assert_eq!(trained.checkpoint.epochs, 20);
    }
}

#[test]
fn threads_and_runs_do_not_change_a_byte_and_seeds_do() {
    let dataset = small();
    for cell in CellKind::ALL {
        let run = |seed, threads| {
            let options = Options { seed, threads: Some(threads), ..options(cell) };
            bytes(&train(&options, &dataset, &mut Unobserved).unwrap().checkpoint)
        };
        let first = run(1, 1);
        assert_eq!(first, run(1, 1), "{cell}, again");
        assert_eq!(first, run(1, 2), "{cell}, two threads");
        assert_eq!(first, run(1, 3), "{cell}, three threads");
        assert_ne!(first, run(2, 1), "{cell}, another seed");
    }
}

/// Samples of an epoch.
struct EpochSize(usize);

impl Observer for EpochSize {
    fn started(&mut self, _: u32, samples_per_epoch: usize) {
        self.0 = samples_per_epoch;
    }

    fn batch(&mut self, _: usize, _: f32) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, _: &Epoch, _: &dyn Fn() -> Checkpoint) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

#[test]
fn the_article_trains_on_every_sample_and_the_best_recipe_holds_a_twelfth_out() {
    let dataset = small();
    for (recipe, samples) in [(Recipe::Article, 600), (Recipe::Best, 550)] {
        let mut size = EpochSize(0);
        let options = Options { recipe, epochs: Some(1), ..options(CellKind::SimpleRnn) };
        let trained = train(&options, &dataset, &mut size).unwrap();
        assert_eq!(size.0, samples, "{recipe}");
        let validation = dataset.train().view().split_at(samples).1;
        let measured = if validation.count() > 0 { validation } else { dataset.test().view() };
        let expected = measure(&trained.checkpoint.network, measured).unwrap();
        let epoch = trained.history[0];
        assert_eq!((epoch.val_loss, epoch.val_accuracy), expected, "{recipe}");
    }
}

/// Ends a run after so many batches.
struct Stop {
    after_batches: usize,
    epochs_seen: u32,
}

impl Observer for Stop {
    fn started(&mut self, epochs: u32, samples_per_epoch: usize) {
        assert_eq!((epochs, samples_per_epoch), (2, 550));
    }

    fn batch(&mut self, _: usize, _: f32) -> ControlFlow<()> {
        self.after_batches -= 1;
        if self.after_batches == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn epoch(&mut self, epoch: &Epoch, checkpoint: &dyn Fn() -> Checkpoint) -> ControlFlow<()> {
        assert_eq!(checkpoint().epochs, epoch.epoch);
        self.epochs_seen = epoch.epoch;
        ControlFlow::Continue(())
    }
}

#[test]
fn an_observer_can_end_a_run() {
    let dataset = small();
    let mut stop = Stop { after_batches: 12, epochs_seen: 0 };
    let error = train(&options(CellKind::Gru), &dataset, &mut stop).unwrap_err();
    assert!(matches!(error, TrainError::Interrupted { epoch: 2 }), "{error}");
    assert_eq!(stop.epochs_seen, 1);
}

#[test]
fn impossible_sizes_are_refused() {
    let dataset = small();
    for units in [0, 513] {
        let error =
            train(&Options { units, ..options(CellKind::Lstm) }, &dataset, &mut Unobserved).unwrap_err();
        assert!(error.to_string().contains(&format!("{units} units")), "{error}");
    }
}

#[test]
fn a_weight_that_is_no_number_is_seen() {
    let mut network = Network::new(CellKind::Gru, Shape { inputs: 2, units: 3, outputs: 2, layers: 1 }, 1);
    assert!(is_finite(&network));
    network.dense.bias[1] = f32::NAN;
    assert!(!is_finite(&network));
}
