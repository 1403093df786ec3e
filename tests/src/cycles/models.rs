//! What the shipped models cost.

use refrain::format::SectionKind;
use refrain::{CellKind, Header, Operands, Shape, State, cell};
use refrain_trainer::data::SplitView;
use refrain_trainer::model_file::ModelFile;
use serde::{Deserialize, Serialize};

use super::counter::{Counter, Spread};
use super::error::CountError;
use crate::{samples_without_zeros, unlabelled};

/// Sequences without zeros whose costs show the worst case.
const WORST_SEQUENCES: usize = 100;

/// What one inference of a model costs on mps2-an386, and what the model takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCost {
    /// Name of its cell.
    pub cell: String,
    /// Exact.
    pub instructions: Spread,
    /// Of the model of the core.
    pub cycles: Spread,
    /// Where no sample is zero, so that no kernel can skip any.
    pub instructions_without_zeros: Spread,
    /// Likewise.
    pub cycles_without_zeros: Spread,
    /// The most stack of any of these inferences.
    pub stack_bytes: u32,
    /// The most stack of the whole firmware, which keeps the models' states there too.
    pub firmware_stack_bytes: u32,
    /// What is kept between timesteps, and the operands of a row.
    pub state_bytes: usize,
    /// The whole model file.
    pub model_bytes: usize,
    /// Of those, what an exporter may leave out: the self-test's sequences and logits, and tables that save time.
    pub optional_bytes: usize,
    /// Part by which the rest is longer than one byte for each weight: 0.05 where it is 5 % longer.
    pub overhead: f64,
}

impl ModelCost {
    /// Of the shipped model of that number in the firmware of `counter`, on `images`.
    ///
    /// # Errors
    /// [`CountError`].
    pub fn measure(counter: &Counter, number: usize, images: SplitView<'_>) -> Result<Self, CountError> {
        let file = &counter.bench().models()[number];
        let model = file.model();
        let header = model.header();
        let calls = counter.count(number, images)?;
        let (timesteps, inputs) = (usize::from(header.timesteps), usize::from(header.shape.inputs));
        let busy = samples_without_zeros(WORST_SEQUENCES, timesteps, inputs, 1);
        let worst = counter.count(number, unlabelled(busy).view())?;
        Ok(Self {
            cell: header.cell.to_string(),
            instructions: calls.instructions(),
            cycles: calls.cycles(),
            instructions_without_zeros: worst.instructions(),
            cycles_without_zeros: worst.cycles(),
            stack_bytes: calls.stack_bytes.max(worst.stack_bytes),
            firmware_stack_bytes: calls.firmware_stack_bytes.max(worst.firmware_stack_bytes),
            state_bytes: state_bytes(header),
            model_bytes: file.as_bytes().len(),
            optional_bytes: optional_bytes(header),
            overhead: overhead(file),
        })
    }
}

/// Multiply-accumulates of one sequence: each timestep's kernels, then the dense layer.
pub(super) fn macs(cell: CellKind, shape: Shape, timesteps: usize) -> usize {
    weights(cell, Shape { outputs: 0, ..shape }) * timesteps
        + usize::from(shape.outputs) * usize::from(shape.units)
}

/// Weights of a network: what is multiplied, so neither biases nor multipliers.
fn weights(cell: CellKind, shape: Shape) -> usize {
    let gates = cell.gates();
    let [inputs, units, outputs] = [shape.inputs, shape.units, shape.outputs].map(usize::from);
    let first = gates * units * (inputs + units);
    let others = gates * units * (units + units) * (usize::from(shape.layers) - 1);
    first + others + units * outputs
}

/// Bytes of a `State` of the shipped shape, and of the operands of a row that are kept beside it.
///
/// # Panics
/// If the model has another shape.
fn state_bytes(header: &Header<'_>) -> usize {
    assert_eq!(
        (header.shape.inputs, header.shape.units, header.shape.layers),
        (28, 64, 1),
        "the shipped models have 28 inputs and 64 units in one layer"
    );
    match header.cell {
        CellKind::SimpleRnn => size_of::<(State<cell::SimpleRnn, 64>, Operands<cell::SimpleRnn, 28>)>(),
        CellKind::Lstm => size_of::<(State<cell::Lstm, 64>, Operands<cell::Lstm, 28>)>(),
        CellKind::Gru => size_of::<(State<cell::Gru, 64>, Operands<cell::Gru, 28>)>(),
    }
}

fn optional_bytes(header: &Header<'_>) -> usize {
    use SectionKind::{Bias, DenseBias, DenseKernel, DenseMultiplier, Kernel, Multiplier};
    use SectionKind::{InputGain, InputOffset, OutputScaling, RecurrentBias, RecurrentKernel};
    let is_optional = |kind| {
        !matches!(
            kind,
            Kernel
                | RecurrentKernel
                | Bias
                | RecurrentBias
                | Multiplier
                | DenseKernel
                | DenseBias
                | DenseMultiplier
                | InputOffset
                | InputGain
                | OutputScaling
        )
    };
    header
        .sections
        .iter()
        .filter(|section| is_optional(section.kind))
        .map(|section| section.length as usize)
        .sum()
}

fn overhead(file: &ModelFile) -> f64 {
    let model = file.model();
    let header = model.header();
    let weights = weights(header.cell, header.shape);
    (file.as_bytes().len() - optional_bytes(header)) as f64 / weights as f64 - 1.0
}
