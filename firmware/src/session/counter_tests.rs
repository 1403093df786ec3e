//! Tests of what is counted, at its end: a board that has served for years must not stop for that.

use super::*;
use crate::testing::{Recorder, SteppedClock};
use crate::update::{NoFlash, Store};

#[test]
fn counters_stop_at_their_last_number() {
    const IN_A_SEQUENCE: u16 = 3;
    let clock = SteppedClock::new(1);
    let mut recorder = Recorder::new("recorder", 2, &clock);
    let mut models: [&mut dyn Classifier; 1] = [&mut recorder];
    let mut updates = Store::open(NoFlash, []);
    let mut session = Session::new("a board", 64, &mut models, &mut updates, &clock, || 0, || 0);
    (session.sequences, session.timesteps, session.ticks) = (u32::MAX - 1, u32::MAX - 4, u64::MAX - 1);
    for (sequence, timesteps) in (0..).zip([u32::MAX - 1, u32::MAX, u32::MAX]) {
        for index in 0..IN_A_SEQUENCE {
            let row = Request::Row { model: 0, sequence, index, count: IN_A_SEQUENCE, values: &[1, 2] };
            assert!(!matches!(session.answer(row, 0), Reply::Refused(_)));
        }
        let counted = session.statistics(0);
        assert_eq!((counted.sequences, counted.timesteps, counted.ticks), (u32::MAX, timesteps, u64::MAX));
    }
}
