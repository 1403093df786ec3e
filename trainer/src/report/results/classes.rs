//! Results of a classification.

use super::super::page::{ClassResults, Mistake, Timeline, Track};
use super::pictures::picture;
use super::{MISTAKES, Outputs, TIMELINES, starts, worst};
use crate::data::{Dataset, SplitView};
use crate::metrics::Confusion;

/// What one answer's logits say.
struct Answer {
    class: u8,
    /// The probability of that class.
    probability: f64,
    /// The cross-entropy with the label.
    loss: f64,
}

impl Answer {
    fn new(logits: &[f32], label: u8) -> Self {
        let class = refrain::argmax(logits);
        let greatest = f64::from(logits[class]);
        let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - greatest).exp()).sum();
        let log_probability = |class: usize| f64::from(logits[class]) - greatest - sum.ln();
        Self {
            class: u8::try_from(class).expect("there are 256 classes at most"),
            probability: log_probability(class).exp(),
            loss: -log_probability(label.into()),
        }
    }
}

pub(super) fn results(
    dataset: &Dataset,
    samples: SplitView<'_>,
    labels: &[u8],
    outputs: Outputs<'_>,
) -> ClassResults {
    let classes = dataset.outputs();
    let answers = answers(outputs.model, labels, classes);
    let confusion = confusion(&answers, labels, classes);
    let network = outputs.network.map(|logits| self::answers(logits, labels, classes));
    let same = network.as_ref().map(|network| {
        let same = answers.iter().zip(network).filter(|(ours, theirs)| ours.class == theirs.class).count();
        same as f64 / labels.len().max(1) as f64
    });
    let parts = Parts { dataset, samples, labels, answers: &answers };
    ClassResults {
        accuracy: confusion.accuracy(),
        float_accuracy: network.map(|network| self::confusion(&network, labels, classes).accuracy()),
        same_class: same,
        macro_f1: confusion.macro_f1(),
        confusion: confusion.counts().outer_iter().map(|row| row.to_vec()).collect(),
        recall: confusion.recall(),
        precision: confusion.precision(),
        mistakes: if samples.per_step() { Vec::new() } else { parts.mistakes() },
        timelines: if samples.per_step() { parts.timelines() } else { Vec::new() },
    }
}

fn answers(logits: &[f32], labels: &[u8], classes: usize) -> Vec<Answer> {
    assert_eq!(logits.len(), labels.len() * classes, "logits of these samples");
    logits.chunks_exact(classes).zip(labels).map(|(logits, &label)| Answer::new(logits, label)).collect()
}

fn confusion(answers: &[Answer], labels: &[u8], classes: usize) -> Confusion {
    let mut confusion = Confusion::new(classes);
    for (answer, &label) in answers.iter().zip(labels) {
        confusion.add(label.into(), answer.class.into());
    }
    confusion
}

/// What pictures are made of.
struct Parts<'a> {
    dataset: &'a Dataset,
    samples: SplitView<'a>,
    labels: &'a [u8],
    answers: &'a [Answer],
}

impl Parts<'_> {
    /// The sequences of greatest loss among those that were classified wrongly.
    fn mistakes(&self) -> Vec<Mistake> {
        let wrong: Vec<usize> = (0..self.answers.len())
            .filter(|&index| self.answers[index].class != self.labels[index])
            .collect();
        let losses: Vec<f64> = wrong.iter().map(|&index| self.answers[index].loss).collect();
        let name = |class: u8| self.dataset.classes()[usize::from(class)].clone();
        let mistake = |place: usize| {
            let sample = wrong[place];
            Mistake {
                sample,
                name: self.samples.name(sample).map(str::to_owned),
                picture: picture(self.dataset, self.samples, sample),
                truth: name(self.labels[sample]),
                predicted: name(self.answers[sample].class),
                probability: Some(self.answers[sample].probability),
            }
        };
        worst(&losses, MISTAKES).into_iter().map(mistake).collect()
    }

    /// The sequences of greatest mean loss.
    fn timelines(&self) -> Vec<Timeline> {
        let starts = starts(self.samples);
        let range = |sample: usize| starts[sample]..starts[sample + 1];
        let mean_loss = |sample| {
            let answers = &self.answers[range(sample)];
            answers.iter().map(|answer| answer.loss).sum::<f64>() / answers.len().max(1) as f64
        };
        let losses: Vec<f64> = (0..self.samples.count()).map(mean_loss).collect();
        let timeline = |sample: usize| Timeline {
            sample,
            name: self.samples.name(sample).map(str::to_owned),
            picture: picture(self.dataset, self.samples, sample),
            track: Track::Classes {
                truth: self.labels[range(sample)].to_vec(),
                predicted: self.answers[range(sample)].iter().map(|answer| answer.class).collect(),
            },
        };
        worst(&losses, TIMELINES).into_iter().map(timeline).collect()
    }
}
