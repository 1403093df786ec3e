//! The parser of frames and messages.

use refrain::link::frame::{self, FrameError, Receiver};
use refrain::link::{Numbered, Reply, Request};

use crate::line::{Piece, damaged, framed, message, pieces, unstuffed};

/// What a receiver says at the end of each frame.
type Received = Result<Vec<u8>, FrameError>;

/// Bytes on a line give what the documentation of [`refrain::link::frame`] says, in buffers of several sizes; every
/// message among them is the same after it has travelled once more; and the frame behind them is heard.
///
/// # Panics
/// Where any of that does not hold.
pub fn frame(data: &[u8]) {
    let line = line(data);
    heard::<8>(&line);
    heard::<24>(&line);
    heard::<255>(&line);
    for message in heard::<1024>(&line).into_iter().flatten() {
        travels_again(&message);
    }
}

/// The bytes that come by the line.
fn line(data: &[u8]) -> Vec<u8> {
    let (mut line, mut last) = (Vec::new(), Vec::new());
    for piece in pieces(data) {
        match piece {
            Piece::Noise(bytes) => {
                line.extend(bytes);
                continue;
            }
            Piece::Message(message) | Piece::Row(message) => last = framed(message),
            Piece::Damaged { place, flips, message } => last = damaged(framed(message), place, flips),
            Piece::Again => {}
        }
        line.extend(&last);
    }
    line
}

/// What a receiver with a buffer of `N` bytes hears, after it was compared with what it must hear.
fn heard<const N: usize>(line: &[u8]) -> Vec<Received> {
    let mut receiver = Receiver::<N>::new();
    let mut hear = |bytes: &[u8]| -> Vec<Received> {
        let owned = |received: Result<&[u8], FrameError>| received.map(<[u8]>::to_vec);
        bytes.iter().filter_map(|&byte| receiver.push(byte).map(owned)).collect()
    };
    let found = hear(line);
    assert_eq!(found, to_be_heard::<N>(line), "in a buffer of {N} bytes");

    let hello = [7, 0];
    let behind = hear(&framed(&hello));
    assert_eq!(behind.last(), Some(&Ok(hello.to_vec())), "the frame behind, in a buffer of {N} bytes");
    assert!(behind.len() <= 2, "one frame was left open at most: {behind:?}");
    found
}

/// What a receiver with a buffer of `N` bytes must hear: one answer to whatever lies in front of a zero.
fn to_be_heard<const N: usize>(line: &[u8]) -> Vec<Received> {
    let Some(end) = line.iter().rposition(|&byte| byte == 0) else { return Vec::new() };
    let between_zeros = line[..end].split(|&byte| byte == 0).filter(|between| !between.is_empty());
    let received = between_zeros.map(|between| match unstuffed(between) {
        _ if between.len() > N => Err(FrameError::TooLong { capacity: N }),
        None => Err(FrameError::Cobs),
        Some(body) => message(body).ok_or(FrameError::Crc),
    });
    received.collect()
}

/// Reads a message, sends it, reads it again and compares the two.
macro_rules! travels_again {
    ($message:ty, $body:expr) => {
        if let Ok(first) = frame::decode::<Numbered<$message>>($body) {
            // a number may come with more bytes than it needs, so what is written is never longer
            let mut scratch = vec![0; $body.len() + 4];
            let mut out = vec![0; frame::frame_bytes($body.len())];
            let sent = frame::encode(&first, &mut scratch, &mut out).expect("there is room for it");
            assert!(sent[1..sent.len() - 1].iter().all(|&byte| byte != 0), "a zero within a frame: {sent:?}");
            let mut receiver = Receiver::<1024>::new();
            let mut again = None;
            for &byte in sent {
                if let Some(received) = receiver.push(byte) {
                    again = Some(received.expect("a whole frame").to_vec());
                }
            }
            let again = again.expect("a frame has an end");
            assert_eq!(frame::decode(&again), Ok(first));
        }
    };
}

/// Whatever the bytes are a message of is the same after it has travelled once more.
fn travels_again(body: &[u8]) {
    travels_again!(Request<'_>, body);
    travels_again!(Reply<'_>, body);
}
