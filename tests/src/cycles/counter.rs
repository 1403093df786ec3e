//! Counts inferences.

use std::fs;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use refrain_trainer::data::SplitView;
use refrain_trainer::device::{Bench, Board};
use refrain_trainer::evaluate::evaluate;
use refrain_trainer::model_file::ModelFile;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::error::{CountError, in_file};
use super::plugin::Plugin;

/// The function of the firmware that is one whole inference, from the first row to the logits.
const FUNCTION: &str = "refrain_classify";

/// Sequences of a run. The board's timer comes round after 168 million instructions and interrupts whatever goes on,
/// so a run is kept shorter than that for models of the size of those that are shipped.
const RUN_SEQUENCES: usize = 100;

/// What one inference costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Instructions, exact.
    pub instructions: u64,
    /// Cycles of the model of the core.
    pub cycles: u64,
}

/// Least, mean and most of what inferences cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// The least.
    pub min: u64,
    /// The mean, to the nearest whole number.
    pub mean: u64,
    /// The most.
    pub max: u64,
}

impl Spread {
    /// Of at least one number; of none, all zeros.
    fn of(numbers: impl Iterator<Item = u64> + Clone) -> Self {
        let count = numbers.clone().count().max(1) as u64;
        let (min, max) = (numbers.clone().min().unwrap_or(0), numbers.clone().max().unwrap_or(0));
        Self { min, mean: (numbers.sum::<u64>() + count / 2) / count, max }
    }
}

/// What came of counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// One for each sequence, in order.
    pub each: Vec<Call>,
    /// The most stack that one of them took.
    pub stack_bytes: u32,
    /// The most stack that the whole firmware took.
    pub firmware_stack_bytes: u32,
}

impl Calls {
    /// Of all calls.
    pub fn instructions(&self) -> Spread {
        Spread::of(self.each.iter().map(|call| call.instructions))
    }

    /// Of all calls.
    pub fn cycles(&self) -> Spread {
        Spread::of(self.each.iter().map(|call| call.cycles))
    }
}

/// Firmware around models, and all that it takes to count what their inferences cost on the emulated mps2-an386.
pub struct Counter {
    bench: Bench,
    plugin: Plugin,
    function: u64,
    folder: TempDir,
}

impl Counter {
    /// Builds the firmware, with these features of its package, and the plugin.
    ///
    /// # Errors
    /// [`CountError`].
    pub fn new(models: &[&ModelFile], features: &[&str]) -> Result<Self, CountError> {
        let bench = Bench::prepare(Board::Mps2An386, models, features)?;
        let plugin = Plugin::new(bench.qemu())?;
        let function = bench.address_of(FUNCTION)?.ok_or(CountError::NoFunction { function: FUNCTION })?;
        let folder =
            TempDir::with_prefix("refrain-").map_err(in_file(&std::env::temp_dir(), "make a folder here"))?;
        Ok(Self { bench, plugin, function, folder })
    }

    /// The firmware and its models.
    pub fn bench(&self) -> &Bench {
        &self.bench
    }

    /// What inferences of the model of that `number` cost, one for each sequence of `samples`; on as many emulated
    /// boards at once as there are processors.
    ///
    /// # Errors
    /// [`CountError`]; [`CountError::Logits`] where the board computes something else than the host.
    pub fn count(&self, number: usize, samples: SplitView<'_>) -> Result<Calls, CountError> {
        let total = samples.count();
        let runs: Vec<Range<usize>> =
            (0..total).step_by(RUN_SEQUENCES).map(|start| start..total.min(start + RUN_SEQUENCES)).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let take = || runs.get(next.fetch_add(1, Ordering::Relaxed));
            let mut done = Vec::new();
            while let Some(run) = take() {
                done.push((run.start, self.count_run(number, part(samples, run))));
            }
            done
        };
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let mut done: Vec<(usize, Result<Calls, CountError>)> = thread::scope(|scope| {
            let boards: Vec<_> = (0..processors.min(runs.len())).map(|_| scope.spawn(work)).collect();
            boards
                .into_iter()
                .flat_map(|board| board.join().expect("a board's thread does not panic"))
                .collect()
        });
        done.sort_by_key(|(start, _)| *start);
        let mut all = Calls { each: Vec::with_capacity(total), stack_bytes: 0, firmware_stack_bytes: 0 };
        for (_, calls) in done {
            let calls = calls?;
            all.each.extend(calls.each);
            all.stack_bytes = all.stack_bytes.max(calls.stack_bytes);
            all.firmware_stack_bytes = all.firmware_stack_bytes.max(calls.firmware_stack_bytes);
        }
        Ok(all)
    }

    /// One run of one board.
    fn count_run(&self, number: usize, samples: SplitView<'_>) -> Result<Calls, CountError> {
        let file = &self.bench.models()[number];
        let out = tempfile::NamedTempFile::new_in(self.folder.path())
            .map_err(in_file(self.folder.path(), "write here"))?;
        let run = self.bench.run(number, samples, Some(&self.plugin.argument(self.function, out.path())))?;
        let host = evaluate(file, samples).map_err(refrain_trainer::device::DeviceError::from)?;
        if run.logits != host.logits {
            let model = file.model();
            return Err(CountError::Logits { model: file.name().into(), shape: model.header().shape });
        }
        let text = fs::read_to_string(out.path()).map_err(in_file(out.path(), "read the counts"))?;
        let each = parse(&text);
        match each.len() == samples.count() {
            true => Ok(Calls {
                each,
                stack_bytes: run.statistics.inference_stack_bytes,
                firmware_stack_bytes: run.statistics.stack_bytes,
            }),
            false => {
                let (path, found, expected) = (out.path().to_owned(), each.len(), samples.count());
                Err(CountError::CallCount { path, found, expected })
            }
        }
    }
}

/// The sequences of that range.
fn part<'a>(samples: SplitView<'a>, range: &Range<usize>) -> SplitView<'a> {
    samples.split_at(range.start).1.first(range.len())
}

/// The plugin's lines: instructions and cycles of a call each. Lines of anything else are left out.
fn parse(text: &str) -> Vec<Call> {
    let call = |line: &str| {
        let (instructions, cycles) = line.split_once(' ')?;
        Some(Call { instructions: instructions.parse().ok()?, cycles: cycles.parse().ok()? })
    };
    text.lines().filter_map(call).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_and_summed_up() {
        let each = parse("10 20\n11 27\nno count\n12 22\n");
        assert_eq!(each[1], Call { instructions: 11, cycles: 27 });
        let calls = Calls { each, stack_bytes: 0, firmware_stack_bytes: 0 };
        assert_eq!(calls.instructions(), Spread { min: 10, mean: 11, max: 12 });
        assert_eq!(calls.cycles(), Spread { min: 20, mean: 23, max: 27 });
    }
}
