use ndarray::{Array2, array};

use super::super::page::{Picture, Track};
use super::*;
use crate::data::{InputScaling, Kind, Sequences, Split, Splits, TargetScaling, Targets, Task, Values};

/// A data set whose splits are all the same.
fn dataset(task: Task, scaling: InputScaling, sequences: Sequences, targets: Targets) -> Dataset {
    let split = Split::new(sequences, targets, task.per_step, "recordings", "targets").unwrap();
    let names = (0..split.count()).map(|index| format!("{index}.csv")).collect();
    let split = split.named(names);
    let splits = Splits { train: split.clone(), validation: None, test: split };
    Dataset::new("made up", task, scaling, splits).unwrap()
}

fn classes(per_step: bool) -> Task {
    Task { per_step, ..Task::classification(["a", "b", "c"]) }
}

fn values(per_step: bool) -> Task {
    let scaling = TargetScaling { mean: vec![0.0; 2], deviation: vec![1.0, 100.0] };
    Task { kind: Kind::Regression { names: vec!["x".into(), "y".into()], scaling }, per_step }
}

fn of_classes(dataset: &Dataset, outputs: Outputs<'_>) -> crate::report::ClassResults {
    match results(dataset, dataset.test().view(), outputs) {
        Results::Classes(results) => results,
        Results::Values(_) => panic!("a classification has classes"),
    }
}

fn of_values(dataset: &Dataset, model: &[f32]) -> crate::report::ValueResults {
    match results(dataset, dataset.test().view(), Outputs { model, network: None }) {
        Results::Values(results) => results,
        Results::Classes(_) => panic!("a regression has values"),
    }
}

fn standardised() -> InputScaling {
    InputScaling::PerFeature { mean: vec![10.0, 0.0], deviation: vec![2.0, 1.0] }
}

#[test]
fn the_worst_mistakes_are_those_of_greatest_loss() {
    let sequences = Sequences::equal(Values::U8((0..24).collect()), [4, 3, 2]);
    let labels = Targets::Labels(vec![0, 1, 2, 0]);
    let dataset = dataset(classes(false), InputScaling::PIXELS, sequences, labels);
    // right, a little wrong, right, very wrong
    let model = [3.0, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0, 0.0, 9.0, -5.0, 4.0, 0.0];
    let network = [3.0, 0.0, 0.0, 0.5, 1.0, 0.0, 0.0, 0.0, 9.0, -5.0, 4.0, 0.0];
    let found = of_classes(&dataset, Outputs { model: &model, network: Some(&network) });
    assert_eq!((found.accuracy, found.float_accuracy, found.same_class), (0.5, Some(0.75), Some(0.75)));
    assert_eq!(found.confusion, [[1, 1, 0], [1, 0, 0], [0, 0, 1]]);
    assert_eq!(found.recall, [Some(0.5), Some(0.0), Some(1.0)]);
    assert_eq!(found.mistakes.iter().map(|mistake| mistake.sample).collect::<Vec<_>>(), [3, 1]);
    let worst = &found.mistakes[0];
    assert_eq!(worst.name.as_deref(), Some("3.csv"));
    assert_eq!((worst.truth.as_str(), worst.predicted.as_str()), ("a", "b"));
    let probability = 4f64.exp() / (4f64.exp() + 1.0 + (-5f64).exp());
    assert!((worst.probability.unwrap() - probability).abs() < 1e-9);
    assert_eq!(worst.picture, Picture::Image { width: 2, pixels: (18..24).collect() });
    assert!(found.timelines.is_empty());
}

#[test]
fn timesteps_belong_to_their_sequences() {
    let raw = Values::I16(vec![10, 0, 12, 1, 8, -1, 10, 2, 14, 3]);
    let sequences = Sequences::ragged(raw, 2, &[2, 3]);
    let dataset = dataset(classes(true), standardised(), sequences, Targets::Labels(vec![0, 1, 2, 2, 0]));
    let rows: [[f32; 3]; 5] =
        [[9.0, 0.0, 0.0], [0.0, 9.0, 0.0], [0.0, 9.0, 0.0], [0.0, 0.0, 9.0], [9.0, 0.0, 0.0]];
    let found = of_classes(&dataset, Outputs { model: rows.as_flattened(), network: None });
    assert_eq!((found.accuracy, found.float_accuracy), (0.8, None));
    assert_eq!(found.timelines.iter().map(|timeline| timeline.sample).collect::<Vec<_>>(), [1, 0]);
    let worst = &found.timelines[0];
    assert_eq!(worst.name.as_deref(), Some("1.csv"));
    assert_eq!(worst.track, Track::Classes { truth: vec![2, 2, 0], predicted: vec![1, 2, 0] });
    assert_eq!(worst.picture, Picture::Lines(vec![vec![-1.0, 0.0, 2.0], vec![-1.0, 2.0, 3.0]]));
    assert!(found.mistakes.is_empty());
}

#[test]
fn errors_of_values_are_weighed_by_their_spread() {
    let sequences = Sequences::equal(Values::F32(vec![0.0; 12]), [3, 2, 2]);
    let truth = array![[1.0, 500.0], [2.0, 600.0], [3.0, 700.0]];
    let dataset = dataset(values(false), standardised(), sequences, Targets::Values(truth));
    // off by a tenth of a deviation, by two of the first value, by one of the second
    let found = of_values(&dataset, &[1.1, 500.0, 4.0, 600.0, 3.0, 800.0]);
    assert_eq!(found.mistakes.iter().map(|mistake| mistake.sample).collect::<Vec<_>>(), [1, 2, 0]);
    assert_eq!(
        (found.mistakes[0].truth.as_str(), found.mistakes[0].predicted.as_str()),
        ("2.00, 600", "4.00, 600")
    );
    let [x, y] = &found.outputs[..] else { panic!("two values") };
    assert!((x.mae - 0.7).abs() < 1e-6 && (y.mae - 100.0 / 3.0).abs() < 1e-6, "{found:?}");
    assert_eq!((x.count, x.points.as_slice()), (3, [(1.0, 1.1), (2.0, 4.0), (3.0, 3.0)].as_slice()));
}

#[test]
fn values_of_timesteps_are_lines() {
    let sequences = Sequences::ragged(Values::F32(vec![0.0; 6]), 2, &[1, 2]);
    let truth = array![[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]];
    let dataset = dataset(values(true), standardised(), sequences, Targets::Values(truth));
    let found = of_values(&dataset, &[1.0, 10.0, 2.0, 20.0, 4.0, 30.0]);
    assert_eq!(found.timelines.iter().map(|timeline| timeline.sample).collect::<Vec<_>>(), [1, 0]);
    let expected = Track::Values {
        truth: vec![vec![2.0, 3.0], vec![20.0, 30.0]],
        predicted: vec![vec![2.0, 4.0], vec![20.0, 30.0]],
    };
    assert_eq!(found.timelines[0].track, expected);
}

#[test]
fn many_points_are_thinned_evenly() {
    let count = 10_000;
    let sequences = Sequences::equal(Values::F32(vec![0.5; 2 * count]), [count, 1, 2]);
    let truth = Array2::from_shape_fn((count, 2), |(row, _)| row as f32);
    let model: Vec<f32> = truth.iter().copied().collect();
    let dataset = dataset(values(false), standardised(), sequences, Targets::Values(truth));
    let points = &of_values(&dataset, &model).outputs[1].points;
    assert_eq!((points.len(), points[0]), (1500, (0.0, 0.0)));
    assert!(points.windows(2).all(|pair| (6.0..=7.0).contains(&(pair[1].0 - pair[0].0))));
    assert!(points.last().unwrap().0 > 9_990.0);
}

#[test]
fn many_features_are_grey_values() {
    let sequences = Sequences::equal(Values::F32(vec![0.0; 36]), [2, 2, 9]);
    let scaling = InputScaling::PerFeature { mean: vec![-3.0; 9], deviation: vec![1.0; 9] };
    let dataset = dataset(classes(false), scaling, sequences, Targets::Labels(vec![0, 1]));
    let found = of_classes(&dataset, Outputs { model: &[0.0, 1.0, 0.0, 0.0, 1.0, 0.0], network: None });
    assert_eq!(found.mistakes[0].picture, Picture::Image { width: 9, pixels: vec![255; 18] });
}
