//! A timestep in parts is the timestep: the same state, the same logits, and each layer is run once more than those above
//! it.

use refrain::cell::{Cell, Gru, Gru4, Lstm, Lstm4, SimpleRnn, SimpleRnn4};
use refrain::{CellKind, Model, Numbers, Operands, Part, RowLength, Samples, Shape, State, float};
use refrain_tests::{Recordings, random_model_with, regression};
use refrain_trainer::model_file::ModelFile;
use refrain_trainer::quantise::BlankStates;

const INPUTS: usize = 3;
const UNITS: usize = 5;
const OUTPUTS: usize = 2;

/// Blank rows in front, of which the model has states after the first [`ENTRIES`], then others.
const ROWS: [[u8; INPUTS]; 7] = [[0; 3], [0; 3], [0; 3], [9, 0, 200], [0; 3], [255, 255, 255], [0, 1, 0]];
const ENTRIES: usize = 2;

fn model(kind: CellKind, numbers: Numbers, layers: usize, entries: u8) -> ModelFile {
    let [inputs, units, outputs] = [INPUTS as u16, UNITS as u16, OUTPUTS as u16];
    let shape = Shape { inputs, units, outputs, layers: layers as u8 };
    random_model_with(BlankStates::Count(entries), kind, shape, numbers, 7)
}

fn check<C: Cell, const LAYERS: usize>() {
    let entries = if C::NUMBERS == Numbers::F32 { 0 } else { ENTRIES };
    let file = model(C::KIND, C::NUMBERS, LAYERS, entries as u8);
    let model = Model::<C, INPUTS, UNITS, OUTPUTS, LAYERS>::from_bytes(file.as_bytes()).expect("that shape");
    let (mut whole, mut state) = (State::new(), State::new());
    let mut operands = Operands::new();
    for (index, row) in ROWS.iter().enumerate() {
        model.step(&mut whole, row);
        let mut parts = Vec::new();
        let mut measure = |part, run: &mut dyn FnMut()| {
            run();
            parts.push(part);
        };
        model.step_bytes_in_parts(&mut state, row, &mut operands, &mut measure).expect("three bytes");
        assert_eq!(state, whole, "row {index}");
        assert_eq!(model.logits(&state), model.logits(&whole), "row {index}");
        let layers = if index < entries { 0 } else { LAYERS as u8 };
        let expected: Vec<_> = [Part::Step].into_iter().chain((1..=layers).map(Part::Layers)).collect();
        assert_eq!(parts, expected, "row {index}");
    }
}

#[test]
fn every_cell_computes_the_same_in_parts() {
    fn each<C: Cell>() {
        check::<C, 1>();
        check::<C, 2>();
        check::<C, 3>();
    }
    each::<SimpleRnn>();
    each::<SimpleRnn4>();
    each::<Lstm>();
    each::<Lstm4>();
    each::<Gru>();
    each::<Gru4>();
    each::<float::SimpleRnn>();
    each::<float::Lstm>();
    each::<float::Gru>();
}

#[test]
fn a_row_of_another_length_runs_nothing_but_the_step_that_refuses_it() {
    let recordings = Recordings::random(Samples::I16, INPUTS as u16, &[4], regression(OUTPUTS as u16), 1);
    let file = recordings.model(CellKind::Gru, UNITS as u16, 2, Numbers::Int8);
    let model = Model::<Gru, INPUTS, UNITS, OUTPUTS, 2>::from_bytes(file.as_bytes()).expect("that shape");
    let (mut state, mut parts) = (State::new(), Vec::new());
    let mut measure = |part, run: &mut dyn FnMut()| {
        run();
        parts.push(part);
    };
    let refused = model.step_bytes_in_parts(&mut state, &[0; 5], &mut Operands::new(), &mut measure);
    assert_eq!(refused, Err(RowLength { found: 5, expected: 6 }));
    assert_eq!((state, parts), (State::new(), vec![Part::Step]));
}
