//! States after blank rows that the cells would not have computed.

use refrain::format::{MAX_BLANK_STATES, SectionFault, SectionKind};
use refrain::{CellKind, ModelError, Numbers, Shape};
use refrain_tests::random_model_with;
use refrain_trainer::model_file::ModelFile;
use refrain_trainer::quantise::BlankStates;

use crate::forgery::{Forgery, SHAPE, refused, refused_of};

const ENTRIES: usize = 3;

/// Integer models of every kind and number of layers, each with a table, and the bytes of one entry.
fn models() -> impl Iterator<Item = (ModelFile, usize)> {
    let kinds =
        CellKind::ALL.into_iter().flat_map(|cell| [Numbers::Int8, Numbers::Int4].map(|of| (cell, of)));
    kinds.flat_map(|(cell, numbers)| {
        [1, 2, 3].map(|layers| {
            let shape = Shape { layers, ..SHAPE };
            let file = random_model_with(BlankStates::Count(ENTRIES as u8), cell, shape, numbers, 1);
            let bytes_of_a_unit = if cell == CellKind::Lstm { 2 + 4 } else { 2 };
            (file, usize::from(shape.units) * usize::from(layers) * bytes_of_a_unit)
        })
    })
}

/// The number of the entry that a changed model is refused for.
fn refused_entry(file: &ModelFile, change: impl Fn(&mut Vec<u8>)) -> usize {
    match refused_of(file, |forgery| change(forgery.section(SectionKind::BlankStates))) {
        ModelError::BlankState { entry } => entry,
        other => panic!("{other:?}"),
    }
}

#[test]
fn any_wrong_byte_is_refused_by_the_number_of_its_entry() {
    for (file, entry_bytes) in models() {
        assert_eq!(
            Forgery::of(file.as_bytes()).section(SectionKind::BlankStates).len(),
            ENTRIES * entry_bytes
        );
        for byte in 0..ENTRIES * entry_bytes {
            let entry = refused_entry(&file, |table| table[byte] ^= 1 << (byte % 8));
            assert_eq!(entry, byte / entry_bytes);
        }
        // the right states, in the wrong order
        assert_eq!(refused_entry(&file, |table| table.rotate_left(entry_bytes)), 0);
    }
}

#[test]
fn a_table_of_no_whole_number_of_entries_is_refused() {
    for (file, entry_bytes) in models() {
        for length in 1..ENTRIES * entry_bytes {
            if !length.is_multiple_of(entry_bytes) {
                assert_eq!(refused_entry(&file, |table| table.truncate(length)), length / entry_bytes);
            }
        }
        for surplus in [1, 2, 4, entry_bytes] {
            assert_eq!(refused_entry(&file, |table| table.extend(vec![0; surplus])), ENTRIES);
        }
    }
}

#[test]
fn fewer_entries_are_a_table_too() {
    for (file, entry_bytes) in models() {
        for entries in 1..ENTRIES {
            let mut forgery = Forgery::of(file.as_bytes());
            forgery.section(SectionKind::BlankStates).truncate(entries * entry_bytes);
            ModelFile::from_bytes("shorter", &forgery.sealed()).expect("each entry is right");
        }
    }
}

#[test]
fn more_entries_than_a_model_may_have_are_refused() {
    for cell in CellKind::ALL {
        let file = random_model_with(BlankStates::Count(u8::MAX), cell, SHAPE, Numbers::Int8, 1);
        let model = file.model();
        let mut states = vec![0; (MAX_BLANK_STATES + 1) * model.blank_state_bytes()];
        model.write_blank_states(&mut states);
        let entry = refused_entry(&file, |table| {
            assert_eq!(table, &states[..table.len()], "{cell}");
            table.clone_from(&states);
        });
        assert_eq!(entry, MAX_BLANK_STATES);
    }
}

#[test]
fn a_model_of_floats_has_no_table() {
    let kind = SectionKind::BlankStates;
    for cell in CellKind::ALL {
        let reason = refused(cell, Numbers::F32, |forgery| forgery.sections.push((kind, vec![0; 24])));
        assert_eq!(reason, ModelError::Section { kind, fault: SectionFault::Unexpected });
    }
}

#[test]
fn an_error_says_which_entry_is_wrong() {
    assert_eq!(
        ModelError::BlankState { entry: 4 }.to_string(),
        "entry 4 of section BlankStates is not the state after 5 blank rows, or one of more than 255: export the model \
         again"
    );
}
