//! What fuzzing has come to so far, once more: every file of the corpus, without libFuzzer.

use std::path::Path;

/// Runs a target on each file of its corpus.
fn replay(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let entries = folder.read_dir().expect("the corpus is part of the repository");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    assert!(files.len() >= 10, "{} has {} files", folder.display(), files.len());
    for file in files {
        // shown where the test fails: the last one is to blame
        println!("{}", file.display());
        target(&std::fs::read(&file).expect("a readable file"));
    }
}

#[test]
fn frames() {
    replay("frame", refrain_fuzz::frame);
}

#[test]
fn models() {
    replay("model", refrain_fuzz::model);
}

#[test]
fn servers() {
    replay("server", refrain_fuzz::server);
}
