//! A bad line: it loses, doubles, flips and holds back bytes, or is cut for a while.
//!
//! [`Faulty`] goes around the stream of either side: around a host's [`Transport`], or around what a board reads and
//! writes by `embedded_io`. One seed gives the same faults for the same bytes.

use embedded_io::{ErrorType, Read, Write};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::transport::{Transport, TransportError};

/// Most pieces that are lost whole while the line is cut, behind the one that it was cut in.
const CUT_PIECES: usize = 3;

/// What has been done to the bytes that went by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct FaultCounts {
    /// Bytes that went in.
    pub bytes: u64,
    /// Single bytes lost.
    pub lost: u64,
    /// Bytes that came out twice.
    pub doubled: u64,
    /// Bytes with one wrong bit.
    pub flipped: u64,
    /// Times that a byte and all behind it were held back until later.
    pub delayed: u64,
    /// Times that the line was cut: the rest of what was being sent or read is lost, and up to three pieces more.
    pub cuts: u64,
}

impl FaultCounts {
    /// All faults together.
    pub fn faults(&self) -> u64 {
        self.lost + self.doubled + self.flipped + self.delayed + self.cuts
    }
}

impl std::ops::Add for FaultCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            bytes: self.bytes + other.bytes,
            lost: self.lost + other.lost,
            doubled: self.doubled + other.doubled,
            flipped: self.flipped + other.flipped,
            delayed: self.delayed + other.delayed,
            cuts: self.cuts + other.cuts,
        }
    }
}

/// One way of a bad line.
#[derive(Clone, Debug)]
struct Way {
    one_in: u32,
    rng: ChaCha8Rng,
    /// Bytes that are held back.
    held: Vec<u8>,
    /// Pieces that are still to be lost, because the line is cut.
    cut: usize,
    counts: FaultCounts,
}

impl Way {
    fn new(one_in: u32, seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self { one_in, rng, held: Vec::new(), cut: 0, counts: FaultCounts::default() }
    }

    /// What comes out when these bytes go in: first what was held back, and nothing behind a delay.
    fn carry(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.held);
        self.counts.bytes += bytes.len() as u64;
        if self.cut > 0 && !bytes.is_empty() {
            self.cut -= 1;
            return out;
        }
        let mut is_late = false;
        for &byte in bytes {
            let Some((copies, byte, delayed)) = self.meet(byte) else { break };
            is_late |= delayed;
            let to = if is_late { &mut self.held } else { &mut out };
            to.extend(std::iter::repeat_n(byte, copies));
        }
        out
    }

    /// What becomes of a byte: how often it comes out, as which, and whether it is late; `None` where the line is cut.
    fn meet(&mut self, byte: u8) -> Option<(usize, u8, bool)> {
        if self.one_in == 0 || self.rng.random_range(0..self.one_in) > 0 {
            return Some((1, byte, false));
        }
        Some(match self.rng.random_range(0..5) {
            0 => {
                self.counts.lost += 1;
                (0, byte, false)
            }
            1 => {
                self.counts.doubled += 1;
                (2, byte, false)
            }
            2 => {
                self.counts.flipped += 1;
                (1, byte ^ 1 << self.rng.random_range(0..8), false)
            }
            3 => {
                self.counts.delayed += 1;
                (1, byte, true)
            }
            _ => {
                self.counts.cuts += 1;
                self.cut = self.rng.random_range(0..=CUT_PIECES);
                return None;
            }
        })
    }
}

/// A stream whose bytes meet faults both ways, one in so many bytes on average.
///
/// A delayed byte, and what is behind it, waits until more bytes go the same way; what is read comes at the latest with
/// the next read.
#[derive(Clone, Debug)]
pub struct Faulty<S> {
    stream: S,
    out: Way,
    back: Way,
}

impl<S> Faulty<S> {
    /// Faults in one of `one_in` bytes, in none where that is 0.
    pub fn new(stream: S, one_in: u32, seed: u64) -> Self {
        Self { stream, out: Way::new(one_in, seed, 0), back: Way::new(one_in, seed, 1) }
    }

    /// What has been done to the bytes both ways.
    pub fn counts(&self) -> FaultCounts {
        self.out.counts + self.back.counts
    }

    /// The stream without faults.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<T: Transport> Transport for Faulty<T> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        let out = self.out.carry(bytes);
        if out.is_empty() { Ok(()) } else { self.stream.send(&out) }
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: std::time::Instant) -> Result<(), TransportError> {
        loop {
            let mut came = Vec::new();
            if self.back.held.is_empty() {
                self.stream.receive(&mut came, deadline)?;
            }
            let is_over = came.is_empty();
            let carried = self.back.carry(&came);
            into.extend_from_slice(&carried);
            // What was lost is as if it had not come yet.
            if is_over || !carried.is_empty() {
                return Ok(());
            }
        }
    }
}

impl<S: ErrorType> ErrorType for Faulty<S> {
    type Error = S::Error;
}

impl<S: Read> Read for Faulty<S> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, S::Error> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let mut came = vec![0; buffer.len() / 2 + 1];
            let count = self.stream.read(&mut came)?;
            let mut carried = self.back.carry(&came[..count]);
            if carried.len() > buffer.len() {
                self.back.held.splice(..0, carried.split_off(buffer.len()));
            }
            buffer[..carried.len()].copy_from_slice(&carried);
            if count == 0 || !carried.is_empty() {
                return Ok(carried.len());
            }
        }
    }
}

impl<S: Write> Write for Faulty<S> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, S::Error> {
        let out = self.out.carry(bytes);
        self.stream.write_all(&out)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), S::Error> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(one_in: u32, seed: u64, bytes: &[u8]) -> (Vec<u8>, FaultCounts) {
        let mut way = Way::new(one_in, seed, 0);
        let mut out: Vec<u8> = bytes.chunks(50).flat_map(|chunk| way.carry(chunk)).collect();
        out.extend(way.carry(&[]));
        (out, way.counts)
    }

    #[test]
    fn without_faults_every_byte_comes_through() {
        let bytes: Vec<u8> = (0..10_000).map(|index| index as u8).collect();
        let (out, counts) = carried(0, 0, &bytes);
        assert_eq!((out, counts.faults(), counts.bytes), (bytes, 0, 10_000));
    }

    #[test]
    fn a_seed_has_its_faults_and_they_are_as_many_as_was_asked_for() {
        let bytes = vec![7; 200_000];
        let (out, counts) = carried(100, 1, &bytes);
        assert_eq!(carried(100, 1, &bytes), (out.clone(), counts));
        assert_ne!(carried(100, 2, &bytes).0, out);
        // A cut takes bytes away that would have met faults of their own.
        assert!((1500..2100).contains(&counts.faults()), "{counts:?}");
        let kinds = [counts.lost, counts.doubled, counts.flipped, counts.delayed, counts.cuts];
        assert!(kinds.iter().all(|&count| count > 250), "{counts:?}");
        assert!(out.len() < bytes.len() && out.iter().any(|&byte| byte != 7));
    }

    #[test]
    fn what_is_delayed_comes_behind_what_was_before_it() {
        // Only delays keep every byte and its place.
        let bytes: Vec<u8> = (0..40_000).map(|index| (index % 251) as u8).collect();
        for seed in 0..200 {
            let (out, counts) = carried(20_000, seed, &bytes);
            if counts.delayed > 0 && counts.faults() == counts.delayed {
                assert_eq!(out, bytes);
                return;
            }
        }
        panic!("no seed has delays alone");
    }

    #[test]
    fn a_reader_gets_all_that_comes_through() {
        let bytes: Vec<u8> = (0..5000).map(|index| index as u8).collect();
        for room in [1, 2, 64] {
            let mut faulty = Faulty::new(&bytes[..], 50, 9);
            let (mut out, mut buffer) = (Vec::new(), vec![0; room]);
            loop {
                let count = faulty.read(&mut buffer).unwrap();
                out.extend_from_slice(&buffer[..count]);
                if count == 0 && faulty.back.held.is_empty() {
                    break;
                }
            }
            let counts = faulty.counts();
            assert_eq!(counts.bytes, 5000);
            assert!(out.len() as u64 <= 5000 + counts.doubled - counts.lost, "room {room}");
            assert!(out.len() > 3000, "room {room}: {counts:?}");
        }
    }
}
