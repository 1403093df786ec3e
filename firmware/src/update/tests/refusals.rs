//! What is refused, with the reason; and what happens when a slot goes bad.

use refrain::link::{Source, UpdateRefusal, Upload};
use refrain::{CellKind, ModelError, OutputFormat, Samples, SelfTestError, Shape, Steps, Task, crc32, float};

use super::models::{KIND, Kind, built_in, failing_model, model, model_of};
use super::{announce, boot, flash, in_use, update, upload};
use crate::update::simulation::Flash;
use crate::update::{Active, BuiltIn, NoFlash, Store, Updates, trial};

/// Uploads the file to a board that uses revision 1, and expects that it still does, that nothing of the file is kept, and
/// that a good model is taken afterwards.
fn refusal_of(revision: u32, file: &[u8]) -> UpdateRefusal {
    let mut flash = flash::<8, 256>(1);
    update(&mut flash, 1, &model(1)).unwrap();
    let refusal = upload(&mut boot(&mut flash, built_in()), revision, file, 50).unwrap_err();
    assert_eq!(in_use(&mut flash), Some(model(1)));
    let mut store = boot(&mut flash, built_in());
    if let Ok(kept) = store.begin(announce(revision, file)) {
        assert_eq!(kept, 0, "nothing of it is kept");
    }
    upload(&mut store, 3, &model(3), 50).unwrap();
    assert_eq!(boot(&mut flash, built_in()).active(0), Active { source: Source::SlotB, revision: 3 });
    refusal
}

#[test]
fn an_older_revision_or_the_same_is_refused() {
    for found in [0, 1] {
        assert_eq!(refusal_of(found, &model(2)), UpdateRefusal::NotNewer { found, newest: 1 });
    }
    let mut flash = flash::<8, 256>(1);
    let mut store = boot(&mut flash, built_in());
    let built_in = UpdateRefusal::NotNewer { found: 0, newest: 0 };
    assert_eq!(store.begin(announce(0, &model(1))), Err(built_in), "the one in the program is revision 0");
    upload(&mut store, 5, &model(5), 50).unwrap();
    let waiting = UpdateRefusal::NotNewer { found: 4, newest: 5 };
    assert_eq!(store.begin(announce(4, &model(4))), Err(waiting), "before the restart too");
}

#[test]
fn a_model_of_another_shape_is_refused_and_both_shapes_are_told() {
    let file = model(0);
    let other = BuiltIn { file: &file, trial: trial::<float::SimpleRnn, 2, 5, 3, 1, f32> };
    let mut flash = flash::<8, 256>(1);
    let refusal = upload(&mut boot(&mut flash, other), 1, &model(1), 50).unwrap_err();
    let found = Shape { inputs: 2, units: 4, outputs: 3, layers: 1 };
    let expected = Shape { units: 5, ..found };
    assert_eq!(refusal, UpdateRefusal::Model(ModelError::Shape { found, expected }));
    assert_eq!(
        refusal.to_string(),
        "the model has 2 inputs, 4 units, 3 outputs; expected 2 inputs, 5 units, 3 outputs"
    );
    let gru = BuiltIn { file: &file, trial: trial::<float::Gru, 2, 4, 3, 1, f32> };
    let refusal = upload(&mut boot(&mut flash, gru), 1, &model(1), 50).unwrap_err();
    assert!(matches!(refusal, UpdateRefusal::Model(ModelError::Cell { .. })), "{refusal}");
}

/// Whoever uploads, and whatever it looked at before.
#[test]
fn a_model_of_another_kind_is_refused_before_a_byte_of_it_is_written() {
    let (file, program) = (model_of(Kind { has_self_test: false, ..KIND }, 1), model(0));
    let changed = |at: usize, value: u8| {
        let mut file = file.clone();
        file[at] = value;
        let body = file.len() - 4;
        let crc = crc32(&file[..body]);
        file[body..].copy_from_slice(&crc.to_le_bytes());
        file
    };
    // Behind magic and version: the cell, the numbers, and the shape, a byte each.
    let shape = Shape { inputs: 2, units: 4, outputs: 3, layers: 1 };
    let output = OutputFormat { task: Task::Classification, steps: Steps::Every };
    let refused = [
        (
            changed(5, CellKind::Gru as u8),
            UpdateRefusal::Model(ModelError::Cell { found: CellKind::Gru, expected: CellKind::SimpleRnn }),
        ),
        (
            changed(8, 5),
            UpdateRefusal::Model(ModelError::Shape { found: Shape { units: 5, ..shape }, expected: shape }),
        ),
        (
            model_of(Kind { samples: Samples::I16, ..KIND }, 2),
            UpdateRefusal::Samples { found: Samples::I16, expected: Samples::U8 },
        ),
        (
            model_of(Kind { output, ..KIND }, 2),
            UpdateRefusal::Output { found: output, expected: KIND.output },
        ),
    ];
    for (file, refusal) in refused {
        let mut flash = flash::<8, 256>(1);
        let mut store = boot(&mut flash, BuiltIn { file: &program, ..built_in() });
        let announced = announce(1, &file);
        store.begin(announced).unwrap();
        let steps = store.flash_mut().steps;
        for _ in 0..2 {
            assert_eq!(store.chunk(announced.crc, 0, &file[..200]), Err(refusal));
        }
        assert_eq!(store.begin(announced), Ok(0));
        assert_eq!(store.flash_mut().steps, steps, "{refusal}");
        upload(&mut store, 1, &model(1), 200).unwrap();
    }
}

#[test]
fn the_greatest_revision_is_refused_and_the_one_before_it_is_taken() {
    let refusal = refusal_of(u32::MAX, &model(2));
    assert_eq!(refusal, UpdateRefusal::LastRevision);
    assert_eq!(
        refusal.to_string(),
        "it is revision 4294967295, the greatest there is, so no model could ever take its place: give a smaller one"
    );
    let mut flash = flash::<8, 256>(1);
    assert_eq!(update(&mut flash, u32::MAX - 1, &model(2)).unwrap().revision, u32::MAX - 1);
}

#[test]
fn a_model_that_takes_or_gives_something_else_is_refused() {
    let samples = refusal_of(2, &model_of(Kind { samples: Samples::I16, ..KIND }, 2));
    assert_eq!(samples, UpdateRefusal::Samples { found: Samples::I16, expected: Samples::U8 });
    let found = OutputFormat { task: Task::Classification, steps: Steps::Every };
    let output = refusal_of(2, &model_of(Kind { output: found, ..KIND }, 2));
    assert_eq!(output, UpdateRefusal::Output { found, expected: KIND.output });
}

#[test]
fn a_model_that_fails_its_self_test_or_has_none_is_refused() {
    let failed = refusal_of(2, &failing_model(2));
    assert_eq!(failed, UpdateRefusal::SelfTest(SelfTestError::Mismatch { sequence: 0 }));
    let absent = refusal_of(2, &model_of(Kind { has_self_test: false, ..KIND }, 2));
    assert_eq!(absent, UpdateRefusal::SelfTest(SelfTestError::Absent));
}

#[test]
fn bytes_that_are_no_model_are_refused() {
    let mut text = b"no model at all, but of a sound CRC-32".to_vec();
    text.extend(crc32(&text).to_le_bytes());
    assert!(matches!(refusal_of(2, &text), UpdateRefusal::Model(ModelError::Magic { .. })));
    for length in [0, 1, 3, 4] {
        let mut flash = flash::<8, 256>(1);
        let upload = Upload { model: 0, revision: 1, length: length as u32, crc: 0 };
        let mut store = boot(&mut flash, built_in());
        assert_eq!(store.begin(upload), Ok(0));
        assert_eq!(store.chunk(0, 0, &vec![0; length]), Ok(length as u32));
        store.commit(0).unwrap_err();
        assert_eq!(boot(&mut flash, built_in()).active(0), Active::BUILT_IN);
    }
}

#[test]
fn a_byte_that_changed_on_the_way_is_noticed_and_the_upload_begins_anew() {
    let file = model(1);
    let announced = announce(1, &file);
    for at in (0..file.len()).step_by(13) {
        let mut damaged = file.clone();
        damaged[at] ^= 0x10;
        let mut flash = flash::<8, 256>(1);
        let mut store = boot(&mut flash, built_in());
        store.begin(announced).unwrap();
        store.chunk(announced.crc, 0, &damaged).unwrap();
        let refusal = store.commit(announced.crc).unwrap_err();
        let (found, expected) = (crc32(&damaged[..damaged.len() - 4]), announced.crc);
        let is_in_the_crc = at >= file.len() - 4;
        assert!(is_in_the_crc || refusal == UpdateRefusal::Crc { found, expected }, "byte {at}: {refusal}");
        assert_eq!(store.commit(announced.crc), Err(UpdateRefusal::NotBegun));
        assert_eq!(store.begin(announced), Ok(0));
        upload(&mut store, 1, &file, 100).unwrap();
        assert_eq!(in_use(&mut flash).as_ref(), Some(&file));
    }
}

#[test]
fn a_model_that_no_slot_has_room_for_is_refused() {
    let mut file = model(2);
    let room = (file.len() * 5 / 4).next_multiple_of(256);
    file.resize(room + 1, 0);
    let refusal = refusal_of(2, &file);
    assert_eq!(refusal, UpdateRefusal::TooLong { found: room as u32 + 1, room: room as u32 });
}

#[test]
fn chunks_out_of_order_or_of_no_upload_are_refused_and_cost_nothing() {
    let (mut flash, file) = (flash::<8, 256>(1), model(1));
    let mut store = boot(&mut flash, built_in());
    let announced = announce(1, &file);
    let crc = announced.crc;
    assert_eq!(store.chunk(crc, 0, &file), Err(UpdateRefusal::NotBegun));
    assert_eq!(store.commit(crc), Err(UpdateRefusal::NotBegun));
    store.begin(announced).unwrap();
    assert_eq!(store.chunk(crc ^ 1, 0, &file), Err(UpdateRefusal::NotBegun), "another upload");
    assert_eq!(store.chunk(crc, 1, &file[1..]), Err(UpdateRefusal::Offset { expected: 0 }));
    store.chunk(crc, 0, &file[..300]).unwrap();
    assert_eq!(store.chunk(crc, u32::MAX, &file), Err(UpdateRefusal::Offset { expected: 300 }));
    assert_eq!(store.commit(crc), Err(UpdateRefusal::Offset { expected: 300 }));
    let length = file.len() as u32;
    let longer = [&file[..], &[0]].concat();
    assert_eq!(store.chunk(crc, 0, &longer), Err(UpdateRefusal::Beyond { length }));
    store.chunk(crc, 200, &file[200..]).unwrap();
    store.commit(crc).unwrap();
    assert_eq!(in_use(&mut flash), Some(file));
}

#[test]
fn a_model_of_a_slot_that_went_bad_gives_way_to_the_one_before_it() {
    let mut flash = flash::<8, 256>(1);
    for revision in [1, 2] {
        update(&mut flash, revision, &model(revision.into())).unwrap();
    }
    for (source, revision, next) in [
        (Source::SlotB, 2, Active { source: Source::SlotA, revision: 1 }),
        (Source::SlotA, 1, Active::BUILT_IN),
    ] {
        let store = boot(&mut flash, built_in());
        assert_eq!(store.active(0), Active { source, revision });
        let range = store.in_use(0).unwrap();
        for offset in range.step_by(97) {
            flash.rot(offset, 3);
            assert_eq!(boot(&mut flash, built_in()).active(0), next, "byte {offset}");
            flash.rot(offset, 3);
        }
        let start = boot(&mut flash, built_in()).in_use(0).unwrap().start;
        flash.rot(start + 100, 3);
    }
    assert_eq!(update(&mut flash, 3, &model(3)).unwrap().revision, 3, "and may be replaced");
}

/// As a program may find it whose kernel computes another sum than the one that the model was committed by.
#[test]
fn a_model_that_fails_its_self_test_when_the_board_starts_gives_way_to_the_one_before_it() {
    fn fails_for_the_second(program: &[u8], candidate: &[u8]) -> Result<(), UpdateRefusal> {
        match candidate == model(2) {
            true => Err(UpdateRefusal::SelfTest(SelfTestError::Mismatch { sequence: 0 })),
            false => (built_in().trial)(program, candidate),
        }
    }
    let mut flash = flash::<8, 256>(1);
    for revision in [1, 2] {
        update(&mut flash, revision, &model(revision.into())).unwrap();
    }
    let later = BuiltIn { trial: fails_for_the_second, ..built_in() };
    let mut store = boot(&mut flash, later);
    assert_eq!(store.active(0), Active { source: Source::SlotA, revision: 1 });
    upload(&mut store, 3, &model(3), 50).unwrap();
    assert_eq!(boot(&mut flash, later).active(0), Active { source: Source::SlotB, revision: 3 });
}

#[test]
fn what_was_uploaded_for_another_program_does_not_count() {
    let mut flash = flash::<8, 256>(1);
    update(&mut flash, 9, &model(9)).unwrap();
    let file = model(77);
    let other = BuiltIn { file: &file, ..built_in() };
    let mut store = boot(&mut flash, other);
    assert_eq!(store.active(0), Active::BUILT_IN);
    upload(&mut store, 1, &model(1), 50).unwrap();
    assert_eq!(boot(&mut flash, other).active(0).revision, 1, "revisions begin anew");
}

#[test]
fn a_board_without_room_or_flash_says_so() {
    let announced = announce(1, &model(1));
    let mut small = Flash::<8, 256>::new(2048, 1);
    let mut store = Store::open(&mut small, [built_in()]);
    assert_eq!(store.begin(announced), Err(UpdateRefusal::NoStorage));
    let elsewhere = Upload { model: 1, ..announced };
    assert_eq!(store.begin(elsewhere), Err(UpdateRefusal::NoStorage), "there is no such model");
    assert_eq!(small.steps, 0);
    let mut store = Store::open(NoFlash, [built_in()]);
    assert_eq!(store.begin(announced), Err(UpdateRefusal::NoStorage));
    assert_eq!(store.active(0), Active::BUILT_IN);
}
