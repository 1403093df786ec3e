//! Dot products, row by row, in the order in which a model file holds them.

use ndarray::Array2;
use refrain::CellKind;
use refrain::format::SectionKind;

use super::input::InputPlan;
use super::writer::Payload;
use crate::nn::cell::CellWeights;
use crate::nn::dense::Dense;

/// What follows a row's sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Output {
    /// tanh of the sum.
    Tanh,
    /// sigmoid of the sum, which reads the tanh table at half of it.
    Sigmoid,
    /// The sum is a logit.
    Logit,
}

/// One dot product with the input row and the hidden state, in f32.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// `[inputs]`; empty in the dense layer.
    pub(crate) kernel: Vec<f32>,
    /// `[units]`
    pub(crate) recurrent_kernel: Vec<f32>,
    pub(crate) bias: f32,
    /// The GRU candidate's second bias, which the reset gate scales; `None` in any other row.
    pub(crate) recurrent_bias: Option<f32>,
    pub(crate) output: Output,
}

impl Row {
    /// A row that fills a tile.
    fn blank(like: &Self) -> Self {
        Self {
            kernel: vec![0.0; like.kernel.len()],
            recurrent_kernel: vec![0.0; like.recurrent_kernel.len()],
            bias: 0.0,
            recurrent_bias: like.recurrent_bias.map(|_| 0.0),
            output: like.output,
        }
    }
}

/// All rows of a network, in whole tiles.
pub(super) struct NetworkRows {
    /// Each recurrent layer's, tile by tile.
    pub(super) layers: Vec<Vec<Row>>,
    /// The dense layer's.
    pub(super) dense: Vec<Row>,
    /// Pairs of rows in a tile of the cell.
    pub(super) pairs: usize,
    /// Units of a layer.
    pub(super) units: usize,
}

/// The rows of an integer model: tiles of pairs, see `refrain::format`.
pub(super) fn network_rows(layers: &[CellWeights], dense: &Dense) -> NetworkRows {
    let outputs = dense.bias.len();
    let dense_rows = (0..outputs.next_multiple_of(2)).map(|o| (o < outputs).then(|| dense_row(dense, o)));
    let pairs = match layers[0].kind {
        CellKind::SimpleRnn | CellKind::Lstm => 2,
        CellKind::Gru => 3,
    };
    NetworkRows {
        layers: layers.iter().map(layer_rows).collect(),
        dense: fill(dense_rows.collect()),
        pairs,
        units: layers[0].units(),
    }
}

/// The rows of one recurrent layer.
fn layer_rows(cell: &CellWeights) -> Vec<Row> {
    let columns = columns(cell.kind, cell.units()).into_iter();
    fill(columns.map(|column| column.map(|column| cell_row(cell, column))).collect())
}

/// Which column of Keras's matrices each row of a recurrent layer is; `None` where a row only fills a tile.
pub(super) fn columns(kind: CellKind, units: usize) -> Vec<Option<usize>> {
    let column = |gate, unit| (unit < units).then_some(gate * units + unit);
    match kind {
        CellKind::SimpleRnn => (0..units.next_multiple_of(4)).map(|unit| column(0, unit)).collect(),
        CellKind::Lstm => (0..units).flat_map(|unit| (0..4).map(move |gate| column(gate, unit))).collect(),
        CellKind::Gru => {
            let tile = |first| (0..3).flat_map(move |gate| [column(gate, first), column(gate, first + 1)]);
            (0..units).step_by(2).flat_map(tile).collect()
        }
    }
}

/// Puts blank rows where there are none; a blank GRU row is like the row of the same gate beside it.
fn fill(rows: Vec<Option<Row>>) -> Vec<Row> {
    let mut filled: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        let row = row.unwrap_or_else(|| Row::blank(filled.last().expect("a tile begins with a row")));
        filled.push(row);
    }
    filled
}

/// The row of one column of Keras's matrices: one gate of one unit.
fn cell_row(cell: &CellWeights, column: usize) -> Row {
    let gate = column / cell.units();
    let candidate = match cell.kind {
        CellKind::SimpleRnn => 0,
        CellKind::Lstm | CellKind::Gru => 2,
    };
    let (bias, recurrent_bias) = match cell.kind {
        CellKind::Gru if gate == candidate => (cell.bias[[0, column]], Some(cell.bias[[1, column]])),
        CellKind::Gru => (cell.bias[[0, column]] + cell.bias[[1, column]], None),
        CellKind::SimpleRnn | CellKind::Lstm => (cell.bias[[0, column]], None),
    };
    Row {
        kernel: cell.kernel.column(column).to_vec(),
        recurrent_kernel: cell.recurrent_kernel.column(column).to_vec(),
        bias,
        recurrent_bias,
        output: if gate == candidate { Output::Tanh } else { Output::Sigmoid },
    }
}

/// The row of one logit.
fn dense_row(dense: &Dense, output: usize) -> Row {
    Row {
        kernel: Vec::new(),
        recurrent_kernel: dense.kernel.column(output).to_vec(),
        bias: dense.bias[output],
        recurrent_bias: None,
        output: Output::Logit,
    }
}

/// The sections of an f32 model: rows unit by unit, in a unit gate by gate, no tiles.
pub(super) fn float_payload(layers: &[CellWeights], dense: &Dense, input: &InputPlan) -> Payload {
    let (units, gates) = (layers[0].units(), layers[0].kind.gates());
    let columns = || (0..units).flat_map(move |unit| (0..gates).map(move |gate| gate * units + unit));
    let by_row = |matrix: fn(&CellWeights) -> &Array2<f32>| -> Vec<f32> {
        let rows = layers.iter().flat_map(|cell| columns().map(|column| matrix(cell).column(column)));
        rows.flatten().copied().collect()
    };
    let by_gate = |half: usize| -> Vec<f32> {
        layers.iter().flat_map(|cell| columns().map(move |column| cell.bias[[half, column]])).collect()
    };
    let mut payload = Payload::default();
    payload.push(SectionKind::Kernel, &by_row(|cell| &cell.kernel));
    payload.push(SectionKind::RecurrentKernel, &by_row(|cell| &cell.recurrent_kernel));
    payload.push(SectionKind::Bias, &by_gate(0));
    if layers[0].kind == CellKind::Gru {
        payload.push(SectionKind::RecurrentBias, &by_gate(1));
    }
    payload.push(SectionKind::DenseKernel, &dense.kernel.t().iter().copied().collect::<Vec<f32>>());
    payload.push(SectionKind::DenseBias, &dense.bias.to_vec());
    input.push(&mut payload);
    payload
}
