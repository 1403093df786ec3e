//! `--via memory`: sequences are put into an emulated board's RAM before it starts, and logits come back as a file.
//!
//! The sequences are cut into jobs of a fixed number, or of as many as fit into the board's RAM, so that what is
//! counted does not depend on the machine; as many boards work at once as there are processors.

use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use refrain::crc32;
use refrain::link::bulk::{JOB_BYTES, Job, LENGTH_BYTES};
use refrain::link::{Refusal, Reply, Statistics};

use super::board::{Board, JobMemory};
use super::error::{DeviceError, in_file};
use super::launch::Launch;
use super::qemu::{Emulator, EmulatorError, Mode};
use super::work::Work;
use crate::link::{Inbox, TransportError};

/// Most sequences of a job.
const JOB_SEQUENCES: usize = 500;

/// How long a board may tell nothing.
const PATIENCE: Duration = Duration::from_secs(120);

/// Bytes of the CRC-32 behind the logits.
const CRC_BYTES: usize = 4;

/// What came back: `[answers][outputs]` logits, and what all boards together have counted.
#[derive(Debug)]
pub(super) struct Answers {
    pub(super) logits: Vec<u8>,
    pub(super) statistics: Statistics,
}

/// Classifies all sequences with that model of the firmware; `progress` is told how many are done.
pub(super) fn classify(
    launch: &Launch,
    model: u32,
    work: &Work,
    mut progress: impl FnMut(usize),
) -> Result<Answers, DeviceError> {
    let jobs = jobs(work, job_memory(launch.board)?.bytes)?;
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (told, tells) = channel();
    let mut results: Vec<(usize, Result<Answers, DeviceError>)> = thread::scope(|scope| {
        let boards: Vec<_> = (0..processors.min(jobs.len()))
            .map(|_| {
                let (jobs, next, failed, told) = (&jobs, &next, &failed, told.clone());
                scope.spawn(move || run_jobs(launch, model, work, jobs, next, failed, &told))
            })
            .collect();
        drop(told);
        let mut done = vec![0; jobs.len()];
        for (job, sequences) in tells {
            done[job] = sequences;
            progress(done.iter().sum());
        }
        boards.into_iter().flat_map(|board| board.join().expect("a board's thread does not panic")).collect()
    });
    results.sort_by_key(|(job, _)| *job);
    let answers: Result<Vec<_>, _> = results.into_iter().map(|(_, result)| result).collect();
    Ok(joined(answers?))
}

/// Takes one job after the other until none is left, or one has failed on any board.
fn run_jobs(
    launch: &Launch,
    model: u32,
    work: &Work,
    jobs: &[Range<usize>],
    next: &AtomicUsize,
    failed: &AtomicBool,
    told: &Sender<(usize, usize)>,
) -> Vec<(usize, Result<Answers, DeviceError>)> {
    let mut results = Vec::new();
    while !failed.load(Ordering::Relaxed) {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(job) = jobs.get(index) else { break };
        let order = Order { name: format!("job-{index}"), model, sequences: job.clone(), plugin: None };
        let result = run_job(launch, work, &order, |sequences| {
            // Where nobody listens any more, nobody needs to know.
            let _ = told.send((index, sequences));
        });
        failed.fetch_or(result.is_err(), Ordering::Relaxed);
        results.push((index, result));
    }
    results
}

/// The memory of a board that takes jobs from there.
pub(super) fn job_memory(board: Board) -> Result<JobMemory, DeviceError> {
    board.job_memory().ok_or(DeviceError::NoJobMemory { board: board.name() })
}

/// Cuts the sequences into jobs that fit into `memory` bytes.
fn jobs(work: &Work, memory: usize) -> Result<Vec<Range<usize>>, DeviceError> {
    let room = memory - JOB_BYTES - CRC_BYTES;
    let (mut jobs, mut job, mut taken) = (Vec::new(), 0..0, 0);
    for sequence in 0..work.count() {
        let alone = sequence..sequence + 1;
        let bytes = LENGTH_BYTES + work.rows(alone.clone()).len() + work.logits_bytes(alone.clone());
        if bytes > room {
            return Err(DeviceError::JobTooLarge { sequence, bytes, memory: room });
        }
        if job.len() == JOB_SEQUENCES || taken + bytes > room {
            jobs.push(std::mem::replace(&mut job, sequence..sequence));
            taken = 0;
        }
        job.end = alone.end;
        taken += bytes;
    }
    jobs.push(job);
    Ok(jobs)
}

/// What one board is to do.
pub(super) struct Order<'a> {
    /// Of the folder for the files of this job, different from those of other jobs.
    pub(super) name: String,
    /// Number of the model in the firmware.
    pub(super) model: u32,
    /// Which sequences it classifies.
    pub(super) sequences: Range<usize>,
    /// A plugin of QEMU's that watches.
    pub(super) plugin: Option<&'a str>,
}

/// Boots a board that does one job.
pub(super) fn run_job(
    launch: &Launch,
    work: &Work,
    order: &Order<'_>,
    mut progress: impl FnMut(usize),
) -> Result<Answers, DeviceError> {
    let address = job_memory(launch.board)?.address;
    let folder = launch.folder.join(&order.name);
    fs::create_dir(&folder).map_err(in_file(&folder, "make this folder"))?;
    let path = folder.join("job.bin");
    write_job(&path, work, order).map_err(in_file(&path, "write this job for the board"))?;

    let mode = Mode::Memory { job: &path, address, plugin: order.plugin };
    let mut emulator = launch.start(mode, &folder)?;
    let statistics = follow(&mut emulator, &mut progress)?;
    emulator.finish(PATIENCE)?;
    let statistics = statistics.ok_or(DeviceError::NoStatistics)?;
    let logits = read_logits(&folder.join("logits.bin"), work.logits_bytes(order.sequences.clone()))?;
    progress(order.sequences.len());
    fs::remove_dir_all(&folder).map_err(in_file(&folder, "remove this folder"))?;
    Ok(Answers { logits, statistics })
}

fn write_job(path: &Path, work: &Work, order: &Order<'_>) -> std::io::Result<()> {
    let job = &order.sequences;
    let too_large = |_| std::io::Error::from(std::io::ErrorKind::FileTooLarge);
    let field = |value: usize| u32::try_from(value).map_err(too_large);
    let head = Job {
        model: order.model,
        sequences: field(job.len())?,
        timesteps: field(work.timesteps(job.clone()))?,
        row_bytes: field(work.row_bytes())?,
    };
    let lengths: Result<Vec<_>, _> = work.lengths(job.clone()).map(field).collect();
    let mut file = fs::File::create(path)?;
    file.write_all(&head.to_bytes())?;
    file.write_all(&lengths?.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<_>>())?;
    file.write_all(work.rows(job.clone()))
}

/// What a board tells in the course of a job.
enum Tale {
    Progress(usize),
    Statistics(Statistics),
    Refused(Refusal),
}

/// Listens until the board ends; returns what it has counted.
fn follow(
    emulator: &mut Emulator,
    mut progress: impl FnMut(usize),
) -> Result<Option<Statistics>, DeviceError> {
    let mut inbox = Inbox::new();
    let mut statistics = None;
    loop {
        let heard = inbox.wait(emulator, PATIENCE, |message| match message.body {
            Reply::Progress { sequences } => Some(Tale::Progress(sequences as usize)),
            Reply::Statistics(statistics) => Some(Tale::Statistics(statistics)),
            Reply::Refused(refusal) => Some(Tale::Refused(refusal)),
            _ => None,
        });
        match heard {
            Ok(Some(Tale::Progress(sequences))) => progress(sequences),
            Ok(Some(Tale::Statistics(counted))) => statistics = Some(counted),
            Ok(Some(Tale::Refused(refusal))) => return Err(DeviceError::JobRefused(refusal)),
            Ok(None) => return Err(DeviceError::NoProgress { seconds: PATIENCE.as_secs() }),
            Err(TransportError::Gone) => return Ok(statistics),
            Err(TransportError::Io(reason)) => {
                return Err(EmulatorError::Uart { reason }.into());
            }
        }
    }
}

/// Reads the file of logits: `length` bytes and their CRC-32.
fn read_logits(path: &Path, length: usize) -> Result<Vec<u8>, DeviceError> {
    let damaged = |problem| DeviceError::Logits { path: path.to_owned(), problem };
    let mut bytes = fs::read(path).map_err(in_file(path, "read the logits that the board wrote"))?;
    let (found, expected) = (bytes.len(), length + CRC_BYTES);
    if found != expected {
        return Err(damaged(format!("it has {found} bytes, expected {expected}")));
    }
    let crc = bytes.split_off(length);
    if crc32(&bytes).to_le_bytes() != *crc {
        return Err(damaged("its CRC-32 is wrong".into()));
    }
    Ok(bytes)
}

/// The answers of all jobs, in order.
fn joined(answers: Vec<Answers>) -> Answers {
    let mut all = Answers { logits: Vec::new(), statistics: Statistics::default() };
    for Answers { logits, statistics } in answers {
        all.logits.extend(logits);
        all.statistics = Statistics {
            sequences: all.statistics.sequences + statistics.sequences,
            timesteps: all.statistics.timesteps + statistics.timesteps,
            ticks: all.statistics.ticks + statistics.ticks,
            stack_bytes: all.statistics.stack_bytes.max(statistics.stack_bytes),
            inference_stack_bytes: all.statistics.inference_stack_bytes.max(statistics.inference_stack_bytes),
            ..statistics
        };
    }
    all
}

#[cfg(test)]
mod tests {
    use refrain::{Numbers, Steps, Task};

    use super::*;
    use crate::evaluate::ReadOut;

    /// Sequences of these lengths, of rows of two bytes, for a model of two logits.
    fn work(lengths: &[usize], steps: Steps) -> Work {
        let rows = (0..2 * lengths.iter().sum::<usize>()).map(|index| index as u8).collect();
        let read_out = ReadOut { outputs: 2, numbers: Numbers::Int8, task: Task::Classification, steps };
        Work::of_rows(rows, lengths, 2, read_out)
    }

    #[test]
    fn jobs_cover_every_sequence_once_and_fit_into_memory() {
        let equal = work(&[3; 1201], Steps::Last);
        assert_eq!(jobs(&equal, 1 << 20).unwrap(), [0..500, 500..1000, 1000..1201]);
        // 18 bytes for each sequence with its length and its logits, 36 for the job and the CRC
        let small = jobs(&equal, 36 + 18 * 400 + 17).unwrap();
        assert_eq!(small, [0..400, 400..800, 800..1200, 1200..1201]);
        let error = jobs(&equal, 36 + 17).unwrap_err().to_string();
        assert!(
            error.starts_with("sample 0 takes 18 bytes with its logits, more than the 17 bytes"),
            "{error}"
        );
    }

    #[test]
    fn sequences_of_different_lengths_are_packed_by_their_sizes() {
        let lengths = [1, 9, 2, 2, 9, 1, 1, 1];
        // 4 bytes for a length, 2 for each row, 8 for each answer
        let last: Vec<usize> = lengths.iter().map(|length| 12 + 2 * length).collect();
        let every: Vec<usize> = lengths.iter().map(|length| 4 + 10 * length).collect();
        for (steps, sizes) in [(Steps::Last, last), (Steps::Every, every)] {
            let work = work(&lengths, steps);
            for room in *sizes.iter().max().unwrap()..sizes.iter().sum() {
                let jobs = jobs(&work, 36 + room).unwrap();
                assert_eq!(
                    jobs.iter().flat_map(|job| job.clone()).collect::<Vec<_>>(),
                    (0..8).collect::<Vec<_>>()
                );
                let size = |job: &Range<usize>| sizes[job.clone()].iter().sum::<usize>();
                assert!(jobs.iter().all(|job| size(job) <= room), "{room} bytes: {jobs:?}");
                for pair in jobs.windows(2) {
                    assert!(size(&pair[0]) + sizes[pair[1].start] > room, "{room} bytes: {jobs:?}");
                }
            }
        }
    }

    #[test]
    fn a_job_is_written_as_the_board_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("job.bin");
        let order = Order { name: String::new(), model: 7, sequences: 1..3, plugin: None };
        write_job(&path, &work(&[3, 1, 4, 2], Steps::Last), &order).unwrap();
        let bytes = fs::read(&path).unwrap();
        let (head, rest) = bytes.split_first_chunk().unwrap();
        let expected = Job { model: 7, sequences: 2, timesteps: 5, row_bytes: 2 };
        assert_eq!(Job::from_bytes(head), Some(expected));
        let (lengths, rows) = rest.split_at(8);
        assert_eq!(lengths, [1, 0, 0, 0, 4, 0, 0, 0]);
        assert_eq!(rows, (6..16).collect::<Vec<u8>>());
    }

    #[test]
    fn logits_that_are_not_whole_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logits.bin");
        let logits = [1, 2, 3, 4, 5, 6, 7, 8];
        let mut bytes = [&logits[..], &crc32(&logits).to_le_bytes()].concat();
        fs::write(&path, &bytes).unwrap();
        assert_eq!(read_logits(&path, 8).unwrap(), logits);

        let message = read_logits(&path, 12).unwrap_err().to_string();
        assert!(message.ends_with("are damaged: it has 12 bytes, expected 16"), "{message}");
        let message = read_logits(&path, 4).unwrap_err().to_string();
        assert!(message.ends_with("are damaged: it has 12 bytes, expected 8"), "{message}");
        bytes[3] ^= 0x10;
        fs::write(&path, &bytes).unwrap();
        let message = read_logits(&path, 8).unwrap_err().to_string();
        assert!(message.ends_with("are damaged: its CRC-32 is wrong"), "{message}");
        let message = read_logits(&folder.path().join("none"), 8).unwrap_err().to_string();
        assert!(message.contains("cannot read the logits"), "{message}");
    }

    #[test]
    fn answers_are_joined_in_order_and_counts_added_up() {
        let counted = |sequences, ticks, stack_bytes| Statistics {
            sequences,
            timesteps: 9 * sequences,
            ticks,
            stack_bytes,
            inference_stack_bytes: stack_bytes / 10,
            ..Statistics::default()
        };
        let all = joined(vec![
            Answers { logits: vec![1, 2], statistics: counted(2, 50, 700) },
            Answers { logits: vec![3], statistics: counted(1, 20, 600) },
        ]);
        assert_eq!(all.logits, [1, 2, 3]);
        assert_eq!(all.statistics, counted(3, 70, 700));
    }
}
