//! Model files on the desktop: read, aligned as the runtime wants them, and written whole or not at all.

use std::path::{Path, PathBuf};

use refrain::format::PAYLOAD_ALIGNMENT;
use refrain::{AnyModel, ModelError};

/// Why a model file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ModelFileError {
    /// The file cannot be read.
    #[error("cannot read the model {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no model.
    #[error("{}: {source}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ModelError,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The bytes of a model file, beginning at a multiple of 16 in memory.
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// An integer whose alignment is what the runtime wants.
    blocks: Vec<u128>,
    length: usize,
}

const _: () = assert!(align_of::<u128>() >= PAYLOAD_ALIGNMENT, "this host does not align a u128 to 16 bytes");

impl ModelFile {
    /// A copy of `bytes`, unchecked.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut blocks = vec![0u128; bytes.len().div_ceil(PAYLOAD_ALIGNMENT)];
        bytemuck::cast_slice_mut(&mut blocks)[..bytes.len()].copy_from_slice(bytes);
        Self { blocks, length: bytes.len() }
    }

    /// Reads a file and checks that it is a model.
    ///
    /// # Errors
    /// [`ModelFileError::Read`] or [`ModelFileError::Model`].
    pub fn load(path: &Path) -> Result<Self, ModelFileError> {
        let bytes =
            std::fs::read(path).map_err(|source| ModelFileError::Read { path: path.to_owned(), source })?;
        let file = Self::from_bytes(&bytes);
        match AnyModel::from_bytes(file.as_bytes()) {
            Ok(_) => Ok(file),
            Err(source) => Err(ModelFileError::Model { path: path.to_owned(), source }),
        }
    }

    /// The bytes, beginning at a multiple of 16.
    pub fn as_bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.blocks)[..self.length]
    }

    /// The checked model in the bytes.
    ///
    /// # Errors
    /// What [`AnyModel::from_bytes`] says of bytes that were never checked.
    pub fn model(&self) -> Result<AnyModel<'_>, ModelError> {
        AnyModel::from_bytes(self.as_bytes())
    }

    /// Writes the file under a temporary name beside `path` and renames it.
    ///
    /// # Errors
    /// [`ModelFileError::Write`].
    pub fn save(&self, path: &Path) -> Result<(), ModelFileError> {
        crate::files::write_whole(path, self.as_bytes())
            .map_err(|source| ModelFileError::Write { path: path.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_any_length_are_kept_and_aligned() {
        for length in [0, 1, 15, 16, 17, 100] {
            let bytes: Vec<u8> = (0..length).collect();
            let file = ModelFile::from_bytes(&bytes);
            assert_eq!(file.as_bytes(), bytes);
            assert_eq!(file.as_bytes().as_ptr().addr() % 16, 0);
        }
    }

    #[test]
    fn a_file_that_is_no_model_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("note.rfn");
        std::fs::write(&path, "not a model").unwrap();
        let message = ModelFile::load(&path).unwrap_err().to_string();
        assert!(message.contains("note.rfn") && message.contains("not a model file"), "{message}");
        let missing = ModelFile::load(&folder.path().join("none.rfn")).unwrap_err().to_string();
        assert!(missing.contains("none.rfn"), "{missing}");
    }
}
