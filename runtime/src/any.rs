//! A network of any cell and shape, for tools.

use crate::cell::{self, Cell, Logit, Value};
use crate::format::{File, Header, ModelError, Numbers};
use crate::model::{Model, RowLength, SelfTestError};
use crate::state::State;
use crate::{CellKind, MAX_INPUTS, MAX_OUTPUTS, MAX_UNITS, float};

type Large<'a, C> = Model<'a, C, MAX_INPUTS, MAX_UNITS, MAX_OUTPUTS>;

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
    Lstm(Large<'a, cell::Lstm>),
    Gru(Large<'a, cell::Gru>),
    FloatSimpleRnn(Large<'a, float::SimpleRnn>),
    FloatLstm(Large<'a, float::Lstm>),
    FloatGru(Large<'a, float::Gru>),
}

/// Calls `$body` with the network in whichever variant `$any` is.
macro_rules! with {
    ($any:expr, $model:ident => $body:expr) => {
        match $any {
            AnyModel::SimpleRnn($model) => $body,
            AnyModel::Lstm($model) => $body,
            AnyModel::Gru($model) => $body,
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
        let file = File::read(bytes)?;
        if file.header.numbers == Numbers::Int4 {
            return Err(ModelError::Unsupported);
        }
        Ok(match (file.header.cell, file.header.numbers) {
            (CellKind::SimpleRnn, Numbers::Int8 | Numbers::Int4) => Self::SimpleRnn(Model::from_file(&file)?),
            (CellKind::Lstm, Numbers::Int8 | Numbers::Int4) => Self::Lstm(Model::from_file(&file)?),
            (CellKind::Gru, Numbers::Int8 | Numbers::Int4) => Self::Gru(Model::from_file(&file)?),
            (CellKind::SimpleRnn, Numbers::F32) => Self::FloatSimpleRnn(Model::from_file(&file)?),
            (CellKind::Lstm, Numbers::F32) => Self::FloatLstm(Model::from_file(&file)?),
            (CellKind::Gru, Numbers::F32) => Self::FloatGru(Model::from_file(&file)?),
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

    /// Reads a sequence as [`classify`](Self::classify) does and writes the hidden state after each timestep, as
    /// numbers: `hidden: [timesteps][units]`.
    ///
    /// # Errors
    /// [`RowLength`] where `sequence` is not a whole number of rows.
    pub fn trace(&self, sequence: &[u8], hidden: &mut [f32]) -> Result<(), RowLength> {
        with!(self, model => trace(model, sequence, hidden))
    }
}

/// [`AnyModel::trace`] for one cell.
fn trace<C: Cell>(model: &Large<'_, C>, sequence: &[u8], hidden: &mut [f32]) -> Result<(), RowLength> {
    let units = usize::from(model.header().shape.units);
    let mut state = State::new();
    let rows = sequence.chunks(model.header().row_bytes().max(1));
    for (row, hidden) in rows.zip(hidden.chunks_exact_mut(units.max(1))) {
        model.step_bytes(&mut state, row)?;
        for (to, &from) in hidden.iter_mut().zip(state.hidden()) {
            *to = from.to_f32();
        }
    }
    Ok(())
}

/// [`AnyModel::classify`] for one cell.
fn classify<C: Cell>(model: &Large<'_, C>, sequence: &[u8], logits: &mut [u8]) -> Result<(), RowLength> {
    let header = model.header();
    let (row_bytes, outputs) = (header.row_bytes(), usize::from(header.shape.outputs));
    if logits.len() != outputs * 4 {
        return Err(RowLength { found: logits.len(), expected: outputs * 4 });
    }
    let mut state = State::new();
    for row in sequence.chunks(row_bytes.max(1)) {
        model.step_bytes(&mut state, row)?;
    }
    let mut values = [C::Logit::default(); MAX_OUTPUTS];
    model.logits_into(&state, &mut values);
    for (bytes, value) in logits.chunks_exact_mut(4).zip(values) {
        bytes.copy_from_slice(&value.to_bytes());
    }
    Ok(())
}
