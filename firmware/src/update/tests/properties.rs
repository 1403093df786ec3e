//! What holds of any uploads, cuts, chunks and units of flash.

use proptest::prelude::*;

use super::models::{built_in, model};
use super::{boot, flash, in_use, upload};
use crate::update::Updates;
use crate::update::simulation::Cut;

/// An attempt to bring a model to the board.
#[derive(Clone, Debug)]
struct Attempt {
    /// How much newer it is than the newest so far; 0 tries the last one again.
    newer: u32,
    chunk: usize,
    /// After how many steps power fails, and how.
    cut: Option<(u64, Cut)>,
}

fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let ways = Cut::ALL.into_iter().filter(|&cut| cut != Cut::Wavers).collect::<Vec<_>>();
    let cut = proptest::option::weighted(0.7, (0..400_u64, proptest::sample::select(ways)));
    let attempt = (0..3_u32, 1..400_usize, cut).prop_map(|(newer, chunk, cut)| Attempt { newer, chunk, cut });
    proptest::collection::vec(attempt, 1..8)
}

/// Makes the attempts; after each the board has the model that it had before it, or the one that was sent, whole.
fn hold<const WRITE: usize, const ERASE: usize>(
    attempts: &[Attempt],
    seed: u64,
) -> Result<(), TestCaseError> {
    let mut flash = flash::<WRITE, ERASE>(seed);
    let (mut used, mut newest) = (0, 1);
    for attempt in attempts {
        newest += attempt.newer;
        let file = model(newest.into());
        if let Some((at, cut)) = attempt.cut {
            flash.cut_at(at, cut);
        }
        let outcome = upload(&mut boot(&mut flash, built_in()), newest, &file, attempt.chunk);
        flash.restore();
        let now = boot(&mut flash, built_in()).active(0).revision;
        prop_assert!(now == used || now == newest, "revision {now} is used, {used} was, {newest} was sent");
        prop_assert!(outcome.is_err() || now == newest, "it was accepted and revision {now} is used");
        prop_assert!(attempt.cut.is_some() || outcome.is_ok() || used == newest, "{outcome:?}");
        let expected = (now > 0).then(|| model(now.into()));
        prop_assert_eq!(in_use(&mut flash), expected);
        used = now;
    }
    prop_assert_eq!(flash.rewritten, 0, "what was not erased was written");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_board_has_the_old_model_or_the_new_one(attempts in attempts(), seed: u64) {
        hold::<1, 256>(&attempts, seed)?;
        hold::<4, 256>(&attempts, seed)?;
        hold::<8, 512>(&attempts, seed)?;
        hold::<8, 2048>(&attempts, seed)?;
        hold::<16, 256>(&attempts, seed)?;
        hold::<32, 256>(&attempts, seed)?;
    }
}
