//! The example data that the program makes: the same files every time, and tasks that take learning.

use std::fs;
use std::path::{Path, PathBuf};

use refrain_trainer::data::synthetic::Example;
use refrain_trainer::data::{Dataset, Split, TargetsView, read};
use sha2::{Digest, Sha256};

fn written(example: Example, seed: u64) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(example.name());
    example.write(&path, seed).expect("a folder of ours");
    (folder, path)
}

fn dataset(example: Example) -> Dataset {
    let (_folder, path) = written(example, 1);
    read(&path).expect("sound data").dataset
}

/// All files below a folder, or the file itself, in the order of their names.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.into()];
    }
    let mut paths: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| files(path)).collect()
}

/// SHA-256 of the names and contents of all files, but for the archive around arrays.
fn sha256(path: &Path) -> String {
    let mut hash = Sha256::new();
    for file in files(path) {
        hash.update(file.strip_prefix(path).unwrap().to_string_lossy().as_bytes());
        hash.update(fs::read(&file).unwrap());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The raw numbers of a sequence, feature by feature.
fn features(split: &Split, index: usize) -> Vec<Vec<f32>> {
    let (raw, inputs) = (split.view().sequence(index), split.inputs());
    (0..inputs).map(|feature| (feature..raw.len()).step_by(inputs).map(|at| raw.get(at)).collect()).collect()
}

#[test]
fn one_seed_gives_one_set() {
    for example in Example::ALL {
        let [first, again, other] = [1, 1, 2].map(|seed| sha256(&written(example, seed).1));
        assert_eq!(first, again, "{example}");
        assert_ne!(first, other, "{example}");
    }
}

#[test]
fn the_first_recordings_never_change() {
    let (_folder, path) = written(Example::Gestures, 1);
    assert_eq!(sha256(&path), "67ba50d9b85e3fef4367fe74eb92afe512932f3b3149e2027a57fed65102dc10");
    let sums = [Example::Battery, Example::Vibration].map(|example| {
        let set = dataset(example);
        let mut hash = Sha256::new();
        for index in 0..set.train().count() {
            features(set.train(), index).concat().iter().for_each(|number| hash.update(number.to_le_bytes()));
        }
        hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    });
    assert_eq!(sums, ["1be23a03db30ef33", "fc46f7847c103992"]);
}

#[test]
fn gestures_have_different_lengths_and_unbalanced_classes() {
    let set = dataset(Example::Gestures);
    let counts = [set.train(), set.validation().unwrap(), set.test()].map(Split::count);
    assert_eq!(counts.iter().sum::<usize>(), 600);
    assert_eq!((set.classes().len(), set.inputs(), set.task().per_step), (6, 3, false));
    let lengths: Vec<usize> =
        (0..set.train().count()).map(|index| set.train().view().length(index)).collect();
    assert!(lengths.iter().min() < Some(&45) && lengths.iter().max() > Some(&70), "{lengths:?}");
    let counts = set.class_counts();
    assert!(counts.iter().max().unwrap() > &(3 * counts.iter().min().unwrap()), "{counts:?}");
}

/// What a recording looks like whatever the order of its timesteps, told apart by the nearest example: directions of
/// circles and flicks cannot be.
#[test]
fn gestures_take_more_than_statistics() {
    let set = dataset(Example::Gestures);
    let statistics = |split: &Split, index| -> Vec<f32> {
        let each = |values: Vec<f32>| {
            let count = values.len() as f32;
            let mean = values.iter().sum::<f32>() / count;
            let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt();
            let most = values.iter().fold(f32::MIN, |most, &value| most.max(value));
            [deviation, mean, most]
        };
        features(split, index).into_iter().flat_map(each).collect()
    };
    let train: Vec<_> = (0..set.train().count()).map(|index| statistics(set.train(), index)).collect();
    let labels = [set.train(), set.test()].map(|split| split.labels().expect("labels"));
    let gap = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
    let right = (0..set.test().count()).filter(|&index| {
        let own = statistics(set.test(), index);
        let nearest = (0..train.len()).min_by(|&a, &b| gap(&train[a], &own).total_cmp(&gap(&train[b], &own)));
        labels[0][nearest.unwrap()] == labels[1][index]
    });
    let accuracy = right.count() as f64 / set.test().count() as f64;
    assert!((0.3..0.85).contains(&accuracy), "the nearest by statistics is right in {accuracy}");
}

#[test]
fn a_battery_takes_more_than_its_last_voltage() {
    let set = dataset(Example::Battery);
    assert_eq!(
        (set.inputs(), set.timesteps(), set.task().output_names()),
        (2, 60, &["charge".into(), "resistance".into()][..])
    );
    let points: Vec<(f64, f64)> = (0..set.train().count())
        .map(|index| {
            let TargetsView::Values(values) = set.train().view().target(index) else { panic!("labels") };
            let volts = *features(set.train(), index)[0].last().unwrap();
            (volts.into(), values[[0, 0]].into())
        })
        .collect();
    let count = points.len() as f64;
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(&|p| p.0), mean(&|p| p.1));
    let (xx, yy) = (mean(&|p| (p.0 - x).powi(2)), mean(&|p| (p.1 - y).powi(2)));
    let xy = mean(&|p| (p.0 - x) * (p.1 - y));
    let explained = xy * xy / (xx * yy);
    assert!((0.2..0.85).contains(&explained), "the last voltage explains {explained} of the charge");
    assert!((10.0..25.0).contains(&yy.sqrt()), "the charge varies by {}", yy.sqrt());
}

#[test]
fn no_threshold_tells_an_anomaly() {
    let set = dataset(Example::Vibration);
    assert_eq!((set.inputs(), set.timesteps(), set.task().per_step), (2, 100, true));
    assert_eq!(set.classes(), ["normal", "anomaly"]);
    let labels = set.test().labels().expect("labels");
    let share = labels.iter().filter(|&&label| label == 1).count() as f64 / labels.len() as f64;
    assert!((0.1..0.3).contains(&share), "{share}");
    let strengths: Vec<f32> = (0..set.test().count())
        .flat_map(|index| {
            let [radial, axial] = &features(set.test(), index)[..] else { panic!("two axes") };
            radial.iter().zip(axial).map(|(a, b)| a.abs().max(b.abs())).collect::<Vec<_>>()
        })
        .collect();
    let best = (0..40).map(|step| {
        let threshold = 50.0 * step as f32;
        let right = strengths
            .iter()
            .zip(labels)
            .filter(|(strength, label)| (**strength > threshold) == (**label == 1));
        right.count() as f64 / labels.len() as f64
    });
    let best = best.fold(0.0, f64::max);
    assert!(best < 1.0 - 0.9 * share, "a threshold is right in {best}, with {share} anomalies");
}

#[test]
fn nothing_that_is_there_is_overwritten_by_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine"), "").unwrap();
    let text = Example::Gestures.write(folder.path(), 1).expect_err("a file is there").to_string();
    assert!(text.contains("something is there already"), "{text}");
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    Example::Gestures.write(&empty, 1).expect("an empty folder may be filled");
    let nowhere = folder.path().join("nowhere").join("deep");
    for example in Example::ALL {
        let text = example.write(&nowhere, 1).expect_err("no such folder").to_string();
        assert!(text.starts_with(&nowhere.display().to_string()), "{text}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing temporary is left");
    assert!("robots".parse::<Example>().unwrap_err().to_string().contains("gestures, battery and vibration"));
}
