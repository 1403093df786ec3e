//! What to train, and how, and whether that can be done with a data set.

use refrain::{CellKind, MAX_INPUTS, MAX_LAYERS, MAX_OUTPUTS, MAX_UNITS, Shape};
use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::measure::steps;
use super::recipe::{Recipe, Settings, Validation};
use crate::data::{Dataset, Kind, SplitView};
use crate::nn::{Loss, Objective};

/// What to train, and how.
///
/// ```
/// use refrain::CellKind;
/// use refrain_trainer::train::{Options, Recipe};
///
/// let options = Options { layers: 2, dropout: 0.2, ..Options::new(CellKind::Gru) };
/// assert_eq!((options.units, options.recipe, options.seed), (64, Recipe::Best, 1));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The recurrent cell.
    pub cell: CellKind,
    /// Units of each recurrent layer.
    pub units: u16,
    /// Recurrent layers, at most [`MAX_LAYERS`].
    pub layers: u8,
    /// How.
    pub recipe: Recipe,
    /// Passes over the training samples; `None` for the recipe's own number, or more for a small set.
    pub epochs: Option<u32>,
    /// Samples of a step; `None` for the recipe's own number, or all samples where there are fewer.
    pub batch: Option<usize>,
    /// Greatest learning rate; `None` for the recipe's own.
    pub learning_rate: Option<f32>,
    /// Part of the units that is left out between layers and before the dense layer while training, below 1.
    pub dropout: f32,
    /// Whether all classes weigh the same, however many training samples each has.
    pub class_weights: bool,
    /// Training ends after so many epochs without a lower validation loss, and the network of the epoch with the lowest is
    /// the result; `None` to go on to the last epoch, whose network is the result then.
    pub patience: Option<u32>,
    /// What all random numbers are drawn from.
    pub seed: u64,
    /// Threads; `None` for one on each processor. They do not change the result.
    pub threads: Option<usize>,
}

/// What the options make of a recipe, as far as training a network on for other integers asks for it again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hyperparameters {
    /// Samples of a step.
    pub batch: u32,
    /// Greatest learning rate.
    pub learning_rate: f32,
    /// As in [`Options`].
    pub dropout: f32,
    /// As in [`Options`].
    pub class_weights: bool,
}

impl Hyperparameters {
    /// Whether anything can be trained with them.
    pub(crate) fn are_sound(&self) -> bool {
        let sound_rate = self.learning_rate.is_finite() && self.learning_rate > 0.0;
        self.batch > 0 && sound_rate && (0.0..1.0).contains(&self.dropout)
    }
}

impl Options {
    /// One layer of 64 units by the best recipe, from seed 1.
    pub const fn new(cell: CellKind) -> Self {
        Self {
            cell,
            units: 64,
            layers: 1,
            recipe: Recipe::Best,
            epochs: None,
            batch: None,
            learning_rate: None,
            dropout: 0.0,
            class_weights: false,
            patience: None,
            seed: 1,
            threads: None,
        }
    }

    /// The recipe's settings for `dataset`, changed where these options say so.
    pub fn settings(&self, dataset: &Dataset) -> Settings {
        let settings = self.recipe.settings_for(self.cell, dataset);
        let epochs = self.epochs.unwrap_or(settings.epochs);
        let batch = self.batch.unwrap_or(settings.batch);
        let (training, _) = split(settings.validation, dataset);
        let steps = training.count().div_ceil(batch.max(1)).saturating_mul(epochs as usize);
        let learning_rate = self.learning_rate.unwrap_or_else(|| self.recipe.learning_rate(self.cell, steps));
        Settings { epochs, batch, learning_rate, ..settings }
    }

    /// What a network that is trained with these options has to say of them.
    pub(super) fn hyperparameters(&self, settings: &Settings) -> Hyperparameters {
        Hyperparameters {
            batch: u32::try_from(settings.batch).unwrap_or(u32::MAX),
            learning_rate: settings.learning_rate,
            dropout: self.dropout,
            class_weights: self.class_weights,
        }
    }

    /// What of `dataset` these options train on, and what validates.
    pub fn split<'d>(&self, dataset: &'d Dataset) -> (SplitView<'d>, SplitView<'d>) {
        split(self.recipe.settings(self.cell).validation, dataset)
    }

    /// Refuses what cannot be trained on `dataset`.
    ///
    /// # Errors
    /// [`TrainError`], which says what is wrong with the options or does not go with the data.
    pub fn check(&self, dataset: &Dataset) -> Result<(), TrainError> {
        if !(1..=MAX_LAYERS).contains(&self.layers.into()) {
            return Err(TrainError::Layers { found: self.layers });
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(TrainError::Dropout { found: self.dropout });
        }
        if let Some(found) = self.learning_rate.filter(|rate| !(rate.is_finite() && *rate > 0.0)) {
            return Err(TrainError::LearningRate { found });
        }
        if self.class_weights && matches!(dataset.task().kind, Kind::Regression { .. }) {
            return Err(TrainError::ClassWeights);
        }
        let (training, validation) = self.split(dataset);
        self.check_patience(dataset, validation.count())?;
        self.check_batch(dataset.task().per_step, training.count(), validation.count())?;
        self.shape(dataset).map(drop)
    }

    fn check_patience(&self, dataset: &Dataset, validation: usize) -> Result<(), TrainError> {
        let held_out = self.settings(dataset).validation == Validation::HeldOut && validation > 0;
        match self.patience {
            Some(0) => Err(TrainError::NoPatience),
            Some(_) if !held_out => Err(TrainError::NothingToWatch { recipe: self.recipe }),
            _ => Ok(()),
        }
    }

    /// A batch needs two read-outs to be normalised over, and a network something to be validated with.
    fn check_batch(&self, per_step: bool, training: usize, validation: usize) -> Result<(), TrainError> {
        let least = if per_step { 1 } else { 2 };
        if training < least || validation == 0 {
            return Err(TrainError::TooFew { training, validation, least });
        }
        match self.batch {
            Some(found) if found < least => Err(TrainError::SmallBatch { found, least }),
            Some(found) if found > training => Err(TrainError::LargeBatch { found, training }),
            _ => Ok(()),
        }
    }

    /// The network's shape, if it is one that can be trained and exported.
    pub(super) fn shape(&self, dataset: &Dataset) -> Result<Shape, TrainError> {
        let (inputs, units, outputs) = (dataset.inputs(), usize::from(self.units), dataset.outputs());
        let within = |size, most| (1..=most).contains(&size);
        if !(within(inputs, MAX_INPUTS) && within(units, MAX_UNITS) && within(outputs, MAX_OUTPUTS)) {
            return Err(TrainError::Shape(format!("{inputs} inputs, {units} units and {outputs} outputs")));
        }
        if u16::try_from(dataset.timesteps()).is_err() {
            return Err(TrainError::Timesteps { found: dataset.timesteps() });
        }
        let (inputs, outputs) = (inputs as u16, outputs as u16);
        Ok(Shape { inputs, units: self.units, outputs, layers: self.layers })
    }

    /// What training on `dataset` makes smaller.
    pub(super) fn objective(&self, dataset: &Dataset) -> Objective {
        let loss = match dataset.task().kind {
            Kind::Classification { .. } => Loss::CrossEntropy {
                label_smoothing: self.settings(dataset).label_smoothing,
                class_weights: self.class_weights.then(|| dataset.class_weights()),
            },
            Kind::Regression { .. } => Loss::MeanSquaredError,
        };
        Objective { loss, steps: steps(dataset.task()) }
    }
}

/// What of `dataset` is trained on, and what validates.
fn split(validation: Validation, dataset: &Dataset) -> (SplitView<'_>, SplitView<'_>) {
    match validation {
        Validation::HeldOut => dataset.training_and_validation(),
        Validation::TestSamples => (dataset.train().view(), dataset.test().view()),
    }
}
