//! A job in memory: sequences that a host has put into the board's RAM, classified in one go.
//!
//! ```text
//! offset
//! 0      job         32 bytes, see Job
//! 32     sequences   [sequences][timesteps][row_bytes]
//!        answers     [sequences][outputs] logits of four bytes, then the CRC-32 of them, little-endian
//! ```
//!
//! The board writes the answers behind the sequences, so a job needs no other memory than its own.

use core::fmt;

use refrain::link::Refusal;
use refrain::link::bulk::{JOB_BYTES, Job};
use refrain::{RowLength, crc32};

use crate::session::row_length;
use crate::{Classifier, Clock, Meter};

/// Progress is told every so many sequences.
const PROGRESS_STEP: u32 = 50;

/// What has come out of a job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome<'a> {
    /// The logits of each sequence in order, four bytes each, and the CRC-32 of them all.
    pub answers: &'a [u8],
    /// How many sequences there were.
    pub sequences: u32,
    /// Clock ticks that classifying them took.
    pub ticks: u64,
}

/// Why a job is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(target_os = "none", derive(defmt::Format))]
pub enum JobError<E> {
    /// There is no job at the place for one, or it is damaged.
    Missing,
    /// The job has no sequences, no timesteps, or needs more memory than there is.
    Size {
        /// Bytes that the job needs: itself, the sequences and the answers.
        needed: u64,
        /// Bytes that there are.
        available: usize,
    },
    /// The model cannot take the sequences.
    Refused(Refusal),
    /// Progress could not be told.
    Progress(E),
}

impl<E: fmt::Display> fmt::Display for JobError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no job in memory, or it is damaged"),
            Self::Size { needed, available } => {
                write!(f, "the job needs {needed} bytes, expected 37 to {available}")
            }
            Self::Refused(refusal) => write!(f, "the job does not fit the model: {refusal}"),
            Self::Progress(error) => write!(f, "progress cannot be told: {error}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for JobError<E> {}

/// Does the job at the front of `memory`; `progress` is told now and then how many sequences are done.
///
/// # Errors
/// Any [`JobError`]; nothing of `memory` but the place of the answers is written.
pub fn run<'a, E>(
    memory: &'a mut [u8],
    models: &mut [&mut dyn Classifier],
    meter: &Meter<impl Clock>,
    mut progress: impl FnMut(u32) -> Result<(), E>,
) -> Result<Outcome<'a>, JobError<E>> {
    let (head, rest) = memory.split_first_chunk_mut::<JOB_BYTES>().ok_or(JobError::Missing)?;
    let job = Job::from_bytes(head).ok_or(JobError::Missing)?;
    let model = choose(&job, models).map_err(JobError::Refused)?;
    let outputs = usize::from(model.header().shape.outputs);
    let (row_bytes, layout) = (model.header().row_bytes(), Layout::new(&job, outputs, rest.len())?);

    let (sequences, answers) = rest.split_at_mut(layout.sequences);
    let (logits, crc) = answers.split_at_mut(layout.logits);
    let mut ticks = 0;
    let work = sequences.chunks_exact(layout.sequence).zip(logits.chunks_exact_mut(outputs * 4));
    for (done, (sequence, logits)) in (1..).zip(work) {
        let (classified, spent) = meter.measure(|| refrain_classify(model, sequence, row_bytes));
        logits.copy_from_slice(classified.map_err(|error| JobError::Refused(row_length(error)))?);
        ticks += spent;
        if done % PROGRESS_STEP == 0 {
            progress(done).map_err(JobError::Progress)?;
        }
    }
    crc[..4].copy_from_slice(&crc32(logits).to_le_bytes());
    Ok(Outcome { answers: &answers[..layout.logits + 4], sequences: job.sequences, ticks })
}

/// One whole inference, from the first row to the logits. Never inlined and of this very name, so that tools
/// can measure it from outside.
///
/// # Errors
/// [`RowLength`] where `sequence` is no whole number of the model's rows.
#[expect(unsafe_code, reason = "a name without mangling; no other item of the program has this name")]
#[unsafe(no_mangle)]
#[inline(never)]
pub fn refrain_classify<'m>(
    model: &'m mut dyn Classifier,
    sequence: &[u8],
    row_bytes: usize,
) -> Result<&'m [u8], RowLength> {
    model.reset();
    for row in sequence.chunks(row_bytes.max(1)) {
        model.step(row)?;
    }
    Ok(model.logits())
}

/// The model that the job asks for, if it takes the job's rows.
fn choose<'m, 'd>(
    job: &Job,
    models: &'m mut [&'d mut dyn Classifier],
) -> Result<&'m mut (dyn Classifier + 'd), Refusal> {
    let count = u8::try_from(models.len()).unwrap_or(u8::MAX);
    let model = models.get_mut(job.model as usize).ok_or(Refusal::NoSuchModel { models: count })?;
    let (found, expected) = (job.row_bytes as usize, model.header().row_bytes());
    if found == expected { Ok(&mut **model) } else { Err(row_length(RowLength { found, expected })) }
}

/// Bytes of a job's parts.
struct Layout {
    /// One sequence.
    sequence: usize,
    /// All sequences.
    sequences: usize,
    /// All logits.
    logits: usize,
}

impl Layout {
    /// Checks that a job fits into `available` bytes behind its head.
    fn new<E>(job: &Job, outputs: usize, available: usize) -> Result<Self, JobError<E>> {
        let sequence = u64::from(job.timesteps) * u64::from(job.row_bytes);
        let sequences = sequence.saturating_mul(job.sequences.into());
        let logits = u64::from(job.sequences) * outputs as u64 * 4;
        let needed = sequences.saturating_add(logits + 4);
        if sequences == 0 || needed > available as u64 {
            return Err(JobError::Size {
                needed: needed.saturating_add(JOB_BYTES as u64),
                available: available + JOB_BYTES,
            });
        }
        Ok(Self { sequence: sequence as usize, sequences: sequences as usize, logits: logits as usize })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::testing::{LOGITS_TICKS, Recorder, STEP_TICKS, SteppedClock};

    const JOB: Job = Job { model: 1, sequences: 120, timesteps: 3, row_bytes: 2 };
    /// Job, sequences, logits and CRC of [`JOB`].
    const NEEDED: usize = JOB_BYTES + 120 * (3 * 2 + 2 * 4) + 4;

    /// A memory of `length` bytes with a job and sequences of counted bytes.
    fn memory(job: &Job, length: usize) -> Vec<u8> {
        let mut memory = job.to_bytes().to_vec();
        memory.extend((0..120 * 6_usize).map(|byte| byte as u8));
        memory.resize(length, 0xaa);
        memory
    }

    /// Does the job in `memory` with two recorders: model 0 takes rows of three bytes, model 1 of two.
    fn run_in<'a, E>(
        memory: &'a mut [u8],
        progress: impl FnMut(u32) -> Result<(), E>,
    ) -> Result<Outcome<'a>, JobError<E>> {
        let clock = SteppedClock::new(1);
        let (mut first, mut second) = (Recorder::new("first", 3, &clock), Recorder::new("second", 2, &clock));
        run(memory, &mut [&mut first, &mut second], &Meter::new(&clock), progress)
    }

    fn silent(_: u32) -> Result<(), Infallible> {
        Ok(())
    }

    #[test]
    fn every_sequence_is_answered_in_order() {
        let mut memory = memory(&JOB, NEEDED + 7);
        let sequences = memory[JOB_BYTES..][..720].to_vec();
        let expected: Vec<u8> = sequences
            .chunks(6)
            .flat_map(|sequence| Recorder::expected(&sequence.chunks(2).collect::<Vec<_>>()))
            .collect();
        let mut told = Vec::new();
        let outcome = run_in(&mut memory, |done| {
            told.push(done);
            Ok::<_, Infallible>(())
        })
        .unwrap();
        let (logits, crc) = outcome.answers.split_at(expected.len());
        assert_eq!(logits, expected);
        assert_eq!(crc, crc32(&expected).to_le_bytes());
        assert_eq!((outcome.sequences, outcome.ticks), (120, 120 * (3 * STEP_TICKS + LOGITS_TICKS)));
        assert_eq!(told, [50, 100]);
        assert_eq!(memory[NEEDED..], [0xaa; 7], "nothing behind the answers is written");
    }

    #[test]
    fn a_job_that_just_fits_is_done_and_one_byte_less_is_refused() {
        assert!(run_in(&mut memory(&JOB, NEEDED), silent).is_ok());
        let error = run_in(&mut memory(&JOB, NEEDED - 1), silent).unwrap_err();
        assert_eq!(error, JobError::Size { needed: NEEDED as u64, available: NEEDED - 1 });
    }

    #[test]
    fn a_job_of_absurd_or_no_size_is_refused() {
        for (sequences, timesteps) in [(0, 3), (120, 0), (u32::MAX, u32::MAX), (1, u32::MAX), (u32::MAX, 1)] {
            let job = Job { sequences, timesteps, ..JOB };
            let error = run_in(&mut memory(&job, NEEDED), silent).unwrap_err();
            assert!(matches!(error, JobError::Size { .. }), "{job:?}: {error}");
        }
    }

    #[test]
    fn no_job_or_a_damaged_one_is_missing() {
        assert_eq!(run_in(&mut [], silent), Err(JobError::Missing));
        assert_eq!(run_in(&mut [0; 100], silent), Err(JobError::Missing));
        for bit in 0..JOB_BYTES * 8 {
            let mut memory = memory(&JOB, NEEDED);
            memory[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(run_in(&mut memory, silent), Err(JobError::Missing), "bit {bit}");
        }
    }

    #[test]
    fn a_job_for_another_model_is_refused() {
        for model in [2, 256, u32::MAX] {
            let error = run_in(&mut memory(&Job { model, ..JOB }, NEEDED), silent).unwrap_err();
            assert_eq!(error, JobError::Refused(Refusal::NoSuchModel { models: 2 }));
        }
        let error = run_in(&mut memory(&Job { model: 0, ..JOB }, NEEDED), silent).unwrap_err();
        assert_eq!(error, JobError::Refused(Refusal::RowLength { found: 2, expected: 3 }));
    }

    #[test]
    fn a_failure_to_tell_progress_ends_the_job() {
        let error = run_in(&mut memory(&JOB, NEEDED), |_| Err("line cut")).unwrap_err();
        assert_eq!(error, JobError::Progress("line cut"));
    }
}
