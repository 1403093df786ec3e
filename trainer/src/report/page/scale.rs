//! Axes: where a value lies between their ends, and where they are marked.

/// How values are spread over an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    /// Evenly.
    Linear,
    /// Evenly, and marked at whole numbers alone.
    Whole,
    /// By their logarithm.
    Logarithmic,
    /// By the logarithm of their distance from one, so that 98 % and 99 % are as far apart as 80 % and 90 %.
    TowardsOne,
}

/// Values nearer to zero (or to one) than this are shown as being so far from it.
const LEAST: f64 = 1e-4;
/// The room between the outermost values and the ends of an axis, as a part of it.
const MARGIN: f64 = 0.05;
/// Marks stand at least this part of the axis apart.
const LEAST_DISTANCE: f64 = 0.09;
/// An axis with fewer marks gets less round ones as well.
const FEW_MARKS: usize = 4;

/// A mark on an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    /// Where it is, from 0 at the axis's low end to 1.
    pub(super) at: f64,
    /// What is written there.
    pub(super) label: String,
}

/// An axis.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    spread: Spread,
    /// Its ends, spread.
    ends: (f64, f64),
    pub(super) marks: Vec<Mark>,
}

impl Spread {
    /// Where a value is on an axis without ends; not a number where the value is none.
    fn place(self, value: f64) -> f64 {
        match self {
            _ if value.is_nan() => value,
            Self::Linear | Self::Whole => value,
            Self::Logarithmic => value.max(LEAST).log10(),
            Self::TowardsOne => -(1.0 - value).max(LEAST).log10(),
        }
    }
}

impl Scale {
    /// An axis with room for all those of `values` that are finite.
    pub(super) fn around(spread: Spread, values: impl Iterator<Item = f64>) -> Self {
        let places = values.filter(|value| value.is_finite()).map(|value| spread.place(value));
        let (low, high) =
            places.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        // Equal values get an axis around them.
        let margin = if high > low { MARGIN * (high - low) } else { 0.5 * low.abs().max(0.1) };
        Self::between(spread, low - margin, high + margin)
    }

    /// A linear axis from `low` to `high` exactly.
    pub(super) fn linear(low: f64, high: f64) -> Self {
        Self::between(Spread::Linear, low, if high > low { high } else { low + 1.0 })
    }

    /// An axis for whole numbers from `first` to `last`.
    pub(super) fn whole(first: u32, last: u32) -> Self {
        let (low, high) = (f64::from(first), f64::from(last));
        if first < last {
            return Self::between(Spread::Whole, low, high);
        }
        Self::between(Spread::Whole, low - 0.5, low + 0.5)
    }

    fn between(spread: Spread, low: f64, high: f64) -> Self {
        let mut scale = Self { spread, ends: (low, high), marks: Vec::new() };
        match spread {
            Spread::Linear => scale.mark(linear_marks(low, high, 0.0)),
            Spread::Whole => scale.mark(linear_marks(low, high, 1.0)),
            Spread::Logarithmic => {
                scale.mark(decades(&[1.0, 2.0, 5.0]));
                scale.mark_more(decades(&[1.5, 3.0, 4.0, 7.0]));
            }
            Spread::TowardsOne => {
                let whole = [0.0, 20.0, 50.0, 70.0, 80.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.8, 99.9, 100.0];
                let between = [
                    10.0, 30.0, 40.0, 60.0, 75.0, 85.0, 93.0, 96.0, 97.0, 98.5, 99.2, 99.3, 99.4, 99.6, 99.7,
                ];
                scale.mark(percents(&whole));
                scale.mark_more(percents(&between));
            }
        }
        scale.marks.sort_by(|one, next| one.at.total_cmp(&next.at));
        scale
    }

    /// Marks those values that are on the axis and far enough from the marks that it has.
    fn mark(&mut self, values: Vec<(f64, String)>) {
        for (value, label) in values {
            let at = self.at(value);
            let is_apart = self.marks.iter().all(|mark| (at - mark.at).abs() >= LEAST_DISTANCE);
            if (0.0..=1.0).contains(&at) && is_apart {
                self.marks.push(Mark { at, label });
            }
        }
    }

    /// Marks less round values too, on an axis that has few marks.
    fn mark_more(&mut self, values: Vec<(f64, String)>) {
        if self.marks.len() < FEW_MARKS {
            self.mark(values);
        }
    }

    /// Where a value is, from 0 at the low end to 1.
    pub(super) fn at(&self, value: f64) -> f64 {
        let (low, high) = self.ends;
        (self.spread.place(value) - low) / (high - low)
    }
}

/// Round numbers from `low` to `high`, some five of them, that are `least` apart.
fn linear_marks(low: f64, high: f64, least: f64) -> Vec<(f64, String)> {
    let rough = least.max((high - low) / 5.0);
    let decade = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * decade).into_iter().find(|&step| step >= rough);
    let step = step.unwrap_or(rough);
    let digits = (-step.log10().floor()).max(0.0) as usize;
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    let label = |value: f64| format!("{value:.digits$}").replace('-', "−");
    (first..=last).map(|number| number as f64 * step).map(|value| (value, label(value))).collect()
}

/// Those digits in every decade.
fn decades(digits: &[f64]) -> Vec<(f64, String)> {
    let mark = |exponent: i32, digit: &f64| {
        let places = (i32::from(digit.fract() != 0.0) - exponent).max(0) as usize;
        let value = digit * 10f64.powi(exponent);
        (value, format!("{value:.places$}"))
    };
    (-4..7).flat_map(|exponent| digits.iter().map(move |digit| mark(exponent, digit))).collect()
}

fn percents(percents: &[f64]) -> Vec<(f64, String)> {
    percents.iter().map(|percent| (percent / 100.0, format!("{percent}\u{a0}%"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<String> {
        scale.marks.iter().map(|mark| mark.label.replace('\u{a0}', " ")).collect()
    }

    #[test]
    fn marks_are_round_numbers_within_the_axis() {
        assert_eq!(labels(&Scale::linear(0.0, 28.0)), ["0", "10", "20"]);
        assert_eq!(labels(&Scale::linear(-0.23, 0.21)), ["−0.2", "−0.1", "0.0", "0.1", "0.2"]);
        assert_eq!(labels(&Scale::linear(4.0, 4.0)), ["4.0", "4.2", "4.4", "4.6", "4.8", "5.0"]);
    }

    #[test]
    fn accuracies_are_spread_towards_one() {
        let scale = Scale::around(Spread::TowardsOne, [0.62, 0.9932, 0.98].into_iter());
        assert_eq!(labels(&scale), ["70 %", "80 %", "90 %", "95 %", "98 %", "99 %"]);
        let step = |from, to| scale.at(to) - scale.at(from);
        assert!((step(0.8, 0.9) - step(0.98, 0.99)).abs() < 1e-9);
        assert!((0.0..=1.0).contains(&scale.at(0.9932)) && scale.at(0.62) > 0.0);
    }

    #[test]
    fn epochs_are_marked_at_whole_numbers() {
        assert_eq!(labels(&Scale::whole(1, 3)), ["1", "2", "3"]);
        assert_eq!(labels(&Scale::whole(1, 30)), ["10", "20", "30"]);
        assert_eq!((labels(&Scale::whole(1, 1)), Scale::whole(1, 1).at(1.0)), (vec!["1".into()], 0.5));
    }

    #[test]
    fn losses_are_spread_by_their_logarithm() {
        let scale = Scale::around(Spread::Logarithmic, [2.1, 0.03, f64::NAN].into_iter());
        assert_eq!(labels(&scale), ["0.05", "0.1", "0.2", "0.5", "1", "2"]);
    }

    #[test]
    fn no_values_and_equal_values_have_an_axis() {
        assert!(Scale::around(Spread::Linear, std::iter::empty()).at(0.5) == 0.5);
        assert!(Scale::around(Spread::TowardsOne, [0.5].into_iter()).at(f64::NAN).is_nan());
        assert!((Scale::around(Spread::Linear, [3.0, 3.0].into_iter()).at(3.0) - 0.5).abs() < 1e-9);
        assert!((Scale::around(Spread::TowardsOne, [1.0].into_iter()).at(1.0) - 0.5).abs() < 1e-9);
    }
}
