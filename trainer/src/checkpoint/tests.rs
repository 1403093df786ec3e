//! What a checkpoint keeps, and every way in which a file can be spoilt.

use super::*;
use crate::data::{InputScaling, Task};
use crate::nn::{Algorithm, Optimizer};
use crate::train::{Epoch, Hyperparameters, Score};

const HYPERPARAMETERS: Hyperparameters =
    Hyperparameters { batch: 64, learning_rate: 0.5, dropout: 0.25, class_weights: true };

fn checkpoint(cell: CellKind) -> Checkpoint {
    Checkpoint {
        network: Network::new(cell, Shape { inputs: 2, units: 2, outputs: 3, layers: 1 }, 9),
        seed: 9,
        recipe: "article".into(),
        hyperparameters: HYPERPARAMETERS,
        epochs: 4,
        timesteps: 9,
        data: DataRecord {
            name: "steps".into(),
            fingerprint: "00ff".into(),
            task: Task::classification(["rest", "walk", "run"]),
            scaling: InputScaling::PIXELS,
        },
    }
}

/// The tensors of a body that has some.
fn tensors(body: &mut Body) -> &mut Vec<Tensor> {
    let Weights::Network(tensors) = &mut body.weights else { panic!("a state") };
    tensors
}

/// The fault of a whole file with a right checksum whose body was changed by `spoil`.
fn fault_of(spoil: impl Fn(&mut Body)) -> Fault {
    let checkpoint = checkpoint(CellKind::Gru);
    let mut body = checkpoint.body(Weights::Network(named(&checkpoint.network)));
    spoil(&mut body);
    Checkpoint::from_bytes(&body.to_bytes()).unwrap_err()
}

#[test]
fn a_file_holds_all_of_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    for cell in CellKind::ALL {
        let path = folder.path().join("model.ckpt");
        checkpoint(cell).save(&path).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap(), checkpoint(cell));
        assert_eq!(std::fs::read(&path).unwrap(), checkpoint(cell).to_bytes(), "equal runs make equal files");
    }
}

#[test]
fn the_layout_is_the_documented_one() {
    let bytes = checkpoint(CellKind::SimpleRnn).to_bytes();
    let end = bytes.len() - 4;
    assert_eq!(bytes[..12], *b"REFRCKPT\x03\0\0\0");
    assert_eq!(bytes[12..20], (bytes.len() as u64 - 24).to_le_bytes());
    // cell, inputs, units, outputs, layers, seed, recipe; batch, learning rate, dropout, class weights
    assert_eq!(bytes[20..34], *b"\x00\x02\x02\x03\x01\x09\x07article");
    assert_eq!(bytes[34..44], *b"\x40\0\0\0\x3f\0\0\x80\x3e\x01");
    assert_eq!(bytes[end..], CRC.checksum(&bytes[..end]).to_le_bytes());
}

#[test]
fn every_flipped_bit_is_noticed() {
    let whole = checkpoint(CellKind::Lstm).to_bytes();
    for bit in 0..8 * whole.len() {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let fault = Checkpoint::from_bytes(&bytes).unwrap_err();
        let right = match bit / 8 {
            0..8 => fault == Fault::Magic,
            8..12 => matches!(fault, Fault::Version { .. }),
            12..20 => matches!(fault, Fault::Length { .. }),
            _ => matches!(fault, Fault::Checksum { .. }),
        };
        assert!(right, "bit {bit}: {fault}");
    }
}

#[test]
fn every_cut_is_noticed() {
    let whole = checkpoint(CellKind::Lstm).to_bytes();
    for length in 0..whole.len() {
        let fault = Checkpoint::from_bytes(&whole[..length]).unwrap_err();
        assert!(matches!(fault, Fault::Length { .. }), "{length} bytes: {fault}");
    }
    let longer = [whole.as_slice(), &[0]].concat();
    assert!(matches!(Checkpoint::from_bytes(&longer), Err(Fault::Length { .. })));
}

#[test]
fn another_kind_of_file_is_refused() {
    assert_eq!(Checkpoint::from_bytes(b"\x1f\x8b\x08 and so on"), Err(Fault::Magic));
    assert_eq!(Checkpoint::from_bytes(b"no"), Err(Fault::Magic));
}

#[test]
fn weights_that_are_not_finite_are_refused() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let fault = fault_of(|body| tensors(body)[1].values[5] = value);
        let Fault::NotFinite { tensor, element: 5, .. } = fault else { panic!("{fault}") };
        assert_eq!(tensor, "cell/recurrent_kernel");
    }
}

#[test]
fn tensors_of_another_network_are_refused() {
    let spoils: [fn(&mut Body); 6] = [
        |body| body.cell = CellKind::Lstm,
        |body| body.shape.units = 3,
        |body| tensors(body)[2].shape = vec![12],
        |body| tensors(body)[0].name = "cell/other".into(),
        |body| tensors(body)[8].values.truncate(2),
        |body| tensors(body).truncate(8),
    ];
    for (index, spoil) in spoils.into_iter().enumerate() {
        assert!(matches!(fault_of(spoil), Fault::Tensor { .. }), "spoil {index}");
    }
}

#[test]
fn impossible_sizes_are_refused() {
    let spoils: [fn(&mut Body); 4] = [
        |body| body.shape.inputs = 0,
        |body| body.shape.units = 0,
        |body| body.shape.units = u16::MAX,
        |body| body.shape.outputs = 257,
    ];
    for spoil in spoils {
        assert!(matches!(fault_of(spoil), Fault::Shape(_)));
    }
}

#[test]
fn what_does_not_fit_the_network_is_refused() {
    let fault = fault_of(|body| body.data.scaling = InputScaling::Uniform { scale: 0.0 });
    assert_eq!(fault, Fault::Data("an input scale of 0, which must be above zero".into()));
    let fault = fault_of(|body| body.data.task = Task::classification(["rest", "walk"]));
    assert_eq!(fault, Fault::Data("2 names of outputs for 3 outputs".into()));
}

#[test]
fn a_body_of_another_make_is_refused() {
    let mut bytes = checkpoint(CellKind::Gru).to_bytes();
    bytes.truncate(bytes.len() - CRC_BYTES);
    // There is no cell of that number.
    bytes[HEAD_BYTES] = 7;
    bytes.extend(CRC.checksum(&bytes).to_le_bytes());
    assert!(matches!(Checkpoint::from_bytes(&bytes), Err(Fault::Body(_))));
}

#[test]
fn hyperparameters_that_nothing_is_trained_with_are_refused() {
    for hyperparameters in [
        Hyperparameters { batch: 0, ..HYPERPARAMETERS },
        Hyperparameters { learning_rate: f32::NAN, ..HYPERPARAMETERS },
        Hyperparameters { learning_rate: 0.0, ..HYPERPARAMETERS },
        Hyperparameters { dropout: 1.0, ..HYPERPARAMETERS },
    ] {
        let fault = fault_of(|body| body.hyperparameters = hyperparameters);
        assert!(matches!(fault, Fault::Hyperparameters(_)), "{fault}");
    }
}

#[test]
fn errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.ckpt");
    let message = Checkpoint::load(&path).unwrap_err().to_string();
    assert!(message.starts_with("cannot read the checkpoint") && message.contains("model.ckpt"), "{message}");

    std::fs::write(&path, b"REFRCKPT\x01\0\0\0").unwrap();
    let message = Checkpoint::load(&path).unwrap_err().to_string();
    assert!(message.contains("model.ckpt") && message.contains("format version 1"), "{message}");

    let missing = folder.path().join("none/model.ckpt");
    let message = checkpoint(CellKind::Gru).save(&missing).unwrap_err().to_string();
    assert!(message.starts_with("cannot write the checkpoint") && message.contains("none"), "{message}");
}

/// A run after an epoch.
fn resumable() -> Resumable {
    let checkpoint = Checkpoint { epochs: 1, ..checkpoint(CellKind::Gru) };
    let score = Score { loss: 0.5, accuracy: Some(0.25), ..Score::default() };
    let mut state = TrainingState::new(checkpoint.network.clone(), Optimizer::new(Algorithm::ADAM));
    state.history.push(Epoch::new(1, &score, &score));
    Resumable { checkpoint, state }
}

#[test]
fn a_run_can_go_on_from_a_file_and_the_file_is_a_checkpoint_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("epoch-0001.ckpt");
    let run = resumable();
    run.save(&path).unwrap();
    assert_eq!(Resumable::load(&path).unwrap(), run);
    assert_eq!(Checkpoint::load(&path).unwrap(), run.checkpoint);
    assert_eq!(Resumable::from_bytes(&run.checkpoint.to_bytes()), Err(Fault::NoState));
}

#[test]
fn a_state_that_does_not_belong_to_its_checkpoint_is_refused() {
    let fault = |spoil: fn(&mut Resumable)| {
        let mut run = resumable();
        spoil(&mut run);
        Resumable::from_bytes(&run.to_bytes()).unwrap_err()
    };
    assert!(matches!(
        fault(|run| run.checkpoint.epochs = 2),
        Fault::State { epochs: 2, found_epochs: 1, .. }
    ));
    let other = fault(|run| run.state.network = checkpoint(CellKind::Lstm).network);
    assert!(
        other.to_string().contains("of a network of gru, ") && other.to_string().contains("of lstm, "),
        "{other}"
    );
    let spoilt = fault(|run| run.state.network.dense.bias[1] = f32::NAN);
    assert!(matches!(spoilt, Fault::NotFinite { element: 1, .. }), "{spoilt}");
    assert!(matches!(fault(|run| run.state.history.clear()), Fault::State { found_epochs: 0, .. }));
}
