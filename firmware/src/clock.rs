//! Counting what an inference costs.

/// A counter that a board offers.
pub trait Clock {
    /// Ticks since some moment before; it never runs backwards and never wraps.
    fn now(&self) -> u64;

    /// Ticks that one thousand instructions take; 0 where the board does not know, as on real silicon, where
    /// instructions take various times.
    fn ticks_per_1000_instructions(&self) -> u32;
}

/// Measures with a [`Clock`] and takes off what the measuring itself costs.
#[derive(Clone, Debug)]
pub struct Meter<C> {
    clock: C,
    cost: u64,
}

impl<C: Clock> Meter<C> {
    /// A meter that knows its own cost.
    pub fn new(clock: C) -> Self {
        let meter = Self { clock, cost: 0 };
        let cost = (0..4).map(|_| meter.measure(|| ()).1).min().unwrap_or(0);
        Self { cost, ..meter }
    }

    /// The clock.
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// Does `work` and returns what it gives and the ticks it took.
    pub fn measure<T>(&self, work: impl FnOnce() -> T) -> (T, u64) {
        let start = self.clock.now();
        let result = work();
        let ticks = self.clock.now().saturating_sub(start);
        (result, ticks.saturating_sub(self.cost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SteppedClock;

    #[test]
    fn a_meter_takes_off_its_own_cost() {
        let clock = SteppedClock::new(7);
        let meter = Meter::new(&clock);
        assert_eq!(meter.measure(|| "done"), ("done", 0));
        let ((), ticks) = meter.measure(|| clock.advance(100));
        assert_eq!(ticks, 100);
    }
}
