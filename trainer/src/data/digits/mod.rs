//! Pen-stroke digits, drawn by the program: a set to train on where there is no network and no file.
//!
//! A digit is written in one of several ways (`glyphs`), by a hand that is random in slant, rotation, size, aspect,
//! place, proportions and unsteadiness, with a pen (`pen`) random in width, speed and softness. Each sample has
//! random numbers of its own, so any sample can be drawn alone and all can be drawn in parallel. Only IEEE additions,
//! products, quotients and square roots are used: the bytes are the same on every machine.

mod glyphs;
mod pen;

use ndarray::Array3;
use rayon::prelude::*;

use super::dice::Dice;
use super::{DataError, Dataset, Split};
use glyphs::{Glyph, Knot, WAYS};
use pen::{Nib, PIXELS, Point, SIDE};

/// Training samples in the set that `--data digits` names.
pub const TRAIN_COUNT: usize = 12_000;
/// Test samples in the set that `--data digits` names.
pub const TEST_COUNT: usize = 2_000;
/// The seed of the set that `--data digits` names.
pub const SEED: u64 = 1;

/// The middle of a line comes no nearer to the border than this, in pixels: half a wide soft line then fits.
const MARGIN: f32 = 3.0;

/// Which of the two halves a sample belongs to: they share no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// To train on.
    Train,
    /// To test on.
    Test,
}

/// Draws `train` and `test` samples of 28x28 pixels. Ten classes, in turn: any ten samples in a row hold all digits.
///
/// ```
/// let set = refrain_trainer::data::digits::dataset(100, 20, 7)?;
/// assert_eq!((set.classes().len(), set.timesteps(), set.inputs()), (10, 28, 28));
/// assert_eq!(set.train().labels().expect("labels")[..3], [0, 1, 2]);
/// # Ok::<(), refrain_trainer::data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::Empty`] when a count is 0, [`DataError::LabelOutOfRange`] when training samples are too few to show
/// every digit of the test.
pub fn dataset(train: usize, test: usize, seed: u64) -> Result<Dataset, DataError> {
    Dataset::of_images("digits", split(Part::Train, train, seed)?, split(Part::Test, test, seed)?)
}

fn split(part: Part, count: usize, seed: u64) -> Result<Split, DataError> {
    let mut pixels = vec![0; count * PIXELS];
    pixels.par_chunks_exact_mut(PIXELS).enumerate().for_each(|(index, image)| {
        image.copy_from_slice(&draw(part, index, seed));
    });
    let labels = (0..count).map(label).collect();
    let samples = Array3::from_shape_vec((count, SIDE, SIDE), pixels).expect("count images of SIDE x SIDE");
    let name = format!("digits ({})", if part == Part::Train { "training" } else { "test" });
    Split::of_images(samples, labels, name.clone(), name)
}

/// Which digit sample `index` shows.
pub fn label(index: usize) -> u8 {
    (index % WAYS.len()) as u8
}

/// Draws sample `index` alone: 28 rows of 28 pixels, 0 for paper and up to 255 for ink.
pub fn draw(part: Part, index: usize, seed: u64) -> [u8; 784] {
    let mut dice = dice(part, index, seed);
    let ways = WAYS[usize::from(label(index))];
    let way = ways[dice.below(ways.len())];
    let lines = Hand::random(&mut dice).write(way, &mut dice);
    let nib = random_nib(&mut dice);
    let mut paper = [0.0; PIXELS];
    for line in &lines {
        pen::draw(&mut paper, line, &nib);
    }
    paper.map(|grey| (grey * 255.0 + 0.5) as u8)
}

/// The random numbers of one sample.
fn dice(part: Part, index: usize, seed: u64) -> Dice {
    let mut purpose = *b"........ pen-stroke digits, v1: ";
    purpose[31] = part as u8;
    Dice::new(purpose, seed, index)
}

/// How a hand writes: what it does to the shape that it has in mind.
struct Hand {
    /// Height of an upright digit, in pixels.
    height: f32,
    /// Factor on the width.
    aspect: f32,
    /// How far the top leans to the right of the middle, per half height.
    slant: f32,
    /// Cosine and sine of the rotation.
    turn: [f32; 2],
    /// How much wider the bottom is than the top.
    taper: f32,
    /// How far the middle lies above or below where it should.
    waist: f32,
    /// How far the middle is bent sideways.
    bow: f32,
    /// How far a knot strays, in half heights.
    wobble: f32,
    /// Where in the free space the digit stands: 0 left or top, 1 right or bottom.
    place: Point,
}

impl Hand {
    fn random(dice: &mut Dice) -> Hand {
        // Half the tangent of the angle gives both without a transcendental function: about 15 degrees at most.
        let t = dice.about(0.045);
        Hand {
            height: dice.between(14.5, 21.0),
            aspect: dice.between(0.72, 1.12),
            slant: 0.12 + dice.about(0.14),
            turn: [(1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t)],
            taper: dice.about(0.08),
            waist: dice.about(0.06),
            bow: dice.about(0.05),
            wobble: dice.between(0.02, 0.05),
            place: [0.5 + dice.about(0.16), 0.5 + dice.about(0.16)],
        }
    }

    /// The lines of `glyph` as this hand writes them, in pixels on the paper.
    fn write(&self, glyph: Glyph, dice: &mut Dice) -> Vec<Vec<Point>> {
        let shaky = |knot: &Knot, dice: &mut Dice| {
            let [x, y] = self.bend((knot.x - 30.0) / 50.0, (knot.y - 50.0) / 50.0);
            Knot { x: x + dice.about(self.wobble), y: y + dice.about(self.wobble), corner: knot.corner }
        };
        let mut lines: Vec<Vec<Point>> = Vec::with_capacity(glyph.len());
        for stroke in glyph {
            let knots: Vec<Knot> = stroke.iter().map(|knot| shaky(knot, dice)).collect();
            lines.push(pen::curve(&knots));
        }
        self.put_on_paper(&mut lines);
        lines
    }

    /// From the shape in mind (y from -1 to 1) to the shape written, still without size and place.
    fn bend(&self, x: f32, y: f32) -> Point {
        let bulge = 1.0 - y * y;
        let x = x * self.aspect * (1.0 + self.taper * y) + self.bow * bulge;
        let y = y + self.waist * bulge;
        let x = x - self.slant * y;
        let [cos, sin] = self.turn;
        [cos * x - sin * y, sin * x + cos * y]
    }

    /// Scales to pixels, smaller where the digit would leave the paper, and moves the digit to its place.
    fn put_on_paper(&self, lines: &mut [Vec<Point>]) {
        let room = SIDE as f32 - 2.0 * MARGIN;
        let bounds = [0, 1].map(|axis| {
            let values = || lines.iter().flatten().map(|point| point[axis]);
            (values().fold(f32::INFINITY, f32::min), values().fold(f32::NEG_INFINITY, f32::max))
        });
        let extent = bounds.map(|(low, high)| high - low);
        let scale = (0.5 * self.height).min(room / extent[0]).min(room / extent[1]);
        for point in lines.iter_mut().flatten() {
            for axis in 0..2 {
                let free = room - scale * extent[axis];
                point[axis] = MARGIN + free * self.place[axis] + scale * (point[axis] - bounds[axis].0);
            }
        }
    }
}

fn random_nib(dice: &mut Dice) -> Nib {
    Nib {
        half_width: dice.between(0.7, 1.75),
        speed: dice.between(0.0, 0.35),
        softness: dice.between(0.9, 1.6),
        ink: dice.between(0.82, 1.0),
    }
}
