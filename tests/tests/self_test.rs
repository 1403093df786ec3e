//! A model that computes other logits than its file says it does: the board says so, in its log and to the host, and uses its
//! other models.

use std::time::Duration;

use refrain::link::{Boot, Refusal};
use refrain::{CellKind, Numbers, SelfTestError, Shape};
use refrain_tests::{failing_self_test, random_model, random_samples};
use refrain_trainer::device::log::LogLine;
use refrain_trainer::device::qemu::{Emulator, Mode};
use refrain_trainer::device::{self, Board, DeviceError, firmware};
use refrain_trainer::link::{Client, LinkError, Patience, StreamOptions};
use refrain_trainer::model_file::ModelFile;
use refrain_trainer::setup::qemu;

const BOARD: Board = Board::Mps2An386;

/// An emulated board may take long to start where the machine is busy.
const PATIENCE: Patience =
    Patience { start: Duration::from_secs(120), time_out: Duration::from_secs(10), attempts: 6 };

const SHAPE: Shape = Shape { inputs: 5, units: 7, outputs: 3, layers: 1 };

/// What its first sequence gives is not what the file says.
const UNFIT: Refusal = Refusal::Unfit(SelfTestError::Mismatch { sequence: 0 });

fn sound(cell: CellKind, seed: u64) -> ModelFile {
    random_model(cell, SHAPE, Numbers::Int8, seed)
}

fn unfit(cell: CellKind) -> ModelFile {
    let forged = failing_self_test(sound(cell, 1).as_bytes());
    ModelFile::from_bytes("an unfit model", &forged).expect("it is whole all the same")
}

fn assert_unfit<A: std::fmt::Debug>(answer: Result<A, LinkError>) {
    let is_unfit = matches!(answer, Err(LinkError::Refused { refusal, .. }) if refusal == UNFIT);
    assert!(is_unfit, "{answer:?}");
}

/// The host's logits of a sequence.
fn expected(file: &ModelFile, rows: &[u8]) -> Vec<u8> {
    let mut logits = vec![0; 4 * usize::from(SHAPE.outputs)];
    file.model().classify(rows, &mut logits).expect("whole rows");
    logits
}

#[test]
fn an_unfit_model_is_named_and_refused_until_another_takes_its_place() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (gru, lstm) = (sound(CellKind::Gru, 1), unfit(CellKind::Lstm));
    let qemu = qemu(BOARD.name(), BOARD.minimum_qemu()).expect("QEMU is there or can be installed");
    let firmware =
        firmware::build(BOARD, &[&gru, &lstm], &[], folder.path()).expect("the firmware can be built");
    let emulator = Emulator::start(&qemu, BOARD, &firmware, Mode::Serve, folder.path()).expect("QEMU starts");
    let log = emulator.log().expect("the program says what its log means");
    let mut client = Client::new(emulator, PATIENCE, 0);
    assert_eq!(client.hello().expect("the board starts").boot, Boot::POWER_ON);
    let lines: Vec<LogLine> = log.last_lines().collect();
    let logged = |level, message: &str| {
        let line = LogLine { level: Some(level), message: message.into() };
        assert!(lines.contains(&line), "no {line} in {lines:?}");
    };
    logged("info", "random gru: passed");
    logged("error", "random lstm: Mismatch { sequence: 0 }");

    let samples = random_samples(1, 6, SHAPE.inputs.into(), 3);
    let rows = samples.as_slice().expect("it was just made");
    let [fit, unfit] = [0, 1].map(|model| client.describe(model).expect("it is described").served(model));
    assert_unfit(client.classify(unfit, rows));
    assert_unfit(client.classify_whole(unfit, rows));
    assert_unfit(client.profile(unfit, rows));
    assert_unfit(client.stream(unfit, StreamOptions::every(Duration::from_millis(50))).map(|_| ()));
    assert_eq!(client.classify(fit, rows).expect("the other model answers"), expected(&gru, rows));
    assert_eq!(client.statistics().expect("the board answers").sequences, 1);

    let other = sound(CellKind::Lstm, 2);
    client.upload(1, 1, other.as_bytes(), &mut |_| {}).expect("its place can be taken");
    client.restart().expect("the board starts again");
    assert_eq!(client.classify(unfit, rows).expect("this one is fit"), expected(&other, rows));
}

#[test]
fn a_self_test_of_unfit_models_fails() {
    let error = device::self_test(BOARD, &[&sound(CellKind::Gru, 1), &unfit(CellKind::Lstm)])
        .expect_err("one of them is unfit")
        .to_string();
    let words = ["error random lstm: Mismatch { sequence: 0 }", "error 1 models failed their self-test"];
    assert!(words.iter().all(|words| error.contains(words)), "{error}");
}

#[test]
fn a_board_that_one_can_buy_refuses_an_unfit_model_too() {
    let error = device::self_test(Board::BL475eIot01a, &[&unfit(CellKind::SimpleRnn)]);
    match error {
        Err(DeviceError::Link(error)) => {
            assert_eq!(
                error.to_string(),
                "the board refuses Row: the model is not used, for it failed when the board started: self-test \
                 sequence 0 gives other logits than the model file expects; flash the board again"
            );
            assert_unfit::<()>(Err(error));
        }
        other => panic!("{other:?}"),
    }
}
