//! Which sequences to hold out where a set comes without some to test on or to validate with.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{DataError, Split, TargetsView};

/// Fixed, so that every command holds out the same sequences.
const SEED: u64 = 0x5eed_0f5b_1175;
/// The part of the sequences that is held out: 15 in a hundred.
const PART: (usize, usize) = (15, 100);

/// Takes 15 % of the sequences of each class out of `train`, chosen by a fixed seed; one at least.
///
/// Where each timestep has a label, a sequence counts as one of its rarest class: that is what both parts need most.
/// `purpose` tells two choices out of the same sequences apart.
///
/// # Errors
/// [`DataError::TooFewToHoldOut`] when nothing would remain to train on.
pub(super) fn take(train: &mut Split, purpose: u64) -> Result<Split, DataError> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    rng.set_stream(purpose);
    let count = train.count();
    let mut taken = vec![false; count];
    let mut groups = groups(train);
    for group in &mut groups {
        group.shuffle(&mut rng);
        // rounded to the nearest, and never the whole of a class
        let share = (group.len() * PART.0 + PART.1 / 2) / PART.1;
        group[..share.min(group.len() - 1)].iter().for_each(|&index| taken[index] = true);
    }
    if !taken.contains(&true) {
        let largest = groups.iter().filter(|group| group.len() > 1).max_by_key(|group| group.len());
        let Some(largest) = largest else {
            return Err(DataError::TooFewToHoldOut { path: train.sequences_from().into(), count });
        };
        taken[largest[0]] = true;
    }
    Ok(train.take_out(&taken))
}

/// The numbers of the sequences of each class; all in one group where values are to be learnt.
fn groups(split: &Split) -> Vec<Vec<usize>> {
    let view = split.view();
    let Some(labels) = view.labels() else { return vec![(0..split.count()).collect()] };
    let mut counts = [0_usize; 256];
    labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    let mut groups = vec![Vec::new(); 256];
    for index in 0..split.count() {
        let TargetsView::Labels(labels) = view.target(index) else { continue };
        let rarest = labels.iter().min_by_key(|&&label| counts[usize::from(label)]);
        groups[usize::from(*rarest.expect("a sequence has a timestep"))].push(index);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Sequences, Targets, Values};
    use ndarray::Array2;

    fn labelled(labels: &[u8], timesteps: usize, per_step: bool) -> Split {
        let count = if per_step { labels.len() / timesteps } else { labels.len() };
        let values = Values::I16((0..(count * timesteps) as i16).collect());
        let sequences = Sequences::equal(values, [count, timesteps, 1]);
        Split::new(sequences, Targets::Labels(labels.to_vec()), per_step, "x", "y").expect("a sound split")
    }

    fn counts(split: &Split) -> [usize; 3] {
        [0, 1, 2].map(|class| split.labels().expect("labels").iter().filter(|&&label| label == class).count())
    }

    #[test]
    fn every_class_gives_its_part_and_keeps_one() {
        let labels = [vec![0; 100], vec![1; 20], vec![2; 1]].concat();
        let mut train = labelled(&labels, 2, false);
        let test = take(&mut train, 0).expect("enough");
        assert_eq!((counts(&test), counts(&train)), ([15, 3, 0], [85, 17, 1]));
        // nothing is lost and nothing is in both
        let firsts =
            |split: &Split| (0..split.count()).map(|i| split.view().sequence(i).get(0) as usize).collect();
        let mut all: Vec<usize> =
            [firsts(&train), firsts(&test)].into_iter().flat_map(|v: Vec<_>| v).collect();
        all.sort();
        assert_eq!(all, (0..121).map(|n| 2 * n).collect::<Vec<_>>());
    }

    #[test]
    fn the_choice_is_always_the_same_and_differs_by_purpose() {
        let chosen = |purpose| {
            let mut train = labelled(&[0, 1].repeat(50), 1, false);
            take(&mut train, purpose).expect("enough")
        };
        assert_eq!(chosen(0), chosen(0));
        assert_ne!(chosen(0), chosen(1));
    }

    #[test]
    fn where_timesteps_have_labels_the_rare_ones_are_shared() {
        // 40 sequences of three timesteps, ten of them with an anomaly
        let labels: Vec<u8> = (0..40).flat_map(|n| [0, u8::from(n % 4 == 0), 0]).collect();
        let mut train = labelled(&labels, 3, true);
        let test = take(&mut train, 0).expect("enough");
        assert_eq!((test.count(), counts(&test)[1], counts(&train)[1]), (7, 2, 8));
    }

    #[test]
    fn values_are_held_out_without_regard_to_them_and_few_sequences_are_refused() {
        let values = |count: usize| {
            let sequences = Sequences::equal(Values::U8(vec![0; count]), [count, 1, 1]);
            let targets = Targets::Values(Array2::zeros((count, 1)));
            Split::new(sequences, targets, false, "x", "y").expect("a sound split")
        };
        let held_out = [2, 3, 40].map(|count| take(&mut values(count), 0).expect("enough").count());
        assert_eq!(held_out, [1, 1, 6]);
        let text = take(&mut values(1), 0).expect_err("one sequence").to_string();
        assert!(text.starts_with("x: 1 sequences are too few"), "{text}");
        assert!(take(&mut labelled(&[0, 1, 2], 1, false), 0).is_err(), "one of each class");
    }
}
