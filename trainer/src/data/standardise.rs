//! Means and standard deviations of features and targets, over the training split alone.

use ndarray::ArrayView2;

use super::{DataError, InputScaling, Split, TargetScaling, Values};

/// The least deviation that a feature or target may have: with one of less its gain would not fit an f32 in a model file.
const LEAST_DEVIATION: f32 = 1e-30;
/// The most deviations that a feature may be away from its mean: of more the square would not fit an f32.
const MOST_DEVIATIONS: f32 = 1e18;

/// Mean and deviation of one column, and whether all its numbers are the same.
struct Column {
    mean: f32,
    deviation: f32,
    constant: bool,
}

/// The scaling under which every feature of the training split has mean 0 and deviation 1, over all timesteps that
/// there are; and one sentence for each feature that is constant, with which nothing can be done: it gets deviation 1,
/// so that the network sees 0.
///
/// # Errors
/// [`DataError::AllConstant`] when no feature varies.
pub(super) fn inputs(train: &Split, names: &[String]) -> Result<(InputScaling, Vec<String>), DataError> {
    let inputs = train.inputs();
    let columns = match train.sequences().values() {
        Values::U8(values) => columns(values, inputs),
        Values::I16(values) => columns(values, inputs),
        Values::F32(values) => columns(values, inputs),
    };
    if columns.iter().all(|column| column.constant) {
        return Err(DataError::AllConstant { path: train.sequences_from().into() });
    }
    let notes = columns.iter().enumerate().filter(|(_, column)| column.constant).map(|(feature, column)| {
        format!(
            "{}: feature {} is {} throughout the training sequences, so a network learns nothing from it; leave it \
             out, unless it is to stay so on the board",
            train.sequences_from().display(),
            described(feature, names),
            column.mean
        )
    });
    let notes = notes.collect();
    let mean = columns.iter().map(|column| column.mean).collect();
    let deviation = columns.iter().map(|column| column.deviation).collect();
    Ok((InputScaling::PerFeature { mean, deviation }, notes))
}

/// Refuses sequences with a feature so far from the training sequences' that nothing can be computed of it.
///
/// # Errors
/// [`DataError::TooFar`].
pub(super) fn check_reach(split: &Split, scaling: &InputScaling, names: &[String]) -> Result<(), DataError> {
    let sequences = split.sequences();
    // integers are never that far from integers
    let (InputScaling::PerFeature { mean, deviation }, Values::F32(values)) = (scaling, sequences.values())
    else {
        return Ok(());
    };
    let inputs = mean.len();
    let is_near = |index: usize| {
        let feature = index % inputs;
        ((values[index] - mean[feature]) / deviation[feature]).abs() <= MOST_DEVIATIONS
    };
    let Some(index) = (0..values.len()).find(|&index| !is_near(index)) else { return Ok(()) };
    let (sample, timestep) = sequences.locate(index / inputs);
    let feature = described(index % inputs, names);
    // others may have been held out of those that it was numbered among
    let sample = split.name(sample).map_or_else(|| format!("sample {sample}"), str::to_owned);
    Err(DataError::TooFar {
        path: split.sequences_from().into(),
        place: format!("{sample}, timestep {timestep}, feature {feature}"),
        value: values[index],
        mean: mean[index % inputs],
        most: MOST_DEVIATIONS,
    })
}

/// The scaling under which every output of the training split has mean 0 and deviation 1.
///
/// # Errors
/// [`DataError::ConstantTarget`] when an output does not vary.
pub(super) fn targets(
    values: ArrayView2<'_, f32>,
    train: &Split,
    names: &[String],
) -> Result<TargetScaling, DataError> {
    let columns = columns(values.to_slice().expect("targets lie in standard layout"), values.ncols());
    if let Some(output) = columns.iter().position(|column| column.constant) {
        return Err(DataError::ConstantTarget {
            path: train.targets_from().into(),
            output: described(output, names),
            value: columns[output].mean,
        });
    }
    let mean = columns.iter().map(|column| column.mean).collect();
    let deviation = columns.iter().map(|column| column.deviation).collect();
    Ok(TargetScaling { mean, deviation })
}

/// A column by its number, and by its name where it has one.
pub(super) fn described(column: usize, names: &[String]) -> String {
    match names.get(column) {
        Some(name) => format!("{column} ({name})"),
        None => column.to_string(),
    }
}

/// `values` is `[rows, width]`, row-major. Sums are taken in f64, the mean before the deviations from it.
fn columns<T: Copy + PartialEq + Into<f32>>(values: &[T], width: usize) -> Vec<Column> {
    let rows = (values.len() / width) as f64;
    let number = |value: &T| f64::from((*value).into());
    let mut means = vec![0.0; width];
    for row in values.chunks_exact(width) {
        means.iter_mut().zip(row).for_each(|(sum, value)| *sum += number(value));
    }
    means.iter_mut().for_each(|sum| *sum /= rows);
    let mut squares = vec![0.0; width];
    let mut constant = vec![true; width];
    for row in values.chunks_exact(width) {
        for (((square, constant), mean), (value, first)) in
            squares.iter_mut().zip(&mut constant).zip(&means).zip(row.iter().zip(values))
        {
            *square += (number(value) - mean).powi(2);
            *constant &= value == first;
        }
    }
    let column = |index: usize| {
        let deviation = (squares[index] / rows).sqrt() as f32;
        let constant = constant[index] || deviation < LEAST_DEVIATION;
        Column { mean: means[index] as f32, deviation: if constant { 1.0 } else { deviation }, constant }
    };
    (0..width).map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Sequences, Targets};
    use ndarray::{Array2, array};

    fn split(values: Values, inputs: usize, lengths: &[usize], targets: Array2<f32>) -> Split {
        let sequences = Sequences::ragged(values, inputs, lengths);
        Split::new(sequences, Targets::Values(targets), false, "x", "y").expect("a sound split")
    }

    fn features(values: Values, inputs: usize, lengths: &[usize]) -> Split {
        split(values, inputs, lengths, Array2::zeros((lengths.len(), 1)))
    }

    #[test]
    fn means_and_deviations_are_over_every_timestep() {
        let train = features(Values::I16(vec![1, 10, 3, 10, 5, 30, 7, 30]), 2, &[3, 1]);
        let (scaling, notes) = inputs(&train, &[]).expect("both vary");
        let expected =
            InputScaling::PerFeature { mean: vec![4.0, 20.0], deviation: vec![5.0_f32.sqrt(), 10.0] };
        assert_eq!(scaling, expected);
        assert!(notes.is_empty());
    }

    #[test]
    fn a_great_offset_costs_no_digits() {
        let values = (0..1000).map(|n| 1e6 + (n % 2) as f32).collect();
        let (scaling, _) = inputs(&features(Values::F32(values), 1, &[1000]), &[]).expect("it varies");
        assert_eq!(scaling, InputScaling::PerFeature { mean: vec![1_000_000.5], deviation: vec![0.5] });
    }

    #[test]
    fn a_constant_feature_is_named_and_becomes_zero() {
        let train = features(Values::I16(vec![1, 7, 2, 7]), 2, &[2]);
        let (scaling, notes) = inputs(&train, &["x".into(), "temperature".into()]).expect("one varies");
        assert_eq!(scaling, InputScaling::PerFeature { mean: vec![1.5, 7.0], deviation: vec![0.5, 1.0] });
        assert_eq!(notes.len(), 1);
        assert!(notes[0].starts_with("x: feature 1 (temperature) is 7 throughout"), "{notes:?}");
        let text = inputs(&features(Values::U8(vec![5; 4]), 2, &[2]), &[]).expect_err("none varies");
        assert!(text.to_string().starts_with("x: every feature is constant"), "{text}");
    }

    #[test]
    fn a_feature_that_hardly_varies_counts_as_constant() {
        let train = features(Values::F32(vec![0.0, 1.0, 1e-35, 2.0]), 2, &[2]);
        let (scaling, notes) = inputs(&train, &[]).expect("one varies");
        assert_eq!(scaling, InputScaling::PerFeature { mean: vec![5e-36, 1.5], deviation: vec![1.0, 0.5] });
        assert!(notes[0].starts_with("x: feature 0 is "), "{notes:?}");
    }

    #[test]
    fn a_number_that_is_too_far_off_is_named() {
        let scaling = InputScaling::PerFeature { mean: vec![0.0, -3e38], deviation: vec![1e-20, 1e38] };
        let check = |values| {
            let split = features(Values::F32(values), 2, &[1, 2]);
            check_reach(&split, &scaling, &["x".into(), "pressure".into()]).map_err(|error| error.to_string())
        };
        check(vec![1e-3, 0.0, -1e-3, -3e38, 0.0, 0.0]).expect("near enough");
        let text = check(vec![0.0, 0.0, 0.0, 0.0, 0.0, 2e38]).expect_err("the difference is infinite");
        assert!(
            text.starts_with("x: sample 1, timestep 1, feature 1 (pressure) is 2e38, more than 1e18"),
            "{text}"
        );
        let text = check(vec![0.0, 0.0, -1.0, 0.0, 0.0, 0.0]).expect_err("the ratio is too great");
        assert!(text.starts_with("x: sample 1, timestep 0, feature 0 (x) is -1e0, more than"), "{text}");
    }

    #[test]
    fn targets_are_standardised_and_a_constant_one_is_refused() {
        let train = split(Values::U8(vec![0, 1]), 1, &[1, 1], array![[1.0, 5.0], [3.0, 9.0]]);
        let values = array![[1.0, 5.0], [3.0, 9.0]];
        let scaling = targets(values.view(), &train, &[]).expect("both vary");
        assert_eq!(scaling, TargetScaling { mean: vec![2.0, 7.0], deviation: vec![1.0, 2.0] });
        let constant = array![[1.0, 5.0], [3.0, 5.0]];
        let text = targets(constant.view(), &train, &[]).expect_err("constant").to_string();
        assert!(text.starts_with("y: target 1 is 5 for every training sequence"), "{text}");
    }
}
