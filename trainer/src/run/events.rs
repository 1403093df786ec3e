//! Scalars for TensorBoard: a file of records, each an `Event` of TensorFlow's protocol buffers.
//!
//! ```text
//! record    8 bytes  length n of the data, little-endian
//!           4 bytes  masked CRC-32C of those 8 bytes, little-endian
//!           n bytes  data: an Event
//!           4 bytes  masked CRC-32C of the data, little-endian
//! masked    rotate right by 15 bits, then add 0xa282ead8
//! Event     1 wall_time: double   2 step: int64   3 file_version: string   5 summary: Summary   7 session_log: SessionLog
//! Summary   1 value, repeated: { 1 tag: string   2 simple_value: float }
//! SessionLog   1 status: START = 1
//! ```
//! Framing: <https://www.tensorflow.org/tutorials/load_data/tfrecord>. Messages: `event.proto` and `summary.proto` of
//! <https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto>.
//!
//! Records are appended as they come, for TensorBoard follows a file by its length. A file that was cut in the middle
//! of a record, by a full disk say, is read up to there.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crc::{CRC_32_ISCSI, Crc};

/// CRC-32C.
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
/// What TensorBoard finds event files by.
pub(super) const PREFIX: &str = "events.out.tfevents.";
const VERSION: &str = "brain.Event:2";

const WALL_TIME: u32 = 1;
const STEP: u32 = 2;
const FILE_VERSION: u32 = 3;
const SUMMARY: u32 = 5;
const SESSION_LOG: u32 = 7;
const STATUS: u32 = 1;
const START: u64 = 1;
const VALUE: u32 = 1;
const TAG: u32 = 1;
const SIMPLE_VALUE: u32 = 2;

/// An event file that grows.
#[derive(Debug)]
pub(super) struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// Begins a file in `folder` for steps from `first_step` on. TensorBoard forgets what earlier files there say of
    /// those steps.
    ///
    /// Files are read in the order of their names: the names begin with the time and, so that two of one second stay
    /// in order and apart, end with a number.
    pub(super) fn create(folder: &Path, first_step: u64) -> io::Result<Self> {
        let since_1970 = now();
        for number in 0.. {
            let path = folder.join(format!("{PREFIX}{:010}.refrain.{number:04}", since_1970.as_secs()));
            match File::create_new(&path) {
                Ok(file) => {
                    let mut events = Self { path, file };
                    let mut version = Message::event(since_1970, 0);
                    version.bytes(FILE_VERSION, VERSION.as_bytes());
                    events.append(&version)?;
                    let mut start = Message::event(since_1970, first_step);
                    let mut log = Message::default();
                    log.varint(STATUS, START);
                    start.message(SESSION_LOG, &log);
                    events.append(&start)?;
                    return Ok(events);
                }
                Err(reason) if reason.kind() == io::ErrorKind::AlreadyExists => {}
                Err(reason) => return Err(reason),
            }
        }
        unreachable!("there are fewer files than numbers")
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends the scalars of a step.
    pub(super) fn scalars(&mut self, step: u64, scalars: &[(String, f64)]) -> io::Result<()> {
        let mut summary = Message::default();
        for (tag, value) in scalars {
            let mut scalar = Message::default();
            scalar.bytes(TAG, tag.as_bytes());
            scalar.float(SIMPLE_VALUE, *value as f32);
            summary.message(VALUE, &scalar);
        }
        let mut event = Message::event(now(), step);
        event.message(SUMMARY, &summary);
        self.append(&event)
    }

    fn append(&mut self, event: &Message) -> io::Result<()> {
        self.file.write_all(&record(&event.0))
    }
}

fn now() -> Duration {
    // A clock before 1970 is wrong, and no reason to stop training.
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// `data` framed.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked_crc(&length).to_le_bytes());
    record.extend(data);
    record.extend(masked_crc(data).to_le_bytes());
    record
}

/// The checksum of a checksum's neighbour must not be what it would be of the bytes alone, so it is masked.
fn masked_crc(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// A protocol-buffer message: <https://protobuf.dev/programming-guides/encoding/>.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    /// An event's time and step.
    fn event(since_1970: Duration, step: u64) -> Self {
        let mut event = Self::default();
        event.key(WALL_TIME, 1);
        event.0.extend(since_1970.as_secs_f64().to_le_bytes());
        event.varint(STEP, step);
        event
    }

    fn key(&mut self, field: u32, wire_type: u32) {
        self.raw_varint(u64::from(field << 3 | wire_type));
    }

    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn varint(&mut self, field: u32, value: u64) {
        self.key(field, 0);
        self.raw_varint(value);
    }

    fn float(&mut self, field: u32, value: f32) {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.key(field, 2);
        self.raw_varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn message(&mut self, field: u32, message: &Self) {
        self.bytes(field, &message.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// CRC-32C bit by bit, from its polynomial: nothing of what writes the files.
    fn crc_32c(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(
                crc ^ u32::from(*byte),
                |crc, _| {
                    if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 }
                },
            )
        })
    }

    fn assert_checksum(bytes: &[u8], masked: &[u8]) {
        let sum = u32::from_le_bytes(masked.try_into().unwrap()).wrapping_sub(0xa282_ead8);
        assert_eq!(sum.rotate_left(15), crc_32c(bytes));
    }

    /// The data of every record; panics where a record is cut or damaged.
    fn records(mut file: &[u8]) -> Vec<&[u8]> {
        let mut records = Vec::new();
        while !file.is_empty() {
            let (head, rest) = file.split_at(12);
            assert_checksum(&head[..8], &head[8..]);
            let (data, rest) = rest.split_at(u64::from_le_bytes(head[..8].try_into().unwrap()) as usize);
            assert_checksum(data, &rest[..4]);
            records.push(data);
            file = &rest[4..];
        }
        records
    }

    /// A field's value, by its wire type.
    #[derive(Clone, Debug, PartialEq)]
    enum Field<'a> {
        Number(u64),
        Bytes(&'a [u8]),
    }

    impl<'a> Field<'a> {
        fn bytes(&self) -> &'a [u8] {
            let Self::Bytes(bytes) = self else { panic!("{self:?}") };
            bytes
        }
    }

    fn varint(bytes: &mut &[u8]) -> u64 {
        let length = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        let (number, rest) = bytes.split_at(length);
        *bytes = rest;
        number.iter().rev().fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7f))
    }

    fn fields(mut message: &[u8]) -> Vec<(u64, Field<'_>)> {
        let mut fields = Vec::new();
        while !message.is_empty() {
            let key = varint(&mut message);
            let mut take = |length: usize| {
                let (taken, rest) = message.split_at(length);
                message = rest;
                taken
            };
            let field = match key & 7 {
                0 => Field::Number(varint(&mut message)),
                1 => Field::Number(u64::from_le_bytes(take(8).try_into().unwrap())),
                2 => {
                    let length = varint(&mut message) as usize;
                    let (bytes, rest) = message.split_at(length);
                    message = rest;
                    Field::Bytes(bytes)
                }
                5 => Field::Number(u32::from_le_bytes(take(4).try_into().unwrap()).into()),
                other => panic!("wire type {other}"),
            };
            fields.push((key >> 3, field));
        }
        fields
    }

    /// The scalars of an event by their tags.
    fn scalars(event: &[u8]) -> BTreeMap<String, f32> {
        let summaries = fields(event).into_iter().filter(|(number, _)| *number == 5);
        let values = summaries.flat_map(|(_, summary)| fields(summary.bytes()));
        values
            .map(|(_, value)| {
                let value: BTreeMap<_, _> = fields(value.bytes()).into_iter().collect();
                let Field::Number(bits) = value[&2] else { panic!("{value:?}") };
                (String::from_utf8(value[&1].bytes().into()).unwrap(), f32::from_bits(bits as u32))
            })
            .collect()
    }

    #[test]
    fn the_checksum_is_the_published_one() {
        // RFC 3720, B.4: 32 bytes of zeros.
        assert_eq!(CRC.checksum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc_32c(&[0; 32]), 0x8a91_36aa);
    }

    #[test]
    fn an_independent_reader_finds_every_scalar() {
        let folder = tempfile::tempdir().unwrap();
        let mut events = EventFile::create(folder.path(), 300).unwrap();
        events.scalars(300, &[("loss/train".into(), 0.75), ("accuracy/train".into(), 0.5)]).unwrap();
        events.scalars(301, &[("loss/train".into(), 1e-3)]).unwrap();
        let bytes = std::fs::read(events.path()).unwrap();
        let records = records(&bytes);
        assert_eq!(records.len(), 4);

        let heads: Vec<BTreeMap<_, _>> =
            records.iter().map(|record| fields(record).into_iter().collect()).collect();
        assert_eq!(heads[0][&3], Field::Bytes(b"brain.Event:2"));
        assert_eq!(fields(heads[1][&7].bytes()), [(1, Field::Number(1))]);
        for (head, step) in heads.iter().zip([0, 300, 300, 301]) {
            assert_eq!(head[&2], Field::Number(step));
            let Field::Number(time) = head[&1] else { panic!("{head:?}") };
            // after the year 2020
            assert!(f64::from_bits(time) > 1.58e9);
        }
        assert_eq!(
            scalars(records[2]),
            BTreeMap::from([("accuracy/train".into(), 0.5), ("loss/train".into(), 0.75)])
        );
        assert_eq!(scalars(records[3]), BTreeMap::from([("loss/train".into(), 1e-3)]));
    }

    #[test]
    fn a_second_file_comes_after_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [1, 2, 3].map(|step| EventFile::create(folder.path(), step).unwrap().path().to_owned());
        assert!(paths.is_sorted());
        let name = paths[0].file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("events.out.tfevents.") && name.contains("tfevents"), "{name}");
    }
}
