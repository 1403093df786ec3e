//! The kernel for ARMv7E-M, and for ARMv8-M with the DSP extension: two products an instruction, two rows a word.
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
//! At the end row B's sum is `T` and row A's `(S - T) >> 8`. Sums that are there already come in the same way, as
//! `S = 256·A + B` and `T = B`.
//!
//! **Zeros.** All tiles of a layer meet the same operands, so [`Operands`] looks once where they are zero, and lists the
//! runs of columns, four by four, in which there is anything to multiply. The loops know nothing but runs: blank pixels
//! cost nothing at all.

#![expect(unsafe_code, reason = "the assembly reads and writes through pointers")]

mod assembly;

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr;

use self::assembly::{one_pair, three_pairs, two_pairs};
use super::PairSums;

/// Columns that are taken or left out together; tiles are padded to whole groups.
const GROUP: usize = 4;

/// Most runs that are listed of one half: the last one there is room for takes in the zeros behind it.
const MOST_RUNS: usize = 4;

/// Items of the list of one half: its runs, a tail and an end.
const ITEMS: usize = MOST_RUNS + 2;

/// An item of a list. The assembly loads the fields in this order.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Run {
    /// Where the first operand is. Of a [`Entry::Tail`] the first two operands themselves; of an [`Entry::Next`] how many
    /// bytes behind it the second half's list begins.
    first: *const i16,
    /// Where the operand behind the last one is. Of a [`Entry::Tail`] its last two operands.
    end: *const i16,
    /// The groups before it.
    group: usize,
    entry: Entry,
}

/// What the assembly does with an item: the number of a branch in its table.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
enum Entry {
    /// A run of a multiple of four groups.
    Four,
    /// Of one more.
    One,
    /// Of two more.
    Two,
    /// Of three more.
    Three,
    /// The last operands where they are no whole group, padded with zeros.
    Tail,
    /// The first half's list ends, and the second half's follows if it is asked for.
    Next,
    /// The second half's list ends.
    End,
}

impl Entry {
    /// For a run of so many groups.
    const fn of_length(groups: usize) -> Self {
        match groups % 4 {
            0 => Self::Four,
            1 => Self::One,
            2 => Self::Two,
            _ => Self::Three,
        }
    }
}

/// What there is to multiply of one half. Written up to its [`Entry::Next`] or [`Entry::End`]; nobody reads what is
/// behind it.
type List = [MaybeUninit<Run>; ITEMS];

/// The operands of both halves of a layer's rows.
#[derive(Debug)]
pub(crate) struct Operands<'o> {
    /// Words that a pair of rows has of each half, the least that a tile needs.
    words_of_pair: [usize; 2],
    lists: [List; 2],
    values: PhantomData<&'o [i16]>,
}

impl Default for Operands<'_> {
    /// Operands that no tile has the words for.
    fn default() -> Self {
        let lists = [[const { MaybeUninit::uninit() }; ITEMS]; 2];
        Self { words_of_pair: [usize::MAX / 4; 2], lists, values: PhantomData }
    }
}

impl<'o> Operands<'o> {
    /// Looks where there are zeros.
    pub(crate) fn set(&mut self, values: [&'o [i16]; 2]) {
        self.words_of_pair = values.map(|values| values.len().div_ceil(GROUP) * GROUP / 2);
        let [first, second] = &mut self.lists;
        list_runs(first, values[0], Entry::Next);
        list_runs(second, values[1], Entry::End);
    }
}

/// Writes the runs of one half into the front of a list, and `end` behind them.
#[inline(never)]
fn list_runs(list: &mut List, values: &[i16], end: Entry) {
    let (groups, tail) = values.as_chunks::<GROUP>();
    let mut places = list.iter_mut();
    let mut write = |run| places.next().into_iter().for_each(|place| _ = place.write(run));
    let (mut rest, mut runs) = (groups, 0);
    loop {
        while let [[0, 0, 0, 0], behind @ ..] = rest {
            rest = behind;
        }
        let first = rest;
        while let [group, behind @ ..] = rest
            && (*group != [0; GROUP] || runs == MOST_RUNS - 1)
        {
            rest = behind;
        }
        let length = first.len() - rest.len();
        if length == 0 {
            break;
        }
        let group = groups.len() - first.len();
        write(Run {
            first: first.as_ptr().cast(),
            end: rest.as_ptr().cast(),
            group,
            entry: Entry::of_length(length),
        });
        runs += 1;
    }
    if tail.iter().any(|&value| value != 0) {
        let two = |first: usize| {
            let [low, high] =
                [first, first + 1].map(|column| tail.get(column).map_or(0, |&value| value as u16));
            ptr::without_provenance(usize::from(low) | usize::from(high) << 16)
        };
        write(Run { first: two(0), end: two(2), group: groups.len(), entry: Entry::Tail });
        runs += 1;
    }
    let other_list = (ITEMS - 1 - runs) * size_of::<Run>();
    write(Run { first: ptr::without_provenance(other_list), end: ptr::null(), group: 0, entry: end });
}

/// The same sums as `portable::sums`, times the multipliers where there are some.
#[inline]
pub(crate) fn sums<const P: usize>(
    start: &[PairSums; P],
    tiles: [&[u32]; 2],
    operands: &Operands<'_>,
    multipliers: Option<&[[i32; 2]; P]>,
) -> [PairSums; P] {
    const { assert!(P == 1 || P == 2 || P == 3, "a tile has one to three pairs of rows") };
    let kernel = match P {
        1 => one_pair,
        2 => two_pairs,
        _ => three_pairs,
    };
    let least = operands.words_of_pair.map(|words| words * P);
    let (first, second, half) = match tiles {
        [first, second] if first.len() >= least[0] && second.len() >= least[1] => {
            (first.as_ptr(), second.as_ptr(), 0)
        }
        // a half whose tile is empty is left out, as is one with too few words, which no checked model has
        [tile, _] if tile.len() >= least[0] => (tile.as_ptr(), ptr::null(), 0),
        [_, tile] if tile.len() >= least[1] => (tile.as_ptr(), ptr::null(), 1),
        _ => return [[0; 2]; P],
    };
    let mut sums = MaybeUninit::<[PairSums; P]>::uninit();
    let start = start.as_ptr().cast();
    let multipliers = multipliers.map_or(ptr::null(), |multipliers| multipliers.as_ptr().cast());
    let lists: *const List = operands.lists.as_ptr();
    // SAFETY: `sums`, `start` and `multipliers` are 2·P numbers, and the kernel writes all of `sums`. `set` has written
    // both lists up to their ends, as a tile has the words that it asks for; the first list's end says where the other
    // is, which the pointer to both may reach. Their runs lie within slices that `operands` borrows, and within tiles that
    // have words for them.
    unsafe {
        kernel(sums.as_mut_ptr().cast(), first, second, lists.add(half).cast(), start, multipliers);
        sums.assume_init()
    }
}
