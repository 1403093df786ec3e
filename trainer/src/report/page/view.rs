//! What a report shows, as plain data: nothing here knows of files, networks or HTML.

/// Everything on the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// What the runs were trained and measured on.
    pub data: Data,
    /// The runs to compare, at least one; their names differ.
    pub runs: Vec<Run>,
    /// What a reader must know about the figures, a sentence each: what was left out, and why.
    pub notes: Vec<String>,
}

/// A data set and its test samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// Its name.
    pub name: String,
    /// Where it came from.
    pub origin: String,
    /// Test samples that the results are of.
    pub samples: usize,
    /// Fewest and most timesteps of one of them.
    pub timesteps: (usize, usize),
    /// Features of a timestep.
    pub inputs: usize,
    /// What there is to predict.
    pub task: Task,
    /// Whether it is predicted for each timestep instead of once for a sequence.
    pub per_step: bool,
}

/// What there is to predict.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// One of these classes.
    Classes(Vec<String>),
    /// Values with these names.
    Values(Vec<String>),
}

/// One network: how it was trained, what came of it and what it costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What the whole page calls it.
    pub name: String,
    /// What it is.
    pub network: Network,
    /// How it was trained, where that is known.
    pub training: Option<Training>,
    /// What its model file makes of the test samples.
    pub results: Results,
    /// How far each layer of the model file is off the f32 network; empty for a model in f32.
    pub layers: Vec<Layer>,
    /// What it costs on a board, where that was measured.
    pub board: Option<Board>,
}

impl Run {
    /// Epoch after epoch, where that is known.
    pub(super) fn history(&self) -> &[Epoch] {
        self.training.as_ref().map_or(&[], |training| &training.history)
    }

    /// The epoch whose weights were kept, where that is not the last one.
    pub(super) fn kept_epoch(&self) -> Option<u32> {
        self.training.as_ref()?.kept_epoch
    }
}

/// A network's build.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Name of its cell.
    pub cell: String,
    /// Recurrent layers.
    pub layers: usize,
    /// Units of each.
    pub units: usize,
    /// Trained numbers.
    pub parameters: usize,
    /// What the model file computes with: `int8`, `int4` or `f32`.
    pub numbers: String,
    /// Size of the model file in bytes.
    pub model_bytes: usize,
}

/// How a network was trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// Name of the recipe.
    pub recipe: String,
    /// What its random numbers were drawn from.
    pub seed: u64,
    /// The epoch whose weights were kept, where that is not the last one.
    pub kept_epoch: Option<u32>,
    /// Seconds that it took.
    pub seconds: Option<f64>,
    /// The command line that repeats it.
    pub command: String,
    /// Epoch after epoch.
    pub history: Vec<Epoch>,
}

/// One pass over the training samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: u32,
    /// On the training samples.
    pub train: Measure,
    /// On the validation samples.
    pub validation: Option<Measure>,
}

/// How well a network does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// Mean loss.
    pub loss: f64,
    /// Part classified rightly, from 0 to 1; `None` for a regression.
    pub accuracy: Option<f64>,
    /// Mean absolute error in the unit of the values; `None` for a classification.
    pub mean_absolute_error: Option<f64>,
}

/// What a model made of the test samples.
#[derive(Clone, Debug, PartialEq)]
pub enum Results {
    /// It told classes apart.
    Classes(ClassResults),
    /// It predicted values.
    Values(ValueResults),
}

/// A classification's results; of timesteps, where each has a label of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassResults {
    /// Part classified rightly, from 0 to 1.
    pub accuracy: f64,
    /// The same for the f32 network, where it is at hand.
    pub float_accuracy: Option<f64>,
    /// Part of the samples that both put into the same class.
    pub same_class: Option<f64>,
    /// Mean of the classes' F1.
    pub macro_f1: f64,
    /// `[label][class]`: samples of a label that were taken for a class.
    pub confusion: Vec<Vec<u64>>,
    /// For each label the part of its samples that was found; `None` for a label without samples.
    pub recall: Vec<Option<f64>>,
    /// For each class the part of what was taken for it that is of it; `None` where nothing was.
    pub precision: Vec<Option<f64>>,
    /// The samples of greatest loss among those classified wrongly, worst first.
    pub mistakes: Vec<Mistake>,
    /// Sequences with a label for each timestep, worst first.
    pub timelines: Vec<Timeline>,
}

/// A regression's results.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueResults {
    /// One value after the other.
    pub outputs: Vec<OutputResults>,
    /// The samples of greatest error, worst first.
    pub mistakes: Vec<Mistake>,
    /// Sequences with values for each timestep, worst first.
    pub timelines: Vec<Timeline>,
}

/// How well one value was predicted, in the value's own unit.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputResults {
    /// Mean absolute error.
    pub mae: f64,
    /// Root of the mean square error.
    pub rmse: f64,
    /// Coefficient of determination; `None` where all true values are the same.
    pub r2: Option<f64>,
    /// Mean absolute error of the f32 network, where it is at hand.
    pub float_mae: Option<f64>,
    /// True and predicted values; all of them, or a part that is spread evenly over all.
    pub points: Vec<(f32, f32)>,
    /// Predictions that the figures above are of.
    pub count: usize,
}

/// A sample that the model gets wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// Its number among the test samples, from 0.
    pub sample: usize,
    /// What it is called where it came from, such as its file, where that has names.
    pub name: Option<String>,
    /// What it looks like.
    pub picture: Picture,
    /// What it is.
    pub truth: String,
    /// What it was taken for.
    pub predicted: String,
    /// How sure the model was of it, from 0 to 1, where it says so.
    pub probability: Option<f64>,
}

/// What a sequence looks like.
#[derive(Clone, Debug, PartialEq)]
pub enum Picture {
    /// Grey values, row after row: a timestep each.
    Image {
        /// Pixels of a row.
        width: usize,
        /// `[rows * width]`
        pixels: Vec<u8>,
    },
    /// One line for each feature, over the timesteps.
    Lines(Vec<Vec<f32>>),
}

/// A sequence with a truth and a prediction for each timestep.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// Its number among the test samples, from 0.
    pub sample: usize,
    /// What it is called where it came from, such as its file, where that has names.
    pub name: Option<String>,
    /// What went in.
    pub picture: Picture,
    /// What is true and what was predicted.
    pub track: Track,
}

/// Truth and prediction, timestep by timestep.
#[derive(Clone, Debug, PartialEq)]
pub enum Track {
    /// Classes by number.
    Classes {
        /// `[timesteps]`
        truth: Vec<u8>,
        /// `[timesteps]`
        predicted: Vec<u8>,
    },
    /// Values: `[outputs][timesteps]`.
    Values {
        /// What is true.
        truth: Vec<Vec<f32>>,
        /// What was predicted.
        predicted: Vec<Vec<f32>>,
    },
}

/// How far one layer of a model file is off the f32 network.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// The root of the mean square of the differences.
    pub rms: f64,
    /// The greatest difference.
    pub max: f64,
    /// The root of the mean square of the f32 values themselves.
    pub signal_rms: f64,
}

/// What a model costs on a board.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// The board.
    pub name: String,
    /// Whether QEMU emulated it.
    pub emulated: bool,
    /// Samples that were run on it.
    pub samples: usize,
    /// Whether every logit was the host's, bit for bit.
    pub host_matches: bool,
    /// Mean over the samples.
    pub instructions: Option<u64>,
    /// Flash of the firmware without the model.
    pub code_bytes: Option<u64>,
    /// Flash of the model.
    pub model_bytes: u64,
    /// RAM of the variables.
    pub static_bytes: Option<u64>,
    /// The most stack that was used.
    pub stack_bytes: u64,
}
