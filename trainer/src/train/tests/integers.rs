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
