//! A battery of one cell under a changing load: its voltage and current every ten seconds, for ten minutes.
//!
//! The voltage is that of the charge at rest, less what the load drops over the resistance, at once and over a minute;
//! so neither its last value nor its mean tells the charge, and the resistance shows only where the current changes.

use std::path::Path;

use super::{Example, Part, dice, write_npz};
use crate::data::DataError;
use crate::data::dice::Dice;
use crate::data::npz::Column;

const PARTS: [Part; 3] = [("train", 1600), ("val", 200), ("test", 200)];
const TIMESTEPS: usize = 60;
const FEATURES: [&str; 2] = ["volts", "amperes"];
/// In percent of the capacity at the end of the sequence, and in thousandths of an ohm.
const OUTPUTS: [&str; 2] = ["charge", "resistance"];

/// The part of the capacity that one ampere takes in one timestep: ten seconds of two ampere-hours.
const PER_AMPERE: f32 = 10.0 / 7200.0;
/// The part by which a slow voltage drop nears its end in one timestep: a time constant of a minute.
const RELAXATION: f32 = 0.1535;

/// The voltage at rest of a charge from 0 to 1.
fn at_rest(charge: f32) -> f32 {
    let from_middle = charge - 0.5;
    3.25 + 0.75 * charge + 1.2 * from_middle * from_middle * from_middle
}

/// Currents, positive where they discharge: a load that changes at random.
fn load(dice: &mut Dice) -> [f32; TIMESTEPS] {
    let mut currents = [0.0; TIMESTEPS];
    let mut step = 0;
    while step < TIMESTEPS {
        let length = 3 + dice.below(10);
        let current = match dice.below(4) {
            0 => 0.0,
            1 => -dice.between(0.3, 2.0),
            _ => dice.between(0.3, 4.0),
        };
        currents[step..TIMESTEPS.min(step + length)].fill(current);
        step += length;
    }
    currents
}

/// Rows of voltage and current, and the two values to be learnt.
fn sample(dice: &mut Dice) -> ([[f32; 2]; TIMESTEPS], [f32; 2]) {
    let mut charge = dice.between(0.35, 0.95);
    let (quick, slow) = (dice.between(0.03, 0.12), dice.between(0.01, 0.05));
    let mut relaxing = 0.0;
    let rows = load(dice).map(|current| {
        charge = (charge - PER_AMPERE * current).clamp(0.0, 1.0);
        relaxing += RELAXATION * (slow * current - relaxing);
        let volts = at_rest(charge) - quick * current - relaxing;
        [volts + dice.about(0.004), current + dice.about(0.02)]
    });
    (rows, [100.0 * charge, 1000.0 * quick])
}

/// Writes the file.
pub(super) fn write(out: &Path, seed: u64) -> Result<(), DataError> {
    let mut first = 0;
    let parts = PARTS.map(|(part, count)| {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for index in first..first + count {
            let (rows, values) = sample(&mut dice(Example::Battery, seed, index));
            x.extend(rows.as_flattened());
            y.extend(values);
        }
        first += count;
        let names = [format!("x_{part}"), format!("y_{part}")];
        (names, ([count, TIMESTEPS, FEATURES.len()], x), ([count, OUTPUTS.len()], y))
    });
    let mut arrays: Vec<(&str, &[usize], Column<'_>)> =
        vec![("features", &[2], Column::Strings(&FEATURES)), ("outputs", &[2], Column::Strings(&OUTPUTS))];
    for ([x_name, y_name], (x_shape, x), (y_shape, y)) in &parts {
        arrays.push((x_name, x_shape, Column::Floats(x)));
        arrays.push((y_name, y_shape, Column::Floats(y)));
    }
    write_npz(out, &arrays)
}
