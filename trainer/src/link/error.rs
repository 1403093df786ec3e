//! Why a board gives no answer.

use refrain::link::Refusal;

use super::transport::TransportError;

/// Why a board gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// No bytes come or go any more.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Nothing came back, however often it was asked.
    #[error(
        "the board is silent: {attempts} times {request} was sent and no answer came within {seconds} s; check \
         that it runs this firmware and that its link is connected"
    )]
    Silent {
        /// What was asked.
        request: &'static str,
        /// How often.
        attempts: u32,
        /// How long each answer was waited for.
        seconds: f32,
    },
    /// The firmware speaks another version of the protocol.
    #[error(
        "the board speaks version {found} of the link protocol, this program version {expected}; build both from \
         the same source"
    )]
    Protocol {
        /// The board's.
        found: u8,
        /// This program's.
        expected: u8,
    },
    /// The board understands and will not.
    #[error("the board refuses {request}: {refusal}")]
    Refused {
        /// What was asked.
        request: &'static str,
        /// Why it is refused.
        refusal: Refusal,
    },
    /// A whole answer that does not belong to the question.
    #[error("the board answers {request} with {reply}, which is no answer to it; its firmware is at fault")]
    Unexpected {
        /// What was asked.
        request: &'static str,
        /// What came.
        reply: String,
    },
    /// A sequence was begun again and again and never came through.
    #[error(
        "a sequence was begun {attempts} times and rows were lost each time; the link is too bad to be used"
    )]
    Restarts {
        /// How often it was begun.
        attempts: u32,
    },
    /// A sequence that the protocol has no room for.
    #[error("a sequence has {found} bytes, the link carries 1 to 65535 rows of {row_bytes} bytes")]
    SequenceLength {
        /// Its bytes.
        found: usize,
        /// Bytes of a row.
        row_bytes: usize,
    },
}
