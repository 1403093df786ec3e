//! Gestures of a hand that holds a three-axis accelerometer: 50 samples a second, 2048 counts to the gravity of earth.
//!
//! Circles and flicks come in two directions, which differ in nothing but the order of what happens; the hand is tilted,
//! trembles, drifts, and rests before and after.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::{Example, dice, write_folder};
use crate::data::DataError;
use crate::data::dice::{Dice, wave};

/// Counts of the sensor for the gravity of earth: a range of 16 times that in 16 bits.
const COUNTS: f32 = 2048.0;

/// A gesture, how many recordings of it there are, and what it does.
struct Gesture {
    name: &'static str,
    recordings: usize,
    motion: fn(&Hand, f32) -> [f32; 3],
}

const GESTURES: [Gesture; 6] = [
    Gesture { name: "circle-left", recordings: 160, motion: |hand, time| hand.circle(time, 1.0) },
    Gesture { name: "circle-right", recordings: 120, motion: |hand, time| hand.circle(time, -1.0) },
    Gesture { name: "flick-left", recordings: 90, motion: |hand, time| hand.flick(time, 1.0) },
    Gesture { name: "flick-right", recordings: 60, motion: |hand, time| hand.flick(time, -1.0) },
    Gesture { name: "lift", recordings: 50, motion: |hand, time| hand.lift(time) },
    Gesture { name: "shake", recordings: 120, motion: |hand, time| hand.shake(time) },
];

/// How a hand moves in one recording; accelerations in multiples of gravity.
struct Hand {
    /// Timesteps of rest, of the gesture, and of rest again.
    timesteps: [usize; 3],
    strength: f32,
    /// Turns of a circle.
    turns: f32,
    /// Where a circle or a shake begins, in turns.
    start: f32,
    /// Movements to and fro of a shake.
    shakes: f32,
    /// How much of each axis' motion goes into the next axis.
    slant: f32,
    /// How the sensor lies, as the part of gravity along x and y.
    tilt: [f32; 2],
}

impl Hand {
    fn random(dice: &mut Dice) -> Self {
        Self {
            timesteps: [2 + dice.below(14), 28 + dice.below(32), 1 + dice.below(8)],
            strength: dice.between(0.2, 1.0),
            turns: dice.between(1.0, 2.0),
            start: dice.between(0.0, 1.0),
            shakes: dice.between(2.5, 6.0),
            slant: dice.about(0.3),
            tilt: [dice.about(0.15), dice.about(0.15)],
        }
    }

    /// Strength at a time from 0 to 1: it grows and fades.
    fn swell(&self, time: f32) -> f32 {
        self.strength * wave(0.5 * time)
    }

    fn circle(&self, time: f32, direction: f32) -> [f32; 3] {
        let angle = direction * self.turns * time + self.start;
        let swell = self.swell(time);
        [swell * wave(angle + 0.25), swell * wave(angle), 0.0]
    }

    /// To one side and back to rest: speeding up, then braking.
    fn flick(&self, time: f32, direction: f32) -> [f32; 3] {
        let across = 1.4 * direction * self.strength * wave(time);
        [across, 0.0, 0.2 * across * across]
    }

    fn lift(&self, time: f32) -> [f32; 3] {
        [0.0, 0.15 * self.swell(time), self.strength * wave(time)]
    }

    fn shake(&self, time: f32) -> [f32; 3] {
        let across = 1.2 * self.swell(time) * wave(self.shakes * time + self.start);
        [across, 0.3 * across, 0.0]
    }
}

/// A recording: rows of three 16-bit integers.
fn recording(gesture: &Gesture, dice: &mut Dice) -> Vec<[i16; 3]> {
    let hand = Hand::random(dice);
    let [before, moving, after] = hand.timesteps;
    let [x, y] = hand.tilt;
    let gravity = [x, y, 1.0 - 0.5 * (x * x + y * y)];
    let mut drift = [0.0; 3];
    let mut rows = Vec::with_capacity(before + moving + after);
    for step in 0..before + moving + after {
        let motion = match step.checked_sub(before) {
            Some(step) if step < moving => (gesture.motion)(&hand, step as f32 / moving as f32),
            _ => [0.0; 3],
        };
        rows.push([0, 1, 2].map(|axis| {
            drift[axis] += dice.about(0.015);
            let slanted = motion[axis] + hand.slant * motion[(axis + 1) % 3];
            let counts = COUNTS * (gravity[axis] + slanted + drift[axis] + dice.about(0.14));
            counts.round() as i16
        }));
    }
    rows
}

/// Writes a folder for each gesture, with a CSV file for each recording.
pub(super) fn write(out: &Path, seed: u64) -> Result<(), DataError> {
    write_folder(out, |folder| {
        let mut number = 0;
        for gesture in &GESTURES {
            let class = folder.join(gesture.name);
            fs::create_dir(&class)?;
            for recorded in 1..=gesture.recordings {
                let mut text = String::from("ax,ay,az\n");
                for [x, y, z] in recording(gesture, &mut dice(Example::Gestures, seed, number)) {
                    writeln!(text, "{x},{y},{z}").expect("a string takes all text");
                }
                fs::write(class.join(format!("{recorded:03}.csv")), text)?;
                number += 1;
            }
        }
        Ok(())
    })
}
