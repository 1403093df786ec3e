//! Output paths, checked before the work rather than after it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use refrain::format::MAGIC as MODEL_MAGIC;
use refrain_trainer::checkpoint::MAGIC as CHECKPOINT_MAGIC;

use super::error::CliError;

/// What is to be written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Checkpoint,
    Model,
    Page,
    Data,
}

impl Kind {
    /// What it is called, and how an earlier file that it may replace begins; `None` where it may replace none.
    fn described(self) -> (&'static str, Option<&'static [u8]>) {
        match self {
            Self::Checkpoint => ("checkpoint", Some(&CHECKPOINT_MAGIC)),
            Self::Model => ("model file", Some(&MODEL_MAGIC)),
            Self::Page => ("HTML page", Some(b"<!DOCTYPE html>")),
            Self::Data => ("data", None),
        }
    }

    /// Whether it may replace the file at `path`: an empty one, or an earlier one of its kind.
    fn may_replace(self, path: &Path) -> io::Result<bool> {
        let (_, expected) = self.described();
        let mut start = Vec::new();
        let most = expected.map_or(1, <[u8]>::len);
        File::open(path)?.take(most as u64).read_to_end(&mut start)?;
        Ok(start.is_empty() || Some(start.as_slice()) == expected)
    }
}

/// Makes sure that a file of that kind can be written to `path`: its folder takes files, and nothing is in the way but a
/// file that may be replaced. Data, checkpoints and whatever else a slip of the keyboard may name stay.
///
/// The file itself is left as it is until there is something whole to put there.
pub(super) fn check_file(path: &Path, kind: Kind) -> Result<(), CliError> {
    check_named("--out", path, kind)
}

/// [`check_file`] for another flag than `--out`.
pub(super) fn check_named(flag: &'static str, path: &Path, kind: Kind) -> Result<(), CliError> {
    let fault = |problem: String| CliError::Destination { flag, path: path.to_owned(), problem };
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
        Ok(_) if !kind.may_replace(path).map_err(|reason| fault(reason.to_string()))? => {
            return Err(fault(match kind.described() {
                (_, None) => "a file is there already, and would be replaced; name another".into(),
                (name, Some(_)) => {
                    format!(
                        "the file there is no earlier {name}, and would be replaced; name another, or remove it"
                    )
                }
            }));
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

/// Makes sure that the checkpoint `path` and the run folder are not one and the same.
pub(super) fn check_apart(path: &Path, run: &Path) -> Result<(), CliError> {
    match (std::path::absolute(path), std::path::absolute(run)) {
        (Ok(file), Ok(folder)) if file == folder => Err(CliError::Destination {
            flag: "--out",
            path: path.to_owned(),
            problem: "the run folder is to be there too; name another by --run".into(),
        }),
        _ => Ok(()),
    }
}

/// Makes sure that `path` is a folder that files can be written to, and makes it where there is none.
pub(super) fn make_folder(path: &Path) -> Result<(), CliError> {
    let make = || fs::create_dir_all(path).and_then(|()| check_folder(path));
    make().map_err(|reason| CliError::Destination {
        flag: "--out",
        path: path.to_owned(),
        problem: format!("no files can be written to this folder: {reason}"),
    })
}

/// Makes a file in the folder, without a name where the system can, and gone again at once.
fn check_folder(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_a_folder_of_ours_will_do_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        check_file(&folder.path().join("new"), Kind::Model).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(folder.path().join("old"), "RFRN kept").unwrap();
        check_file(&folder.path().join("old"), Kind::Model).unwrap();
        assert_eq!(fs::read(folder.path().join("old")).unwrap(), b"RFRN kept");
        check_file(Path::new("in-the-working-folder"), Kind::Model).unwrap();
    }

    #[test]
    fn only_an_empty_file_or_one_of_the_same_kind_may_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("there");
        let kinds = [Kind::Checkpoint, Kind::Model, Kind::Page, Kind::Data];
        let replaced_by = |start: &[u8]| {
            fs::write(&path, start).unwrap();
            kinds.map(|kind| check_file(&path, kind).is_ok())
        };
        assert_eq!(replaced_by(b""), [true; 4]);
        assert_eq!(replaced_by(b"REFRCKPT and so on"), [true, false, false, false]);
        assert_eq!(replaced_by(b"RFRN and so on"), [false, true, false, false]);
        assert_eq!(replaced_by(b"<!DOCTYPE html><html>"), [false, false, true, false]);
        assert_eq!(replaced_by(b"PK\x03\x04 an .npz file"), [false; 4]);
        assert_eq!(replaced_by(b"R"), [false; 4]);
        let message = check_file(&path, Kind::Checkpoint).unwrap_err().to_string();
        assert!(message.contains("no earlier checkpoint, and would be replaced"), "{message}");
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let message = |path: &Path| check_file(path, Kind::Model).unwrap_err().to_string();
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
        let message = check_file(Path::new("/dev/null"), Kind::Model).unwrap_err().to_string();
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
