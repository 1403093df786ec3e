//! One process at a time.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::SetupError;

/// A locked file; whoever else wants it waits until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the file, which is made together with its folder where it is not there yet.
    pub(crate) fn acquire(path: &Path) -> Result<Self, SetupError> {
        let open = || -> io::Result<File> {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let file = File::options().create(true).truncate(false).write(true).open(path)?;
            file.lock()?;
            Ok(file)
        };
        match open() {
            Ok(file) => Ok(Self { _file: file }),
            Err(reason) => Err(SetupError::Lock { path: path.to_owned(), reason }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    #[test]
    fn one_at_a_time_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder/lock");
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _lock = Lock::acquire(&path).unwrap();
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(most.into_inner(), 1);
    }

    #[test]
    fn a_lock_that_cannot_be_made_names_its_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let below_a_file = file.path().join("lock");
        let message = Lock::acquire(&below_a_file).unwrap_err().to_string();
        assert!(message.starts_with(&below_a_file.display().to_string()), "{message}");
    }
}
