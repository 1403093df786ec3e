//! What a firmware without the feature `profile` says to profiles.

use refrain::link::{Refusal, Reply};

use super::Session;

impl<C, W> Session<'_, C, W> {
    /// Refuses.
    pub(super) fn profile(&mut self, _: u8, _: &[u8]) -> Result<Reply<'_>, Refusal> {
        Err(Refusal::NotBuiltIn)
    }
}
