//! Another model in the place of one of the program's, piece by piece.

use refrain::link::{Refusal, Reply, UpdateRefusal, Upload};

use super::Session;
use crate::{Clock, Watchdog};

impl<C: Clock, W: Watchdog> Session<'_, C, W> {
    /// An upload begins, or goes on where it was.
    pub(super) fn begin_upload(&mut self, upload: Upload) -> Result<Reply<'_>, Refusal> {
        self.model(upload.model)?;
        uploaded(self.updates.begin(upload))
    }

    /// The next bytes of an upload.
    pub(super) fn chunk(&mut self, upload: u32, offset: u32, bytes: &[u8]) -> Result<Reply<'_>, Refusal> {
        uploaded(self.updates.chunk(upload, offset, bytes))
    }

    /// All bytes of an upload have come.
    pub(super) fn commit(&mut self, upload: u32) -> Result<Reply<'_>, Refusal> {
        self.updates.commit(upload).map(|()| Reply::Accepted).map_err(Refusal::Update)
    }
}

/// What is said of an upload.
fn uploaded<'a>(outcome: Result<u32, UpdateRefusal>) -> Result<Reply<'a>, Refusal> {
    outcome.map(|bytes| Reply::Uploaded { bytes }).map_err(Refusal::Update)
}
