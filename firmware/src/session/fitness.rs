//! Models that failed their self-test compute nothing that anybody could take for an answer.

use refrain::link::{Refusal, Request};

use super::Session;
use crate::Clock;

impl<C: Clock, W> Session<'_, C, W> {
    /// Refuses a request for which a model would compute that is not fit for it.
    pub(super) fn fitness_for(&self, request: &Request<'_>) -> Result<(), Refusal> {
        let model = match *request {
            Request::Row { model, .. }
            | Request::Sequence { model, .. }
            | Request::Logits { model, .. }
            | Request::Profile { model, .. }
            // the rows of a stream are those of one that has begun
            | Request::BeginStream { model, .. } => model,
            _ => return Ok(()),
        };
        let verdict = self.models.get(usize::from(model)).map_or(Ok(()), |model| model.verdict());
        verdict.map_err(Refusal::Unfit)
    }
}

#[cfg(all(test, feature = "profile", feature = "stream"))]
mod tests {
    use refrain::SelfTestError;
    use refrain::link::{Pace, Reply};

    use super::*;
    use crate::Classifier;
    use crate::testing::{Recorder, SteppedClock};
    use crate::update::{NoFlash, Store};

    /// Every request that a model computes for, whose rows have two bytes.
    fn computed_by(model: u8) -> [Request<'static>; 5] {
        let (sequence, values): (u32, &[u8]) = (7, &[1, 2]);
        let pace = Pace { period: 50, slack: 10, deadline: 50, silence: 0 };
        [
            Request::Row { model, sequence, index: 0, count: 1, values },
            Request::Logits { model, sequence },
            Request::Sequence { model, sequence, values },
            Request::Profile { model, values },
            Request::BeginStream { model, stream: 1, window: 0, pace },
        ]
    }

    #[test]
    fn a_model_that_failed_computes_nothing_and_the_others_do() {
        let clock = SteppedClock::new(1);
        let [mut sound, mut unfit] = ["sound", "unfit"].map(|name| Recorder::new(name, 2, &clock));
        assert_eq!(unfit.self_test(), Err(SelfTestError::Absent));
        let mut models: [&mut dyn Classifier; 2] = [&mut sound, &mut unfit];
        let mut updates = Store::open(NoFlash, []);
        let mut session = Session::new("a board", 64, &mut models, &mut updates, &clock, || 0, || 0);
        for request in computed_by(1) {
            let refused = Reply::Refused(Refusal::Unfit(SelfTestError::Absent));
            assert_eq!(session.answer(request, 0), refused, "{request:?}");
        }
        for request in computed_by(0) {
            let reply = session.answer(request, 0);
            assert!(!matches!(reply, Reply::Refused(_)), "{request:?}: {reply:?}");
        }
        let described = session.answer(Request::Describe { model: 1 }, 0);
        assert!(matches!(described, Reply::Model { name: "unfit", .. }), "{described:?}");
    }
}
