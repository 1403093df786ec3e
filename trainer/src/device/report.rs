//! What a board made of a model, beside what the host made of it.

use refrain::{CellKind, Numbers};
use serde::{Serialize, Serializer};

use super::{DeviceError, Outcome};
use crate::evaluate::{Evaluation, LOGIT_BYTES};
use crate::model_file::ModelFile;

/// What came of a run on a board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceReport {
    /// The model's cell.
    #[serde(serialize_with = "as_text")]
    pub cell: CellKind,
    /// What the model computes with.
    #[serde(serialize_with = "as_text")]
    pub numbers: Numbers,
    /// Name of the board.
    pub board: String,
    /// How many samples were classified.
    pub samples: usize,
    /// The part of them, from 0 to 1, that the board classified right.
    pub accuracy: f64,
    /// Whether every logit of the board is the host's, bit for bit.
    pub host_matches: bool,
    /// The first logit that is not, if any.
    pub mismatch: Option<Mismatch>,
    /// SHA-256 of the board's logits in order, four bytes each, little-endian.
    pub logits_sha256: String,
    /// Mean over all samples; `None` where the board cannot count instructions.
    pub instructions_per_inference: Option<u64>,
    /// Flash.
    pub flash_bytes: FlashBytes,
    /// RAM.
    pub ram_bytes: RamBytes,
    /// Over the run without building and booting; with several emulated boards at once, all of them together.
    pub images_per_second: f64,
    /// `memory` or `link`.
    pub via: &'static str,
    /// How often the host had to ask the board again.
    pub retries: u64,
}

/// Flash that the firmware takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FlashBytes {
    /// Everything but the model; `None` where the firmware was not built here.
    pub code: Option<u64>,
    /// The model file.
    pub model: u64,
}

/// RAM that the firmware takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RamBytes {
    /// Variables; `None` where the firmware was not built here.
    #[serde(rename = "static")]
    pub statics: Option<u64>,
    /// The most stack that was used.
    pub stack: u32,
}

/// A logit that differs between board and host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Number of the sample.
    pub sample: usize,
    /// Number of the logit.
    pub logit: usize,
    /// The board's, as the bits of an `i32` in Q16 or of an `f32`.
    pub board: u32,
    /// The host's.
    pub host: u32,
}

fn as_text<S: Serializer>(value: &impl std::fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Compares what a board computed with the host's evaluation of the same samples.
pub(super) fn compare(
    file: &ModelFile,
    outcome: Outcome,
    host: &Evaluation,
    labels: &[u8],
) -> Result<DeviceReport, DeviceError> {
    let model = file.model();
    let (header, outputs) = (model.header(), usize::from(model.header().shape.outputs));
    let board = Evaluation::of_logits(header.numbers, outputs, outcome.logits, labels)?;
    Ok(DeviceReport {
        cell: header.cell,
        numbers: header.numbers,
        board: outcome.board,
        samples: board.samples,
        accuracy: board.accuracy,
        host_matches: board.logits == host.logits,
        mismatch: first_mismatch(&board.logits, &host.logits, outputs),
        logits_sha256: board.logits_sha256,
        instructions_per_inference: outcome.statistics.instructions_per_inference(),
        flash_bytes: FlashBytes {
            code: outcome.firmware.as_ref().map(|firmware| firmware.code_bytes),
            model: file.as_bytes().len() as u64,
        },
        ram_bytes: RamBytes {
            statics: outcome.firmware.as_ref().map(|firmware| firmware.static_ram_bytes),
            stack: outcome.statistics.stack_bytes,
        },
        images_per_second: board.samples as f64 / outcome.seconds,
        via: outcome.via,
        retries: outcome.retries,
    })
}

/// The first logit that is not the same in both.
fn first_mismatch(board: &[u8], host: &[u8], outputs: usize) -> Option<Mismatch> {
    let (board, _) = board.as_chunks::<LOGIT_BYTES>();
    let (host, _) = host.as_chunks::<LOGIT_BYTES>();
    let index = board.iter().zip(host).position(|(board, host)| board != host)?;
    let bits = |logits: &[[u8; 4]]| u32::from_le_bytes(logits[index]);
    Some(Mismatch { sample: index / outputs, logit: index % outputs, board: bits(board), host: bits(host) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::evaluate;
    use crate::test_models;
    use ndarray::Array3;
    use refrain::link::Statistics;

    fn report(change: impl Fn(&mut Vec<u8>)) -> DeviceReport {
        let bytes = test_models::simple_rnn(3, 4, 2);
        let file = ModelFile::from_bytes("hand-made.rfn", &bytes).unwrap();
        let samples = Array3::from_shape_fn((6, 5, 3), |(n, t, i)| (n * 53 + t * 17 + i * 91) as u8);
        let labels = [0, 1, 0, 1, 0, 1];
        let host = evaluate(&file, samples.view(), &labels).unwrap();
        let mut logits = host.logits.clone();
        change(&mut logits);
        let outcome = Outcome {
            board: "fake".into(),
            logits,
            statistics: Statistics { stack_bytes: 900, ..Statistics::default() },
            retries: 3,
            seconds: 2.0,
            via: "link",
            firmware: None,
        };
        compare(&file, outcome, &host, &labels).unwrap()
    }

    #[test]
    fn equal_logits_match() {
        let report = report(|_| {});
        assert!(report.host_matches && report.mismatch.is_none());
        assert_eq!((report.samples, report.images_per_second), (6, 3.0));
    }

    #[test]
    fn one_bit_of_one_logit_is_a_mismatch_that_is_named() {
        let changed = report(|logits| logits[4 * (2 * 3 + 1)] ^= 1);
        assert!(!changed.host_matches);
        let found = changed.mismatch.unwrap();
        assert_eq!((found.sample, found.logit, found.board ^ found.host), (3, 1, 1));
        assert_ne!(changed.logits_sha256, report(|_| {}).logits_sha256);
    }

    #[test]
    fn the_report_has_the_names_that_scripts_read() {
        let json = serde_json::to_value(report(|_| {})).unwrap();
        assert_eq!(json["cell"], "simple-rnn");
        assert_eq!(json["ram_bytes"], serde_json::json!({ "static": null, "stack": 900 }));
        assert!(json["flash_bytes"]["code"].is_null() && json["flash_bytes"]["model"].is_u64());
        assert_eq!(json["host_matches"], true);
    }
}
