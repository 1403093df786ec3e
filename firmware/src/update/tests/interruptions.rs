//! Uploads that are interrupted and taken up again.

use refrain::link::UpdateRefusal;

use super::models::{built_in, failing_model, model};
use super::{announce, boot, flash, in_use, update, upload};
use crate::update::Updates;
use crate::update::simulation::{Cut, Flash};

/// A board that has got so many bytes of the model, of which whole erase units are kept.
fn interrupted(file: &[u8], came: usize) -> Flash<8, 256> {
    let mut flash = flash::<8, 256>(4);
    let mut store = boot(&mut flash, built_in());
    let upload = announce(1, file);
    store.begin(upload).unwrap();
    store.chunk(upload.crc, 0, &file[..came]).unwrap();
    flash
}

#[test]
fn an_interrupted_upload_goes_on_where_it_was() {
    let file = model(1);
    let upload = announce(1, &file);
    for came in 0..=file.len() {
        let mut flash = flash::<8, 256>(4);
        let mut store = boot(&mut flash, built_in());
        store.begin(upload).unwrap();
        store.chunk(upload.crc, 0, &file[..came]).unwrap();
        let mut store = boot(&mut flash, built_in());
        let kept = store.begin(upload).unwrap() as usize;
        assert!(kept <= came && came - kept < 256, "{came} bytes came, {kept} are kept");
        store.chunk(upload.crc, kept as u32, &file[kept..]).unwrap();
        store.commit(upload.crc).unwrap();
        assert_eq!(in_use(&mut flash), Some(file.clone()));
        assert_eq!(flash.rewritten, 0);
    }
}

#[test]
fn an_upload_that_is_interrupted_again_and_again_comes_to_its_end() {
    let mut flash = flash::<8, 256>(5);
    let file = model(1);
    let upload = announce(1, &file);
    let mut sessions = 0;
    while sessions < 100 {
        let mut store = boot(&mut flash, built_in());
        let rest = &file[store.begin(upload).unwrap() as usize..];
        if rest.is_empty() {
            break;
        }
        // a little more than an erase unit
        store.chunk(upload.crc, (file.len() - rest.len()) as u32, &rest[..rest.len().min(260)]).unwrap();
        sessions += 1;
    }
    assert_eq!(sessions, file.len().div_ceil(256));
    assert_eq!(update(&mut flash, 1, &file).unwrap().revision, 1);
    assert_eq!(flash.rewritten, 0);
}

#[test]
fn power_that_fails_while_an_upload_is_taken_up_again_costs_nothing_of_it() {
    let file = model(1);
    let upload = announce(1, &file);
    let begun = interrupted(&file, 700);
    for cut in Cut::ALL.into_iter().filter(|&cut| cut != Cut::Wavers) {
        // a head is erased, four words of a record are written, and an entry
        for at in 0..6 {
            let mut flash = begun.clone();
            flash.cut_at(at, cut);
            boot(&mut flash, built_in()).begin(upload).ok();
            assert!(flash.is_cut());
            flash.restore();
            assert_eq!(boot(&mut flash, built_in()).begin(upload), Ok(512), "{cut:?} at {at}");
        }
    }
}

#[test]
fn what_went_bad_of_an_interrupted_upload_is_sent_again() {
    let file = model(1);
    let upload = announce(1, &file);
    for at in (0..700).step_by(9) {
        let mut flash = interrupted(&file, 700);
        // slot A: two heads, then the model
        flash.rot(512 + at, 2);
        let kept = (at / 256 * 256).min(512);
        assert_eq!(boot(&mut flash, built_in()).begin(upload), Ok(kept), "byte {at}");
        assert_eq!(update(&mut flash, 1, &file).unwrap().revision, 1);
        assert_eq!(in_use(&mut flash), Some(file.clone()));
    }
}

#[test]
fn an_upload_that_was_given_up_for_another_is_forgotten() {
    let [first, second] = [1, 2].map(model);
    for times in 1..4 {
        let mut flash = interrupted(&first, 700);
        for _ in 1..times {
            assert_eq!(boot(&mut flash, built_in()).begin(announce(1, &first)), Ok(512));
        }
        assert_eq!(boot(&mut flash, built_in()).begin(announce(1, &second)), Ok(0));
        assert_eq!(boot(&mut flash, built_in()).begin(announce(1, &first)), Ok(0), "taken up {times} times");
    }
}

#[test]
fn a_committed_model_that_went_bad_is_sent_again_from_its_first_byte() {
    let (mut flash, file) = (flash::<8, 256>(4), model(1));
    update(&mut flash, 1, &file).unwrap();
    flash.rot(512 + 800, 2);
    let mut store = boot(&mut flash, built_in());
    assert_eq!(store.active(0).revision, 0);
    assert_eq!(store.begin(announce(1, &file)), Ok(0));
    assert_eq!(update(&mut flash, 1, &file).unwrap().revision, 1);
}

#[test]
fn nothing_is_committed_before_it_was_tested() {
    let (mut flash, file) = (flash::<8, 256>(4), failing_model(1));
    let mut store = boot(&mut flash, built_in());
    let announced = announce(1, &file);
    store.begin(announced).unwrap();
    store.chunk(announced.crc, 0, &file).unwrap();
    let before = store.flash_mut().steps;
    assert!(matches!(store.commit(announced.crc), Err(UpdateRefusal::SelfTest(_))));
    assert_eq!(store.flash_mut().steps - before, 2, "two heads are erased, and nothing is written");
    upload(&mut store, 1, &model(1), 50).unwrap();
}
