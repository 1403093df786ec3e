//! `--via link` and `--via sequences`: over a UART, of an emulated board or a real one.

use std::time::Duration;

use refrain::Steps;

use super::error::DeviceError;
use super::firmware::Firmware;
use super::launch::Launch;
use super::qemu::{Emulator, Mode};
use super::work::Work;
use super::{Outcome, Via};
use crate::evaluate::LOGIT_BYTES;
use crate::link::{
    Carried, Client, Hello, LineRate, LinkError, Patience, Serial, Served, Transport, sequence_room,
};
use crate::model_file::ModelFile;

/// QEMU loses nothing, but a busy machine may let it wait for long.
pub(super) const WITH_EMULATOR: Patience =
    Patience { start: Duration::from_secs(60), time_out: Duration::from_secs(5), attempts: 12 };

/// After how many sequences echoes measure what the line carries: often, for that changes with what else the machine
/// does.
const ECHO_AFTER: usize = 10;

/// Echoes at a time.
const ECHOES: usize = 10;

/// What travels in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A row.
    Row,
    /// A whole sequence.
    Sequence,
}

impl Piece {
    /// What travels at once by this way over the link.
    pub(super) fn of(via: Via) -> Self {
        match via {
            Via::Sequences => Self::Sequence,
            Via::Auto | Via::Memory | Via::Link => Self::Row,
        }
    }

    /// The way's name.
    fn via(self) -> &'static str {
        match self {
            Self::Row => "link",
            Self::Sequence => "sequences",
        }
    }
}

/// Boots an emulated board and classifies on it.
pub(super) fn on_emulator(
    launch: &Launch,
    piece: Piece,
    file: &ModelFile,
    work: &Work,
    classified: &mut dyn FnMut(usize),
) -> Result<Outcome, DeviceError> {
    with_emulator(launch, |client| classify(client, piece, file, work, Some(&launch.firmware), classified))
}

/// Boots an emulated board and sees that each of its models answers: one that failed its self-test does not.
pub(super) fn greet(launch: &Launch) -> Result<(), DeviceError> {
    with_emulator(launch, |client| {
        for model in 0..client.hello()?.models {
            let served = client.describe(model)?.served(model);
            client.classify(served, &vec![0; served.row_bytes])?;
        }
        Ok(())
    })
}

/// Boots an emulated board and does `work` over the link to it.
pub(super) fn with_emulator<T>(
    launch: &Launch,
    work: impl FnOnce(&mut Client<Emulator>) -> Result<T, DeviceError>,
) -> Result<T, DeviceError> {
    let emulator = launch.start(Mode::Serve, &launch.folder)?;
    let mut client = Client::new(emulator, WITH_EMULATOR, 0);
    match work(&mut client) {
        // That the link was closed is not the reason but what follows from it.
        Err(DeviceError::Link(LinkError::Transport(closed))) => match client.into_transport().why_gone() {
            Some(reason) => Err(reason.into()),
            None => Err(LinkError::Transport(closed).into()),
        },
        other => other,
    }
}

/// Classifies on the board at a serial port.
pub(super) fn on_port(
    port: &str,
    piece: Piece,
    file: &ModelFile,
    work: &Work,
    classified: &mut dyn FnMut(usize),
) -> Result<Outcome, DeviceError> {
    with_port(port, |client| classify(client, piece, file, work, None, classified))
}

/// Opens a serial port and has `talk` with the board there.
pub(super) fn with_port<A>(
    port: &str,
    talk: impl FnOnce(&mut Client<Serial>) -> Result<A, DeviceError>,
) -> Result<A, DeviceError> {
    let open = Client::open(port);
    talk(&mut open.map_err(|reason| DeviceError::Port { port: port.into(), reason })?)
}

/// Finds the model on the board and classifies all sequences; an error of the link says whether the board started again.
fn classify<T: Transport>(
    client: &mut Client<T>,
    piece: Piece,
    file: &ModelFile,
    work: &Work,
    firmware: Option<&Firmware>,
    classified: &mut dyn FnMut(usize),
) -> Result<Outcome, DeviceError> {
    let found = find_model(client, file)?;
    let boot = found.0.boot.clone();
    classify_with(client, found, piece, work, firmware, classified).map_err(|error| match error {
        DeviceError::Link(reason) => match client.hello() {
            Ok(now) if now.boot != boot => DeviceError::StartedAgain { boot: now.boot, reason },
            _ => reason.into(),
        },
        other => other,
    })
}

/// Classifies all sequences with the model of that number.
fn classify_with<T: Transport>(
    client: &mut Client<T>,
    (hello, model): (Hello, u8),
    piece: Piece,
    work: &Work,
    firmware: Option<&Firmware>,
    classified: &mut dyn FnMut(usize),
) -> Result<Outcome, DeviceError> {
    let (read_out, served) = (work.read_out(), served(model, work));
    if piece == Piece::Sequence {
        check_room(work, read_out.steps, hello.request_bytes)?;
    }
    let (mut logits, mut carried, mut echoed) = (Vec::new(), Carried::default(), Carried::default());
    for sequence in 0..work.count() {
        if sequence.is_multiple_of(ECHO_AFTER) {
            echoed += client.carried(|client| client.echoes(ECHOES))?.1;
        }
        let rows = work.rows(sequence..sequence + 1);
        let (answer, sent) = client.carried(|client| match piece {
            Piece::Row => client.classify(served, rows),
            Piece::Sequence => client.classify_whole(served, rows),
        })?;
        logits.extend(answer);
        carried += sent;
        classified(sequence + 1);
    }
    let (statistics, now) = (client.statistics()?, client.hello()?);
    // A board that lost its power counts its resets anew, but has not answered all of these sequences since.
    let has_forgotten = u64::from(statistics.sequences) < work.count() as u64;
    Ok(Outcome {
        board: hello.board,
        logits,
        statistics,
        retries: client.retries(),
        started_again: Some(now.boot).filter(|boot| has_forgotten || *boot != hello.boot),
        seconds: carried.seconds,
        via: piece.via(),
        line: Some(LineRate::new(carried, echoed)),
        firmware: firmware.cloned(),
    })
}

/// The model of that number, and what travels for `work`.
pub(super) fn served(model: u8, work: &Work) -> Served {
    let read_out = work.read_out();
    Served {
        model,
        row_bytes: work.row_bytes(),
        logits_bytes: read_out.outputs * LOGIT_BYTES,
        steps: read_out.steps,
    }
}

/// Whether the board takes whole sequences of this model, each in a request of at most so many bytes.
fn check_room(work: &Work, steps: Steps, request_bytes: u16) -> Result<(), DeviceError> {
    if steps == Steps::Every {
        return Err(DeviceError::SequencesOfEveryStep);
    }
    let room = sequence_room(request_bytes);
    let bytes = |sequence: usize| work.rows(sequence..sequence + 1).len();
    match (0..work.count()).find(|&sequence| bytes(sequence) > room) {
        None => Ok(()),
        Some(sequence) => Err(DeviceError::SequenceTooLong { sequence, bytes: bytes(sequence), room }),
    }
}

/// The board, and the number of the model there that is the same file as `file`.
pub(super) fn find_model<T: Transport>(
    client: &mut Client<T>,
    file: &ModelFile,
) -> Result<(Hello, u8), DeviceError> {
    let hello = client.hello()?;
    let crc = file.model().crc();
    let mut held = Vec::new();
    for number in 0..hello.models {
        let description = client.describe(number)?;
        if description.crc == crc {
            return Ok((hello, number));
        }
        held.push(format!("{} ({}, CRC-32 {:08x})", description.name, description.cell, description.crc));
    }
    let held = if held.is_empty() { "none".into() } else { held.join(", ") };
    Err(DeviceError::WrongModel { model: file.name().into(), board: hello.board, crc, held })
}

#[cfg(test)]
mod tests {
    use refrain::link::Cause;
    use refrain::{Numbers, Task};

    use super::*;
    use crate::evaluate::ReadOut;
    use crate::link::fake_board::{Faults, FaultyLink, ROW_BYTES, fake_logits, fake_logits_of_every_step};
    use crate::test_models;

    /// Sequences of these lengths for the fake board's model.
    fn work(lengths: &[usize], steps: Steps) -> Work {
        let rows =
            (0..ROW_BYTES * lengths.iter().sum::<usize>()).map(|index| (index * index) as u8).collect();
        let read_out = ReadOut { outputs: 2, numbers: Numbers::Int8, task: Task::Classification, steps };
        Work::of_rows(rows, lengths, ROW_BYTES, read_out)
    }

    fn client(crc: u32) -> Client<FaultyLink> {
        let mut link = FaultyLink::new(Faults::NONE, 0);
        link.board.crc = crc;
        Client::new(link, Patience::WITH_PORT, 0)
    }

    fn file() -> ModelFile {
        let bytes = test_models::simple_rnn(ROW_BYTES as u16, 2, 2);
        ModelFile::from_bytes("hand-made.rfn", &bytes).unwrap()
    }

    #[test]
    fn every_sequence_is_answered_in_order() {
        let file = file();
        for (steps, expected) in
            [(Steps::Last, fake_logits as fn(&[u8]) -> Vec<u8>), (Steps::Every, fake_logits_of_every_step)]
        {
            let (work, mut progress) = (work(&[3, 1, 7, 2], steps), Vec::new());
            let mut client = client(file.model().crc());
            client.transport_mut().board.steps = steps;
            let outcome =
                classify(&mut client, Piece::Row, &file, &work, None, &mut |done| progress.push(done))
                    .unwrap();
            let expected: Vec<u8> =
                (0..4).flat_map(|sequence| expected(work.rows(sequence..sequence + 1))).collect();
            assert_eq!(outcome.logits, expected);
            assert_eq!(outcome.started_again, None);
            assert_eq!((outcome.board.as_str(), outcome.retries, outcome.via), ("fake", 0, "link"));
            assert_eq!(progress, [1, 2, 3, 4]);
        }
    }

    #[test]
    fn a_board_that_starts_again_is_told_of_and_every_answer_is_right() {
        let (file, work) = (file(), work(&[9; 40], Steps::Last));
        let expected: Vec<u8> =
            (0..40).flat_map(|sequence| fake_logits(work.rows(sequence..sequence + 1))).collect();
        for piece in [Piece::Row, Piece::Sequence] {
            let mut link = FaultyLink::new(Faults { restarts: 50, ..Faults::NONE }, 1);
            link.board.crc = file.model().crc();
            let mut client = Client::new(link, Patience::WITH_PORT, 0);
            let outcome = classify(&mut client, piece, &file, &work, None, &mut |_| {}).unwrap();
            assert_eq!(outcome.logits, expected);
            let boot = outcome.started_again.unwrap();
            assert!(boot.resets > 0 && boot.cause == Cause::Watchdog { pc: 0x1234 }, "{boot}");
        }
    }

    #[test]
    fn a_board_that_starts_again_without_end_is_given_up_with_the_cause() {
        let (file, work) = (file(), work(&[9], Steps::Last));
        let mut link = FaultyLink::new(Faults { restarts: 1, ..Faults::NONE }, 1);
        link.board.crc = file.model().crc();
        let mut client = Client::new(link, Patience::WITH_PORT, 0);
        let error = classify(&mut client, Piece::Row, &file, &work, None, &mut |_| {}).err().unwrap();
        let message = error.to_string();
        let start = "the board started again in the middle of the run, after the watchdog, for the program hung at 0x00001234; ";
        assert!(message.starts_with(start), "{message}");
        assert!(message.ends_with("; then a sequence was begun 10 times and rows were lost each time; the link is too bad to be used"), "{message}");
    }

    #[test]
    fn a_board_that_holds_another_model_is_refused() {
        let file = file();
        let error = find_model(&mut client(0xabc), &file).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "hand-made.rfn: the board fake does not hold this model (CRC-32 {:08x}), it holds: fake (gru, CRC-32 \
                 00000abc); put it in the place of one of its kind by refrain update, or flash firmware that was built with it",
                file.model().crc()
            )
        );
    }

    #[test]
    fn a_port_that_is_not_there_is_named() {
        let work = work(&[1], Steps::Last);
        let error =
            on_port("/no/such/port", Piece::Row, &file(), &work, &mut |_| {}).err().unwrap().to_string();
        assert!(error.starts_with("/no/such/port: cannot open this serial port: "), "{error}");
    }
}
