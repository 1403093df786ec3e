//! Random numbers for data that the program makes: the same ones on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Random numbers of one sample. Only IEEE additions and products follow the generator, so that every machine gets the
/// same bits.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The numbers of sample `index`: `purpose` says of what, its first eight bytes giving way to the seed.
    pub(super) fn new(purpose: [u8; 32], seed: u64, index: usize) -> Dice {
        let mut key = purpose;
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(index as u64);
        Dice(generator)
    }

    /// Uniform over `0..sides`; the bias of the multiplication is below one in 10^6 for so few sides.
    pub(super) fn below(&mut self, sides: usize) -> usize {
        ((u64::from(self.0.next_u32()) * sides as u64) >> 32) as usize
    }

    /// Uniform from `low` to `high`.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        // 24 bits are exact in an f32.
        let unit = (self.0.next_u32() >> 8) as f32 / 16_777_216.0;
        low + (high - low) * unit
    }

    /// Bell-shaped around 0, from `-3 * deviation` to `3 * deviation`: three uniform numbers added.
    pub(super) fn about(&mut self, deviation: f32) -> f32 {
        deviation * (self.between(-1.0, 1.0) + self.between(-1.0, 1.0) + self.between(-1.0, 1.0))
    }
}

/// The sine of a whole turn times `turns`, to within one in 10^6: sums and products alone, unlike the sine of a
/// mathematics library, give the same bits on every machine.
pub(super) fn wave(turns: f32) -> f32 {
    let turns = turns - (turns + 0.5).floor();
    // from a quarter turn to a quarter turn the sine takes all its values
    let folded = if turns > 0.25 {
        0.5 - turns
    } else if turns < -0.25 {
        -0.5 - turns
    } else {
        turns
    };
    let x = std::f32::consts::TAU * folded;
    let square = x * x;
    // Taylor's series, by Horner's rule
    let terms = [1.0 / 110.0, 1.0 / 72.0, 1.0 / 42.0, 1.0 / 20.0, 1.0 / 6.0];
    x * terms.iter().fold(1.0, |sum, term| 1.0 - square * term * sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_is_a_sine() {
        for step in -4000_i16..4000 {
            let turns = f32::from(step) / 1000.0;
            let expected = (std::f64::consts::TAU * f64::from(turns)).sin();
            assert!((f64::from(wave(turns)) - expected).abs() < 2e-6, "{turns}");
        }
    }
}
