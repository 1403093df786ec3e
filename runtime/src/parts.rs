//! A timestep in parts, for whoever measures what each of them costs.
//!
//! What is measured is the very code of [`Model::step_bytes_in`]: no part of it is compiled a second time with a hook in
//! it, which would be another program, and would change how well the first one is compiled. Instead the step is run as a
//! whole, and then its layers again: the first alone, the first two, and so on. What a layer costs is the difference.

use crate::SampleType;
use crate::cell::Cell;
use crate::format::File;
use crate::model::{Model, Operands, RowLength, compute};
use crate::state::{BEGUN, State};

/// A run of a part of a timestep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The whole timestep: the row becomes operands, and all layers compute.
    Step,
    /// So many layers alone, from the first on.
    Layers(u8),
}

impl<
    C: Cell,
    const INPUTS: usize,
    const UNITS: usize,
    const OUTPUTS: usize,
    const LAYERS: usize,
    S: SampleType,
> Model<'_, C, INPUTS, UNITS, OUTPUTS, LAYERS, S>
{
    /// [`step_bytes_in`](Self::step_bytes_in), and then its parts again on a copy of the state. `measure` is given each
    /// of them to run it once. A blank row that the model has the state after costs no layer anything, and none is run.
    ///
    /// ```
    /// use refrain::{Lstm, Operands, Part, State};
    ///
    /// let model = Lstm::<28, 64, 10>::from_bytes(refrain::include_model!("../../firmware/models/lstm.rfn"))?;
    /// let (mut state, mut operands, mut parts) = (State::new(), Operands::new(), Vec::new());
    /// let mut measure = |part, run: &mut dyn FnMut()| {
    ///     run(); // between two looks at a clock
    ///     parts.push(part);
    /// };
    /// model.step_bytes_in_parts(&mut state, &[200; 28], &mut operands, &mut measure).expect("28 bytes");
    /// assert_eq!(parts, [Part::Step, Part::Layers(1)]);
    /// # Ok::<(), refrain::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// [`RowLength`], and the state stays as it was.
    #[inline(never)]
    pub fn step_bytes_in_parts(
        &self,
        state: &mut State<C, UNITS, LAYERS>,
        row: &[u8],
        operands: &mut Operands<C, INPUTS>,
        measure: &mut dyn FnMut(Part, &mut dyn FnMut()),
    ) -> Result<(), RowLength> {
        let mut before = *state;
        let mut stepped = Ok(());
        measure(Part::Step, &mut || stepped = self.step_bytes_in(state, row, operands));
        stepped?;
        if state.next_blank != BEGUN {
            return Ok(());
        }
        let shape = self.header().shape;
        if before.lacks_operands() {
            before
                .make_operands([shape.layers.into(), shape.units.into()], self.header().operand_bits.into());
        }
        for layers in 1..=shape.layers {
            let (front, mut state) = (front(self.file(), layers), before);
            measure(Part::Layers(layers), &mut || compute(&front, &mut state, operands));
        }
        Ok(())
    }
}

/// A network of the first layers.
fn front<'a>(file: &File<'a>, layers: u8) -> File<'a> {
    let mut front = file.clone();
    front.header.shape.layers = layers;
    front
}
