//! The vibration of a machine along two axes, in which a bearing begins to knock, and may cease to.
//!
//! Machines run at different speeds and vibrate with different strength, so that no threshold tells a knock: one
//! machine's knocks are weaker than another's ordinary vibration.

use std::path::Path;

use super::{Example, Part, dice, write_npz};
use crate::data::DataError;
use crate::data::dice::{Dice, wave};
use crate::data::npz::Column;

const PARTS: [Part; 3] = [("train", 700), ("val", 100), ("test", 200)];
const TIMESTEPS: usize = 100;
const FEATURES: [&str; 2] = ["radial", "axial"];
const CLASSES: [&str; 2] = ["normal", "anomaly"];

/// When a bearing knocks, and how.
struct Damage {
    /// Timesteps from the first knock to the end of the last one.
    steps: std::ops::Range<usize>,
    /// Timesteps from knock to knock.
    interval: usize,
    strength: f32,
}

impl Damage {
    /// In two sequences of five.
    fn random(dice: &mut Dice) -> Option<Self> {
        if dice.below(5) >= 2 {
            return None;
        }
        let start = 15 + dice.below(55);
        let end = TIMESTEPS.min(start + 20 + dice.below(60));
        Some(Self { steps: start..end, interval: 5 + dice.below(5), strength: dice.between(0.7, 1.3) })
    }

    /// A knock rings, and fades by a third with each timestep.
    fn knocking(&self, step: usize) -> f32 {
        if !self.steps.contains(&step) {
            return 0.0;
        }
        let since = (step - self.steps.start) % self.interval;
        let fading = (0..since).fold(self.strength, |strength, _| 0.65 * strength);
        fading * wave(0.37 * since as f32 + 0.25)
    }
}

/// Rows of the two axes, and the class of each.
fn sample(dice: &mut Dice) -> ([[i16; 2]; TIMESTEPS], [u8; TIMESTEPS]) {
    let strength = dice.between(200.0, 1200.0);
    let speed = dice.between(0.035, 0.085);
    let (start, overtone) = (dice.between(0.0, 1.0), dice.between(0.0, 1.0));
    let damage = Damage::random(dice);
    let mut classes = [0; TIMESTEPS];
    let mut rows = [[0; 2]; TIMESTEPS];
    for (step, (row, class)) in rows.iter_mut().zip(&mut classes).enumerate() {
        let turns = speed * step as f32;
        let knock = damage.as_ref().map_or(0.0, |damage| damage.knocking(step));
        let radial = wave(turns + start) + 0.3 * wave(2.0 * turns + overtone) + 0.6 * knock;
        let axial = 0.5 * wave(turns + start + 0.2) + 0.2 * wave(3.0 * turns + overtone) + 0.5 * knock;
        *row = [radial, axial].map(|axis| (strength * (axis + dice.about(0.07))).round() as i16);
        *class = u8::from(damage.as_ref().is_some_and(|damage| damage.steps.contains(&step)));
    }
    (rows, classes)
}

/// Writes the file.
pub(super) fn write(out: &Path, seed: u64) -> Result<(), DataError> {
    let mut first = 0;
    let parts = PARTS.map(|(part, count)| {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for index in first..first + count {
            let (rows, classes) = sample(&mut dice(Example::Vibration, seed, index));
            x.extend(rows.as_flattened());
            y.extend(classes);
        }
        first += count;
        let names = [format!("x_{part}"), format!("y_{part}")];
        (names, ([count, TIMESTEPS, FEATURES.len()], x), ([count, TIMESTEPS], y))
    });
    let mut arrays: Vec<(&str, &[usize], Column<'_>)> =
        vec![("features", &[2], Column::Strings(&FEATURES)), ("classes", &[2], Column::Strings(&CLASSES))];
    for ([x_name, y_name], (x_shape, x), (y_shape, y)) in &parts {
        arrays.push((x_name, x_shape, Column::Integers(x)));
        arrays.push((y_name, y_shape, Column::Bytes(y)));
    }
    write_npz(out, &arrays)
}
