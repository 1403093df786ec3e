//! The timesteps of a kernel against the cells' own loops over the specification's sums.

use super::super::{Bits8, Packing, PairSums, reference, scaled};
use super::{Dice, GREATEST_SUM};
use crate::cell::{LayerRows, LayerStep, gru, lstm, simple_rnn};
use crate::tiles::Tiles;

/// Most units, and most inputs.
const MOST: usize = 130;
/// Most words of both halves, enough for as many units and a few inputs: an LSTM's units have two words for two columns;
/// other cells' tiles may have a few units too many.
const WORDS: usize = (MOST + 3) * (MOST.next_multiple_of(4) + 4);
/// Most rows: of an LSTM.
const ROWS: usize = MOST * 4;

/// int8 weights with the sums of the specification.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Specified;

impl Packing for Specified {
    const COLUMNS: usize = Bits8::COLUMNS;

    type Operands<'o> = [&'o [i16]; 2];

    fn prepare<'o>(operands: &mut [&'o [i16]; 2], halves: [&'o [i16]; 2]) {
        *operands = halves;
    }

    fn sums<const P: usize>(
        start: &[PairSums; P],
        tiles: [&[u32]; 2],
        operands: &[&[i16]; 2],
        multipliers: Option<&[[i32; 2]; P]>,
    ) -> [PairSums; P] {
        let mut sums = *start;
        for (tile, half) in tiles.into_iter().zip(operands).filter(|(tile, _)| !tile.is_empty()) {
            reference::accumulate(&mut sums, tile, half);
        }
        scaled(sums, multipliers)
    }

    fn magnitudes(word: u32) -> [u32; 2] {
        Bits8::magnitudes(word)
    }
}

/// A layer of any cell.
struct Layer {
    inputs: usize,
    units: usize,
    words: [u32; WORDS],
    /// How many of them are the input's half; the hidden state's follow.
    input_words: usize,
    bias: [i32; ROWS],
    recurrent_bias: [i32; MOST],
    multiplier: [i32; ROWS],
    /// Each begins with the first or the second.
    x: [i16; MOST + 1],
    old: [i16; MOST + 1],
    first: [usize; 2],
    hidden: [i16; MOST],
}

impl Layer {
    const EMPTY: Self = Self {
        inputs: 0,
        units: 0,
        words: [0; WORDS],
        input_words: 0,
        bias: [0; ROWS],
        recurrent_bias: [0; MOST],
        multiplier: [0; ROWS],
        x: [0; MOST + 1],
        old: [0; MOST + 1],
        first: [0; 2],
        hidden: [0; MOST],
    };

    /// Fills an empty layer, in place: there is hardly room for two.
    #[inline(never)]
    fn fill(&mut self, dice: &mut Dice) {
        let most = [1, 9, 40, MOST as u32][dice.below(4) as usize];
        let [mut inputs, units] = [(); 2].map(|()| 1 + dice.below(most) as usize);
        let half = |columns: usize| (units + 3) * columns.next_multiple_of(4);
        while half(inputs) + half(units) > WORDS {
            inputs = inputs.div_ceil(2);
        }
        (self.inputs, self.units, self.input_words) = (inputs, units, half(inputs));
        self.first = [(); 2].map(|()| dice.below(2) as usize);
        let words = half(inputs) + half(units);
        self.words.iter_mut().take(words).for_each(|word| *word = dice.word());
        let limit = GREATEST_SUM / 128 / (inputs + units) as u32;
        let limit = limit.min(i16::MAX as u32) as i32;
        dice.operands(&mut self.x, limit);
        // before the first timestep the hidden state is zero
        if dice.below(4) > 0 {
            dice.operands(&mut self.old, limit);
        }
        dice.operands(&mut self.hidden, i16::MAX.into());
        self.bias.iter_mut().chain(&mut self.recurrent_bias).for_each(|bias| *bias = dice.within(400));
        // pre-activations of all magnitudes
        self.multiplier.iter_mut().for_each(|multiplier| {
            *multiplier = (dice.word() >> (1 + dice.below(20))) as i32;
        });
    }

    /// Its timestep for a cell of `P` pairs and `units_of_tile` units a tile, beside a hidden state.
    fn step<'s, W: Packing, const P: usize>(
        &'s self,
        units_of_tile: usize,
        hidden: &'s mut [i16; MOST],
    ) -> LayerStep<'s, W, P> {
        let count = self.units.div_ceil(units_of_tile);
        let half = |words: &'s [u32], columns| {
            Tiles::new(&words[..count * Tiles::<W, P>::words_per_tile(columns)], columns)
        };
        let (input, recurrent) = self.words.split_at(self.input_words);
        let rows = LayerRows {
            kernel: half(input, self.inputs),
            recurrent_kernel: half(recurrent, self.units),
            bias: &self.bias[..count * 2 * P],
            multiplier: &self.multiplier[..count * 2 * P],
        };
        let [x, old] = self.first;
        let (x, old) = (&self.x[x..][..self.inputs], &self.old[old..][..self.units]);
        LayerStep { rows, x, old, hidden: &mut hidden[..self.units] }
    }
}

#[inline(never)]
pub(super) fn simple_rnn_agrees(dice: &mut Dice) -> bool {
    let mut layer = Layer::EMPTY;
    layer.fill(dice);
    let [mut found, mut expected] = [layer.hidden; 2];
    Bits8::simple_rnn(layer.step(4, &mut found));
    simple_rnn::plain::<Specified>(layer.step(4, &mut expected));
    found == expected
}

#[inline(never)]
pub(super) fn lstm_agrees(dice: &mut Dice) -> bool {
    let mut layer = Layer::EMPTY;
    layer.fill(dice);
    let mut cell = [0; MOST];
    cell.iter_mut().for_each(|cell| *cell = dice.word() as i32 >> (2 + dice.below(16)));
    let cell_bits = 12 + dice.below(18);
    let mut found = (layer.hidden, cell);
    let mut expected = found;
    Bits8::lstm(layer.step(1, &mut found.0), &mut found.1[..layer.units], cell_bits);
    lstm::plain::<Specified>(layer.step(1, &mut expected.0), &mut expected.1[..layer.units], cell_bits);
    found == expected
}

#[inline(never)]
pub(super) fn gru_agrees(dice: &mut Dice) -> bool {
    let mut layer = Layer::EMPTY;
    layer.fill(dice);
    let [mut found, mut expected] = [layer.hidden; 2];
    let recurrent_bias = &layer.recurrent_bias[..layer.units.next_multiple_of(2)];
    Bits8::gru(layer.step(2, &mut found), recurrent_bias);
    gru::plain::<Specified>(layer.step(2, &mut expected), recurrent_bias);
    found == expected
}
