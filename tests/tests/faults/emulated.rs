//! Rows over the UART of an emulated Cortex-M4F, on whose way this machine makes faults.

use std::time::Duration;

use refrain::link::Boot;
use refrain_tests::shipped_models;
use refrain_trainer::device::qemu::{Emulator, Mode};
use refrain_trainer::device::{Board, firmware};
use refrain_trainer::link::faults::{FaultCounts, Faulty};
use refrain_trainer::link::{Client, LinkError, Patience, Served, Transport};
use refrain_trainer::setup::qemu;

use super::rows::images;

/// An emulated board may take long to start, and for an answer, where the machine is busy.
const PATIENCE: Patience =
    Patience { start: Duration::from_secs(120), time_out: Duration::from_secs(10), attempts: 6 };

/// On a bad line it is asked again soon, for that costs nothing but a repeated answer; and often, because the machine may be
/// busy with something else for a while.
const HURRIED: Patience = Patience { time_out: Duration::from_millis(50), attempts: 200, ..PATIENCE };

/// That is soon given up.
const SHORT: Patience = Patience { attempts: 4, ..HURRIED };

/// What came of some images.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    right: usize,
    wrong: usize,
    given_up: usize,
}

fn start(folder: &std::path::Path) -> Emulator {
    let board = Board::Mps2An386;
    let [simple_rnn, ..] = shipped_models();
    let qemu = qemu(board.name(), board.minimum_qemu()).expect("QEMU is there or can be installed");
    let firmware = firmware::build(board, &[&simple_rnn], &[], folder).expect("the firmware can be built");
    Emulator::start(&qemu, board, &firmware, Mode::Serve, folder).expect("QEMU starts")
}

/// Sends images row by row.
fn classify<T: Transport>(client: &mut Client<T>, served: Served, images: &[(Vec<u8>, Vec<u8>)]) -> Tally {
    let mut tally = Tally::default();
    for (rows, logits) in images {
        match client.classify(served, rows) {
            Ok(answer) if answer == *logits => tally.right += 1,
            Ok(_) => tally.wrong += 1,
            Err(LinkError::Silent { .. } | LinkError::Restarts { .. }) => tally.given_up += 1,
            Err(error) => panic!("{error}"),
        }
    }
    tally
}

/// Sends images with one fault in `one_in` bytes, by a client whose numbers begin at `first`; what came of them, how often
/// something was asked again, the faults, and the board on its good line.
fn classify_badly(
    emulator: Emulator,
    (one_in, patience, first): (u32, Patience, u32),
    served: Served,
    images: &[(Vec<u8>, Vec<u8>)],
) -> (Tally, u64, FaultCounts, Emulator) {
    let mut client = Client::new(Faulty::new(emulator, one_in, 5), patience, first);
    let tally = classify(&mut client, served, images);
    let (retries, line) = (client.retries(), client.into_transport());
    let faults = line.counts();
    println!(
        "| {one_in} | {} | {} | {retries} | {} | {} | {} |",
        faults.bytes,
        faults.faults(),
        tally.right,
        tally.wrong,
        tally.given_up
    );
    (tally, retries, faults, line.into_inner())
}

#[test]
fn over_a_bad_line_an_emulated_board_gives_right_answers_or_none() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let [simple_rnn, ..] = shipped_models();
    let images = images(&simple_rnn, 100);
    let mut client = Client::new(start(folder.path()), PATIENCE, 0);
    client.hello().expect("the board starts");
    let served = client.describe(0).expect("it holds a model").served(0);

    println!("| one fault in | bytes | faults | asked again | right | wrong | given up |");
    let emulator = client.into_transport();
    let (tally, retries, faults, emulator) =
        classify_badly(emulator, (1000, HURRIED, 1_000_000), served, &images);
    assert_eq!(tally, Tally { right: images.len(), wrong: 0, given_up: 0 });
    assert!(faults.faults() > 100 && retries > 50, "{retries} {faults:?}");

    let (tally, _, faults, emulator) =
        classify_badly(emulator, (20, SHORT, 2_000_000), served, &images[..20]);
    assert_eq!((tally.wrong, tally.right + tally.given_up), (0, 20));
    assert!(tally.given_up > 10 && faults.faults() > 100, "{tally:?} {faults:?}");

    let mut client = Client::new(emulator, PATIENCE, 3_000_000);
    let tally = classify(&mut client, served, &images[..10]);
    assert_eq!(
        (tally, client.retries()),
        (Tally { right: 10, wrong: 0, given_up: 0 }, 0),
        "on the good line"
    );
    assert_eq!(client.hello().expect("the board answers").boot, Boot::POWER_ON, "it has not started again");
    assert!(client.statistics().expect("the board answers").broken_frames > 50);
}
