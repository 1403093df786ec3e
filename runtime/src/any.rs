//! A network of any cell and shape, for tools.

use crate::cell::{self, Cell, Logit, Value};
use crate::format::{File, Header, ModelError, Numbers};
use crate::model::{Model, Operands, RowLength};
use crate::self_test::SelfTestError;
use crate::state::State;
use crate::{CellKind, MAX_INPUTS, MAX_LAYERS, MAX_OUTPUTS, MAX_UNITS, Shape, float};

type Large<'a, C> = Model<'a, C, MAX_INPUTS, MAX_UNITS, MAX_OUTPUTS, MAX_LAYERS, f32>;
type LargeState<C> = State<C, MAX_UNITS, MAX_LAYERS>;

/// Bytes of a logit on the link.
const LOGIT_BYTES: usize = 4;

/// Any model that a file can hold, chosen when it is read.
///
/// For tools on machines with memory to spare: its state has room for the largest network. A program for a
/// board names its cell and sizes instead, see [`Model`].
///
/// ```
/// use refrain::{AnyModel, CellKind};
///
/// let model = AnyModel::from_bytes(refrain::include_model!("../../firmware/models/gru.rfn"))?;
/// assert_eq!(model.header().cell, CellKind::Gru);
/// let mut logits = [0; 10 * 4];
/// model.classify(&[0; 28 * 28], &mut logits).expect("28 rows of 28 bytes, 10 logits");
/// # Ok::<(), refrain::ModelError>(())
/// ```
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each holds the network that its name says")]
pub enum AnyModel<'a> {
    SimpleRnn(Large<'a, cell::SimpleRnn>),
    SimpleRnn4(Large<'a, cell::SimpleRnn4>),
    Lstm(Large<'a, cell::Lstm>),
    Lstm4(Large<'a, cell::Lstm4>),
    Gru(Large<'a, cell::Gru>),
    Gru4(Large<'a, cell::Gru4>),
    FloatSimpleRnn(Large<'a, float::SimpleRnn>),
    FloatLstm(Large<'a, float::Lstm>),
    FloatGru(Large<'a, float::Gru>),
}

/// Calls `$body` with the network in whichever variant `$any` is.
macro_rules! with {
    ($any:expr, $model:ident => $body:expr) => {
        match $any {
            AnyModel::SimpleRnn($model) => $body,
            AnyModel::SimpleRnn4($model) => $body,
            AnyModel::Lstm($model) => $body,
            AnyModel::Lstm4($model) => $body,
            AnyModel::Gru($model) => $body,
            AnyModel::Gru4($model) => $body,
            AnyModel::FloatSimpleRnn($model) => $body,
            AnyModel::FloatLstm($model) => $body,
            AnyModel::FloatGru($model) => $body,
        }
    };
}

impl<'a> AnyModel<'a> {
    /// Checks a model file and borrows from it.
    ///
    /// # Errors
    /// Those of [`Model::from_bytes`], but for another cell, numbers or shape.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, ModelError> {
        File::check(bytes, None)?;
        let file = File::of(bytes);
        Ok(match (file.header.cell, file.header.numbers) {
            (CellKind::SimpleRnn, Numbers::Int8) => Self::SimpleRnn(Model::of(file)?),
            (CellKind::SimpleRnn, Numbers::Int4) => Self::SimpleRnn4(Model::of(file)?),
            (CellKind::Lstm, Numbers::Int8) => Self::Lstm(Model::of(file)?),
            (CellKind::Lstm, Numbers::Int4) => Self::Lstm4(Model::of(file)?),
            (CellKind::Gru, Numbers::Int8) => Self::Gru(Model::of(file)?),
            (CellKind::Gru, Numbers::Int4) => Self::Gru4(Model::of(file)?),
            (CellKind::SimpleRnn, Numbers::F32) => Self::FloatSimpleRnn(Model::of(file)?),
            (CellKind::Lstm, Numbers::F32) => Self::FloatLstm(Model::of(file)?),
            (CellKind::Gru, Numbers::F32) => Self::FloatGru(Model::of(file)?),
        })
    }

    /// What the file says of itself.
    pub fn header(&self) -> &Header<'a> {
        with!(self, model => model.header())
    }

    /// CRC-32 of the file.
    pub fn crc(&self) -> u32 {
        with!(self, model => model.crc())
    }

    /// As [`Model::self_test`].
    ///
    /// # Errors
    /// Those of [`Model::self_test`].
    pub fn self_test(&self) -> Result<(), SelfTestError> {
        with!(self, model => model.self_test())
    }

    /// Reads a sequence, `timesteps` rows as bytes on the link one behind the other, and writes each logit as
    /// the four bytes that travel on the link: an `i32` in Q16, or an `f32`.
    ///
    /// # Errors
    /// [`RowLength`] where `sequence` is not a whole number of rows or `logits` not four bytes for each.
    pub fn classify(&self, sequence: &[u8], logits: &mut [u8]) -> Result<(), RowLength> {
        with!(self, model => classify(model, sequence, logits))
    }

    /// Reads a sequence as [`classify`](Self::classify) does and writes the logits after each timestep:
    /// `logits: [timesteps][outputs]`, four bytes each.
    ///
    /// # Errors
    /// [`RowLength`] where `sequence` is not a whole number of rows or `logits` not four bytes for each logit of
    /// every row.
    pub fn classify_every_step(&self, sequence: &[u8], logits: &mut [u8]) -> Result<(), RowLength> {
        with!(self, model => classify_every_step(model, sequence, logits))
    }

    /// How many of a sequence's rows, in bytes as for [`classify`](Self::classify), are blank before the first that is not:
    /// a row is blank when all operands that become of it are zero.
    ///
    /// ```
    /// let model = refrain::AnyModel::from_bytes(refrain::include_model!("../../firmware/models/gru.rfn"))?;
    /// let mut image = [0; 28 * 28];
    /// image[28 * 5 + 13] = 255;
    /// assert_eq!(model.leading_blank_rows(&image), Ok(5));
    /// # Ok::<(), refrain::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// [`RowLength`] where `sequence` is not a whole number of rows.
    pub fn leading_blank_rows(&self, sequence: &[u8]) -> Result<usize, RowLength> {
        with!(self, model => model.leading_blank_rows(sequence))
    }

    /// Bytes that the state after a blank row takes in a section [`BlankStates`](crate::format::SectionKind::BlankStates).
    pub fn blank_state_bytes(&self) -> usize {
        with!(self, model => model.blank_state_bytes())
    }

    /// Fills the section [`BlankStates`](crate::format::SectionKind::BlankStates) of an integer model, of as many entries as
    /// it has room for.
    pub fn write_blank_states(&self, section: &mut [u8]) {
        with!(self, model => model.write_blank_states(section));
    }

    /// What logits stand for, four bytes each as on the link: themselves in a classification, and in a regression
    /// values in the units of its targets. `logits` and `values` are whole rows of outputs.
    pub fn values(&self, logits: &[u8], values: &mut [f32]) {
        let Header { numbers, shape, .. } = self.header();
        let (logits, _) = logits.as_chunks();
        for (value, &logit) in values.iter_mut().zip(logits) {
            *value = numbers.logit_value(logit);
        }
        for row in values.chunks_mut(usize::from(shape.outputs).max(1)) {
            with!(self, model => model.scale_values(row));
        }
    }

    /// Reads a sequence as [`classify`](Self::classify) does and writes the hidden state of every layer after each
    /// timestep, as numbers: `hidden: [timesteps][layers][units]`.
    ///
    /// # Errors
    /// [`RowLength`] where `sequence` is not a whole number of rows.
    pub fn trace(&self, sequence: &[u8], hidden: &mut [f32]) -> Result<(), RowLength> {
        with!(self, model => trace(model, sequence, hidden))
    }
}

/// Steps through a sequence; `after` sees the state after each timestep.
fn run<C: Cell>(
    model: &Large<'_, C>,
    sequence: &[u8],
    mut after: impl FnMut(&LargeState<C>),
) -> Result<LargeState<C>, RowLength> {
    // the memory for the longest row is cleared once for each sequence, not at every timestep
    let (mut state, mut operands) = (State::new(), Operands::new());
    for row in sequence.chunks(model.header().row_bytes().max(1)) {
        model.step_bytes_in(&mut state, row, &mut operands)?;
        after(&state);
    }
    Ok(state)
}

/// [`AnyModel::trace`] for one cell.
fn trace<C: Cell>(model: &Large<'_, C>, sequence: &[u8], hidden: &mut [f32]) -> Result<(), RowLength> {
    let Shape { units, layers, .. } = model.header().shape;
    let (units, layers) = (usize::from(units), usize::from(layers));
    let mut places = hidden.chunks_exact_mut(units.max(1));
    run(model, sequence, |state| {
        for (layer, place) in state.hidden().iter().take(layers).zip(&mut places) {
            for (to, &from) in place.iter_mut().zip(layer) {
                *to = from.to_f32();
            }
        }
    })?;
    Ok(())
}

/// [`AnyModel::classify`] for one cell.
fn classify<C: Cell>(model: &Large<'_, C>, sequence: &[u8], logits: &mut [u8]) -> Result<(), RowLength> {
    check_room(model, 1, logits)?;
    let state = run(model, sequence, |_| {})?;
    write_logits(model, &state, logits);
    Ok(())
}

/// [`AnyModel::classify_every_step`] for one cell.
fn classify_every_step<C: Cell>(
    model: &Large<'_, C>,
    sequence: &[u8],
    logits: &mut [u8],
) -> Result<(), RowLength> {
    let header = model.header();
    check_room(model, sequence.len() / header.row_bytes().max(1), logits)?;
    let mut places = logits.chunks_exact_mut(usize::from(header.shape.outputs).max(1) * LOGIT_BYTES);
    run(model, sequence, |state| {
        if let Some(place) = places.next() {
            write_logits(model, state, place);
        }
    })?;
    Ok(())
}

/// Refuses a place for another number of logits than those after `steps` timesteps.
fn check_room<C: Cell>(model: &Large<'_, C>, steps: usize, logits: &[u8]) -> Result<(), RowLength> {
    let (found, expected) = (logits.len(), steps * usize::from(model.header().shape.outputs) * LOGIT_BYTES);
    if found == expected { Ok(()) } else { Err(RowLength { found, expected }) }
}

/// The logits of a state, four bytes each.
fn write_logits<C: Cell>(model: &Large<'_, C>, state: &LargeState<C>, logits: &mut [u8]) {
    let mut values = [C::Logit::default(); MAX_OUTPUTS];
    model.logits_into(state, &mut values);
    for (bytes, value) in logits.chunks_exact_mut(LOGIT_BYTES).zip(values) {
        bytes.copy_from_slice(&value.to_bytes());
    }
}
