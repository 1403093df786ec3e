//! Output paths, checked before the work rather than after it.

use std::fs;
use std::io;
use std::path::Path;

use super::error::CliError;

/// Makes sure that a file can be written to `path`: its folder takes files, and nothing but a file is in the way.
///
/// The file itself is left as it is until there is something whole to put there.
pub(super) fn check_file(path: &Path) -> Result<(), CliError> {
    let fault = |problem: String| CliError::Destination { path: path.to_owned(), problem };
    if path.file_name().is_none() {
        return Err(fault("a file name is expected".into()));
    }
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            return Err(fault("a folder is there, a file name is expected".into()));
        }
        Ok(found) if !found.is_file() => {
            return Err(fault("something is there that is no ordinary file, and would be replaced".into()));
        }
        Err(reason) if reason.kind() != io::ErrorKind::NotFound => return Err(fault(reason.to_string())),
        _ => {}
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    check_folder(folder).map_err(|reason| match reason.kind() {
        io::ErrorKind::NotFound => {
            fault(format!("there is no folder {}; make it, or name another", folder.display()))
        }
        _ => fault(format!("cannot write to the folder {}: {reason}", folder.display())),
    })
}

/// Makes sure that writing to `path` does not replace `input`, the file that the work begins with.
pub(super) fn check_not_input(path: &Path, input: &Path) -> Result<(), CliError> {
    // A path that leads nowhere is no file that could be replaced.
    match (fs::canonicalize(path), fs::canonicalize(input)) {
        (Ok(output), Ok(found)) if output == found => Err(CliError::Destination {
            path: path.to_owned(),
            problem: "this is the file to be read, and would be replaced; name another".into(),
        }),
        _ => Ok(()),
    }
}

/// Makes sure that `path` is a folder that files can be written to, and makes it where there is none.
pub(super) fn make_folder(path: &Path) -> Result<(), CliError> {
    let make = || fs::create_dir_all(path).and_then(|()| check_folder(path));
    make().map_err(|reason| CliError::Destination {
        path: path.to_owned(),
        problem: format!("no files can be written to this folder: {reason}"),
    })
}

/// Makes a file in the folder, which is gone again at once.
fn check_folder(folder: &Path) -> io::Result<()> {
    tempfile::Builder::new().prefix(".refrain-").tempfile_in(folder)?.close()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_a_folder_of_ours_will_do_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        check_file(&folder.path().join("new")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(folder.path().join("old"), "kept").unwrap();
        check_file(&folder.path().join("old")).unwrap();
        assert_eq!(fs::read(folder.path().join("old")).unwrap(), b"kept");
        check_file(Path::new("in-the-working-folder")).unwrap();
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let message = |path: &Path| check_file(path).unwrap_err().to_string();
        assert!(message(folder.path()).contains("a folder is there"));
        assert!(message(Path::new("")).contains("a file name is expected"));
        let missing = message(&folder.path().join("none/f.ckpt"));
        assert!(missing.contains("none/f.ckpt") && missing.contains("there is no folder"), "{missing}");
        // Below a file, nothing can be written, not even by root.
        let below = message(&folder.path().join("file/f.ckpt"));
        assert!(below.contains("Not a directory"), "{below}");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_replaced_by_a_file() {
        let message = check_file(Path::new("/dev/null")).unwrap_err().to_string();
        assert!(message.contains("no ordinary file"), "{message}");
    }

    #[test]
    fn folders_are_made() {
        let folder = tempfile::tempdir().unwrap();
        make_folder(&folder.path().join("a/b")).unwrap();
        assert!(folder.path().join("a/b").is_dir());
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(make_folder(&folder.path().join("file")).is_err());
    }
}
