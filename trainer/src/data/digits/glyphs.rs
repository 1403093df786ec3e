//! The ways in which people write each digit, as the knots that a pen passes through.
//!
//! Coordinates are drawn on a grid 60 wide and 100 high, y downwards, the digit filling it.

/// A point on the pen's way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Knot {
    pub(super) x: f32,
    pub(super) y: f32,
    /// Whether the pen turns here abruptly instead of passing through in a curve.
    pub(super) corner: bool,
}

/// What the pen draws without being lifted.
pub(super) type Stroke = &'static [Knot];

/// One way to write a digit.
pub(super) type Glyph = &'static [Stroke];

/// A knot passed smoothly.
const fn s(x: i8, y: i8) -> Knot {
    Knot { x: x as f32, y: y as f32, corner: false }
}

/// A knot with a corner.
const fn c(x: i8, y: i8) -> Knot {
    Knot { x: x as f32, y: y as f32, corner: true }
}

/// The ways to write each digit, 0 to 9; each way is as likely as the others of its digit.
pub(super) const WAYS: [&[Glyph]; 10] = [ZERO, ONE, TWO, THREE, FOUR, FIVE, SIX, SEVEN, EIGHT, NINE];

const ZERO: &[Glyph] = &[
    // An oval closed at the top.
    &[&[s(32, 0), s(10, 18), s(3, 50), s(11, 83), s(30, 100), s(49, 83), s(57, 50), s(50, 17), s(30, 1)]],
    // The end passes the start and curls in.
    &[&[
        s(44, 9),
        s(26, 1),
        s(8, 20),
        s(3, 54),
        s(14, 90),
        s(33, 100),
        s(52, 80),
        s(57, 46),
        s(47, 14),
        s(30, 8),
    ]],
    // Clockwise from the left, left a little open.
    &[&[s(17, 12), s(36, 0), s(54, 20), s(57, 55), s(44, 91), s(24, 99), s(6, 80), s(2, 48), s(12, 18)]],
];

const ONE: &[Glyph] = &[
    // A bare stick.
    &[&[s(30, 0), s(31, 50), s(30, 100)]],
    // With a flag.
    &[&[s(15, 22), c(32, 0), s(31, 50), s(31, 100)]],
    // With a flag and a foot.
    &[&[s(16, 20), c(31, 0), s(30, 100)], &[s(12, 99), s(50, 99)]],
];

const TWO: &[Glyph] = &[
    // Straight foot.
    &[&[s(6, 22), s(14, 5), s(32, 0), s(51, 13), s(50, 37), s(32, 65), c(4, 99), s(57, 98)]],
    // A loop at the left of the foot.
    &[&[
        s(8, 20),
        s(22, 2),
        s(42, 3),
        s(52, 22),
        s(43, 52),
        s(24, 83),
        s(8, 97),
        s(3, 87),
        s(16, 82),
        s(38, 95),
        s(58, 95),
    ]],
    // A wavy foot.
    &[&[s(5, 18), s(24, 0), s(48, 10), s(50, 34), s(30, 68), c(5, 97), s(22, 89), s(40, 97), s(58, 90)]],
];

const THREE: &[Glyph] = &[
    // Two bows that meet in a corner.
    &[&[s(6, 12), s(27, 0), s(49, 12), s(44, 36), c(22, 46), s(47, 55), s(55, 77), s(34, 99), s(4, 89)]],
    // A flat top.
    &[&[c(6, 2), c(52, 2), c(24, 40), s(48, 50), s(55, 76), s(34, 100), s(4, 90)]],
    // A small loop in the middle.
    &[&[
        s(7, 10),
        s(30, 0),
        s(49, 15),
        s(41, 38),
        s(24, 49),
        s(18, 44),
        s(30, 43),
        s(50, 57),
        s(54, 82),
        s(32, 100),
        s(5, 88),
    ]],
];

const FOUR: &[Glyph] = &[
    // Open, in two strokes.
    &[&[c(14, 2), c(5, 58), c(58, 56)], &[s(46, 12), s(44, 100)]],
    // Closed, in one stroke.
    &[&[c(60, 68), c(2, 67), c(43, 0), c(42, 100)]],
    // Open and round, as written in a hurry.
    &[&[s(9, 2), s(6, 34), s(20, 51), s(48, 46)], &[c(52, 4), s(49, 50), s(45, 100)]],
];

const FIVE: &[Glyph] = &[
    // The top bar last.
    &[&[c(14, 3), c(10, 44), s(32, 37), s(53, 53), s(52, 80), s(30, 99), s(4, 90)], &[s(14, 3), s(55, 2)]],
    // In one stroke from the right.
    &[&[s(55, 3), c(17, 4), c(12, 43), s(34, 40), s(54, 60), s(46, 91), s(22, 100), s(3, 92)]],
    // Without corners.
    &[&[s(55, 1), s(27, 4), s(14, 22), s(23, 41), s(46, 55), s(52, 79), s(32, 98), s(5, 94)]],
];

const SIX: &[Glyph] = &[
    // A bent back.
    &[&[s(45, 2), s(20, 22), s(6, 56), s(10, 86), s(30, 100), s(51, 87), s(51, 63), s(32, 52), s(11, 66)]],
    // A straight back.
    &[&[s(52, 0), s(27, 32), s(7, 68), s(14, 94), s(36, 99), s(53, 82), s(45, 62), s(27, 60), s(10, 76)]],
    // The top curls over.
    &[&[
        s(53, 11),
        s(38, 1),
        s(17, 15),
        s(5, 52),
        s(11, 88),
        s(32, 100),
        s(52, 85),
        s(50, 61),
        s(31, 51),
        s(8, 66),
    ]],
];

const SEVEN: &[Glyph] = &[
    // Plain.
    &[&[s(3, 4), c(56, 3), s(37, 45), s(24, 100)]],
    // With a bar.
    &[&[s(4, 5), c(56, 3), s(38, 46), s(22, 100)], &[s(15, 52), s(54, 50)]],
    // With a hook at the left.
    &[&[s(5, 20), c(8, 4), c(56, 3), s(38, 42), s(30, 100)]],
];

const EIGHT: &[Glyph] = &[
    // In one go from the upper right.
    &[&[
        s(49, 13),
        s(30, 0),
        s(11, 15),
        s(21, 39),
        s(44, 57),
        s(53, 80),
        s(30, 100),
        s(7, 81),
        s(17, 58),
        s(42, 39),
        s(51, 17),
        s(40, 4),
    ]],
    // Two rings.
    &[
        &[s(29, 0), s(11, 22), s(29, 45), s(48, 23), s(30, 0)],
        &[s(29, 45), s(5, 72), s(29, 100), s(55, 73), s(31, 45)],
    ],
    // In one go from the middle.
    &[&[s(30, 47), s(11, 26), s(28, 1), s(49, 22), s(32, 46), s(7, 74), s(27, 100), s(53, 78), s(32, 49)]],
];

const NINE: &[Glyph] = &[
    // A straight stem.
    &[&[s(49, 13), s(30, 0), s(8, 18), s(16, 45), s(40, 41), c(53, 8), s(51, 50), s(47, 100)]],
    // A curled stem.
    &[&[s(50, 16), s(33, 1), s(9, 14), s(9, 40), s(32, 46), c(53, 14), s(53, 58), s(42, 94), s(10, 94)]],
    // Head and stem in one bend.
    &[&[s(52, 22), s(36, 1), s(12, 9), s(6, 36), s(26, 49), s(48, 33), s(53, 20), s(47, 60), s(30, 100)]],
];
