//! The built-in digits: the same bytes everywhere, and a task that takes learning.

use refrain_trainer::data::digits::{self, Part};
use refrain_trainer::data::{Dataset, PIXEL_SCALE, SplitView};
use sha2::{Digest, Sha256};

const CLASSES: usize = 10;

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_first_hundred_samples_never_change() {
    let bytes: Vec<u8> = (0..100).flat_map(|index| digits::draw(Part::Train, index, digits::SEED)).collect();
    assert_eq!(sha256(&bytes), "f08187b97ae3971ed4c0b976927fa1ce3b6d7140406bad1b69f9c05266cd359a");
}

#[test]
fn a_sample_drawn_alone_is_the_one_in_the_set() {
    let set = digits::dataset(60, 20, 3).expect("a small set");
    for (part, split) in [(Part::Train, set.train()), (Part::Test, set.test())] {
        for index in 0..split.count() {
            assert_eq!(split.view().sample(index), digits::draw(part, index, 3), "{part:?} {index}");
            assert_eq!(split.labels()[index], digits::label(index));
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let drawn_by = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
        pool.install(|| digits::dataset(200, 10, 5)).expect("a small set").train().samples().to_owned()
    };
    assert_eq!(drawn_by(1), drawn_by(3));
}

#[test]
fn seeds_parts_and_indices_give_different_samples() {
    let one = digits::draw(Part::Train, 7, 1);
    assert_ne!(one, digits::draw(Part::Train, 17, 1));
    assert_ne!(one, digits::draw(Part::Test, 7, 1));
    assert_ne!(one, digits::draw(Part::Train, 7, 2));
}

#[test]
fn images_are_ink_with_grey_edges_on_an_empty_border() {
    let set = digits::dataset(500, 10, 1).expect("a small set");
    let mut greys = 0;
    for index in 0..500 {
        let image = set.train().view().sample(index);
        let inked = image.iter().filter(|&&pixel| pixel > 0).count();
        assert!((25..=400).contains(&inked), "sample {index} has {inked} inked pixels");
        assert!(image.iter().any(|&pixel| pixel > 150), "sample {index} is faint");
        greys += image.iter().filter(|&&pixel| (30..150).contains(&pixel)).count();
        let bordering = |n: usize| [n / 28, n % 28].iter().any(|&place| place == 0 || place == 27);
        assert!(
            (0..784).filter(|&n| bordering(n)).all(|n| image[n] == 0),
            "sample {index} touches the border"
        );
    }
    assert!(greys > 500 * 20, "{greys} grey pixels in 500 images");
}

#[test]
fn no_sample_is_an_error() {
    let text = digits::dataset(0, 10, 1).expect_err("nothing to train on").to_string();
    assert!(text.starts_with("digits (training): it holds no samples"), "{text}");
}

/// The set is no toy: neither a mean image per digit nor the best plane between digits tells them apart, while the
/// nearest of enough examples mostly does, so the labels are right and shape is what carries them.
#[test]
fn linear_classifiers_do_not_suffice() {
    let set = digits::dataset(4_000, 600, 1).expect("a set");
    let (centroid, linear) = (nearest_centroid(&set), softmax_regression(&set));
    let neighbour = nearest_neighbour(&set);
    println!(
        "nearest centroid {centroid:.3}, softmax regression {linear:.3}, nearest neighbour {neighbour:.3}"
    );
    assert!(centroid < 0.80, "nearest centroid reaches {centroid}");
    assert!(linear < 0.90, "softmax regression reaches {linear}");
    assert!(linear > 0.50, "softmax regression reaches only {linear}");
    assert!(neighbour > linear, "nearest neighbour reaches only {neighbour}");
}

fn floats(image: &[u8]) -> Vec<f32> {
    image.iter().map(|&pixel| f32::from(pixel) * PIXEL_SCALE).collect()
}

fn accuracy(test: SplitView<'_>, classify: impl Fn(&[u8]) -> usize) -> f64 {
    let right =
        (0..test.count()).filter(|&n| classify(test.sample(n)) == usize::from(test.labels()[n])).count();
    right as f64 / test.count() as f64
}

fn greatest(scores: &[f32]) -> usize {
    (0..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
}

fn nearest_centroid(set: &Dataset) -> f64 {
    let train = set.train().view();
    let mut means = vec![vec![0.0_f32; 784]; CLASSES];
    for n in 0..train.count() {
        let mean = &mut means[usize::from(train.labels()[n])];
        let share = (CLASSES as f32) / train.count() as f32;
        mean.iter_mut().zip(floats(train.sample(n))).for_each(|(mean, pixel)| *mean += share * pixel);
    }
    accuracy(set.test().view(), |image| {
        let image = floats(image);
        let nearness =
            |mean: &Vec<f32>| -mean.iter().zip(&image).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        greatest(&means.iter().map(nearness).collect::<Vec<_>>())
    })
}

fn softmax_regression(set: &Dataset) -> f64 {
    let train = set.train().view();
    let images: Vec<Vec<f32>> = (0..train.count()).map(|n| floats(train.sample(n))).collect();
    let mut weights = vec![vec![0.0_f32; 785]; CLASSES];
    let logits = |weights: &[Vec<f32>], image: &[f32]| -> Vec<f32> {
        let dot = |row: &Vec<f32>| row[784] + row.iter().zip(image).map(|(w, x)| w * x).sum::<f32>();
        weights.iter().map(dot).collect()
    };
    for epoch in 0..25 {
        let rate = 0.02 / (1.0 + epoch as f32 / 5.0);
        for (image, &label) in images.iter().zip(train.labels()) {
            let mut scores = logits(&weights, image);
            let top = scores[greatest(&scores)];
            scores.iter_mut().for_each(|score| *score = (*score - top).exp());
            let sum: f32 = scores.iter().sum();
            for (class, row) in weights.iter_mut().enumerate() {
                let wanted = if class == usize::from(label) { 1.0 } else { 0.0 };
                let step = rate * (wanted - scores[class] / sum);
                row.iter_mut().zip(image).for_each(|(w, x)| *w += step * x);
                row[784] += step;
            }
        }
    }
    accuracy(set.test().view(), |image| greatest(&logits(&weights, &floats(image))))
}

fn nearest_neighbour(set: &Dataset) -> f64 {
    let train = set.train().view();
    let gap = |a: &[u8], b: &[u8]| -> u32 {
        a.iter().zip(b).map(|(&a, &b)| u32::from(a.abs_diff(b)) * u32::from(a.abs_diff(b))).sum()
    };
    accuracy(set.test().view(), |image| {
        let nearest =
            (0..train.count()).min_by_key(|&n| gap(image, train.sample(n))).expect("a training sample");
        usize::from(train.labels()[nearest])
    })
}
