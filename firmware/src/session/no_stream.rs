//! What a firmware without the feature `stream` says to streams: no stream ever runs.

use refrain::link::{Pace, Refusal, Reply, Statistics};

use super::Session;

/// No streams.
#[derive(Clone, Copy, Default)]
pub(super) struct Streams {}

impl Streams {
    /// Nothing runs.
    pub(super) fn stop(&mut self) {}

    /// Nothing is counted.
    pub(super) fn statistics(&self) -> Statistics {
        Statistics::default()
    }
}

impl<C, W> Session<'_, C, W> {
    /// Refuses.
    pub(super) fn begin_stream(&mut self, _: u32, _: u8, _: u32, _: Pace) -> Result<Reply<'_>, Refusal> {
        Err(Refusal::NotBuiltIn)
    }

    /// Refuses.
    pub(super) fn stream_row(&mut self, _: u32, _: u32, _: &[u8]) -> Result<Reply<'_>, Refusal> {
        Err(Refusal::NotBuiltIn)
    }

    /// Refuses.
    pub(super) fn end_stream(&mut self, _: u32) -> Result<Reply<'_>, Refusal> {
        Err(Refusal::NotBuiltIn)
    }

    /// No silence is watched.
    pub(super) fn watches_silence(&self) -> bool {
        false
    }

    /// When bytes come is of no interest.
    pub fn received(&mut self, _: Option<u32>) {}

    /// Nor is when a reply leaves.
    pub fn framed(&mut self) {}

    /// The next bytes may be waited for as long as they take.
    pub fn patience(&self) -> Option<u32> {
        None
    }

    /// No row is overdue.
    pub fn waited_in_vain(&mut self) {}
}
