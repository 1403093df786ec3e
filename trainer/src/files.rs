//! Writing files so that nobody ever sees half of one.

use std::io::{self, Write};
use std::path::Path;

/// Writes a file under a temporary name in its folder, waits until it is on the disk, and renames it: whoever looks at
/// `path` finds the old file or the new one, never a part.
///
/// # Errors
/// The operating system's. Then no temporary file is left, and `path` is as it was, unless it was only the folder that
/// could not be brought to the disk.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // Temporary files are private by default; this one becomes an ordinary file, as the umask wants it.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.prefix(".refrain-").tempfile_in(folder)?;
    // by the file itself, for the error of its wrapper names the temporary file, which nobody knows of
    file.as_file_mut().write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
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
    fn a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_whole(&folder.path().join("none/model"), b"bytes").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
