//! From the parts that a file or folder holds to a data set: held-out parts, one number type, standardisation.

use super::dataset::check_two_classes;
use super::{DataError, Dataset, Kind, Split, Splits, Targets, Task, hold_out, standardise};

/// What was read.
pub(super) struct Parts {
    /// What the set is called.
    pub(super) name: String,
    /// The classes that labels stand for; empty where values are to be learnt.
    pub(super) classes: Vec<String>,
    /// Names of the features; empty where they have none.
    pub(super) features: Vec<String>,
    /// Names of the values to be learnt; empty where they have none.
    pub(super) outputs: Vec<String>,
    /// To train on.
    pub(super) train: Split,
    /// To validate with, if there is some.
    pub(super) validation: Option<Split>,
    /// To test on, if there is some.
    pub(super) test: Option<Split>,
}

/// The data set, and what the user should know of it, a sentence each.
///
/// # Errors
/// [`DataError`]: too few sequences, nothing that varies, or parts that do not belong together.
pub(super) fn assemble(parts: Parts) -> Result<(Dataset, Vec<String>), DataError> {
    let Parts { name, classes, features, outputs, mut train, validation, test } = parts;
    check_two_classes(&train, &classes)?;
    let mut notes = Vec::new();
    let from = train.sequences_from().display().to_string();
    let all = train.count();
    let mut held_out = |part: Option<Split>, purpose: u64, word: &str| -> Result<Split, DataError> {
        if let Some(part) = part {
            return Ok(part);
        }
        let part = hold_out::take(&mut train, purpose)?;
        notes.push(format!(
            "{from}: there are no sequences {word}, so {} of the {all} training sequences were held out for that, \
             the same ones every time",
            part.count()
        ));
        Ok(part)
    };
    let test = held_out(test, 0, "to test on")?;
    let validation = held_out(validation, 1, "to validate with")?;
    let [train, validation, test] = of_one_number_type([train, validation, test]);

    let (scaling, constant) = standardise::inputs(&train, &features)?;
    notes.extend(constant);
    [&train, &validation, &test]
        .into_iter()
        .try_for_each(|split| standardise::check_reach(split, &scaling, &features))?;
    let kind = match train.targets() {
        Targets::Labels(_) => Kind::Classification { classes },
        Targets::Values(values) => {
            let scaling = standardise::targets(values.view(), &train, &outputs)?;
            let numbered = || (0..values.ncols()).map(|output| output.to_string()).collect();
            Kind::Regression { names: if outputs.is_empty() { numbered() } else { outputs }, scaling }
        }
    };
    let task = Task { kind, per_step: train.per_step() };
    let splits = Splits { train, validation: Some(validation), test };
    let dataset = Dataset::new(name, task, scaling, splits)?;
    for (class, _) in dataset.classes().iter().zip(dataset.class_counts()).filter(|(_, count)| *count == 0) {
        notes.push(format!("{from}: class {class} has no training sequence, so a network cannot learn it"));
    }
    Ok((dataset, notes))
}

/// The splits with their numbers in the smallest type that holds those of all three.
fn of_one_number_type(splits: [Split; 3]) -> [Split; 3] {
    let [a, b, c] = splits;
    let a = a.widened_for(&b).widened_for(&c);
    let (b, c) = (b.widened_for(&a), c.widened_for(&a));
    [a, b, c]
}
