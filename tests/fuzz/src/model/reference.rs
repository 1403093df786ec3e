//! What an integer model computes, weight by weight, as [`refrain::format`], [`refrain::fixed`] and the equations of the
//! cells say. Only the tables of tanh and sigmoid are the runtime's own.

use refrain::activation::{sigmoid_of_half, tanh};
use refrain::fixed::{ACCUMULATOR_LIMIT, GATE_BITS, HIDDEN_BITS, MULTIPLIER_BITS, PREACTIVATION_BITS};
use refrain::format::{MAX_SECTIONS, PAYLOAD_ALIGNMENT, SectionKind};
use refrain::{CellKind, Header, Numbers, Samples, Scaling, float_operand};

/// The logits after every timestep: `[timesteps][outputs]`.
pub(super) fn logits(header: &Header<'_>, file: &[u8], rows: &[u8]) -> Vec<i32> {
    let network = Network::of(header, file);
    let units = usize::from(header.shape.units);
    let mut layers = vec![Layer { hidden: vec![0; units], cell: vec![0; units] }; header.shape.layers.into()];
    let mut logits = Vec::new();
    for row in rows.chunks_exact(header.row_bytes()) {
        let mut operands = network.operands_of(row);
        for (index, layer) in layers.iter_mut().enumerate() {
            let old = network.hidden_operands(&layer.hidden);
            network.step(index, layer, &operands, &old);
            operands = network.hidden_operands(&layer.hidden);
        }
        for output in 0..header.shape.outputs.into() {
            logits.push(network.logit(output, &operands));
        }
    }
    logits
}

/// What a layer remembers.
#[derive(Clone)]
struct Layer {
    hidden: Vec<i64>,
    /// Of an LSTM.
    cell: Vec<i64>,
}

struct Network<'a> {
    header: &'a Header<'a>,
    /// The words of each section, where its kind says.
    sections: Vec<Vec<u32>>,
}

/// Where a row's weights lie.
#[derive(Clone, Copy)]
struct Row {
    /// Its tile, of those of all layers.
    tile: usize,
    /// Its pair in the tile.
    pair: usize,
    /// 0 for row A of the pair, 1 for row B.
    side: usize,
}

impl<'a> Network<'a> {
    fn of(header: &'a Header<'a>, file: &[u8]) -> Self {
        let header_bytes = Header::read(file).expect("it was accepted").1;
        let payload = &file[header_bytes.next_multiple_of(PAYLOAD_ALIGNMENT)..];
        let mut sections = vec![Vec::new(); MAX_SECTIONS];
        for section in header.sections.iter() {
            let bytes = &payload[section.offset as usize..][..section.length as usize];
            sections[section.kind as usize] =
                bytes.as_chunks().0.iter().map(|&word| u32::from_le_bytes(word)).collect();
        }
        Self { header, sections }
    }

    /// A number of four bytes in a section.
    fn word(&self, kind: SectionKind, index: usize) -> u32 {
        self.sections[kind as usize][index]
    }

    fn integer(&self, kind: SectionKind, index: usize) -> i64 {
        self.word(kind, index).cast_signed().into()
    }

    fn float(&self, kind: SectionKind, index: usize) -> f32 {
        f32::from_bits(self.word(kind, index))
    }

    /// A row of samples as operands.
    fn operands_of(&self, row: &[u8]) -> Vec<i64> {
        let samples = self.header.input.samples;
        let features = row.chunks_exact(samples.bytes()).enumerate();
        features
            .map(|(feature, sample)| match (self.header.input.scaling, samples) {
                (Scaling::PerFeature { limit, .. }, Samples::F32) => {
                    let sample = f32::from_le_bytes(sample.try_into().expect("four bytes"));
                    let offset = self.float(SectionKind::InputOffset, feature);
                    let gain = self.float(SectionKind::InputGain, feature);
                    float_operand(sample, offset, gain, limit.into()).into()
                }
                (Scaling::PerFeature { shift, limit }, _) => {
                    let offset = self.integer(SectionKind::InputOffset, feature);
                    let gain = self.integer(SectionKind::InputGain, feature);
                    let product = ((integer(sample) << shift) - offset) * gain;
                    nearest(product, MULTIPLIER_BITS).clamp(-i64::from(limit), limit.into())
                }
                (Scaling::Uniform { min, max, shift, .. }, _) => {
                    let sample = integer(sample).clamp(min.into(), max.into());
                    nearest(sample << shift.max(0), shift.min(0).unsigned_abs().into())
                }
            })
            .collect()
    }

    /// A hidden state as operands.
    fn hidden_operands(&self, hidden: &[i64]) -> Vec<i64> {
        let bits = HIDDEN_BITS - u32::from(self.header.operand_bits);
        hidden.iter().map(|&hidden| nearest(hidden, bits)).collect()
    }

    /// Pairs of rows in a tile, and units.
    fn tile(&self) -> [usize; 2] {
        match self.header.cell {
            CellKind::SimpleRnn => [2, 4],
            CellKind::Lstm => [2, 1],
            CellKind::Gru => [3, 2],
        }
    }

    /// The row of a gate of a unit.
    fn row(&self, layer: usize, unit: usize, gate: usize) -> Row {
        let [_, units] = self.tile();
        let tile = layer * usize::from(self.header.shape.units).div_ceil(units) + unit / units;
        let (pair, side) = match self.header.cell {
            CellKind::SimpleRnn => (unit % 4 / 2, unit % 2),
            CellKind::Lstm => (gate / 2, gate % 2),
            CellKind::Gru => (gate, unit % 2),
        };
        Row { tile, pair, side }
    }

    /// The products of a row's weights and operands. `first_tiles`: columns of the tiles of another width that may lie in
    /// front, and how many of those tiles there are.
    fn products(
        &self,
        kind: SectionKind,
        row: Row,
        pairs: usize,
        first_tiles: [usize; 2],
        operands: &[i64],
    ) -> i64 {
        let nibbles = self.header.numbers == Numbers::Int4 && kind != SectionKind::DenseKernel;
        let columns_of_word = if nibbles { 4 } else { 2 };
        let words = |columns: usize| columns.next_multiple_of(4) / columns_of_word * pairs;
        let [first_columns, first_count] = first_tiles;
        let first = row.tile.min(first_count);
        let tile = first * words(first_columns) + (row.tile - first) * words(operands.len());
        let weight = |column: usize| {
            let word = self.word(kind, tile + column / columns_of_word * pairs + row.pair);
            match nibbles {
                true => nibble(word, column % 4, row.side),
                false => byte(word, column % 2, row.side),
            }
        };
        operands.iter().enumerate().map(|(column, operand)| weight(column) * operand).sum()
    }

    /// The sums of a gate: of the input's half with the bias, and of the hidden state's.
    fn sums(&self, layer: usize, unit: usize, gate: usize, [x, old]: [&[i64]; 2]) -> [i64; 2] {
        let ([pairs, units], row) = (self.tile(), self.row(layer, unit, gate));
        let tiles = usize::from(self.header.shape.units).div_ceil(units);
        let first = [usize::from(self.header.shape.inputs), tiles];
        let bias = self.integer(SectionKind::Bias, (row.tile * pairs + row.pair) * 2 + row.side);
        let input = bias + self.products(SectionKind::Kernel, row, pairs, first, x);
        [input, self.products(SectionKind::RecurrentKernel, row, pairs, [0, 0], old)]
    }

    /// A sum as a pre-activation.
    fn scaled(&self, layer: usize, unit: usize, gate: usize, sum: i64) -> i32 {
        assert!(sum.unsigned_abs() < ACCUMULATOR_LIMIT.into(), "{sum} is beyond the bound that was checked");
        let ([pairs, _], row) = (self.tile(), self.row(layer, unit, gate));
        let index = (row.tile * pairs + row.pair) * 2 + row.side;
        let product = sum * self.integer(SectionKind::Multiplier, index);
        nearest(product, MULTIPLIER_BITS).try_into().expect("30 bits")
    }

    /// One timestep of a layer.
    fn step(&self, layer: usize, Layer { hidden, cell }: &mut Layer, x: &[i64], old: &[i64]) {
        for unit in 0..hidden.len() {
            let sums = |gate| self.sums(layer, unit, gate, [x, old]);
            let z = |gate| self.scaled(layer, unit, gate, sums(gate).iter().sum());
            let sigmoid = |gate| i64::from(sigmoid_of_half(z(gate)));
            hidden[unit] = match self.header.cell {
                CellKind::SimpleRnn => tanh(z(0)).into(),
                CellKind::Lstm => {
                    let (i, f, g, o) = (sigmoid(0), sigmoid(1), i64::from(tanh(z(2))), sigmoid(3));
                    let bits = u32::from(self.header.cell_bits);
                    let kept = (cell[unit] * f) >> GATE_BITS;
                    let written = (i * g) >> (GATE_BITS + HIDDEN_BITS - bits);
                    cell[unit] = (kept + written).clamp(-(1 << 29), (1 << 29) - 1);
                    let squashed = tanh(nearest(cell[unit], bits - PREACTIVATION_BITS) as i32);
                    nearest(o * i64::from(squashed), GATE_BITS)
                }
                CellKind::Gru => {
                    let (z, r, [input, recurrent]) = (sigmoid(0), sigmoid(1), sums(2));
                    let of_layer = hidden.len().next_multiple_of(2);
                    let recurrent =
                        recurrent + self.integer(SectionKind::RecurrentBias, layer * of_layer + unit);
                    let candidate = input + ((recurrent * r) >> GATE_BITS);
                    let g = i64::from(tanh(self.scaled(layer, unit, 2, candidate)));
                    g + nearest(z * (hidden[unit] - g), GATE_BITS)
                }
            };
        }
    }

    /// A logit of the last layer's operands.
    fn logit(&self, output: usize, operands: &[i64]) -> i32 {
        let row = Row { tile: output / 2, pair: 0, side: output % 2 };
        let products = self.products(SectionKind::DenseKernel, row, 1, [0, 0], operands);
        let sum = products + self.integer(SectionKind::DenseBias, output);
        nearest(sum * self.integer(SectionKind::DenseMultiplier, output), MULTIPLIER_BITS) as i32
    }
}

/// A sample of one byte or two.
fn integer(sample: &[u8]) -> i64 {
    match *sample {
        [low, high] => i16::from_le_bytes([low, high]).into(),
        [byte] => byte.into(),
        _ => unreachable!("integers have one byte or two"),
    }
}

/// `value / 2^bits`, rounded to the nearest, halves up.
fn nearest(value: i64, bits: u32) -> i64 {
    (value + ((1 << bits) >> 1)) >> bits
}

/// A weight of a column out of `256·A + B`.
fn byte(word: u32, column: usize, side: usize) -> i64 {
    let packed = (word >> (16 * column)) as i16;
    let b = i64::from(packed as i8);
    [(i64::from(packed) - b) >> 8, b][side]
}

/// A weight of a column out of eight nibbles: `A3 A1 B3 B1 A2 A0 B2 B0`, the last one lowest.
fn nibble(word: u32, column: usize, side: usize) -> i64 {
    let place = [[2, 0], [6, 4], [3, 1], [7, 5]][column][side];
    i64::from(word >> (4 * place) & 15) - 8
}
