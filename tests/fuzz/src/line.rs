//! What a fuzzer's bytes put on a line.
//!
//! Bytes of a fuzzer seldom have a right CRC, so they are read as pieces, each of which may be framed as a host would:
//!
//! ```text
//! 0  kind    the lowest three bits, see Piece; the highest bit: 256 bytes more
//! 1  length  bytes that follow
//! 2  bytes
//! ```

use crc::{CRC_32_ISO_HDLC, Crc};

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A part of what happens on a line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece<'a> {
    /// Bytes that come as they are.
    Noise(&'a [u8]),
    /// A message, rightly framed.
    Message(&'a [u8]),
    /// A message one byte of whose frame is damaged: the byte at `place`, counted around, by `flips`.
    Damaged { place: u8, flips: u8, message: &'a [u8] },
    /// The frame before it once more.
    Again,
    /// Values for the next row of a sequence.
    Row(&'a [u8]),
}

/// The pieces of a fuzzer's bytes; the last one may be cut short.
pub(crate) fn pieces(mut bytes: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        let ([kind, length], rest) = bytes.split_first_chunk()?;
        let length = usize::from(*length) + (usize::from(kind >> 7) << 8);
        let (taken, rest) = rest.split_at(length.min(rest.len()));
        bytes = rest;
        Some(match (kind & 7, taken) {
            (0, _) => Piece::Noise(taken),
            (2, [place, flips, message @ ..]) => Piece::Damaged { place: *place, flips: *flips, message },
            (3, _) => Piece::Again,
            (4..=7, _) => Piece::Row(taken),
            _ => Piece::Message(taken),
        })
    })
}

/// A frame as the documentation of [`refrain::link::frame`] has it: `00  COBS(message ++ CRC-32)  00`.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let body = [message, &CRC.checksum(message).to_le_bytes()].concat();
    let mut frame = vec![0];
    for mut run in body.split(|&byte| byte == 0) {
        while let Some((block, rest)) = run.split_at_checked(254) {
            frame.push(255);
            frame.extend(block);
            run = rest;
        }
        frame.push(run.len() as u8 + 1);
        frame.extend(run);
    }
    frame.push(0);
    frame
}

/// A frame with one byte damaged.
pub(crate) fn damaged(mut frame: Vec<u8>, place: u8, flips: u8) -> Vec<u8> {
    let place = usize::from(place) % frame.len();
    frame[place] ^= flips;
    frame
}

/// What lies between two zeros, COBS undone; `None` where it is none.
pub(crate) fn unstuffed(mut stuffed: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some((&code, rest)) = stuffed.split_first() {
        let (run, rest) = rest.split_at_checked(usize::from(code).checked_sub(1)?)?;
        body.extend(run);
        if code < 255 && !rest.is_empty() {
            body.push(0);
        }
        stuffed = rest;
    }
    Some(body)
}

/// The message of a body whose CRC is right.
pub(crate) fn message(mut body: Vec<u8>) -> Option<Vec<u8>> {
    let &crc = body.last_chunk::<4>()?;
    body.truncate(body.len() - 4);
    (CRC.checksum(&body) == u32::from_le_bytes(crc)).then_some(body)
}
