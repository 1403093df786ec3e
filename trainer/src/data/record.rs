//! What is kept of a data set beside a network that was trained on it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Dataset, InputScaling, Kind, Split, TargetScaling, Targets, Task, Values};

/// Which data set a network was trained on, and how its inputs and outputs are to be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataRecord {
    /// What the set is called.
    pub name: String,
    /// [`Dataset::fingerprint`].
    pub fingerprint: String,
    /// What the outputs stand for.
    pub task: Task,
    /// How raw numbers become inputs.
    pub scaling: InputScaling,
}

impl DataRecord {
    /// What keeps this from being read by a network of so many inputs and outputs, in words; `None` where it fits.
    pub fn fault(&self, inputs: usize, outputs: usize) -> Option<String> {
        if self.task.outputs() != outputs {
            return Some(format!("{} names of outputs for {outputs} outputs", self.task.outputs()));
        }
        let sound = |means: &[f32], deviations: &[f32]| {
            means.iter().all(|mean| mean.is_finite())
                && deviations.iter().all(|deviation| deviation.is_finite() && *deviation > 0.0)
        };
        match &self.scaling {
            InputScaling::Uniform { scale } if !(scale.is_finite() && *scale > 0.0) => {
                return Some(format!("an input scale of {scale}, which must be above zero"));
            }
            InputScaling::PerFeature { mean, deviation } => {
                if [mean.len(), deviation.len()] != [inputs; 2] {
                    let found = [mean.len(), deviation.len()];
                    return Some(format!("{found:?} means and deviations for {inputs} inputs"));
                }
                if !sound(mean, deviation) {
                    return Some("a mean that is not finite or a deviation that is not above zero".into());
                }
            }
            InputScaling::Uniform { .. } => {}
        }
        match &self.task.kind {
            Kind::Regression { scaling: TargetScaling { mean, deviation }, .. }
                if [mean.len(), deviation.len()] != [outputs; 2] || !sound(mean, deviation) =>
            {
                Some("a scaling of its targets that does not fit them".into())
            }
            _ => None,
        }
    }
}

impl Dataset {
    /// What to keep beside a network that is trained on this set.
    pub fn record(&self) -> DataRecord {
        DataRecord {
            name: self.name().to_owned(),
            fingerprint: self.fingerprint().to_owned(),
            task: self.task().clone(),
            scaling: self.scaling().clone(),
        }
    }

    /// SHA-256, in hexadecimal, of all that training and testing can depend on: the task, the scaling, and the
    /// sequences and targets of all splits in their order. Neither the set's name nor where it lies is in it.
    pub(super) fn compute_fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let head = postcard::to_stdvec(&(self.task(), self.scaling()));
        hash.update(head.expect("strings, numbers and vectors always encode"));
        for (tag, split) in [(0_u8, Some(self.train())), (1, self.validation()), (2, Some(self.test()))] {
            if let Some(split) = split {
                hash.update([tag]);
                add_split(&mut hash, split);
            }
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Sizes first, so that no two splits give the same bytes.
fn add_split(hash: &mut Sha256, split: &Split) {
    let sequences = split.sequences();
    for size in [sequences.count(), sequences.inputs(), usize::from(split.per_step())] {
        hash.update((size as u64).to_le_bytes());
    }
    for index in 0..sequences.count() {
        hash.update((sequences.length(index) as u64).to_le_bytes());
    }
    match sequences.values() {
        Values::U8(values) => add(hash, 0, values),
        Values::I16(values) => add(hash, 1, values),
        Values::F32(values) => add(hash, 2, values),
    }
    match split.targets() {
        Targets::Labels(labels) => add(hash, 0, labels),
        Targets::Values(values) => {
            hash.update((values.ncols() as u64).to_le_bytes());
            values.rows().into_iter().for_each(|row| add(hash, 2, &row.to_vec()));
        }
    }
}

/// Numbers as they lie in memory: little-endian, for this program runs on no other machine.
fn add<T: bytemuck::NoUninit>(hash: &mut Sha256, tag: u8, numbers: &[T]) {
    hash.update([tag]);
    hash.update(bytemuck::cast_slice::<T, u8>(numbers));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Sequences, Splits};

    /// Two sequences to train on and one to test on.
    fn set(name: &str, train: Values, lengths: &[usize], labels: [u8; 2], scale: f32) -> Dataset {
        let split = |values, lengths: &[usize], labels: &[u8]| {
            let sequences = Sequences::ragged(values, 1, lengths);
            Split::new(sequences, Targets::Labels(labels.into()), false, "x", "y").unwrap()
        };
        let splits = Splits {
            train: split(train, lengths, &labels),
            validation: None,
            test: split(Values::U8(vec![1]), &[1], &[0]),
        };
        Dataset::new(name, Task::classification(["a", "b"]), InputScaling::Uniform { scale }, splits).unwrap()
    }

    #[test]
    fn a_fingerprint_is_of_what_training_sees() {
        let print = |set: Dataset| set.fingerprint().to_owned();
        let bytes = || Values::U8(vec![1, 2, 3, 4]);
        let first = print(set("one", bytes(), &[2, 2], [0, 1], 1.0));
        assert_eq!(first.len(), 64);
        assert_eq!(first, print(set("another", bytes(), &[2, 2], [0, 1], 1.0)), "the name is not in it");
        let others = [
            set("one", Values::U8(vec![1, 2, 3, 5]), &[2, 2], [0, 1], 1.0),
            set("one", Values::I16(vec![1, 2, 3, 4]), &[2, 2], [0, 1], 1.0),
            set("one", bytes(), &[1, 3], [0, 1], 1.0),
            set("one", bytes(), &[2, 2], [1, 0], 1.0),
            set("one", bytes(), &[2, 2], [0, 1], 0.5),
        ];
        let mut prints: Vec<String> = others.into_iter().map(print).collect();
        prints.push(first);
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), 6);
    }

    #[test]
    fn a_record_that_does_not_fit_is_told() {
        let record = set("one", Values::U8(vec![1, 2]), &[1, 1], [0, 1], 1.0).record();
        assert_eq!(record.fault(1, 2), None);
        assert_eq!(record.fault(1, 3).unwrap(), "2 names of outputs for 3 outputs");
        for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            let record = DataRecord { scaling: InputScaling::Uniform { scale }, ..record.clone() };
            assert!(record.fault(1, 2).unwrap().starts_with("an input scale of"));
        }
        let per_feature = |mean, deviation| DataRecord {
            scaling: InputScaling::PerFeature { mean, deviation },
            ..record.clone()
        };
        assert_eq!(per_feature(vec![0.0], vec![1.0]).fault(1, 2), None);
        assert!(per_feature(vec![0.0], vec![1.0]).fault(2, 2).unwrap().contains("[1, 1] means"));
        assert!(per_feature(vec![f32::NAN], vec![1.0]).fault(1, 2).unwrap().contains("not finite"));
        assert!(per_feature(vec![0.0], vec![0.0]).fault(1, 2).unwrap().contains("not above zero"));
        let kind = |deviation| Kind::Regression {
            names: vec!["volts".into()],
            scaling: TargetScaling { mean: vec![0.0], deviation },
        };
        let regression = |deviation| DataRecord {
            task: Task { kind: kind(deviation), per_step: false },
            ..record.clone()
        };
        assert_eq!(regression(vec![1.0]).fault(1, 1), None);
        assert!(regression(vec![1.0, 1.0]).fault(1, 1).unwrap().contains("scaling of its targets"));
        assert!(regression(vec![0.0]).fault(1, 1).unwrap().contains("scaling of its targets"));
    }
}
