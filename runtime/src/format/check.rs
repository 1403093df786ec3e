//! Whether a file's sections are those that its header asks for, and hold what the arithmetic relies on.

use super::{
    File, Header, MAX_SECTIONS, ModelError, Numbers, Samples, Scaling, SectionFault, SectionKind, Task,
};
use crate::cell::{pair_count, tile_count};
use crate::fixed::OFFSET_LIMIT;
use crate::tiles::{Sums, words_per_tile};
use crate::{CellKind, MAX_INPUTS};

/// A hostile file can name more sequences than fit into memory, on a 32-bit machine; a row of each of so many does.
const MOST_SEQUENCES: usize = usize::MAX / (MAX_INPUTS * size_of::<f32>());

impl File<'_> {
    /// Refuses sections that are missing, not needed or of another length, and values that they must not hold.
    pub(super) fn check_sections(&self) -> Result<(), ModelError> {
        for (kind, words) in SectionKind::ALL.into_iter().zip(self.lengths()) {
            let expected = match kind {
                SectionKind::SelfTestRows | SectionKind::SelfTestLogits => self.self_test_bytes(kind),
                // its length is checked with what it holds
                SectionKind::BlankStates if self.header.numbers != Numbers::F32 => self.blank_states.len(),
                _ => words * size_of::<u32>(),
            };
            let found = self.header.sections.find(kind).map(|section| section.length as usize);
            let fault = match found {
                None if expected > 0 => SectionFault::Missing,
                Some(_) if expected == 0 => SectionFault::Unexpected,
                Some(found) if found != expected => SectionFault::Length { found, expected },
                _ => {
                    self.check_values(kind)?;
                    continue;
                }
            };
            return Err(ModelError::Section { kind, fault });
        }
        match self.header.numbers {
            Numbers::F32 => Ok(()),
            Numbers::Int8 | Numbers::Int4 => self.check_sums(),
        }
    }

    /// Words of each section, in the order of their kinds; none where a model of this header has no such section.
    #[inline(never)]
    fn lengths(&self) -> [usize; MAX_SECTIONS] {
        let Header { shape, cell, numbers, .. } = self.header;
        let (inputs, units) = (usize::from(shape.inputs), usize::from(shape.units));
        let (outputs, layers) = (usize::from(shape.outputs), usize::from(shape.layers));
        let is_integer = numbers != Numbers::F32;
        // in an f32 model a row lies for itself, as a tile of one row
        let (tiles, of_tile, of_pair, dense_rows, dense_columns) = match is_integer {
            true => (
                tile_count(shape, cell),
                2 * pair_count(cell),
                2,
                outputs.next_multiple_of(2),
                words_per_tile(units, Numbers::Int8, 1) / 2,
            ),
            false => (units * cell.gates(), 1, 1, outputs, units),
        };
        let of_inputs = tiles * words_per_tile(inputs, numbers, pair_count(cell));
        let of_units = tiles * words_per_tile(units, numbers, pair_count(cell));
        let when = |is_so: bool, words: usize| if is_so { words } else { 0 };
        let scaled = when(matches!(self.header.input.scaling, Scaling::PerFeature { .. }), inputs);
        [
            of_inputs + layers.saturating_sub(1) * of_units,       // Kernel
            layers * of_units,                                     // RecurrentKernel
            layers * tiles * of_tile,                              // Bias
            when(cell == CellKind::Gru, layers * tiles * of_pair), // RecurrentBias
            when(is_integer, layers * tiles * of_tile),            // Multiplier
            dense_rows * dense_columns,                            // DenseKernel
            dense_rows,                                            // DenseBias
            when(is_integer, dense_rows),                          // DenseMultiplier
            0,                                                     // of the self-test
            0,
            scaled,                                                         // InputOffset
            scaled,                                                         // InputGain
            when(self.header.output.task == Task::Regression, outputs * 2), // OutputScaling
            0,                                                              // BlankStates
        ]
    }

    /// Bytes of the self-test's rows or of its logits, if the file has logits: those of whole sequences, each of as many
    /// timesteps.
    fn self_test_bytes(&self, kind: SectionKind) -> usize {
        let Some(logits) = self.header.sections.find(SectionKind::SelfTestLogits) else { return 0 };
        let of_sequence = usize::from(self.header.shape.outputs) * size_of::<u32>();
        let sequences = whole_parts(logits.length as usize, of_sequence);
        match kind {
            SectionKind::SelfTestLogits => sequences.wrapping_mul(of_sequence),
            _ if sequences > MOST_SEQUENCES => usize::MAX,
            _ => {
                let of_timestep = sequences.wrapping_mul(self.header.row_bytes());
                whole_parts(self.self_test_rows.len(), of_timestep).wrapping_mul(of_timestep)
            }
        }
    }

    /// Whether a section holds floats.
    fn holds_floats(&self, kind: SectionKind) -> bool {
        match kind {
            SectionKind::OutputScaling => true,
            // bytes
            SectionKind::SelfTestRows | SectionKind::BlankStates => false,
            SectionKind::InputOffset | SectionKind::InputGain => {
                self.header.numbers == Numbers::F32 || self.header.input.samples == Samples::F32
            }
            _ => self.header.numbers == Numbers::F32,
        }
    }

    /// Refuses floats that are not finite, negative multipliers and offsets out of range.
    #[inline(never)]
    fn check_values(&self, kind: SectionKind) -> Result<(), ModelError> {
        let holds_floats = self.holds_floats(kind);
        let is_allowed: fn(i32) -> bool = match kind {
            _ if holds_floats => is_finite,
            SectionKind::Multiplier | SectionKind::DenseMultiplier | SectionKind::InputGain => {
                is_positive_or_zero
            }
            SectionKind::InputOffset => is_an_offset,
            _ => return Ok(()),
        };
        match self.integers(kind).iter().position(|&value| !is_allowed(value)) {
            None => Ok(()),
            Some(_) if holds_floats => Err(ModelError::NotFinite { kind }),
            Some(feature) if kind == SectionKind::InputOffset => Err(ModelError::Offset { feature }),
            Some(row) => Err(ModelError::Multiplier { kind, row }),
        }
    }

    /// Refuses a row whose sum could reach 2^23 for any input and hidden state.
    fn check_sums(&self) -> Result<(), ModelError> {
        let (shape, numbers) = (self.header.shape, self.header.numbers);
        let (inputs, units) = (usize::from(shape.inputs), usize::from(shape.units));
        let greatest_hidden = 1 << self.header.operand_bits;
        let tiles = tile_count(shape, self.header.cell);
        let mut kernels = self.words(SectionKind::Kernel);
        let mut recurrent_kernels = self.words(SectionKind::RecurrentKernel);
        let mut sums = Sums {
            kind: SectionKind::Kernel,
            numbers,
            pairs: pair_count(self.header.cell),
            greatest: [self.header.input.greatest_operand(), greatest_hidden],
            biases: self.integers(SectionKind::Bias).iter(),
            recurrent_biases: self.integers(SectionKind::RecurrentBias).iter(),
            row: 0,
        };
        let mut columns = inputs;
        for _ in 0..shape.layers {
            sums.check_tiles(tiles, [&mut kernels, &mut recurrent_kernels], [columns, units])?;
            columns = units;
            sums.greatest = [greatest_hidden; 2];
        }
        let mut sums = Sums {
            kind: SectionKind::DenseKernel,
            numbers: Numbers::Int8,
            pairs: 1,
            greatest: [greatest_hidden; 2],
            biases: self.integers(SectionKind::DenseBias).iter(),
            recurrent_biases: [].iter(),
            row: 0,
        };
        let mut kernel = self.words(SectionKind::DenseKernel);
        sums.check_tiles(usize::from(shape.outputs).div_ceil(2), [&mut &[][..], &mut kernel], [0, units])
    }
}

/// Whether bits are those of a finite float. No float arithmetic is linked for it.
fn is_finite(bits: i32) -> bool {
    const EXPONENT: i32 = 0x7f80_0000;
    bits & EXPONENT != EXPONENT
}

fn is_positive_or_zero(multiplier: i32) -> bool {
    multiplier >= 0
}

fn is_an_offset(value: i32) -> bool {
    value.unsigned_abs() <= OFFSET_LIMIT
}

/// How many parts of that size there are, at least one: so many of them are no more than was found, or one.
fn whole_parts(found: usize, part: usize) -> usize {
    found.checked_div(part).unwrap_or_default().max(1)
}
