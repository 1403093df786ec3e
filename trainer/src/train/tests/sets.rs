//! Small data sets of every kind.

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::{
    Dataset, InputScaling, Kind, Sequences, Split, Splits, TargetScaling, Targets, Task, Values, digits,
};

/// Digits that the program draws.
pub(super) fn images() -> Dataset {
    digits::dataset(600, 60, 1).expect("a small set")
}

/// What is asked of [`waves`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ask {
    /// Whether a wave is slow or fast; slow ones are four times as many.
    Class,
    /// At each timestep, whether the first feature is above its middle.
    ClassEachStep,
    /// Its height, and the height's double below zero.
    Value,
    /// At each timestep, what the first feature was at the timestep before.
    ValueEachStep,
}

/// Waves of different lengths in two features of different units.
pub(super) fn waves(ask: Ask) -> Dataset {
    let splits = Splits {
        train: split(ask, 180, 1, "train"),
        validation: Some(split(ask, 60, 2, "validation")),
        test: split(ask, 60, 3, "test"),
    };
    let scaling = InputScaling::PerFeature { mean: vec![100.0, 0.0], deviation: vec![40.0, 0.5] };
    let target = |names: &[&str], mean: &[f32], deviation: &[f32]| Kind::Regression {
        names: names.iter().map(|name| name.to_string()).collect(),
        scaling: TargetScaling { mean: mean.into(), deviation: deviation.into() },
    };
    let kind = match ask {
        Ask::Class | Ask::ClassEachStep => {
            Kind::Classification { classes: vec!["slow".into(), "fast".into()] }
        }
        Ask::Value => target(&["height", "depth"], &[40.0, -80.0], &[12.0, 24.0]),
        Ask::ValueEachStep => target(&["before"], &[100.0], &[30.0]),
    };
    let task = Task { kind, per_step: matches!(ask, Ask::ClassEachStep | Ask::ValueEachStep) };
    Dataset::new(format!("waves, {ask:?}"), task, scaling, splits).expect("a sound set")
}

fn split(ask: Ask, count: usize, seed: u64, name: &str) -> Split {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let (mut values, mut lengths, mut labels, mut targets) = (vec![], vec![], vec![], vec![]);
    for index in 0..count {
        let (length, height, phase) =
            (rng.random_range(6..20), rng.random_range(20.0..60.0_f32), rng.random_range(0.0..6.0_f32));
        let fast = index % 5 == 0;
        let wave = |t: usize| 100.0 + height * (phase + t as f32 * if fast { 1.6 } else { 0.6 }).sin();
        lengths.push(length);
        values.extend((0..length).flat_map(|t| [wave(t), (t as f32 * 0.3).cos() * 0.7]));
        match ask {
            Ask::Class => labels.push(u8::from(fast)),
            Ask::ClassEachStep => labels.extend((0..length).map(|t| u8::from(wave(t) > 100.0))),
            Ask::Value => targets.extend([height, -2.0 * height]),
            Ask::ValueEachStep => {
                targets.extend((0..length).map(|t| if t == 0 { 100.0 } else { wave(t - 1) }))
            }
        }
    }
    let outputs = if ask == Ask::Value { 2 } else { 1 };
    let targets = match ask {
        Ask::Class | Ask::ClassEachStep => Targets::Labels(labels),
        Ask::Value | Ask::ValueEachStep => {
            let shape = (targets.len() / outputs, outputs);
            Targets::Values(Array2::from_shape_vec(shape, targets).expect("whole rows"))
        }
    };
    let per_step = matches!(ask, Ask::ClassEachStep | Ask::ValueEachStep);
    Split::new(Sequences::ragged(Values::F32(values), 2, &lengths), targets, per_step, name, name)
        .expect("a sound split")
}
