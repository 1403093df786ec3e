//! A model of any cell and shape, with the state of the sequence that it is reading.

use refrain::cell::Cell;
use refrain::{
    Header, Logit, Model, ModelError, Operands, Part, RowLength, SampleType, SelfTestError, State,
};

/// Runs a part of a timestep and measures it.
pub type MeasurePart<'p> = &'p mut dyn FnMut(Part, &mut dyn FnMut());

/// What the firmware needs of a model; [`Network`] has it for every cell and shape.
pub trait Classifier {
    /// What the model file says of itself.
    fn header(&self) -> &Header<'_>;

    /// CRC-32 of the model file.
    fn crc(&self) -> u32;

    /// Begins a new sequence.
    fn reset(&mut self);

    /// One timestep: a row as it travels on the link.
    ///
    /// # Errors
    /// [`RowLength`], and the state stays as it was.
    fn step(&mut self, row: &[u8]) -> Result<(), RowLength>;

    /// [`step`](Self::step), and then its parts again, see [`Model::step_bytes_in_parts`]: `measure` runs each of them.
    ///
    /// # Errors
    /// Those of [`step`](Self::step).
    fn step_in_parts(&mut self, row: &[u8], measure: MeasurePart<'_>) -> Result<(), RowLength>;

    /// The logits of the sequence so far, four bytes each as they travel on the link.
    fn logits(&mut self) -> &[u8];

    /// Runs the sequences that the model file carries against the logits that it says they give, and keeps what comes of that
    /// as its [`verdict`](Self::verdict).
    ///
    /// # Errors
    /// Those of [`Model::self_test`].
    fn self_test(&mut self) -> Result<(), SelfTestError>;

    /// What came of the last [`self_test`](Self::self_test); of a model that was never tested nothing is known against it.
    ///
    /// # Errors
    /// Those of the self-test.
    fn verdict(&self) -> Result<(), SelfTestError>;
}

/// A model, the state of one sequence, and room for its logits. `S` is what the model's samples are computed from, as
/// in [`Model`].
#[derive(Clone, Debug)]
pub struct Network<
    'a,
    C: Cell,
    const INPUTS: usize,
    const UNITS: usize,
    const OUTPUTS: usize,
    const LAYERS: usize,
    S: SampleType,
> {
    model: Model<'a, C, INPUTS, UNITS, OUTPUTS, LAYERS, S>,
    state: State<C, UNITS, LAYERS>,
    operands: Operands<C, INPUTS>,
    logits: [[u8; 4]; OUTPUTS],
    verdict: Result<(), SelfTestError>,
}

impl<
    'a,
    C: Cell,
    const INPUTS: usize,
    const UNITS: usize,
    const OUTPUTS: usize,
    const LAYERS: usize,
    S: SampleType,
> Network<'a, C, INPUTS, UNITS, OUTPUTS, LAYERS, S>
{
    /// Checks a model file and borrows from it.
    ///
    /// # Errors
    /// Those of [`Model::from_bytes`].
    pub fn from_bytes(file: &'a [u8]) -> Result<Self, ModelError> {
        Ok(Self {
            model: Model::from_bytes(file)?,
            state: State::new(),
            operands: Operands::new(),
            logits: [[0; 4]; OUTPUTS],
            verdict: Ok(()),
        })
    }
}

impl<
    C: Cell,
    const INPUTS: usize,
    const UNITS: usize,
    const OUTPUTS: usize,
    const LAYERS: usize,
    S: SampleType,
> Classifier for Network<'_, C, INPUTS, UNITS, OUTPUTS, LAYERS, S>
{
    fn header(&self) -> &Header<'_> {
        self.model.header()
    }

    fn crc(&self) -> u32 {
        self.model.crc()
    }

    fn reset(&mut self) {
        self.state.reset();
    }

    fn step(&mut self, row: &[u8]) -> Result<(), RowLength> {
        self.model.step_bytes_in(&mut self.state, row, &mut self.operands)
    }

    fn step_in_parts(&mut self, row: &[u8], measure: MeasurePart<'_>) -> Result<(), RowLength> {
        self.model.step_bytes_in_parts(&mut self.state, row, &mut self.operands, measure)
    }

    fn logits(&mut self) -> &[u8] {
        self.logits = self.model.logits(&self.state).map(Logit::to_bytes);
        self.logits.as_flattened()
    }

    fn self_test(&mut self) -> Result<(), SelfTestError> {
        self.verdict = self.model.self_test();
        self.verdict
    }

    fn verdict(&self) -> Result<(), SelfTestError> {
        self.verdict
    }
}
