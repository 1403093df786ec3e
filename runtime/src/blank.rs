//! The states after leading rows of zeros, which a model file may hold so that no board computes them again.
//! Entry `k` of the table is the state after `k + 1` blank rows: one layer after the other, its hidden state and then its
//! cell state, without a gap.
//!
//! Until the first row that is not blank every sequence has the same states, and images begin with blank rows: one
//! in six rows of MNIST is such a row. With the table it costs a copy; the bits are those of the computation, as a
//! model whose table holds others is refused.

use bytemuck::{cast_slice, cast_slice_mut};

use crate::cell::{Cell, Value};
use crate::format::{File, MAX_BLANK_STATES, ModelError};
use crate::kernel::FIXED_TIME;
use crate::model::{Model, Operands, RowLength, compute};
use crate::sample::SampleType;
use crate::state::{BEGUN, State, StateMut};

/// Takes `state` past a blank row behind nothing but blank rows, if the table of the file reaches so far; otherwise the
/// cells have to compute, and the answer is `false`.
pub(crate) fn step<C: Cell, const UNITS: usize, const LAYERS: usize>(
    file: &File<'_>,
    state: &mut State<C, UNITS, LAYERS>,
    row: &[C::Value],
) -> bool {
    let place = state.next_blank;
    if place == BEGUN {
        return false;
    }
    let shape = file.header.shape;
    let sizes = [shape.layers.into(), shape.units.into()];
    let mut entries = file.blank_states.get(place as usize..).unwrap_or_default();
    let row = row.get(..usize::from(shape.inputs)).unwrap_or_default();
    if FIXED_TIME || entries.is_empty() || !C::Value::is_blank(row) {
        if state.lacks_operands() {
            state.make_operands(sizes, file.header.operand_bits.into());
        }
        state.next_blank = BEGUN;
        return false;
    }
    for StateMut { hidden, cell } in state.layers(sizes) {
        entries = take(entries, cast_slice_mut(hidden));
        entries = take(entries, cast_slice_mut(cell));
    }
    state.next_blank = (file.blank_states.len() - entries.len()) as u32;
    true
}

/// Refuses a table one of whose entries is not what the cells compute.
pub(crate) fn check<C: Cell, const INPUTS: usize, const UNITS: usize, const LAYERS: usize>(
    file: &File<'_>,
) -> Result<(), ModelError> {
    if file.blank_states.is_empty() { Ok(()) } else { compute_entries::<C, INPUTS, UNITS, LAYERS>(file) }
}

/// Computes every entry. Not inlined: a model without a table needs no stack for that.
#[inline(never)]
fn compute_entries<C: Cell, const INPUTS: usize, const UNITS: usize, const LAYERS: usize>(
    file: &File<'_>,
) -> Result<(), ModelError> {
    let mut entries = file.blank_states;
    let mut state = State::<C, UNITS, LAYERS>::new();
    let mut entry = 0;
    while !entries.is_empty() {
        compute(file, &mut state, &Operands::<C, INPUTS>::new());
        for layer in state.layers([file.header.shape.layers.into(), file.header.shape.units.into()]) {
            let rest = entries.strip_prefix(cast_slice::<_, u8>(layer.hidden));
            let rest = rest.and_then(|rest| rest.strip_prefix(cast_slice::<_, u8>(layer.cell)));
            entries = rest.filter(|_| entry < MAX_BLANK_STATES).ok_or(ModelError::BlankState { entry })?;
        }
        entry += 1;
    }
    Ok(())
}

/// Fills `to` from the front of `from`, and gives what is behind that.
#[inline(never)]
fn take<'f>(from: &'f [u8], to: &mut [u8]) -> &'f [u8] {
    let (front, rest) = from.split_at_checked(to.len()).unwrap_or_default();
    let ((from_chunks, from_last), (to_chunks, to_last)) =
        (front.as_chunks::<16>(), to.as_chunks_mut::<16>());
    for (to, from) in to_chunks.iter_mut().zip(from_chunks) {
        *to = *from;
    }
    for (to, &from) in to_last.iter_mut().zip(from_last) {
        *to = from;
    }
    rest
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
    /// [`AnyModel::blank_state_bytes`](crate::AnyModel::blank_state_bytes).
    pub(crate) fn blank_state_bytes(&self) -> usize {
        let shape = self.header().shape;
        let bytes_of_a_unit = size_of::<C::Value>() + size_of::<C::Memory<1>>();
        usize::from(shape.units) * usize::from(shape.layers) * bytes_of_a_unit
    }

    /// [`AnyModel::write_blank_states`](crate::AnyModel::write_blank_states).
    pub(crate) fn write_blank_states(&self, mut section: &mut [u8]) {
        let shape = self.header().shape;
        let sizes = [shape.layers.into(), shape.units.into()];
        let mut state = State::<C, UNITS, LAYERS>::new();
        while !section.is_empty() {
            compute(self.file(), &mut state, &Operands::<C, INPUTS>::new());
            for layer in state.layers(sizes) {
                for own in [cast_slice(layer.hidden), cast_slice(layer.cell)] {
                    let length = own.len().min(section.len());
                    take(own, section.split_off_mut(..length).unwrap_or_default());
                }
            }
        }
    }

    /// [`AnyModel::leading_blank_rows`](crate::AnyModel::leading_blank_rows).
    pub(crate) fn leading_blank_rows(&self, sequence: &[u8]) -> Result<usize, RowLength> {
        let (inputs, mut operands) = (self.header().shape.inputs.into(), Operands::new());
        let (mut rows, mut leading) = (0, true);
        for row in sequence.chunks(self.header().row_bytes().max(1)) {
            self.read_row(row, &mut operands)?;
            leading &= C::Value::is_blank(operands.0.get(..inputs).unwrap_or_default());
            rows += usize::from(leading);
        }
        Ok(rows)
    }
}
