//! The idx reader on sound files, and on every kind of unsound one: each error names the file.

mod data_support;

use std::fs;
use std::path::Path;

use data_support::{gzip, idx, small_set, write_small_set};
use refrain_trainer::data::idx::{IdxFault, read_folder};
use refrain_trainer::data::{DataError, Dataset, Source, ValuesView, load};
use tempfile::TempDir;

const IMAGES: &str = "train-images-idx3-ubyte";
const LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

fn folder_with_small_set() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_small_set(folder.path());
    folder
}

fn fault_of(error: &DataError) -> &IdxFault {
    match error {
        DataError::Idx { fault, .. } => fault,
        other => panic!("no idx file is at fault: {other}"),
    }
}

/// Loads the small set with `name` replaced by `bytes`.
fn with_file(name: &str, bytes: &[u8]) -> Result<Dataset, DataError> {
    let folder = folder_with_small_set();
    fs::write(folder.path().join(name), bytes).expect("a file in a temporary folder");
    read_folder(folder.path())
}

/// The error that `bytes` in place of `name` lead to; its message must name the file and contain `part`.
fn refused(name: &str, bytes: &[u8], part: &str) -> DataError {
    let error = with_file(name, bytes).expect_err(part);
    let text = error.to_string();
    assert!(text.contains(&format!("{name}: ")), "does not name {name}: {text}");
    assert!(text.contains(part), "does not say {part:?}: {text}");
    error
}

fn assert_is_small_set(set: &Dataset) {
    assert_eq!(set.classes(), ["0", "1", "2"]);
    assert_eq!((set.timesteps(), set.inputs()), (2, 3));
    assert_eq!(set.train().labels(), Some(&[0, 2, 1, 2][..]));
    assert_eq!(set.test().labels(), Some(&[1, 0][..]));
    assert_eq!(set.train().view().sequence(1), ValuesView::U8(&[42, 49, 56, 63, 70, 77]));
    assert_eq!(set.test().view().images().expect("images").pixels[[1, 1, 2]], 245);
}

#[test]
fn plain_files_are_read() {
    let folder = folder_with_small_set();
    let set = read_folder(folder.path()).expect("a sound set");
    assert_is_small_set(&set);
    assert_eq!(set.name(), folder.path().file_name().expect("a name").to_string_lossy());
}

#[test]
fn gzip_files_are_read_whatever_their_names() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (index, (name, bytes)) in small_set().into_iter().enumerate() {
        // Compressed with and without .gz, and a plain file called .gz: the first bytes decide.
        let (name, bytes) = match index {
            0 => (name.to_owned(), gzip(&bytes)),
            1 => (format!("{name}.gz"), bytes),
            _ => (format!("{name}.gz"), gzip(&bytes)),
        };
        fs::write(folder.path().join(name), bytes).expect("a file in a temporary folder");
    }
    assert_is_small_set(&read_folder(folder.path()).expect("a sound set"));
}

#[test]
fn a_gzip_file_of_several_members_is_one_file() {
    let (_, bytes) = &small_set()[0];
    let members = [gzip(&bytes[..9]), gzip(&bytes[9..])].concat();
    assert_is_small_set(&with_file(IMAGES, &members).expect("a sound set"));
}

#[test]
fn load_reads_the_folder_named() {
    let folder = folder_with_small_set();
    let word = folder.path().display().to_string();
    let loaded = load(Some(&word.parse::<Source>().expect("a folder"))).expect("a sound set");
    assert_is_small_set(&loaded.dataset);
    assert_eq!(loaded.why, format!("the idx files in {word}, as --data says"));
}

#[test]
fn the_words_after_data_are_told_apart() {
    assert_eq!("mnist".parse::<Source>().expect("a word"), Source::Mnist);
    assert_eq!("digits".parse::<Source>().expect("a word"), Source::Digits);
    assert_eq!("MNIST".parse::<Source>().expect("a folder"), Source::Path("MNIST".into()));
    for word in ["mnist", "digits", "some/folder"] {
        assert_eq!(word.parse::<Source>().expect("a source").to_string(), word);
    }
    let text = "".parse::<Source>().expect_err("nothing").to_string();
    assert!(text.starts_with("--data is empty; it takes a folder"), "{text}");
}

#[test]
fn a_folder_that_is_none_is_named() {
    let folder = folder_with_small_set();
    for path in [folder.path().join("nowhere"), folder.path().join(IMAGES)] {
        let text = read_folder(&path).expect_err("no folder").to_string();
        assert!(text.starts_with(&format!("{}: no such folder; ", path.display())), "{text}");
    }
}

#[test]
fn each_missing_file_is_named() {
    for name in [IMAGES, LABELS, TEST_IMAGES, TEST_LABELS] {
        let folder = folder_with_small_set();
        fs::remove_file(folder.path().join(name)).expect("the file");
        let error = read_folder(folder.path()).expect_err(name);
        assert!(matches!(fault_of(&error), IdxFault::Missing), "{error}");
        let path = folder.path().join(name);
        assert!(error.to_string().starts_with(&format!("{}: no such file", path.display())), "{error}");
    }
}

#[test]
fn a_file_cut_anywhere_is_truncated() {
    for (name, bytes) in small_set() {
        for length in 0..bytes.len() {
            let text = refused(name, &bytes[..length], "truncated: ").to_string();
            assert!(text.contains(&format!("{length} bytes (uncompressed) where ")), "{text}");
            let error = refused(name, &gzip(&bytes[..length]), "truncated: ");
            assert!(
                matches!(fault_of(&error), IdxFault::Truncated { found, .. } if *found == length),
                "{error}"
            );
        }
    }
}

#[test]
fn other_files_are_not_idx() {
    refused(
        IMAGES,
        b"\x89PNG\r\n\x1a\n and more",
        "not an idx file: it starts with the bytes [89, 50, 4e, 47]",
    );
    refused(LABELS, b"label\n1\n2\n", "where 00 00 08 01 was expected");
    refused(IMAGES, &[0, 0, 7, 3, 0, 0, 0, 1], "not an idx file");
    refused(IMAGES, &gzip(b"some words"), "not an idx file");
}

#[test]
fn other_element_types_are_named() {
    for kind in [0x09, 0x0b, 0x0c, 0x0d, 0x0e] {
        let mut bytes = small_set()[0].1.clone();
        bytes[2] = kind;
        refused(IMAGES, &bytes, &format!("its elements are of idx type 0x{kind:02x}"));
    }
}

#[test]
fn images_in_place_of_labels_are_refused() {
    refused(LABELS, &small_set()[0].1, "it has 3 dimension(s) where 1 was expected");
    refused(TEST_IMAGES, &small_set()[3].1, "it has 1 dimension(s) where 3 was expected");
}

#[test]
fn bytes_that_follow_are_refused() {
    for (name, mut bytes) in small_set() {
        let length = bytes.len();
        bytes.push(0);
        refused(name, &bytes, &format!("bytes follow after the {length} (uncompressed)"));
        refused(name, &gzip(&bytes), &format!("bytes follow after the {length} (uncompressed)"));
    }
}

#[test]
fn an_empty_set_is_refused() {
    refused(IMAGES, &idx(&[0, 2, 3], &[]), "it holds no samples: its sizes are [0, 2, 3]");
    refused(LABELS, &idx(&[0], &[]), "it holds no samples: its sizes are [0]");
    refused(TEST_LABELS, &idx(&[0], &[]), "it holds no samples");
}

#[test]
fn images_without_pixels_are_refused() {
    refused(IMAGES, &idx(&[4, 0, 3], &[]), "its images have no pixels: its sizes are [4, 0, 3]");
    refused(IMAGES, &idx(&[4, 2, 0], &[]), "its images have no pixels: its sizes are [4, 2, 0]");
}

#[test]
fn sizes_that_overflow_are_refused() {
    let most = u32::MAX;
    refused(IMAGES, &idx(&[most, most, most], &[0; 40]), "multiply to more than this machine can address");
    // 2^64 - 2^32: no product overflows, yet no array can be that large.
    refused(IMAGES, &idx(&[most, 1 << 31, 2], &[0; 40]), "multiply to more than this machine can address");
}

/// Were memory taken for what these headers claim, 16 EiB or 4 TiB, the test would be aborted.
#[test]
fn a_lying_header_costs_no_memory() {
    for shape in [[1_000_000, 100_000, 40_000_000], [4, 1_000_000, 1_000_000]] {
        let bytes = idx(&shape, &[0; 24]);
        for bytes in [gzip(&bytes), bytes] {
            let folder = folder_with_small_set();
            fs::write(folder.path().join(IMAGES), &bytes).expect("a file in a temporary folder");
            fs::write(folder.path().join(LABELS), idx(&shape[..1], &[0; 4])).expect("a file");
            let text = read_folder(folder.path()).expect_err("a lie").to_string();
            assert!(text.contains(&format!("{IMAGES}: ")), "{text}");
        }
    }
}

#[test]
fn counts_that_differ_name_both_files() {
    let error = refused(LABELS, &idx(&[3], &[0, 1, 2]), "3 labels for the 4 images of ");
    assert!(error.to_string().ends_with(IMAGES), "{error}");
    refused(TEST_LABELS, &idx(&[5], &[0; 5]), "5 labels for the 2 images of ");
}

#[test]
fn corrupt_gzip_is_refused_wherever_it_is_cut_or_flipped() {
    let sound = gzip(&small_set()[0].1);
    for length in 2..sound.len() {
        refused(IMAGES, &sound[..length], "corrupt gzip data: ");
    }
    let header_end = 10;
    for index in header_end..sound.len() {
        let mut flipped = sound.clone();
        flipped[index] ^= 0x10;
        let Err(error) = with_file(IMAGES, &flipped) else { panic!("a flip of byte {index} went unnoticed") };
        assert!(error.to_string().contains(IMAGES), "{error}");
    }
    refused(IMAGES, &[&sound[..], b"garbage"].concat(), "corrupt gzip data: ");
}

#[test]
fn a_label_beyond_the_training_labels_is_named() {
    refused(TEST_LABELS, &idx(&[2], &[1, 3]), "label 3 at index 1 is out of range");
}

#[test]
fn test_images_of_another_size_are_named() {
    let error = refused(TEST_IMAGES, &idx(&[2, 3, 2], &[0; 12]), "its images are [3, 2] (rows, columns)");
    assert!(error.to_string().contains(IMAGES), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = folder_with_small_set();
    let path = folder.path().join(LABELS);
    fs::remove_file(&path).expect("the file");
    fs::create_dir(&path).expect("a folder in its place");
    let text = read_folder(folder.path()).expect_err("a folder is no file").to_string();
    assert!(text.starts_with(&format!("{}: no such file", path.display())), "{text}");
    let error = refrain_trainer::data::idx::IdxFile::open(Path::new("/nonexistent/labels"), 1);
    let text = error.err().expect("no such file").to_string();
    assert!(text.starts_with("/nonexistent/labels: cannot open it: "), "{text}");
}
