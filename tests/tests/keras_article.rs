//! The article's three MNIST networks with the weights that Keras trained.
//!
//! `golden/keras_article/*.npz` hold the weights, Keras's logits for the first 256 test images, and its test accuracy. The
//! images are not part of this repository: `REFRAIN_MNIST_DIR` names the folder that has them.

use std::io::Write;
use std::path::Path;

use ndarray::{Array2, s};
use npyz::npz::NpzArchive;
use refrain::{CellKind, Numbers, Shape};
use refrain_trainer::data::{Dataset, InputScaling, Task};
use refrain_trainer::evaluate::evaluate;
use refrain_trainer::nn::Network;
use refrain_trainer::nn::loss::argmax;
use refrain_trainer::quantise::{Metadata, export};

const SHAPE: Shape = Shape { inputs: 28, units: 64, outputs: 10, layers: 1 };

/// What an npz file holds.
struct Article {
    network: Network,
    /// `[256, 10]`
    logits: Array2<f32>,
    test_accuracy: f32,
}

impl Article {
    fn read(kind: CellKind) -> Self {
        let file = format!("golden/keras_article/{}.npz", kind.name().replace('-', "_"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let mut archive = NpzArchive::open(path).expect("the golden file is there");
        let mut read = |name: &str| {
            let array = archive.by_name(name).expect("a sound npz").expect("an array of that name");
            let shape: Vec<usize> = array.shape().iter().map(|n| *n as usize).collect();
            (shape, array.into_vec::<f32>().expect("f32"))
        };
        let mut network = Network::zeros(kind, SHAPE);
        for mut parameter in network.parameters_mut() {
            let (shape, values) = read(parameter.name);
            assert_eq!(shape, parameter.values.shape(), "{kind} {}", parameter.name);
            parameter.values.iter_mut().zip(values).for_each(|(to, from)| *to = from);
        }
        let logits = Array2::from_shape_vec((256, 10), read("logits").1).expect("256 rows of logits");
        Self { network, logits, test_accuracy: read("test_accuracy").1[0] }
    }
}

#[test]
fn weights_fit_and_are_as_many_as_in_keras() {
    for (kind, count) in CellKind::ALL.into_iter().zip([6_858, 24_714, 18_954]) {
        let article = Article::read(kind);
        assert_eq!(article.network.parameter_count(), count, "{kind}");
        assert!(article.network.parameters().iter().all(|p| p.values.iter().any(|w| *w != 0.0)), "{kind}");
    }
}

/// MNIST, if the environment says where it is.
fn mnist() -> Option<Dataset> {
    if std::env::var_os("REFRAIN_MNIST_DIR").is_none() {
        // Not `println!`, which the test harness hides.
        let note = "left out: the article's networks on MNIST, for REFRAIN_MNIST_DIR is not set";
        writeln!(std::io::stderr(), "{note}").expect("a standard error stream");
        return None;
    }
    Some(refrain_tests::dataset())
}

#[test]
fn logits_and_accuracy_on_mnist_agree() {
    let Some(dataset) = mnist() else { return };
    let test = dataset.test().view().images().expect("MNIST is images");
    let x = test.pixels.mapv(|pixel| f32::from(pixel) / 255.0);
    for kind in CellKind::ALL {
        let article = Article::read(kind);
        let logits = article.network.infer(x.view());
        for (got, expected) in logits.slice(s![..256, ..]).iter().zip(&article.logits) {
            assert!((got - expected).abs() < 1e-3, "{kind}: logit {got} for {expected}");
        }
        let right = |(row, label): (ndarray::ArrayView1<'_, f32>, &u8)| argmax(row) == usize::from(*label);
        let correct = logits.outer_iter().zip(test.labels).filter(|pair| right(*pair)).count();
        let expected = (10_000.0 * article.test_accuracy).round() as usize;
        assert_eq!(correct, expected, "{kind}");
    }
}

#[test]
fn quantisation_costs_at_most_fifteen_images_in_ten_thousand() {
    let Some(dataset) = mnist() else { return };
    for kind in CellKind::ALL {
        let article = Article::read(kind);
        let metadata = Metadata {
            name: format!("article {kind}"),
            timesteps: 28,
            scaling: InputScaling::PIXELS,
            task: Task::classification(dataset.classes().iter().cloned()),
        };
        let calibration = dataset.train().view().first(2000);
        let file = export(&article.network, &metadata, Numbers::Int8, calibration)
            .expect("Keras's networks can be exported");
        let found = evaluate(&file, dataset.test().view()).expect("MNIST fits the networks");
        let accuracy = found.scores.accuracy.expect("a classification");
        let keras = f64::from(article.test_accuracy);
        println!("{kind}: Keras, f32 {:.2} %; int8 {:.2} %", 100.0 * keras, 100.0 * accuracy);
        assert!(accuracy >= keras - 0.0015, "{kind}: {} in Keras, {} in int8", keras, accuracy);
    }
}
