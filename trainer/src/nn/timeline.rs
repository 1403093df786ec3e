//! Which sequences of a shard are running at which timestep.
//!
//! Sequences of different lengths are laid out so that they end together, the longest first:
//!
//! ```text
//! lengths   t = 0   1   2   3
//!       4       x   x   x   x
//!       3           x   x   x
//!       1                   x
//! ```
//!
//! The rows that run at a timestep are then the first ones, and nothing is kept for the padding: one timestep of all its
//! rows is one contiguous matrix, all timesteps together are one too, and the last states of all sequences lie side by
//! side at the end. A sequence that has not begun has the zero state. It is what Keras's masking computes, where a
//! finished sequence's state is held until the end, without computing any of the padding.

use std::ops::{Range, RangeTo};

use ndarray::{ArrayViewMut3, Axis, aview1};

use super::batch::Steps;

/// The layout of one shard. A "row" is one of its sequences, in order of length.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline {
    /// Number in the shard of each row's sequence.
    order: Vec<usize>,
    /// Timesteps of each row, the longest first.
    lengths: Vec<usize>,
    /// Rows of the layout before each timestep, and at the end of the last: `[1 + timesteps]`.
    starts: Vec<usize>,
    /// By number in the shard: timesteps of all sequences before this one.
    timesteps_before: Vec<usize>,
}

/// One timestep of the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    start: usize,
    end: usize,
    continuing: usize,
}

impl Step {
    /// Where this step's rows of `width` numbers lie among those of all steps.
    pub(super) fn range(&self, width: usize) -> Range<usize> {
        self.start * width..self.end * width
    }

    /// Where the states after this step, of `width` numbers a row, lie in the layout of states.
    pub(super) fn range_after(&self, width: usize) -> Range<usize> {
        self.end * width..self.end * width + self.size(width)
    }

    /// Which of this step's rows, of `width` numbers, ran at the step before too. The others begin here, from the zero
    /// state; at the first step that is all of them.
    pub(super) fn continuing(&self, width: usize) -> Option<RangeTo<usize>> {
        (self.continuing > 0).then_some(..self.continuing * width)
    }

    /// How many numbers this step's rows have, `width` each.
    pub(super) fn size(&self, width: usize) -> usize {
        (self.end - self.start) * width
    }

    /// Which of this step's rows, of `width` numbers, begin here.
    fn beginning(&self, width: usize) -> Range<usize> {
        (self.start + self.continuing) * width..self.end * width
    }
}

impl Timeline {
    /// Lays out sequences of these lengths, in the order of the shard.
    pub(super) fn arrange(&mut self, lengths: impl Iterator<Item = usize>) {
        self.lengths.clear();
        self.lengths.extend(lengths);
        self.timesteps_before.clear();
        let running_sum =
            self.lengths.iter().scan(0, |sum, length| Some(std::mem::replace(sum, *sum + length)));
        self.timesteps_before.extend(running_sum);

        self.order.clear();
        self.order.extend(0..self.lengths.len());
        // stable, so that sequences of one length keep the shard's order
        self.order.sort_by_key(|&sequence| std::cmp::Reverse(self.lengths[sequence]));
        self.lengths.sort_by_key(|&length| std::cmp::Reverse(length));

        let timesteps = self.lengths.first().copied().unwrap_or(0);
        self.starts.clear();
        self.starts.push(0);
        let (mut running, mut start) = (0, 0);
        for t in 0..timesteps {
            running += self.lengths[running..].iter().take_while(|&&length| length >= timesteps - t).count();
            start += running;
            self.starts.push(start);
        }
    }

    /// Sequences of the shard.
    pub(super) fn rows(&self) -> usize {
        self.order.len()
    }

    /// Timesteps of all sequences together: rows of the layout.
    pub(super) fn total(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Rows of the layout of states, which has the state before each timestep and those after the last one.
    pub(super) fn total_states(&self) -> usize {
        self.total() + self.rows()
    }

    /// The timesteps in order.
    pub(super) fn steps(&self) -> impl DoubleEndedIterator<Item = Step> + '_ {
        self.starts.windows(2).enumerate().map(|(t, bounds)| {
            let before = if t == 0 { 0 } else { bounds[0] - self.starts[t - 1] };
            Step { start: bounds[0], end: bounds[1], continuing: before }
        })
    }

    /// Number in the shard of each row's sequence, and the sequence's length.
    pub(super) fn sequences(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.order.iter().copied().zip(self.lengths.iter().copied())
    }

    /// Calls `visit` with the number of each read-out in the order that [`Steps`] says, and with the row and the timestep of
    /// its sequence after which it is.
    pub(super) fn for_each_read_out(&self, steps: Steps, mut visit: impl FnMut(usize, usize, usize)) {
        for (row, (sequence, length)) in self.sequences().enumerate() {
            match steps {
                Steps::Last => visit(sequence, row, length - 1),
                Steps::Every => {
                    let first = self.timesteps_before[sequence];
                    (0..length).for_each(|s| visit(first + s, row, s));
                }
            }
        }
    }

    /// Where timestep `s` of row `row`'s sequence is among the rows of the layout.
    pub(super) fn position(&self, row: usize, s: usize) -> usize {
        self.starts[self.timestep(row, s)] + row
    }

    /// Where the state after timestep `s` of row `row`'s sequence is among the rows of the layout of states.
    pub(super) fn position_after(&self, row: usize, s: usize) -> usize {
        self.starts[self.timestep(row, s) + 1] + row
    }

    /// The layout's timestep for timestep `s` of row `row`'s sequence.
    fn timestep(&self, row: usize, s: usize) -> usize {
        self.lengths[0] - self.lengths[row] + s
    }

    /// Writes the state after each timestep of each sequence into `out` `[sequences, timesteps, units]`, and goes on with
    /// a sequence's last state after its end.
    pub(super) fn hold(&self, states: &[f32], mut out: ArrayViewMut3<'_, f32>) {
        let units = out.len_of(Axis(2));
        for (row, (sequence, length)) in self.sequences().enumerate() {
            for (s, mut out) in out.index_axis_mut(Axis(0), sequence).outer_iter_mut().enumerate() {
                let after = self.position_after(row, s.min(length - 1)) * units;
                out.assign(&aview1(&states[after..after + units]));
            }
        }
    }

    /// Sets to zero the states, of `units` numbers, from which sequences begin.
    pub(super) fn clear_beginnings(&self, units: usize, states: &mut [f32]) {
        for step in self.steps() {
            states[step.beginning(units)].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(lengths: &[usize]) -> Timeline {
        let mut timeline = Timeline::default();
        timeline.arrange(lengths.iter().copied());
        timeline
    }

    #[test]
    fn sequences_end_together_the_longest_first() {
        let timeline = timeline(&[1, 4, 3]);
        assert_eq!((timeline.rows(), timeline.total(), timeline.total_states()), (3, 8, 11));
        assert_eq!(timeline.sequences().collect::<Vec<_>>(), [(1, 4), (2, 3), (0, 1)]);
        let steps: Vec<_> = timeline.steps().map(|step| (step.range(10), step.continuing(10))).collect();
        let expected = [(0..10, None), (10..30, Some(..10)), (30..50, Some(..20)), (50..80, Some(..20))];
        assert_eq!(steps, expected);
        // row 1 has 3 timesteps, and begins at the second of the layout
        assert_eq!([0, 1, 2].map(|s| timeline.position(1, s)), [2, 4, 6]);
        assert_eq!([0, 1, 2].map(|s| timeline.position_after(1, s)), [4, 6, 9]);
    }

    #[test]
    fn read_outs_follow_the_order_of_the_shard() {
        let timeline = timeline(&[1, 4, 3]);
        let visits = |steps| {
            let mut visits = Vec::new();
            timeline.for_each_read_out(steps, |read_out, row, s| visits.push((read_out, row, s)));
            visits.sort();
            visits
        };
        assert_eq!(visits(Steps::Last), [(0, 2, 0), (1, 0, 3), (2, 1, 2)]);
        let every: Vec<_> = visits(Steps::Every);
        assert_eq!(every[..2], [(0, 2, 0), (1, 0, 0)]);
        assert_eq!(every[4..], [(4, 0, 3), (5, 1, 0), (6, 1, 1), (7, 1, 2)]);
    }

    #[test]
    fn only_the_states_before_beginnings_are_cleared() {
        let mut states = vec![1.0; 2 * 11];
        timeline(&[1, 4, 3]).clear_beginnings(2, &mut states);
        let cleared: Vec<usize> = (0..11).filter(|row| states[2 * row..2 * row + 2] == [0.0, 0.0]).collect();
        assert_eq!(cleared, [0, 2, 7]);
    }

    #[test]
    fn equal_lengths_keep_their_order() {
        let timeline = timeline(&[2, 2, 2]);
        assert_eq!(timeline.sequences().collect::<Vec<_>>(), [(0, 2), (1, 2), (2, 2)]);
        let steps: Vec<_> = timeline.steps().map(|step| (step.range(1), step.continuing(1))).collect();
        assert_eq!(steps, [(0..3, None), (3..6, Some(..3))]);
    }

    #[test]
    fn an_arrangement_leaves_nothing_behind_for_the_next() {
        let mut used = timeline(&[7, 1, 5, 5]);
        used.arrange([2, 3].into_iter());
        assert_eq!(format!("{used:?}"), format!("{:?}", timeline(&[2, 3])));
    }
}
