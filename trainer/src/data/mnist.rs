//! Finds MNIST: in a folder named by the user, in the cache, or on a public mirror. Every byte is checked.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::download::{Downloader, remove};
use super::idx::{self, IdxFault, IdxFile};
use super::{DataError, Dataset, Split};

/// The environment variable that names a folder with the four MNIST files.
pub const FOLDER_VARIABLE: &str = "REFRAIN_MNIST_DIR";

const MIRRORS: [&str; 2] =
    ["https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"];

/// A file that must have exactly these sizes and these bytes.
#[derive(Debug, Clone)]
pub struct PinnedFile {
    /// Its name without `.gz`.
    pub name: &'static str,
    /// The sizes in its idx header: `[count, rows, columns]` or `[count]`.
    pub shape: Vec<usize>,
    /// SHA-256 of the uncompressed file, in hexadecimal.
    pub sha256: String,
}

/// Where to look for MNIST, and what counts as MNIST.
#[derive(Debug, Clone)]
pub struct Places {
    /// A folder named by the user: if there is one, MNIST must be there.
    pub folder: Option<PathBuf>,
    /// Where downloads are kept.
    pub cache: Option<PathBuf>,
    /// Where they come from.
    pub downloader: Downloader,
    /// Training images and labels, test images and labels.
    pub files: [PinnedFile; 4],
}

impl Places {
    /// The folder of `REFRAIN_MNIST_DIR`, the user's cache folder, the two public mirrors and the published files.
    pub fn from_environment() -> Places {
        Places {
            folder: std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from),
            cache: dirs::cache_dir().map(|cache| cache.join("refrain").join("mnist")),
            downloader: Downloader::new(MIRRORS),
            files: published_files(),
        }
    }
}

/// The four files as Yann LeCun, Corinna Cortes and Christopher Burges published them.
pub fn published_files() -> [PinnedFile; 4] {
    let pinned = |name, shape: &[usize], sha256: &str| PinnedFile {
        name,
        shape: shape.to_vec(),
        sha256: sha256.into(),
    };
    [
        pinned(
            idx::TRAIN[0],
            &[60_000, 28, 28],
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        pinned(idx::TRAIN[1], &[60_000], "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        pinned(
            idx::TEST[0],
            &[10_000, 28, 28],
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        pinned(idx::TEST[1], &[10_000], "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ]
}

/// Loads MNIST and says where from.
///
/// # Errors
/// A folder named by the user that does not hold MNIST is an error, not a reason to look elsewhere. Otherwise
/// [`DataError::Download`] when neither the cache nor a mirror has it, or [`DataError::Io`].
pub fn load(places: &Places) -> Result<(Dataset, String), DataError> {
    if let Some(folder) = &places.folder {
        let set = from_folder(folder, &places.files)?;
        return Ok((set, format!("MNIST from {}, the folder named by {FOLDER_VARIABLE}", folder.display())));
    }
    let cache = places.cache.as_deref().ok_or(DataError::NoCache)?;
    if let Ok(set) = from_folder(cache, &places.files) {
        return Ok((set, format!("MNIST from the cache, {}", cache.display())));
    }
    let set = complete_cache(cache, places)?;
    Ok((set, format!("MNIST, downloaded to {}", cache.display())))
}

fn from_folder(folder: &Path, files: &[PinnedFile; 4]) -> Result<Dataset, DataError> {
    if !folder.is_dir() {
        return Err(DataError::NoFolder { path: folder.to_path_buf() });
    }
    assemble(files, |file| {
        let path = idx::find(folder, file.name)?;
        Ok((read_pinned(&path, file)?, path))
    })
}

/// Keeps what is sound in the cache, deletes what is not, and downloads what is missing.
fn complete_cache(cache: &Path, places: &Places) -> Result<Dataset, DataError> {
    fs::create_dir_all(cache).map_err(DataError::io(cache, "make this folder"))?;
    // Two programs that write into one `.part` file would spoil each other's download: the second waits.
    let lock_path = cache.join("lock");
    let lock = File::create(&lock_path).map_err(DataError::io(&lock_path, "make this file"))?;
    lock.lock().map_err(DataError::io(&lock_path, "lock it"))?;
    assemble(&places.files, |file| {
        if let Ok(path) = idx::find(cache, file.name) {
            if let Ok(elements) = read_pinned(&path, file) {
                return Ok((elements, path));
            }
            remove(&path)?;
        }
        let name = format!("{}.gz", file.name);
        // Compressed, it is never much longer than it is.
        let limit = file.shape.iter().product::<usize>() as u64 + (1 << 16);
        let elements = places.downloader.fetch(&name, cache, limit, |path| read_pinned(path, file))?;
        Ok((elements, cache.join(name)))
    })
}

/// Builds the set out of four files, each given by `read` as its elements and its path.
fn assemble(
    files: &[PinnedFile; 4],
    mut read: impl FnMut(&PinnedFile) -> Result<(Vec<u8>, PathBuf), DataError>,
) -> Result<Dataset, DataError> {
    let mut split = |images: &PinnedFile, labels: &PinnedFile| {
        // The small file first: without a network, that is what the time is lost on.
        let (label_bytes, labels_from) = read(labels)?;
        let (pixels, images_from) = read(images)?;
        Split::of_images(idx::image_array(&images.shape, pixels), label_bytes, images_from, labels_from)
    };
    let [train_images, train_labels, test_images, test_labels] = files;
    Dataset::of_images("mnist", split(train_images, train_labels)?, split(test_images, test_labels)?)
}

/// The elements of the idx file at `path`, if it is the one that `file` describes.
fn read_pinned(path: &Path, file: &PinnedFile) -> Result<Vec<u8>, DataError> {
    let fault = DataError::idx(path);
    let found = IdxFile::open(path, file.shape.len() as u8)?;
    // Looked at first: it also bounds what a hostile file can make us read.
    if found.shape() != file.shape {
        let (found, expected) = (found.shape().to_vec(), file.shape.clone());
        return Err(fault(IdxFault::WrongShape { found, expected }));
    }
    let header = found.header();
    let elements = found.read()?;
    let sum = Sha256::new().chain_update(header).chain_update(&elements).finalize();
    let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    if sum != file.sha256 {
        let expected = file.sha256.clone();
        return Err(fault(IdxFault::WrongSum { found: sum, expected }));
    }
    Ok(elements)
}
