//! Sequences over the link: row by row, at once, or measured.

use refrain::Steps;
use refrain::link::{Profile, Refusal, Reply, Request};

use super::client::Client;
use super::error::LinkError;
use super::facts::Served;
use super::transport::Transport;

/// What came back for a row.
enum RowAnswer {
    Accepted,
    Logits(Vec<u8>),
    OutOfOrder,
}

impl<T: Transport> Client<T> {
    /// Sends a sequence, row after row, and returns the logits that answer it, or each of its rows.
    ///
    /// Where the board has missed a row, it begins the sequence again.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn classify(&mut self, served: Served, rows: &[u8]) -> Result<Vec<u8>, LinkError> {
        let (count, row_bytes) = (row_count(served, rows)?, served.row_bytes);
        for attempt in 0..self.patience.attempts {
            if attempt > 0 {
                self.count_retry();
            }
            if let Some(logits) = self.try_classify(served, count, rows.chunks_exact(row_bytes))? {
                return Ok(logits);
            }
        }
        Err(LinkError::Restarts { attempts: self.patience.attempts })
    }

    /// Sends a sequence once, under a number of its own; `None` where the board has missed a row.
    fn try_classify<'a>(
        &mut self,
        served: Served,
        count: u16,
        rows: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Option<Vec<u8>>, LinkError> {
        let Served { model, logits_bytes, steps, .. } = served;
        let sequence = self.next_sequence();
        let mut all = Vec::new();
        for (index, values) in (0..count).zip(rows) {
            let request = Request::Row { model, sequence, index, count, values };
            let is_answered = steps == Steps::Every || index + 1 == count;
            let read = read_logits(sequence, logits_bytes);
            let answer = self.ask("Row", request, |reply| match reply {
                Reply::Accepted if !is_answered => Some(RowAnswer::Accepted),
                Reply::Logits { .. } if is_answered => read(reply).map(RowAnswer::Logits),
                Reply::Refused(Refusal::RowOrder { .. }) => Some(RowAnswer::OutOfOrder),
                _ => None,
            })?;
            match answer {
                RowAnswer::Accepted => {}
                RowAnswer::Logits(logits) => all.extend(logits),
                RowAnswer::OutOfOrder => return Ok(None),
            }
        }
        Ok(Some(all))
    }

    /// Sends a whole sequence in one request and returns the logits after its last row.
    ///
    /// # Errors
    /// [`LinkError`]; [`LinkError::Silent`] where the sequence is longer than the board takes, see
    /// [`Hello::request_bytes`](super::Hello::request_bytes) and [`sequence_room`].
    pub fn classify_whole(&mut self, served: Served, rows: &[u8]) -> Result<Vec<u8>, LinkError> {
        row_count(served, rows)?;
        let sequence = self.next_sequence();
        let request = Request::Sequence { model: served.model, sequence, values: rows };
        self.ask("Sequence", request, read_logits(sequence, served.logits_bytes))
    }

    /// Has the board measure what each part of it takes to answer a sequence, or as much of one as fits into a request.
    /// The sequence that the board was reading is forgotten.
    ///
    /// # Errors
    /// [`LinkError`], as [`classify_whole`](Self::classify_whole).
    pub fn profile(&mut self, served: Served, rows: &[u8]) -> Result<Profile, LinkError> {
        let count = row_count(served, rows)?;
        let request = Request::Profile { model: served.model, values: rows };
        self.ask("Profile", request, |reply| match reply {
            Reply::Profile(profile) if profile.timesteps == count => Some(profile),
            _ => None,
        })
    }
}

/// Bytes of the rows of a whole sequence that a board may be sent in a request of `request_bytes`.
pub fn sequence_room(request_bytes: u16) -> usize {
    // What else is in it: the request's number, its variant, the model, the sequence's number and the rows' length.
    usize::from(request_bytes).saturating_sub(5 + 1 + 1 + 5 + 3)
}

/// Rows of a sequence.
fn row_count(served: Served, rows: &[u8]) -> Result<u16, LinkError> {
    let row_bytes = served.row_bytes;
    let wrong_length = LinkError::SequenceLength { found: rows.len(), row_bytes };
    if row_bytes == 0 || rows.is_empty() || !rows.len().is_multiple_of(row_bytes) {
        return Err(wrong_length);
    }
    u16::try_from(rows.len() / row_bytes).map_err(|_| wrong_length)
}

/// Reads so many bytes of logits of that sequence.
fn read_logits(sequence: u32, logits_bytes: usize) -> impl Fn(Reply<'_>) -> Option<Vec<u8>> {
    move |reply| match reply {
        Reply::Logits { sequence: answered, logits } => {
            (answered == sequence && logits.len() == logits_bytes).then(|| logits.into())
        }
        _ => None,
    }
}
