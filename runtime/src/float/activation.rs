//! tanh, sigmoid and softmax on floats.

use micromath::F32Ext;

/// tanh.
pub fn tanh(x: f32) -> f32 {
    let e = F32Ext::exp(2.0 * x.clamp(-9.0, 9.0));
    (e - 1.0) / (e + 1.0)
}

/// sigmoid, `1 / (1 + exp(-x))`.
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
