//! Tests of evaluations, on models put together by hand.

use ndarray::{Array2, array};
use refrain::{Numbers, OutputFormat, Samples, Task as OutputTask};

use super::*;
use crate::data::{Sequences, Split, TargetScaling, Targets, Values};
use crate::test_models::{self, OUTPUT_SCALING, PER_SEQUENCE, VALUES_PER_STEP};

fn file() -> ModelFile {
    ModelFile::from_bytes("hand-made.rfn", &test_models::simple_rnn(3, 4, 2)).unwrap()
}

/// A model of floats that gives two values for each timestep.
fn regression() -> ModelFile {
    let bytes = test_models::model([3, 4, 2], Samples::F32, VALUES_PER_STEP);
    ModelFile::from_bytes("values.rfn", &bytes).unwrap()
}

fn bytes(count: usize) -> Values {
    Values::U8((0..count).map(|index| (index * 53 + index / 7) as u8).collect())
}

/// Sequences of these lengths, three features a timestep, labels 0 and 1 in turn.
fn labelled(lengths: &[usize]) -> Split {
    let sequences = Sequences::ragged(bytes(3 * lengths.iter().sum::<usize>()), 3, lengths);
    let labels = (0..lengths.len()).map(|index| (index % 2) as u8).collect();
    Split::new(sequences, Targets::Labels(labels), false, "recordings", "list").unwrap()
}

/// Two values for each timestep, of float sequences of these lengths.
fn valued(lengths: &[usize]) -> Split {
    let timesteps = lengths.iter().sum::<usize>();
    let values = (0..3 * timesteps).map(|index| index as f32 * 1.5 - 40.0).collect();
    let targets = Array2::from_shape_fn((timesteps, 2), |(t, output)| (t % 5 + 20 * output) as f32);
    let sequences = Sequences::ragged(Values::F32(values), 3, lengths);
    Split::new(sequences, Targets::Values(targets), true, "recordings", "values").unwrap()
}

#[test]
fn logits_are_counted_by_label_and_class() {
    let words = [[3, -1], [0, 5], [7, 7], [-9, -8], [1, 0]];
    let logits: Vec<u8> = words.iter().flatten().flat_map(|word: &i32| word.to_le_bytes()).collect();
    let split = labelled(&[1, 2, 1, 3, 1]);
    let int8 = ReadOut { numbers: Numbers::Int8, ..ReadOut::of_model(&file()) };
    let found = Evaluation::new(int8, logits, |_| Vec::new(), split.view());
    assert_eq!(found.answers, Answers::Classes(vec![0, 1, 0, 1, 0]));
    assert_eq!((found.samples, found.scores.answers, found.scores.accuracy), (5, 5, Some(1.0)));

    let task = Task::classification(["a", "b"]);
    let logits = array![[-1.0, 2.5], [-2.0, -1.5], [0.0, -0.0], [1.0, 0.0], [9.0, 8.0]];
    let found = Evaluation::of_network("net.ckpt", &task, &logits, split.view()).unwrap();
    assert_eq!(found.answers, Answers::Classes(vec![1, 1, 0, 0, 0]));
    let scores = found.scores.classes().unwrap();
    assert_eq!(scores.confusion, [[2, 1], [1, 1]]);
    assert_eq!((found.scores.accuracy, scores.macro_f1), (Some(0.6), (2.0 / 3.0 + 0.5) / 2.0));
    assert_eq!(scores.recall, [Some(2.0 / 3.0), Some(0.5)]);
    assert_eq!(found.same_class(&found), Some(1.0));
}

#[test]
fn the_hash_is_sha256_of_the_logits_in_order() {
    let split = labelled(&[1, 1]);
    let read_out = ReadOut { outputs: 2, ..ReadOut::of_model(&file()) };
    let found = Evaluation::new(read_out, b"abcdefghijklmnop".to_vec(), |_| Vec::new(), split.view());
    let expected = "f39dac6cbaba535e2c207cd0cd8f154974223c848f727f98b3564cea569b41cf";
    assert_eq!(found.logits_sha256, expected);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let file = file();
    let lengths: Vec<usize> = (0..97).map(|index| 1 + index * 7 % 11).collect();
    let split = labelled(&lengths);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| evaluate(&file, split.view())).unwrap()
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn each_sequence_is_read_to_its_own_end() {
    let (file, split) = (file(), labelled(&[5, 1, 3]));
    let found = evaluate(&file, split.view()).unwrap();
    for (index, logits) in found.logits.chunks(2 * LOGIT_BYTES).enumerate() {
        let mut alone = [0; 2 * LOGIT_BYTES];
        let sequence = link_bytes(Samples::U8, split.view().sequence(index));
        assert_eq!(sequence.len(), 3 * [5, 1, 3][index]);
        file.model().classify(&sequence, &mut alone).unwrap();
        assert_eq!(logits, alone, "sequence {index}");
    }
}

#[test]
fn values_are_judged_at_every_timestep_and_in_their_units() {
    let (file, split) = (regression(), valued(&[4, 2, 7]));
    let found = evaluate(&file, split.view()).unwrap();
    assert_eq!((found.samples, found.scores.answers, found.scores.accuracy), (3, 13, None));
    assert_eq!(found.logits.len(), 13 * 2 * LOGIT_BYTES);

    // the state goes on within a sequence and begins anew with the next
    let mut alone = vec![0; 2 * LOGIT_BYTES];
    let second = link_bytes(Samples::F32, split.view().sequence(1));
    file.model().classify(&second[..12], &mut alone).unwrap();
    assert_eq!(found.logits[4 * 8..][..8], alone);
    file.model().classify(&second, &mut alone).unwrap();
    assert_eq!(found.logits[5 * 8..][..8], alone);

    let Answers::Values(values) = &found.answers else { panic!("{:?}", found.answers) };
    let [mean, deviation] = OUTPUT_SCALING;
    let (words, _) = found.logits.as_chunks();
    let expected: Vec<f32> = words.iter().map(|&word| mean + deviation * f32::from_le_bytes(word)).collect();
    assert_eq!(values, &expected);

    let errors = (0..13).map(|t| f64::from((values[2 * t] - (t % 5) as f32).abs()));
    let scores = found.scores.values().unwrap();
    assert!((scores.mean_absolute_error[0] - errors.sum::<f64>() / 13.0).abs() < 1e-6);
    assert_eq!([scores.root_mean_squared_error.len(), scores.r2.len()], [2, 2]);
}

#[test]
fn a_network_and_a_model_with_its_outputs_are_judged_alike() {
    let (file, split) = (regression(), valued(&[4, 2, 7]));
    let of_model = evaluate(&file, split.view()).unwrap();
    let (words, _) = of_model.logits.as_chunks();
    let outputs = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
    let outputs = Array2::from_shape_vec((13, 2), outputs).unwrap();
    let [mean, deviation] = OUTPUT_SCALING.map(|scale| vec![scale; 2]);
    let names = vec!["volts".into(), "amperes".into()];
    let kind = Kind::Regression { names, scaling: TargetScaling { mean, deviation } };
    let task = Task { kind, per_step: true };
    let of_network = Evaluation::of_network("net.ckpt", &task, &outputs, split.view()).unwrap();
    assert_eq!(of_network, of_model);
    assert_eq!(of_network.same_class(&of_model), None);
}

#[test]
fn scores_as_json_say_what_they_are_of() {
    let classes = evaluate(&file(), labelled(&[2, 3]).view()).unwrap().scores;
    let json = serde_json::to_value(classes).unwrap();
    assert!(json["accuracy"].is_f64() && json["confusion"].is_array() && json["macro_f1"].is_f64());
    let values = evaluate(&regression(), valued(&[2, 3]).view()).unwrap().scores;
    let json = serde_json::to_value(values).unwrap();
    assert!(json["accuracy"].is_null() && json.get("confusion").is_none());
    assert_eq!((&json["answers"], json["r2"].as_array().unwrap().len()), (&5.into(), 2));
}

#[test]
fn data_that_is_not_the_models_is_refused() {
    let message = |file: &ModelFile, split: &Split| evaluate(file, split.view()).unwrap_err().to_string();
    let wide = Sequences::equal(bytes(2 * 5 * 4), [2, 5, 4]);
    let wide = Split::new(wide, Targets::Labels(vec![0, 1]), false, "images", "labels").unwrap();
    assert_eq!(
        message(&file(), &wide),
        "hand-made.rfn: the model takes rows of 3 features, the data has rows of 4"
    );

    let of_labels = |labels: Vec<u8>, per_step| {
        let sequences = Sequences::ragged(bytes(3 * 3), 3, &[1, 2]);
        Split::new(sequences, Targets::Labels(labels), per_step, "images", "labels").unwrap()
    };
    let every = OutputFormat { steps: Steps::Every, ..PER_SEQUENCE };
    let per_step = test_models::model([3, 4, 2], Samples::U8, every);
    let per_step = ModelFile::from_bytes("steps.rfn", &per_step).unwrap();
    assert_eq!(
        message(&file(), &of_labels(vec![1, 2], false)),
        "sample 1 has label 2, the model's classes are 0 to 1"
    );
    assert_eq!(
        message(&per_step, &of_labels(vec![1, 0, 7], true)),
        "timestep 1 of sample 1 has label 7, the model's classes are 0 to 1"
    );
    assert_eq!(
        message(&file(), &of_labels(vec![1, 0, 1], true)),
        "hand-made.rfn: the model gives one class for each sequence, the data asks for one class for each timestep"
    );
    assert_eq!(
        message(&regression(), &of_labels(vec![1, 0], false)),
        "values.rfn: the model gives 2 values for each timestep, the data asks for one class for each sequence"
    );
    let one = test_models::model([3, 4, 1], Samples::F32, VALUES_PER_STEP);
    let one = ModelFile::from_bytes("one.rfn", &one).unwrap();
    assert_eq!(
        message(&one, &valued(&[1, 2])),
        "one.rfn: the model gives one value for each timestep, the data asks for 2 values for each timestep"
    );
    let empty = evaluate(&file(), labelled(&[1]).view().first(0)).unwrap_err().to_string();
    assert!(empty.contains("no samples"), "{empty}");
    assert_eq!(ReadOut::of_model(&file()).task, OutputTask::Classification);
}
