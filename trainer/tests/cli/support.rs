//! Runs the program `refrain` as a user does, on sets small enough to train on in no time.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// Rows of a small set's images, pixels of a row, and classes.
pub(crate) const TIMESTEPS: usize = 6;
pub(crate) const INPUTS: usize = 5;
pub(crate) const CLASSES: usize = 3;

/// The program, with an environment in which it finds no MNIST and no network.
pub(crate) fn refrain() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refrain"));
    command.env_remove("REFRAIN_MNIST_DIR");
    for proxy in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(proxy, "http://127.0.0.1:9");
    }
    command
}

/// The JSON object on stdout of a run that must succeed, and which must be all that is there.
pub(crate) fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", stderr(output));
    let value: Value = serde_json::from_slice(&output.stdout).expect("one JSON object on stdout");
    assert!(value.is_object(), "{value}");
    value
}

/// The one sentence of a run that must fail: nothing on stdout, and an error of one line that ends stderr.
pub(crate) fn error(output: &Output) -> String {
    let stderr = stderr(output);
    assert!(matches!(output.status.code(), Some(1 | 2)), "{:?}: {stderr}", output.status);
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    let last = stderr.lines().last().expect("an error");
    let errors = stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert!(last.starts_with("error: ") && errors == 1, "{stderr}");
    for leak in ["panicked", "RUST_BACKTRACE", "Os {", "Error {", "Some(", "Err("] {
        assert!(!stderr.contains(leak), "{stderr}");
    }
    last.to_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The bytes of an idx file.
pub(crate) fn idx(shape: &[usize], elements: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|&size| (size as u32).to_be_bytes()));
    bytes.extend(elements);
    bytes
}

/// Images that are the brighter the higher their class, with noise that depends on nothing but their numbers.
fn images(count: usize) -> (Vec<u8>, Vec<u8>) {
    let labels: Vec<u8> = (0..count).map(|n| (n * 7 % CLASSES) as u8).collect();
    let pixel = |n: usize, place: usize| 90 * labels[n] + ((n * 31 + place * 17) % 40) as u8;
    let size = TIMESTEPS * INPUTS;
    ((0..count * size).map(|k| pixel(k / size, k % size)).collect(), labels)
}

/// Writes a sound small set of 96 training and 30 test images.
pub(crate) fn write_set(folder: &Path) {
    for (half, count) in [("train", 96), ("t10k", 30)] {
        let (pixels, labels) = images(count);
        let shape = [count, TIMESTEPS, INPUTS];
        std::fs::write(folder.join(format!("{half}-images-idx3-ubyte")), idx(&shape, &pixels)).unwrap();
        std::fs::write(folder.join(format!("{half}-labels-idx1-ubyte")), idx(&shape[..1], &labels)).unwrap();
    }
}

/// A folder with a small set in `data`, and room for what commands write.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(bench.data()).unwrap();
        write_set(&bench.data());
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Runs a command line in which `$name` is a path in the folder.
    pub(crate) fn run(&self, line: &str) -> Output {
        self.command(line).output().expect("the program starts")
    }

    /// The command of a [`run`](Self::run), not yet started.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = refrain();
        for word in line.split(' ') {
            match word.strip_prefix('$') {
                Some(name) => command.arg(self.path(name)),
                None => command.arg(word),
            };
        }
        command
    }

    /// Trains a small network into `name.ckpt` and exports it to `name.rfn`.
    pub(crate) fn model(&self, cell: &str, name: &str) {
        let train = self.run(&format!("train {cell} --data $data --units 6 --epochs 3 --out ${name}.ckpt"));
        assert!(train.status.success(), "{}", stderr(&train));
        let export = self.run(&format!("export ${name}.ckpt --data $data --out ${name}.rfn"));
        assert!(export.status.success(), "{}", stderr(&export));
    }
}
