//! What each part of an inference costs.

use refrain::link::{Profile, Refusal, Reply};
use refrain::{MAX_LAYERS, Part, RowLength, Steps};

use super::{Session, row_count, row_length, saturated};
use crate::{Classifier, Clock, Meter, Watchdog};

impl<C: Clock, W: Watchdog> Session<'_, C, W> {
    /// Measures a sequence, whole and in parts. It goes through the state of the sequence that is being read, which is
    /// therefore forgotten. Not inlined, so that other requests need no stack for it.
    #[inline(never)]
    pub(super) fn profile(&mut self, model: u8, values: &[u8]) -> Result<Reply<'_>, Refusal> {
        let models = self.model_count();
        let model = self.models.get_mut(usize::from(model)).ok_or(Refusal::NoSuchModel { models })?;
        let row = model.header().row_bytes();
        let wrong = Refusal::SequenceLength { found: saturated(values.len()), row: saturated(row) };
        let timesteps = row_count(values, row).filter(|&count| count > 0).ok_or(wrong)?;
        self.current = None;
        self.streams.stop();
        let (meter, watchdog) = (&self.meter, &mut self.watchdog);
        let whole = run(&mut **model, values, row, meter, watchdog).map_err(row_length)?;
        let parts = run_in_parts(&mut **model, values, row, meter, watchdog).map_err(row_length)?;
        let ticks_per_1000_instructions = self.meter.clock().ticks_per_1000_instructions();
        Ok(Reply::Profile(Profile { timesteps, ticks_per_1000_instructions, whole, ..parts }))
    }
}

/// The ticks of the sequence as it is always run.
fn run(
    model: &mut dyn Classifier,
    values: &[u8],
    row: usize,
    meter: &Meter<impl Clock>,
    watchdog: &mut impl Watchdog,
) -> Result<u64, RowLength> {
    let steps = model.header().output.steps;
    let ((), mut whole) = meter.measure(|| model.reset());
    for values in values.chunks_exact(row) {
        watchdog.feed();
        let (stepped, ticks) = meter.measure(|| {
            let stepped = model.step(values);
            if steps == Steps::Every {
                model.logits();
            }
            stepped
        });
        stepped?;
        whole += ticks;
    }
    if steps == Steps::Last {
        whole += meter.measure(|| _ = model.logits()).1;
    }
    Ok(whole)
}

/// The sequence with a measurement of each part.
fn run_in_parts(
    model: &mut dyn Classifier,
    values: &[u8],
    row: usize,
    meter: &Meter<impl Clock>,
    watchdog: &mut impl Watchdog,
) -> Result<Profile, RowLength> {
    let steps = model.header().output.steps;
    let (mut parts, mut sums) = (Profile::default(), Sums::default());
    ((), parts.input) = meter.measure(|| model.reset());
    for values in values.chunks_exact(row) {
        watchdog.feed();
        model.step_in_parts(values, &mut |part, run| sums.add(part, meter.measure(run).1))?;
        if steps == Steps::Every {
            parts.logits += meter.measure(|| _ = model.logits()).1;
        }
    }
    if steps == Steps::Last {
        parts.logits += meter.measure(|| _ = model.logits()).1;
    }
    let mut below = 0;
    for (layer, ticks) in parts.layers.iter_mut().zip(sums.layers) {
        *layer = ticks.saturating_sub(below);
        below = below.max(ticks);
    }
    parts.input += sums.steps.saturating_sub(below);
    Ok(parts)
}

/// Ticks of all timesteps.
#[derive(Default)]
struct Sums {
    steps: u64,
    /// Of the first layer, of the first two, and so on.
    layers: [u64; MAX_LAYERS],
}

impl Sums {
    fn add(&mut self, part: Part, ticks: u64) {
        match part {
            Part::Step => self.steps += ticks,
            Part::Layers(count) => {
                if let Some(sum) = self.layers.get_mut(usize::from(count).wrapping_sub(1)) {
                    *sum += ticks;
                }
            }
        }
    }
}
