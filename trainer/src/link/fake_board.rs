//! A board in memory for unit tests, and a link to it that damages what it carries.

use std::collections::VecDeque;
use std::time::Instant;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use refrain::link::frame::{self, Receiver};
use refrain::link::{
    Boot, Cause, Numbered, PROTOCOL_VERSION, Profile, Refusal, Reply, Request, Source, Statistics, Streamed,
    UpdateRefusal, Upload,
};
use refrain::{CellKind, Numbers, OutputFormat, Samples, Shape, Steps, Task, crc32};

use super::facts::Served;
use super::transport::{Transport, TransportError};

/// Bytes of a row that the fake board takes.
pub(crate) const ROW_BYTES: usize = 6;

/// The model of the fake board.
pub(crate) const SERVED: Served =
    Served { model: 0, row_bytes: ROW_BYTES, logits_bytes: 8, steps: Steps::Last };

/// What the fake board makes of a sequence: it depends on every byte, and on each row being taken just once.
pub(crate) fn fake_logits(rows: &[u8]) -> Vec<u8> {
    rows.chunks(ROW_BYTES).fold(0, fake_step).to_le_bytes().repeat(2)
}

/// What it makes of a sequence each of whose rows it answers.
pub(crate) fn fake_logits_of_every_step(rows: &[u8]) -> Vec<u8> {
    (1..=rows.len() / ROW_BYTES).flat_map(|end| fake_logits(&rows[..end * ROW_BYTES])).collect()
}

/// What it measures of a sequence: 3 instructions for each byte and 50 for each row of input, 700 for each row of its layer,
/// and 90 for the logits; 5 go to none of them.
pub(crate) fn fake_profile(rows: &[u8]) -> Profile {
    let timesteps = (rows.len() / ROW_BYTES) as u64;
    let [input, layer, logits] = [3 * rows.len() as u64 + 50 * timesteps, 700 * timesteps, 90];
    Profile {
        timesteps: timesteps as u16,
        ticks_per_1000_instructions: 2000,
        whole: 2 * (input + layer + logits + 5),
        input: 2 * input,
        layers: [2 * layer, 0, 0],
        logits: 2 * logits,
    }
}

fn fake_step(state: u32, row: &[u8]) -> u32 {
    crc32(&[&state.to_le_bytes(), row].concat())
}

/// The CRC-32 at the end of a model file.
fn stored_crc(file: &[u8]) -> u32 {
    file.last_chunk().map_or(0, |&crc| u32::from_le_bytes(crc))
}

/// The sequence that a board is in the middle of, or at the end of.
#[derive(Clone, Copy)]
struct Current {
    sequence: u32,
    /// The row that comes next.
    next: u16,
    state: u32,
}

/// Answers as firmware does, with one model, whose "logits" are [`fake_logits`].
pub(crate) struct FakeBoard {
    pub(crate) protocol: u8,
    /// CRC-32 of its model.
    pub(crate) crc: u32,
    /// Which rows it answers.
    pub(crate) steps: Steps,
    receiver: Receiver<192>,
    current: Option<Current>,
    /// The longest silence that it can watch, in microseconds.
    pub(crate) longest_silence: u32,
    /// Number of the stream, and the row that comes next.
    stream: Option<(u32, u32)>,
    pub(crate) statistics: Statistics,
    /// What is being uploaded, and its bytes so far.
    upload: Option<(Upload, Vec<u8>)>,
    /// The model that was committed, and its revision.
    pub(crate) uploaded: Option<(u32, Vec<u8>)>,
    /// Whether that was before the last start.
    is_used: bool,
    boot: Boot<&'static str>,
}

/// Of an interrupted upload the fake board keeps a multiple of so many bytes.
pub(crate) const KEPT_BYTES: usize = 64;

impl FakeBoard {
    pub(super) fn new() -> Self {
        let (receiver, statistics) = (Receiver::new(), Statistics::default());
        let (protocol, steps) = (PROTOCOL_VERSION, Steps::Last);
        let (boot, upload, uploaded, is_used) = (Boot::POWER_ON, None, None, false);
        let (current, stream) = (None, None);
        Self {
            protocol,
            crc: 7,
            steps,
            receiver,
            current,
            longest_silence: u32::MAX,
            stream,
            statistics,
            boot,
            upload,
            uploaded,
            is_used,
        }
    }

    /// Takes what came and returns what goes back.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut answers = Vec::new();
        for &byte in bytes {
            match self.receiver.push(byte).map(|body| body.map(<[u8]>::to_vec)) {
                Some(Ok(body)) => answers.extend(self.answer(&body)),
                Some(Err(_)) => self.statistics.broken_frames += 1,
                None => {}
            }
        }
        answers
    }

    fn answer(&mut self, body: &[u8]) -> Vec<u8> {
        let Numbered { request, body } = frame::decode(body).expect("its CRC was right");
        let logits;
        let reply = match body {
            Request::Hello => {
                let (protocol, request_bytes) = (self.protocol, 100);
                let boot = self.boot;
                Reply::Hello { protocol, firmware: "0.0.0", board: "fake", models: 1, request_bytes, boot }
            }
            Request::Describe { model: 0 } => Reply::Model {
                name: "fake",
                cell: CellKind::Gru,
                numbers: Numbers::Int8,
                shape: Shape { inputs: ROW_BYTES as u16, units: 1, outputs: 2, layers: 1 },
                samples: Samples::U8,
                output: OutputFormat { task: Task::Classification, steps: self.steps },
                crc: self.used().map_or(self.crc, |(_, file)| stored_crc(file)),
                source: self.used().map_or(Source::BuiltIn, |_| Source::SlotA),
                revision: self.used().map_or(0, |&(revision, _)| revision),
            },
            Request::Describe { .. } => Reply::Refused(Refusal::NoSuchModel { models: 1 }),
            Request::Statistics => Reply::Statistics(self.statistics),
            Request::Echo { bytes } => Reply::Echo { bytes },
            Request::Provoke(_) => Reply::Refused(Refusal::NotBuiltIn),
            Request::Reset => {
                self.current = None;
                Reply::Accepted
            }
            Request::BeginStream { pace, .. } if pace.silence > self.longest_silence => {
                Reply::Refused(Refusal::Silence { longest: self.longest_silence })
            }
            Request::BeginStream { stream, .. } => {
                self.stream = Some((stream, 0));
                Reply::Accepted
            }
            Request::EndStream { .. } => {
                self.stream = None;
                Reply::Accepted
            }
            Request::StreamRow { stream, index, values } => match self.stream {
                Some((running, next)) if running == stream && index >= next => {
                    self.stream = Some((stream, index + 1));
                    self.statistics.streamed_rows += 1;
                    logits = fake_logits(values);
                    Reply::Streamed(Streamed {
                        index,
                        missing: index - next,
                        rows: 1,
                        micros: 250,
                        is_late: index.is_multiple_of(4),
                        confidence: Some(0.5),
                        logits: &logits,
                    })
                }
                Some((running, next)) if running == stream => {
                    Reply::Refused(Refusal::StreamOrder { expected: next })
                }
                _ => Reply::Refused(Refusal::NoSuchStream),
            },
            Request::Logits { sequence, .. } => match self.current {
                Some(current) if current.sequence == sequence => {
                    logits = current.state.to_le_bytes().repeat(2);
                    Reply::Logits { sequence, logits: &logits }
                }
                _ => Reply::Refused(Refusal::RowOrder { expected: 0 }),
            },
            Request::Sequence { sequence, values, .. } => {
                self.statistics.sequences += 1;
                logits = fake_logits(values);
                Reply::Logits { sequence, logits: &logits }
            }
            Request::Profile { values, .. } => {
                self.current = None;
                Reply::Profile(fake_profile(values))
            }
            Request::Row { sequence, index, count, values, .. } => match self.step(sequence, index, values) {
                Err(refusal) => Reply::Refused(refusal),
                Ok(state) if index + 1 == count || self.steps == Steps::Every => {
                    self.statistics.sequences += u32::from(index + 1 == count);
                    logits = state.to_le_bytes().repeat(2);
                    Reply::Logits { sequence, logits: &logits }
                }
                Ok(_) => Reply::Accepted,
            },
            Request::Begin(_) | Request::Chunk { .. } | Request::Commit { .. } => {
                self.update(body).unwrap_or_else(|refusal| Reply::Refused(Refusal::Update(refusal)))
            }
            Request::Restart => {
                self.restart();
                Reply::Accepted
            }
        };
        let (mut scratch, mut out) = ([0; 192], [0; 256]);
        frame::encode(&Numbered { request, body: reply }, &mut scratch, &mut out).unwrap().to_vec()
    }

    /// Steps, or repeats the answer to the row that it heard last.
    fn step(&mut self, sequence: u32, index: u16, row: &[u8]) -> Result<u32, Refusal> {
        if row.len() != ROW_BYTES {
            return Err(Refusal::RowLength { found: row.len() as u16, expected: ROW_BYTES as u16 });
        }
        let fresh = Current { sequence, next: 0, state: 0 };
        let current = self.current.filter(|current| current.sequence == sequence).unwrap_or(fresh);
        if index + 1 == current.next {
            return Ok(current.state);
        }
        if index != current.next {
            return Err(Refusal::RowOrder { expected: current.next });
        }
        let state = fake_step(current.state, row);
        self.current = Some(Current { sequence, next: index + 1, state });
        Ok(state)
    }

    /// The model that took the place of its own.
    fn used(&self) -> Option<&(u32, Vec<u8>)> {
        self.uploaded.as_ref().filter(|_| self.is_used)
    }

    /// What it says in the course of an upload.
    fn update(&mut self, request: Request<'_>) -> Result<Reply<'static>, UpdateRefusal> {
        let taken = |bytes: &Vec<u8>| Ok(Reply::Uploaded { bytes: bytes.len() as u32 });
        if let Request::Begin(upload) = request {
            return match &self.upload {
                Some((begun, bytes)) if *begun == upload => taken(bytes),
                _ if upload.revision <= self.uploaded.as_ref().map_or(0, |&(revision, _)| revision) => {
                    let newest = self.uploaded.as_ref().map_or(0, |&(revision, _)| revision);
                    Err(UpdateRefusal::NotNewer { found: upload.revision, newest })
                }
                _ => taken(&self.upload.insert((upload, Vec::new())).1),
            };
        }
        let (upload, bytes) = self.upload.as_mut().ok_or(UpdateRefusal::NotBegun)?;
        match request {
            Request::Chunk { upload: crc, offset, bytes: chunk } if crc == upload.crc => {
                let known = bytes.len().checked_sub(offset as usize);
                let known = known.ok_or(UpdateRefusal::Offset { expected: bytes.len() as u32 })?;
                bytes.extend(chunk.get(known..).unwrap_or_default());
                taken(bytes)
            }
            Request::Commit { upload: crc } if crc == upload.crc => {
                let body = &bytes[..bytes.len().saturating_sub(4)];
                let (found, expected) = (crc32(body), upload.crc);
                if found != expected {
                    self.upload = None;
                    return Err(UpdateRefusal::Crc { found, expected });
                }
                self.uploaded = Some((upload.revision, bytes.clone()));
                self.is_used = false;
                Ok(Reply::Accepted)
            }
            _ => Err(UpdateRefusal::NotBegun),
        }
    }

    /// As its watchdog does.
    pub(super) fn restart(&mut self) {
        (self.current, self.stream) = (None, None);
        self.receiver = Receiver::new();
        self.statistics = Statistics::default();
        self.boot = Boot { resets: self.boot.resets + 1, cause: Cause::Watchdog { pc: 0x1234 } };
        self.is_used = self.uploaded.is_some();
        self.upload = self.upload.take().filter(|_| !self.is_used).map(|(upload, mut bytes)| {
            bytes.truncate(bytes.len() / KEPT_BYTES * KEPT_BYTES);
            (upload, bytes)
        });
    }
}

/// What a link does to the bytes on it, one fault in so many bytes; 0 is never.
#[derive(Clone, Copy)]
pub(crate) struct Faults {
    pub(crate) lost: u32,
    pub(crate) doubled: u32,
    pub(crate) flipped: u32,
    /// One request in so many makes the board restart.
    pub(crate) restarts: u32,
}

impl Faults {
    pub(crate) const NONE: Self = Self { lost: 0, doubled: 0, flipped: 0, restarts: 0 };
}

/// A link to a fake board.
pub(crate) struct FaultyLink {
    pub(crate) board: FakeBoard,
    faults: Faults,
    rng: ChaCha8Rng,
    coming: VecDeque<Vec<u8>>,
    /// Requests that were sent.
    pub(crate) sent: usize,
    /// The number of the one before which the board restarts, from 0.
    pub(crate) restart_before: Option<usize>,
}

impl FaultyLink {
    pub(crate) fn new(faults: Faults, seed: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        let (board, coming) = (FakeBoard::new(), VecDeque::new());
        Self { board, faults, rng, coming, sent: 0, restart_before: None }
    }

    /// All answers that are on their way.
    pub(crate) fn take_all(&mut self) -> Vec<u8> {
        self.coming.drain(..).flatten().collect()
    }

    fn happens(&mut self, one_in: u32) -> bool {
        one_in > 0 && self.rng.random_range(0..one_in) == 0
    }

    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut carried = Vec::new();
        for &byte in bytes {
            if self.happens(self.faults.lost) {
                continue;
            }
            let flip = self.happens(self.faults.flipped);
            let byte = if flip { byte ^ (1 << (self.rng.next_u32() % 8)) } else { byte };
            carried.push(byte);
            if self.happens(self.faults.doubled) {
                carried.push(byte);
            }
        }
        carried
    }
}

impl Transport for FaultyLink {
    fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        if self.happens(self.faults.restarts) || self.restart_before == Some(self.sent) {
            self.board.restart();
        }
        self.sent += 1;
        let heard = self.damage(bytes);
        let answers = self.board.hear(&heard);
        let carried = self.damage(&answers);
        // Bytes arrive in pieces, as they do from a pipe or a port.
        self.coming.extend(carried.chunks(5).map(<[u8]>::to_vec));
        Ok(())
    }

    fn receive(&mut self, into: &mut Vec<u8>, _: Instant) -> Result<(), TransportError> {
        into.extend(self.coming.pop_front().unwrap_or_default());
        Ok(())
    }
}
