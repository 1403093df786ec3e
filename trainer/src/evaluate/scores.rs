//! How good answers are, as reports tell it.

use serde::Serialize;

use crate::metrics::{Confusion, Residuals};

/// How good answers are.
///
/// As JSON all fields stand side by side, `accuracy` always, the others where they have a meaning.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// Answers that were judged: one for each sequence, or for each timestep.
    pub answers: usize,
    /// The part of them, from 0 to 1, that name the right class; `None` for a regression.
    pub accuracy: Option<f64>,
    /// What else can be said.
    #[serde(flatten)]
    pub details: Details,
}

/// What is said of classes, or of values.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Details {
    /// Of a classification.
    Classes(ClassScores),
    /// Of a regression.
    Values(ValueScores),
}

/// How good a classification is, class by class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassScores {
    /// `[outputs][outputs]`: answers for the row's label that named the column's class.
    pub confusion: Vec<Vec<u64>>,
    /// As [`Confusion::recall`].
    pub recall: Vec<Option<f64>>,
    /// As [`Confusion::precision`].
    pub precision: Vec<Option<f64>>,
    /// As [`Confusion::f1`].
    pub f1: Vec<Option<f64>>,
    /// As [`Confusion::macro_f1`].
    pub macro_f1: f64,
}

/// How good a regression is, output by output, in the units of the targets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValueScores {
    /// As [`Residuals::mean_absolute_error`].
    pub mean_absolute_error: Vec<f64>,
    /// As [`Residuals::root_mean_squared_error`].
    pub root_mean_squared_error: Vec<f64>,
    /// As [`Residuals::r2`].
    pub r2: Vec<f64>,
}

impl Scores {
    /// Of classes.
    pub(super) fn of_classes(confusion: &Confusion) -> Self {
        Self {
            answers: confusion.counts().sum() as usize,
            accuracy: Some(confusion.accuracy()),
            details: Details::Classes(ClassScores {
                confusion: confusion.counts().outer_iter().map(|row| row.to_vec()).collect(),
                recall: confusion.recall(),
                precision: confusion.precision(),
                f1: confusion.f1(),
                macro_f1: confusion.macro_f1(),
            }),
        }
    }

    /// Of values.
    pub(super) fn of_values(answers: usize, residuals: &Residuals) -> Self {
        let details = Details::Values(ValueScores {
            mean_absolute_error: residuals.mean_absolute_error(),
            root_mean_squared_error: residuals.root_mean_squared_error(),
            r2: residuals.r2(),
        });
        Self { answers, accuracy: None, details }
    }

    /// The figures of a classification.
    pub fn classes(&self) -> Option<&ClassScores> {
        match &self.details {
            Details::Classes(scores) => Some(scores),
            Details::Values(_) => None,
        }
    }

    /// The figures of a regression.
    pub fn values(&self) -> Option<&ValueScores> {
        match &self.details {
            Details::Classes(_) => None,
            Details::Values(scores) => Some(scores),
        }
    }
}
