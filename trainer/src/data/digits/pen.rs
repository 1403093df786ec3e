//! A pen: curves through knots, and ink along them with soft grey edges.

use super::glyphs::Knot;

/// Rows and columns of an image.
pub(super) const SIDE: usize = 28;
/// Pixels in an image.
pub(super) const PIXELS: usize = SIDE * SIDE;
/// Straight pieces that a curve between two knots is cut into.
const PIECES: u8 = 8;

/// A point or a direction in the plane, in pixels once it reaches the paper.
pub(super) type Point = [f32; 2];

/// How the pen is held.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nib {
    /// Half the width of a line, in pixels, where the pen starts and stops.
    pub(super) half_width: f32,
    /// How much thinner a line is halfway along a stroke, where the pen moves fastest: 0 to 1.
    pub(super) speed: f32,
    /// The width of a line's grey edge, in pixels.
    pub(super) softness: f32,
    /// The grey of full ink: 0 to 1.
    pub(super) ink: f32,
}

/// Cuts a smooth curve through `knots` into straight pieces.
///
/// Cubic Hermite pieces whose tangents are those of parabolas through neighbouring knots (Bessel's tangents), the
/// chords' lengths being the parameter, so that uneven knots make no loops. Corners and ends take the chord.
pub(super) fn curve(knots: &[Knot]) -> Vec<Point> {
    let at = |index: usize| [knots[index].x, knots[index].y];
    let mut points = vec![at(0)];
    for end in 1..knots.len() {
        let start = end - 1;
        let (from, to) = (at(start), at(end));
        let length = distance(from, to);
        let chord = sub(to, from);
        let leaving = if start == 0 || knots[start].corner {
            chord
        } else {
            scale(bessel(at(start - 1), from, to), length)
        };
        let arriving = if end == knots.len() - 1 || knots[end].corner {
            chord
        } else {
            scale(bessel(from, to, at(end + 1)), length)
        };
        points.extend((1..=PIECES).map(|piece| {
            let t = f32::from(piece) / f32::from(PIECES);
            hermite(from, to, leaving, arriving, t)
        }));
    }
    points
}

/// The tangent at `b` of the parabola through three points, per unit of chord length.
fn bessel(a: Point, b: Point, c: Point) -> Point {
    let (before, after) = (distance(a, b).max(1e-3), distance(b, c).max(1e-3));
    let incoming = scale(sub(b, a), after / before);
    let outgoing = scale(sub(c, b), before / after);
    scale(add(incoming, outgoing), 1.0 / (before + after))
}

fn hermite(from: Point, to: Point, leaving: Point, arriving: Point, t: f32) -> Point {
    let (t2, t3) = (t * t, t * t * t);
    let start = scale(from, 2.0 * t3 - 3.0 * t2 + 1.0);
    let end = scale(to, 3.0 * t2 - 2.0 * t3);
    let away = scale(leaving, t3 - 2.0 * t2 + t);
    let into = scale(arriving, t3 - t2);
    add(add(start, end), add(away, into))
}

/// Lays ink along `points` (in pixels) on `paper`, `[SIDE * SIDE]`, 0 to 1; where lines cross, the darker counts.
pub(super) fn draw(paper: &mut [f32; PIXELS], points: &[Point], nib: &Nib) {
    let last = (points.len() - 1) as f32;
    for (index, pair) in points.windows(2).enumerate() {
        // 0 at both ends of the stroke, 1 halfway.
        let along = (index as f32 + 0.5) / last;
        let pace = 4.0 * along * (1.0 - along);
        ink_piece(paper, pair[0], pair[1], nib.half_width * (1.0 - nib.speed * pace), nib);
    }
}

fn ink_piece(paper: &mut [f32; PIXELS], from: Point, to: Point, half_width: f32, nib: &Nib) {
    let reach = half_width + nib.softness;
    // Rows and columns whose centres can be within reach; a cast to an integer clamps at 0.
    let range = |axis: usize| {
        let low = (from[axis].min(to[axis]) - reach) as usize;
        let high = (from[axis].max(to[axis]) + reach + 1.0) as usize;
        low.min(SIDE)..high.min(SIDE)
    };
    for row in range(1) {
        for column in range(0) {
            let centre = [column as f32 + 0.5, row as f32 + 0.5];
            let gap = distance_to_piece(centre, from, to);
            let cover = ((half_width + 0.5 * nib.softness - gap) / nib.softness).clamp(0.0, 1.0);
            let pixel = &mut paper[row * SIDE + column];
            *pixel = pixel.max(cover * nib.ink);
        }
    }
}

fn distance_to_piece(point: Point, from: Point, to: Point) -> f32 {
    let (piece, offset) = (sub(to, from), sub(point, from));
    let squared_length = dot(piece, piece).max(1e-9);
    let nearest = (dot(offset, piece) / squared_length).clamp(0.0, 1.0);
    distance(offset, scale(piece, nearest))
}

fn add(a: Point, b: Point) -> Point {
    [a[0] + b[0], a[1] + b[1]]
}

fn sub(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1]]
}

fn scale(a: Point, by: f32) -> Point {
    [a[0] * by, a[1] * by]
}

fn dot(a: Point, b: Point) -> f32 {
    a[0] * b[0] + a[1] * b[1]
}

fn distance(a: Point, b: Point) -> f32 {
    let gap = sub(a, b);
    dot(gap, gap).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NIB: Nib = Nib { half_width: 2.0, speed: 0.0, softness: 1.0, ink: 1.0 };

    fn knot(x: f32, y: f32, corner: bool) -> Knot {
        Knot { x, y, corner }
    }

    #[test]
    fn a_curve_passes_its_knots_and_rounds_what_is_no_corner() {
        let mut knots = [knot(0.0, 0.0, false), knot(10.0, 0.0, false), knot(10.0, 10.0, false)];
        let smooth = curve(&knots);
        assert_eq!(smooth.len(), 17);
        assert_eq!((smooth[0], smooth[8], smooth[16]), ([0.0, 0.0], [10.0, 0.0], [10.0, 10.0]));
        assert!(smooth[4][1] < -0.5, "swings out before the turn: {:?}", smooth[4]);
        knots[1].corner = true;
        assert!(curve(&knots)[..9].iter().all(|point| point[1] == 0.0), "straight up to a corner");
    }

    #[test]
    fn a_circle_of_eight_knots_stays_round() {
        let eighth = 0.5_f32.sqrt();
        let turns =
            [[1.0, 0.0], [eighth, eighth], [0.0, 1.0], [-eighth, eighth], [-1.0, 0.0], [-eighth, -eighth]];
        let knots = turns.map(|[x, y]| knot(x, y, false));
        for point in &curve(&knots)[8..33] {
            let radius = distance(*point, [0.0, 0.0]);
            assert!((radius - 1.0).abs() < 0.01, "{point:?} lies at {radius}");
        }
    }

    #[test]
    fn ink_is_full_on_the_line_grey_at_its_edge_and_absent_beyond() {
        let mut paper = [0.0; PIXELS];
        draw(&mut paper, &[[4.5, 14.5], [24.5, 14.5]], &NIB);
        let column: Vec<f32> = (10..20).map(|row| paper[row * SIDE + 14]).collect();
        assert_eq!(column, [0.0, 0.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_fast_pen_is_thin_halfway() {
        let line: Vec<Point> = (0..21).map(|step| [4.0 + step as f32, 14.0]).collect();
        let mut paper = [0.0; PIXELS];
        draw(&mut paper, &line, &Nib { speed: 0.6, ..NIB });
        let width = |column: usize| (0..SIDE).map(|row| paper[row * SIDE + column]).sum::<f32>();
        assert!(width(14) < 0.5 * width(4), "{} halfway, {} at the end", width(14), width(4));
    }

    #[test]
    fn lines_off_the_paper_leave_what_is_on_it() {
        let mut paper = [0.0; PIXELS];
        draw(&mut paper, &[[-50.0, -50.0], [-40.0, 90.0]], &NIB);
        draw(&mut paper, &[[60.0, 90.0], [90.0, 60.0]], &NIB);
        assert!(paper.iter().all(|&pixel| pixel == 0.0));
    }
}
