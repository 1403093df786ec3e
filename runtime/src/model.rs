//! A checked network of one cell, its sizes fixed when it is compiled.

use crate::cell::{self, Cell, Logit, Value, Weights};
use crate::float;
use crate::format::{File, Header, ModelError, SectionKind};
use crate::state::State;
use crate::{MAX_INPUTS, MAX_OUTPUTS, MAX_UNITS, Scaling, Shape, Task};

/// A network: `INPUTS` features a timestep, one recurrent cell of `UNITS` units, `OUTPUTS` logits.
///
/// [`from_bytes`](Self::from_bytes) checks everything once and borrows the weights; after that nothing can fail
/// or panic, and nothing is allocated. [`SimpleRnn`], [`Lstm`], [`Gru`] and their `Float` counterparts name the
/// cells; only the code of the cells that a program names is linked into it.
///
/// ```
/// use refrain::{Lstm, State, argmax};
///
/// static MODEL: &[u8] = refrain::include_model!("../../firmware/models/lstm.rfn");
///
/// let model = Lstm::<28, 64, 10>::from_bytes(MODEL)?;
/// let mut state = State::new();
/// for row in 0..28 {
///     // a stroke from top to bottom
///     let mut pixels = [0u8; 28];
///     if (4..24).contains(&row) {
///         pixels[13..16].fill(255);
///     }
///     model.step(&mut state, &pixels);
/// }
/// assert_eq!(argmax(&model.logits(&state)), 1);
/// # Ok::<(), refrain::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Model<'a, C: Cell, const INPUTS: usize, const UNITS: usize, const OUTPUTS: usize> {
    header: Header<'a>,
    crc: u32,
    weights: C::Weights<'a>,
    self_test: Option<SelfTest<'a, C::Logit>>,
}

/// A [`SimpleRNN`](cell::SimpleRnn) network on integers.
///
/// ```
/// let file = refrain::include_model!("../../firmware/models/simple-rnn.rfn");
/// let model = refrain::SimpleRnn::<28, 64, 10>::from_bytes(file)?;
/// assert_eq!(model.self_test(), Ok(()));
/// # Ok::<(), refrain::ModelError>(())
/// ```
pub type SimpleRnn<'a, const I: usize, const U: usize, const O: usize> = Model<'a, cell::SimpleRnn, I, U, O>;
/// An [`LSTM`](cell::Lstm) network on integers.
///
/// ```
/// let file = refrain::include_model!("../../firmware/models/lstm.rfn");
/// let model = refrain::Lstm::<28, 64, 10>::from_bytes(file)?;
/// assert_eq!(model.self_test(), Ok(()));
/// # Ok::<(), refrain::ModelError>(())
/// ```
pub type Lstm<'a, const I: usize, const U: usize, const O: usize> = Model<'a, cell::Lstm, I, U, O>;
/// A [`GRU`](cell::Gru) network on integers.
///
/// ```
/// let file = refrain::include_model!("../../firmware/models/gru.rfn");
/// let model = refrain::Gru::<28, 64, 10>::from_bytes(file)?;
/// assert_eq!(model.self_test(), Ok(()));
/// # Ok::<(), refrain::ModelError>(())
/// ```
pub type Gru<'a, const I: usize, const U: usize, const O: usize> = Model<'a, cell::Gru, I, U, O>;
/// A [`SimpleRNN`](float::SimpleRnn) network on floats.
///
/// ```
/// use refrain::{FloatSimpleRnn, ModelError, Numbers};
///
/// // the shipped models compute with integers
/// let file = refrain::include_model!("../../firmware/models/simple-rnn.rfn");
/// let error = FloatSimpleRnn::<28, 64, 10>::from_bytes(file).unwrap_err();
/// assert_eq!(error, ModelError::Numbers { found: Numbers::Int8, expected: Numbers::F32 });
/// ```
pub type FloatSimpleRnn<'a, const I: usize, const U: usize, const O: usize> =
    Model<'a, float::SimpleRnn, I, U, O>;
/// An [`LSTM`](float::Lstm) network on floats.
///
/// ```
/// use refrain::{FloatLstm, ModelError, Numbers};
///
/// // the shipped models compute with integers
/// let file = refrain::include_model!("../../firmware/models/lstm.rfn");
/// let error = FloatLstm::<28, 64, 10>::from_bytes(file).unwrap_err();
/// assert_eq!(error, ModelError::Numbers { found: Numbers::Int8, expected: Numbers::F32 });
/// ```
pub type FloatLstm<'a, const I: usize, const U: usize, const O: usize> = Model<'a, float::Lstm, I, U, O>;
/// A [`GRU`](float::Gru) network on floats.
///
/// ```
/// use refrain::{FloatGru, ModelError, Numbers};
///
/// // the shipped models compute with integers
/// let file = refrain::include_model!("../../firmware/models/gru.rfn");
/// let error = FloatGru::<28, 64, 10>::from_bytes(file).unwrap_err();
/// assert_eq!(error, ModelError::Numbers { found: Numbers::Int8, expected: Numbers::F32 });
/// ```
pub type FloatGru<'a, const I: usize, const U: usize, const O: usize> = Model<'a, float::Gru, I, U, O>;

impl<'a, C: Cell, const INPUTS: usize, const UNITS: usize, const OUTPUTS: usize>
    Model<'a, C, INPUTS, UNITS, OUTPUTS>
{
    /// Checks a model file and borrows from it.
    ///
    /// # Errors
    /// Any [`ModelError`]: the bytes are no whole, undamaged model file of this version that begins at a
    /// multiple of 16 ([`include_model!`](crate::include_model) sees to that), or it holds another cell, other
    /// numbers or another shape, or weights that the arithmetic is not exact for.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, ModelError> {
        const {
            let sizes = INPUTS <= MAX_INPUTS && UNITS <= MAX_UNITS && OUTPUTS <= MAX_OUTPUTS;
            assert!(
                sizes,
                "no model file is as large as this type: see MAX_INPUTS, MAX_UNITS and MAX_OUTPUTS"
            );
        }
        let file = File::read(bytes)?;
        let (found, expected) = (
            file.header.shape,
            Shape { inputs: INPUTS as u16, units: UNITS as u16, outputs: OUTPUTS as u16, layers: 1 },
        );
        if found != expected {
            return Err(ModelError::Shape { found, expected });
        }
        Self::from_file(&file)
    }

    /// The network of a file whose shape may be smaller than this type's.
    pub(crate) fn from_file(file: &File<'a>) -> Result<Self, ModelError> {
        if file.header.cell != C::KIND {
            return Err(ModelError::Cell { found: file.header.cell, expected: C::KIND });
        }
        if file.header.numbers != C::NUMBERS {
            return Err(ModelError::Numbers { found: file.header.numbers, expected: C::NUMBERS });
        }
        let supported = file.header.shape.layers == 1
            && matches!(file.header.input.scaling, Scaling::Uniform { .. })
            && file.header.output.task == Task::Classification;
        if !supported {
            return Err(ModelError::Unsupported);
        }
        let (weights, self_test) = (C::Weights::read(file)?, SelfTest::read(file)?);
        Ok(Self { header: file.header.clone(), crc: file.crc, weights, self_test })
    }

    /// What the file says of itself.
    pub fn header(&self) -> &Header<'a> {
        &self.header
    }

    /// CRC-32 of the file: tells models apart.
    pub fn crc(&self) -> u32 {
        self.crc
    }

    /// One timestep. Samples outside the range that the model declares count as the nearest inside it.
    pub fn step<S: Sample>(&self, state: &mut State<C, UNITS>, row: &[S; INPUTS]) {
        self.step_samples(state, row.iter().map(|&sample| sample.to_i16()));
    }

    /// One timestep from a row as it travels on the link: each feature as
    /// [`Samples`](crate::Samples) says.
    ///
    /// # Errors
    /// [`RowLength`], and the state stays as it was.
    pub fn step_bytes(&self, state: &mut State<C, UNITS>, row: &[u8]) -> Result<(), RowLength> {
        let expected = self.header.row_bytes();
        if row.len() != expected {
            return Err(RowLength { found: row.len(), expected });
        }
        match self.header.input.samples.bytes() {
            1 => self.step_samples(state, row.iter().map(|&byte| byte.into())),
            _ => {
                let (pairs, _) = row.as_chunks();
                self.step_samples(state, pairs.iter().map(|&pair| i16::from_le_bytes(pair)));
            }
        }
        Ok(())
    }

    /// The logits of the sequence so far; may be read after any timestep.
    pub fn logits(&self, state: &State<C, UNITS>) -> [C::Logit; OUTPUTS] {
        let mut logits = [C::Logit::default(); OUTPUTS];
        self.logits_into(state, &mut logits);
        logits
    }

    /// The logits into the front of a slice.
    pub(crate) fn logits_into(&self, state: &State<C, UNITS>, logits: &mut [C::Logit]) {
        let (units, outputs) = (usize::from(self.header.shape.units), usize::from(self.header.shape.outputs));
        let mut operand = [C::Value::default(); UNITS];
        let hidden = state.hidden().get(..units).unwrap_or_default();
        let operand = operand.get_mut(..units).unwrap_or_default();
        self.weights.logits(hidden, operand, logits.get_mut(..outputs).unwrap_or_default());
    }

    /// Runs the sequences that the file carries and compares every logit with those that it says they give.
    ///
    /// # Errors
    /// [`SelfTestError`]: the file carries none, or a logit differs, which means that this machine computes
    /// wrongly.
    pub fn self_test(&self) -> Result<(), SelfTestError> {
        let test = self.self_test.as_ref().ok_or(SelfTestError::Absent)?;
        let (inputs, outputs) =
            (usize::from(self.header.shape.inputs), usize::from(self.header.shape.outputs));
        let sequences = test.logits.chunks_exact(outputs.max(1));
        let samples_each = test.rows.len() / sequences.len().max(1);
        let mut logits = [C::Logit::default(); OUTPUTS];
        for (sequence, (rows, expected)) in
            test.rows.chunks_exact(samples_each.max(1)).zip(sequences).enumerate()
        {
            let mut state = State::new();
            for row in rows.chunks_exact(inputs.max(1)) {
                self.step_samples(&mut state, row.iter().copied());
            }
            self.logits_into(&state, &mut logits);
            if logits.get(..outputs) != Some(expected) {
                return Err(SelfTestError::Mismatch { sequence });
            }
        }
        Ok(())
    }

    fn step_samples(&self, state: &mut State<C, UNITS>, samples: impl Iterator<Item = i16>) {
        let (inputs, units) = (usize::from(self.header.shape.inputs), usize::from(self.header.shape.units));
        let mut row = [C::Value::default(); INPUTS];
        for (value, sample) in row.iter_mut().zip(samples) {
            *value = C::Value::from_sample(sample, &self.header.input);
        }
        let mut old = [C::Value::default(); UNITS];
        let row = row.get(..inputs).unwrap_or_default();
        self.weights.step(state.parts(units), row, old.get_mut(..units).unwrap_or_default());
    }
}

/// An integer that a sensor gives: `u8`, `i8` or `i16`.
///
/// ```
/// use refrain::Sample;
///
/// assert_eq!([200u8.to_i16(), (-3i8).to_i16()], [200, -3]);
/// ```
pub trait Sample: cell::sealed::Sealed + Copy {
    /// The same number.
    fn to_i16(self) -> i16;
}

macro_rules! samples {
    ($($integer:ty),*) => {$(
        impl cell::sealed::Sealed for $integer {}
        impl Sample for $integer {
            fn to_i16(self) -> i16 {
                self.into()
            }
        }
    )*};
}
samples!(u8, i8, i16);

/// A row of bytes has another length than the model's.
///
/// ```
/// let error = refrain::RowLength { found: 27, expected: 28 };
/// assert_eq!(error.to_string(), "a row of 27 bytes came, the model takes 28");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RowLength {
    /// Bytes that came.
    pub found: usize,
    /// Bytes of one row.
    pub expected: usize,
}

impl core::fmt::Display for RowLength {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "a row of {} bytes came, the model takes {}", self.found, self.expected)
    }
}

impl core::error::Error for RowLength {}

/// Why a self-test was not passed.
///
/// ```
/// let error = refrain::SelfTestError::Absent;
/// assert_eq!(error.to_string(), "the model file carries no self-test");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SelfTestError {
    /// The model file carries no self-test.
    Absent,
    /// The logits of a sequence are not those that the file gives.
    Mismatch {
        /// The number of the sequence.
        sequence: usize,
    },
}

impl core::fmt::Display for SelfTestError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Absent => f.write_str("the model file carries no self-test"),
            Self::Mismatch { sequence } => {
                write!(f, "self-test sequence {sequence} gives other logits than the model file expects")
            }
        }
    }
}

impl core::error::Error for SelfTestError {}

/// The self-test that a file carries: `rows: [sequences][timesteps][inputs]`, `logits: [sequences][outputs]`.
#[derive(Clone, Copy, Debug)]
struct SelfTest<'a, L> {
    rows: &'a [i16],
    logits: &'a [L],
}

impl<'a, L: Logit> SelfTest<'a, L> {
    fn read(file: &File<'a>) -> Result<Option<Self>, ModelError> {
        let Some(logits) = file.optional::<L>(SectionKind::SelfTestLogits)? else {
            file.forbid(SectionKind::SelfTestRows)?;
            return Ok(None);
        };
        let (inputs, outputs) =
            (usize::from(file.header.shape.inputs), usize::from(file.header.shape.outputs));
        let sequences = (logits.len() / outputs.max(1)).max(1);
        let logits = file.section(SectionKind::SelfTestLogits, sequences * outputs)?;
        let found = file.optional::<i16>(SectionKind::SelfTestRows)?.map_or(0, <[i16]>::len);
        // saturating: on a 32-bit machine a hostile file can name more samples than a `usize` counts
        let each_timestep = sequences.saturating_mul(inputs);
        let timesteps = (found / each_timestep.max(1)).max(1);
        let rows = file.section(SectionKind::SelfTestRows, each_timestep.saturating_mul(timesteps))?;
        Ok(Some(Self { rows, logits }))
    }
}

/// The index of the greatest value, the first of equals: the class that logits speak for.
///
/// ```
/// assert_eq!(refrain::argmax(&[-3, 7, 7, 1]), 1);
/// ```
pub fn argmax<L: PartialOrd>(logits: &[L]) -> usize {
    let mut best = 0;
    for (index, logit) in logits.iter().enumerate() {
        if logits.get(best).is_some_and(|greatest| logit > greatest) {
            best = index;
        }
    }
    best
}

/// Logits as numbers, for [`softmax`](crate::float::activation::softmax).
///
/// ```
/// assert_eq!(refrain::to_f32(&[65_536, -32_768]), [1.0, -0.5]);
/// ```
pub fn to_f32<L: Logit, const OUTPUTS: usize>(logits: &[L; OUTPUTS]) -> [f32; OUTPUTS] {
    logits.map(Logit::to_f32)
}
