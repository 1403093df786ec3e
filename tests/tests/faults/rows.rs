//! Sequences, row by row: no wrong answer is ever accepted.

use refrain::{Samples, cell};
use refrain_firmware::update::{NoFlash, Store, Updates};
use refrain_firmware::{Classifier, Network};
use refrain_tests::{dataset, shipped_models};
use refrain_trainer::evaluate::{LOGIT_BYTES, evaluate, link_bytes};
use refrain_trainer::link::faults::{FaultCounts, Faulty};
use refrain_trainer::link::{Client, LinkError, Patience};
use refrain_trainer::model_file::ModelFile;

use super::board::SimulatedBoard;

type SimpleRnn<'a> = Network<'a, cell::SimpleRnn, 28, 64, 10, 1, i16>;
type Lstm<'a> = Network<'a, cell::Lstm, 28, 64, 10, 1, i16>;
type Gru<'a> = Network<'a, cell::Gru, 28, 64, 10, 1, i16>;

/// Images that are sent for each model.
const IMAGES: usize = 2000;

/// What came of all images.
#[derive(Debug, Default)]
struct Tally {
    right: usize,
    wrong: usize,
    given_up: usize,
    retries: u64,
    broken_frames: u32,
    faults: FaultCounts,
}

/// So many images, at most, as rows on the link, and the logits that the host has for each.
pub(crate) fn images(file: &ModelFile, count: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let dataset = dataset();
    let samples = dataset.test().view().first(count);
    let host = evaluate(file, samples).expect("the shipped models take these images");
    let outputs = usize::from(file.model().header().shape.outputs);
    let logits = host.logits.chunks(outputs * LOGIT_BYTES).map(<[u8]>::to_vec);
    let rows = |index| link_bytes(Samples::U8, samples.sequence(index)).into_owned();
    (0..samples.count()).map(rows).zip(logits).collect()
}

/// Sends all images, as often as it takes to send `IMAGES`, with one fault in `one_in` bytes on either side.
fn run<'m>(
    file: &ModelFile,
    models: &'m mut [&'m mut dyn Classifier],
    updates: &'m mut dyn Updates,
    one_in: u32,
    whole: bool,
) -> Tally {
    let board = SimulatedBoard::new(models, updates, 2 * one_in, 1);
    let mut client = Client::new(Faulty::new(board, 2 * one_in, 2), Patience::WITH_PORT, 0);
    let mut tally = Tally::default();
    let served = loop {
        // At one fault in 20 bytes even this takes several times the usual patience.
        if let Ok(description) = client.describe(0) {
            break description.served(0);
        }
    };
    for (rows, logits) in images(file, IMAGES).iter().cycle().take(IMAGES) {
        let answer = if whole { client.classify_whole(served, rows) } else { client.classify(served, rows) };
        match answer {
            Ok(answer) if answer == *logits => tally.right += 1,
            Ok(_) => tally.wrong += 1,
            Err(LinkError::Silent { .. } | LinkError::Restarts { .. }) => tally.given_up += 1,
            Err(error) => panic!("{error}"),
        }
    }
    tally.retries = client.retries();
    tally.broken_frames = (0..100)
        .find_map(|_| client.statistics().ok())
        .expect("in a hundred tries it comes through")
        .broken_frames;
    let faulty = client.into_transport();
    tally.faults = faulty.counts() + faulty.into_inner().counts();
    tally
}

/// Runs each shipped model and prints what came of it, as a row of a table.
fn table(one_in: u32, whole: bool) -> Vec<Tally> {
    let [simple_rnn, lstm, gru] = shipped_models();
    let broken = "the shipped models are whole";
    let mut networks: [Box<dyn Classifier>; 3] = [
        Box::new(SimpleRnn::from_bytes(simple_rnn.as_bytes()).expect(broken)),
        Box::new(Lstm::from_bytes(lstm.as_bytes()).expect(broken)),
        Box::new(Gru::from_bytes(gru.as_bytes()).expect(broken)),
    ];
    let mut tallies = Vec::new();
    for (file, network) in [&simple_rnn, &lstm, &gru].into_iter().zip(&mut networks) {
        let tally = run(file, &mut [network.as_mut()], &mut Store::open(NoFlash, []), one_in, whole);
        let Tally { right, wrong, given_up, retries, broken_frames, faults } = &tally;
        println!(
            "| {} | {} | {one_in} | {} | {} | {broken_frames} | {retries} | {right} | {wrong} | {given_up} |",
            file.model().header().cell,
            if whole { "image" } else { "row" },
            // Each byte meets faults on the host's side and on the board's.
            faults.bytes / 2,
            faults.faults(),
        );
        tallies.push(tally);
    }
    tallies
}

fn print_head() {
    println!(
        "| model | by | one fault in | bytes | faults | frames the board dropped | asked again | right | wrong | given up |"
    );
}

#[test]
fn a_clean_line_needs_no_retries() {
    print_head();
    for tally in table(0, false).into_iter().chain(table(0, true)) {
        assert_eq!((tally.right, tally.retries, tally.broken_frames), (IMAGES, 0, 0));
    }
}

#[test]
fn with_a_fault_in_a_thousand_bytes_every_image_is_answered_rightly() {
    print_head();
    for tally in table(1000, false) {
        assert_eq!((tally.right, tally.wrong, tally.given_up), (IMAGES, 0, 0));
        assert!(tally.faults.faults() > 2000 && tally.retries > 2000, "{tally:?}");
    }
}

#[test]
fn the_worse_the_line_the_more_is_given_up_and_nothing_is_wrong() {
    print_head();
    for one_in in [100, 20] {
        for tally in table(one_in, false) {
            assert_eq!((tally.wrong, tally.right + tally.given_up), (0, IMAGES));
            let hopeless = one_in == 20;
            assert_eq!(tally.right < IMAGES / 2, hopeless, "{tally:?}");
            assert!(tally.given_up > 0, "{tally:?}");
        }
    }
}
