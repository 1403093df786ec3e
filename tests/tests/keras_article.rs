//! The article's three MNIST networks with the weights that Keras trained.
//!
//! `golden/keras_article/*.npz` hold the weights, Keras's logits for the first 256 test images, and its test accuracy. The
//! images are not part of this repository: `REFRAIN_MNIST_DIR` names the folder that has them.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use ndarray::{Array2, Array3, s};
use npyz::npz::NpzArchive;
use refrain::{CellKind, Shape};
use refrain_trainer::nn::Network;
use refrain_trainer::nn::loss::argmax;

const SHAPE: Shape = Shape { inputs: 28, units: 64, outputs: 10 };

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

/// The folder of MNIST's files, if the environment names one.
fn mnist_folder() -> Option<PathBuf> {
    std::env::var_os("REFRAIN_MNIST_DIR").map(PathBuf::from)
}

/// The bytes after the head of a gzipped idx file.
fn idx(path: &Path, head_bytes: usize) -> Vec<u8> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    GzDecoder::new(BufReader::new(file)).read_to_end(&mut bytes).expect("a whole gzip file");
    bytes.split_off(head_bytes)
}

#[test]
fn weights_fit_and_are_as_many_as_in_keras() {
    for (kind, count) in CellKind::ALL.into_iter().zip([6_858, 24_714, 18_954]) {
        let article = Article::read(kind);
        assert_eq!(article.network.parameter_count(), count, "{kind}");
        assert!(article.network.parameters().iter().all(|p| p.values.iter().any(|w| *w != 0.0)), "{kind}");
    }
}

#[test]
fn logits_and_accuracy_on_mnist_agree() {
    let Some(folder) = mnist_folder() else {
        // Not `println!`, which the test harness hides.
        let note = "left out: logits on MNIST, for REFRAIN_MNIST_DIR is not set";
        writeln!(std::io::stderr(), "{note}").expect("a standard error stream");
        return;
    };
    let pixels = idx(&folder.join("t10k-images-idx3-ubyte.gz"), 16);
    let labels = idx(&folder.join("t10k-labels-idx1-ubyte.gz"), 8);
    let pixels = pixels.into_iter().map(|pixel| f32::from(pixel) / 255.0).collect();
    let x = Array3::from_shape_vec((10_000, 28, 28), pixels).expect("10,000 images of 28 x 28");
    for kind in CellKind::ALL {
        let article = Article::read(kind);
        let logits = article.network.infer(x.view());
        for (got, expected) in logits.slice(s![..256, ..]).iter().zip(&article.logits) {
            assert!((got - expected).abs() < 1e-3, "{kind}: logit {got} for {expected}");
        }
        let right = |(row, label): (ndarray::ArrayView1<'_, f32>, &u8)| argmax(row) == usize::from(*label);
        let correct = logits.outer_iter().zip(&labels).filter(|pair| right(*pair)).count();
        let expected = (10_000.0 * article.test_accuracy).round() as usize;
        assert_eq!(correct, expected, "{kind}");
    }
}
