//! Exported files as a program's typed models: what they compute, of whatever readings, and the states that they keep.

use refrain::{CellKind, Numbers, OutputFormat, Samples, Shape, State, Steps};

use super::{metadata, network, readings, samples};
use crate::data::{InputScaling, Kind, TargetScaling, Task, ValuesView};
use crate::quantise::{Metadata, export};

#[test]
fn typed_models_compute_what_the_tools_compute() {
    let shape = Shape { inputs: 3, units: 5, outputs: 2, layers: 2 };
    let (x, scaling) = readings(Samples::F32, 6, 9, 3);
    let metadata = Metadata { scaling, ..metadata(2) };
    let file = export(&network(CellKind::Lstm, shape, 4), &metadata, Numbers::Int8, x.view()).unwrap();
    let model = refrain::Lstm::<3, 5, 2, 2, f32>::from_bytes(file.as_bytes()).unwrap();
    for index in 0..6 {
        let mut state = State::new();
        let ValuesView::F32(values) = x.view().sequence(index) else { panic!("floats") };
        for row in values.as_chunks::<3>().0 {
            model.step(&mut state, row);
        }
        let mut logits = [0; 8];
        file.model().classify(&x.view().sequence(index).to_bytes(), &mut logits).unwrap();
        assert_eq!(model.logits(&state).map(i32::to_le_bytes).as_flattened(), logits);
    }
    let error = refrain::Lstm::<3, 5, 2, 2>::from_bytes(file.as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model takes samples of f32, expected u8 or i16: give the model's type f32 as its samples"
    );
}

#[test]
fn readings_of_another_type_are_converted() {
    let shape = Shape { inputs: 3, units: 5, outputs: 2, layers: 1 };
    let exported = |samples| {
        let (x, scaling) = readings(samples, 6, 9, 3);
        let metadata = Metadata { scaling, ..metadata(2) };
        export(&network(CellKind::Gru, shape, 4), &metadata, Numbers::Int8, x.view()).unwrap()
    };
    let file = exported(Samples::U8);
    let model = refrain::Gru::<3, 5, 2>::from_bytes(file.as_bytes()).unwrap();
    let mut states = [State::new(); 3];
    model.step(&mut states[0], &[0u8, 255, 128]);
    model.step(&mut states[1], &[-7i16, 300, 128]);
    model.step(&mut states[2], &[f32::NAN, f32::INFINITY, 127.6]);
    assert_eq!(states[0], states[1]);
    assert_eq!(states[0], states[2]);
    let file = exported(Samples::F32);
    let model = refrain::Gru::<3, 5, 2, 1, f32>::from_bytes(file.as_bytes()).unwrap();
    let mut states = [State::new(); 2];
    model.step(&mut states[0], &[5i16, -3, 0]);
    model.step(&mut states[1], &[5.0f32, -3.0, 0.0]);
    assert_eq!(states[0], states[1]);
}

#[test]
fn a_reading_that_is_no_number_counts_as_the_mean() {
    let shape = Shape { inputs: 3, units: 5, outputs: 2, layers: 1 };
    let (x, scaling) = readings(Samples::F32, 6, 9, 3);
    let InputScaling::PerFeature { mean, .. } = &scaling else { panic!("per feature") };
    let mean = [mean[0], mean[1], mean[2]];
    let metadata = Metadata { scaling, ..metadata(2) };
    let network = network(CellKind::Lstm, shape, 4);
    let file = export(&network, &metadata, Numbers::Int8, x.view()).unwrap();
    let model = refrain::Lstm::<3, 5, 2, 1, f32>::from_bytes(file.as_bytes()).unwrap();
    let after = |row: [f32; 3]| {
        let mut state = State::new();
        model.step(&mut state, &row);
        state
    };
    assert_eq!(after([f32::NAN; 3]), after(mean));
    assert_eq!(after([f32::INFINITY; 3]), after([f32::MAX; 3]));
    assert_ne!(after([f32::INFINITY; 3]), after([f32::NEG_INFINITY; 3]));
    let file = export(&network, &metadata, Numbers::F32, x.view()).unwrap();
    let model = refrain::FloatLstm::<3, 5, 2>::from_bytes(file.as_bytes()).unwrap();
    let mut state = State::new();
    model.step(&mut state, &[f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
    assert!(model.logits(&state).iter().all(|logit| logit.is_finite()));
}

#[test]
fn a_regression_gives_values_in_their_own_units() {
    let shape = Shape { inputs: 3, units: 5, outputs: 2, layers: 1 };
    let (x, scaling) = readings(Samples::I16, 6, 9, 3);
    let task = Task {
        kind: Kind::Regression {
            names: vec!["volts".into(), "amperes".into()],
            scaling: TargetScaling { mean: vec![230.0, -2.0], deviation: vec![10.0, 0.5] },
        },
        per_step: true,
    };
    let metadata = Metadata { scaling, task, ..metadata(2) };
    for numbers in [Numbers::Int8, Numbers::F32] {
        let file = export(&network(CellKind::Gru, shape, 4), &metadata, numbers, x.view()).unwrap();
        let model = file.model();
        let header = model.header();
        assert_eq!(header.output, OutputFormat { task: refrain::Task::Regression, steps: Steps::Every });
        assert_eq!(header.output_names().collect::<Vec<_>>(), ["volts", "amperes"]);
        let sequence = x.view().sequence(0).to_bytes();
        let mut logits = [0; 9 * 8];
        model.classify_every_step(&sequence, &mut logits).unwrap();
        let mut last = [0; 8];
        model.classify(&sequence, &mut last).unwrap();
        assert_eq!(logits[8 * 8..], last);
        model.classify(&sequence[..6], &mut last).unwrap();
        assert_eq!(logits[..8], last);
        let mut values = [0.0; 18];
        model.values(&logits, &mut values);
        for (index, (&value, &logit)) in values.iter().zip(logits.as_chunks().0).enumerate() {
            let logit = numbers.logit_value(logit);
            let expected = [230.0 + 10.0 * logit, -2.0 + 0.5 * logit][index % 2];
            assert_eq!(value, expected);
        }
        if numbers == Numbers::Int8 {
            let typed = refrain::Gru::<3, 5, 2>::from_bytes(file.as_bytes()).unwrap();
            let mut state = State::new();
            typed.step_bytes(&mut state, &sequence[..6]).unwrap();
            assert_eq!(typed.values(&state), values[..2]);
        }
    }
}

#[test]
fn a_state_may_be_saved_and_resumed() {
    let shape = Shape { inputs: 4, units: 6, outputs: 3, layers: 1 };
    let file =
        export(&network(CellKind::Lstm, shape, 2), &metadata(3), Numbers::Int8, samples(9, 9, 4).view())
            .unwrap();
    let model = refrain::Lstm::<4, 6, 3>::from_bytes(file.as_bytes()).unwrap();
    let mut state = refrain::State::new();
    for step in 0..5u8 {
        model.step(&mut state, &[step, 2, 3, 200]);
    }
    let mut saved = state;
    let rest = [[9u8, 9, 9, 9], [0, 0, 0, 0], [255, 0, 1, 2]];
    rest.iter().for_each(|row| model.step(&mut state, row));
    rest.iter().for_each(|row| model.step(&mut saved, row));
    assert_eq!(model.logits(&state), model.logits(&saved));
    state.reset();
    assert_eq!(state, refrain::State::new());
}

#[test]
fn samples_outside_the_range_count_as_the_nearest_inside() {
    let shape = Shape { inputs: 2, units: 4, outputs: 2, layers: 1 };
    let file =
        export(&network(CellKind::Gru, shape, 2), &metadata(2), Numbers::Int8, samples(9, 9, 2).view())
            .unwrap();
    let model = refrain::Gru::<2, 4, 2>::from_bytes(file.as_bytes()).unwrap();
    let after = |row: [i16; 2]| {
        let mut state = refrain::State::new();
        model.step(&mut state, &row);
        state
    };
    assert_eq!(after([i16::MIN, i16::MAX]), after([0, 255]));
    assert_ne!(after([0, 254]), after([0, 255]));
}
