//! What a run comes to epoch by epoch, and all that is needed to go on with it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::measure::Score;
use crate::nn::{Network, Optimizer};

/// What one pass over the training samples came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: u32,
    /// Mean loss over the training samples, as they were met.
    pub loss: f64,
    /// Part of them (or of their timesteps, where each has a label) that was classified rightly, as they were met;
    /// `None` for a regression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Mean absolute error over them, as they were met, in the unit of the targets and averaged over the outputs; `None` for
    /// a classification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_absolute_error: Option<f64>,
    /// Their R², averaged over the outputs; `None` for a classification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
    /// Mean loss over the validation samples, afterwards.
    pub val_loss: f64,
    /// As `accuracy`, over the validation samples, afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_accuracy: Option<f64>,
    /// As `mean_absolute_error`, over the validation samples, afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_mean_absolute_error: Option<f64>,
    /// As `r2`, over the validation samples, afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_r2: Option<f64>,
}

impl Epoch {
    /// The figures of an epoch.
    pub fn new(epoch: u32, training: &Score, validation: &Score) -> Self {
        Self {
            epoch,
            loss: training.loss,
            accuracy: training.accuracy,
            mean_absolute_error: training.mean_absolute_error,
            r2: training.r2,
            val_loss: validation.loss,
            val_accuracy: validation.accuracy,
            val_mean_absolute_error: validation.mean_absolute_error,
            val_r2: validation.r2,
        }
    }
}

/// A run between two epochs. With it, and with the same options and data, training goes on as if it had never stopped: the
/// same bytes come out.
///
/// Random numbers need no state: they are drawn anew from the seed, the number of the epoch and the sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingState {
    /// The network as it stands.
    pub network: Network,
    /// The optimiser with what it remembers of past gradients.
    pub optimizer: Optimizer,
    /// The epochs done, from the first.
    #[serde(serialize_with = "history_to_rows", deserialize_with = "history_from_rows")]
    pub history: Vec<Epoch>,
    /// The network with the lowest validation loss so far, kept where a run may end early.
    pub best: Option<Best>,
}

/// The best network so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The epoch after which it was that.
    pub epoch: u32,
    /// Its loss on the validation samples.
    pub val_loss: f64,
    /// The network.
    pub network: Network,
}

impl TrainingState {
    /// A run that is about to begin.
    pub fn new(network: Network, optimizer: Optimizer) -> Self {
        Self { network, optimizer, history: Vec::new(), best: None }
    }

    /// Epochs done.
    pub fn epochs(&self) -> u32 {
        self.history.len() as u32
    }

    /// Notes the network as the best one, if its epoch is.
    pub(super) fn note_best(&mut self, epoch: &Epoch) {
        match &mut self.best {
            Some(best) if epoch.val_loss >= best.val_loss => {}
            Some(best) => {
                (best.epoch, best.val_loss) = (epoch.epoch, epoch.val_loss);
                best.network.assign(&self.network);
            }
            None => {
                let (epoch, val_loss) = (epoch.epoch, epoch.val_loss);
                self.best = Some(Best { epoch, val_loss, network: self.network.clone() });
            }
        }
    }

    /// Whether the last `patience` epochs have brought nothing better.
    pub(super) fn is_out_of_patience(&self, patience: u32) -> bool {
        self.best.as_ref().is_some_and(|best| self.epochs() - best.epoch >= patience)
    }
}

/// An epoch with a place for every figure: a format without names, such as postcard, needs to find each in its place.
type Row = (u32, [f64; 2], [Option<f64>; 3], [Option<f64>; 3]);

fn history_to_rows<S: Serializer>(history: &[Epoch], serializer: S) -> Result<S::Ok, S::Error> {
    let row = |e: &Epoch| -> Row {
        let validation = [e.val_accuracy, e.val_mean_absolute_error, e.val_r2];
        (e.epoch, [e.loss, e.val_loss], [e.accuracy, e.mean_absolute_error, e.r2], validation)
    };
    serializer.collect_seq(history.iter().map(row))
}

fn history_from_rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Epoch>, D::Error> {
    let epoch = |(epoch, [loss, val_loss], training, validation): Row| {
        let score = |loss, [accuracy, mean_absolute_error, r2]: [Option<f64>; 3]| Score {
            loss,
            accuracy,
            mean_absolute_error,
            r2,
        };
        Epoch::new(epoch, &score(loss, training), &score(val_loss, validation))
    };
    Ok(Vec::<Row>::deserialize(deserializer)?.into_iter().map(epoch).collect())
}
