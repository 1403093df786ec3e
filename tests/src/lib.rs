//! What whole-system tests share, and the trainer's examples, which one of them runs.

#[path = "../../trainer/examples/battery.rs"]
pub mod battery;
pub mod cycles;
#[path = "../../trainer/examples/gestures.rs"]
pub mod gestures;
pub mod machines;
pub mod panic_free;
mod recordings;
#[path = "../../trainer/examples/vibration.rs"]
pub mod vibration;

use std::path::PathBuf;

use ndarray::{Array3, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use refrain::format::{PAYLOAD_ALIGNMENT, SectionKind};
use refrain::{CellKind, Header, Numbers, Shape, crc32};
use refrain_trainer::data::{self, Dataset, InputScaling, Split, Task, digits};
use refrain_trainer::model_file::ModelFile;
use refrain_trainer::nn::Network;
use refrain_trainer::quantise::{BlankStates, Metadata, export_with};

pub use recordings::{Recordings, per_step, regression};

/// MNIST where `REFRAIN_MNIST_DIR` names its folder, otherwise digits that the program draws; and says which.
///
/// # Panics
/// If the variable names no usable MNIST.
pub fn dataset() -> Dataset {
    match std::env::var_os("REFRAIN_MNIST_DIR") {
        Some(_) => {
            let loaded = data::load(Some(&data::Source::Mnist)).expect("REFRAIN_MNIST_DIR names MNIST");
            eprintln!("on MNIST: {}", loaded.why);
            loaded.dataset
        }
        None => {
            eprintln!("REFRAIN_MNIST_DIR is not set: on digits that the program draws");
            digits::dataset(240, 400, 1).expect("digits of that number")
        }
    }
}

/// The model files that are shipped with the firmware.
///
/// # Panics
/// If one is missing or damaged.
pub fn shipped_models() -> [ModelFile; 3] {
    CellKind::ALL.map(|cell| {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware/models"));
        ModelFile::load(&folder.join(format!("{cell}.rfn"))).expect("the models are part of the repository")
    })
}

/// A model of random weights, as it would come out of training, without states after blank rows.
///
/// # Panics
/// If such a model cannot be exported, which would be an error of the exporter.
pub fn random_model(cell: CellKind, shape: Shape, numbers: Numbers, seed: u64) -> ModelFile {
    random_model_with(BlankStates::Count(0), cell, shape, numbers, seed)
}

/// [`random_model`] with states after blank rows.
///
/// # Panics
/// If such a model cannot be exported, as one of floats with such states.
pub fn random_model_with(
    blank_states: BlankStates,
    cell: CellKind,
    shape: Shape,
    numbers: Numbers,
    seed: u64,
) -> ModelFile {
    let network = random_network(cell, shape, seed);
    let metadata = Metadata {
        name: format!("random {cell}"),
        timesteps: 12,
        scaling: InputScaling::PIXELS,
        task: Task::classification((0..shape.outputs).map(|class| class.to_string())),
    };
    let calibration = unlabelled(random_samples(20, 12, shape.inputs.into(), seed));
    export_with(blank_states, &network, &metadata, numbers, calibration.view())
        .expect("random weights can be exported")
}

/// A model file of the same kind that promises other logits than it gives.
///
/// # Panics
/// If it is none, or without a self-test.
pub fn failing_self_test(file: &[u8]) -> Vec<u8> {
    let (header, length) = Header::read(file).expect("a sound file");
    let mut sections = header.sections.iter();
    let logits =
        sections.find(|section| section.kind == SectionKind::SelfTestLogits).expect("it has a self-test");
    let mut forged = file.to_vec();
    forged[length.next_multiple_of(PAYLOAD_ALIGNMENT) + logits.offset as usize] ^= 1;
    let (body, crc) = forged.split_last_chunk_mut::<4>().expect("it ends in a CRC-32");
    *crc = crc32(body).to_le_bytes();
    forged
}

/// A network of random weights.
pub fn random_network(cell: CellKind, shape: Shape, seed: u64) -> Network {
    let mut network = Network::zeros(cell, shape);
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    for mut parameter in network.parameters_mut() {
        // plain arithmetic, so that the model is the same on every machine; a variance must be positive
        let least = if parameter.name.ends_with("variance") { 0.5 } else { -0.5 };
        parameter.values.mapv_inplace(|_| least + (rng.next_u32() >> 8) as f32 / (1 << 24) as f32);
    }
    network
}

/// Sequences that calibrate a model and need no labels for that.
///
/// # Panics
/// If there are none, or without timesteps or features.
pub fn unlabelled(samples: Array3<u8>) -> Split {
    let labels = vec![0; samples.len_of(Axis(0))];
    Split::of_images(samples, labels, "sequences", "no labels").expect("there are sequences")
}

/// Raw samples `[count, timesteps, inputs]`, none of them blank: no kernel can skip any of them.
pub fn samples_without_zeros(count: usize, timesteps: usize, inputs: usize, seed: u64) -> Array3<u8> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    Array3::from_shape_simple_fn((count, timesteps, inputs), || 128 + (rng.next_u32() >> 25) as u8)
}

/// Raw samples `[count, timesteps, inputs]`, a third of them blank.
pub fn random_samples(count: usize, timesteps: usize, inputs: usize, seed: u64) -> Array3<u8> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    Array3::from_shape_simple_fn((count, timesteps, inputs), || {
        let bits = rng.next_u32();
        if bits.is_multiple_of(3) { 0 } else { (bits >> 8) as u8 }
    })
}
