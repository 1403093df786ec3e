//! What is answered to each request.

use refrain::link::{PROTOCOL_VERSION, Refusal, Reply, Request, Statistics};
use refrain::{RowLength, Steps};

use crate::{Classifier, Clock, Meter};

/// The board's side of the conversation, from a request to its reply; [`refrain::link`] describes it.
///
/// Row 0 always begins a sequence anew. Any other row is taken only where it is the next one of the current
/// sequence; the row that was taken last is answered again, without a step, because its answer may have been
/// lost. So however often a host repeats itself, the logits are those of the whole sequence, once.
pub struct Session<'m, C> {
    board: &'static str,
    models: &'m mut [&'m mut dyn Classifier],
    meter: Meter<C>,
    stack_used: fn() -> u32,
    current: Option<Current>,
    sequences: u32,
    timesteps: u32,
    ticks: u64,
}

/// The sequence that is being read.
#[derive(Clone, Copy, PartialEq)]
struct Current {
    key: Key,
    /// Rows taken so far.
    taken: u16,
    /// Ticks that they and their answers took.
    ticks: u64,
}

impl Current {
    /// A sequence of which no row has been taken.
    fn new(key: Key) -> Self {
        Self { key, taken: 0, ticks: 0 }
    }
}

/// What tells two sequences apart.
#[derive(Clone, Copy, PartialEq)]
struct Key {
    model: u8,
    sequence: u32,
    count: u16,
}

/// What a row is to its sequence.
#[derive(Clone, Copy, PartialEq)]
enum Turn {
    /// The first one: the sequence begins, or begins again.
    Begin,
    /// The next one.
    Next,
    /// The one that was taken last.
    Again,
}

impl Turn {
    /// What row `index` of `count` is to a sequence of which `taken` rows have been taken.
    fn of(index: u16, count: u16, taken: u16) -> Result<Self, Refusal> {
        match index {
            0 if count > 0 => Ok(Self::Begin),
            _ if index >= count => Err(()),
            _ if index == taken => Ok(Self::Next),
            _ if index + 1 == taken => Ok(Self::Again),
            _ => Err(()),
        }
        .map_err(|()| Refusal::RowOrder { expected: taken.checked_rem(count).unwrap_or(0) })
    }
}

impl<'m, C: Clock> Session<'m, C> {
    /// Nothing has been asked yet.
    pub fn new(
        board: &'static str,
        models: &'m mut [&'m mut dyn Classifier],
        clock: C,
        stack_used: fn() -> u32,
    ) -> Self {
        let meter = Meter::new(clock);
        Self { board, models, meter, stack_used, current: None, sequences: 0, timesteps: 0, ticks: 0 }
    }

    /// The reply to a request; `broken_frames` is what the line has counted.
    pub fn answer(&mut self, request: Request<'_>, broken_frames: u32) -> Reply<'_> {
        let reply = match request {
            Request::Hello => Ok(self.hello()),
            Request::Describe { model } => self.describe(model),
            Request::Row { model, sequence, index, count, values } => {
                self.row(Key { model, sequence, count }, index, values)
            }
            Request::Statistics => Ok(Reply::Statistics(self.statistics(broken_frames))),
        };
        reply.unwrap_or_else(Reply::Refused)
    }

    fn hello(&self) -> Reply<'_> {
        Reply::Hello {
            protocol: PROTOCOL_VERSION,
            firmware: env!("CARGO_PKG_VERSION"),
            board: self.board,
            models: self.model_count(),
        }
    }

    fn describe(&self, model: u8) -> Result<Reply<'_>, Refusal> {
        let models = self.model_count();
        let model = self.models.get(usize::from(model)).ok_or(Refusal::NoSuchModel { models })?;
        let header = model.header();
        Ok(Reply::Model {
            name: header.name.as_str(),
            cell: header.cell,
            numbers: header.numbers,
            shape: header.shape,
            samples: header.input.samples,
            output: header.output,
            crc: model.crc(),
        })
    }

    fn row(&mut self, key: Key, index: u16, values: &[u8]) -> Result<Reply<'_>, Refusal> {
        let models = self.model_count();
        let model = self.models.get_mut(usize::from(key.model)).ok_or(Refusal::NoSuchModel { models })?;
        let expected = model.header().row_bytes();
        if values.len() != expected {
            return Err(row_length(RowLength { found: values.len(), expected }));
        }
        let mut current = self.current.filter(|current| current.key == key).unwrap_or(Current::new(key));
        let turn = Turn::of(index, key.count, current.taken)?;
        if turn == Turn::Begin {
            current = Current::new(key);
        }
        if turn != Turn::Again {
            let (stepped, ticks) = self.meter.measure(|| {
                if turn == Turn::Begin {
                    model.reset();
                }
                model.step(values)
            });
            stepped.map_err(row_length)?;
            current.taken += 1;
            current.ticks += ticks;
            self.current = Some(current);
        }
        let is_last = index + 1 == key.count;
        if !is_last && model.header().output.steps == Steps::Last {
            return Ok(Reply::Accepted);
        }
        let (logits, ticks) = self.meter.measure(|| model.logits());
        if turn != Turn::Again {
            current.ticks += ticks;
            self.current = Some(current);
            if is_last {
                self.sequences += 1;
                self.timesteps += u32::from(key.count);
                self.ticks += current.ticks;
            }
        }
        Ok(Reply::Logits { sequence: key.sequence, logits })
    }

    fn statistics(&self, broken_frames: u32) -> Statistics {
        Statistics {
            sequences: self.sequences,
            timesteps: self.timesteps,
            ticks: self.ticks,
            ticks_per_1000_instructions: self.meter.clock().ticks_per_1000_instructions(),
            stack_bytes: (self.stack_used)(),
            inference_stack_bytes: 0,
            broken_frames,
        }
    }

    fn model_count(&self) -> u8 {
        u8::try_from(self.models.len()).unwrap_or(u8::MAX)
    }
}

/// The refusal of a row of another length.
pub(crate) fn row_length(error: RowLength) -> Refusal {
    let saturated = |bytes| u16::try_from(bytes).unwrap_or(u16::MAX);
    Refusal::RowLength { found: saturated(error.found), expected: saturated(error.expected) }
}

#[cfg(test)]
mod tests {
    use refrain::Samples;

    use super::*;
    use crate::testing::{LOGITS_TICKS, Recorder, STEP_TICKS, SteppedClock};

    const ROWS: [&[u8]; 3] = [&[1, 2], &[3, 4], &[5, 6]];

    /// Runs `test` with a session of three models: 0 takes rows of two bytes, 1 of three, and 2 of two, each of which
    /// it answers.
    fn with_session(test: impl FnOnce(&mut Session<'_, &SteppedClock>)) {
        let clock = SteppedClock::new(1);
        let (mut first, mut second) = (Recorder::new("first", 2, &clock), Recorder::new("second", 3, &clock));
        let mut third = Recorder::new("third", 2, &clock).answering_every_step();
        let mut models: [&mut dyn Classifier; 3] = [&mut first, &mut second, &mut third];
        test(&mut Session::new("a board", &mut models, &clock, || 321));
    }

    fn row(sequence: u32, index: u16, values: &[u8]) -> Request<'_> {
        Request::Row { model: 0, sequence, index, count: 3, values }
    }

    /// Sends the rows of `sequence` from `first` on and expects its logits.
    fn finish(session: &mut Session<'_, &SteppedClock>, sequence: u32, first: u16) {
        for (index, values) in (0..).zip(ROWS).skip(first.into()) {
            let reply = session.answer(row(sequence, index, values), 0);
            let logits = Recorder::expected(&ROWS);
            let expected =
                if index == 2 { Reply::Logits { sequence, logits: &logits } } else { Reply::Accepted };
            assert_eq!(reply, expected, "row {index}");
        }
    }

    #[test]
    fn it_says_who_it_is_and_what_it_holds() {
        with_session(|session| {
            assert_eq!(
                session.answer(Request::Hello, 0),
                Reply::Hello {
                    protocol: PROTOCOL_VERSION,
                    firmware: env!("CARGO_PKG_VERSION"),
                    board: "a board",
                    models: 3
                }
            );
            for (model, described) in
                [("first", 2, Steps::Last), ("second", 3, Steps::Last), ("third", 2, Steps::Every)]
                    .into_iter()
                    .enumerate()
            {
                let model = model as u8;
                let Reply::Model { name, shape, samples, output, crc, .. } =
                    session.answer(Request::Describe { model }, 0)
                else {
                    panic!("no model {model}");
                };
                assert_eq!((name, shape.inputs, output.steps), described);
                assert_eq!((samples, crc), (Samples::U8, 0xfeed_beef));
            }
            let refused = session.answer(Request::Describe { model: 3 }, 0);
            assert_eq!(refused, Reply::Refused(Refusal::NoSuchModel { models: 3 }));
        });
    }

    #[test]
    fn sequences_follow_one_another() {
        with_session(|session| {
            finish(session, 7, 0);
            finish(session, 8, 0);
        });
    }

    #[test]
    fn a_repeated_row_is_answered_again_and_not_stepped() {
        with_session(|session| {
            for index in [0, 0, 1, 1, 1] {
                let reply = session.answer(row(7, index, ROWS[usize::from(index)]), 0);
                assert_eq!(reply, Reply::Accepted);
            }
            finish(session, 7, 2);
            finish(session, 7, 2);
        });
    }

    #[test]
    fn a_sequence_may_begin_again_at_any_time() {
        with_session(|session| {
            for index in [0, 1] {
                session.answer(row(7, index, &[9, 9]), 0);
            }
            finish(session, 7, 0);
            finish(session, 7, 0);
        });
    }

    #[test]
    fn a_row_out_of_order_is_refused_and_costs_nothing() {
        with_session(|session| {
            let refused = |expected| Reply::Refused(Refusal::RowOrder { expected });
            assert_eq!(session.answer(row(7, 1, ROWS[1]), 0), refused(0), "nothing has begun");
            session.answer(row(7, 0, ROWS[0]), 0);
            assert_eq!(session.answer(row(7, 2, ROWS[2]), 0), refused(1), "row 1 is missing");
            assert_eq!(session.answer(row(8, 1, ROWS[1]), 0), refused(0), "another sequence");
            assert_eq!(session.answer(row(7, 3, ROWS[1]), 0), refused(1), "behind the end");
            assert_eq!(session.answer(row(7, u16::MAX, ROWS[1]), 0), refused(1), "far behind the end");
            let longer = Request::Row { model: 0, sequence: 7, index: 1, count: 4, values: ROWS[1] };
            assert_eq!(session.answer(longer, 0), refused(0), "another length is another sequence");
            let empty = Request::Row { model: 0, sequence: 7, index: 0, count: 0, values: ROWS[0] };
            assert_eq!(session.answer(empty, 0), refused(0), "a sequence of no rows");
            finish(session, 7, 1);
            assert_eq!(session.answer(row(7, 1, ROWS[1]), 0), refused(0), "the sequence is over");
        });
    }

    #[test]
    fn another_model_cannot_take_over_a_sequence() {
        with_session(|session| {
            session.answer(row(7, 0, ROWS[0]), 0);
            let other = |index| Request::Row { model: 1, sequence: 7, index, count: 3, values: &[1, 2, 3] };
            assert_eq!(session.answer(other(1), 0), Reply::Refused(Refusal::RowOrder { expected: 0 }));
            assert_eq!(session.answer(other(0), 0), Reply::Accepted);
            let reply = session.answer(row(7, 1, ROWS[1]), 0);
            assert_eq!(reply, Reply::Refused(Refusal::RowOrder { expected: 0 }));
            finish(session, 7, 0);
        });
    }

    #[test]
    fn a_row_of_another_length_or_model_is_refused_and_costs_nothing() {
        with_session(|session| {
            session.answer(row(7, 0, ROWS[0]), 0);
            for (index, values) in [(0, &[1][..]), (1, &[]), (1, &[1, 2, 3])] {
                assert_eq!(
                    session.answer(row(7, index, values), 0),
                    Reply::Refused(Refusal::RowLength { found: values.len() as u16, expected: 2 })
                );
            }
            let unknown = Request::Row { model: 3, sequence: 7, index: 0, count: 3, values: ROWS[0] };
            let refused = session.answer(unknown, 0);
            assert_eq!(refused, Reply::Refused(Refusal::NoSuchModel { models: 3 }));
            finish(session, 7, 1);
        });
    }

    #[test]
    fn a_sequence_of_one_row_is_answered_at_once() {
        with_session(|session| {
            let only = Request::Row { model: 0, sequence: 7, index: 0, count: 1, values: ROWS[0] };
            let logits = Recorder::expected(&ROWS[..1]);
            for _ in 0..2 {
                assert_eq!(session.answer(only, 0), Reply::Logits { sequence: 7, logits: &logits });
            }
        });
    }

    #[test]
    fn each_row_is_answered_by_a_model_that_does_so() {
        with_session(|session| {
            let row = |index: u16| Request::Row {
                model: 2,
                sequence: 7,
                index,
                count: 3,
                values: ROWS[usize::from(index)],
            };
            for index in [0, 0, 1, 1, 2, 2, 2] {
                let logits = Recorder::expected(&ROWS[..=usize::from(index)]);
                assert_eq!(session.answer(row(index), 0), Reply::Logits { sequence: 7, logits: &logits });
            }
            session.answer(row(0), 0);
            let refused = session.answer(row(2), 0);
            assert_eq!(refused, Reply::Refused(Refusal::RowOrder { expected: 1 }));
            let Reply::Statistics(counted) = session.answer(Request::Statistics, 0) else {
                panic!("no statistics");
            };
            assert_eq!(
                (counted.sequences, counted.timesteps),
                (1, 3),
                "repeated and unfinished rows do not count"
            );
            assert_eq!(counted.ticks, 3 * (STEP_TICKS + LOGITS_TICKS));
        });
    }

    #[test]
    fn statistics_count_each_answered_sequence_once() {
        with_session(|session| {
            finish(session, 7, 0);
            finish(session, 7, 2);
            session.answer(row(8, 0, ROWS[0]), 0);
            session.answer(row(8, 1, ROWS[1]), 0);
            finish(session, 9, 0);
            session.answer(row(9, 7, ROWS[0]), 0);
            assert_eq!(
                session.answer(Request::Statistics, 5),
                Reply::Statistics(Statistics {
                    sequences: 2,
                    timesteps: 6,
                    ticks: 2 * (3 * STEP_TICKS + LOGITS_TICKS),
                    ticks_per_1000_instructions: 25_600,
                    stack_bytes: 321,
                    inference_stack_bytes: 0,
                    broken_frames: 5,
                })
            );
        });
    }
}
