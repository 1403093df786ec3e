//! How much the line carries.

use std::collections::VecDeque;
use std::ops::AddAssign;
use std::time::Instant;

use refrain::link::{ECHO_BYTES, Request};
use serde::Serialize;

use super::client::{Client, is_echo_of};
use super::error::LinkError;
use super::transport::Transport;

/// Echoes on their way at a time: while one comes back the next one goes.
const IN_FLIGHT: usize = 2;

/// What a line has carried to the board, beside what it carries at most.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LineRate {
    /// Bytes a second to the board, frames and repeats included.
    pub bytes_per_second: f64,
    /// Bytes a second of echoes to the board, measured in the same run, while as many came back.
    pub echo_bytes_per_second: f64,
    /// The first by the second.
    pub share_of_echo: f64,
}

/// What went to a board in a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Carried {
    /// Bytes, frames and repeats included.
    pub bytes: u64,
    /// How long it took.
    pub seconds: f64,
}

impl Carried {
    fn bytes_per_second(self) -> f64 {
        self.bytes as f64 / self.seconds
    }
}

impl AddAssign for Carried {
    fn add_assign(&mut self, more: Self) {
        self.bytes += more.bytes;
        self.seconds += more.seconds;
    }
}

impl LineRate {
    /// What was carried, beside what echoes in the same run made of the line.
    pub fn new(carried: Carried, echoes: Carried) -> Self {
        let [bytes_per_second, echo_bytes_per_second] = [carried, echoes].map(Carried::bytes_per_second);
        let share_of_echo = bytes_per_second / echo_bytes_per_second;
        Self { bytes_per_second, echo_bytes_per_second, share_of_echo }
    }
}

impl<T: Transport> Client<T> {
    /// Does `work`, and returns what it gives and what went to the board meanwhile.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn carried<A>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<A, LinkError>,
    ) -> Result<(A, Carried), LinkError> {
        let (start, before) = (Instant::now(), self.sent_bytes());
        let result = work(self)?;
        let (bytes, seconds) = (self.sent_bytes() - before, start.elapsed().as_secs_f64());
        Ok((result, Carried { bytes, seconds }))
    }

    /// Has the board send back `count` messages of [`ECHO_BYTES`], without waiting for one before the next is sent: as
    /// much as the line carries.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn echoes(&mut self, count: usize) -> Result<(), LinkError> {
        // They are of many values, zeros among them.
        let bytes: [u8; ECHO_BYTES] = std::array::from_fn(|index| (index * 7) as u8);
        let mut in_flight = VecDeque::new();
        for _ in 0..count {
            if in_flight.len() == IN_FLIGHT {
                self.take_echo(&mut in_flight, &bytes)?;
            }
            in_flight.push_back(self.post(Request::Echo { bytes: &bytes })?);
        }
        while !in_flight.is_empty() {
            self.take_echo(&mut in_flight, &bytes)?;
        }
        Ok(())
    }

    /// Waits for the echo that was asked for first. One that was lost is asked for anew, by itself.
    fn take_echo(&mut self, in_flight: &mut VecDeque<u32>, bytes: &[u8]) -> Result<(), LinkError> {
        let Some(number) = in_flight.pop_front() else { return Ok(()) };
        if self.wait_for("Echo", number, is_echo_of(bytes))?.is_none() {
            self.count_retry();
            self.echo(bytes)?;
        }
        Ok(())
    }
}
