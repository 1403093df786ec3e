//! How a network is trained.

use std::fmt;
use std::str::FromStr;

use refrain::CellKind;
use serde::Serialize;

use super::augment::Augmentation;
use crate::nn::Algorithm;

/// A named way of training.
///
/// ```
/// use refrain_trainer::train::Recipe;
///
/// assert_eq!("article".parse(), Ok(Recipe::Article));
/// assert_eq!(Recipe::Best.to_string(), "best");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// Stochastic gradient descent at 0.01, ten epochs over all training samples, nothing else: what an introduction
    /// to Keras shows, and what seeded Keras does with it, down to the [`Order`].
    Article,
    /// Adam with warm-up, cosine decay, label smoothing, clipping and images drawn anew each time.
    Best,
}

/// What a network is measured on after each epoch. Nothing is chosen by it: training goes on to its last epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validation {
    /// The last twelfth of the training samples, which is not trained on.
    HeldOut,
    /// The test samples, as introductions to Keras do it: all training samples are trained on.
    TestSamples,
}

/// The order in which the epochs meet the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// A new one each epoch.
    Reshuffled,
    /// One random order, the same each epoch. Keras's `fit(shuffle=True)` on TensorFlow does this once
    /// `keras.utils.set_random_seed` was called: each epoch begins its shuffle anew from the same seed.
    ///
    /// At a constant learning rate it shows in the figures: with a new order each epoch the test accuracy may fall by
    /// ten percent from one epoch to the next and come back, because the last batches differ; with one order it moves
    /// slowly.
    Repeated,
}

/// The settings of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Settings {
    /// Passes over the training samples, unless the user asks for another number.
    pub epochs: u32,
    /// Samples of a step.
    pub batch: usize,
    /// In which order they come.
    pub order: Order,
    /// What the network is measured on after each epoch.
    pub validation: Validation,
    /// What turns gradients into changes.
    pub algorithm: Algorithm,
    /// Greatest learning rate.
    pub learning_rate: f32,
    /// Whether the learning rate rises from zero over the first steps and falls to zero along a cosine.
    pub schedule: bool,
    /// Part of the target that is spread evenly over all classes.
    pub label_smoothing: f32,
    /// Greatest global norm of a step's gradients.
    pub clip_norm: Option<f32>,
    /// How samples are changed before each use.
    pub augmentation: Option<Augmentation>,
}

impl Recipe {
    /// Every recipe.
    pub const ALL: [Self; 2] = [Self::Article, Self::Best];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Article => "article",
            Self::Best => "best",
        }
    }

    /// What it means for a cell.
    pub const fn settings(self, cell: CellKind) -> Settings {
        match self {
            Self::Article => Settings {
                epochs: 10,
                batch: 64,
                order: Order::Repeated,
                validation: Validation::TestSamples,
                algorithm: Algorithm::Sgd,
                learning_rate: 0.01,
                schedule: false,
                label_smoothing: 0.0,
                clip_norm: None,
                augmentation: None,
            },
            Self::Best => Settings {
                // a SimpleRNN's epoch takes a third of the others' time, and it gains most from more of them
                epochs: match cell {
                    CellKind::SimpleRnn => 30,
                    CellKind::Lstm | CellKind::Gru => 15,
                },
                batch: 64,
                order: Order::Reshuffled,
                validation: Validation::HeldOut,
                algorithm: Algorithm::ADAM,
                learning_rate: match cell {
                    CellKind::SimpleRnn => 1e-3,
                    CellKind::Lstm | CellKind::Gru => 3e-3,
                },
                schedule: true,
                label_smoothing: 0.05,
                clip_norm: Some(1.0),
                augmentation: Some(Augmentation::DEFAULT),
            },
        }
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no recipe has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown recipe `{0}`, expected `article` or `best`")]
pub struct UnknownRecipe(
    /// The name.
    pub String,
);

impl FromStr for Recipe {
    type Err = UnknownRecipe;

    fn from_str(name: &str) -> Result<Self, UnknownRecipe> {
        Self::ALL.into_iter().find(|recipe| recipe.name() == name).ok_or_else(|| UnknownRecipe(name.into()))
    }
}

impl Settings {
    /// The learning rate of step `step` (from 0) of `steps`: with a schedule a linear rise over the first
    /// twentieth, then half a cosine down to zero (Loshchilov & Hutter, "SGDR", 2017).
    pub fn learning_rate_at(&self, step: usize, steps: usize) -> f32 {
        if !self.schedule {
            return self.learning_rate;
        }
        let warm_up = (steps / 20).max(1);
        let factor = if step < warm_up {
            (step + 1) as f64 / warm_up as f64
        } else {
            let progress = (step - warm_up) as f64 / (steps - warm_up).max(1) as f64;
            half_cosine(progress)
        };
        self.learning_rate * factor as f32
    }
}

/// `(1 + cos(π·x)) / 2` for x from 0 to 1, in plain arithmetic: the same on every machine.
fn half_cosine(x: f64) -> f64 {
    // cos(π·x) = -sin(π·(x - 1/2)), by sine's series up to the 15th power, where |π·(x - 1/2)| <= π/2
    let angle = std::f64::consts::PI * (x - 0.5);
    let square = angle * angle;
    let mut term = angle;
    let mut sine = angle;
    for n in 1..=7 {
        term *= -square / f64::from((2 * n) * (2 * n + 1));
        sine += term;
    }
    0.5 * (1.0 - sine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_half_cosine_is_one() {
        for step in 0..=100 {
            let x = f64::from(step) / 100.0;
            let exact = 0.5 * (1.0 + (std::f64::consts::PI * x).cos());
            assert!((half_cosine(x) - exact).abs() < 1e-10, "{x}");
        }
    }

    #[test]
    fn the_learning_rate_rises_and_falls() {
        let settings = Recipe::Best.settings(CellKind::Lstm);
        let rates: Vec<f32> = (0..1000).map(|step| settings.learning_rate_at(step, 1000)).collect();
        assert!(rates[..50].is_sorted() && rates[50..].is_sorted_by(|a, b| a >= b));
        assert_eq!(rates[49], settings.learning_rate);
        assert!(rates[999] < 1e-4 * settings.learning_rate && rates[0] < 0.03 * settings.learning_rate);
        let constant = Recipe::Article.settings(CellKind::Gru);
        assert!((0..9).all(|step| constant.learning_rate_at(step, 9) == 0.01));
        // one step in all is a step too
        assert_eq!(settings.learning_rate_at(0, 1), settings.learning_rate);
    }

    #[test]
    fn an_unknown_recipe_is_named() {
        let message = "secret".parse::<Recipe>().unwrap_err().to_string();
        assert_eq!(message, "unknown recipe `secret`, expected `article` or `best`");
    }
}
