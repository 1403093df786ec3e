//! Replies out of the bytes that come from a board.

use std::time::{Duration, Instant};

use refrain::link::frame::{self, Receiver, frame_bytes};
use refrain::link::{Numbered, Reply};
use refrain::{MAX_INPUTS, MAX_OUTPUTS};

use super::transport::{Transport, TransportError};

/// Bytes of the longest message: a row of floats, or the logits of the largest network.
const MESSAGE_BYTES: usize = {
    let (row, logits) = (4 * MAX_INPUTS, 4 * MAX_OUTPUTS);
    64 + if row > logits { row } else { logits }
};

/// Finds frames in what comes, and keeps what comes behind the one that was wanted.
pub(crate) struct Inbox {
    receiver: Receiver<{ frame_bytes(MESSAGE_BYTES) }>,
    /// Bytes that have come and were not looked at yet.
    incoming: Vec<u8>,
    broken_frames: u64,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self { receiver: Receiver::new(), incoming: Vec::new(), broken_frames: 0 }
    }

    /// Frames that came broken.
    pub(super) fn broken_frames(&self) -> u64 {
        self.broken_frames
    }

    /// Waits for a reply of which `pick` makes something; `None` where none comes in time.
    ///
    /// Broken frames, and replies of which `pick` makes nothing, are passed over.
    pub(crate) fn wait<A>(
        &mut self,
        transport: &mut impl Transport,
        time_out: Duration,
        pick: impl Fn(Numbered<Reply<'_>>) -> Option<A>,
    ) -> Result<Option<A>, TransportError> {
        self.wait_for_body(transport, time_out, |body| pick(frame::decode(body).ok()?))
    }

    /// As [`wait`](Self::wait), for the bytes of a message.
    pub(super) fn wait_for_body<A>(
        &mut self,
        transport: &mut impl Transport,
        time_out: Duration,
        pick: impl Fn(&[u8]) -> Option<A>,
    ) -> Result<Option<A>, TransportError> {
        let deadline = Instant::now() + time_out;
        loop {
            let found = self.search(&pick);
            // A line that babbles without end is silent too.
            if found.is_some() || Instant::now() >= deadline {
                return Ok(found);
            }
            transport.receive(&mut self.incoming, deadline)?;
            if self.incoming.is_empty() {
                return Ok(None);
            }
        }
    }

    fn search<A>(&mut self, pick: impl Fn(&[u8]) -> Option<A>) -> Option<A> {
        let mut used = 0;
        let found = self.incoming.iter().find_map(|&byte| {
            used += 1;
            let received = self.receiver.push(byte)?;
            self.broken_frames += u64::from(received.is_err());
            pick(received.ok()?)
        });
        self.incoming.drain(..used);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Delivers some bytes at once, and then nothing.
    struct Once(Vec<u8>);

    impl Transport for Once {
        fn send(&mut self, _: &[u8]) -> Result<(), TransportError> {
            Ok(())
        }

        fn receive(&mut self, into: &mut Vec<u8>, _: Instant) -> Result<(), TransportError> {
            into.append(&mut self.0);
            Ok(())
        }
    }

    #[test]
    fn replies_that_come_together_are_found_one_after_the_other() {
        let mut bytes = Vec::new();
        for sequences in [50, 100, 150] {
            let (mut scratch, mut out) = ([0; 32], [0; 48]);
            let told = Numbered { request: 0, body: Reply::Progress { sequences } };
            bytes.extend(frame::encode(&told, &mut scratch, &mut out).unwrap());
        }
        bytes.extend([0, 17, 3, 0]);
        let (mut inbox, mut once, minute) = (Inbox::new(), Once(bytes), Duration::from_secs(60));
        let mut next = || {
            let progress = |message: Numbered<Reply<'_>>| match message.body {
                Reply::Progress { sequences } => Some(sequences),
                _ => None,
            };
            inbox.wait(&mut once, minute, progress).unwrap()
        };
        assert_eq!([next(), next(), next(), next()], [Some(50), Some(100), Some(150), None]);
    }
}
