//! Epochs in the integers that networks are exported as.

use refrain::Numbers;

use super::resume::state_after;
use super::*;
use crate::quantise::{CALIBRATION, Formats};

#[test]
fn a_run_that_stops_among_its_epochs_in_integers_goes_on_in_the_same_ones() {
    let dataset = waves(Ask::Class);
    for cell in CellKind::ALL {
        let options = Options { epochs: Some(40), ..options(cell) };
        let in_integers = |epoch| options.settings(&dataset).is_in_integers(epoch);
        assert_eq!([38, 39, 40].map(in_integers), [false, true, true]);
        let unbroken = train(&options, &dataset, &mut Unobserved).unwrap();
        for epoch in [38, 39] {
            let state = state_after(epoch, &options, &dataset);
            let resumed = resume(&options, &dataset, state, &mut Unobserved).unwrap();
            assert_eq!(resumed.history, unbroken.history, "{cell}, {epoch}");
            assert_eq!(bytes(&resumed.checkpoint), bytes(&unbroken.checkpoint), "{cell}, {epoch}");
        }
    }
}

#[test]
fn fine_tuning_gets_networks_used_to_4_bits() {
    let dataset = images();
    let (training, validation) = dataset.training_and_validation();
    for cell in CellKind::ALL {
        let options = Options { units: 32, epochs: Some(30), learning_rate: Some(1e-2), ..options(cell) };
        let trained = train(&options, &dataset, &mut Unobserved).unwrap();
        let in_4_bits = |network: &Network| {
            let calibration = training.first(CALIBRATION);
            let formats = Formats::new(network, dataset.scaling(), Numbers::Int4, calibration);
            let integers = formats.integers(network).unwrap();
            measure(&integers, validation, dataset.scaling(), dataset.task()).loss
        };
        let before = in_4_bits(&trained.checkpoint.network);
        let tuned =
            fine_tune(&trained.checkpoint, &dataset, Numbers::Int4, 8, Some(2), &mut Unobserved).unwrap();
        let after = in_4_bits(&tuned.checkpoint.network);
        assert!(after < 0.9 * before, "{cell}: {after} after {before}");
        assert_eq!((tuned.history.len(), tuned.history[7].val_loss), (8, after), "{cell}");
    }
}

#[test]
fn fine_tuning_has_the_hyperparameters_that_the_network_was_trained_with() {
    let dataset = waves(Ask::Class);
    let options = Options { recipe: Recipe::Best, dropout: 0.25, ..options(CellKind::Gru) };
    let checkpoint = train(&options, &dataset, &mut Unobserved).unwrap().checkpoint;
    let kept = checkpoint.hyperparameters;
    assert_eq!((kept.batch, kept.learning_rate), (64, 0.01));
    assert_eq!((kept.dropout, kept.class_weights), (0.25, false));

    let tuned_with = |hyperparameters| {
        let checkpoint = Checkpoint { hyperparameters, ..checkpoint.clone() };
        let tuned = fine_tune(&checkpoint, &dataset, Numbers::Int4, 1, Some(2), &mut Unobserved).unwrap();
        assert_eq!(tuned.checkpoint.hyperparameters.class_weights, hyperparameters.class_weights);
        tuned.checkpoint.network
    };
    let as_kept = tuned_with(kept);
    assert_eq!(tuned_with(Hyperparameters { dropout: 0.0, ..kept }), as_kept, "none in integers");
    for other in [
        Hyperparameters { class_weights: true, ..kept },
        Hyperparameters { batch: 16, ..kept },
        Hyperparameters { learning_rate: 1e-4, ..kept },
    ] {
        assert_ne!(tuned_with(other), as_kept, "{other:?}");
    }
}
