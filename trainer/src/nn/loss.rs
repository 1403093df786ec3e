//! Losses of a batch, and their gradients: cross-entropy for classes, mean squared error for values.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

use super::batch::{Loss, Targets};

/// The loss of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// Mean over the entries: in nats for cross-entropy, in squares of a standard deviation for values.
    pub mean: f32,
    /// Gradient of the mean by the network's outputs, `[entries, outputs]`.
    pub gradient: Array2<f32>,
}

impl Loss {
    /// The loss of a network's outputs, `[entries, outputs]`.
    ///
    /// # Panics
    /// If there are no entries, the sizes differ, a label is not below `outputs`, or the targets are not of the kind that
    /// the loss is for.
    pub fn evaluate(&self, outputs: ArrayView2<'_, f32>, targets: Targets<'_>) -> Evaluated {
        match (self, targets) {
            (Self::CrossEntropy { label_smoothing, class_weights }, Targets::Labels(labels)) => {
                cross_entropy(outputs, labels, *label_smoothing, class_weights.as_deref())
            }
            (Self::MeanSquaredError, Targets::Values(values)) => mean_squared_error(outputs, values),
            (loss, targets) => panic!("{loss:?} cannot be had of {targets:?}"),
        }
    }
}

/// Keras's sparse categorical cross-entropy from `logits` `[entries, outputs]` against `labels` `[entries]`.
///
/// ```text
/// p = softmax(logits)      q = (1 - ε)·onehot(label) + ε/outputs      loss = 1/N Σ_n w[label_n] Σ_k -q_nk log p_nk
/// ```
/// `label_smoothing` is ε (Szegedy et al. 2016); 0 is none. `class_weights` `[outputs]` are w, 1 where there are none. As with
/// Keras's `class_weight` the sum is divided by the number of entries N, not by the sum of the weights.
/// <https://keras.io/api/losses/probabilistic_losses/#sparsecategoricalcrossentropy-class>
///
/// # Panics
/// If there are no entries, the sizes differ or a label is not below `outputs`: callers check their data when they load it.
pub fn cross_entropy(
    logits: ArrayView2<'_, f32>,
    labels: &[u8],
    label_smoothing: f32,
    class_weights: Option<&[f32]>,
) -> Evaluated {
    let (entries, outputs) = logits.dim();
    assert!(entries == labels.len() && entries > 0, "{entries} rows of logits for {} labels", labels.len());
    let rest = label_smoothing / outputs as f32;
    let mut gradient = logits.to_owned();
    let mut sum = 0.0_f64;
    for (mut row, label) in gradient.axis_iter_mut(Axis(0)).zip(labels) {
        let label = usize::from(*label);
        assert!(label < outputs, "label {label} for {outputs} logits");
        let weight = class_weights.map_or(1.0, |weights| weights[label]);
        // log softmax; the largest logit goes first, so that no exponential overflows
        let largest = row.fold(f32::NEG_INFINITY, |a, b| a.max(*b));
        let log_sum = largest + row.iter().map(|z| (z - largest).exp()).sum::<f32>().ln();
        for (class, z) in row.iter_mut().enumerate() {
            let target = rest + if class == label { 1.0 - label_smoothing } else { 0.0 };
            let log_probability = *z - log_sum;
            sum -= f64::from(weight * (target * log_probability));
            *z = (log_probability.exp() - target) * (weight / entries as f32);
        }
    }
    Evaluated { mean: (sum / entries as f64) as f32, gradient }
}

/// Mean over all entries and outputs of the squared difference of `outputs` and `values`, both `[entries, outputs]`.
/// <https://keras.io/api/losses/regression_losses/#meansquarederror-class>
///
/// # Panics
/// If there are no entries, or the sizes differ.
pub fn mean_squared_error(outputs: ArrayView2<'_, f32>, values: ArrayView2<'_, f32>) -> Evaluated {
    assert!(
        outputs.dim() == values.dim() && !outputs.is_empty(),
        "{:?} for {:?}",
        outputs.dim(),
        values.dim()
    );
    let mut gradient = &outputs - &values;
    let count = gradient.len() as f64;
    let sum: f64 = gradient.iter().map(|error| f64::from(*error).powi(2)).sum();
    gradient *= (2.0 / count) as f32;
    Evaluated { mean: (sum / count) as f32, gradient }
}

/// How many of `labels` have the largest of their row's `logits` `[entries, outputs]`.
pub fn correct(logits: ArrayView2<'_, f32>, labels: &[u8]) -> usize {
    let rows = logits.outer_iter().zip(labels);
    rows.filter(|(row, label)| argmax(row.view()) == usize::from(**label)).count()
}

/// The index of the largest logit; of equal ones the first.
pub fn argmax(logits: ArrayView1<'_, f32>) -> usize {
    let mut best = 0;
    for (class, z) in logits.iter().enumerate() {
        if *z > logits[best] {
            best = class;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn plain(logits: ArrayView2<'_, f32>, labels: &[u8]) -> Evaluated {
        cross_entropy(logits, labels, 0.0, None)
    }

    #[test]
    fn equal_logits_cost_the_logarithm_of_the_classes() {
        let loss = plain(Array2::zeros((2, 4)).view(), &[0, 3]);
        assert!((loss.mean - 4.0_f32.ln()).abs() < 1e-6);
        assert!((loss.gradient[[0, 0]] - -0.375).abs() < 1e-6);
        assert!((loss.gradient[[0, 1]] - 0.125).abs() < 1e-6);
    }

    #[test]
    fn huge_logits_do_not_overflow() {
        let loss = plain(array![[1e30, -1e30]].view(), &[0]);
        assert_eq!(loss.mean, 0.0);
        assert_eq!(loss.gradient, array![[0.0, 0.0]]);
    }

    #[test]
    fn not_a_number_is_not_hidden() {
        assert!(plain(array![[f32::NAN, 0.0]].view(), &[1]).mean.is_nan());
        assert!(mean_squared_error(array![[f32::NAN]].view(), array![[0.0]].view()).mean.is_nan());
    }

    #[test]
    fn every_gradient_follows_its_loss() {
        let outputs = array![[0.5, -1.0, 2.0], [0.1, 0.2, 0.3]];
        let values = array![[0.0, 1.0, 1.5], [-2.0, 0.0, 0.0]];
        let (labels, weights) = (Targets::Labels(&[2, 0]), Some(vec![0.5, 9.0, 3.0]));
        let cases = [
            (Loss::CROSS_ENTROPY, labels),
            (Loss::CrossEntropy { label_smoothing: 0.1, class_weights: weights }, labels),
            (Loss::MeanSquaredError, Targets::Values(values.view())),
        ];
        for (loss, targets) in cases {
            let gradient = loss.evaluate(outputs.view(), targets).gradient;
            for ((row, class), gradient) in gradient.indexed_iter() {
                let at = |offset: f32| {
                    let mut moved = outputs.clone();
                    moved[[row, class]] += offset;
                    loss.evaluate(moved.view(), targets).mean
                };
                let difference = (at(1e-2) - at(-1e-2)) / 2e-2;
                assert!((difference - gradient).abs() < 2e-4, "{loss:?}: {difference} against {gradient}");
            }
        }
    }

    #[test]
    fn class_weights_weigh_entries_and_are_not_divided_by_their_sum() {
        let logits = array![[0.5, -1.0], [0.1, 0.2]];
        let apart = [0, 1].map(|row| plain(logits.slice(ndarray::s![row..=row, ..]), &[row as u8]).mean);
        let weighted = cross_entropy(logits.view(), &[0, 1], 0.0, Some(&[0.25, 3.0]));
        assert!((weighted.mean - (0.25 * apart[0] + 3.0 * apart[1]) / 2.0).abs() < 1e-6);
    }

    #[test]
    fn squared_errors_are_averaged_over_entries_and_outputs() {
        let loss =
            mean_squared_error(array![[1.0, 2.0], [0.0, 0.0]].view(), array![[0.0, 0.0], [0.0, 3.0]].view());
        assert_eq!(loss.mean, 14.0 / 4.0);
        assert_eq!(loss.gradient, array![[0.5, 1.0], [0.0, -1.5]]);
    }

    #[test]
    #[should_panic(expected = "2 rows of logits for 1 labels")]
    fn a_label_too_few_is_refused() {
        plain(Array2::zeros((2, 4)).view(), &[0]);
    }

    #[test]
    #[should_panic(expected = "MeanSquaredError cannot be had of Labels([1])")]
    fn labels_are_no_values() {
        Loss::MeanSquaredError.evaluate(Array2::zeros((1, 1)).view(), Targets::Labels(&[1]));
    }
}
