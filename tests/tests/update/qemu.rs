//! On an emulated Cortex-M4F, whose flash is RAM that outlives a reset.

use std::time::{Duration, Instant};

use refrain::link::{Source, UpdateRefusal};
use refrain::{CellKind, ModelError, Numbers, SelfTestError, Shape, crc32};
use refrain_tests::{failing_self_test, random_model};
use refrain_trainer::device::qemu::{Emulator, Mode};
use refrain_trainer::device::{self, Board, Revision, Target, Update, UpdateReport, firmware, update_over};
use refrain_trainer::link::{Client, Patience, Transport, TransportError};
use refrain_trainer::model_file::ModelFile;
use refrain_trainer::setup;

use super::refusal;

const BOARD: Board = Board::Mps2An386;

/// Twelve kilobytes, several erase units.
const SHAPE: Shape = Shape { inputs: 28, units: 64, outputs: 10, layers: 1 };

const PATIENCE: Patience =
    Patience { start: Duration::from_secs(60), time_out: Duration::from_secs(5), attempts: 12 };

/// A model that is as the one in the program; each seed gives another one.
fn model(seed: u64) -> ModelFile {
    random_model(CellKind::SimpleRnn, SHAPE, Numbers::Int8, seed)
}

/// A line that is cut when so many bytes have been sent.
struct Cut<T> {
    line: T,
    bytes: usize,
}

impl<T: Transport> Transport for Cut<T> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        self.bytes = self.bytes.checked_sub(bytes.len()).ok_or(TransportError::Gone)?;
        self.line.send(bytes)
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<(), TransportError> {
        self.line.receive(into, deadline)
    }
}

/// Updates, starts the board again, and sees that it gives the host's logits of the new model.
fn update<T: Transport>(client: &mut Client<T>, file: &ModelFile, revision: u32) -> UpdateReport {
    let wanted = Update { file, revision: Revision::Number(revision), replaces: Some("0"), built_in: None };
    let report = update_over(client, &wanted, &mut |_| {}).expect("the board takes it");
    assert!(report.host_matches);
    assert_eq!((report.model, report.now.revision), (0, revision));
    assert_eq!(report.now.crc32, format!("{:08x}", file.model().crc()));
    report
}

#[test]
fn a_board_takes_a_newer_model_of_the_same_kind_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let other =
        random_model(CellKind::Gru, Shape { inputs: 3, units: 4, outputs: 2, layers: 1 }, Numbers::Int8, 9);
    let qemu = setup::qemu(BOARD.name(), BOARD.minimum_qemu()).expect("QEMU can be had");
    let firmware =
        firmware::build(BOARD, &[&model(1), &other], &[], folder.path()).expect("the firmware can be built");
    let emulator = Emulator::start(&qemu, BOARD, &firmware, Mode::Serve, folder.path()).expect("QEMU starts");
    let mut client = Client::new(emulator, PATIENCE, 0);
    client.hello().unwrap();
    assert_eq!(client.describe(0).unwrap().source, Source::BuiltIn);

    let report = update(&mut client, &model(2), 2);
    assert_eq!((report.before.source, report.now.source), (Source::BuiltIn, Source::SlotA));
    assert_eq!((report.retries, report.interruptions), (0, 0));

    refuses_what_it_should(&mut client);
    client.restart().unwrap();
    let used = client.describe(0).unwrap();
    assert_eq!((used.source, used.revision, used.crc), (Source::SlotA, 2, model(2).model().crc()));
    assert_eq!(client.describe(1).unwrap().crc, other.model().crc(), "the other model is untouched");

    let resumed = interrupted(client);
    let (mut client, report) = resumed;
    assert_eq!(report.now.source, Source::SlotB);
    assert_eq!(update(&mut client, &model(4), 10).now.source, Source::SlotA);
    let again = update(&mut client, &model(4), 10);
    assert!(again.already_there);
}

/// Each board has its own memory for that, but for one: QEMU has no controller for its flash.
#[test]
fn every_board_with_memory_for_it_uses_the_new_model_after_a_restart() {
    let shape = Shape { inputs: 5, units: 12, outputs: 3, layers: 1 };
    let [old, new] = [1, 2].map(|seed| random_model(CellKind::Lstm, shape, Numbers::Int8, seed));
    for board in Board::ALL {
        let wanted = Update { file: &new, revision: Revision::Next, replaces: None, built_in: Some(&old) };
        let outcome = device::update(&Target::Emulated(board), &wanted, &mut |_| {});
        if board == Board::BL475eIot01a {
            let refusal = outcome.expect_err("it has no room for another model").to_string();
            assert!(refusal.contains("no flash for models"), "{refusal}");
            continue;
        }
        let report = outcome.expect("it takes it");
        assert_eq!(report.before.crc32, format!("{:08x}", old.model().crc()), "{board}");
        assert_eq!(report.now.crc32, format!("{:08x}", new.model().crc()), "{board}");
        assert_eq!((report.now.source, report.now.revision), (Source::SlotA, 1), "{board}");
        assert!(report.host_matches, "{board}");
    }
}

/// What is no newer model of the same kind, whole.
fn refuses_what_it_should(client: &mut Client<Emulator>) {
    let mut upload = |revision, file: &[u8]| refusal(client.upload(0, revision, file, &mut |_| {}));
    for found in [1, 2] {
        assert_eq!(upload(found, model(3).as_bytes()), UpdateRefusal::NotNewer { found, newest: 2 });
    }
    let found = Shape { units: 63, ..SHAPE };
    let shape = upload(3, random_model(CellKind::SimpleRnn, found, Numbers::Int8, 3).as_bytes());
    assert_eq!(shape, UpdateRefusal::Model(ModelError::Shape { found, expected: SHAPE }));
    assert_eq!(
        shape.to_string(),
        "the model has 28 inputs, 63 units, 10 outputs; expected 28 inputs, 64 units, 10 outputs"
    );
    let failed = upload(3, &failing_self_test(model(3).as_bytes()));
    assert_eq!(failed, UpdateRefusal::SelfTest(SelfTestError::Mismatch { sequence: 0 }));

    let mut damaged = model(3).as_bytes().to_vec();
    damaged[5000] ^= 4;
    let (found, expected) = (crc32(&damaged[..damaged.len() - 4]), model(3).model().crc());
    assert_eq!(upload(3, &damaged), UpdateRefusal::Crc { found, expected });
}

/// An upload whose line is cut in its middle goes on where it was, though the board has started again since.
fn interrupted(client: Client<Emulator>) -> (Client<Emulator>, UpdateReport) {
    let new = model(3);
    let line = Cut { line: client.into_transport(), bytes: new.as_bytes().len() * 2 / 3 };
    let mut client = Client::new(line, PATIENCE, 10_000);
    client.upload(0, 3, new.as_bytes(), &mut |_| {}).expect_err("the line is cut");
    let mut client = Client::new(client.into_transport().line, PATIENCE, 20_000);
    client.restart().unwrap();
    assert_eq!(client.describe(0).unwrap().revision, 2, "the old model is used");
    let report = update(&mut client, &new, 3);
    assert!(report.resumed_bytes >= 4096, "{} bytes were there", report.resumed_bytes);
    (client, report)
}
