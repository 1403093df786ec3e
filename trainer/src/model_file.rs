//! Model files on the host: read, checked, aligned as the runtime wants them, and written whole or not at all.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::files::write_whole;
use refrain::format::PAYLOAD_ALIGNMENT;
use refrain::{AnyModel, ModelError};

/// Why a model file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelFileError {
    /// The file cannot be read.
    #[error("{path}: cannot read the model file: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The file cannot be written.
    #[error("{path}: cannot write the model file: {reason}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The bytes are no model, or a damaged one.
    #[error("{name}: {reason}")]
    Model {
        /// The file, or what the bytes are called.
        name: String,
        /// What is wrong with them.
        reason: ModelError,
    },
}

/// A whole, undamaged model file, in memory as the runtime wants it: it begins at a multiple of 16.
///
/// ```
/// use refrain_trainer::model_file::ModelFile;
///
/// let error = ModelFile::from_bytes("lstm.rfn", b"no model at all").unwrap_err();
/// assert!(error.to_string().starts_with("lstm.rfn: "));
/// ```
#[derive(Clone)]
pub struct ModelFile {
    name: String,
    bytes: AlignedBytes,
}

impl ModelFile {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`ModelFileError`], which names the file.
    pub fn load(path: &Path) -> Result<Self, ModelFileError> {
        let bytes =
            fs::read(path).map_err(|reason| ModelFileError::Read { path: path.to_owned(), reason })?;
        Self::from_bytes(&path.display().to_string(), &bytes)
    }

    /// Checks the bytes of a file that errors shall call `name`.
    ///
    /// # Errors
    /// [`ModelFileError::Model`].
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self, ModelFileError> {
        let bytes = AlignedBytes::copy_of(bytes);
        match AnyModel::from_bytes(bytes.as_slice()) {
            Ok(_) => Ok(Self { name: name.to_owned(), bytes }),
            Err(reason) => Err(ModelFileError::Model { name: name.to_owned(), reason }),
        }
    }

    /// The network in the file.
    pub fn model(&self) -> AnyModel<'_> {
        AnyModel::from_bytes(self.as_bytes()).expect("the same bytes were checked when they were loaded")
    }

    /// The file as it is on disk, beginning at a multiple of 16.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Writes the file: whoever looks at `path` sees the old file or the whole new one.
    ///
    /// # Errors
    /// [`ModelFileError::Write`].
    pub fn save(&self, path: &Path) -> Result<(), ModelFileError> {
        write_whole(path, self.as_bytes())
            .map_err(|reason| ModelFileError::Write { path: path.to_owned(), reason })
    }

    /// The file's path, or what its bytes were called.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for ModelFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.as_bytes().len();
        f.debug_struct("ModelFile").field("name", &self.name).field("bytes", &bytes).finish()
    }
}

/// Bytes that begin at a multiple of 16, as the runtime wants a model to.
#[derive(Clone)]
pub(crate) struct AlignedBytes {
    /// An integer that is aligned so.
    blocks: Vec<u128>,
    length: usize,
}

const _: () = assert!(align_of::<u128>() >= PAYLOAD_ALIGNMENT, "this host does not align a u128 to 16 bytes");

impl AlignedBytes {
    pub(crate) fn copy_of(bytes: &[u8]) -> Self {
        let mut blocks = vec![0u128; bytes.len().div_ceil(PAYLOAD_ALIGNMENT)];
        bytemuck::cast_slice_mut(&mut blocks)[..bytes.len()].copy_from_slice(bytes);
        Self { blocks, length: bytes.len() }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.blocks)[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_models;

    #[test]
    fn bytes_lie_where_the_runtime_wants_them() {
        for length in 0..70 {
            let bytes: Vec<u8> = (0..length).collect();
            let aligned = AlignedBytes::copy_of(&bytes);
            assert_eq!(aligned.as_slice(), bytes);
            assert_eq!(aligned.as_slice().as_ptr().addr() % 16, 0);
        }
    }

    #[test]
    fn a_file_is_loaded_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sum.rfn");
        let bytes = test_models::simple_rnn(3, 4, 2);
        fs::write(&path, &bytes).unwrap();
        let file = ModelFile::load(&path).unwrap();
        assert_eq!(file.as_bytes(), bytes);
        assert_eq!(file.model().header().shape.to_string(), "3 inputs, 4 units, 2 outputs");
    }

    #[test]
    fn errors_name_the_file() {
        let missing = ModelFile::load(Path::new("no/such.rfn")).unwrap_err().to_string();
        assert!(missing.starts_with("no/such.rfn: cannot read the model file: "), "{missing}");
        let mut bytes = test_models::simple_rnn(3, 4, 2);
        bytes[40] ^= 1;
        let damaged = ModelFile::from_bytes("some.rfn", &bytes).unwrap_err().to_string();
        assert!(damaged.starts_with("some.rfn: "), "{damaged}");
    }
}
