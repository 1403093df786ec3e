//! A job in memory: sequences that a host has put into the board's RAM, answered in one go.
//!
//! ```text
//! offset
//! 0      job         32 bytes, see Job
//! 32     lengths     [sequences] of u32, little-endian: timesteps of each
//!        rows        [timesteps][row_bytes], sequence after sequence
//!        answers     logits of four bytes, then the CRC-32 of them, little-endian:
//!                    [sequences][outputs], or [timesteps][outputs] of a model that answers every timestep
//! ```
//!
//! The board writes the answers behind the sequences, so a job needs no other memory than its own.

use core::fmt;

use refrain::link::Refusal;
use refrain::link::bulk::{JOB_BYTES, Job, LENGTH_BYTES};
use refrain::{Header, RowLength, Steps, crc32};

use crate::session::row_length;
use crate::{Classifier, Clock, DepthGauge, Meter};

/// Progress is told at the end of a sequence when so many timesteps have passed since it was told last.
const PROGRESS_TIMESTEPS: usize = 500;

/// Bytes of a logit, and of the CRC-32.
const WORD_BYTES: usize = 4;

/// What has come out of a job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome<'a> {
    /// The logits of each answer in order, four bytes each, and the CRC-32 of them all.
    pub answers: &'a [u8],
    /// How many sequences there were.
    pub sequences: u32,
    /// How many timesteps they had together.
    pub timesteps: u32,
    /// Clock ticks that answering them took.
    pub ticks: u64,
    /// Stack that answering the first of them took, in bytes; how deep an inference goes is the same for all.
    pub stack_bytes: u32,
}

/// Why a job is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(target_os = "none", derive(defmt::Format))]
pub enum JobError<E> {
    /// There is no job at the place for one, or it is damaged.
    Missing,
    /// The job has no sequences, no timesteps, or needs more memory than there is.
    Size {
        /// Bytes that the job needs: itself, the lengths, the sequences and the answers.
        needed: u64,
        /// Bytes that there are.
        available: u64,
    },
    /// A sequence without timesteps, or sequences that have not as many together as the job says.
    Lengths {
        /// Timesteps of the job.
        timesteps: u32,
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
                write!(
                    f,
                    "the job needs {needed} bytes, expected at least one timestep, and at most {available} bytes"
                )
            }
            Self::Lengths { timesteps } => {
                write!(
                    f,
                    "the lengths of the job's sequences are 0 or do not add up to its {timesteps} timesteps"
                )
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
    gauge: &mut impl DepthGauge,
    mut progress: impl FnMut(u32) -> Result<(), E>,
) -> Result<Outcome<'a>, JobError<E>> {
    let (head, rest) = memory.split_first_chunk_mut::<JOB_BYTES>().ok_or(JobError::Missing)?;
    let job = Job::from_bytes(head).ok_or(JobError::Missing)?;
    let model = choose(&job, models).map_err(JobError::Refused)?;
    let layout = Layout::new(&job, model.header(), rest.len())?;
    let (lengths, rest) = rest.split_at_mut(layout.lengths);
    let (rows, answers) = rest.split_at_mut(layout.rows);
    let (logits, crc) = answers.split_at_mut(layout.logits);
    let (lengths, _) = lengths.as_chunks::<LENGTH_BYTES>();
    let lengths = lengths.iter().map(|&length| u32::from_le_bytes(length));
    check_lengths(&job, lengths.clone())?;

    let (mut rows, mut places) = (&*rows, &mut *logits);
    let (mut ticks, mut untold, mut stack_bytes) = (0, 0, 0);
    for (done, timesteps) in (1..).zip(lengths.map(|length| length as usize)) {
        let (sequence, later) = rows.split_at(timesteps * layout.row);
        let (place, free) = places.split_at_mut(layout.answers(timesteps) * layout.answer);
        (rows, places) = (later, free);
        if done == 1 {
            gauge.mark();
        }
        let (answered, spent) = answer(model, &layout, sequence, place, meter);
        if done == 1 {
            stack_bytes = gauge.depth();
        }
        answered.map_err(|error| JobError::Refused(row_length(error)))?;
        ticks += spent;
        untold += timesteps;
        if untold >= PROGRESS_TIMESTEPS {
            progress(done).map_err(JobError::Progress)?;
            untold = 0;
        }
    }
    crc[..WORD_BYTES].copy_from_slice(&crc32(logits).to_le_bytes());
    let answers = &answers[..layout.logits + WORD_BYTES];
    Ok(Outcome { answers, sequences: job.sequences, timesteps: job.timesteps, ticks, stack_bytes })
}

/// The answers to one sequence into `place`, and the ticks that they took. Inlined, so that its own part of the stack is
/// not taken for a part of the inference.
#[inline(always)]
fn answer(
    model: &mut dyn Classifier,
    layout: &Layout,
    sequence: &[u8],
    place: &mut [u8],
    meter: &Meter<impl Clock>,
) -> (Result<(), RowLength>, u64) {
    match layout.steps {
        Steps::Last => {
            let (logits, ticks) = meter.measure(|| refrain_classify(model, sequence, layout.row));
            (logits.map(|logits| place.copy_from_slice(logits)), ticks)
        }
        Steps::Every => meter.measure(|| {
            model.reset();
            for (row, place) in sequence.chunks(layout.row).zip(place.chunks_exact_mut(layout.answer)) {
                model.step(row)?;
                place.copy_from_slice(model.logits());
            }
            Ok(())
        }),
    }
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

/// Refuses sequences that have not together as many timesteps as the job, each at least one.
fn check_lengths<E>(job: &Job, mut lengths: impl Iterator<Item = u32>) -> Result<(), JobError<E>> {
    let rest =
        lengths.try_fold(job.timesteps, |rest, length| rest.checked_sub(length).filter(|_| length > 0));
    if rest == Some(0) { Ok(()) } else { Err(JobError::Lengths { timesteps: job.timesteps }) }
}

/// Bytes of a job's parts.
struct Layout {
    /// One row.
    row: usize,
    /// The lengths of all sequences.
    lengths: usize,
    /// All rows.
    rows: usize,
    /// The logits of one answer.
    answer: usize,
    /// All logits.
    logits: usize,
    /// What is answered.
    steps: Steps,
}

impl Layout {
    /// Checks that a job for the model of that header fits into `available` bytes behind its head.
    fn new<E>(job: &Job, header: &Header<'_>, available: usize) -> Result<Self, JobError<E>> {
        let (row, answer) = (header.row_bytes(), usize::from(header.shape.outputs) * WORD_BYTES);
        let steps = header.output.steps;
        let answers = match steps {
            Steps::Last => job.sequences,
            Steps::Every => job.timesteps,
        };
        // a u32 times a size below 2^16, each: their sum is far below 2^64
        let [lengths, rows, logits] =
            [(job.sequences, LENGTH_BYTES), (job.timesteps, row), (answers, answer)]
                .map(|(count, bytes)| u64::from(count) * bytes as u64);
        let needed = lengths + rows + logits + WORD_BYTES as u64;
        if job.sequences == 0 || job.timesteps == 0 || needed > available as u64 {
            let [needed, available] = [needed + JOB_BYTES as u64, available as u64 + JOB_BYTES as u64];
            return Err(JobError::Size { needed, available });
        }
        let [lengths, rows, logits] = [lengths, rows, logits].map(|bytes| bytes as usize);
        Ok(Self { row, lengths, rows, answer, logits, steps })
    }

    /// How many answers there are to a sequence of so many timesteps.
    fn answers(&self, timesteps: usize) -> usize {
        match self.steps {
            Steps::Last => 1,
            Steps::Every => timesteps,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::testing::{CountingGauge, LOGITS_TICKS, Recorder, STEP_TICKS, SteppedClock};

    const JOB: Job = Job { model: 1, sequences: 120, timesteps: 120 * 9, row_bytes: 2 };
    /// Job, lengths, sequences, logits and CRC of [`JOB`].
    const NEEDED: usize = JOB_BYTES + 120 * (4 + 9 * 2 + 2 * 4) + 4;

    /// Lengths from 1 to 17, 9 in the mean.
    fn lengths() -> Vec<u32> {
        (0..120).map(|index| if index % 2 == 0 { 1 + index / 2 % 17 } else { 17 - index / 2 % 17 }).collect()
    }

    /// A memory of `length` bytes with a job and sequences of counted bytes.
    fn memory(job: &Job, length: usize) -> Vec<u8> {
        let mut memory = job.to_bytes().to_vec();
        memory.extend(lengths().into_iter().flat_map(u32::to_le_bytes));
        memory.extend((0..120 * 9 * 2_usize).map(|byte| byte as u8));
        memory.resize(length, 0xaa);
        memory
    }

    /// The rows of each sequence of [`memory`].
    fn sequences(memory: &[u8]) -> Vec<Vec<&[u8]>> {
        let mut rows = memory[JOB_BYTES + 120 * 4..].chunks(2);
        lengths().into_iter().map(|length| rows.by_ref().take(length as usize).collect()).collect()
    }

    /// Does the job in `memory` with three recorders: model 0 takes rows of three bytes, model 1 of two, and model 2
    /// too, but answers each.
    fn run_in<'a, E>(
        memory: &'a mut [u8],
        progress: impl FnMut(u32) -> Result<(), E>,
    ) -> Result<Outcome<'a>, JobError<E>> {
        let clock = SteppedClock::new(1);
        let [mut first, mut second, third] = [("first", 3), ("second", 2), ("third", 2)]
            .map(|(name, inputs)| Recorder::new(name, inputs, &clock));
        let mut third = third.answering_every_step();
        let (meter, mut gauge) = (Meter::new(&clock), CountingGauge::new(&clock));
        run(memory, &mut [&mut first, &mut second, &mut third], &meter, &mut gauge, progress)
    }

    fn silent(_: u32) -> Result<(), Infallible> {
        Ok(())
    }

    #[test]
    fn every_sequence_is_answered_in_order() {
        let mut memory = memory(&JOB, NEEDED + 7);
        let expected: Vec<u8> =
            sequences(&memory).iter().flat_map(|sequence| Recorder::expected(sequence)).collect();
        let mut told = Vec::new();
        let outcome = run_in(&mut memory, |done| {
            told.push(done);
            Ok::<_, Infallible>(())
        })
        .unwrap();
        let (logits, crc) = outcome.answers.split_at(expected.len());
        assert_eq!(logits, expected);
        assert_eq!(crc, crc32(&expected).to_le_bytes());
        assert_eq!((outcome.sequences, outcome.timesteps), (120, 1080));
        assert_eq!(outcome.ticks, 1080 * STEP_TICKS + 120 * LOGITS_TICKS);
        let first = u64::from(lengths()[0]) * STEP_TICKS + LOGITS_TICKS;
        assert!((first..first + 10).contains(&outcome.stack_bytes.into()), "that of one sequence alone");
        let passed = |sequences: &u32| lengths()[..*sequences as usize].iter().sum::<u32>();
        assert_eq!(told.len(), 2);
        assert!(
            (500..517).contains(&passed(&told[0])) && (1000..1034).contains(&passed(&told[1])),
            "{told:?}"
        );
        assert_eq!(memory[NEEDED..], [0xaa; 7], "nothing behind the answers is written");
    }

    #[test]
    fn every_timestep_is_answered_by_a_model_that_does_so() {
        const NEEDED: usize = JOB_BYTES + 120 * 4 + 1080 * (2 + 2 * 4) + 4;
        let mut memory = memory(&Job { model: 2, ..JOB }, NEEDED);
        let expected: Vec<u8> = sequences(&memory)
            .iter()
            .flat_map(|sequence| (1..=sequence.len()).flat_map(|end| Recorder::expected(&sequence[..end])))
            .collect();
        let outcome = run_in(&mut memory, silent).unwrap();
        assert_eq!(outcome.answers[..expected.len()], expected);
        assert_eq!(outcome.answers[expected.len()..], crc32(&expected).to_le_bytes());
        assert_eq!(outcome.ticks, 1080 * (STEP_TICKS + LOGITS_TICKS));

        let error = run_in(&mut memory[..NEEDED - 1], silent).unwrap_err();
        assert_eq!(error, JobError::Size { needed: NEEDED as u64, available: NEEDED as u64 - 1 });
    }

    #[test]
    fn a_job_that_just_fits_is_done_and_one_byte_less_is_refused() {
        assert!(run_in(&mut memory(&JOB, NEEDED), silent).is_ok());
        let error = run_in(&mut memory(&JOB, NEEDED - 1), silent).unwrap_err();
        assert_eq!(error, JobError::Size { needed: NEEDED as u64, available: NEEDED as u64 - 1 });
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
    fn lengths_that_do_not_add_up_are_refused() {
        for (sequence, length) in [(0, 0), (0, 2), (119, 0), (119, u32::MAX)] {
            let mut memory = memory(&JOB, NEEDED);
            memory[JOB_BYTES + 4 * sequence..][..4].copy_from_slice(&length.to_le_bytes());
            let error = run_in(&mut memory, silent).unwrap_err();
            assert_eq!(error, JobError::Lengths { timesteps: 1080 }, "sequence {sequence} of {length}");
        }
        let mut memory = memory(&JOB, NEEDED);
        // the sum is right, but one sequence is without timesteps
        memory[JOB_BYTES..][..8].copy_from_slice(&[0, 0, 0, 0, 18, 0, 0, 0]);
        assert_eq!(run_in(&mut memory, silent), Err(JobError::Lengths { timesteps: 1080 }));
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
        for model in [3, 256, u32::MAX] {
            let error = run_in(&mut memory(&Job { model, ..JOB }, NEEDED), silent).unwrap_err();
            assert_eq!(error, JobError::Refused(Refusal::NoSuchModel { models: 3 }));
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
