//! One training run: its progress, its folder, and what stays of it however it ends.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use refrain_trainer::checkpoint::{Checkpoint, Resumable};
use refrain_trainer::data::{Dataset, Source};
use refrain_trainer::run::{Config, Earlier, Outcome, Rates, Recorder, Run, RunError, command_line, noted};
use refrain_trainer::train::{
    EpochDone, Observer, Options, Plan, Progress, TrainError, Trained, TrainingState, measure, resume, train,
};

use super::error::CliError;
use super::interrupt::Listener;
use super::progress::Spinner;
use super::training_progress::Training;

/// What to train and where everything goes.
pub(super) struct Job<'a> {
    pub(super) options: &'a Options,
    /// What the data set is loaded from.
    pub(super) source: &'a Source,
    /// Where the network goes.
    pub(super) out: &'a Path,
    /// The run folder.
    pub(super) folder: &'a Path,
}

/// How a run begins.
pub(super) enum Start {
    New(Earlier),
    Resumed(Box<Run>),
}

/// A run that has ended.
pub(super) struct Finished {
    pub(super) trained: Trained,
    pub(super) outcome: Outcome,
    /// Epochs that were done before.
    pub(super) resumed_after: u32,
    pub(super) recorder: Recorder,
}

/// The run folder of a network that goes to `out`: `lstm.run` for `lstm.ckpt`.
pub(super) fn default_folder(out: &Path) -> PathBuf {
    match out.extension().is_some_and(|extension| extension == "ckpt") {
        true => out.with_extension("run"),
        false => {
            let mut folder = out.to_owned().into_os_string();
            folder.push(".run");
            folder.into()
        }
    }
}

impl Start {
    /// The data set that the run has noted.
    pub(super) fn noted_source(&self) -> Result<Option<Source>, CliError> {
        match self {
            Self::New(_) => Ok(None),
            Self::Resumed(run) => Ok(Some(run.config.data.source.parse()?)),
        }
    }
}

impl Job<'_> {
    /// Trains, shows how far it is, records every finished epoch and measures the network in the end.
    pub(super) fn run(&self, start: Start, dataset: &Dataset) -> Result<Finished, CliError> {
        let config = self.config(dataset)?;
        let command = self.command(&config)?;
        let (recorder, state) = match start {
            Start::New(earlier) => {
                // before anything is written or replaced
                self.options.check(dataset)?;
                (Recorder::begin(self.folder, earlier, &config, &command)?, None)
            }
            Start::Resumed(run) => {
                // what is not the run's is told first, for with it other options may be wrong as well
                let Resumable { checkpoint, state } = run.resume_as(&config)?;
                self.options.check(dataset)?;
                let recorder = Recorder::resume(&run, &state.history, &config, &command)?;
                // whatever happens from here on, the file holds what is said of it
                kept_network(&checkpoint, &state).save(self.out)?;
                (recorder, Some(state))
            }
        };
        let resumed_after = state.as_ref().map_or(0, TrainingState::epochs);
        let mut keeper = Keeper {
            out: self.out,
            recorder,
            progress: Training::new(self.options.cell),
            interrupt: Listener::new(),
            done: resumed_after,
            kept: state.as_ref().map_or(0, kept_epoch),
            epochs: config.epochs,
            epoch_begun: Instant::now(),
            samples_per_second: 0.0,
            failure: None,
        };
        let trained = match state {
            Some(state) => resume(self.options, dataset, state, &mut keeper),
            None => train(self.options, dataset, &mut keeper),
        };
        let trained = keeper.verdict(trained)?;
        let outcome = self.outcome(&trained, keeper.recorder.seconds(), dataset);
        let save = || -> Result<(), RunError> {
            trained.checkpoint.save(self.out)?;
            keeper.recorder.end(&outcome)
        };
        save().map_err(|source| keeper.not_recorded(source))?;
        Ok(Finished { trained, outcome, resumed_after, recorder: keeper.recorder })
    }

    /// How the run ended, after so many seconds, and how good its network is.
    fn outcome(&self, trained: &Trained, seconds: Option<f64>, dataset: &Dataset) -> Outcome {
        let _spinner = Spinner::new("measuring on the test samples");
        let network = &trained.checkpoint.network;
        let test = measure(network, dataset.test().view(), dataset.scaling(), dataset.task());
        Outcome {
            epochs: trained.history.len() as u32,
            stopped_early: trained.stopped_early,
            best_epoch: refrain_trainer::run::best_epoch(&trained.history).unwrap_or_default(),
            kept_epoch: trained.checkpoint.epochs,
            seconds,
            samples_per_second: trained.samples_per_second,
            test_loss: test.loss,
            test_accuracy: test.accuracy,
            test_mean_absolute_error: test.mean_absolute_error,
            test_r2: test.r2,
        }
    }

    fn config(&self, dataset: &Dataset) -> Result<Config, CliError> {
        let source = match self.source {
            // from wherever the command is repeated
            Source::Path(path) => absolute(path)?,
            named => named.to_string(),
        };
        let out = noted(self.folder, self.out).map_err(reading(self.out))?;
        Ok(Config::new(self.options, dataset, &source, out))
    }

    /// What to type to do the same again.
    fn command(&self, config: &Config) -> Result<String, CliError> {
        let mut words: Vec<String> = ["refrain", "train", &config.cell].map(String::from).into();
        let mut option = |name: &str, value: String| words.extend([format!("--{name}"), value]);
        option("data", config.data.source.clone());
        option("recipe", config.recipe.clone());
        option("units", config.units.to_string());
        option("layers", config.layers.to_string());
        option("dropout", config.dropout.to_string());
        option("epochs", config.epochs.to_string());
        option("batch", config.batch.to_string());
        option("learning-rate", config.learning_rate.to_string());
        if let Some(patience) = config.patience {
            option("patience", patience.to_string());
        }
        option("seed", config.seed.to_string());
        option("threads", config.threads.to_string());
        option("out", absolute(self.out)?);
        option("run", absolute(self.folder)?);
        if config.class_weights {
            words.push("--class-weights".into());
        }
        Ok(command_line(words.iter().map(String::as_str)))
    }
}

/// A path that means the same in every folder, as text.
fn absolute(path: &Path) -> Result<String, CliError> {
    let text = std::path::absolute(path).map_err(reading(path))?.into_os_string().into_string();
    Ok(text.map_err(|_| RunError::NotText { path: path.to_owned() })?)
}

fn reading(path: &Path) -> impl Fn(io::Error) -> CliError {
    move |reason| CliError::Read { path: path.to_owned(), reason }
}

/// The epoch whose network the run is for, as it stands: with early stopping the best one, else the last.
fn kept_epoch(state: &TrainingState) -> u32 {
    state.best.as_ref().map_or(state.epochs(), |best| best.epoch)
}

/// The network of that epoch; `last` is a checkpoint of the last one.
fn kept_network(last: &Checkpoint, state: &TrainingState) -> Checkpoint {
    match &state.best {
        Some(best) => Checkpoint { network: best.network.clone(), epochs: best.epoch, ..last.clone() },
        None => last.clone(),
    }
}

/// Records each epoch and listens for Ctrl-C and its like.
struct Keeper<'p> {
    out: &'p Path,
    recorder: Recorder,
    progress: Training,
    interrupt: Listener,
    /// The last epoch that is recorded.
    done: u32,
    /// The epoch whose network is in the file.
    kept: u32,
    /// Epochs that the run is to have.
    epochs: u32,
    epoch_begun: Instant,
    /// Of the epoch, without its validation.
    samples_per_second: f64,
    failure: Option<RunError>,
}

impl Keeper<'_> {
    fn go_on(&self) -> ControlFlow<()> {
        if self.interrupt.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Writes all that an epoch leaves behind.
    fn record(&mut self, done: &EpochDone<'_>) -> Result<(), RunError> {
        let rates =
            Rates { learning_rate: done.learning_rate.into(), samples_per_second: self.samples_per_second };
        let resumable = Resumable { checkpoint: done.checkpoint(), state: done.state.clone() };
        self.recorder.epoch(&resumable, &rates)?;
        self.done = done.epoch.epoch;
        if kept_epoch(done.state) == self.done {
            resumable.checkpoint.save(self.out)?;
            self.kept = self.done;
        }
        Ok(())
    }

    /// What came of the training, with what there is of a run that was ended before its time.
    fn verdict(&mut self, trained: Result<Trained, TrainError>) -> Result<Trained, CliError> {
        if let Some(failure) = self.failure.take() {
            return Err(self.not_recorded(failure));
        }
        let cell = self.progress.cell().name();
        match trained {
            Ok(trained) if trained.stopped_early || self.done == self.epochs => Ok(trained),
            Ok(_) => Err(CliError::Interrupted { cell, epoch: self.done + 1, kept: self.kept() }),
            Err(TrainError::Interrupted { epoch }) => {
                Err(CliError::Interrupted { cell, epoch, kept: self.kept() })
            }
            Err(TrainError::Diverged { epoch, step, cause, learning_rate, .. }) => {
                let cause = TrainError::Diverged { epoch, step, cause, learning_rate, kept: None };
                Err(CliError::Stopped { cause, kept: self.network_kept() })
            }
            // the last epochs are computed in integers, after many that were not
            Err(cause @ TrainError::Integers(_)) => {
                Err(CliError::Stopped { cause, kept: self.network_kept() })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn not_recorded(&self, source: RunError) -> CliError {
        CliError::NotRecorded { source: source.into(), kept: self.kept() }
    }

    /// What there is, and how to go on.
    fn kept(&self) -> String {
        match self.done {
            0 => self.network_kept(),
            _ => {
                let folder = self.recorder.folder().display().to_string();
                let command = command_line(["refrain", "train", "--resume", "--run", &folder]);
                format!("{}; go on with: {command}", self.network_kept())
            }
        }
    }

    fn network_kept(&self) -> String {
        let out = self.out.display();
        match self.kept {
            0 => format!("no epoch was finished, so {out} was not written"),
            kept => format!("{out} holds the network as it was after epoch {kept} of {}", self.epochs),
        }
    }
}

impl Observer for Keeper<'_> {
    fn started(&mut self, plan: &Plan) {
        self.progress.start(plan);
        self.epoch_begun = Instant::now();
    }

    fn batch(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.samples_per_second = progress.samples_done as f64 / self.epoch_begun.elapsed().as_secs_f64();
        self.progress.batch(progress);
        self.go_on()
    }

    fn epoch(&mut self, done: &EpochDone<'_>) -> ControlFlow<()> {
        if let Err(failure) = self.record(done) {
            self.failure = Some(failure);
            return ControlFlow::Break(());
        }
        self.progress.end_epoch(done.epoch);
        self.epoch_begun = Instant::now();
        self.go_on()
    }
}
