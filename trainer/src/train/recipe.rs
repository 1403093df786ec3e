//! How a network is trained.

use std::fmt;
use std::str::FromStr;

use refrain::{CellKind, Numbers};
use serde::Serialize;

use super::augment::Augmentation;
use super::options::Hyperparameters;
use crate::data::{Dataset, InputScaling};
use crate::nn::{Algorithm, Optimizer};

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
    /// SOAP with warm-up, cosine decay, weight decay, clipping and images drawn anew each time; the last epochs in the
    /// integers of the board.
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
    /// λ, what the kernels lose of themselves in each step, times the learning rate.
    pub weight_decay: f32,
    /// Part of the target that is spread evenly over all classes.
    pub label_smoothing: f32,
    /// Greatest global norm of a step's gradients.
    pub clip_norm: Option<f32>,
    /// How samples are changed before each use.
    pub augmentation: Option<Augmentation>,
    /// Whether batch normalisation's statistics are taken anew after each epoch, from training samples as they are. The
    /// moving ones are late where the weights still move, and of images that are drawn anew.
    pub fresh_statistics: bool,
    /// Part of the epochs, at the end, that are computed in the integers that the network is exported as.
    pub integer_part: f32,
    /// What these integers are.
    pub numbers: Numbers,
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
                weight_decay: 0.0,
                label_smoothing: 0.0,
                clip_norm: None,
                augmentation: None,
                fresh_statistics: false,
                integer_part: 0.0,
                numbers: Numbers::Int8,
            },
            // Found on 10,000 training images of MNIST held out of training; "wrong" is of those 10,000, where a standard
            // deviation is some 7 for the cells with gates and 9 for the SimpleRNN.
            Self::Best => Settings {
                // more of them still help a little: an LSTM gets 62, 52 and 36 wrong after 8, 24 and 70, a GRU 68, 42 and
                // 42, and a SimpleRNN, whose epoch takes a third of the time, 85 and 82 after 60 and 150
                epochs: match cell {
                    CellKind::SimpleRnn => 100,
                    CellKind::Lstm | CellKind::Gru => 60,
                },
                // 128 does as well, and the optimiser takes half of the time, but small sets want steps
                batch: 64,
                order: Order::Reshuffled,
                validation: Validation::HeldOut,
                // Adam and 12 epochs leave a SimpleRNN at 97.7 %, Muon at 98.6 %, SOAP at 99.0 %; one side's basis alone,
                // or kernel and recurrent kernel apart, is half way
                algorithm: Algorithm::SOAP,
                // a SimpleRNN gets 156 wrong at 1e-2 where it gets 115 at 3e-3; the others learn faster at 1e-2, and as well
                learning_rate: match cell {
                    CellKind::SimpleRnn => 3e-3,
                    CellKind::Lstm | CellKind::Gru => 1e-2,
                },
                schedule: true,
                // of a SimpleRNN's weights as much a step as of the others'; without it it gets 127 wrong where it gets 87
                // with it, with thrice of it 150
                weight_decay: match cell {
                    CellKind::SimpleRnn => 0.1,
                    CellKind::Lstm | CellKind::Gru => 0.03,
                },
                // beside weight decay it costs a little, and so does dropout
                label_smoothing: 0.0,
                clip_norm: Some(1.0),
                augmentation: Some(Augmentation::DEFAULT),
                // averaging weights over the last steps instead gains nothing where the learning rate falls to zero
                fresh_statistics: true,
                // without it a SimpleRNN may lose 0.2 % by its integers; with it none of the cells loses anything
                integer_part: 0.05,
                numbers: Numbers::Int8,
            },
        }
    }
}

/// With fewer steps than these in all a SimpleRNN learns more at a greater rate than [`Recipe::Best`]'s.
const FEW_STEPS: usize = 9000;
/// How many times greater at most. At 2e-2 less is learnt than at 1e-2, however few the steps.
const MOST_FOR_FEW_STEPS: f32 = 10.0 / 3.0;

/// The least number of steps that [`Recipe::Best`] takes over sequences other than images.
const LEAST_STEPS: usize = 1500;

impl Recipe {
    /// What it means for a cell on a data set: [`settings`](Self::settings), of which [`Best`](Self::Best) changes those
    /// that suit images alone. Other sequences are not drawn anew, and as there are rarely tens of thousands of them,
    /// small sets get more epochs.
    pub fn settings_for(self, cell: CellKind, dataset: &Dataset) -> Settings {
        let settings = self.settings(cell);
        let images = matches!(dataset.scaling(), InputScaling::Uniform { .. });
        if images || self == Self::Article {
            return settings;
        }
        let steps = dataset.training_and_validation().0.count().div_ceil(settings.batch);
        let epochs = settings.epochs.max(LEAST_STEPS.div_ceil(steps.max(1)) as u32);
        Settings { epochs, augmentation: None, ..settings }
    }

    /// The greatest learning rate of a run of so many steps.
    ///
    /// Where there are few, a SimpleRNN of the best recipe is given a greater one, for it is far from done. After one epoch it
    /// gets 131 of 5,000 images held out of MNIST wrong instead of 185, and of 1,000 that the program draws 135 instead of
    /// 240; after the 1,500 steps that small sets get at least, 3 of 75 synthetic gestures instead of 12.
    pub(super) fn learning_rate(self, cell: CellKind, steps: usize) -> f32 {
        let rate = self.settings(cell).learning_rate;
        match (self, cell) {
            (Self::Best, CellKind::SimpleRnn) => {
                let few = FEW_STEPS as f32 / steps.max(1) as f32;
                rate * few.sqrt().clamp(1.0, MOST_FOR_FEW_STEPS)
            }
            _ => rate,
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

/// Epochs in which a network gets used to weights of 4 bits. What a SimpleRNN remembers passes through its rounded
/// weights at every timestep, and they are fewest.
pub fn fine_tuning_epochs(cell: CellKind) -> u32 {
    match cell {
        CellKind::SimpleRnn => 30,
        CellKind::Lstm | CellKind::Gru => 8,
    }
}

impl Settings {
    /// To train a network on, all in the integers `numbers`, for so many epochs, which was trained by a recipe of that name
    /// with those hyperparameters. Another recipe's learning rate is for another optimiser.
    pub(super) fn fine_tuning(
        cell: CellKind,
        dataset: &Dataset,
        (recipe, hyperparameters): (&str, Hyperparameters),
        numbers: Numbers,
        epochs: u32,
    ) -> Self {
        let best = Recipe::Best.settings_for(cell, dataset);
        let as_trained = recipe == Recipe::Best.name();
        let whole = if as_trained { hyperparameters.learning_rate } else { best.learning_rate };
        let batch = hyperparameters.batch as usize;
        Self { epochs, batch, learning_rate: 0.3 * whole, integer_part: 1.0, numbers, ..best }
    }

    /// What changes the weights, without a memory yet.
    pub(super) fn optimizer(&self) -> Optimizer {
        let optimizer = Optimizer::new(self.algorithm).with_weight_decay(self.weight_decay);
        match self.clip_norm {
            Some(norm) => optimizer.with_clip_norm(norm),
            None => optimizer,
        }
    }

    /// Whether epoch `epoch`, from 1, is computed in integers.
    pub fn is_in_integers(&self, epoch: u32) -> bool {
        epoch > self.epochs - (self.integer_part * self.epochs as f32) as u32
    }

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
    fn few_steps_are_greater_ones_for_a_simple_rnn_alone() {
        let rate = |cell, steps| Recipe::Best.learning_rate(cell, steps);
        let rates = [0, 800, 2250, 9000, 80_000].map(|steps| rate(CellKind::SimpleRnn, steps));
        assert_eq!(rates, [0.01, 0.01, 0.006, 0.003, 0.003]);
        assert_eq!([1, 80_000].map(|steps| rate(CellKind::Gru, steps)), [0.01; 2]);
        assert_eq!(Recipe::Article.learning_rate(CellKind::SimpleRnn, 1), 0.01);
    }

    #[test]
    fn the_last_epochs_are_in_integers() {
        let settings =
            |epochs| Settings { epochs, integer_part: 0.1, ..Recipe::Best.settings(CellKind::Gru) };
        let first = |epochs| (1..=epochs).find(|&epoch| settings(epochs).is_in_integers(epoch));
        assert_eq!([first(1), first(9), first(10), first(45)], [None, None, Some(10), Some(42)]);
        let article = Recipe::Article.settings(CellKind::Gru);
        assert!((1..=10).all(|epoch| !article.is_in_integers(epoch)));
    }

    #[test]
    fn an_unknown_recipe_is_named() {
        let message = "secret".parse::<Recipe>().unwrap_err().to_string();
        assert_eq!(message, "unknown recipe `secret`, expected `article` or `best`");
    }
}
