//! `--via link`: row by row over a UART, of an emulated board or a real one.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use super::client::{Client, LinkError, Patience, Served};
use super::error::DeviceError;
use super::launch::Launch;
use super::qemu::Mode;
use super::transport::{Serial, Transport};
use super::work::Work;
use super::{Outcome, firmware::Firmware};
use crate::evaluate::LOGIT_BYTES;
use crate::model_file::ModelFile;

/// QEMU loses nothing, but a busy machine may let it wait for long.
const WITH_EMULATOR: Patience =
    Patience { start: Duration::from_secs(60), time_out: Duration::from_secs(5), attempts: 12 };

/// A real link may lose bytes, and the largest row takes a fifth of a second.
const WITH_PORT: Patience =
    Patience { start: Duration::from_secs(10), time_out: Duration::from_millis(500), attempts: 10 };

/// Boots an emulated board and classifies on it.
pub(super) fn on_emulator(
    launch: &Launch,
    file: &ModelFile,
    work: &Work,
    classified: &mut dyn FnMut(usize),
) -> Result<Outcome, DeviceError> {
    let emulator = launch.start(Mode::Serve, &launch.folder)?;
    let mut client = Client::new(emulator, WITH_EMULATOR, 0);
    let outcome = classify(&mut client, file, work, Some(&launch.firmware), classified);
    match outcome {
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
    file: &ModelFile,
    work: &Work,
    classified: &mut dyn FnMut(usize),
) -> Result<Outcome, DeviceError> {
    let serial = Serial::open(port).map_err(|reason| DeviceError::Port { port: port.into(), reason })?;
    // The board may still be answering somebody else's requests; a random number tells those answers from ours.
    let first = RandomState::new().hash_one(port) as u32;
    classify(&mut Client::new(serial, WITH_PORT, first), file, work, None, classified)
}

/// Finds the model on the board and classifies all sequences.
fn classify<T: Transport>(
    client: &mut Client<T>,
    file: &ModelFile,
    work: &Work,
    firmware: Option<&Firmware>,
    classified: &mut dyn FnMut(usize),
) -> Result<Outcome, DeviceError> {
    let (board, model) = find_model(client, file)?;
    let (start, mut logits) = (Instant::now(), Vec::new());
    let read_out = work.read_out();
    let served = Served {
        model,
        row_bytes: work.row_bytes(),
        logits_bytes: read_out.outputs * LOGIT_BYTES,
        steps: read_out.steps,
    };
    for sequence in 0..work.count() {
        logits.extend(client.classify(served, work.rows(sequence..sequence + 1))?);
        classified(sequence + 1);
    }
    let seconds = start.elapsed().as_secs_f64();
    Ok(Outcome {
        board,
        logits,
        statistics: client.statistics()?,
        retries: client.retries(),
        seconds,
        via: "link",
        firmware: firmware.cloned(),
    })
}

/// The board's name, and the number of the model there that is the same file as `file`.
fn find_model<T: Transport>(client: &mut Client<T>, file: &ModelFile) -> Result<(String, u8), DeviceError> {
    let hello = client.hello()?;
    let crc = file.model().crc();
    let mut held = Vec::new();
    for number in 0..hello.models {
        let description = client.describe(number)?;
        if description.crc == crc {
            return Ok((hello.board, number));
        }
        held.push(format!("{} ({}, CRC-32 {:08x})", description.name, description.cell, description.crc));
    }
    let held = if held.is_empty() { "none".into() } else { held.join(", ") };
    Err(DeviceError::WrongModel { model: file.name().into(), board: hello.board, crc, held })
}

#[cfg(test)]
mod tests {
    use refrain::{Numbers, Steps, Task};

    use super::super::fake_board::{Faults, FaultyLink, ROW_BYTES, fake_logits, fake_logits_of_every_step};
    use super::*;
    use crate::evaluate::ReadOut;
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
        Client::new(link, WITH_PORT, 0)
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
            let outcome = classify(&mut client, &file, &work, None, &mut |done| progress.push(done)).unwrap();
            let expected: Vec<u8> =
                (0..4).flat_map(|sequence| expected(work.rows(sequence..sequence + 1))).collect();
            assert_eq!(outcome.logits, expected);
            assert_eq!((outcome.board.as_str(), outcome.retries, outcome.via), ("fake", 0, "link"));
            assert_eq!(progress, [1, 2, 3, 4]);
        }
    }

    #[test]
    fn a_board_that_holds_another_model_is_refused() {
        let file = file();
        let error = find_model(&mut client(0xabc), &file).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "hand-made.rfn: the board fake does not hold this model (CRC-32 {:08x}), it holds: fake (gru, CRC-32 \
                 00000abc); flash firmware that was built with it",
                file.model().crc()
            )
        );
    }

    #[test]
    fn a_port_that_is_not_there_is_named() {
        let work = work(&[1], Steps::Last);
        let error = on_port("/no/such/port", &file(), &work, &mut |_| {}).err().unwrap().to_string();
        assert!(error.starts_with("/no/such/port: cannot open this serial port: "), "{error}");
    }
}
