//! How many states after blank rows a file gets, and that they change nothing else of it.

use ndarray::Array3;
use refrain::format::SectionKind;
use refrain::{CellKind, Header, Numbers, Samples, Shape};

use super::{metadata, network, readings, samples};
use crate::data::{Split, SplitView};
use crate::model_file::ModelFile;
use crate::quantise::{BlankStates, Metadata, export, export_with};

const TIMESTEPS: usize = 40;
const SHAPE: Shape = Shape { inputs: 4, units: 64, outputs: 3, layers: 1 };

/// Sequences that begin with so many blank rows each; another one follows further behind.
fn beginning_with(leading: &[usize]) -> Split {
    let pixels = Array3::from_shape_fn((leading.len(), TIMESTEPS, 4), |(sequence, row, column)| {
        u8::from(row >= leading[sequence] && row != 10 && column == 2)
    });
    Split::of_images(pixels, vec![0; leading.len()], "sequences", "no labels").unwrap()
}

/// The states that a file has; each section besides, with its kind.
fn sections(file: &ModelFile) -> (usize, Vec<(SectionKind, Vec<u8>)>) {
    let (header, length) = Header::read(file.as_bytes()).unwrap();
    let payload = &file.as_bytes()[length.next_multiple_of(16)..];
    let mut sections: Vec<(SectionKind, Vec<u8>)> = header
        .sections
        .iter()
        .map(|section| (section.kind, payload[section.offset as usize..][..section.length as usize].to_vec()))
        .collect();
    let table = sections.pop_if(|(kind, _)| *kind == SectionKind::BlankStates);
    (table.map_or(0, |(_, states)| states.len() / file.model().blank_state_bytes()), sections)
}

/// How many states there are in a file that is to have as many as pay.
fn chosen(shape: Shape, numbers: Numbers, calibration: SplitView<'_>) -> usize {
    CellKind::ALL
        .map(|cell| {
            sections(&export(&network(cell, shape, 3), &metadata(3), numbers, calibration).unwrap()).0
        })
        .into_iter()
        .reduce(|first, other| if first == other { first } else { panic!("{first} and {other}") })
        .unwrap()
}

#[test]
fn as_many_states_are_taken_as_one_sequence_in_twenty_begins_with() {
    for numbers in [Numbers::Int8, Numbers::Int4] {
        // 0 to 3 rows of most, then one more of one or of two among forty
        let of = |rare: &[usize]| {
            let mut leading: Vec<usize> = (0..40).map(|index| index % 4).collect();
            leading[8..8 + rare.len()].copy_from_slice(rare);
            chosen(SHAPE, numbers, beginning_with(&leading).view())
        };
        assert_eq!(of(&[]), 3);
        assert_eq!(of(&[5]), 3, "one in forty");
        assert_eq!(of(&[4, 5]), 4, "one in twenty begins with four, one in forty with five");
        assert_eq!(chosen(SHAPE, numbers, beginning_with(&[2]).view()), 2);
    }
    assert_eq!(chosen(SHAPE, Numbers::F32, beginning_with(&[4; 40]).view()), 0);
}

#[test]
fn where_sequences_do_not_begin_with_blank_rows_there_are_no_states() {
    assert_eq!(chosen(SHAPE, Numbers::Int8, beginning_with(&[0; 40]).view()), 0);
    for samples in [Samples::I16, Samples::F32] {
        let (x, scaling) = readings(samples, 40, 9, 4);
        let metadata = Metadata { scaling, ..metadata(3) };
        let file = export(&network(CellKind::Lstm, SHAPE, 3), &metadata, Numbers::Int8, x.view()).unwrap();
        assert_eq!(sections(&file).0, 0, "{samples}");
    }
}

#[test]
fn the_states_take_at_most_a_quarter_of_the_flash_of_the_model() {
    let shape = Shape { inputs: 4, units: 8, outputs: 1, layers: 1 };
    for cell in CellKind::ALL {
        let (network, x) = (network(cell, shape, 3), beginning_with(&[TIMESTEPS; 5]));
        let file = export(&network, &metadata(1), Numbers::Int8, x.view()).unwrap();
        let (most, others) = sections(&file);
        let is_weight = |kind| !matches!(kind, SectionKind::SelfTestRows | SectionKind::SelfTestLogits);
        let weights: usize =
            others.iter().filter(|(kind, _)| is_weight(*kind)).map(|(_, bytes)| bytes.len()).sum();
        // the header and the gaps between sections count too, at most 250 bytes
        let bound = |bytes: usize| bytes / 4 / file.model().blank_state_bytes();
        assert!((bound(weights)..=bound(weights + 250)).contains(&most), "{cell}: {most}, {weights} bytes");
        assert!(most < TIMESTEPS);
    }
}

#[test]
fn the_states_are_all_that_differs() {
    for (cell, numbers) in
        CellKind::ALL.into_iter().flat_map(|cell| [(cell, Numbers::Int8), (cell, Numbers::Int4)])
    {
        let shape = Shape { layers: 2, ..SHAPE };
        let (network, x) = (network(cell, shape, 3), samples(9, 9, 4));
        let of = |count| {
            export_with(BlankStates::Count(count), &network, &metadata(3), numbers, x.view()).unwrap()
        };
        let [none, seven, all] = [0, 7, u8::MAX].map(|count| sections(&of(count)));
        assert_eq!([none.0, seven.0, all.0], [0, 7, 255]);
        assert_eq!(none.1, seven.1, "{cell} {numbers}");
        assert_eq!(none.1, all.1);
    }
}

#[test]
fn a_model_of_floats_gets_no_states() {
    let (network, x) = (network(CellKind::Gru, SHAPE, 3), beginning_with(&[4; 9]));
    let error =
        export_with(BlankStates::Count(3), &network, &metadata(3), Numbers::F32, x.view()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "an f32 model holds no states after blank rows, 3 are asked for: leave --blank-states out, or export integers"
    );
}
