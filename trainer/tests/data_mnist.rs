//! Finding and fetching MNIST, against a server on this machine that truncates, stalls and lies.

#[path = "data_support/server.rs"]
mod data_server;
mod data_support;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use data_server::{Manner, Server};
use data_support::{gzip, idx, small_set, write_small_set};
use refrain_trainer::data::download::Downloader;
use refrain_trainer::data::idx::IdxFault;
use refrain_trainer::data::mnist::{self, FOLDER_VARIABLE, PinnedFile, Places, published_files};
use refrain_trainer::data::{DataError, Source, ValuesView, load, load_with};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const IMAGES: &str = "train-images-idx3-ubyte";

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The small set, as if it were MNIST.
fn small_files() -> [PinnedFile; 4] {
    small_set().map(|(name, bytes)| {
        let sizes = bytes[4..4 + 4 * usize::from(bytes[3])].chunks(4);
        PinnedFile { name, shape: sizes.map(|size| usize::from(size[3])).collect(), sha256: sha256(&bytes) }
    })
}

fn downloader(servers: &[&Server]) -> Downloader {
    Downloader {
        stall_timeout: Duration::from_secs(1),
        proxy: None,
        progress: false,
        ..Downloader::new(servers.iter().map(|server| server.base.clone()))
    }
}

/// An empty cache, and where to fill it from.
fn places(servers: &[&Server]) -> (TempDir, Places) {
    let cache = tempfile::tempdir().expect("a temporary folder");
    let path = cache.path().join("made").join("when needed");
    let places =
        Places { folder: None, cache: Some(path), downloader: downloader(servers), files: small_files() };
    (cache, places)
}

/// Fetches the training images of the small set, about 50 bytes compressed.
fn fetch_images(servers: &[&Server], folder: &Path) -> Result<Vec<u8>, DataError> {
    fetch_images_with(&downloader(servers), folder)
}

fn fetch_images_with(downloader: &Downloader, folder: &Path) -> Result<Vec<u8>, DataError> {
    let (wanted, limit) = (gzip(&small_set()[0].1), 10_000);
    downloader.fetch(&format!("{IMAGES}.gz"), folder, limit, |path| {
        let found = fs::read(path).expect("the part just written");
        let wrong = || DataError::Idx {
            path: path.into(),
            fault: IdxFault::WrongSum { found: sha256(&found), expected: sha256(&wanted) }.into(),
        };
        if found == wanted { Ok(found.clone()) } else { Err(wrong()) }
    })
}

/// Fetches from servers of the manners given, two of them where there are two lists; asserts success and tidiness.
fn fetched_from(first: &[Manner], second: &[Manner]) -> [Vec<String>; 2] {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (first, second) = (Server::new(first), Server::new(second));
    let bytes = fetch_images(&[&first, &second], folder.path()).expect("a download");
    assert_eq!(bytes, gzip(&small_set()[0].1));
    assert_eq!(fs::read(folder.path().join(format!("{IMAGES}.gz"))).expect("the file"), bytes);
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1, "a .part file was left");
    [first.requests(), second.requests()]
}

/// Fetches from one server of the manners given, which must fail with `part` in the message.
fn not_fetched_from(manners: &[Manner], part: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::new(manners);
    let once = Downloader { rounds: 1, ..downloader(&[&server]) };
    let error = fetch_images_with(&once, folder.path()).expect_err(part);
    let text = error.to_string();
    assert!(text.starts_with(&format!("{IMAGES}.gz: no mirror delivered it: {}", server.base)), "{text}");
    assert!(text.contains(part), "does not say {part:?}: {text}");
    assert!(!folder.path().join(format!("{IMAGES}.gz")).exists(), "a bad file was kept");
    folder
}

fn all() -> String {
    format!("{IMAGES}.gz")
}

fn from(byte: usize) -> String {
    format!("{IMAGES}.gz from {byte}")
}

#[test]
fn an_honest_mirror_is_asked_once() {
    assert_eq!(fetched_from(&[Manner::Honest], &[Manner::Honest]), [vec![all()], vec![]]);
}

#[test]
fn the_second_mirror_continues_where_the_first_broke_off() {
    let requests = fetched_from(&[Manner::BreaksOffAfter(30)], &[Manner::Honest]);
    assert_eq!(requests, [vec![all()], vec![from(30)]]);
}

#[test]
fn a_stalled_mirror_is_left_and_continued() {
    let requests = fetched_from(&[Manner::StallsAfter(20)], &[Manner::Honest]);
    assert_eq!(requests, [vec![all()], vec![from(20)]]);
}

#[test]
fn a_mirror_that_broke_off_is_asked_for_the_rest() {
    let requests = fetched_from(&[Manner::BreaksOffAfter(30), Manner::Honest], &[Manner::Status(500)]);
    assert_eq!(requests, [vec![all(), from(30)], vec![from(30)]]);
}

#[test]
fn a_mirror_without_ranges_starts_afresh() {
    let requests = fetched_from(&[Manner::BreaksOffAfter(30)], &[Manner::IgnoresRange]);
    assert_eq!(requests, [vec![all()], vec![from(30)]]);
}

#[test]
fn a_mirror_that_continues_elsewhere_is_asked_for_all() {
    for manner in [Manner::ContinuesElsewhere, Manner::NoSuchRange] {
        let requests = fetched_from(&[Manner::BreaksOffAfter(30), Manner::Honest], &[manner, Manner::Honest]);
        assert_eq!(requests, [vec![all(), all()], vec![from(30)]], "{manner:?}");
    }
}

#[test]
fn a_mute_lying_refusing_or_endless_mirror_is_passed_over() {
    let manners = [
        Manner::Mute,
        Manner::Lies,
        Manner::SendsAnotherSet,
        Manner::Endless,
        Manner::Status(404),
        Manner::Status(500),
        Manner::CutsSilentlyAfter(30),
        Manner::StallsAfter(0),
    ];
    for manner in manners {
        let [first, second] = fetched_from(&[manner], &[Manner::Honest]);
        assert_eq!((first, second), (vec![all()], vec![all()]), "{manner:?}");
    }
}

#[test]
fn a_part_left_by_an_earlier_run_is_resumed_or_dropped() {
    let wanted = gzip(&small_set()[0].1);
    let whole_and_wrong = vec![b'x'; wanted.len()];
    let parts = [
        // What it holds, and what the server is then asked for.
        (wanted[..25].to_vec(), vec![from(25)]),
        (b"a false start".to_vec(), vec![from(13), all()]),
        (whole_and_wrong, vec![from(wanted.len()), all()]),
    ];
    for (part, requests) in parts {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join(format!("{IMAGES}.gz.part")), &part).expect("a part");
        let server = Server::new(&[Manner::Honest]);
        assert_eq!(fetch_images(&[&server], folder.path()).expect("a download"), wanted);
        assert_eq!(server.requests(), requests);
    }
}

#[test]
fn failures_say_what_each_mirror_did() {
    not_fetched_from(&[Manner::Status(404)], "it answered 404 Not Found");
    not_fetched_from(&[Manner::Status(500)], "it answered 500 Internal Server Error");
    not_fetched_from(&[Manner::Lies], "what it sent is not the file wanted (");
    not_fetched_from(&[Manner::Endless], "it sends more than the 10000 bytes");
    not_fetched_from(&[Manner::Mute], "timeout");
    let folder = not_fetched_from(&[Manner::StallsAfter(20)], "it broke off after 20 bytes (");
    let part = fs::metadata(folder.path().join(format!("{IMAGES}.gz.part"))).expect("kept for the next run");
    assert_eq!(part.len(), 20);
}

#[test]
fn a_mirror_that_continues_elsewhere_is_not_believed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::new(&[Manner::BreaksOffAfter(30), Manner::ContinuesElsewhere, Manner::Status(404)]);
    let text = fetch_images(&[&server], folder.path()).expect_err("never whole").to_string();
    assert!(text.contains("it does not continue where the download broke off; "), "{text}");
}

#[test]
fn a_mirror_that_keeps_breaking_off_is_given_up() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::new(&[Manner::BreaksOffAfter(10)]);
    fetch_images(&[&server], folder.path()).expect_err("never whole");
    assert_eq!(server.requests(), [all(), from(10), from(10), from(10)]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_no_other_mirror_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let nowhere = folder.path().join("nowhere");
    let servers = [Server::new(&[Manner::Honest]), Server::new(&[Manner::Honest])];
    let error = fetch_images(&[&servers[0], &servers[1]], &nowhere).expect_err("no folder");
    assert!(error.to_string().contains("nowhere") && matches!(error, DataError::Io { .. }), "{error}");
    assert!(servers[1].requests().is_empty());
}

#[test]
fn a_set_is_downloaded_once_and_then_cached() {
    let server = Server::new(&[Manner::Honest]);
    let (_keep, places) = places(&[&server]);
    let cache = places.cache.clone().expect("a cache").display().to_string();
    let (set, why) = mnist::load(&places).expect("a download");
    assert_eq!((set.name(), set.train().count(), set.test().labels()), ("mnist", 4, Some(&[1, 0][..])));
    assert_eq!(why, format!("MNIST, downloaded to {cache}"));
    assert_eq!(server.requests().len(), 4);
    let (set, why) = mnist::load(&places).expect("the cache");
    assert_eq!(set.train().view().sequence(1), ValuesView::U8(&[42, 49, 56, 63, 70, 77]));
    assert_eq!(why, format!("MNIST from the cache, {cache}"));
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn what_is_spoilt_in_the_cache_is_fetched_again_and_nothing_else() {
    let name = format!("{IMAGES}.gz");
    let mut other_contents = small_set()[0].1.clone();
    other_contents[20] ^= 1;
    for spoilt in [gzip(&other_contents), b"rubbish".to_vec(), gzip(&small_set()[0].1)[..40].to_vec()] {
        let server = Server::new(&[Manner::Honest]);
        let (_keep, places) = places(&[&server]);
        mnist::load(&places).expect("a download");
        let path = places.cache.as_ref().expect("a cache").join(&name);
        fs::write(&path, spoilt).expect("spoiling it");
        mnist::load(&places).expect("fetched again");
        assert_eq!(server.requests()[4..], [name.as_str()]);
        assert_eq!(fs::read(path).expect("the file"), gzip(&small_set()[0].1));
    }
}

#[test]
fn a_spoilt_plain_file_does_not_hide_the_sound_one() {
    let server = Server::new(&[Manner::Honest]);
    let (_keep, places) = places(&[&server]);
    mnist::load(&places).expect("a download");
    fs::write(places.cache.as_ref().expect("a cache").join(IMAGES), b"rubbish").expect("spoiling it");
    mnist::load(&places).expect("fetched again");
    let requests = server.requests().len();
    mnist::load(&places).expect("the cache");
    assert_eq!(server.requests().len(), requests, "the rubbish is still there");
}

#[test]
fn several_programs_share_one_download() {
    let server = Server::new(&[Manner::Honest]);
    let (_keep, places) = places(&[&server]);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| mnist::load(&places).expect("a download"));
        }
    });
    assert_eq!(server.requests().len(), 4, "{:?}", server.requests());
}

#[test]
fn the_folder_named_by_the_user_is_used_and_must_be_right() {
    let server = Server::new(&[Manner::Honest]);
    let (keep, mut places) = places(&[&server]);
    let folder = keep.path().join("own");
    places.folder = Some(folder.clone());
    let refused = |part: &str| {
        for source in [Some(&Source::Mnist), None] {
            let text = load_with(source, &places).expect_err(part).to_string();
            assert!(text.starts_with(&folder.display().to_string()) && text.contains(part), "{text}");
        }
    };
    refused("own: no such folder");
    fs::create_dir(&folder).expect("a folder");
    refused("no such file, and none of that name with .gz either");
    write_small_set(&folder);
    let loaded = load_with(Some(&Source::Mnist), &places).expect("the small set");
    assert_eq!(loaded.why, format!("MNIST from {}, the folder named by {FOLDER_VARIABLE}", folder.display()));
    let path = folder.join(IMAGES);
    let mut bytes = small_set()[0].1.clone();
    bytes[30] ^= 1;
    fs::write(&path, &bytes).expect("another file");
    refused(&format!("{}: not the MNIST file of that name: the SHA-256", path.display()));
    refused(&format!("is {}, expected {}", sha256(&bytes), sha256(&small_set()[0].1)));
    fs::write(&path, idx(&[1, 2, 3], &[0; 6])).expect("another file");
    refused("its sizes are [1, 2, 3], expected [4, 2, 3]");
    assert!(server.requests().is_empty(), "nothing may be downloaded in place of the folder named");
}

#[test]
fn without_a_network_the_default_is_the_built_in_digits() {
    // A port that was just free refuses connections.
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let (_keep, mut places) = places(&[]);
    places.downloader.mirrors = vec![format!("http://127.0.0.1:{port}/")];
    let loaded = load_with(None, &places).expect("the built-in set");
    assert_eq!((loaded.dataset.name(), loaded.dataset.train().count()), ("digits", 12_000));
    let start =
        "the built-in pen-stroke digits, because MNIST could not be had: train-labels-idx1-ubyte.gz: ";
    assert!(loaded.why.starts_with(start), "{}", loaded.why);
    let error = load_with(Some(&Source::Mnist), &places).expect_err("mnist was asked for");
    assert!(matches!(error, DataError::Download { .. }), "{error}");
    places.cache = None;
    let loaded = load_with(None, &places).expect("the built-in set");
    assert!(loaded.why.contains("no cache folder"), "{}", loaded.why);
}

#[test]
fn the_default_is_mnist_where_it_can_be_had() {
    let server = Server::new(&[Manner::Honest]);
    let (_keep, places) = places(&[&server]);
    let loaded = load_with(None, &places).expect("a download");
    assert_eq!(loaded.dataset.name(), "mnist");
    assert!(loaded.why.starts_with("MNIST, downloaded to ") && loaded.why.ends_with(", the default"));
}

#[test]
fn asking_for_digits_asks_nobody() {
    let server = Server::new(&[Manner::Honest]);
    let (_keep, places) = places(&[&server]);
    let loaded = load_with(Some(&Source::Digits), &places).expect("the built-in set");
    assert_eq!((loaded.dataset.train().count(), loaded.dataset.test().count()), (12_000, 2_000));
    assert_eq!(loaded.why, "the built-in pen-stroke digits, as --data says");
    assert!(server.requests().is_empty());
}

#[test]
fn the_real_set_has_its_known_counts() {
    if std::env::var_os(FOLDER_VARIABLE).is_none() {
        println!("left out: {FOLDER_VARIABLE} is not set, so the real MNIST is not read");
        return;
    }
    let loaded = load(None).expect("MNIST in the folder named");
    let set = &loaded.dataset;
    assert!(loaded.why.contains(FOLDER_VARIABLE), "{}", loaded.why);
    assert_eq!((set.name(), set.classes().len()), ("mnist", 10));
    assert_eq!((set.train().count(), set.test().count()), (60_000, 10_000));
    assert_eq!((set.timesteps(), set.inputs()), (28, 28));
    let [train, test] = [set.train(), set.test()].map(|split| split.labels().expect("labels"));
    assert_eq!((set.train().validation_count(), train[0]), (5_000, 5));
    let per_digit = |digit: u8| test.iter().filter(|&&label| label == digit).count();
    assert_eq!([0, 1, 2].map(per_digit), [980, 1_135, 1_032]);
    assert_eq!(published_files().map(|file| file.sha256.len()), [64; 4]);
}
