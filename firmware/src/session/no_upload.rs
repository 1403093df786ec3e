//! What a firmware without the feature `update` says to uploads.

use refrain::link::{Refusal, Reply, Upload};

use super::Session;

impl<C, W> Session<'_, C, W> {
    /// Refuses.
    pub(super) fn begin_upload(&mut self, _: Upload) -> Result<Reply<'_>, Refusal> {
        Err(Refusal::NotBuiltIn)
    }

    /// Refuses.
    pub(super) fn chunk(&mut self, _: u32, _: u32, _: &[u8]) -> Result<Reply<'_>, Refusal> {
        Err(Refusal::NotBuiltIn)
    }

    /// Refuses.
    pub(super) fn commit(&mut self, _: u32) -> Result<Reply<'_>, Refusal> {
        Err(Refusal::NotBuiltIn)
    }
}
