//! Uploads, refusals and power cuts on a simulated flash.

#[cfg(feature = "update")]
mod conversation;
mod interruptions;
pub(super) mod models;
mod power_cuts;
mod properties;
mod refusals;

use refrain::link::{Source, UpdateRefusal, Upload};

use super::simulation::Flash;
use super::{Active, BuiltIn, Store, Updates};
use models::{built_in, model};

/// A flash with room for the slots of [`model`].
fn flash<const WRITE: usize, const ERASE: usize>(seed: u64) -> Flash<WRITE, ERASE> {
    Flash::new(2 * (2 + (model(0).len() * 5 / 4).div_ceil(ERASE)) * ERASE, seed)
}

/// What announces the model of those bytes.
fn announce(revision: u32, file: &[u8]) -> Upload {
    let crc = u32::from_le_bytes(*file.last_chunk().expect("a model has a CRC-32"));
    Upload { model: 0, revision, length: file.len() as u32, crc }
}

/// Starts the board.
fn boot<'m, const WRITE: usize, const ERASE: usize>(
    flash: &'m mut Flash<WRITE, ERASE>,
    built_in: BuiltIn<'m>,
) -> Store<'m, &'m mut Flash<WRITE, ERASE>, 1> {
    flash.guarded.clear();
    let mut store = Store::open(flash, [built_in]);
    let in_use = store.in_use(0);
    store.flash_mut().guarded.extend(in_use);
    store
}

/// Uploads all of a model, in chunks of so many bytes, from where the board says.
pub(super) fn upload(
    store: &mut dyn Updates,
    revision: u32,
    file: &[u8],
    chunk: usize,
) -> Result<(), UpdateRefusal> {
    let upload = announce(revision, file);
    let mut offset = store.begin(upload)?;
    while (offset as usize) < file.len() {
        let rest = &file[offset as usize..];
        offset = store.chunk(upload.crc, offset, &rest[..chunk.min(rest.len())])?;
    }
    store.commit(upload.crc)
}

/// Starts the board, uploads a model and starts the board again; which model is used then.
fn update<const WRITE: usize, const ERASE: usize>(
    flash: &mut Flash<WRITE, ERASE>,
    revision: u32,
    file: &[u8],
) -> Result<Active, UpdateRefusal> {
    upload(&mut boot(flash, built_in()), revision, file, 50)?;
    Ok(boot(flash, built_in()).active(0))
}

/// The bytes of the model in use; `None` where that is the one in the program.
fn in_use<const WRITE: usize, const ERASE: usize>(flash: &mut Flash<WRITE, ERASE>) -> Option<Vec<u8>> {
    use super::MappedFlash;

    let range = boot(flash, built_in()).in_use(0)?;
    flash.bytes(range.start, range.end - range.start).map(<[u8]>::to_vec)
}

#[test]
fn each_update_is_used_after_a_restart_and_goes_to_the_other_slot() {
    let mut flash = flash::<8, 256>(1);
    assert_eq!(boot(&mut flash, built_in()).active(0), Active::BUILT_IN);
    for (revision, source) in [(1, Source::SlotA), (2, Source::SlotB), (7, Source::SlotA)] {
        let file = model(revision.into());
        assert_eq!(update(&mut flash, revision, &file), Ok(Active { source, revision }));
        assert_eq!(in_use(&mut flash), Some(file));
    }
    assert_eq!(flash.rewritten, 0);
}

#[test]
fn until_the_restart_the_old_model_stays_in_use() {
    let mut flash = flash::<8, 256>(2);
    update(&mut flash, 1, &model(1)).unwrap();
    let mut store = boot(&mut flash, built_in());
    // the flash panics where the slot in use is changed
    for revision in 2..6 {
        upload(&mut store, revision, &model(revision.into()), 100).unwrap();
        assert_eq!(store.active(0).revision, 1);
    }
    assert_eq!(boot(&mut flash, built_in()).active(0).revision, 5);
}

#[test]
fn bytes_may_come_in_any_pieces_and_more_than_once() {
    let file = model(1);
    for chunk in [1, 7, 31, 32, 33, 255, 256, 257, 10_000] {
        let mut flash = flash::<8, 256>(3);
        let mut store = boot(&mut flash, built_in());
        let upload = announce(1, &file);
        assert_eq!(store.begin(upload), Ok(0));
        let mut offset = 0;
        for piece in file.chunks(chunk) {
            let next = offset + piece.len() as u32;
            for _ in 0..3 {
                assert_eq!(store.chunk(upload.crc, offset, piece), Ok(next));
                assert_eq!(store.begin(upload), Ok(next), "it was begun before");
            }
            offset = next;
        }
        assert_eq!(store.chunk(upload.crc, 0, &file), Ok(offset), "all of it came before");
        for _ in 0..3 {
            assert_eq!(store.commit(upload.crc), Ok(()));
        }
        assert_eq!(store.chunk(upload.crc, 0, &file), Ok(offset));
        assert_eq!(store.begin(upload), Ok(offset));
        assert_eq!(in_use(&mut flash), Some(file.clone()));
        assert_eq!(flash.rewritten, 0);
    }
}

#[test]
fn each_model_of_a_program_has_slots_of_its_own() {
    let mut flash = Flash::<8, 256>::new(16 << 10, 6);
    let mut store = Store::open(&mut flash, [built_in(); 2]);
    let files = [model(1), model(2)];
    for (number, file) in (0..2).zip(&files) {
        let upload = Upload { model: number, ..announce(3 + u32::from(number), file) };
        store.begin(upload).unwrap();
        store.chunk(upload.crc, 0, file).unwrap();
        store.commit(upload.crc).unwrap();
    }
    let store = Store::open(&mut flash, [built_in(); 2]);
    assert_eq!([0, 1].map(|number| store.active(number).revision), [3, 4]);
    assert_eq!(store.active(2), Active::BUILT_IN, "there is no such model");
    let ranges = [0, 1].map(|number| store.in_use(number).unwrap());
    assert!(ranges[0].end <= ranges[1].start);
}
