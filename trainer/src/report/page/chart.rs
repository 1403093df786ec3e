//! The frame of a plot: axes, grid and labels around what is drawn in it.
//!
//! Lines live in a nested SVG that is stretched to the plot's size with strokes of constant width; text and markers
//! are placed by percentages. So a plot fits any width, and its text is never scaled.

use std::fmt::Write;

use maud::{Markup, html};

use super::scale::Scale;

/// Width and height of the coordinates in a stretched SVG.
const EXTENT: f64 = 1000.0;
/// Colours and markers for runs; more runs begin again.
pub(super) const RUN_STYLES: usize = 8;

/// The proportions of a plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Wide,
    Square,
    Low,
}

/// A plot without its contents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chart<'a> {
    /// What a screen reader says.
    pub(super) label: &'a str,
    pub(super) x: &'a Scale,
    pub(super) y: &'a Scale,
    pub(super) x_name: &'a str,
    pub(super) form: Form,
    /// The table with a row for each place that a reader can point at.
    pub(super) rows: Option<&'a str>,
}

impl Chart<'_> {
    /// The plot: `stretched` holds paths in the coordinates of [`path`], `fixed` what is placed by [`at`] and [`up`].
    pub(super) fn draw(&self, stretched: &Markup, fixed: &Markup) -> Markup {
        let form = match self.form {
            Form::Wide => "wide",
            Form::Square => "square",
            Form::Low => "low",
        };
        html! {
            div class={ "canvas " (form) } {
                svg.plot role="img" aria-label=(self.label) data-rows=[self.rows]
                    tabindex=[self.rows.map(|_| 0)]
                {
                    g.grid aria-hidden="true" {
                        @for mark in &self.y.marks {
                            line x1="0" x2="100%" y1=(up(mark.at)) y2=(up(mark.at)) {}
                            text x="-8" y=(up(mark.at)) dy="0.35em" text-anchor="end" { (mark.label) }
                        }
                        @for mark in &self.x.marks {
                            line.tick x1=(at(mark.at)) x2=(at(mark.at)) y1="100%" y2="100%" {}
                            text x=(at(mark.at)) y="100%" dy="1.6em" text-anchor="middle" { (mark.label) }
                        }
                        line.axis x1="0" x2="100%" y1="100%" y2="100%" {}
                    }
                    (stretch(stretched))
                    g.fixed aria-hidden="true" { (fixed) }
                    @if self.rows.is_some() { line.cursor x1="0" x2="0" y1="0" y2="100%" {} }
                }
                p.axis-name aria-hidden="true" { (self.x_name) }
            }
        }
    }
}

/// An SVG whose coordinates are stretched to fill its parent.
pub(super) fn stretch(paths: &Markup) -> Markup {
    html! {
        svg.stretch viewBox={ "0 0 " (EXTENT) " " (EXTENT) } preserveAspectRatio="none" width="100%" height="100%"
            aria-hidden="true" { (paths) }
    }
}

/// A place along an axis, from 0 to 1, as SVG takes it.
pub(super) fn at(part: f64) -> String {
    // an empty sum is -0.0
    format!("{:.2}%", 100.0 * part + 0.0)
}

/// The same for the upright axis, which SVG counts downwards.
pub(super) fn up(part: f64) -> String {
    at(1.0 - part)
}

/// A line through points whose coordinates go from 0 to 1, as the `d` of a path; it has gaps where one is not finite,
/// and a point between two gaps is a dot.
pub(super) fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let points: Vec<_> = points.collect();
    let is_finite = |&(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
    let mut path = String::new();
    for line in
        points.chunk_by(|one, next| is_finite(one) == is_finite(next)).filter(|line| is_finite(&line[0]))
    {
        for (index, (x, y)) in line.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            // writing to a string cannot fail
            let _ = write!(path, "{command}{:.1} {:.1}", EXTENT * x, EXTENT * (1.0 - y));
        }
        if line.len() == 1 {
            path.push_str("h0");
        }
    }
    path
}

/// The same points without lines: each is a dot of the stroke's width.
pub(super) fn dots(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points.filter(|(x, y)| x.is_finite() && y.is_finite()) {
        let _ = write!(path, "M{:.1} {:.1}h0", EXTENT * x, EXTENT * (1.0 - y));
    }
    path
}

/// An upright bar from the bottom.
pub(super) fn bar(left: f64, right: f64, top: f64) -> Markup {
    let (x, width) = (EXTENT * left, EXTENT * (right - left));
    html! {
        rect x=(format!("{x:.1}")) width=(format!("{width:.1}"))
            y=(format!("{:.1}", EXTENT * (1.0 - top))) height=(format!("{:.1}", EXTENT * top)) {}
    }
}

/// The class that gives a run its colour.
pub(super) fn run_class(run: usize) -> String {
    format!("run-{}", run % RUN_STYLES)
}

/// A run's marker at a place of the plot.
pub(super) fn marker(run: usize, x: f64, y: f64) -> Markup {
    html! { use href={ "#marker-" (run % RUN_STYLES) } x=(at(x)) y=(up(y)) {} }
}

/// The markers that the page's plots refer to, one for each of the runs' styles.
pub(super) fn markers() -> Markup {
    const SHAPES: [&str; RUN_STYLES] = [
        "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0",
        "M-3 -3h6v6h-6z",
        "M0 -4.2L4 3H-4z",
        "M0 -4.5L4.5 0L0 4.5L-4.5 0z",
        "M0 4.2L4 -3H-4z",
        "M-1.3 -4h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7v-2.6h2.7z",
        "M0 -4.5L4.3 -1.4L2.6 3.6H-2.6L-4.3 -1.4z",
        "M-4 -2H4V2H-4z",
    ];
    html! {
        svg.definitions width="0" height="0" aria-hidden="true" focusable="false" {
            defs {
                @for (index, shape) in SHAPES.iter().enumerate() {
                    path id={ "marker-" (index) } d=(shape) {}
                }
                circle #kept r="7" {}
            }
        }
    }
}

/// A run's colour and marker, in front of its name.
pub(super) fn key(run: usize) -> Markup {
    html! {
        svg class={ "key " (run_class(run)) } width="22" height="12" aria-hidden="true" focusable="false" {
            line x1="0" x2="22" y1="6" y2="6" {}
            use href={ "#marker-" (run % RUN_STYLES) } x="11" y="6" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_gaps_where_there_are_no_values() {
        let points =
            [(0.0, 0.0), (0.5, 1.0), (0.6, f64::NAN), (0.75, 0.25), (f64::NAN, 0.0), (0.9, 0.0), (1.0, 0.5)];
        assert_eq!(path(points.into_iter()), "M0.0 1000.0L500.0 0.0M750.0 750.0h0M900.0 1000.0L1000.0 500.0");
        assert_eq!(dots(points[..3].iter().copied()), "M0.0 1000.0h0M500.0 0.0h0");
    }

    #[test]
    fn places_are_percentages_from_the_top_left() {
        assert_eq!((at(0.25), up(0.25)), ("25.00%".into(), "75.00%".into()));
    }
}
