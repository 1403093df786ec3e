//! Stand-ins for tests.

use std::cell::Cell;

use refrain::{CellKind, Header, InputFormat, Numbers, OutputFormat, Part, RowLength, Samples, Scaling};
use refrain::{SelfTestError, Shape, Steps, Task};

use crate::classifier::MeasurePart;
use crate::{Classifier, Clock, DepthGauge};

/// A clock that goes on by a fixed step each time it is read.
pub(crate) struct SteppedClock {
    now: Cell<u64>,
    step: u64,
}

impl SteppedClock {
    pub(crate) fn new(step: u64) -> Self {
        Self { now: Cell::new(0), step }
    }

    pub(crate) fn advance(&self, ticks: u64) {
        self.now.set(self.now.get() + ticks);
    }
}

impl Clock for &SteppedClock {
    fn now(&self) -> u64 {
        self.advance(self.step);
        self.now.get()
    }

    fn ticks_per_1000_instructions(&self) -> u32 {
        25_600
    }

    /// A tick is a microsecond; being asked for it takes none.
    fn micros(&self) -> u64 {
        self.now.get()
    }
}

/// A gauge that measures ticks of a clock instead of bytes of stack.
pub(crate) struct CountingGauge<'c> {
    clock: &'c SteppedClock,
    marked: u64,
}

impl<'c> CountingGauge<'c> {
    pub(crate) fn new(clock: &'c SteppedClock) -> Self {
        Self { clock, marked: 0 }
    }
}

impl DepthGauge for CountingGauge<'_> {
    fn mark(&mut self) {
        self.marked = self.clock.now();
    }

    fn depth(&self) -> u32 {
        (self.clock.now() - self.marked) as u32
    }
}

/// A classifier whose state is every row since the last reset, so that a missing, doubled or misplaced step
/// shows: its two logits are how many rows it took and a checksum of them in their order.
pub(crate) struct Recorder<'c> {
    header: Header<'static>,
    clock: &'c SteppedClock,
    rows: Vec<u8>,
    logits: [u8; 8],
    verdict: Result<(), SelfTestError>,
}

/// Ticks of a [`Recorder`]'s step and of its logits.
pub(crate) const STEP_TICKS: u64 = 1000;
pub(crate) const LOGITS_TICKS: u64 = 10;
/// Ticks of its step that no layer takes.
pub(crate) const INPUT_TICKS: u64 = 300;

impl<'c> Recorder<'c> {
    /// Takes rows of `inputs` bytes.
    pub(crate) fn new(name: &'static str, inputs: u16, clock: &'c SteppedClock) -> Self {
        let header = Header {
            magic: refrain::format::MAGIC,
            version: refrain::format::VERSION,
            cell: CellKind::Gru,
            numbers: Numbers::Int8,
            shape: Shape { inputs, units: 4, outputs: 2, layers: 1 },
            timesteps: 3,
            input: InputFormat {
                samples: Samples::U8,
                scaling: Scaling::Uniform { scale: 1.0, min: 0, max: 255, shift: 0 },
            },
            output: OutputFormat { task: Task::Classification, steps: Steps::Last },
            operand_bits: 8,
            cell_bits: 0,
            name: name.into(),
            labels: "".into(),
            sections: Default::default(),
        };
        Self { header, clock, rows: Vec::new(), logits: [0; 8], verdict: Ok(()) }
    }

    /// The same, that answers after every timestep.
    pub(crate) fn answering_every_step(self) -> Self {
        let output = OutputFormat { steps: Steps::Every, ..self.header.output };
        Self { header: Header { output, ..self.header }, ..self }
    }

    /// The same, whose answers are values.
    #[cfg(feature = "stream")]
    pub(crate) fn for_regression(self) -> Self {
        let output = OutputFormat { task: Task::Regression, ..self.header.output };
        Self { header: Header { output, ..self.header }, ..self }
    }

    /// The logits of a sequence of rows.
    pub(crate) fn expected(rows: &[&[u8]]) -> Vec<u8> {
        let bytes = rows.concat();
        [(rows.len() as u32).to_le_bytes(), refrain::crc32(&bytes).to_le_bytes()].concat()
    }
}

impl Classifier for Recorder<'_> {
    fn header(&self) -> &Header<'_> {
        &self.header
    }

    fn crc(&self) -> u32 {
        0xfeed_beef
    }

    fn reset(&mut self) {
        self.rows.clear();
    }

    fn step(&mut self, row: &[u8]) -> Result<(), RowLength> {
        let expected = self.header.row_bytes();
        if row.len() != expected {
            return Err(RowLength { found: row.len(), expected });
        }
        self.rows.extend_from_slice(row);
        self.clock.advance(STEP_TICKS);
        Ok(())
    }

    fn step_in_parts(&mut self, row: &[u8], measure: MeasurePart<'_>) -> Result<(), RowLength> {
        let clock = self.clock;
        let mut taken = Ok(());
        measure(Part::Step, &mut || taken = self.step(row));
        measure(Part::Layers(1), &mut || clock.advance(STEP_TICKS - INPUT_TICKS));
        taken
    }

    fn logits(&mut self) -> &[u8] {
        let rows: Vec<&[u8]> = self.rows.chunks(self.header.row_bytes()).collect();
        self.logits.copy_from_slice(&Self::expected(&rows));
        self.clock.advance(LOGITS_TICKS);
        &self.logits
    }

    fn self_test(&mut self) -> Result<(), SelfTestError> {
        self.verdict = Err(SelfTestError::Absent);
        self.verdict
    }

    fn verdict(&self) -> Result<(), SelfTestError> {
        self.verdict
    }
}
