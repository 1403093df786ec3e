//! The rows of an integer cell: weights in tiles, with a bias and a multiplier for each row.

use crate::Shape;
use crate::fixed::requantise;
use crate::format::{File, SectionKind};
use crate::kernel::{Packing, PairSums};
use crate::tiles::{Tiles, pairs, part};

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
    #[inline(always)]
    pub(crate) fn of(file: &File<'a>, count: usize) -> Self {
        let Shape { inputs, units, .. } = file.header.shape;
        let (inputs, units) = (usize::from(inputs), usize::from(units));
        let kernels = file.words(SectionKind::Kernel);
        let first = count * Tiles::<W, P>::words_per_tile(inputs);
        let (kernel, upper_kernels) = kernels.split_at_checked(first).unwrap_or_default();
        Self {
            kernel: Tiles::new(kernel, inputs),
            upper_kernels: Tiles::new(upper_kernels, units),
            recurrent_kernels: Tiles::new(file.words(SectionKind::RecurrentKernel), units),
            biases: file.integers(SectionKind::Bias),
            multipliers: file.integers(SectionKind::Multiplier),
            count,
        }
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
