//! Tests of the order of registers, of errors and bounds, and of updates whose power fails, on simulated registers.

use refrain::link::UpdateRefusal;

use super::simulation::{Event, SEQUENCE_ERROR, Simulated};
use super::*;
use crate::update::tests::models::{built_in, model};
use crate::update::tests::upload;
use crate::update::{Store, Updates};

type Flash = Stm32Flash<Simulated, 2>;

const PAGE: u32 = 2048;
const LAST_PAGE: u32 = Flash::BYTES - PAGE;

fn flash() -> Flash {
    Flash::new(Simulated::new())
}

/// What the driver does during `work`.
fn events(flash: &mut Flash, work: impl FnOnce(&mut Flash)) -> Vec<Event> {
    flash.port.events.clear();
    work(flash);
    std::mem::take(&mut flash.port.events)
}

/// What stands before and behind each operation.
const FIRST: [Event; 4] = [
    Event::Set(Register::Access, 0x204),
    Event::Set(Register::State, 0xc3fb),
    Event::Set(Register::Key, 0x4567_0123),
    Event::Set(Register::Key, 0xcdef_89ab),
];
const LAST: [Event; 5] = [
    Event::Set(Register::Control, 0),
    Event::Set(Register::Control, 1 << 31),
    Event::Set(Register::Access, 0x1204),
    Event::Set(Register::Access, 0x204),
    Event::Set(Register::Access, 0x604),
];

#[test]
fn a_page_is_erased_as_the_manual_says() {
    let mut flash = flash();
    let events = events(&mut flash, |flash| flash.erase(LAST_PAGE, Flash::BYTES).unwrap());
    let control = 0b11 << 24 | 1 << 11 | 255 << 3 | 0b10;
    let erase = [
        Event::Set(Register::Control, control),
        Event::Set(Register::Control, control | 1 << 16),
        Event::Set(Register::State, 1),
    ];
    assert_eq!(events, [&FIRST[..], &erase, &LAST].concat());
    assert!(flash.bytes(LAST_PAGE, PAGE).unwrap().iter().all(|&byte| byte == 0xff));
    assert!(flash.bytes(0, LAST_PAGE).unwrap().iter().all(|&byte| byte == 0), "all other pages stay");
}

#[test]
fn double_words_are_programmed_as_the_manual_says() {
    let mut flash = flash();
    flash.erase(4096, 6144).unwrap();
    let bytes: Vec<u8> = (1..=16).collect();
    let events = events(&mut flash, |flash| flash.write(4104, &bytes).unwrap());
    let program = [
        Event::Set(Register::Control, 0b11 << 24 | 1),
        Event::Put(4104, [0x0403_0201, 0x0807_0605]),
        Event::Set(Register::State, 1),
        Event::Put(4112, [0x0c0b_0a09, 0x100f_0e0d]),
        Event::Set(Register::State, 1),
    ];
    assert_eq!(events, [&FIRST[..], &program, &LAST].concat());
    assert_eq!(flash.bytes(4096, 32).unwrap(), [&[0xff; 8][..], &bytes, &[0xff; 8]].concat());
}

#[test]
fn nothing_but_whole_units_inside_the_bank_is_touched() {
    let mut flash = flash();
    let (aligned, outside) = (NorFlashErrorKind::NotAligned, NorFlashErrorKind::OutOfBounds);
    let events = events(&mut flash, |flash| {
        for (offset, length, kind) in [
            (0, 4, aligned),
            (4, 8, aligned),
            (1, 8, aligned),
            (0, 12, aligned),
            (Flash::BYTES, 8, outside),
            (Flash::BYTES - 8, 16, outside),
            (u32::MAX - 7, 8, outside),
        ] {
            assert_eq!(flash.write(offset, &vec![0; length]), Err(kind.into()), "{length} at {offset}");
        }
        for (from, to, kind) in [
            (0, 1024, aligned),
            (8, 2056, aligned),
            (LAST_PAGE, Flash::BYTES + PAGE, outside),
            (PAGE, 0, outside),
        ] {
            assert_eq!(flash.erase(from, to), Err(kind.into()), "{from} to {to}");
        }
    });
    assert_eq!(events, []);
    assert_eq!(flash.read(Flash::BYTES - 1, &mut [0; 2]), Err(outside.into()));
    assert_eq!(flash.bytes(Flash::BYTES - 1, 2), None);
    assert_eq!(flash.hold(Flash::BYTES - 1, 2), None);
}

#[test]
fn each_error_of_the_controller_is_told_and_the_next_operation_is_none_the_worse() {
    let each = (0..16).map(|bit| 1 << bit).filter(|error| 0xc3fa & error != 0);
    // with the sign that it has ended, without it, and no sign at all
    for (errors, end) in each.flat_map(|error| [(error, 0), (error, 1)]).chain([(0, 0)]) {
        let mut flash = flash();
        flash.port.next_state = Some(errors | end);
        assert_eq!(flash.erase(0, PAGE), Err(Stm32FlashError::Failed { errors }));
        assert_eq!(flash.port.control >> 31, 1, "it is closed");
        flash.erase(0, PAGE).unwrap();
        flash.port.next_state = Some(errors | end);
        assert_eq!(flash.write(0, &[7; 16]), Err(Stm32FlashError::Failed { errors }));
        assert_eq!(flash.bytes(0, 16), Some(&[0xff; 16][..]), "nothing is programmed behind an error");
        flash.write(0, &[7; 16]).unwrap();
        assert_eq!((flash.port.control >> 31, flash.port.access), (1, 0x604));
    }
}

#[test]
fn an_error_that_somebody_else_left_is_cleared() {
    let mut flash = flash();
    flash.port.state = SEQUENCE_ERROR | 1 << 15;
    flash.erase(0, PAGE).unwrap();
    assert_eq!(flash.port.state, 0);
}

#[test]
fn a_double_word_is_programmed_once_after_its_page_was_erased() {
    let mut flash = flash();
    let twice = Err(Stm32FlashError::Failed { errors: 1 << 3 });
    assert_eq!(flash.write(0, &[1; 8]), twice);
    flash.erase(0, PAGE).unwrap();
    flash.write(0, &[1; 8]).unwrap();
    assert_eq!(flash.write(0, &[1; 8]), twice);
}

#[test]
fn a_controller_that_never_ends_is_told_from_one_that_is_slow() {
    let mut flash = flash();
    flash.port.duration = 50_000;
    flash.erase(0, PAGE).unwrap();
    flash.port.duration = u32::MAX;
    assert_eq!(flash.write(0, &[1; 8]), Err(Stm32FlashError::Busy));
    assert_eq!(flash.erase(0, PAGE), Err(Stm32FlashError::Busy));
}

#[test]
fn a_machine_without_such_a_controller_is_left_alone() {
    let mut from_bank_2 = Simulated::new();
    from_bank_2.options |= 1 << 20;
    for (port, missing) in [(Simulated::absent(), Missing::Controller), (from_bank_2, Missing::Bank)] {
        let mut flash = Flash::new(port);
        assert_eq!((flash.missing(), flash.capacity()), (Some(missing), 0));
        let mut store = Store::open(&mut flash, [built_in()]);
        assert_eq!(upload(&mut store, 1, &model(1), 50), Err(UpdateRefusal::NoStorage));
        assert!(flash.erase(0, PAGE).is_err() && flash.write(0, &[1; 8]).is_err());
        assert_eq!(flash.port.events, []);
    }
    assert_eq!((flash().missing(), flash().capacity()), (None, 512 << 10));
}

#[test]
fn what_is_held_stays_as_it_is() {
    let mut flash = flash();
    flash.erase(PAGE, 2 * PAGE).unwrap();
    flash.write(PAGE, &[7; 64]).unwrap();
    assert_eq!(flash.hold(PAGE, 60), Some(&[7; 60][..]));
    assert_eq!(flash.erase(PAGE, 2 * PAGE), Err(Stm32FlashError::Held));
    assert_eq!(flash.erase(0, 2 * PAGE), Err(Stm32FlashError::Held));
    assert_eq!(flash.write(PAGE + 56, &[0; 8]), Err(Stm32FlashError::Held));
    flash.write(PAGE + 64, &[9; 8]).unwrap();
    flash.erase(2 * PAGE, 3 * PAGE).unwrap();
    assert!(flash.hold(0, 8).is_some());
    assert!(flash.hold(4 * PAGE, 8).is_none(), "no more than were promised");
}

/// At each page that is erased and each double word that is programmed, through the very driver.
#[test]
fn power_that_fails_at_any_operation_of_an_update_leaves_the_old_model_or_the_new_one() {
    let mut flash = flash();
    let (old, new) = (model(1), model(2));
    upload(&mut Store::open(&mut flash, [built_in()]), 1, &old, 50).unwrap();
    let before = flash.port.restarted();
    for cut in 1.. {
        let mut flash = Flash::new(before.clone());
        flash.port.operations_left = Some(cut);
        let outcome = upload(&mut Store::open(&mut flash, [built_in()]), 2, &new, 50);
        let was_cut = !flash.port.has_power();
        assert_eq!(outcome.is_ok(), !was_cut, "cut {cut}: {outcome:?}");
        let mut flash = Flash::new(flash.port.restarted());
        let store = Store::open(&mut flash, [built_in()]);
        let (revision, range) = (store.active(0).revision, store.in_use(0).unwrap());
        let expected = if revision == 2 { &new } else { &old };
        assert_eq!(flash.bytes(range.start, range.end - range.start), Some(&expected[..]), "cut {cut}");
        if !was_cut {
            assert_eq!(revision, 2);
            println!("{} operations, power cut at each, none lost", cut - 1);
            return;
        }
        assert_eq!(revision, 1, "cut {cut}: what was being written then is not there");
        upload(&mut Store::open(&mut flash, [built_in()]), 2, &new, 64).unwrap();
        assert_eq!(Store::open(&mut flash, [built_in()]).active(0).revision, 2, "cut {cut}");
    }
}
