//! The loop over epochs and steps.

use std::time::{Duration, Instant};

use super::batches::Batches;
use super::error::Divergence;
use super::measure::{Score, Tally, estimate_statistics};
use super::{
    Epoch, EpochDone, Hyperparameters, Observer, Options, Plan, Progress, Settings, TrainError, Trained,
    TrainingState, measure,
};
use crate::checkpoint::Checkpoint;
use crate::data::{Dataset, Kind, SplitView};
use crate::nn::{Network, Objective, Trainer};
use crate::quantise::{self, Formats};

/// An epoch whose mean loss is so many times that of a network that has learnt nothing has diverged, though all its numbers
/// may be finite: saturated gates keep them so.
const WORSE_THAN_GUESSING: f64 = 1000.0;

/// A training run.
pub(super) struct Run<'a> {
    options: &'a Options,
    settings: Settings,
    dataset: &'a Dataset,
    training: SplitView<'a>,
    validation: SplitView<'a>,
    batches: Batches<'a>,
    objective: Objective,
    trainer: Trainer,
    /// What this epoch is computed in, where it is in integers.
    formats: Option<Formats<'a>>,
    /// Between epochs all of it is of the same moment; within one the network and the optimiser run ahead.
    state: TrainingState,
    /// The network as it was after the last epoch.
    last_good: Network,
    training_time: Duration,
    samples_met: usize,
}

impl<'a> Run<'a> {
    /// Prepares a new run, or one that goes on from `state`.
    ///
    /// # Errors
    /// [`TrainError`], if the options, the data and the state do not go together.
    pub(super) fn new(
        options: &'a Options,
        settings: Settings,
        dataset: &'a Dataset,
        state: Option<TrainingState>,
    ) -> Result<Self, TrainError> {
        options.check(dataset)?;
        let (training, validation) = options.split(dataset);
        let fresh = Network::new(options.cell, options.shape(dataset)?, options.seed);
        let fresh = TrainingState::new(fresh, settings.optimizer());
        let state = match state {
            Some(state) => {
                check_state(&state, &fresh, settings.epochs)?;
                state
            }
            None => fresh,
        };
        Ok(Self {
            options,
            dataset,
            training,
            validation,
            batches: Batches::new(dataset, training, &settings, options.dropout, options.seed),
            objective: options.objective(dataset),
            trainer: Trainer::new(&state.network),
            last_good: state.network.clone(),
            state,
            settings,
            formats: None,
            training_time: Duration::ZERO,
            samples_met: 0,
        })
    }

    /// Trains epoch after epoch.
    pub(super) fn train(mut self, observer: &mut dyn Observer) -> Result<Trained, TrainError> {
        let started = Instant::now();
        let (done, epochs) = (self.state.epochs(), self.settings.epochs);
        observer.started(&Plan { done, epochs, samples_per_epoch: self.training.count() });
        let mut stopped_early = self.is_out_of_patience();
        for epoch in done + 1..=epochs {
            if stopped_early {
                break;
            }
            let training = self.train_epoch(epoch, observer)?;
            self.end_epoch(epoch, &training)?;
            stopped_early = self.is_out_of_patience();
            let checkpoint = |state: &TrainingState| self.checkpoint(&state.network, state.epochs());
            let epoch = &self.state.history[self.state.history.len() - 1];
            let learning_rate = self.learning_rate(epoch.epoch, self.batches.steps() - 1);
            let done = EpochDone { epoch, learning_rate, state: &self.state, checkpoint: &checkpoint };
            if observer.epoch(&done).is_break() {
                break;
            }
        }
        Ok(self.finish(started, stopped_early))
    }

    /// One pass over the training samples.
    fn train_epoch(&mut self, epoch: u32, observer: &mut dyn Observer) -> Result<Score, TrainError> {
        let started = Instant::now();
        self.batches.begin_epoch(epoch);
        self.formats = self.settings.is_in_integers(epoch).then(|| self.formats());
        let (steps, mut tally) = (self.batches.steps(), Tally::new(self.dataset.task()));
        let mut samples_done = 0;
        for step in 0..steps {
            let (loss, samples) = self.step(epoch, step, &mut tally)?;
            if !loss.is_finite() {
                return Err(self.diverged(epoch, step, Divergence::Loss(loss)));
            }
            samples_done += samples;
            let Score { loss, accuracy, mean_absolute_error, .. } = tally.score();
            let progress = Progress { epoch, samples_done, loss, accuracy, mean_absolute_error };
            if observer.batch(&progress).is_break() {
                return Err(TrainError::Interrupted { epoch });
            }
        }
        self.training_time += started.elapsed();
        self.samples_met += samples_done;
        Ok(tally.score())
    }

    /// The integers that the network is to be exported as. They are looked for anew in each epoch, from nothing but the
    /// network, so that a run that goes on finds the same ones.
    fn formats(&self) -> Formats<'a> {
        let calibration = self.training.first(quantise::CALIBRATION);
        Formats::new(&self.state.network, self.dataset.scaling(), self.settings.numbers, calibration)
    }

    /// One change of the weights; returns the loss before it, and the samples that it was computed on.
    fn step(&mut self, epoch: u32, step: usize, tally: &mut Tally) -> Result<(f32, usize), TrainError> {
        let learning_rate = self.learning_rate(epoch, step);
        let Self { batches, objective, trainer, formats, state, .. } = self;
        let (batch, gather_next) = batches.gather(epoch, step);
        let loss = match formats {
            Some(formats) => {
                let integers = formats.integers(&state.network)?;
                trainer.backpropagate_integers(&state.network, &integers, &batch, objective, gather_next)
            }
            None => trainer.backpropagate_while(&mut state.network, &batch, objective, gather_next),
        };
        tally.add(loss, trainer.logits(), batch.targets);
        state.optimizer.step(&mut state.network, trainer.gradients(), learning_rate);
        Ok((loss, batch.sequences.count()))
    }

    /// Of step number `step` of an epoch.
    fn learning_rate(&self, epoch: u32, step: usize) -> f32 {
        let steps = self.batches.steps();
        let (before, all) = ((epoch as usize - 1) * steps, self.settings.epochs as usize * steps);
        self.settings.learning_rate_at(before + step, all)
    }

    /// Measures the network after an epoch, and brings all of the state to this moment.
    fn end_epoch(&mut self, epoch: u32, training: &Score) -> Result<(), TrainError> {
        if self.settings.fresh_statistics && self.formats.is_none() {
            let (scaling, steps) = (self.dataset.scaling(), self.objective.steps);
            estimate_statistics(&mut self.state.network, self.training, scaling, steps);
        }
        let validation = self.validate()?;
        if let Some(cause) = self.divergence(training, &validation) {
            return Err(self.diverged(epoch, self.batches.steps() - 1, cause));
        }
        self.last_good.assign(&self.state.network);
        let done = Epoch::new(epoch, training, &validation);
        self.state.history.push(done);
        if self.options.patience.is_some() {
            self.state.note_best(&done);
        }
        Ok(())
    }

    /// Measures the network on the samples that validate, in the integers of the epoch if it was computed in them.
    fn validate(&self) -> Result<Score, TrainError> {
        let (network, samples) = (&self.state.network, self.validation);
        let (scaling, task) = (self.dataset.scaling(), self.dataset.task());
        Ok(match &self.formats {
            Some(formats) => measure(&formats.integers(network)?, samples, scaling, task),
            None => measure(network, samples, scaling, task),
        })
    }

    /// Whether the epoch has diverged. The last step's change is in no training loss, and must not reach a checkpoint
    /// either.
    fn divergence(&self, training: &Score, validation: &Score) -> Option<Divergence> {
        let parameters = self.state.network.parameters();
        let spoilt =
            parameters.iter().find(|parameter| !parameter.values.iter().all(|value| value.is_finite()));
        if let Some(parameter) = spoilt {
            return Some(Divergence::Weight(parameter.name));
        }
        if !validation.loss.is_finite() {
            return Some(Divergence::Loss(validation.loss as f32));
        }
        let guessing = match &self.dataset.task().kind {
            Kind::Classification { classes } => (classes.len() as f64).ln(),
            // standardised values have a variance of one
            Kind::Regression { .. } => 1.0,
        };
        let hopeless = |loss: f64| loss > WORSE_THAN_GUESSING * guessing;
        // the last step shows in the validation alone, whose targets may have a variance of their own
        let far_off = validation.r2.is_none_or(|r2| r2 < -WORSE_THAN_GUESSING);
        if hopeless(training.loss) {
            Some(Divergence::WorseThanGuessing(training.loss, guessing))
        } else if hopeless(validation.loss) && far_off {
            Some(Divergence::WorseThanGuessing(validation.loss, guessing))
        } else {
            None
        }
    }

    fn diverged(&self, epoch: u32, step: usize, cause: Divergence) -> TrainError {
        let done = self.state.epochs();
        let kept = (done > 0).then(|| Box::new(self.checkpoint(&self.last_good, done)));
        let learning_rate = self.settings.learning_rate;
        TrainError::Diverged { epoch, step: step + 1, cause, learning_rate, kept }
    }

    fn is_out_of_patience(&self) -> bool {
        self.options.patience.is_some_and(|patience| self.state.is_out_of_patience(patience))
    }

    /// A checkpoint of `network`, which has been trained for `epochs`.
    fn checkpoint(&self, network: &Network, epochs: u32) -> Checkpoint {
        Checkpoint {
            network: network.clone(),
            seed: self.options.seed,
            recipe: self.options.recipe.name().into(),
            hyperparameters: self.hyperparameters(),
            epochs,
            timesteps: self.dataset.timesteps() as u16,
            data: self.dataset.record(),
        }
    }

    fn hyperparameters(&self) -> Hyperparameters {
        let batch = self.settings.batch.min(self.training.count());
        self.options.hyperparameters(&Settings { batch, ..self.settings })
    }

    fn finish(self, started: Instant, stopped_early: bool) -> Trained {
        let checkpoint = match &self.state.best {
            Some(best) if self.options.patience.is_some() => self.checkpoint(&best.network, best.epoch),
            _ => self.checkpoint(&self.state.network, self.state.epochs()),
        };
        Trained {
            checkpoint,
            stopped_early,
            seconds: started.elapsed().as_secs_f64(),
            samples_per_second: self.samples_met as f64 / self.training_time.as_secs_f64().max(1e-9),
            threads: rayon::current_num_threads(),
            history: self.state.history,
        }
    }
}

/// Refuses a state that is not of a run that begins like `fresh`, or beyond its end.
fn check_state(state: &TrainingState, fresh: &TrainingState, epochs: u32) -> Result<(), TrainError> {
    let describe = |network: &Network| format!("{} of {}", network.kind(), network.shape());
    let (found, expected) = (describe(&state.network), describe(&fresh.network));
    let best = state.best.as_ref().map(|best| describe(&best.network));
    if found != expected || best.is_some_and(|best| best != expected) {
        let fault = format!("its network is {found}, where the options and the data make {expected}");
        return Err(TrainError::Resume(fault));
    }
    if !(state.optimizer.has_settings_of(&fresh.optimizer) && state.optimizer.fits(&state.network)) {
        return Err(TrainError::Resume("its optimiser is not the one that the recipe asks for".into()));
    }
    if state.epochs() > epochs {
        let fault = format!("{} epochs are done, where {epochs} are asked for in all", state.epochs());
        return Err(TrainError::Resume(fault));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use refrain::CellKind;

    use super::*;
    use crate::data::digits;
    use crate::train::Unobserved;

    #[test]
    fn an_epoch_that_ends_far_off_is_not_kept() {
        let dataset = digits::dataset(100, 20, 1).unwrap();
        let options = Options { units: 4, epochs: Some(2), ..Options::new(CellKind::Gru) };
        let mut run = Run::new(&options, options.settings(&dataset), &dataset, None).unwrap();
        let score = run.train_epoch(1, &mut Unobserved).unwrap();
        run.end_epoch(1, &score).unwrap();
        let score = run.train_epoch(2, &mut Unobserved).unwrap();
        // as if the last step had gone too far: no training loss knows of it
        run.state.network.dense.kernel *= 1e7;
        let error = run.end_epoch(2, &score).unwrap_err();
        assert!(error.to_string().contains("where guessing would give 2.3"), "{error}");
        assert_eq!(run.state.epochs(), 1);
    }

    #[test]
    fn a_spoilt_weight_ends_the_run_and_the_epoch_before_is_kept() {
        let dataset = digits::dataset(100, 20, 1).unwrap();
        let options = Options { units: 4, epochs: Some(2), ..Options::new(CellKind::Gru) };
        let mut run = Run::new(&options, options.settings(&dataset), &dataset, None).unwrap();
        let train_epoch = |epoch, run: &mut Run<'_>| run.train_epoch(epoch, &mut Unobserved).unwrap();
        let score = train_epoch(1, &mut run);
        run.end_epoch(1, &score).unwrap();
        let good = run.state.network.clone();
        let score = train_epoch(2, &mut run);
        assert_ne!(run.state.network, good);
        run.state.network.dense.bias[1] = f32::NAN;
        let error = run.end_epoch(2, &score).unwrap_err();
        assert!(
            error.to_string().contains("a weight of `dense/bias` is no finite number any more"),
            "{error}"
        );
        let TrainError::Diverged { epoch: 2, kept: Some(kept), .. } = error else { panic!("{error}") };
        assert_eq!((kept.epochs, &kept.network), (1, &good));
        assert_eq!(run.state.epochs(), 1);
    }
}
