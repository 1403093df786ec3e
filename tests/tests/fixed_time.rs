//! The firmware's feature `fixed-time`: what an inference takes does not depend on the sequence.

use ndarray::Array3;
use refrain_tests::cycles::Counter;
use refrain_tests::{dataset, samples_without_zeros, shipped_models, unlabelled};

/// Images that the emulated board classifies.
const IMAGES: usize = 1000;

#[test]
fn every_sequence_takes_the_same_instructions_and_cycles() {
    let (dataset, models) = (dataset(), shipped_models());
    let counter = match Counter::new(&models.each_ref(), &["fixed-time"]) {
        Ok(counter) => counter,
        Err(error) if error.is_lack_of_tools() => {
            eprintln!("the instructions and cycles with fixed-time were left out: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let blank = unlabelled(Array3::zeros((2, 28, 28)));
    let full = unlabelled(samples_without_zeros(2, 28, 28, 1));
    for (number, file) in models.iter().enumerate() {
        let count = |samples| counter.count(number, samples).expect("the board answers");
        let first = count(blank.view()).each[0];
        for samples in [blank.view(), full.view(), dataset.test().view().first(IMAGES)] {
            let calls = count(samples);
            let other = calls.each.iter().position(|&call| call != first);
            assert_eq!(other, None, "{}: {first:?}, {:?}", file.name(), calls.cycles());
        }
    }
}
