//! Runs that stop and go on.

use super::*;

/// Keeps the state after one epoch, written down, and ends the run there.
struct StopAfter {
    epoch: u32,
    state: Vec<u8>,
}

impl Observer for StopAfter {
    fn started(&mut self, _: &Plan) {}

    fn batch(&mut self, _: &Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, done: &EpochDone<'_>) -> ControlFlow<()> {
        if done.epoch.epoch < self.epoch {
            return ControlFlow::Continue(());
        }
        self.state = postcard::to_stdvec(done.state).unwrap();
        ControlFlow::Break(())
    }
}

/// The state after `epoch` epochs, written down and read back.
pub(super) fn state_after(epoch: u32, options: &Options, dataset: &Dataset) -> TrainingState {
    let mut stop = StopAfter { epoch, state: Vec::new() };
    train(options, dataset, &mut stop).unwrap();
    postcard::from_bytes(&stop.state).unwrap()
}

/// The state at the end of a run.
struct Last(Option<TrainingState>);

impl Observer for Last {
    fn started(&mut self, _: &Plan) {}

    fn batch(&mut self, _: &Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, done: &EpochDone<'_>) -> ControlFlow<()> {
        self.0 = Some(done.state.clone());
        ControlFlow::Continue(())
    }
}

#[test]
fn a_resumed_run_gives_what_an_unbroken_one_gives_byte_for_byte() {
    let (images, waves, values) = (images(), waves(Ask::Class), super::waves(Ask::ValueEachStep));
    for cell in CellKind::ALL {
        let plain = Options { epochs: Some(4), ..options(cell) };
        let article = Options { recipe: Recipe::Article, ..plain.clone() };
        let patient =
            Options { dropout: 0.2, layers: 2, patience: Some(3), class_weights: true, ..plain.clone() };
        let per_step = Options { batch: Some(7), dropout: 0.1, ..plain.clone() };
        for (options, dataset) in
            [(plain, &images), (article, &images), (patient, &waves), (per_step, &values)]
        {
            let mut last = Last(None);
            let unbroken = train(&options, dataset, &mut last).unwrap();
            let whole = postcard::to_stdvec(&last.0.unwrap()).unwrap();
            for epoch in [1, 3] {
                let state = state_after(epoch, &options, dataset);
                let mut last = Last(None);
                let resumed = resume(&options, dataset, state, &mut last).unwrap();
                assert_eq!(resumed.history, unbroken.history, "{options:?}");
                assert_eq!(bytes(&resumed.checkpoint), bytes(&unbroken.checkpoint), "{options:?}");
                assert!(postcard::to_stdvec(&last.0.unwrap()).unwrap() == whole, "{options:?}");
            }
        }
    }
}

#[test]
fn a_run_that_is_over_has_nothing_left_to_do() {
    let dataset = images();
    let options = options(CellKind::SimpleRnn);
    let state = state_after(2, &options, &dataset);
    let mut notes = Notes::default();
    let resumed = resume(&options, &dataset, state.clone(), &mut notes).unwrap();
    assert_eq!(notes.plan, Some(Plan { done: 2, epochs: 2, samples_per_epoch: 550 }));
    assert!(notes.last_progress.is_none());
    assert_eq!((resumed.history, resumed.checkpoint.network), (state.history, state.network));
}

#[test]
fn a_state_of_another_run_is_refused() {
    let dataset = images();
    let gru = options(CellKind::Gru);
    let state = state_after(2, &gru, &dataset);
    let refused = |options: &Options, state: &TrainingState| {
        resume(options, &dataset, state.clone(), &mut Unobserved).unwrap_err().to_string()
    };
    assert_eq!(
        refused(&Options { units: 8, layers: 2, ..gru.clone() }, &state),
        "training cannot go on from there: its network is gru of 28 inputs, 16 units, 10 outputs, where the options and \
         the data make gru of 28 inputs, 2 layers of 8 units, 10 outputs"
    );
    assert!(refused(&options(CellKind::Lstm), &state).contains("make lstm"));
    let shorter = refused(&Options { epochs: Some(1), ..gru.clone() }, &state);
    assert!(shorter.ends_with("2 epochs are done, where 1 are asked for in all"), "{shorter}");
    let article = refused(&Options { recipe: Recipe::Article, ..gru.clone() }, &state);
    assert!(article.ends_with("its optimiser is not the one that the recipe asks for"), "{article}");

    let mut foreign = state.clone();
    foreign.optimizer = state_after(1, &Options { units: 8, ..gru.clone() }, &dataset).optimizer;
    assert!(refused(&gru, &foreign).ends_with("its optimiser is not the one that the recipe asks for"));
}

#[test]
fn history_keeps_its_names_in_json_and_its_places_elsewhere() {
    let dataset = waves(Ask::Value);
    let state = state_after(1, &options(CellKind::Gru), &dataset);
    let json = serde_json::to_value(state.history[0]).unwrap();
    let names: Vec<&String> = json.as_object().unwrap().keys().collect();
    let expected =
        ["epoch", "loss", "mean_absolute_error", "r2", "val_loss", "val_mean_absolute_error", "val_r2"];
    assert_eq!(names, expected);
    assert_eq!(serde_json::from_value::<Epoch>(json).unwrap().r2, state.history[0].r2);
    let again: TrainingState = postcard::from_bytes(&postcard::to_stdvec(&state).unwrap()).unwrap();
    assert_eq!(again, state);
}
