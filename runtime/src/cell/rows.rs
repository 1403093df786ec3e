//! The rows of an integer cell: weights in tiles, with a bias and a multiplier for each row.

use crate::fixed::requantise;
use crate::format::{File, ModelError, SectionKind};
use crate::kernel::{Packing, PairSums};
use crate::tiles::{Tiles, check_accumulator, check_multipliers, pairs, part};

/// The rows of a network's integer layers: what multiplies a layer's input and its hidden state, and what is done
/// to each sum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a, W, const P: usize> {
    /// Of the first layer, which takes the features.
    kernel: Tiles<'a, W, P>,
    /// Of the layers above it, which take the hidden state of the layer below.
    upper_kernels: Tiles<'a, W, P>,
    recurrent_kernels: Tiles<'a, W, P>,
    biases: &'a [i32],
    multipliers: &'a [i32],
    /// Tiles of one layer.
    count: usize,
}

/// The rows of one layer.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct LayerRows<'a, W, const P: usize> {
    pub(crate) kernel: Tiles<'a, W, P>,
    pub(crate) recurrent_kernel: Tiles<'a, W, P>,
    pub(crate) bias: &'a [i32],
    pub(crate) multiplier: &'a [i32],
}

/// One timestep of a layer, all that its new hidden state is computed from.
#[doc(hidden)]
#[derive(Debug)]
pub struct LayerStep<'s, W, const P: usize> {
    pub(crate) rows: LayerRows<'s, W, P>,
    /// Operands: `[inputs]`, above the first layer `[units]`.
    pub(crate) x: &'s [i16],
    /// The hidden state before the timestep as operands: `[units]`.
    pub(crate) old: &'s [i16],
    /// `[units]`
    pub(crate) hidden: &'s mut [i16],
}

/// One tile of a layer, as its cell meets it.
pub(crate) struct Tile<'t, 'o, W: Packing, const P: usize> {
    operands: &'t W::Operands<'o>,
    /// Words of the input's half and of the hidden state's.
    halves: [&'t [u32]; 2],
    bias: &'t [PairSums; P],
    multiplier: &'t [[i32; 2]; P],
}

impl<'a, W: Packing, const P: usize> Rows<'a, W, P> {
    /// The rows of layers of `count` tiles each.
    pub(crate) fn read(file: &File<'a>, count: usize) -> Result<Self, ModelError> {
        let shape = file.header.shape;
        let (inputs, units, layers) =
            (usize::from(shape.inputs), usize::from(shape.units), usize::from(shape.layers));
        let [first, other] = [inputs, units].map(|columns| count * Tiles::<W, P>::words_per_tile(columns));
        let kernels: &[u32] = file.section(SectionKind::Kernel, first + (layers - 1) * other)?;
        let (kernel, upper_kernels) = kernels.split_at(first);
        let recurrent_kernels = file.section(SectionKind::RecurrentKernel, layers * other)?;
        let rows = Self {
            kernel: Tiles::new(kernel, inputs),
            upper_kernels: Tiles::new(upper_kernels, units),
            recurrent_kernels: Tiles::new(recurrent_kernels, units),
            biases: file.section(SectionKind::Bias, layers * count * 2 * P)?,
            multipliers: file.section(SectionKind::Multiplier, layers * count * 2 * P)?,
            count,
        };
        check_multipliers(SectionKind::Multiplier, rows.multipliers)?;
        Ok(rows)
    }

    /// Refuses a row whose sum could reach 2^23 for any input and hidden state; `recurrent_bias(row)` is what the
    /// row adds besides its own bias. Rows are counted through all layers.
    pub(crate) fn check_bound(
        &self,
        file: &File<'a>,
        recurrent_bias: impl Fn(usize) -> i32,
    ) -> Result<(), ModelError> {
        let greatest_hidden = 1 << file.header.operand_bits;
        for layer in 0..file.header.shape.layers.into() {
            let greatest_input = match layer {
                0 => file.header.input.greatest_operand().into(),
                _ => greatest_hidden,
            };
            let first = layer * self.count * 2 * P;
            self.layer(layer).check_bound(first, [greatest_input, greatest_hidden], &recurrent_bias)?;
        }
        Ok(())
    }

    /// The rows of one layer.
    pub(crate) fn layer(&self, layer: usize) -> LayerRows<'a, W, P> {
        let rows = self.count * 2 * P;
        LayerRows {
            kernel: match layer {
                0 => self.kernel,
                _ => self.upper_kernels.part(layer - 1, self.count),
            },
            recurrent_kernel: self.recurrent_kernels.part(layer, self.count),
            bias: part(self.biases, layer, rows),
            multiplier: part(self.multipliers, layer, rows),
        }
    }
}

impl<'a, W: Packing, const P: usize> LayerRows<'a, W, P> {
    /// The tiles, one after the other, with the operands of both halves: `[x, old]`.
    pub(crate) fn tiles<'t, 'o>(
        self,
        operands: &'t W::Operands<'o>,
    ) -> impl Iterator<Item = Tile<'t, 'o, W, P>>
    where
        'a: 't,
    {
        let Self { kernel, recurrent_kernel, bias, multiplier } = self;
        let halves = kernel.iter().zip(recurrent_kernel.iter());
        let rows = pairs(bias).iter().zip(pairs(multiplier));
        halves.zip(rows).map(move |((kernel, recurrent_kernel), (bias, multiplier))| Tile {
            operands,
            halves: [kernel, recurrent_kernel],
            bias,
            multiplier,
        })
    }

    /// [`Rows::check_bound`] of one layer whose first row is number `first`.
    fn check_bound(
        &self,
        first: usize,
        [greatest_input, greatest_hidden]: [u64; 2],
        recurrent_bias: &impl Fn(usize) -> i32,
    ) -> Result<(), ModelError> {
        let tiles = self.kernel.iter().zip(self.recurrent_kernel.iter());
        for ((index, (kernel, recurrent)), bias) in tiles.enumerate().zip(self.bias.chunks_exact(2 * P)) {
            for (pair, biases) in bias.chunks_exact(2).enumerate() {
                let inputs = Tiles::<W, P>::magnitude(kernel, pair);
                let hiddens = Tiles::<W, P>::magnitude(recurrent, pair);
                for (side, ((input, hidden), bias)) in inputs.iter().zip(hiddens).zip(biases).enumerate() {
                    let row = first + (index * P + pair) * 2 + side;
                    let bound = input * greatest_input
                        + hidden * greatest_hidden
                        + u64::from(bias.unsigned_abs())
                        + u64::from(recurrent_bias(row).unsigned_abs());
                    check_accumulator(SectionKind::Kernel, row, bound)?;
                }
            }
        }
        Ok(())
    }
}

impl<W: Packing, const P: usize> Tile<'_, '_, W, P> {
    /// Each row's whole sum times its multiplier: its pre-activation, pair by pair.
    pub(crate) fn preactivations(&self) -> [[i32; 2]; P] {
        W::sums(self.bias, self.halves, self.operands, Some(self.multiplier))
    }

    /// The sums of the input's half, with the bias.
    pub(crate) fn input_sums(&self) -> [PairSums; P] {
        W::sums(self.bias, [self.halves[0], &[]], self.operands, None)
    }

    /// What `start` has and the sums of the hidden state's half.
    pub(crate) fn recurrent_sums(&self, start: &[PairSums; P]) -> [PairSums; P] {
        W::sums(start, [&[], self.halves[1]], self.operands, None)
    }

    /// Sums of a pair of rows times their multipliers.
    pub(crate) fn scale(&self, pair: usize, sums: PairSums) -> [i32; 2] {
        core::array::from_fn(|side| requantise(sums[side], self.multiplier[pair][side]))
    }
}
