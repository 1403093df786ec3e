//! How good answers are, in words and tables.

use comfy_table::Table;
use refrain_trainer::evaluate::{ClassScores, Details, Scores, ValueScores};

use super::output::{number_table, percent, thousands};

/// Classes beyond which the confusion matrix is too wide to be read.
const MOST_CLASSES_SHOWN: usize = 20;

/// What the figure that says most is called: `accuracy` or `mean absolute error`.
pub(super) fn figure_name(scores: &Scores) -> &'static str {
    match scores.details {
        Details::Classes(_) => "accuracy",
        Details::Values(_) => "mean absolute error",
    }
}

/// The figure that says most, one for each output of a regression.
pub(super) fn figure(scores: &Scores) -> String {
    match &scores.details {
        Details::Classes(_) => scores.accuracy.map_or_else(|| "unknown".into(), percent),
        Details::Values(values) => {
            let errors = values.mean_absolute_error.iter().map(|&error| significant(error));
            errors.collect::<Vec<_>>().join(" ")
        }
    }
}

/// All that is known, class by class or output by output; `None` where it would be too wide to be read.
pub(super) fn details(scores: &Scores, names: &[String]) -> Option<Table> {
    match &scores.details {
        Details::Classes(_) if names.len() > MOST_CLASSES_SHOWN => None,
        Details::Classes(classes) => Some(confusion(classes, names)),
        Details::Values(values) => Some(errors(values, names)),
    }
}

/// Row by row: how many answers for a label named each class, and the part of them that was right.
fn confusion(scores: &ClassScores, names: &[String]) -> Table {
    let header = ["label \\ class"].into_iter().chain(names.iter().map(String::as_str)).chain(["recall"]);
    let mut table = number_table(header);
    for ((label, counts), recall) in names.iter().zip(&scores.confusion).zip(&scores.recall) {
        let counts = counts.iter().map(|&count| if count == 0 { ".".into() } else { thousands(count) });
        let recall = recall.map_or_else(|| "-".into(), percent);
        table.add_row([label.clone()].into_iter().chain(counts).chain([recall]));
    }
    table
}

/// Row by row: how far an output is off.
fn errors(scores: &ValueScores, names: &[String]) -> Table {
    let mut table = number_table(["output", "mean absolute error", "root mean squared error", "R²"]);
    let figures = scores.mean_absolute_error.iter().zip(&scores.root_mean_squared_error).zip(&scores.r2);
    for (name, ((&absolute, &squared), r2)) in names.iter().zip(figures) {
        table.add_row([name.clone(), significant(absolute), significant(squared), format!("{r2:.4}")]);
    }
    table
}

/// A number with four digits that mean something, whatever its unit.
fn significant(number: f64) -> String {
    let magnitude = number.abs().log10().floor();
    match magnitude {
        -5.0..4.0 => format!("{number:.*}", (3.0 - magnitude) as usize),
        _ if number == 0.0 => "0".into(),
        _ => format!("{number:.3e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits_that_mean_something() {
        let numbers = [0.0, 12.345_67, 1234.567, 0.001_234_56, 123_456.0, 1e-7, -9.8765];
        let expected = ["0", "12.35", "1235", "0.001235", "1.235e5", "1.000e-7", "-9.877"];
        assert_eq!(numbers.map(significant), expected);
    }

    fn values() -> Scores {
        let details = Details::Values(ValueScores {
            mean_absolute_error: vec![0.5, 20.0],
            root_mean_squared_error: vec![0.75, 25.0],
            r2: vec![0.9, -1.0],
        });
        Scores { answers: 9, accuracy: None, details }
    }

    #[test]
    fn a_regression_is_told_output_by_output() {
        assert_eq!(
            (figure_name(&values()), figure(&values())),
            ("mean absolute error", "0.5000 20.00".into())
        );
        let table = details(&values(), &["volts".into(), "amperes".into()]).expect("a table").to_string();
        for word in ["volts", "0.7500", "0.9000", "amperes", "25.00", "-1.0000"] {
            assert!(table.contains(word), "{word}: {table}");
        }
    }

    #[test]
    fn a_classification_is_told_class_by_class() {
        let scores = |classes: usize| Scores {
            answers: 5,
            accuracy: Some(0.8),
            details: Details::Classes(ClassScores {
                confusion: vec![vec![2; classes]; classes],
                recall: vec![Some(0.5); classes],
                precision: vec![None; classes],
                f1: vec![None; classes],
                macro_f1: 0.4,
            }),
        };
        let names = |classes| vec!["walk".to_owned(); classes];
        assert_eq!((figure_name(&scores(2)), figure(&scores(2))), ("accuracy", "80.00 %".into()));
        let table = details(&scores(2), &names(2)).expect("a table").to_string();
        assert!(table.contains("walk") && table.contains("50.00 %"), "{table}");
        assert!(details(&scores(21), &names(21)).is_none());
    }
}
