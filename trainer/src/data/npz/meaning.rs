//! What the targets of an `.npz` file mean: classes or values, for a sequence or for each timestep.

use std::collections::BTreeSet;
use std::ops::Range;

use super::NpzFault;
use super::array::{Array, Elements, in_python, place, position};

/// What the array `task` may say: values instead of classes, and for each timestep instead of for the sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TaskWord {
    values: bool,
    per_step: bool,
}

const TASK_WORDS: [(&str, TaskWord); 4] = [
    ("classification", TaskWord { values: false, per_step: false }),
    ("regression", TaskWord { values: true, per_step: false }),
    ("per-step-classification", TaskWord { values: false, per_step: true }),
    ("per-step-regression", TaskWord { values: true, per_step: true }),
];

impl TaskWord {
    /// The task that the array `task` names.
    pub(super) fn of(words: &[String]) -> Result<Self, NpzFault> {
        let found = words.join(" ");
        let known = TASK_WORDS.iter().find(|(word, _)| *word == found);
        known.map(|(_, task)| *task).ok_or_else(|| {
            let expected = TASK_WORDS.map(|(word, _)| word).join(", ");
            NpzFault::Task { found, expected }
        })
    }

    fn word(self) -> &'static str {
        TASK_WORDS.iter().find(|(_, task)| *task == self).expect("all four are listed").0
    }
}

/// How targets are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    /// How many values an entry has; `None` for labels.
    pub(super) outputs: Option<usize>,
    /// Whether each timestep has an entry.
    pub(super) per_step: bool,
}

impl Meaning {
    /// What `y` means for `count` sequences of `timesteps`, by its type, its shape and, where that leaves it open, `task`.
    pub(super) fn of(
        y: &Array,
        x_name: &str,
        count: usize,
        timesteps: usize,
        task: Option<TaskWord>,
    ) -> Result<Self, NpzFault> {
        let shape = |expected: String| NpzFault::Shape {
            array: y.name.clone(),
            found: in_python(&y.shape),
            expected,
        };
        if y.shape.first() != Some(&count) {
            return Err(shape(format!("{x_name} has {count} samples")));
        }
        let values = task.map_or(matches!(y.elements, Elements::Floats(_)), |task| task.values);
        if values && matches!(y.elements, Elements::Strings(_)) {
            let (array, found) = (y.name.clone(), "string".into());
            return Err(NpzFault::Dtype { array, found, expected: "a regression learns numbers" });
        }
        let asked = task.map(|task| task.per_step);
        let (per_step, outputs) = match (&y.shape[1..], values) {
            ([], _) => (false, 1),
            ([1], false) if timesteps != 1 || asked != Some(true) => (false, 1),
            ([steps] | [steps, 1], false) if *steps == timesteps => (true, 1),
            ([width], true) if *width == timesteps && timesteps > 1 => match asked {
                Some(true) => (true, 1),
                Some(false) => (false, *width),
                None => {
                    return Err(shape(format!(
                        "that may be {timesteps} values for each sequence or one for each of its timesteps: for the \
                         latter add [..., None], or say which by the array task"
                    )));
                }
            },
            ([outputs], true) => (false, *outputs),
            ([steps, outputs], true) if *steps == timesteps => (true, *outputs),
            (_, false) => {
                return Err(shape(format!(
                    "labels must be (samples,), or (samples, timesteps) with the {timesteps} timesteps of {x_name}; of \
                     one-hot rows take argmax, and values to be learnt must be floats"
                )));
            }
            (_, true) => {
                return Err(shape(format!(
                    "values must be (samples,), (samples, outputs), or (samples, timesteps, outputs) with the \
                     {timesteps} timesteps of {x_name}"
                )));
            }
        };
        if asked.is_some_and(|asked| asked != per_step) || outputs == 0 {
            let word = task.map_or("regression", TaskWord::word);
            return Err(shape(format!("the task is {word}")));
        }
        Ok(Self { outputs: values.then_some(outputs), per_step })
    }

    /// The task that this is.
    pub(super) fn word(self) -> TaskWord {
        TaskWord { values: self.outputs.is_some(), per_step: self.per_step }
    }
}

/// What labels are called.
pub(super) struct Labels {
    /// The names of the classes, where there are names.
    names: Option<Vec<String>>,
}

impl Labels {
    /// The names that the array `classes` gives, if there is one.
    pub(super) fn new(classes: Option<Vec<String>>) -> Result<Self, NpzFault> {
        if let Some(names) = &classes {
            check_number("classes", names.len())?;
            let mut seen = BTreeSet::new();
            if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
                return Err(NpzFault::ClassTwice { name: twice.clone() });
            }
        }
        Ok(Self { names: classes })
    }

    /// Takes the strings of the training targets as names, in alphabetical order, where there are none yet.
    pub(super) fn learn(&mut self, y: &Array) -> Result<(), NpzFault> {
        if let (None, Elements::Strings(strings)) = (&self.names, &y.elements) {
            let distinct: BTreeSet<&String> = strings.iter().collect();
            check_number(&y.name, distinct.len())?;
            self.names = Some(distinct.into_iter().cloned().collect());
        }
        Ok(())
    }

    pub(super) fn names(&self) -> Option<&[String]> {
        self.names.as_deref()
    }

    /// The labels in `y`: as many as it has entries, though only those at `valid` must be labels; others are 0.
    pub(super) fn of(
        &self,
        y: &Array,
        valid: impl Iterator<Item = Range<usize>>,
    ) -> Result<Vec<u8>, NpzFault> {
        let entries = y.shape.iter().product();
        let mut labels = vec![0; entries];
        for index in valid.flatten() {
            labels[index] = self.label(y, index)?;
        }
        Ok(labels)
    }

    fn label(&self, y: &Array, index: usize) -> Result<u8, NpzFault> {
        let number = match &y.elements {
            Elements::Strings(strings) => return self.named(y, index, &strings[index]),
            Elements::Integers(values) => values.slice(index..index + 1).get(0),
            Elements::Floats(values) => values[index],
        };
        if number.fract() == 0.0 && (0.0..=255.0).contains(&number) {
            return Ok(number as u8);
        }
        let (array, value) = (y.name.clone(), number.to_string());
        Err(NpzFault::Label { array, place: place(&position(index, &y.shape, false)), value })
    }

    fn named(&self, y: &Array, index: usize, name: &str) -> Result<u8, NpzFault> {
        let names = self.names.as_deref().unwrap_or_default();
        match names.iter().position(|known| known == name) {
            Some(label) => Ok(label as u8),
            None => Err(NpzFault::UnknownName {
                array: y.name.clone(),
                place: place(&position(index, &y.shape, false)),
                value: name.into(),
                classes: names.join(", "),
            }),
        }
    }
}

fn check_number(array: &str, found: usize) -> Result<(), NpzFault> {
    if found <= 256 { Ok(()) } else { Err(NpzFault::Classes { array: array.into(), found }) }
}

/// The lengths of `count` sequences that are padded to `timesteps`.
pub(super) fn lengths_of(lengths: &Array, count: usize, timesteps: usize) -> Result<Vec<usize>, NpzFault> {
    let array = || lengths.name.clone();
    if lengths.shape != [count] {
        let expected = format!("it must be {}: one length for each sample", in_python(&[count]));
        return Err(NpzFault::Shape { array: array(), found: in_python(&lengths.shape), expected });
    }
    let Elements::Integers(values) = &lengths.elements else {
        let expected = "lengths are integers: convert it by astype('int64')";
        return Err(NpzFault::Dtype { array: array(), found: "float or string".into(), expected });
    };
    let values = values.slice(0..count);
    let length = |sample| {
        let value = values.get(sample);
        if value >= 1.0 && value <= timesteps as f32 {
            return Ok(value as usize);
        }
        Err(NpzFault::Length { array: array(), sample, found: value.to_string(), most: timesteps })
    };
    (0..count).map(length).collect()
}
