//! Learning curves as a picture.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::prelude::*;

use crate::files::write_whole;
use crate::train::Epoch;

/// Width and height of the picture.
const SIZE: (u32, u32) = (1100, 480);
/// Colours that colour-blind readers tell apart too (Okabe and Ito's), one for each curve in turn.
const COLOURS: [RGBColor; 6] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];
/// The least error rate and the least loss that are told from none.
const LEAST: f64 = 1e-4;
const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(51, 51, 51);
const GRID: RGBColor = RGBColor(228, 228, 228);

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// There is no epoch to show.
    #[error("there are no epochs to draw learning curves of")]
    Empty,
    /// It cannot be drawn.
    #[error("{path}: cannot draw the learning curves: {reason}")]
    Draw {
        /// The file.
        path: PathBuf,
        /// What the drawing library says.
        reason: String,
    },
    /// It cannot be written.
    #[error("{path}: cannot write the learning curves: {reason}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
}

/// One run's curve.
#[derive(Clone, Debug)]
pub struct Curve<'a> {
    /// What the legend calls it.
    pub name: &'a str,
    /// Its epochs, in order.
    pub history: &'a [Epoch],
}

/// What a panel shows, on a logarithmic scale, so that the late epochs can be told apart as well as the early ones.
struct Panel {
    title: &'static str,
    value: fn(&Epoch) -> f64,
    /// Where a value is on the axis.
    place: fn(f64) -> f64,
    /// Values that the axis is marked with, where it reaches them.
    marks: Vec<f64>,
    label: fn(f64) -> String,
    /// Where the curves leave room for the legend.
    legend: SeriesLabelPosition,
}

impl Panel {
    /// Accuracy by its distance from 100 %; 0 for a regression, which has none.
    fn accuracy() -> Self {
        Self {
            title: "Validation accuracy",
            value: |epoch| epoch.val_accuracy.unwrap_or(0.0),
            place: |accuracy| -(1.0 - accuracy).max(LEAST).log10(),
            marks: vec![0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1.0],
            label: |accuracy| format!("{} %", (1e4 * accuracy).round() / 100.0),
            legend: SeriesLabelPosition::LowerRight,
        }
    }

    fn loss() -> Self {
        let decades = (-3..3).map(|exponent| 10f64.powi(exponent));
        Self {
            title: "Validation loss",
            value: |epoch| epoch.val_loss,
            place: |loss| loss.max(LEAST).log10(),
            marks: decades.flat_map(|decade| [decade, 2.0 * decade, 5.0 * decade]).collect(),
            label: |loss| format!("{}", (1e4 * loss).round() / 1e4),
            legend: SeriesLabelPosition::UpperRight,
        }
    }

    /// The axis from `low` to `high`, with those marks that stand far enough apart to be read.
    fn axis(&self, low: f64, high: f64) -> Axis {
        let mut ticks: Vec<(f64, String)> = Vec::new();
        for &mark in self.marks.iter().rev() {
            let place = (self.place)(mark);
            let is_apart = ticks.last().is_none_or(|(above, _)| (above - place).abs() > 0.06 * (high - low));
            if (low..=high).contains(&place) && is_apart {
                ticks.push((place, (self.label)(mark)));
            }
        }
        Axis { low, high, ticks }
    }
}

/// An upright axis that is marked at places of its own choice.
struct Axis {
    low: f64,
    high: f64,
    /// Places and labels.
    ticks: Vec<(f64, String)>,
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (first, last): (i32, i32)) -> i32 {
        let part = (place - self.low) / (self.high - self.low);
        first + (part * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let is_for_light_lines = hint.weight().allow_light_points();
        self.ticks.iter().map(|(place, _)| *place).filter(|_| !is_for_light_lines).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, place: &f64) -> String {
        self.ticks.iter().find(|(tick, _)| tick == place).map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

/// Draws the curves, beside one another validation accuracy and validation loss by epoch, as an SVG file.
///
/// # Errors
/// [`PlotError`].
pub fn learning_curves(path: &Path, curves: &[Curve<'_>]) -> Result<(), PlotError> {
    if curves.iter().all(|curve| curve.history.is_empty()) {
        return Err(PlotError::Empty);
    }
    let mut svg = String::new();
    draw(&mut svg, curves)
        .map_err(|error| PlotError::Draw { path: path.into(), reason: error.to_string() })?;
    write_whole(path, svg.as_bytes()).map_err(|reason| PlotError::Write { path: path.into(), reason })
}

type DrawError<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

fn draw<'s>(svg: &'s mut String, curves: &[Curve<'_>]) -> Result<(), DrawError<'s>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let panels = [Panel::accuracy(), Panel::loss()];
    for (area, panel) in area.split_evenly((1, panels.len())).iter().zip(panels) {
        draw_panel(area, &panel, curves)?;
    }
    area.present()
}

fn draw_panel<'s>(
    area: &DrawingArea<SVGBackend<'s>, Shift>,
    panel: &Panel,
    curves: &[Curve<'_>],
) -> Result<(), DrawError<'s>> {
    let epochs = curves.iter().flat_map(|curve| curve.history);
    let last = epochs.clone().map(|epoch| epoch.epoch).max().unwrap_or(1);
    let (low, high) = range(epochs.map(|epoch| (panel.place)((panel.value)(epoch))));
    let mut chart = ChartBuilder::on(area)
        .caption(panel.title, (FONT, 20).into_font().color(&INK))
        .margin(18)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(0.5..f64::from(last) + 0.5, panel.axis(low, high))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style((FONT, 14).into_font().color(&INK))
        .x_desc("epoch")
        .x_labels(last.min(16) as usize)
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .draw()?;
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        let points: Vec<_> = curve
            .history
            .iter()
            .map(|epoch| (f64::from(epoch.epoch), (panel.place)((panel.value)(epoch))))
            .collect();
        let style = colour.stroke_width(2);
        chart.draw_series(points.iter().map(|&point| Circle::new(point, 3, colour.filled())))?;
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], style.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(panel.legend.clone())
        .label_font((FONT, 15).into_font().color(&INK))
        .background_style(WHITE.mix(0.85))
        .border_style(GRID)
        .legend_area_size(30)
        .margin(12)
        .draw()
}

/// The least and the greatest of the values that are numbers, with room around them.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) = finite
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    match high - low {
        span if span > 0.0 => (low - 0.06 * span, high + 0.06 * span),
        0.0 => (low - 0.5, high + 0.5),
        _ => (0.0, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(epoch: u32) -> Epoch {
        let x = f64::from(epoch);
        Epoch {
            epoch,
            loss: 1.0 / x,
            accuracy: Some(1.0 - 0.5 / x),
            mean_absolute_error: None,
            r2: None,
            val_loss: 1.2 / x,
            val_accuracy: Some(1.0 - 0.6 / x),
            val_mean_absolute_error: None,
            val_r2: None,
        }
    }

    #[test]
    fn every_curve_is_in_the_picture() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curves.svg");
        let (long, short): (Vec<_>, Vec<_>) = ((1..=12).map(epoch).collect(), (1..=5).map(epoch).collect());
        let curves = [Curve { name: "lstm", history: &long }, Curve { name: "gru", history: &short }];
        learning_curves(&path, &curves).unwrap();
        let svg = std::fs::read_to_string(&path).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for text in ["Validation accuracy", "Validation loss", "lstm", "gru", "epoch"] {
            assert!(svg.contains(text), "{text}");
        }
        for label in ["50 %", "80 %", "90 %", "0.1", "0.5"] {
            assert!(svg.contains(label), "{label}");
        }
        // A point for each epoch in each of the two panels.
        assert_eq!(svg.matches("<circle").count(), 2 * 17);
    }

    #[test]
    fn one_epoch_is_a_picture_and_none_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curves.svg");
        learning_curves(&path, &[Curve { name: "gru", history: &[epoch(1)] }]).unwrap();
        let nothing = learning_curves(&path, &[Curve { name: "gru", history: &[] }]);
        assert!(matches!(nothing, Err(PlotError::Empty)));
    }

    #[test]
    fn the_axis_is_marked_where_marks_can_be_read() {
        let labels = |low, high| -> Vec<String> {
            Panel::accuracy().axis(low, high).ticks.into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(labels(1.6, 2.4), ["99.5 %", "99 %", "98 %"]);
        assert_eq!(
            labels(0.0, 4.0),
            ["100 %", "99.9 %", "99.8 %", "99.5 %", "99 %", "98 %", "95 %", "90 %", "80 %", "50 %", "0 %"]
        );
        assert_eq!(Panel::loss().axis(-1.1, 0.4).ticks.len(), 5);
    }

    #[test]
    fn the_range_has_room_around_the_values() {
        assert_eq!(range([0.0, 100.0, f64::NAN].into_iter()), (-6.0, 106.0));
        assert_eq!(range([3.0].into_iter()), (2.5, 3.5));
        assert_eq!(range([f64::NAN].into_iter()), (0.0, 1.0));
    }
}
