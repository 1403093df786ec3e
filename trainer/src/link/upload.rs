//! Another model in the place of one on the board.

use std::time::Duration;

use refrain::link::{Refusal, Reply, Request, UpdateRefusal, Upload};

use super::client::Client;
use super::error::LinkError;
use super::facts::Hello;
use super::transport::Transport;

/// How long a board may take at least to erase a unit of its flash, or to write a chunk. Where it takes longer, it is asked
/// again, which does no harm.
const WRITE_TIME: Duration = Duration::from_secs(1);

/// How long it may take at least to test a model.
const TEST_TIME: Duration = Duration::from_secs(5);

/// How often at least a request is sent in the course of an upload.
const ATTEMPTS: u32 = 10;

/// Most bytes of a chunk's message besides the model's.
const CHUNK_OVERHEAD: usize = 5 + 1 + 5 + 5 + 3;

/// How often a board may say at the end that its flash failed or that what came is damaged, which each frame's own CRC-32 all
/// but rules out on the line.
const FAULTS: u32 = 3;

/// Bytes of the shortest chunk that a bad line makes.
const LEAST_CHUNK: usize = 32;

/// What came of an upload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uploaded {
    /// Bytes of the model that were there of an interrupted upload, when this one began.
    pub resumed: u32,
    /// How often it was interrupted and begun again.
    pub interruptions: u32,
}

impl<T: Transport> Client<T> {
    /// Brings a model file to the board, to be used after a [restart](Self::restart) in the place of model number `model`,
    /// as that revision; `progress` is told how many of its bytes are there.
    ///
    /// An upload that was interrupted goes on where it was, whoever began it; where the board starts again in the middle, or
    /// says that it knows of no upload, this begins it again by itself.
    ///
    /// # Errors
    /// [`LinkError::Refused`] with [`UpdateRefusal`] where the board does not take the model, or any other [`LinkError`].
    pub fn upload(
        &mut self,
        model: u8,
        revision: u32,
        file: &[u8],
        progress: &mut dyn FnMut(u32),
    ) -> Result<Uploaded, LinkError> {
        let crc = file.last_chunk().map_or(0, |&crc| u32::from_le_bytes(crc));
        let length = u32::try_from(file.len()).unwrap_or(u32::MAX);
        let upload = Upload { model, revision, length, crc };
        let usual = self.patience;
        self.patience.time_out = usual.time_out.max(WRITE_TIME);
        self.patience.attempts = usual.attempts.max(ATTEMPTS);
        let outcome = self.upload_at_last(upload, file, progress);
        self.patience = usual;
        outcome
    }

    /// Starts the board again and waits until it is there.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn restart(&mut self) -> Result<Hello, LinkError> {
        self.ask("Restart", Request::Restart, accepted)?;
        self.hello()
    }

    /// Uploads, again after each interruption, until that is done or one attempt after the other brings nothing.
    fn upload_at_last(
        &mut self,
        upload: Upload,
        file: &[u8],
        progress: &mut dyn FnMut(u32),
    ) -> Result<Uploaded, LinkError> {
        let (mut uploaded, mut most, mut vain, mut faults) = (Uploaded::default(), 0, 0, 0);
        let mut chunk = usize::MAX;
        loop {
            let mut reached = 0;
            let mut told = |bytes| {
                reached = bytes;
                progress(bytes);
            };
            let error = match self.upload_once(upload, file, &mut chunk, &mut told) {
                Ok(resumed) if uploaded.interruptions == 0 => return Ok(Uploaded { resumed, ..uploaded }),
                Ok(_) => return Ok(uploaded),
                Err(error) => error,
            };
            let is_done = uploaded.interruptions > 0 && self.is_used(&error, upload)?;
            if is_done {
                return Ok(uploaded);
            }
            vain = if reached > most { 0 } else { vain + 1 };
            most = most.max(reached);
            faults += u32::from(is_fault(&error));
            if !is_interruption(&error) || vain >= self.patience.attempts || faults >= FAULTS {
                return Err(error);
            }
            uploaded.interruptions += 1;
            self.count_retry();
            self.hello()?;
        }
    }

    /// Uploads what is missing and commits it; how much was there before. `chunk` is how many bytes are best sent at a time.
    fn upload_once(
        &mut self,
        upload: Upload,
        file: &[u8],
        chunk: &mut usize,
        progress: &mut dyn FnMut(u32),
    ) -> Result<u32, LinkError> {
        let room = usize::from(self.hello()?.request_bytes).saturating_sub(CHUNK_OVERHEAD);
        *chunk = room.min(*chunk).max(1);
        let resumed = self.ask("Begin", Request::Begin(upload), uploaded)?;
        let mut offset = resumed;
        progress(offset);
        while let Some(rest) = file.get(offset as usize..).filter(|rest| !rest.is_empty()) {
            let (bytes, retries) = (&rest[..rest.len().min(*chunk)], self.retries());
            let request = Request::Chunk { upload: upload.crc, offset, bytes };
            let outcome = self.ask("Chunk", request, uploaded);
            // on a bad line short frames come through
            *chunk = match outcome.is_err() || self.retries() > retries {
                true => (*chunk / 2).max(LEAST_CHUNK.min(room)),
                false => (*chunk + *chunk / 8).min(room),
            };
            offset = outcome?;
            progress(offset);
        }
        let usual = self.patience;
        self.patience.time_out = usual.time_out.max(TEST_TIME);
        let outcome = self.ask("Commit", Request::Commit { upload: upload.crc }, accepted);
        self.patience = usual;
        outcome.map(|()| resumed)
    }

    /// Whether a refusal means that the board uses the model already: it was committed, and the board started again before
    /// it could say so.
    fn is_used(&mut self, error: &LinkError, upload: Upload) -> Result<bool, LinkError> {
        match update_refusal(error) {
            Some(UpdateRefusal::NotNewer { .. }) => {
                let used = self.describe(upload.model)?;
                Ok((used.revision, used.crc) == (upload.revision, upload.crc))
            }
            _ => Ok(false),
        }
    }
}

/// Whether an upload that ended so may succeed when it is begun again.
fn is_interruption(error: &LinkError) -> bool {
    match update_refusal(error) {
        Some(refusal) => {
            is_fault(error) || matches!(refusal, UpdateRefusal::NotBegun | UpdateRefusal::Offset { .. })
        }
        None => matches!(error, LinkError::Silent { .. }),
    }
}

/// Whether the board says that its flash does not hold what was sent.
fn is_fault(error: &LinkError) -> bool {
    matches!(update_refusal(error), Some(UpdateRefusal::Crc { .. } | UpdateRefusal::Flash(_)))
}

fn update_refusal(error: &LinkError) -> Option<UpdateRefusal> {
    match error {
        LinkError::Refused { refusal: Refusal::Update(refusal), .. } => Some(*refusal),
        _ => None,
    }
}

fn uploaded(reply: Reply<'_>) -> Option<u32> {
    match reply {
        Reply::Uploaded { bytes } => Some(bytes),
        _ => None,
    }
}

fn accepted(reply: Reply<'_>) -> Option<()> {
    matches!(reply, Reply::Accepted).then_some(())
}

#[cfg(test)]
mod tests {
    use refrain::crc32;

    use super::super::client::Patience;
    use super::super::fake_board::{Faults, FaultyLink, KEPT_BYTES};
    use super::*;

    const PATIENCE: Patience =
        Patience { start: Duration::from_secs(6), time_out: Duration::from_secs(60), attempts: 30 };

    fn client(faults: Faults, seed: u64) -> Client<FaultyLink> {
        Client::new(FaultyLink::new(faults, seed), PATIENCE, 250)
    }

    /// Bytes that end as a model file does.
    fn file(seed: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..3000).map(|index| (index * seed + index / 7) as u8).collect();
        bytes.extend(crc32(&bytes).to_le_bytes());
        bytes
    }

    #[test]
    fn a_model_is_brought_to_the_board_and_used_after_a_restart() {
        let mut client = client(Faults::NONE, 0);
        let mut told = Vec::new();
        let uploaded = client.upload(0, 3, &file(1), &mut |bytes| told.push(bytes)).unwrap();
        assert_eq!(uploaded, Uploaded::default());
        assert_eq!((told.first(), told.last()), (Some(&0), Some(&3004)));
        assert!(told.is_sorted());
        assert_eq!(client.describe(0).unwrap().revision, 0, "not yet");
        client.restart().unwrap();
        let used = client.describe(0).unwrap();
        assert_eq!((used.revision, used.crc), (3, crc32(&file(1)[..3000])));
        assert_eq!(client.retries(), 0);
    }

    #[test]
    fn over_a_bad_link_to_a_board_that_restarts_it_comes_whole() {
        let mut interruptions = 0;
        for seed in 0..20 {
            let faults = Faults { lost: 300, doubled: 300, flipped: 300, restarts: 40 };
            let mut client = client(faults, seed);
            interruptions += client.upload(0, 1, &file(2), &mut |_| {}).unwrap().interruptions;
            let (revision, came) = client.transport_mut().board.uploaded.clone().unwrap();
            assert_eq!((revision, came), (1, file(2)), "seed {seed}");
        }
        assert!(interruptions > 20, "only {interruptions}: the board hardly restarted");
    }

    #[test]
    fn what_another_client_began_goes_on_where_it_was() {
        let mut client = client(Faults::NONE, 0);
        let file = file(3);
        let crc = crc32(&file[..3000]);
        let upload = Upload { model: 0, revision: 1, length: 3004, crc };
        client.ask("Begin", Request::Begin(upload), uploaded).unwrap();
        for offset in (0..500).step_by(50) {
            let bytes = &file[offset..offset + 50];
            let chunk = Request::Chunk { upload: crc, offset: offset as u32, bytes };
            client.ask("Chunk", chunk, uploaded).unwrap();
        }
        client.transport_mut().board.restart();
        let resumed = (500 / KEPT_BYTES * KEPT_BYTES) as u32;
        assert_eq!(client.upload(0, 1, &file, &mut |_| {}).unwrap(), Uploaded { resumed, interruptions: 0 });
    }

    #[test]
    fn a_refusal_that_stands_ends_it() {
        let mut client = client(Faults::NONE, 0);
        client.upload(0, 2, &file(1), &mut |_| {}).unwrap();
        let error = client.upload(0, 2, &file(2), &mut |_| {}).unwrap_err().to_string();
        assert_eq!(
            error,
            "the board refuses Begin: it is revision 2 and the board has revision 2: give a greater one"
        );
        let mut damaged = file(4);
        damaged[100] ^= 1;
        let error = client.upload(0, 3, &damaged, &mut |_| {}).unwrap_err().to_string();
        assert!(error.starts_with("the board refuses Commit: what came is damaged: "), "{error}");
    }
}
