//! Power fails at every single write and erase of an upload, in every way that it can.

use refrain::link::{UpdateRefusal, Upload};

use super::models::{built_in, model};
use super::{announce, boot, flash, update, upload};
use crate::update::simulation::{Cut, Flash};
use crate::update::{MappedFlash, Updates};

/// A flash that writes 8 bytes at once, as that of an STM32L4 does.
type Simulated<const ERASE: usize> = Flash<8, ERASE>;

/// An upload to be cut short, and what was on the board before.
struct Scenario<const ERASE: usize> {
    name: &'static str,
    flash: Simulated<ERASE>,
    revision: u32,
}

fn scenarios<const ERASE: usize>() -> Vec<Scenario<ERASE>> {
    let with = |updates: u32| {
        let mut flash = flash::<8, ERASE>(42);
        for revision in 1..=updates {
            update(&mut flash, revision, &model(revision.into())).expect("an update that nothing cuts short");
        }
        flash
    };
    let mut interrupted = with(2);
    let file = model(3);
    let begun = announce(3, &file);
    let mut store = boot(&mut interrupted, built_in());
    store.begin(begun).expect("a newer model");
    store.chunk(begun.crc, 0, &file[..600]).expect("its first bytes");
    vec![
        Scenario { name: "the first upload", flash: with(0), revision: 1 },
        Scenario { name: "an upload beside a slot in use", flash: with(1), revision: 2 },
        Scenario { name: "an upload over an older slot", flash: with(2), revision: 3 },
        Scenario { name: "an upload that is taken up again", flash: interrupted, revision: 3 },
    ]
}

/// Which revision is used after the board has started, and that it is whole.
fn revision_in_use<const ERASE: usize>(flash: &mut Simulated<ERASE>, context: &str) -> u32 {
    let store = boot(flash, built_in());
    let revision = store.active(0).revision;
    let range = store.in_use(0);
    let found =
        range.map(|range| flash.bytes(range.start, range.end - range.start).expect("inside").to_vec());
    let expected = (revision > 0).then(|| model(revision.into()));
    assert_eq!(found, expected, "{context}");
    revision
}

/// Cuts power in that way at every step of the scenario's upload; how many steps there are.
fn cut_everywhere<const ERASE: usize>(scenario: &Scenario<ERASE>, cut: Cut) -> u64 {
    let (old, new) = (scenario.revision - 1, scenario.revision);
    let file = model(new.into());
    let mut seen = [false; 2];
    for at in 0.. {
        let context = format!("{}, {cut:?}, step {at}", scenario.name);
        let mut flash = scenario.flash.clone();
        flash.cut_at(at, cut);
        let outcome = upload(&mut boot(&mut flash, built_in()), new, &file, 50);
        if !flash.is_cut() {
            assert_eq!(outcome, Ok(()), "{context}: nothing was cut");
            assert_eq!(revision_in_use(&mut flash, &context), new);
            assert!(seen[0], "{context}: the old model was never used");
            assert_eq!(flash.rewritten, 0, "{context}");
            return at;
        }
        flash.restore();
        // wavering bits may tell now this, now that; the model is whole all the same
        for _ in 0..3 {
            let revision = revision_in_use(&mut flash, &context);
            assert!(revision == old || revision == new, "{context}: revision {revision} is used");
            seen[usize::from(revision == new)] = true;
        }
        update_at_last(&mut flash, new, &file, &context);
        assert_eq!(flash.rewritten, 0, "{context}: what was not erased was written");
    }
    unreachable!("the upload ends")
}

/// Uploads again until the new model is used: once, but for bits that waver.
fn update_at_last<const ERASE: usize>(
    flash: &mut Simulated<ERASE>,
    revision: u32,
    file: &[u8],
    context: &str,
) {
    for _ in 0..20 {
        match upload(&mut boot(flash, built_in()), revision, file, 64) {
            Ok(()) | Err(UpdateRefusal::NotNewer { .. }) => {}
            Err(refusal) => panic!("{context}: {refusal}"),
        }
        if revision_in_use(flash, context) == revision {
            return;
        }
    }
    panic!("{context}: the update does not succeed");
}

/// Cuts power at every step of every scenario.
fn hold<const ERASE: usize>() {
    let mut total = 0;
    for scenario in scenarios::<ERASE>() {
        let steps = Cut::ALL.map(|cut| cut_everywhere(&scenario, cut));
        let cuts: u64 = steps.iter().sum();
        println!(
            "units of {ERASE} bytes, {}: {} writes and erases, each cut in {} ways: {cuts} cuts, none lost",
            scenario.name,
            steps[0],
            steps.len()
        );
        total += cuts;
    }
    println!("units of {ERASE} bytes: {total} power cuts, none lost");
}

#[test]
fn whatever_is_cut_the_board_has_the_old_or_the_new_model() {
    hold::<256>();
}

/// Where a page holds many steps of an upload.
#[test]
fn whatever_is_cut_on_pages_of_an_stm32l4_the_board_has_the_old_or_the_new_model() {
    hold::<2048>();
}

#[test]
fn a_second_cut_while_the_upload_is_taken_up_again_loses_nothing_either() {
    let scenario = &scenarios::<256>()[2];
    let file = model(3);
    let mut cuts = 0;
    for (first, cut) in (0..200).step_by(7).zip(Cut::ALL.into_iter().cycle()) {
        for (second, again) in (0..200).step_by(3).zip(Cut::ALL.into_iter().cycle().skip(first as usize % 5))
        {
            let context = format!("{cut:?} at {first}, then {again:?} at {second}");
            let mut flash = scenario.flash.clone();
            for (at, cut) in [(first, cut), (second, again)] {
                flash.cut_at(at, cut);
                let _ = upload(&mut boot(&mut flash, built_in()), 3, &file, 50);
                flash.restore();
                let revision = revision_in_use(&mut flash, &context);
                assert!(revision == 2 || revision == 3, "{context}: revision {revision}");
                cuts += 1;
            }
            update_at_last(&mut flash, 3, &file, &context);
            assert_eq!(flash.rewritten, 0, "{context}");
        }
    }
    println!("{cuts} power cuts in pairs, none lost");
}

/// A shipped model at its full length, on a flash of an STM32L4's units.
#[test]
fn a_shipped_model_survives_a_cut_at_each_of_its_writes() {
    use refrain::cell;

    use crate::update::{BuiltIn, Store, trial};

    let file: &[u8] = refrain::include_model!("../../../models/simple-rnn.rfn");
    let built_in = BuiltIn { file, trial: trial::<cell::SimpleRnn, 28, 64, 10, 1, i16> };
    let announced = Upload { revision: 1, ..announce(1, file) };
    let blank = Flash::<8, 2048>::new(32 << 10, 7);
    let mut cuts = 0;
    for (at, cut) in (0..).zip(Cut::ALL.into_iter().cycle()) {
        let mut flash = blank.clone();
        flash.cut_at(at, cut);
        let outcome = upload(&mut Store::open(&mut flash, [built_in]), 1, file, 1000);
        if !flash.is_cut() {
            assert_eq!(outcome, Ok(()));
            break;
        }
        flash.restore();
        let mut store = Store::open(&mut flash, [built_in]);
        if store.active(0).revision == 0 {
            let kept = store.begin(announced).expect("room");
            store.chunk(announced.crc, kept, &file[kept as usize..]).expect("the rest");
            store.commit(announced.crc).expect("a whole model");
        }
        assert_eq!(Store::open(&mut flash, [built_in]).active(0).revision, 1, "{cut:?} at {at}");
        cuts += 1;
    }
    println!("{} bytes: {cuts} writes and erases, a power cut at each, none lost", file.len());
}
