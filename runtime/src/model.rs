//! A checked network of one cell, its sizes fixed when it is compiled.

use core::marker::PhantomData;

use crate::blank;
use crate::cell::{Cell, Logit, Value, Weights};
use crate::format::{Expected, File, Header, ModelError, SectionKind};
use crate::sample::{Inputs, Sample, SampleType};
use crate::self_test::{SelfTest, SelfTestError};
use crate::state::{BEGUN, State};
use crate::{MAX_INPUTS, MAX_LAYERS, MAX_OUTPUTS, MAX_UNITS, Shape};

/// A network: `INPUTS` features a timestep, `LAYERS` recurrent layers of `UNITS` units each, `OUTPUTS` logits, for
/// samples of type `S`.
///
/// [`from_bytes`](Self::from_bytes) checks everything once and borrows the weights; after that nothing can fail
/// or panic, and nothing is allocated. [`SimpleRnn`](crate::SimpleRnn), [`Lstm`](crate::Lstm), [`Gru`](crate::Gru)
/// and their `Float` counterparts name the cells; only the code of the cells that a program names is linked into it.
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
pub struct Model<
    'a,
    C: Cell,
    const INPUTS: usize,
    const UNITS: usize,
    const OUTPUTS: usize,
    const LAYERS: usize = 1,
    S: SampleType = i16,
> {
    file: File<'a>,
    network: PhantomData<(C, S)>,
}

/// Memory in which a row of samples becomes operands of the kernel. What is in it does not matter; a caller who keeps it
/// from one timestep to the next saves that it is cleared for each.
///
/// ```
/// use refrain::{Lstm, Operands, State};
///
/// let model = Lstm::<28, 64, 10>::from_bytes(refrain::include_model!("../../firmware/models/lstm.rfn"))?;
/// let (mut state, mut operands) = (State::new(), Operands::new());
/// for row in [[0; 28]; 28] {
///     model.step_bytes_in(&mut state, &row, &mut operands).expect("28 bytes");
/// }
/// # Ok::<(), refrain::ModelError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[repr(align(4))]
pub struct Operands<C: Cell, const INPUTS: usize>(pub(crate) [C::Value; INPUTS]);

impl<C: Cell, const INPUTS: usize> Operands<C, INPUTS> {
    /// Zeros.
    pub fn new() -> Self {
        Self([C::Value::default(); INPUTS])
    }
}

impl<C: Cell, const INPUTS: usize> Default for Operands<C, INPUTS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<
    'a,
    C: Cell,
    const INPUTS: usize,
    const UNITS: usize,
    const OUTPUTS: usize,
    const LAYERS: usize,
    S: SampleType,
> Model<'a, C, INPUTS, UNITS, OUTPUTS, LAYERS, S>
{
    /// Checks a model file and borrows from it.
    ///
    /// # Errors
    /// Any [`ModelError`]: the bytes are no whole, undamaged model file of this version that begins at a
    /// multiple of 16 ([`include_model!`](crate::include_model) sees to that), or it holds another cell, other
    /// numbers or another shape, takes floats where `S` is `i16`, has weights that the arithmetic is not exact
    /// for, or states after blank rows that are not those that it computes.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, ModelError> {
        const {
            assert!(
                INPUTS <= MAX_INPUTS && UNITS <= MAX_UNITS && OUTPUTS <= MAX_OUTPUTS && LAYERS <= MAX_LAYERS,
                "no model file is as large as this type: see MAX_INPUTS, MAX_UNITS, MAX_OUTPUTS and MAX_LAYERS"
            );
        }
        File::check(bytes, Some(&Self::EXPECTED))?;
        Self::of(File::of(bytes))
    }

    /// What a file must be.
    const EXPECTED: Expected = Expected {
        cell: C::KIND,
        numbers: C::NUMBERS,
        takes_floats: S::TAKES_FLOATS,
        shape: Shape {
            inputs: INPUTS as u16,
            units: UNITS as u16,
            outputs: OUTPUTS as u16,
            layers: LAYERS as u8,
        },
    };

    /// The network of a file of that cell and those numbers, checked, whose shape may be smaller than this type's.
    pub(crate) fn of(file: File<'a>) -> Result<Self, ModelError> {
        blank::check::<C, INPUTS, UNITS, LAYERS>(&file)?;
        Ok(Self { file, network: PhantomData })
    }

    /// What the file says of itself.
    pub fn header(&self) -> &Header<'a> {
        &self.file.header
    }

    /// The checked file.
    pub(crate) fn file(&self) -> &File<'a> {
        &self.file
    }

    /// CRC-32 of the file: tells models apart.
    pub fn crc(&self) -> u32 {
        self.file.crc
    }

    /// One timestep. Samples outside the range that the model declares count as the nearest inside it; a sample of
    /// another type than the model's is converted, see [`Sample`].
    pub fn step<T: Sample>(&self, state: &mut State<C, UNITS, LAYERS>, row: &[T; INPUTS]) {
        let mut operands = Operands::new();
        let inputs = S::Inputs::of(&self.file);
        match T::as_bytes(row) {
            Some(bytes) => inputs.bytes(bytes, &mut operands.0),
            None => inputs.row(row.iter().copied(), &mut operands.0),
        }
        self.step_operands(state, &operands);
    }

    /// One timestep from a row as it travels on the link: each feature as [`Samples`](crate::Samples) says.
    ///
    /// # Errors
    /// [`RowLength`], and the state stays as it was.
    pub fn step_bytes(&self, state: &mut State<C, UNITS, LAYERS>, row: &[u8]) -> Result<(), RowLength> {
        self.step_bytes_in(state, row, &mut Operands::new())
    }

    /// [`step_bytes`](Self::step_bytes) with memory that the caller keeps.
    ///
    /// # Errors
    /// [`RowLength`], and the state stays as it was.
    // not inlined, so that it is there once
    #[inline(never)]
    pub fn step_bytes_in(
        &self,
        state: &mut State<C, UNITS, LAYERS>,
        row: &[u8],
        operands: &mut Operands<C, INPUTS>,
    ) -> Result<(), RowLength> {
        self.read_row(row, operands)?;
        self.step_operands(state, operands);
        Ok(())
    }

    /// A row as it travels on the link, as operands.
    pub(crate) fn read_row(&self, row: &[u8], operands: &mut Operands<C, INPUTS>) -> Result<(), RowLength> {
        let expected = self.file.header.row_bytes();
        if row.len() != expected {
            return Err(RowLength { found: row.len(), expected });
        }
        S::read_bytes(&S::Inputs::of(&self.file), self.file.header.input.samples, row, &mut operands.0);
        Ok(())
    }

    /// One timestep from a row of operands.
    fn step_operands(&self, state: &mut State<C, UNITS, LAYERS>, row: &Operands<C, INPUTS>) {
        if !blank::step(&self.file, state, &row.0) {
            compute(&self.file, state, row);
        }
    }

    /// The logits of the sequence so far; may be read after any timestep.
    pub fn logits(&self, state: &State<C, UNITS, LAYERS>) -> [C::Logit; OUTPUTS] {
        let mut logits = [C::Logit::default(); OUTPUTS];
        self.logits_into(state, &mut logits);
        logits
    }

    /// The logits into the front of a slice.
    pub(crate) fn logits_into(&self, state: &State<C, UNITS, LAYERS>, logits: &mut [C::Logit]) {
        if state.lacks_operands() {
            return self.logits_of_blank_rows(state, logits);
        }
        let Shape { units, outputs, layers, .. } = self.file.header.shape;
        let hidden = state.operands(usize::from(layers).wrapping_sub(1), units.into());
        let logits = logits.get_mut(..usize::from(outputs)).unwrap_or_default();
        C::Value::logits(&self.file, hidden, logits);
    }

    /// The logits of a sequence of nothing but blank rows so far. Not inlined: others need no stack for that.
    #[inline(never)]
    fn logits_of_blank_rows(&self, state: &State<C, UNITS, LAYERS>, logits: &mut [C::Logit]) {
        let Header { shape, operand_bits, .. } = self.file.header;
        let mut state = *state;
        state.make_operands([shape.layers.into(), shape.units.into()], operand_bits.into());
        state.next_blank = BEGUN;
        self.logits_into(&state, logits);
    }

    /// The outputs of the sequence so far as numbers: the logits of a classification, or the values of a
    /// regression in the units of its targets.
    pub fn values(&self, state: &State<C, UNITS, LAYERS>) -> [f32; OUTPUTS] {
        let mut values = self.logits(state).map(Logit::to_f32);
        self.scale_values(&mut values);
        values
    }

    /// Gives standardised values their units back.
    pub(crate) fn scale_values(&self, values: &mut [f32]) {
        let scales = self.file.floats(SectionKind::OutputScaling).as_chunks().0;
        for (value, &[mean, deviation]) in values.iter_mut().zip(scales) {
            *value = mean + deviation * *value;
        }
    }

    /// Runs the sequences that the file carries and compares every logit with those that it says they give.
    ///
    /// # Errors
    /// [`SelfTestError`]: the file carries none, or a logit differs, which means that this machine computes
    /// wrongly.
    pub fn self_test(&self) -> Result<(), SelfTestError> {
        let test = SelfTest::<C::Logit>::of(&self.file).ok_or(SelfTestError::Absent)?;
        let outputs = usize::from(self.file.header.shape.outputs);
        let mut operands = Operands::new();
        let mut logits = [C::Logit::default(); OUTPUTS];
        for (sequence, (rows, expected)) in test.sequences().enumerate() {
            let mismatch = SelfTestError::Mismatch { sequence };
            let mut state = State::new();
            for row in rows {
                self.step_bytes_in(&mut state, row, &mut operands).map_err(|_| mismatch)?;
            }
            self.logits_into(&state, &mut logits);
            if logits.get(..outputs) != Some(expected) {
                return Err(mismatch);
            }
        }
        Ok(())
    }
}

/// One timestep from a row of operands: layer after layer, each one's new hidden state the input of the next. Not inlined,
/// so that it is there once.
#[inline(never)]
pub(crate) fn compute<C: Cell, const INPUTS: usize, const UNITS: usize, const LAYERS: usize>(
    file: &File<'_>,
    state: &mut State<C, UNITS, LAYERS>,
    Operands(row): &Operands<C, INPUTS>,
) {
    let Shape { inputs, units, layers, .. } = file.header.shape;
    let row = row.get(..usize::from(inputs)).unwrap_or_default();
    let (sizes, bits) = ([layers.into(), units.into()], file.header.operand_bits.into());
    let weights = C::Weights::of(file);
    state.step_layers(sizes, row, bits, |layer, state, x, old| weights.step(layer, state, x, old));
}

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
