//! Builds the firmware around model files.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::board::Board;
use super::elf::program_size;
use crate::evaluate::sha256_hex;
use crate::model_file::ModelFile;
use crate::setup::{Lock, SetupError, cargo, rust_target};

/// The environment variable that may name the source tree that firmware is built from.
pub const SOURCE_VARIABLE: &str = "REFRAIN_SOURCE";

const PACKAGE: &str = "refrain-firmware";
const PROFILE: &str = "firmware";

/// Why there is no firmware for a model.
#[derive(Debug, thiserror::Error)]
pub enum FirmwareError {
    /// The source tree is not where it was when this program was compiled.
    #[error(
        "{path}: this is not Refrain's source tree, which the firmware is built from; run this program from the \
         source tree, or name it in {SOURCE_VARIABLE}"
    )]
    NoSource {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A tool that is needed is not to be had.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A file of the build cannot be written, read or copied.
    #[error("{path}: cannot {action}: {reason}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was attempted.
        action: &'static str,
        /// What the system says.
        reason: io::Error,
    },
    /// Cargo cannot be run.
    #[error("cannot run cargo to build the firmware: {0}")]
    Cargo(io::Error),
    /// The firmware does not compile.
    #[error("the firmware cannot be built; cargo ended with {status} and these words:\n{messages}")]
    Build {
        /// How cargo ended.
        status: String,
        /// What it said.
        messages: String,
    },
    /// What came out is no program.
    #[error("{path}: this is not an ELF program that can be read: {reason}")]
    Elf {
        /// The program.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// A program for a board with models in it.
#[derive(Clone, Debug)]
pub struct Firmware {
    /// The ELF.
    pub elf: PathBuf,
    /// Bytes of flash that everything but the models takes.
    pub code_bytes: u64,
    /// Bytes of flash that the model files take.
    pub model_bytes: u64,
    /// Bytes of RAM for variables, without the stack.
    pub static_ram_bytes: u64,
    /// Where the log of a run that fails is kept.
    pub failure_folder: PathBuf,
}

/// Builds the firmware of `board` around `models`, whose numbers on the board are their places, with these
/// features of its package, and puts the program into `folder`.
///
/// The build has a target folder of its own, so that it waits for no other cargo, and takes no settings from
/// one that it runs in; several processes may call this at once.
///
/// # Errors
/// [`FirmwareError`].
pub fn build(
    board: Board,
    models: &[&ModelFile],
    features: &[&str],
    folder: &Path,
) -> Result<Firmware, FirmwareError> {
    let source = source_tree()?;
    rust_target(&source, board.target())?;
    let target_dir = source.join("target").join("device");
    let elf = folder.join("firmware.elf");
    let _lock = Lock::acquire(&target_dir.join("build.lock"))?;
    let files = place_models(models, &target_dir.join("models"))?;
    cargo_build(board, features, &source, &target_dir, &files)?;
    let built = target_dir.join(board.target()).join(PROFILE).join(PACKAGE);
    fs::copy(&built, &elf).map_err(in_file(&built, "copy the firmware"))?;
    let size = program_size(&elf)?;
    let model_bytes = models.iter().map(|model| model.as_bytes().len() as u64).sum();
    Ok(Firmware {
        elf,
        code_bytes: size.flash.saturating_sub(model_bytes),
        model_bytes,
        static_ram_bytes: size.ram,
        failure_folder: target_dir.join("failed"),
    })
}

/// Sees to it that cargo can build firmware for `board`.
///
/// # Errors
/// [`FirmwareError::NoSource`] or [`FirmwareError::Setup`].
pub fn set_up(board: Board) -> Result<(), FirmwareError> {
    Ok(rust_target(&source_tree()?, board.target())?)
}

/// The source tree: the one that the environment names, else the one that this program was compiled from.
fn source_tree() -> Result<PathBuf, FirmwareError> {
    let compiled_from = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(""));
    let named = env::var_os(SOURCE_VARIABLE).filter(|path| !path.is_empty());
    checked_source(named.map_or_else(|| compiled_from.to_owned(), PathBuf::from))
}

fn checked_source(path: PathBuf) -> Result<PathBuf, FirmwareError> {
    match path.join("firmware").join("Cargo.toml").is_file() {
        true => Ok(path),
        false => Err(FirmwareError::NoSource { path }),
    }
}

/// Writes the models into a folder that holds nothing else, under names made of what they hold: cargo builds
/// anew when the names change, and not when the same models come again.
fn place_models(models: &[&ModelFile], folder: &Path) -> Result<Vec<PathBuf>, FirmwareError> {
    fs::create_dir_all(folder).map_err(in_file(folder, "make this folder"))?;
    let path = |model: &&ModelFile| folder.join(format!("{}.rfn", &sha256_hex(model.as_bytes())[..16]));
    let paths: Vec<PathBuf> = models.iter().map(path).collect();
    for entry in fs::read_dir(folder).map_err(in_file(folder, "list this folder"))?.flatten() {
        if !paths.contains(&entry.path()) {
            fs::remove_file(entry.path()).map_err(in_file(&entry.path(), "remove this file"))?;
        }
    }
    for (path, model) in paths.iter().zip(models) {
        let there = fs::read(path).is_ok_and(|bytes| bytes == model.as_bytes());
        if !there {
            fs::write(path, model.as_bytes()).map_err(in_file(path, "write the model"))?;
        }
    }
    Ok(paths)
}

fn cargo_build(
    board: Board,
    features: &[&str],
    source: &Path,
    target_dir: &Path,
    models: &[PathBuf],
) -> Result<(), FirmwareError> {
    let models = env::join_paths(models).map_err(|error| {
        let reason = io::Error::new(io::ErrorKind::InvalidInput, error);
        FirmwareError::File { path: target_dir.to_owned(), action: "list models in this folder", reason }
    })?;
    let mut cargo = cargo();
    if let Some(core) = board.target_cpu() {
        cargo.env("CARGO_ENCODED_RUSTFLAGS", format!("-Ctarget-cpu={core}"));
    }
    let output = cargo
        .args(["build", "--locked", "--package", PACKAGE, "--profile", PROFILE, "--target", board.target()])
        .arg(format!("--features={}", features.join(",")))
        .arg("--target-dir")
        .arg(target_dir)
        .current_dir(source)
        .env("REFRAIN_BOARD", board.name())
        .env("REFRAIN_MODELS", models)
        .env("DEFMT_LOG", "info")
        .stdin(Stdio::null())
        .output()
        .map_err(FirmwareError::Cargo)?;
    if output.status.success() {
        return Ok(());
    }
    let messages = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(FirmwareError::Build { status: output.status.to_string(), messages })
}

/// Names the file in an error of the system.
fn in_file(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> FirmwareError {
    move |reason| FirmwareError::File { path: path.to_owned(), action, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_models;

    #[test]
    fn another_folder_is_not_the_source_tree() {
        let folder = tempfile::tempdir().unwrap();
        let message = checked_source(folder.path().to_owned()).unwrap_err().to_string();
        assert!(
            message.starts_with(&format!("{}: this is not Refrain's source tree", folder.path().display()))
        );
        assert!(message.contains("REFRAIN_SOURCE"), "{message}");
        assert!(source_tree().is_ok());
    }

    #[test]
    fn the_folder_of_models_holds_just_them() {
        let folder = tempfile::tempdir().unwrap();
        let models = [(3, 4, 2), (5, 4, 2), (3, 4, 3)].map(|(inputs, units, outputs)| {
            ModelFile::from_bytes("a model", &test_models::simple_rnn(inputs, units, outputs)).unwrap()
        });
        let first = place_models(&[&models[0], &models[1]], folder.path()).unwrap();
        assert_eq!(fs::read(&first[0]).unwrap(), models[0].as_bytes());
        let written = fs::metadata(&first[1]).unwrap().modified().unwrap();

        let second = place_models(&[&models[1], &models[2]], folder.path()).unwrap();
        assert_eq!(second[0], first[1]);
        assert_eq!(fs::metadata(&second[0]).unwrap().modified().unwrap(), written);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
