//! What the assembly goes through for each tile: where its operands are not zero, and where its results belong.

use core::marker::PhantomData;
use core::mem::{MaybeUninit, offset_of};
use core::ops::Range;
use core::ptr;

use super::FIXED_TIME;
use super::assembly::{Assembly, Turn};

/// Columns that are taken or left out together; tiles are padded to whole groups.
pub(super) const GROUP: usize = 4;

/// Runs of a tile: two of the input's groups, a tail of either half, and the hidden state. Where the input has more runs
/// than there is room for, the first one takes in the zeros behind it.
pub(super) const RUNS: usize = 2 + 2 + 1;

/// A run of columns of a tile. The assembly loads the first four fields in this order.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Run {
    /// Where the first operand is.
    pub(super) operands: *const i16,
    /// Where the operand behind the last one is.
    pub(super) end: *const i16,
    /// The first word in the tile that is next.
    pub(super) words: *const u32,
    /// The code to go on with.
    pub(super) entry: usize,
    /// Bytes from the run's last word to its first in the tile behind it.
    pub(super) skip: usize,
}

/// What follows the runs of a tile. The assembly loads the first four fields as those of a run.
#[repr(C)]
pub(super) struct Last {
    /// Of the tile's rows.
    pub(super) multipliers: *const i32,
    pub(super) table: *const u32,
    /// Of the tile's units.
    pub(super) hidden: *mut i16,
    /// The code that makes the new hidden state out of the sums.
    pub(super) entry: usize,
    /// Of the next tile's rows.
    pub(super) biases: *const i32,
    /// Where the last tile's hidden state ends.
    pub(super) hidden_end: *const i16,
    pub(super) first_run: *const Run,
}

/// What an LSTM needs besides. The assembly loads the fields in this order.
#[repr(C)]
pub(super) struct Lstm {
    /// Of the tile's unit.
    pub(super) cell: *mut i32,
    /// Takes the product of two gates, Q29, to the cell state's format.
    pub(super) written_shift: u32,
    /// Half a unit of what the shift below takes away.
    pub(super) squash_half: i32,
    /// Takes the cell state to the format of a pre-activation.
    pub(super) squash_shift: u32,
}

/// All that the assembly reads and writes besides operands, words and states: the runs, which stand at the end of their
/// places, right before [`Last`], and what a cell needs besides.
#[repr(C)]
pub(super) struct Frame<T, const RUNS: usize> {
    runs: [MaybeUninit<Run>; RUNS],
    last: MaybeUninit<Last>,
    of_cell: T,
}

/// Where the parts of a [`Frame`] are, whatever its type. Each of these pointers may go through all of the frame, as the
/// assembly does; whoever has them has the frame for himself.
pub(super) struct Places<'f> {
    pub(super) runs: *mut [MaybeUninit<Run>],
    pub(super) last: *mut Last,
    pub(super) of_cell: *const u32,
    frame: PhantomData<&'f mut ()>,
}

impl<T, const RUNS: usize> Frame<T, RUNS> {
    pub(super) const fn new(of_cell: T) -> Self {
        Self { runs: [const { MaybeUninit::uninit() }; RUNS], last: MaybeUninit::uninit(), of_cell }
    }

    pub(super) const fn places(&mut self) -> Places<'_> {
        let frame = &raw mut *self;
        Places {
            runs: ptr::slice_from_raw_parts_mut(frame.cast(), RUNS),
            last: frame.wrapping_byte_add(offset_of!(Self, last)).cast(),
            of_cell: frame.wrapping_byte_add(offset_of!(Self, of_cell)).cast(),
            frame: PhantomData,
        }
    }
}

// Where the assembly finds what a cell needs besides, from what stands behind `Last`'s entry, which it has just loaded.
const _: () = {
    assert!(offset_of!(Last, biases) == 16 && offset_of!(Run, skip) == 16 && size_of::<Run>() == 20);
    assert!(size_of::<Last>() - offset_of!(Last, biases) == 12);
    assert!(offset_of!(Frame<Lstm, 1>, last) == size_of::<Run>());
    assert!(offset_of!(Frame<Lstm, 1>, of_cell) == size_of::<Run>() + size_of::<Last>());
};

/// One half of a layer's columns.
pub(super) struct Half<'h> {
    pub(super) operands: &'h [i16],
    /// The words of the first tile.
    pub(super) words: *const u32,
    pub(super) tile_bytes: usize,
}

/// The runs of a tile, written from the last to the first.
pub(super) struct Runs<'f> {
    places: &'f mut [MaybeUninit<Run>],
    /// Places in front that are not written yet.
    free: usize,
    assembly: &'f Assembly,
}

impl<'f> Runs<'f> {
    pub(super) fn new(places: &'f mut [MaybeUninit<Run>], assembly: &'f Assembly) -> Self {
        let free = places.len();
        Self { places, free, assembly }
    }

    /// The number of the first run.
    pub(super) fn first(&self) -> usize {
        self.free
    }

    /// Puts a run in front of those that are there.
    fn push(&mut self, run: Run) {
        let free = self.free.wrapping_sub(1);
        if let Some(place) = self.places.get_mut(free) {
            place.write(run);
            self.free = free;
        }
    }

    /// Puts in front what a GRU does between the two halves: moves the candidates' sums to `sums` and goes on from
    /// their recurrent biases.
    pub(super) fn push_between(&mut self, biases: *const i32, sums: *const u32) {
        let entry = self.assembly.address(self.assembly.between);
        self.push(Run { operands: biases.cast(), end: ptr::null(), words: sums, entry, skip: 0 });
    }

    /// Puts the columns of the hidden state in front, all of them in one run: they are hardly ever zero, but all are
    /// before the first timestep.
    pub(super) fn push_hidden(&mut self, half: &Half<'_>, tail: &mut [i16; GROUP]) {
        if FIXED_TIME || half.operands.iter().any(|&value| value != 0) {
            let (groups, last) = half.operands.as_chunks::<GROUP>();
            // where there is a tail, the words of the next tile do not follow
            let turn = if last.is_empty() { &self.assembly.hidden } else { &self.assembly.any };
            self.push_groups(half, groups, 0..groups.len(), turn);
            self.push_tail(half, groups.len(), last, tail);
        }
    }

    /// Puts the runs of the input in front.
    pub(super) fn push_input(&mut self, half: &Half<'_>, tail: &mut [i16; GROUP]) {
        let (groups, last) = half.operands.as_chunks::<GROUP>();
        self.push_tail(half, groups.len(), last, tail);
        let is_zero = |group: &[i16; GROUP]| *group == [0; GROUP] && !FIXED_TIME;
        let mut rest = groups;
        while let [front @ .., group] = rest {
            let end = rest.len();
            rest = front;
            if is_zero(group) {
                continue;
            }
            // the last place takes all that is left
            while let [front @ .., group] = rest
                && (self.free == 1 || !is_zero(group))
            {
                rest = front;
            }
            self.push_groups(half, groups, rest.len()..end, &self.assembly.any);
        }
    }

    /// Puts the last operands in front, where they are no whole group: padded with zeros in `tail`.
    fn push_tail(&mut self, half: &Half<'_>, group: usize, last: &[i16], tail: &mut [i16; GROUP]) {
        if last.iter().any(|&value| value != 0 || FIXED_TIME) {
            *tail = [0; GROUP];
            tail.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
            self.push_run(half, tail.as_ptr(), group, 1, &self.assembly.any);
        }
    }

    /// Puts groups in front, if there are any.
    fn push_groups(&mut self, half: &Half<'_>, groups: &[[i16; GROUP]], range: Range<usize>, turn: &Turn) {
        if !range.is_empty() {
            let operands = groups.as_ptr().wrapping_add(range.start).cast();
            self.push_run(half, operands, range.start, range.len(), turn);
        }
    }

    /// Puts a run of groups in front: `groups` of them, whose operands begin at `operands` and whose words are those of
    /// group number `first`.
    fn push_run(&mut self, half: &Half<'_>, operands: *const i16, first: usize, groups: usize, turn: &Turn) {
        let bytes = |groups: usize| self.assembly.words(groups * GROUP) * size_of::<u32>();
        self.push(Run {
            operands,
            end: operands.wrapping_add(groups * GROUP),
            words: half.words.wrapping_byte_add(bytes(first)),
            entry: self.assembly.address(turn.entry(groups)),
            skip: half.tile_bytes - bytes(groups),
        });
    }
}
