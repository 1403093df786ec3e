//! Frames: where a message begins and ends in a stream of bytes, and whether it came whole.
//!
//! ```text
//! 00  COBS( postcard message ++ CRC-32 of it, little-endian )  00
//! ```
//!
//! COBS takes every zero out of the body, so a zero byte always is a boundary. The leading zero ends whatever
//! a cut frame left behind: one broken frame costs that frame and not the one after it.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::checksum::crc32;

/// Bytes of the CRC-32 behind a message.
const CRC_BYTES: usize = 4;

/// Bytes that a frame needs for a message of `message` bytes: both zeros, the CRC and COBS's own bytes.
pub const fn frame_bytes(message: usize) -> usize {
    2 + cobs::max_encoding_length(message + CRC_BYTES)
}

/// Bytes of the longest message whose frame fits into `frame` bytes whatever the message is; 0 where none fits.
///
/// ```
/// use refrain::link::frame::{frame_bytes, message_room};
///
/// for frame in 8..2000 {
///     let message = message_room(frame);
///     assert!(frame_bytes(message) <= frame && frame_bytes(message + 1) > frame);
/// }
/// assert_eq!(message_room(7), 0);
/// ```
pub const fn message_room(frame: usize) -> usize {
    let mut message = frame;
    while message > 0 && frame_bytes(message) > frame {
        message -= 1;
    }
    message
}

/// Why bytes are no frame, or a message no frame.
///
/// ```
/// use refrain::link::frame::{FrameError, Receiver};
///
/// let mut receiver = Receiver::<4>::new();
/// assert!([1, 2, 3, 4, 5].iter().all(|&byte| receiver.push(byte).is_none()));
/// assert_eq!(receiver.push(0), Some(Err(FrameError::TooLong { capacity: 4 })));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FrameError {
    /// More bytes came between two zeros than the buffer holds.
    TooLong {
        /// Bytes that the buffer holds.
        capacity: usize,
    },
    /// The bytes are not COBS.
    Cobs,
    /// The message and its CRC-32 do not belong together.
    Crc,
    /// The CRC is right and the message is none of this protocol.
    Message,
    /// The buffer is too small for the message that is to be sent.
    Buffer {
        /// Bytes of the buffer.
        capacity: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { capacity } => {
                write!(f, "a frame is longer than the {capacity} bytes of its buffer")
            }
            Self::Cobs => f.write_str("a frame is not COBS"),
            Self::Crc => f.write_str("a frame fails its CRC-32"),
            Self::Message => f.write_str("a frame holds no message of this protocol"),
            Self::Buffer { capacity } => {
                write!(f, "a buffer of {capacity} bytes is too small for the message")
            }
        }
    }
}

impl core::error::Error for FrameError {}

/// Writes `message` as one frame into `out` and returns the bytes to send.
///
/// `scratch` holds the message before it is framed; `out` needs [`frame_bytes`] of what `scratch` needs.
///
/// # Errors
/// [`FrameError::Buffer`] where either is too small.
pub fn encode<'o, T: Serialize>(
    message: &T,
    scratch: &mut [u8],
    out: &'o mut [u8],
) -> Result<&'o [u8], FrameError> {
    let capacity = scratch.len();
    let too_small = FrameError::Buffer { capacity };
    let length = postcard::to_slice(message, scratch).map_err(|_| too_small)?.len();
    let body = scratch.get_mut(..length + CRC_BYTES).ok_or(too_small)?;
    let (text, crc) = body.split_at_mut(length);
    crc.copy_from_slice(&crc32(text).to_le_bytes());

    let capacity = out.len();
    let framed = frame_bytes(length);
    let out = out.get_mut(..framed).ok_or(FrameError::Buffer { capacity })?;
    out[0] = 0;
    let encoded = cobs::encode(body, &mut out[1..framed - 1]);
    out[1 + encoded] = 0;
    Ok(&out[..encoded + 2])
}

/// Finds frames in a stream, byte by byte, in a buffer of `N` bytes.
///
/// ```
/// use refrain::link::{Numbered, Request, frame};
///
/// let sent = Numbered { request: 1, body: Request::Hello };
/// let (mut scratch, mut out) = ([0; 16], [0; 32]);
/// let bytes = frame::encode(&sent, &mut scratch, &mut out)?;
///
/// let mut receiver = frame::Receiver::<32>::new();
/// let (&last, before) = bytes.split_last().unwrap();
/// assert!(before.iter().all(|&byte| receiver.push(byte).is_none()));
/// let body = receiver.push(last).unwrap()?;
/// assert_eq!(frame::decode::<Numbered<Request>>(body)?, sent);
/// # Ok::<(), frame::FrameError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Receiver<const N: usize> {
    buffer: [u8; N],
    length: usize,
    overrun: bool,
}

impl<const N: usize> Receiver<N> {
    /// An empty receiver.
    pub const fn new() -> Self {
        Self { buffer: [0; N], length: 0, overrun: false }
    }

    /// Takes one byte; at the end of a frame returns the message's bytes, without the CRC.
    ///
    /// # Errors
    /// [`FrameError::TooLong`], [`FrameError::Cobs`] or [`FrameError::Crc`]; the next frame is read as if
    /// nothing had happened.
    pub fn push(&mut self, byte: u8) -> Option<Result<&[u8], FrameError>> {
        if byte != 0 {
            match self.buffer.get_mut(self.length) {
                Some(place) => {
                    *place = byte;
                    self.length += 1;
                }
                None => self.overrun = true,
            }
            return None;
        }
        let length = core::mem::take(&mut self.length);
        if core::mem::take(&mut self.overrun) {
            return Some(Err(FrameError::TooLong { capacity: N }));
        }
        if length == 0 {
            return None;
        }
        Some(open(self.buffer.get_mut(..length)?))
    }
}

impl<const N: usize> Default for Receiver<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// Undoes COBS in place and checks the CRC.
fn open(frame: &mut [u8]) -> Result<&[u8], FrameError> {
    let length = cobs::decode_in_place(frame).map_err(|_| FrameError::Cobs)?;
    let body = frame.get(..length).ok_or(FrameError::Cobs)?;
    let (text, crc) = body.split_last_chunk::<CRC_BYTES>().ok_or(FrameError::Crc)?;
    if crc32(text) == u32::from_le_bytes(*crc) { Ok(text) } else { Err(FrameError::Crc) }
}

/// Reads a message out of the bytes that [`Receiver::push`] returned; it may borrow from them.
///
/// # Errors
/// [`FrameError::Message`] where they are no `T`, or more than one.
pub fn decode<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, FrameError> {
    match postcard::take_from_bytes(body) {
        Ok((message, [])) => Ok(message),
        _ => Err(FrameError::Message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{Numbered, Refusal, Reply, Request};

    fn framed<T: Serialize>(message: &T) -> ([u8; 96], usize) {
        let (mut scratch, mut out) = ([0; 64], [0; 96]);
        let length = encode(message, &mut scratch, &mut out).unwrap().len();
        (out, length)
    }

    /// Feeds `bytes` and counts whole messages equal to `expected`, and any that are not.
    fn hear(bytes: impl IntoIterator<Item = u8>, expected: &Numbered<Request>) -> (usize, usize) {
        let mut receiver = Receiver::<96>::new();
        let (mut right, mut wrong) = (0, 0);
        for byte in bytes {
            if let Some(Ok(body)) = receiver.push(byte) {
                match decode::<Numbered<Request>>(body) {
                    Ok(message) if message == *expected => right += 1,
                    _ => wrong += 1,
                }
            }
        }
        (right, wrong)
    }

    fn row() -> Numbered<Request<'static>> {
        let values = &[0, 0, 7, 255, 0, 1];
        Numbered { request: 300, body: Request::Row { model: 0, sequence: 9, index: 3, count: 28, values } }
    }

    #[test]
    fn exact_bytes_of_a_frame() {
        let reply = Numbered { request: 5, body: Reply::Refused(Refusal::RowOrder { expected: 300 }) };
        let (out, length) = framed(&reply);
        // request 5, Reply variant 6, Refusal variant 2, varint 300, CRC-32 of those five bytes
        let body = [5, 6, 2, 0xac, 0x02];
        let crc = crc32(&body).to_le_bytes();
        assert!(!crc.contains(&0), "the expected bytes below take it that the CRC has no zero");
        assert_eq!(out[..length], [0, 10, 5, 6, 2, 0xac, 0x02, crc[0], crc[1], crc[2], crc[3], 0]);
    }

    #[test]
    fn any_flipped_bit_costs_its_frame_and_not_the_next() {
        let message = row();
        let (out, length) = framed(&message);
        for bit in 0..length * 8 {
            let mut twice = [out, out].map(|frame| frame[..length].to_vec()).concat();
            twice[bit / 8] ^= 1 << (bit % 8);
            let (right, wrong) = hear(twice, &message);
            assert_eq!(wrong, 0, "bit {bit} made a wrong message");
            // A flip inside the leading zero of the first frame leaves both whole only if it is not read.
            assert!((1..=2).contains(&right), "bit {bit}: {right} whole messages");
        }
    }

    #[test]
    fn any_lost_or_doubled_byte_costs_at_most_its_frame() {
        let message = row();
        let (out, length) = framed(&message);
        for at in 0..length {
            let whole = &out[..length];
            let lost = [&whole[..at], &whole[at + 1..], whole].concat();
            let doubled = [&whole[..=at], &whole[at..], whole].concat();
            for bytes in [lost, doubled] {
                let (right, wrong) = hear(bytes, &message);
                assert_eq!(wrong, 0, "byte {at}");
                assert!(right >= 1, "byte {at}: the second frame was lost too");
            }
        }
    }

    #[test]
    fn a_frame_that_is_too_long_is_named_and_forgotten() {
        let message = row();
        let (out, length) = framed(&message);
        let mut receiver = Receiver::<24>::new();
        let mut errors = 0;
        for byte in [1; 40].into_iter().chain([0]) {
            errors += usize::from(receiver.push(byte) == Some(Err(FrameError::TooLong { capacity: 24 })));
        }
        assert_eq!(errors, 1);
        let whole = out[..length].iter().filter(|&&byte| matches!(receiver.push(byte), Some(Ok(_)))).count();
        assert_eq!(whole, 1);
    }

    #[test]
    fn a_buffer_that_is_too_small_is_an_error() {
        let message = row();
        let (mut scratch, mut out) = ([0; 64], [0; 8]);
        assert_eq!(encode(&message, &mut scratch, &mut out), Err(FrameError::Buffer { capacity: 8 }));
        assert_eq!(encode(&message, &mut [0; 8], &mut [0; 96]), Err(FrameError::Buffer { capacity: 8 }));
    }
}
