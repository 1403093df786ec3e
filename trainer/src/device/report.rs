//! What a board made of a model, beside what the host made of it.

use refrain::{CellKind, Numbers};
use serde::{Serialize, Serializer};

use super::{DeviceError, Outcome};
use crate::data::SplitView;
use crate::evaluate::{Evaluation, LOGIT_BYTES, ReadOut, Scores, evaluate};
use crate::link::LineRate;
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
    /// How many sequences the board was given.
    pub samples: usize,
    /// How good its answers are.
    #[serde(flatten)]
    pub scores: Scores,
    /// Whether every logit of the board is the host's, bit for bit.
    pub host_matches: bool,
    /// The first logit that is not, if any.
    pub mismatch: Option<Mismatch>,
    /// SHA-256 of the board's logits in order, four bytes each, little-endian.
    pub logits_sha256: String,
    /// For a whole sequence, the mean over all samples; `None` where the board cannot count instructions.
    pub instructions_per_inference: Option<u64>,
    /// For a timestep and its part of the answers, the mean over all timesteps; `None` likewise.
    pub instructions_per_timestep: Option<u64>,
    /// Ticks of the board's clock, the mean over all samples: cycles where that counts them, as a b-l475e-iot01a does on
    /// silicon. `None` where none were counted.
    pub ticks_per_inference: Option<u64>,
    /// Flash.
    pub flash_bytes: FlashBytes,
    /// RAM.
    pub ram_bytes: RamBytes,
    /// Over the run without building and booting; with several emulated boards at once, all of them together.
    pub samples_per_second: f64,
    /// `memory`, `link` or `sequences`.
    pub via: &'static str,
    /// What the line has carried; `None` where the samples were in the board's memory.
    pub line: Option<LineRate>,
    /// How often the host had to ask the board again.
    pub retries: u64,
    /// Bytes that the board has lost since it started: they came while it had no room.
    pub lost_bytes: u32,
    /// Why the board started again in the course of the run, the last time that it did; `None` where it did not. What it
    /// counts begins anew with each start.
    pub started_again: Option<String>,
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
    /// Of that, what an inference takes: its own calls, from the first row to the logits. `None` where it was not measured,
    /// as it is only where the samples came in the board's memory.
    pub inference_stack: Option<u32>,
}

/// A logit that differs between board and host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Number of the sample.
    pub sample: usize,
    /// Number of the timestep in it, where each is answered.
    pub timestep: Option<usize>,
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

/// What a board computed, judged by itself and beside the host.
pub(super) struct Judged {
    pub(super) report: DeviceReport,
    pub(super) board: Evaluation,
    pub(super) host: Evaluation,
}

/// Compares what a board computed with the host's evaluation of the same samples.
pub(super) fn judge(
    file: &ModelFile,
    outcome: Outcome,
    samples: SplitView<'_>,
) -> Result<Judged, DeviceError> {
    let model = file.model();
    let header = model.header();
    let host = evaluate(file, samples)?;
    let board = Evaluation::of_model(file, outcome.logits, samples)?;
    let report = DeviceReport {
        cell: header.cell,
        numbers: header.numbers,
        board: outcome.board,
        samples: board.samples,
        scores: board.scores.clone(),
        host_matches: board.logits == host.logits,
        mismatch: first_mismatch(ReadOut::of_model(file), &board.logits, &host.logits, samples),
        logits_sha256: board.logits_sha256.clone(),
        instructions_per_inference: outcome.statistics.instructions_per_inference(),
        instructions_per_timestep: outcome.statistics.instructions_per_timestep(),
        ticks_per_inference: outcome.statistics.ticks_per_inference(),
        flash_bytes: FlashBytes {
            code: outcome.firmware.as_ref().map(|firmware| firmware.code_bytes),
            model: file.as_bytes().len() as u64,
        },
        ram_bytes: RamBytes {
            statics: outcome.firmware.as_ref().map(|firmware| firmware.static_ram_bytes),
            stack: outcome.statistics.stack_bytes,
            inference_stack: Some(outcome.statistics.inference_stack_bytes).filter(|&bytes| bytes > 0),
        },
        samples_per_second: board.samples as f64 / outcome.seconds,
        via: outcome.via,
        line: outcome.line,
        retries: outcome.retries,
        lost_bytes: outcome.statistics.lost_bytes,
        started_again: outcome.started_again.map(|boot| boot.to_string()),
    };
    Ok(Judged { report, board, host })
}

/// The first logit that is not the same in both.
fn first_mismatch(read_out: ReadOut, board: &[u8], host: &[u8], samples: SplitView<'_>) -> Option<Mismatch> {
    let (board, _) = board.as_chunks::<LOGIT_BYTES>();
    let (host, _) = host.as_chunks::<LOGIT_BYTES>();
    let index = board.iter().zip(host).position(|(board, host)| board != host)?;
    let (sample, timestep) = read_out.place(index / read_out.outputs, samples)?;
    let [board, host] = [board, host].map(|logits| u32::from_le_bytes(logits[index]));
    Some(Mismatch { sample, timestep, logit: index % read_out.outputs, board, host })
}

#[cfg(test)]
mod tests {
    use refrain::link::Statistics;
    use refrain::{OutputFormat, Samples, Steps};

    use super::*;
    use crate::data::{Sequences, Split, Targets, Values};
    use crate::test_models::{self, PER_SEQUENCE};

    const LENGTHS: [usize; 6] = [5, 1, 2, 5, 3, 4];

    /// A report on a model that answers so often, whose board's logits were changed.
    fn report(steps: Steps, change: impl Fn(&mut Vec<u8>)) -> DeviceReport {
        let bytes = test_models::model([3, 4, 2], Samples::U8, OutputFormat { steps, ..PER_SEQUENCE });
        let file = ModelFile::from_bytes("hand-made.rfn", &bytes).unwrap();
        let answers = match steps {
            Steps::Last => LENGTHS.len(),
            Steps::Every => LENGTHS.iter().sum(),
        };
        let values = Values::U8((0..3 * 20).map(|index| (index * 53) as u8).collect());
        let labels = Targets::Labels((0..answers).map(|index| (index % 2) as u8).collect());
        let sequences = Sequences::ragged(values, 3, &LENGTHS);
        let split = Split::new(sequences, labels, steps == Steps::Every, "recordings", "list").unwrap();
        let mut logits = evaluate(&file, split.view()).unwrap().logits;
        change(&mut logits);
        let outcome = Outcome {
            board: "fake".into(),
            logits,
            statistics: Statistics { stack_bytes: 900, inference_stack_bytes: 400, ..Statistics::default() },
            retries: 3,
            started_again: None,
            seconds: 2.0,
            via: "link",
            line: None,
            firmware: None,
        };
        judge(&file, outcome, split.view()).unwrap().report
    }

    #[test]
    fn equal_logits_match() {
        for steps in [Steps::Last, Steps::Every] {
            let report = report(steps, |_| {});
            assert!(report.host_matches && report.mismatch.is_none());
            assert_eq!((report.samples, report.samples_per_second), (6, 3.0));
        }
    }

    #[test]
    fn one_bit_of_one_logit_is_a_mismatch_that_is_named() {
        for (steps, answer, place) in [
            (Steps::Last, 3, (3, None)),
            (Steps::Every, 0, (0, Some(0))),
            (Steps::Every, 5, (1, Some(0))),
            (Steps::Every, 7, (2, Some(1))),
            (Steps::Every, 19, (5, Some(3))),
        ] {
            let changed = report(steps, |logits| logits[4 * (2 * answer + 1)] ^= 1);
            assert!(!changed.host_matches);
            let found = changed.mismatch.unwrap();
            assert_eq!((found.sample, found.timestep), place);
            assert_eq!((found.logit, found.board ^ found.host), (1, 1));
            assert_ne!(changed.logits_sha256, report(steps, |_| {}).logits_sha256);
        }
    }

    #[test]
    fn the_report_has_the_names_that_scripts_read() {
        let json = serde_json::to_value(report(Steps::Last, |_| {})).unwrap();
        assert_eq!(json["cell"], "simple-rnn");
        assert_eq!(
            json["ram_bytes"],
            serde_json::json!({ "static": null, "stack": 900, "inference_stack": 400 })
        );
        assert!(json["flash_bytes"]["code"].is_null() && json["flash_bytes"]["model"].is_u64());
        assert_eq!(json["host_matches"], true);
        assert!(json["accuracy"].is_f64() && json["samples"] == 6 && json["answers"] == 6);
    }
}
