//! The kernel for ARMv7E-M, and for ARMv8-M with the DSP extension: two products an instruction, two rows a word, and a
//! whole timestep of a layer in one loop of assembly.
//!
//! `SMLAD` multiplies two pairs of 16-bit numbers and adds both products to a sum; `SXTB16` takes the lower bytes out of
//! both halves of a word. So a word of two columns, `w = 256·A + B`, and its two operands `p` take three instructions
//! for four products, and do what the portable kernel does in its `add_columns`:
//!
//! ```text
//! SMLAD  S, w, p, S     packed += first * p + second * q, modulo 2^32
//! SXTB16 w, w           (first as i8, second as i8)
//! SMLAD  T, w, p, T     low += the same of those
//! ```
//!
//! At the end row B's sum is `T` and row A's `(S - T) >> 8`. The bias comes in the same way, as `S = 256·A + B` and
//! `T = B`.
//!
//! **Zeros.** All tiles of a layer meet the same operands, so [`Runs`] looks once where they are zero, and lists the
//! runs of columns, four by four, in which there is anything to multiply. The loops know nothing but runs: blank pixels
//! cost nothing at all.
//!
//! **One tile after the other.** The loop of [`simple_rnn`](assembly::simple_rnn), [`lstm`](assembly::lstm) or
//! [`gru`](assembly::gru) goes through the runs of a tile, brings its sums through the cell's equations, writes the new
//! hidden state, and goes on with the next tile. Where that tile's words begin, each run remembers itself.

#![expect(unsafe_code, reason = "the assembly reads and writes through pointers")]

#[macro_use]
mod assembly;
mod runs;

use core::arch::asm;
use core::ptr;

use self::assembly::Assembly;
use self::runs::{Frame, Half, Last, Lstm, Places, RUNS, Run, Runs};
pub(crate) use super::portable::Operands;
use super::{Bits8, FIXED_TIME, PairSums, scaled};
use crate::activation::{TANH, ZERO};
use crate::cell::LayerStep;
use crate::fixed::{GATE_BITS, HIDDEN_BITS, PREACTIVATION_BITS, word};

/// Most units of a tile.
const MOST_UNITS: usize = 4;

/// The same sums as [`portable::sums`](super::portable::sums), for the dense layer, whose operands are hardly ever zero: it
/// does not look for zeros.
#[inline(never)]
pub(crate) fn sums<const P: usize>(
    start: &[PairSums; P],
    tiles: [&[u32]; 2],
    operands: &Operands<'_>,
    multipliers: Option<&[[i32; 2]; P]>,
) -> [PairSums; P] {
    let mut sums = start.map(|[a, b]| [(a << 8).wrapping_add(b), b]);
    for (tile, operands) in tiles.into_iter().zip(operands.halves()) {
        let (columns, _) = tile.as_chunks::<P>();
        let (twos, rest) = operands.as_chunks();
        for (words, &two) in columns.iter().zip(twos) {
            let two = word(two.map(i16::cast_unsigned));
            sums.iter_mut().zip(words).for_each(|(sum, &word)| add_products(sum, word, two));
        }
        if let ([last], Some(words)) = (rest, columns.get(twos.len())) {
            let last = last.cast_unsigned().into();
            sums.iter_mut().zip(words).for_each(|(sum, &word)| add_products(sum, word, last));
        }
    }
    scaled(sums.map(|[packed, low]| [packed.wrapping_sub(low) >> 8, low]), multipliers)
}

/// Adds the products of two columns of a pair of rows, as the module's documentation says.
#[inline(always)]
pub(crate) fn add_products([packed, low]: &mut PairSums, word: u32, operands: u32) {
    // SAFETY: the instructions read and write nothing but the registers that are named, and flags.
    unsafe {
        asm!(
            assembler!(),
            "smlad {packed}, {word}, {operands}, {packed}",
            "sxtb16 {word}, {word}",
            "smlad {low}, {word}, {operands}, {low}",
            packed = inout(reg) *packed,
            low = inout(reg) *low,
            word = inout(reg) word => _,
            operands = in(reg) operands,
            options(pure, nomem, nostack),
        );
    }
}

/// One timestep of a layer of a SimpleRNN, [`plain`](crate::cell::simple_rnn::plain) bit for bit.
pub(crate) fn simple_rnn(step: LayerStep<'_, Bits8, 2>) {
    timestep(step.into(), &assembly::SIMPLE_RNN, Frame::<_, RUNS>::new(()).places(), None);
}

/// One timestep of a layer of an LSTM, [`plain`](crate::cell::lstm::plain) bit for bit.
pub(crate) fn lstm(step: LayerStep<'_, Bits8, 2>, cell: &mut [i32], cell_bits: u32) {
    let squash_shift = cell_bits - PREACTIVATION_BITS;
    let lstm = Lstm {
        cell: cell.as_mut_ptr(),
        written_shift: GATE_BITS + HIDDEN_BITS - cell_bits,
        squash_half: 1 << squash_shift >> 1,
        squash_shift,
    };
    if cell.len() >= step.hidden.len() {
        timestep(step.into(), &assembly::LSTM, Frame::<_, RUNS>::new(lstm).places(), None);
    }
}

/// One timestep of a layer of a GRU, [`plain`](crate::cell::gru::plain) bit for bit.
pub(crate) fn gru(step: LayerStep<'_, Bits8, 3>, recurrent_bias: &[i32]) {
    // of the tile's candidates the sums of the input's half
    let sums = [0; 2];
    timestep(
        step.into(),
        &assembly::GRU,
        Frame::<[u32; 2], { RUNS + 1 }>::new(sums).places(),
        Some(recurrent_bias),
    );
}

/// A [`LayerStep`] whatever its pairs.
struct Layer<'s> {
    /// Words of all tiles and the number of those of one.
    kernel: (&'s [u32], usize),
    recurrent_kernel: (&'s [u32], usize),
    bias: &'s [i32],
    multiplier: &'s [i32],
    x: &'s [i16],
    old: &'s [i16],
    hidden: &'s mut [i16],
}

impl<'s, const P: usize> From<LayerStep<'s, Bits8, P>> for Layer<'s> {
    #[inline(always)]
    fn from(LayerStep { rows, x, old, hidden }: LayerStep<'s, Bits8, P>) -> Self {
        let (kernel, recurrent_kernel) = (rows.kernel.words(), rows.recurrent_kernel.words());
        Self { kernel, recurrent_kernel, bias: rows.bias, multiplier: rows.multiplier, x, old, hidden }
    }
}

/// Runs a cell's loop over all tiles of a layer. `recurrent_bias` is that of a GRU.
///
/// A layer that lacks words or rows, which no checked model has, keeps its state. In a program of one cell the compiler
/// puts it where it is called, which saves stack; a program of several has it once.
fn timestep(layer: Layer<'_>, assembly: &Assembly, frame: Places<'_>, recurrent_bias: Option<&[i32]>) {
    let Layer { kernel, recurrent_kernel, bias, multiplier, x, old, hidden } = layer;
    // never zero, which the compiler does not see, and a division by zero would panic
    let of_tile = assembly.units.max(1);
    let tiles = hidden.len().div_ceil(of_tile);
    let has_words = |(words, of_tile): (&[u32], usize), operands: &[i16]| {
        assembly.words(operands.len()) <= of_tile && tiles.saturating_mul(of_tile) <= words.len()
    };
    let has_rows = |values: &[i32], of_tile: usize| tiles * of_tile <= values.len();
    if !(has_words(kernel, x)
        && has_words(recurrent_kernel, old)
        && has_rows(bias, assembly.rows)
        && has_rows(multiplier, assembly.rows)
        && recurrent_bias.is_none_or(|bias| has_rows(bias, assembly.units)))
    {
        return;
    }
    let half = |operands, (words, of_tile): (&[u32], usize)| Half {
        operands,
        words: words.as_ptr(),
        tile_bytes: of_tile * size_of::<u32>(),
    };
    let mut tails = [[0; 4]; 2];
    let [input_tail, hidden_tail] = &mut tails;
    let last = Last {
        multipliers: multiplier.as_ptr(),
        table: TANH.as_ptr().wrapping_add(ZERO),
        hidden: ptr::null_mut(),
        entry: assembly.address(assembly.end),
        biases: bias.as_ptr(),
        hidden_end: ptr::null(),
        first_run: ptr::null(),
    };
    // SAFETY: nothing else refers to the frame as long as its places are here.
    let mut runs = unsafe {
        frame.last.write(last);
        Runs::new(&mut *frame.runs, assembly)
    };
    runs.push_hidden(&half(old, recurrent_kernel), hidden_tail);
    if let Some(bias) = recurrent_bias {
        runs.push_between(bias.as_ptr(), frame.of_cell);
    }
    runs.push_input(&half(x, kernel), input_tail);
    let first_run = frame.runs.cast::<Run>().wrapping_add(runs.first());

    let over = |hidden: &mut [i16]| {
        let units = hidden.as_mut_ptr_range();
        // SAFETY: the frame is initialised from its first run on. Its runs lie in the operands, the words of every tile, of
        // which there are enough, and in `tails`, and so do biases and multipliers; `hidden` is a whole number of tiles,
        // those that are next.
        unsafe {
            (*frame.last).first_run = first_run;
            (*frame.last).hidden = units.start;
            (*frame.last).hidden_end = units.end;
            (assembly.function)(frame.last);
        }
    };
    let (whole, rest) = hidden.split_at_mut(hidden.len() - hidden.len() % of_tile);
    if !whole.is_empty() {
        over(whole);
    }
    if !rest.is_empty() {
        // the last tile's units, some of which are only there to fill it
        let mut units = [0; MOST_UNITS];
        units.iter_mut().zip(&*rest).for_each(|(to, from)| *to = *from);
        over(units.get_mut(..assembly.units).unwrap_or_default());
        rest.iter_mut().zip(units).for_each(|(to, from)| *to = from);
    }
}
