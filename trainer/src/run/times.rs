//! `times.json`: how long a run took, however often it stopped.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::error::writing;
use super::{RunError, TIMES, read_json};
use crate::files::write_whole;

/// How long the epochs of a run took, validation included. The time between a stop and going on counts for nothing, nor
/// does that of an epoch that was not finished.
#[derive(Debug)]
pub(super) struct Times {
    path: PathBuf,
    /// Seconds from the beginning of the run to the end of each epoch; `None` where those of the epochs before the run went
    /// on were not found.
    ends: Option<Vec<f64>>,
    /// Where the epochs before the run went on end, in seconds.
    before: f64,
    began: Instant,
}

impl Times {
    /// Begins to count for a run in `folder` of which so many epochs are done.
    ///
    /// # Errors
    /// [`RunError::Damaged`] or [`RunError::Read`] if the times of these epochs are there and cannot be read.
    pub(super) fn after(folder: &Path, epochs: usize) -> Result<Self, RunError> {
        let path = folder.join(TIMES);
        let noted: Vec<f64> = read_json(&path)?.unwrap_or_default();
        let ends = noted.get(..epochs).map(<[f64]>::to_vec);
        let before = ends.as_ref().and_then(|ends| ends.last().copied()).unwrap_or_default();
        Ok(Self { path, ends, before, began: Instant::now() })
    }

    /// Notes that an epoch ends now.
    ///
    /// # Errors
    /// [`RunError::Write`].
    pub(super) fn end_epoch(&mut self) -> Result<(), RunError> {
        let Some(ends) = &mut self.ends else { return Ok(()) };
        ends.push(self.before + self.began.elapsed().as_secs_f64());
        let text = serde_json::to_string(ends).expect("numbers can be written") + "\n";
        write_whole(&self.path, text.as_bytes()).map_err(writing(&self.path))
    }

    /// Seconds of all epochs so far; `None` where those of some are not known.
    pub(super) fn seconds(&self) -> Option<f64> {
        Some(self.ends.as_ref()?.last().copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_time_of_a_run_is_that_of_all_its_epochs() {
        let folder = tempfile::tempdir().unwrap();
        let mut times = Times::after(folder.path(), 0).unwrap();
        assert_eq!(times.seconds(), Some(0.0));
        times.end_epoch().unwrap();
        times.end_epoch().unwrap();
        let ends: Vec<f64> = read_json(&folder.path().join(TIMES)).unwrap().unwrap();
        assert!(ends.len() == 2 && 0.0 < ends[0] && ends[0] <= ends[1], "{ends:?}");
        assert_eq!(times.seconds(), Some(ends[1]));

        // three epochs were done, but it goes on from the second
        fs::write(folder.path().join(TIMES), "[1000.0, 2000.0, 3000.0]").unwrap();
        let mut times = Times::after(folder.path(), 2).unwrap();
        assert_eq!(times.seconds(), Some(2000.0));
        times.end_epoch().unwrap();
        let seconds = times.seconds().unwrap();
        assert!(2000.0 < seconds && seconds < 3000.0, "{seconds}");
        assert_eq!(Times::after(folder.path(), 3).unwrap().seconds(), Some(seconds));
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        let folder = tempfile::tempdir().unwrap();
        let mut times = Times::after(folder.path(), 1).unwrap();
        times.end_epoch().unwrap();
        assert_eq!(times.seconds(), None);
        assert!(!folder.path().join(TIMES).exists());
        fs::write(folder.path().join(TIMES), "[1.0,").unwrap();
        let message = Times::after(folder.path(), 1).unwrap_err().to_string();
        assert!(message.contains("times.json cannot be understood (EOF"), "{message}");
    }
}
