//! The built-in digits: the same bytes everywhere, and a task that takes learning.

use ndarray::Axis;
use refrain_trainer::data::digits::{self, Part};
use refrain_trainer::data::{Dataset, Images, PIXEL_SCALE, Split};
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
        let drawn = images(split);
        for index in 0..split.count() {
            assert_eq!(image(drawn, index), digits::draw(part, index, 3), "{part:?} {index}");
            assert_eq!(drawn.labels[index], digits::label(index));
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let drawn_by = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
        pool.install(|| digits::dataset(200, 10, 5)).expect("a small set").train().sequences().clone()
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
        let image = image(images(set.train()), index);
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

fn images(split: &Split) -> Images<'_> {
    split.view().images().expect("digits are images")
}

fn image(images: Images<'_>, index: usize) -> &[u8] {
    images.pixels.index_axis_move(Axis(0), index).to_slice().expect("images lie in standard layout")
}

/// The images one after the other, each with its label.
fn labelled(images: Images<'_>) -> impl Iterator<Item = (&[u8], usize)> {
    images.labels.iter().enumerate().map(move |(n, &label)| (image(images, n), label.into()))
}

fn accuracy(test: &Split, classify: impl Fn(&[u8]) -> usize) -> f64 {
    let right = labelled(images(test)).filter(|&(image, label)| classify(image) == label).count();
    right as f64 / test.count() as f64
}

fn greatest(scores: &[f32]) -> usize {
    (0..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
}

fn nearest_centroid(set: &Dataset) -> f64 {
    let mut means = vec![vec![0.0_f32; 784]; CLASSES];
    for (image, label) in labelled(images(set.train())) {
        let mean = &mut means[label];
        let share = (CLASSES as f32) / set.train().count() as f32;
        mean.iter_mut().zip(floats(image)).for_each(|(mean, pixel)| *mean += share * pixel);
    }
    accuracy(set.test(), |image| {
        let image = floats(image);
        let nearness =
            |mean: &Vec<f32>| -mean.iter().zip(&image).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        greatest(&means.iter().map(nearness).collect::<Vec<_>>())
    })
}

fn softmax_regression(set: &Dataset) -> f64 {
    let train: Vec<(Vec<f32>, usize)> =
        labelled(images(set.train())).map(|(image, label)| (floats(image), label)).collect();
    let mut weights = vec![vec![0.0_f32; 785]; CLASSES];
    let logits = |weights: &[Vec<f32>], image: &[f32]| -> Vec<f32> {
        let dot = |row: &Vec<f32>| row[784] + row.iter().zip(image).map(|(w, x)| w * x).sum::<f32>();
        weights.iter().map(dot).collect()
    };
    for epoch in 0..25 {
        let rate = 0.02 / (1.0 + epoch as f32 / 5.0);
        for (image, label) in &train {
            let mut scores = logits(&weights, image);
            let top = scores[greatest(&scores)];
            scores.iter_mut().for_each(|score| *score = (*score - top).exp());
            let sum: f32 = scores.iter().sum();
            for (class, row) in weights.iter_mut().enumerate() {
                let wanted = if class == *label { 1.0 } else { 0.0 };
                let step = rate * (wanted - scores[class] / sum);
                row.iter_mut().zip(image).for_each(|(w, x)| *w += step * x);
                row[784] += step;
            }
        }
    }
    accuracy(set.test(), |image| greatest(&logits(&weights, &floats(image))))
}

fn nearest_neighbour(set: &Dataset) -> f64 {
    let gap = |a: &[u8], b: &[u8]| -> u32 {
        a.iter().zip(b).map(|(&a, &b)| u32::from(a.abs_diff(b)) * u32::from(a.abs_diff(b))).sum()
    };
    accuracy(set.test(), |image| {
        let nearest = labelled(images(set.train())).min_by_key(|&(example, _)| gap(image, example));
        nearest.expect("a training sample").1
    })
}
