//! What stands in for a board and for its models.

use std::convert::Infallible;
use std::time::Duration;

use embedded_hal::digital::{self, OutputPin};
use embedded_io::{Read, Write};
use refrain::link::{Reply, Source};
use refrain::{
    CellKind, Header, InputFormat, Numbers, OutputFormat, Part, RowLength, Samples, Scaling, SelfTestError,
    Shape, Steps, Task, crc32,
};
use refrain_firmware::classifier::MeasurePart;
use refrain_firmware::{Classifier, Clock, Wait, Watchdog};

/// A line on which bytes arrive, in pieces of at most `piece` bytes, and then no more.
pub(super) struct Line<'l> {
    pub(super) incoming: &'l [u8],
    pub(super) piece: usize,
    pub(super) outgoing: Vec<u8>,
}

impl embedded_io::ErrorType for &mut Line<'_> {
    type Error = Infallible;
}

impl Read for &mut Line<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let count = self.incoming.len().min(self.piece).min(buffer.len());
        let (now, later) = self.incoming.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.incoming = later;
        Ok(count)
    }
}

impl Wait for &mut Line<'_> {
    fn wait(&mut self, _: u32) -> Result<bool, Infallible> {
        Ok(true)
    }
}

impl Write for &mut Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.outgoing.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A light that nobody sees.
pub(super) struct Light;

impl digital::ErrorType for Light {
    type Error = Infallible;
}

impl OutputPin for Light {
    fn set_high(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn set_low(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A clock that stands still.
pub(super) struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> u64 {
        0
    }

    fn ticks_per_1000_instructions(&self) -> u32 {
        0
    }

    fn micros(&self) -> u64 {
        0
    }
}

/// A watchdog that never wakes up.
pub(super) struct Asleep;

/// The longest silence, in microseconds, that it would watch.
pub(super) const LONGEST_SILENCE: u32 = 1 << 30;

impl Watchdog for Asleep {
    fn longest(&self) -> Duration {
        Duration::from_micros(LONGEST_SILENCE.into())
    }

    fn start(&mut self, _: Duration) {}

    fn feed(&mut self) {}

    fn stop(&mut self) {}
}

/// A model whose logits tell how many rows it took since it was reset, and of which bytes in which order: a row that is
/// missing, doubled or misplaced shows.
pub(super) struct Recorder {
    header: Header<'static>,
    rows: Vec<u8>,
    logits: [u8; LOGIT_BYTES],
}

/// Bytes of a recorder's two logits.
pub(super) const LOGIT_BYTES: usize = 8;

impl Recorder {
    /// Takes rows of so many bytes, and answers after such timesteps.
    pub(super) fn new(name: &'static str, inputs: u16, steps: Steps) -> Self {
        let scaling = Scaling::Uniform { scale: 1.0, min: 0, max: 255, shift: 0 };
        let header = Header {
            magic: refrain::format::MAGIC,
            version: refrain::format::VERSION,
            cell: CellKind::SimpleRnn,
            numbers: Numbers::Int8,
            shape: Shape { inputs, units: 1, outputs: 2, layers: 1 },
            timesteps: 3,
            input: InputFormat { samples: Samples::U8, scaling },
            output: OutputFormat { task: Task::Classification, steps },
            operand_bits: 8,
            cell_bits: 0,
            name: name.into(),
            labels: "".into(),
            sections: Default::default(),
        };
        Self { header, rows: Vec::new(), logits: [0; LOGIT_BYTES] }
    }

    /// What a board says of it.
    pub(super) fn described(&self) -> Reply<'static> {
        let Header { name, cell, numbers, shape, input, output, .. } = self.header;
        Reply::Model {
            name: name.as_str(),
            cell,
            numbers,
            shape,
            samples: input.samples,
            output,
            crc: self.crc(),
            source: Source::BuiltIn,
            revision: 0,
        }
    }

    /// The logits after these rows, each of so many bytes, one behind the other.
    pub(super) fn logits_after(rows: &[u8], row_bytes: usize) -> [u8; LOGIT_BYTES] {
        let count = (rows.len() / row_bytes) as u32;
        bytemuck::cast([count.to_le_bytes(), crc32(rows).to_le_bytes()])
    }
}

impl Classifier for Recorder {
    fn header(&self) -> &Header<'_> {
        &self.header
    }

    fn crc(&self) -> u32 {
        self.header.shape.inputs.into()
    }

    fn reset(&mut self) {
        self.rows.clear();
    }

    fn step(&mut self, row: &[u8]) -> Result<(), RowLength> {
        let (found, expected) = (row.len(), self.header.row_bytes());
        if found != expected {
            return Err(RowLength { found, expected });
        }
        self.rows.extend(row);
        Ok(())
    }

    fn step_in_parts(&mut self, row: &[u8], measure: MeasurePart<'_>) -> Result<(), RowLength> {
        let mut taken = Ok(());
        measure(Part::Step, &mut || taken = self.step(row));
        measure(Part::Layers(1), &mut || {});
        taken
    }

    fn logits(&mut self) -> &[u8] {
        self.logits = Self::logits_after(&self.rows, self.header.row_bytes());
        &self.logits
    }

    fn self_test(&mut self) -> Result<(), SelfTestError> {
        Err(SelfTestError::Absent)
    }

    fn verdict(&self) -> Result<(), SelfTestError> {
        Ok(())
    }
}
