//! SGD, momentum and Adam by Keras's formulas. <https://keras.io/api/optimizers/>

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, IxDyn, Zip};
use serde::{Deserialize, Serialize};

use super::network::{Network, Parameter};
use super::soap;
use super::trainer::Gradients;

/// How gradients become changes of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// `w ← w - η g`
    Sgd,
    /// `m ← μ m - η g`, `w ← w + m`
    Momentum {
        /// μ, what is left of the last change.
        momentum: f32,
    },
    /// Kingma & Ba 2015, in the form that Keras uses, where ε is not scaled by the correction of the bias:
    /// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`, `w ← w - η √(1 - β₂ᵗ)/(1 - β₁ᵗ) m / (√v + ε)`
    Adam {
        /// β₁
        beta_1: f32,
        /// β₂
        beta_2: f32,
        /// ε
        epsilon: f32,
    },
    /// Adam in a basis that follows the gradients of each matrix (Vyas et al. 2024, arXiv:2409.11321). Batch
    /// normalisation's vectors are changed by Adam itself.
    Soap {
        /// β₁
        beta_1: f32,
        /// β₂
        beta_2: f32,
        /// What is left, from period to period, of the covariances that the bases come from.
        beta_covariance: f32,
        /// ε
        epsilon: f32,
        /// Steps from one change of the bases to the next.
        period: u32,
    },
}

impl Algorithm {
    /// Adam with Keras's defaults.
    pub const ADAM: Self = Self::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 };
    /// SOAP with Adam's usual averages.
    pub const SOAP: Self =
        Self::Soap { beta_1: 0.9, beta_2: 0.999, beta_covariance: 0.95, epsilon: 1e-8, period: 10 };
}

/// An algorithm with its options and its memory of past gradients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Optimizer {
    algorithm: Algorithm,
    weight_decay: f32,
    clip_norm: Option<f32>,
    steps: i32,
    /// m, one tensor for each trainable weight; empty before the first step.
    first_moments: Vec<ArrayD<f32>>,
    /// v, likewise.
    second_moments: Vec<ArrayD<f32>>,
    /// SOAP's, of all weights but batch normalisation's.
    soap: soap::Memory,
}

impl Optimizer {
    /// An optimiser without weight decay or clipping.
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            weight_decay: 0.0,
            clip_norm: None,
            steps: 0,
            first_moments: Vec::new(),
            second_moments: Vec::new(),
            soap: soap::Memory::default(),
        }
    }

    /// Decoupled weight decay λ (Loshchilov & Hutter 2019): before each step `w ← w - η λ w`, for the kernels alone.
    /// Biases, and batch normalisation's scale and offset, have nothing to gain from being small.
    pub fn with_weight_decay(self, weight_decay: f32) -> Self {
        Self { weight_decay, ..self }
    }

    /// Scales all gradients together so that their global norm is at most `norm` (Pascanu et al. 2013).
    pub fn with_clip_norm(self, norm: f32) -> Self {
        Self { clip_norm: Some(norm), ..self }
    }

    /// Whether what it remembers of past gradients, if anything, is of networks like `network`.
    pub fn fits(&self, network: &Network) -> bool {
        let parameters = network.parameters();
        let weights: Vec<_> = parameters.iter().filter(|p| p.trainable).collect();
        let fit = |moments: &[ArrayD<f32>]| {
            let fits =
                |(m, w): (&ArrayD<f32>, &&Parameter<'_>)| m.is_empty() || m.shape() == w.values.shape();
            moments.len() == weights.len() && moments.iter().zip(&weights).all(fits)
        };
        let together = matches!(self.algorithm, Algorithm::Soap { .. });
        let soap = !together || self.soap.fits(&network.layers, &network.dense);
        self.steps == 0 || (fit(&self.first_moments) && fit(&self.second_moments) && soap)
    }

    /// Whether `other` has the same algorithm and options, whatever either remembers.
    pub fn has_settings_of(&self, other: &Self) -> bool {
        let settings = |optimizer: &Self| (optimizer.algorithm, optimizer.weight_decay, optimizer.clip_norm);
        settings(self) == settings(other)
    }

    /// Changes the trainable weights of `network` by `gradients`, at the learning rate η of this step.
    ///
    /// Always call it with networks of one shape: the memory is per weight.
    pub fn step(&mut self, network: &mut Network, gradients: &Gradients, learning_rate: f32) {
        let gradients_by_name = gradients.tensors();
        if self.steps == 0 {
            self.reserve_memory(&gradients_by_name);
        }
        self.steps += 1;
        let scale = self.clip_norm.map_or(1.0, |limit| clip_scale(gradients.global_norm(), limit));
        let rule = self.rule(learning_rate);

        let weights = network.parameters_mut().into_iter().filter(|p| p.trainable);
        let memory = self.first_moments.iter_mut().zip(&mut self.second_moments);
        for ((weight, (name, gradient)), (m, v)) in weights.zip(&gradients_by_name).zip(memory) {
            debug_assert_eq!(weight.name, *name);
            let mut values = weight.values;
            if self.weight_decay != 0.0 && name.ends_with("kernel") {
                values *= 1.0 - learning_rate * self.weight_decay;
            }
            if !takes_together(self.algorithm, name) {
                rule.apply(values, gradient, scale, m, v);
            }
        }
        if let Some(rule) = self.soap_rule(learning_rate, scale) {
            let gradients = (&gradients.layers[..], &gradients.dense);
            self.soap.step((&mut network.layers, &mut network.dense), gradients, rule);
        }
    }

    /// Zeros for as many moments as the algorithm keeps; the others stay empty.
    fn reserve_memory(&mut self, gradients: &[(&str, ArrayViewD<'_, f32>)]) {
        let zeros = |kept: bool| {
            let moment = |(name, g): &(&str, ArrayViewD<'_, f32>)| {
                let kept = kept && !takes_together(self.algorithm, name);
                ArrayD::zeros(if kept { g.raw_dim() } else { IxDyn(&[0]) })
            };
            gradients.iter().map(moment).collect()
        };
        let adaptive = matches!(self.algorithm, Algorithm::Adam { .. } | Algorithm::Soap { .. });
        (self.first_moments, self.second_moments) =
            (zeros(self.algorithm != Algorithm::Sgd), zeros(adaptive));
    }

    /// SOAP's rule of the step at hand, if that is the algorithm.
    fn soap_rule(&self, learning_rate: f32, scale: f32) -> Option<soap::Rule> {
        let Algorithm::Soap { beta_1, beta_2, beta_covariance, epsilon, period } = self.algorithm else {
            return None;
        };
        let step = self.steps as u32;
        Some(soap::Rule { learning_rate, scale, beta_1, beta_2, beta_covariance, epsilon, period, step })
    }

    /// The update rule for single tensors of the step at hand.
    fn rule(&self, learning_rate: f32) -> Rule {
        match self.algorithm {
            Algorithm::Sgd => Rule::Sgd { learning_rate },
            Algorithm::Momentum { momentum } => Rule::Momentum { learning_rate, momentum },
            Algorithm::Adam { beta_1, beta_2, epsilon } | Algorithm::Soap { beta_1, beta_2, epsilon, .. } => {
                let correction = |beta: f32| 1.0 - f64::from(beta).powi(self.steps);
                let alpha = f64::from(learning_rate) * correction(beta_2).sqrt() / correction(beta_1);
                Rule::Adam { alpha: alpha as f32, beta_1, beta_2, epsilon }
            }
        }
    }
}

/// Whether the algorithm changes this tensor together with others, rather than each weight by itself.
fn takes_together(algorithm: Algorithm, name: &str) -> bool {
    matches!(algorithm, Algorithm::Soap { .. }) && !name.starts_with("batch_normalization/")
}

/// An [`Algorithm`] with the learning rate of one step worked in.
#[derive(Clone, Copy)]
enum Rule {
    Sgd { learning_rate: f32 },
    Momentum { learning_rate: f32, momentum: f32 },
    Adam { alpha: f32, beta_1: f32, beta_2: f32, epsilon: f32 },
}

impl Rule {
    /// Changes one tensor of weights by its gradient, scaled, and its moments.
    fn apply(
        self,
        mut weights: ArrayViewMutD<'_, f32>,
        gradient: &ArrayViewD<'_, f32>,
        scale: f32,
        m: &mut ArrayD<f32>,
        v: &mut ArrayD<f32>,
    ) {
        match self {
            Self::Sgd { learning_rate } => weights.scaled_add(-learning_rate * scale, gradient),
            Self::Momentum { learning_rate, momentum } => {
                Zip::from(&mut weights).and(gradient).and(m).for_each(|w, g, m| {
                    *m = momentum * *m - learning_rate * scale * g;
                    *w += *m;
                });
            }
            Self::Adam { alpha, beta_1, beta_2, epsilon } => {
                Zip::from(&mut weights).and(gradient).and(m).and(v).for_each(|w, g, m, v| {
                    let g = scale * g;
                    *m += (g - *m) * (1.0 - beta_1);
                    *v += (g * g - *v) * (1.0 - beta_2);
                    *w -= alpha * *m / (v.sqrt() + epsilon);
                });
            }
        }
    }
}

/// What to multiply gradients of global norm `norm` by, so that it becomes `limit` at most.
fn clip_scale(norm: f32, limit: f32) -> f32 {
    if norm > limit { limit / norm } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use refrain::{CellKind, Shape};

    use super::*;
    use crate::nn::Trainer;

    const LEARNING_RATE: f32 = 0.1;
    const GRADIENTS: [f32; 4] = [0.5, -2.0, 0.25, 1.0];

    /// A network of two inputs and one unit, and gradients that are zero.
    fn network() -> (Network, Gradients) {
        let network =
            Network::new(CellKind::SimpleRnn, Shape { inputs: 2, units: 1, outputs: 1, layers: 1 }, 1);
        let gradients = Trainer::new(&network).gradients().clone();
        (network, gradients)
    }

    /// What each of a few steps makes of the kernel's first weight, which is one and has the gradients above.
    fn path(mut optimizer: Optimizer) -> [f32; 4] {
        let (mut network, mut gradients) = network();
        network.layers[0].kernel[[0, 0]] = 1.0;
        GRADIENTS.map(|gradient| {
            gradients.layers[0].kernel[[0, 0]] = gradient;
            optimizer.step(&mut network, &gradients, LEARNING_RATE);
            network.layers[0].kernel[[0, 0]]
        })
    }

    fn assert_path(optimizer: Optimizer, expected: [f64; 4]) {
        for (got, expected) in path(optimizer).into_iter().zip(expected) {
            assert!((f64::from(got) - expected).abs() < 1e-6, "{got} for {expected}");
        }
    }

    #[test]
    fn sgd_steps_down_the_gradient() {
        assert_path(Optimizer::new(Algorithm::Sgd), [0.95, 1.15, 1.125, 1.025]);
    }

    #[test]
    fn momentum_keeps_a_part_of_the_last_change() {
        // m: -0.05, -0.025 + 0.2, 0.0875 - 0.025, 0.03125 - 0.1
        assert_path(Optimizer::new(Algorithm::Momentum { momentum: 0.5 }), [0.95, 1.125, 1.1875, 1.11875]);
    }

    #[test]
    fn adam_follows_its_paper() {
        let (beta_1, beta_2, epsilon) = (0.8_f64, 0.9_f64, 1e-2_f64);
        let (mut weight, mut m, mut v) = (1.0, 0.0, 0.0);
        let mut power = (1.0, 1.0);
        let expected = GRADIENTS.map(|gradient| {
            let gradient = f64::from(gradient);
            power = (power.0 * beta_1, power.1 * beta_2);
            m = beta_1 * m + (1.0 - beta_1) * gradient;
            v = beta_2 * v + (1.0 - beta_2) * gradient * gradient;
            let alpha = f64::from(LEARNING_RATE) * f64::sqrt(1.0 - power.1) / (1.0 - power.0);
            weight -= alpha * m / (f64::sqrt(v) + epsilon);
            weight
        });
        let (beta_1, beta_2, epsilon) = (beta_1 as f32, beta_2 as f32, epsilon as f32);
        assert_path(Optimizer::new(Algorithm::Adam { beta_1, beta_2, epsilon }), expected);
    }

    #[test]
    fn weight_decay_shrinks_kernels_alone() {
        let (mut network, gradients) = network();
        network.dense.bias[0] = 1.0;
        let before = network.clone();
        Optimizer::new(Algorithm::Sgd).with_weight_decay(0.5).step(&mut network, &gradients, LEARNING_RATE);
        for (after, before) in network.parameters().into_iter().zip(before.parameters()) {
            let factor = if before.name.ends_with("kernel") { 1.0 - 0.5 * LEARNING_RATE } else { 1.0 };
            assert_eq!(after.values, &before.values * factor, "{}", before.name);
        }
    }

    #[test]
    fn clipping_scales_all_gradients_together() {
        let (mut network, mut gradients) = network();
        gradients.layers[0].kernel[[0, 0]] = 3.0;
        gradients.dense.bias[0] = -4.0;
        assert_eq!(gradients.global_norm(), 5.0);
        let before = network.clone();
        let mut step = |limit| {
            let mut after = before.clone();
            Optimizer::new(Algorithm::Sgd).with_clip_norm(limit).step(&mut after, &gradients, 1.0);
            network = after;
            let kernel = before.layers[0].kernel[[0, 0]] - network.layers[0].kernel[[0, 0]];
            (kernel, before.dense.bias[0] - network.dense.bias[0])
        };
        let close = |got: (f32, f32), expected: (f32, f32)| {
            assert!((got.0 - expected.0).abs() < 1e-6 && (got.1 - expected.1).abs() < 1e-6, "{got:?}");
        };
        close(step(1.0), (0.6, -0.8));
        close(step(6.0), (3.0, -4.0));
    }

    #[test]
    fn moving_statistics_are_left_alone() {
        let (mut network, mut gradients) = network();
        gradients.gamma.fill(1.0);
        gradients.beta.fill(1.0);
        let before = network.batch_normalization.clone();
        Optimizer::new(Algorithm::ADAM).with_weight_decay(0.5).step(&mut network, &gradients, LEARNING_RATE);
        let after = network.batch_normalization;
        assert_eq!(
            (&after.moving_mean, &after.moving_variance),
            (&before.moving_mean, &before.moving_variance)
        );
        assert_ne!(after.gamma, before.gamma);
    }
}
