//! Numbers as readers want them.

use std::fmt::Display;

/// A space at which a line is not broken.
const SPACE: char = '\u{a0}';

/// A part of one: `0.98765` is `98.77 %`.
pub(super) fn percent(part: f64) -> String {
    format!("{:.2}{SPACE}%", 100.0 * part)
}

/// A part of one where there is little room: `0.98765` is `98.8`, one is `100`.
pub(super) fn short_percent(part: f64) -> String {
    // Never "100.0" for what is less.
    let tenths = (1000.0 * part).round().min(if part < 1.0 { 999.0 } else { 1000.0 });
    if tenths == 1000.0 { "100".into() } else { format!("{:.1}", tenths / 10.0) }
}

/// A whole number with its thousands apart: `24,714`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three significant digits, and no exponent between a millionth and a thousand million.
pub(in crate::report) fn significant(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return format!("{number}").replace('-', "−");
    }
    let exponent = number.abs().log10().floor() as i32;
    let text = match exponent {
        -6..=2 => format!("{number:.*}", (2 - exponent) as usize),
        3..=9 => format!("{number:.0}"),
        _ => format!("{number:.2e}"),
    };
    text.replace('-', "−")
}

/// Seconds as `41 s`, `3 min 20 s` or `2 h 5 min`.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1}{SPACE}s"),
        10..60 => format!("{whole}{SPACE}s"),
        60..3600 => format!("{}{SPACE}min {}{SPACE}s", whole / 60, whole % 60),
        _ => format!("{}{SPACE}h {}{SPACE}min", whole / 3600, whole % 3600 / 60),
    }
}

/// A number of things: `1 layer`, `2 layers`.
pub(super) fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{}{SPACE}{thing}{plural}", thousands(number as u64))
}

/// What there is, or a dash.
pub(super) fn or_dash<T: Display>(value: Option<T>) -> String {
    value.map_or_else(|| "–".into(), |value| value.to_string())
}

/// `a`, `a and b` or `a, b and c`.
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [name] => (*name).into(),
        [names @ .., last] => format!("{} and {last}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_true() {
        assert_eq!(percent(0.98765), "98.77\u{a0}%");
        assert_eq!([0.5, 0.99996, 1.0].map(short_percent), ["50.0", "99.9", "100"]);
        assert_eq!([0, 999, 24_714, 1_000_000].map(thousands), ["0", "999", "24,714", "1,000,000"]);
        let numbers = [0.0, 12.345, -0.001_234, 98_765.4, 1e-9, 0.999_9];
        assert_eq!(numbers.map(significant), ["0", "12.3", "−0.00123", "98765", "1.00e−9", "1.000"]);
        let times = [4.2, 41.0, 200.0, 7_500.0].map(duration).map(|text| text.replace('\u{a0}', " "));
        assert_eq!(times, ["4.2 s", "41 s", "3 min 20 s", "2 h 5 min"]);
        assert_eq!(count(1, "layer") + &count(1200, "sample"), "1\u{a0}layer1,200\u{a0}samples");
    }

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }
}
