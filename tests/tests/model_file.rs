//! The bytes of model files: what is written today must be readable for ever, and mean the same.

use refrain::format::SectionKind;
use refrain::{CellKind, Lstm, Numbers, Samples, Shape, State};
use refrain_tests::{Recordings, per_step, random_model, random_model_with, regression, unlabelled};
use refrain_trainer::data::{InputScaling, Task};
use refrain_trainer::model_file::ModelFile;
use refrain_trainer::nn::Network;
use refrain_trainer::quantise::{BlankStates, Metadata, export_with};

/// `golden/lstm-2x1x1.rfn.txt`: bytes in hexadecimal, `#` begins a comment.
fn golden() -> Vec<u8> {
    let text = include_str!("../golden/lstm-2x1x1.rfn.txt");
    let words = text.lines().flat_map(|line| line.split('#').next().unwrap_or_default().split_whitespace());
    words.map(|word| u8::from_str_radix(word, 16).expect("two hexadecimal digits")).collect()
}

/// An LSTM of one unit with weights that quantise to round numbers, with so many states after blank rows.
fn small_lstm(blank_states: u8) -> ModelFile {
    let mut network = Network::zeros(CellKind::Lstm, Shape { inputs: 2, units: 1, outputs: 1, layers: 1 });
    for (gate, value) in [0.25, -0.5, 1.0, 0.75].into_iter().enumerate() {
        network.layers[0].kernel[[0, gate]] = value;
        network.layers[0].kernel[[1, gate]] = -0.5 * value;
        network.layers[0].recurrent_kernel[[0, gate]] = 0.5 * value;
        network.layers[0].bias[[0, gate]] = 0.125 * gate as f32;
    }
    network.dense.kernel[[0, 0]] = 2.0;
    network.dense.bias[0] = -0.5;
    let metadata = Metadata {
        name: "small".into(),
        timesteps: 3,
        scaling: InputScaling::Uniform { scale: 1.0 / 256.0 },
        task: Task::classification(["yes"]),
    };
    let calibration = unlabelled(ndarray::Array3::from_elem((1, 3, 2), 128));
    export_with(BlankStates::Count(blank_states), &network, &metadata, Numbers::Int8, calibration.view())
        .expect("a small network can be exported")
}

#[test]
fn the_exporter_writes_the_golden_bytes() {
    let file = small_lstm(0);
    let hex: Vec<String> = file.as_bytes().chunks(16).map(|line| format!("{line:02x?}")).collect();
    assert_eq!(file.as_bytes(), golden(), "the exporter wrote\n{}", hex.join("\n"));
}

#[test]
fn the_golden_bytes_give_the_golden_logits() {
    let file = ModelFile::from_bytes("golden", &golden()).expect("the golden bytes are a model");
    let model = Lstm::<2, 1, 1>::from_bytes(file.as_bytes()).expect("of that shape");
    let mut state = State::new();
    let mut logits = Vec::new();
    for row in [[255u8, 0], [0, 0], [7, 200], [128, 128]] {
        model.step(&mut state, &row);
        logits.extend(model.logits(&state));
    }
    assert_eq!(logits, GOLDEN_LOGITS);
    assert_eq!(model.self_test(), Ok(()));
}

#[test]
fn states_after_blank_rows_are_the_golden_ones() {
    let file = small_lstm(2);
    let header = *file.model().header();
    let section = header.sections.iter().last().expect("a file has sections");
    assert_eq!((section.kind, section.length), (SectionKind::BlankStates, 2 * (2 + 4)));
    let end = file.as_bytes().len() - 4;
    assert_eq!(file.as_bytes()[end - 12..end], GOLDEN_BLANK_STATES);
    let mut state = State::new();
    let model = Lstm::<2, 1, 1>::from_bytes(file.as_bytes()).expect("of that shape");
    for entry in GOLDEN_BLANK_STATES.as_chunks::<6>().0 {
        model.step(&mut state, &[0u8, 0]);
        assert_eq!(state.hidden()[0][0].to_le_bytes(), entry[..2]);
    }
}

/// After one blank row and after two: the hidden state, Q15 in two bytes, and the cell state, Q29 in four.
const GOLDEN_BLANK_STATES: [u8; 12] =
    [0x40, 0x09, 0x00, 0x20, 0xeb, 0x03, 0x7a, 0x0f, 0xf7, 0x6c, 0x8b, 0x06];

/// Q16, after each of four timesteps.
const GOLDEN_LOGITS: [i32; 4] = [11_018, 1_295, -14_697, -976];

/// CRC-32 of random models: a change of any byte of the format, of a rounding or of a self-test shows here.
const PINNED: [(CellKind, Numbers, u32); 9] = [
    (CellKind::SimpleRnn, Numbers::Int8, 0x14331935),
    (CellKind::SimpleRnn, Numbers::Int4, 0x9c155382),
    (CellKind::SimpleRnn, Numbers::F32, 0x835e1474),
    (CellKind::Lstm, Numbers::Int8, 0x73c9b57c),
    (CellKind::Lstm, Numbers::Int4, 0x282b34dc),
    (CellKind::Lstm, Numbers::F32, 0x5603d44d),
    (CellKind::Gru, Numbers::Int8, 0x3e466b87),
    (CellKind::Gru, Numbers::Int4, 0xa545973d),
    (CellKind::Gru, Numbers::F32, 0x205be4b8),
];

#[test]
fn every_kind_of_file_is_the_same_byte_for_byte() {
    let shape = Shape { inputs: 3, units: 5, outputs: 3, layers: 1 };
    let found =
        PINNED.map(|(cell, numbers, _)| (cell, numbers, random_model(cell, shape, numbers, 1).model().crc()));
    assert_eq!(found, PINNED);
}

/// As [`PINNED`], of models of two layers with three states after blank rows.
const PINNED_BLANK_STATES: [(CellKind, Numbers, u32); 6] = [
    (CellKind::SimpleRnn, Numbers::Int8, 0x0535c44c),
    (CellKind::SimpleRnn, Numbers::Int4, 0xc756965a),
    (CellKind::Lstm, Numbers::Int8, 0x3f969389),
    (CellKind::Lstm, Numbers::Int4, 0xa61138c8),
    (CellKind::Gru, Numbers::Int8, 0xbd23f513),
    (CellKind::Gru, Numbers::Int4, 0xe3748a0a),
];

#[test]
fn every_kind_of_file_with_states_after_blank_rows_is_the_same_byte_for_byte() {
    let shape = Shape { inputs: 3, units: 5, outputs: 3, layers: 2 };
    let found = PINNED_BLANK_STATES.map(|(cell, numbers, _)| {
        let file = random_model_with(BlankStates::Count(3), cell, shape, numbers, 1);
        (cell, numbers, file.model().crc())
    });
    assert_eq!(found, PINNED_BLANK_STATES);
}

/// As [`PINNED`], of models for sensors: two layers, a scale for each feature, values at every timestep.
const PINNED_SENSORS: [(Samples, Numbers, u32); 6] = [
    (Samples::I16, Numbers::Int8, 0x4486524a),
    (Samples::I16, Numbers::Int4, 0xef305f5b),
    (Samples::I16, Numbers::F32, 0xe1d36f83),
    (Samples::F32, Numbers::Int8, 0x995a2148),
    (Samples::F32, Numbers::Int4, 0x7cde8a91),
    (Samples::F32, Numbers::F32, 0x9223d390),
];

#[test]
fn every_kind_of_file_for_a_sensor_is_the_same_byte_for_byte() {
    let found = PINNED_SENSORS.map(|(samples, numbers, _)| {
        let recordings = Recordings::random(samples, 3, &[5, 8], per_step(regression(2)), 1);
        (samples, numbers, recordings.model(CellKind::Lstm, 5, 2, numbers).model().crc())
    });
    assert_eq!(found, PINNED_SENSORS);
}
