//! Jobs in memory: many sequences at once, for an emulated board whose RAM the host can fill before it starts.
//!
//! The host puts a [`Job`] at a fixed address, then how many timesteps each sequence has, then the sequences one
//! behind the other, rows as bytes as in [`Request::Row`](super::Request::Row). The board runs them and hands back
//! the logits, four bytes each, in order, closed by a CRC-32: those after the last timestep of each sequence, or
//! after every timestep, as the model's [`Steps`](crate::Steps) say.
//!
//! ```text
//! offset
//! 0      job         32 bytes, see Job
//! 32     lengths     [sequences] of u32, little-endian: timesteps of each
//!        rows        [timesteps][row_bytes], sequence after sequence
//! ```

use crate::checksum::crc32;

/// Bytes that a job takes in memory; the lengths lie behind them.
pub const JOB_BYTES: usize = 32;

/// Bytes of the length of a sequence: a `u32`, little-endian.
pub const LENGTH_BYTES: usize = 4;

const MAGIC: [u8; 4] = *b"RFJB";

/// What is to be done with the sequences that lie behind it.
///
/// ```
/// use refrain::link::bulk::Job;
///
/// let job = Job { model: 0, sequences: 1000, timesteps: 28_000, row_bytes: 28 };
/// assert_eq!(Job::from_bytes(&job.to_bytes()), Some(job));
/// assert_eq!(Job::from_bytes(&[0; 32]), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Job {
    /// Number of the model.
    pub model: u32,
    /// How many sequences there are.
    pub sequences: u32,
    /// Rows of all sequences together; no sequence is without any.
    pub timesteps: u32,
    /// Bytes of a row.
    pub row_bytes: u32,
}

impl Job {
    /// `"RFJB"`, the four fields as little-endian `u32`, eight zero bytes, and the CRC-32 of all that.
    pub fn to_bytes(&self) -> [u8; JOB_BYTES] {
        let mut bytes = [0; JOB_BYTES];
        let fields = [self.model, self.sequences, self.timesteps, self.row_bytes].map(u32::to_le_bytes);
        let words = [MAGIC].into_iter().chain(fields);
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word);
        }
        let (body, crc) = bytes.split_at_mut(JOB_BYTES - 4);
        crc.copy_from_slice(&crc32(body).to_le_bytes());
        bytes
    }

    /// The job that the bytes hold; `None` where they hold none.
    pub fn from_bytes(bytes: &[u8; JOB_BYTES]) -> Option<Self> {
        let (body, crc) = bytes.split_last_chunk::<4>()?;
        let (words, _) = body.as_chunks::<4>();
        if words.first() != Some(&MAGIC) || crc32(body) != u32::from_le_bytes(*crc) {
            return None;
        }
        let word = |index: usize| words.get(index).map(|&word| u32::from_le_bytes(word));
        Some(Self { model: word(1)?, sequences: word(2)?, timesteps: word(3)?, row_bytes: word(4)? })
    }
}
