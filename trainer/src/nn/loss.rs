//! Sparse categorical cross-entropy from logits, the mean over the batch.
//! <https://keras.io/api/losses/probabilistic_losses/#sparsecategoricalcrossentropy-class>

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

/// A batch's loss.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// Mean over the batch, in nats.
    pub mean: f32,
    /// Samples whose largest logit is their label's.
    pub correct: usize,
    /// Gradient of the mean by the logits, `[batch, outputs]`.
    pub d_logits: Array2<f32>,
}

/// Loss of `logits` `[batch, outputs]` against `labels` `[batch]`.
///
/// `label_smoothing` ε (Szegedy et al. 2016) replaces the one-hot target by `(1 - ε)·onehot + ε/outputs`; 0 is none.
///
/// # Panics
/// If the batch is empty, its sizes differ or a label is not below `outputs`: callers check their data when they load it.
pub fn sparse_categorical_crossentropy(
    logits: ArrayView2<'_, f32>,
    labels: &[u8],
    label_smoothing: f32,
) -> Loss {
    let (batch, outputs) = logits.dim();
    assert!(batch == labels.len() && batch > 0, "{batch} rows of logits for {} labels", labels.len());
    let (rest, weight) = (label_smoothing / outputs as f32, 1.0 / batch as f32);
    let mut loss = Loss { mean: 0.0, correct: 0, d_logits: logits.to_owned() };
    let mut sum = 0.0_f64;
    for (mut row, label) in loss.d_logits.axis_iter_mut(Axis(0)).zip(labels) {
        let label = usize::from(*label);
        assert!(label < outputs, "label {label} for {outputs} logits");
        loss.correct += usize::from(argmax(row.view()) == label);
        // log softmax; the largest logit goes first, so that no exponential overflows
        let largest = row.fold(f32::NEG_INFINITY, |a, b| a.max(*b));
        let log_sum = largest + row.iter().map(|z| (z - largest).exp()).sum::<f32>().ln();
        for (class, z) in row.iter_mut().enumerate() {
            let target = rest + if class == label { 1.0 - label_smoothing } else { 0.0 };
            let log_probability = *z - log_sum;
            sum -= f64::from(target * log_probability);
            *z = (log_probability.exp() - target) * weight;
        }
    }
    loss.mean = (sum / batch as f64) as f32;
    loss
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

    #[test]
    fn equal_logits_cost_the_logarithm_of_the_classes() {
        let loss = sparse_categorical_crossentropy(Array2::zeros((2, 4)).view(), &[0, 3], 0.0);
        assert!((loss.mean - 4.0_f32.ln()).abs() < 1e-6);
        assert_eq!(loss.correct, 1);
        assert!((loss.d_logits[[0, 0]] - -0.375).abs() < 1e-6);
        assert!((loss.d_logits[[0, 1]] - 0.125).abs() < 1e-6);
    }

    #[test]
    fn huge_logits_do_not_overflow() {
        let loss = sparse_categorical_crossentropy(array![[1e30, -1e30]].view(), &[0], 0.0);
        assert_eq!(loss.mean, 0.0);
        assert_eq!(loss.d_logits, array![[0.0, 0.0]]);
    }

    #[test]
    fn not_a_number_is_not_hidden() {
        let loss = sparse_categorical_crossentropy(array![[f32::NAN, 0.0]].view(), &[1], 0.0);
        assert!(loss.mean.is_nan());
    }

    #[test]
    fn smoothed_gradient_follows_the_loss() {
        let (logits, labels, smoothing) = (array![[0.5, -1.0, 2.0], [0.1, 0.2, 0.3]], [2, 0], 0.1);
        let loss = |logits: &Array2<f32>| sparse_categorical_crossentropy(logits.view(), &labels, smoothing);
        let d_logits = loss(&logits).d_logits;
        for ((row, class), gradient) in d_logits.indexed_iter() {
            let (mut above, mut below) = (logits.clone(), logits.clone());
            above[[row, class]] += 1e-2;
            below[[row, class]] -= 1e-2;
            let difference = (loss(&above).mean - loss(&below).mean) / 2e-2;
            assert!((difference - gradient).abs() < 1e-4, "{difference} against {gradient}");
        }
    }

    #[test]
    #[should_panic(expected = "2 rows of logits for 1 labels")]
    fn a_label_too_few_is_refused() {
        sparse_categorical_crossentropy(Array2::zeros((2, 4)).view(), &[0], 0.0);
    }
}
