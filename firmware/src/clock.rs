//! Counting what an inference costs.

/// A counter that a board offers.
pub trait Clock {
    /// Ticks since some moment before; it never runs backwards and never wraps.
    fn now(&self) -> u64;

    /// Ticks that one thousand instructions take; 0 where the board does not know, as on real silicon, where
    /// instructions take various times.
    fn ticks_per_1000_instructions(&self) -> u32;

    /// Microseconds since some moment before, whether the board worked or slept; they never run backwards and never wrap.
    fn micros(&self) -> u64;
}

/// The next value of a count that does not wrap, from that of a counter of so many `bits` that does; `before` is the value
/// when the counter was last looked at, which must be less than one turn of it ago.
///
/// ```
/// use refrain_firmware::clock::unwrapped;
///
/// // A counter of 24 bits, which stood at 0xfffffe and has wrapped since.
/// assert_eq!(unwrapped(0x07_ff_ff_fe, 0x00_00_03, 24), 0x08_00_00_03);
/// ```
pub const fn unwrapped(before: u64, counter: u32, bits: u32) -> u64 {
    let passed = counter.wrapping_sub(before as u32) & (u32::MAX >> (32 - bits));
    before + passed as u64
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
    fn a_count_goes_on_where_its_counter_wraps() {
        for bits in [13, 24, 32] {
            let turn = 1_u64 << bits;
            for step in [0, 1, 5, turn / 2, turn - 1] {
                let mut count = 7;
                for turns in 1..20 {
                    let now = 7 + turns * step;
                    count = unwrapped(count, (now % turn) as u32, bits);
                    assert_eq!(count, now, "{bits} bits, steps of {step}");
                }
            }
        }
    }

    #[test]
    fn a_meter_takes_off_its_own_cost() {
        let clock = SteppedClock::new(7);
        let meter = Meter::new(&clock);
        assert_eq!(meter.measure(|| "done"), ("done", 0));
        let ((), ticks) = meter.measure(|| clock.advance(100));
        assert_eq!(ticks, 100);
    }
}
