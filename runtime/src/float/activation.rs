//! tanh, sigmoid, softmax and what that says of the greatest logit, on floats.
//!
//! tanh and sigmoid are plain arithmetic: branch-free, so that LLVM turns loops over them into vector code, and
//! without a mathematics library, so that every machine computes the same bits. Built on micromath's exponential
//! they would be off by up to 1e-3 and 5e-4, which is more than quantisation costs; the exponential of softmax,
//! where such an error does no harm, is micromath's.

use micromath::F32Ext;

/// Beyond this, tanh is within 4e-8 of ±1.
const LIMIT: f32 = 9.0;

/// Hyperbolic tangent, off by less than 5e-7 everywhere, relatively as well as absolutely; always within ±1.
///
/// The rational minimax fit `x·P(x²)/Q(x²)` for `|x| < 9`. Its coefficients are all positive, so nothing cancels in f32.
///
/// ```
/// use refrain::float::activation::tanh;
///
/// assert!((tanh(0.5) - 0.462_117).abs() < 1e-6);
/// assert_eq!(tanh(f32::NEG_INFINITY), -1.0);
/// ```
#[inline]
pub fn tanh(x: f32) -> f32 {
    let x = x.clamp(-LIMIT, LIMIT);
    let y = x * x;
    let p = (((1.335_273_7e-8 * y + 2.060_776_6e-5) * y + 3.495_512_5e-3) * y + 1.338_096_4e-1) * y + 1.0;
    let q = (((7.775_79e-7 * y + 3.285_507_8e-4) * y + 2.587_67e-2) * y + 4.671_428e-1) * y + 1.0;
    (x * p / q).clamp(-1.0, 1.0)
}

/// Logistic function `1 / (1 + exp(-x))`, off by less than 5e-7 everywhere; always within 0 and 1.
///
/// ```
/// assert_eq!(refrain::float::activation::sigmoid(0.0), 0.5);
/// ```
#[inline]
pub fn sigmoid(x: f32) -> f32 {
    0.5 + 0.5 * tanh(0.5 * x)
}

/// Turns logits into probabilities in place: `exp(l) / sum(exp(l))`.
///
/// The exponential is micromath's. An empty slice stays empty.
///
/// ```
/// let mut values = [1.0, 3.0, 1.0];
/// refrain::float::activation::softmax(&mut values);
/// assert!((values.iter().sum::<f32>() - 1.0).abs() < 1e-6);
/// assert!(values[1] > 0.78 && values[1] < 0.8);
/// ```
pub fn softmax(logits: &mut [f32]) {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        // by name: `std`'s own `exp`, where there is one, gives other bits
        *logit = F32Ext::exp(*logit - greatest);
        sum += *logit;
    }
    for logit in logits {
        *logit /= sum;
    }
}

/// What [`softmax`] gives to the greatest of the logits, from 0 to 1; 0 where there are none.
///
/// ```
/// use refrain::float::activation::{confidence, softmax};
///
/// let mut values = [1.0, 3.0, 1.0];
/// let sure = confidence(values.iter().copied());
/// softmax(&mut values);
/// assert_eq!(sure, values[1]);
/// ```
pub fn confidence(logits: impl Iterator<Item = f32> + Clone) -> f32 {
    let greatest = logits.clone().fold(f32::NEG_INFINITY, f32::max);
    // The exponential of the greatest itself is 1.
    let sum: f32 = logits.map(|logit| F32Ext::exp(logit - greatest)).sum();
    if sum > 0.0 { 1.0 / sum } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_is_what_softmax_gives_to_the_greatest() {
        for logits in [&[0.0][..], &[-3.0, 4.5, 4.5, 0.1], &[-1000.0, 1000.0], &[1e-3, -1e-3, 0.0, 2e-3]] {
            let mut values = logits.to_vec();
            softmax(&mut values);
            let greatest = values.iter().copied().fold(0.0, f32::max);
            let sure = confidence(logits.iter().copied());
            assert!((sure - greatest).abs() < 1e-6 && (0.0..=1.0).contains(&sure), "{logits:?}: {sure}");
        }
        assert_eq!(confidence([].into_iter()), 0.0);
    }

    /// Every magnitude from the smallest to the largest f32, in steps that visit each binade evenly.
    fn magnitudes() -> impl Iterator<Item = f32> {
        (0..=f32::INFINITY.to_bits()).step_by(997).map(f32::from_bits).chain([f32::MAX, f32::INFINITY])
    }

    #[test]
    fn tanh_is_accurate_odd_and_bounded_over_all_of_f32() {
        let mut worst = 0.0_f64;
        for x in magnitudes() {
            let (got, expected) = (f64::from(tanh(x)), f64::from(x).tanh());
            worst = worst.max((got - expected).abs() / expected.max(f64::MIN_POSITIVE));
            assert!(got <= 1.0, "tanh({x}) = {got}");
            assert_eq!(tanh(-x), -tanh(x));
        }
        assert!(worst < 5e-7, "worst relative error {worst:e}");
    }

    #[test]
    fn sigmoid_is_accurate_and_bounded_over_all_of_f32() {
        let mut worst = 0.0_f64;
        for x in magnitudes().flat_map(|x| [x, -x]) {
            let got = sigmoid(x);
            worst = worst.max((f64::from(got) - 1.0 / (1.0 + (-f64::from(x)).exp())).abs());
            assert!((0.0..=1.0).contains(&got), "sigmoid({x}) = {got}");
        }
        assert!(worst < 5e-7, "worst error {worst:e}");
    }

    #[test]
    fn not_a_number_is_passed_on() {
        assert!(tanh(f32::NAN).is_nan());
        assert!(sigmoid(f32::NAN).is_nan());
    }
}
