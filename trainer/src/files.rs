//! Writing files so that nobody ever sees half of one.
//!
//! What is written has a temporary name until it is whole, and is locked as long as it is worked on, in this program or in
//! another. A program that is killed leaves such a file behind without its lock, and whoever writes into that folder next
//! removes it.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile, TempDir};

/// How temporary names begin and end.
const PREFIX: &str = ".refrain-";
const SUFFIX: &str = ".tmp";

/// Writes a file under a temporary name in its folder, waits until it is on the disk, and renames it: whoever looks at
/// `path` finds the old file or the new one, never a part.
///
/// # Errors
/// The operating system's. Then no temporary file is left, and `path` is as it was, unless it was only the folder that
/// could not be brought to the disk.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    let mut file = temporary_file(folder)?;
    // by the file itself, for the error of its wrapper names the temporary file, which nobody knows of
    file.as_file_mut().write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// Makes a folder by way of a temporary one beside it, which `fill` fills. At `path` there may be an empty folder.
///
/// # Errors
/// The operating system's, or those of `fill`. Then no temporary folder is left.
pub(crate) fn write_whole_folder(path: &Path, fill: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let (temporary, _lock) = temporary_folder(folder_of(path))?;
    // temporary folders are private; this one is to be an ordinary folder
    let folder = temporary.path().join("data");
    fs::create_dir(&folder)?;
    fill(&folder)?;
    if path.exists() {
        fs::remove_dir(path)?;
    }
    fs::rename(&folder, path)
}

/// The folder that a file lies in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// A file with a temporary name, locked, in a folder without older ones.
fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    remove_left_over(folder);
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        // Temporary files are private by default; this one becomes an ordinary file, as the umask wants it.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    loop {
        let file = builder.tempfile_in(folder)?;
        if is_ours(file.as_file(), file.path()) {
            return Ok(file);
        }
    }
}

/// A folder with a temporary name, in a folder without older ones, and its lock where the system locks folders.
fn temporary_folder(folder: &Path) -> io::Result<(TempDir, Option<File>)> {
    remove_left_over(folder);
    loop {
        let made = Builder::new().prefix(PREFIX).suffix(SUFFIX).tempdir_in(folder)?;
        let Ok(lock) = File::open(made.path()) else { return Ok((made, None)) };
        if is_ours(&lock, made.path()) {
            return Ok((made, Some(lock)));
        }
    }
}

/// Locks what was just made. Another program that removes what is left over may have come in between.
fn is_ours(made: &File, path: &Path) -> bool {
    match made.try_lock() {
        Ok(()) => path.exists(),
        Err(TryLockError::WouldBlock) => false,
        // a file system without locks, where nothing is ever taken for left over
        Err(TryLockError::Error(_)) => true,
    }
}

/// Removes what has a temporary name and no lock. What cannot be removed does no harm.
fn remove_left_over(folder: &Path) {
    let is_temporary = |name: &OsStr| {
        let name = name.as_encoded_bytes();
        name.starts_with(PREFIX.as_bytes()) && name.ends_with(SUFFIX.as_bytes())
    };
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| is_temporary(&entry.file_name())) {
        let (path, kind) = (entry.path(), entry.file_type());
        let remove: fn(&Path) -> io::Result<()> = match kind {
            Ok(kind) if kind.is_file() => |path| fs::remove_file(path),
            Ok(kind) if kind.is_dir() => |path| fs::remove_dir_all(path),
            _ => continue,
        };
        // the lock is held until what it is on is gone
        if let Ok(left_over) = File::open(&path)
            && left_over.try_lock().is_ok()
        {
            remove(&path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let name = |entry: io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        std::fs::read_dir(folder).unwrap().map(name).collect()
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        write_whole(&path, b"a longer first version").unwrap();
        write_whole(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(names_in(folder.path()), ["model"]);
    }

    #[test]
    fn a_failure_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        // A folder that is not empty cannot be replaced by a file.
        let path = folder.path().join("taken");
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("kept"), b"").unwrap();
        write_whole(&path, b"bytes").unwrap_err();
        assert_eq!(names_in(folder.path()), ["taken"]);
        assert_eq!(names_in(&path), ["kept"]);
    }

    #[test]
    fn what_a_killed_program_left_is_removed_and_what_is_in_work_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in [".refrain-killed.tmp", ".refrain-in-work.tmp", ".refrain-notes", "other.tmp"] {
            fs::write(path(name), "").unwrap();
        }
        fs::create_dir_all(path(".refrain-folder.tmp/data")).unwrap();
        let in_work = File::open(path(".refrain-in-work.tmp")).unwrap();
        in_work.try_lock().unwrap();
        let left = || {
            let mut names = names_in(folder.path());
            names.sort();
            names
        };
        write_whole(&path("model"), b"bytes").unwrap();
        assert_eq!(left(), [".refrain-in-work.tmp", ".refrain-notes", "model", "other.tmp"]);
        drop(in_work);
        write_whole_folder(&path("new"), |_| Ok(())).unwrap();
        assert_eq!(left(), [".refrain-notes", "model", "new", "other.tmp"]);
    }

    #[test]
    fn many_writers_do_not_take_each_others_files_for_left_over() {
        let folder = tempfile::tempdir().unwrap();
        let (files, rounds) = (8, 25);
        std::thread::scope(|scope| {
            for number in 0..files {
                let path = folder.path().join(number.to_string());
                scope.spawn(move || {
                    for round in 0..rounds {
                        write_whole(&path, &[round; 5000]).unwrap();
                        assert_eq!(std::fs::read(&path).unwrap(), [round; 5000]);
                    }
                });
            }
        });
        assert_eq!(names_in(folder.path()).len(), files);
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_whole(&folder.path().join("none/model"), b"bytes").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
