//! Models that are replaced over a bad line that may also be cut for good: whatever comes of an upload, the board starts with
//! the old model or with the new one, whole, and the host is not told otherwise.

use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use refrain::{Aligned, CellKind, Numbers, Shape, cell};
use refrain_firmware::update::{BuiltIn, MappedFlash, RamFlash, Store, Updates, trial};
use refrain_firmware::{Classifier, Network};
use refrain_tests::{random_model, random_samples};
use refrain_trainer::link::faults::Faulty;
use refrain_trainer::link::{Client, LinkError, Patience, Transport, TransportError};
use refrain_trainer::model_file::ModelFile;

use super::board::SimulatedBoard;

type Model<'a> = Network<'a, cell::SimpleRnn, 28, 64, 10, 1, i16>;

/// Twelve kilobytes, several erase units of the flash.
const SHAPE: Shape = Shape { inputs: 28, units: 64, outputs: 10, layers: 1 };

/// Bytes that the flash erases at once: an upload that was interrupted goes on at such a place.
const UNIT: u32 = 2048;

/// Models that are uploaded one after the other.
const UPLOADS: u32 = 40;

/// How often a model is uploaded that was not taken, each time to a board that has just started.
const LIVES: u32 = 10;

fn model(revision: u32) -> ModelFile {
    random_model(CellKind::SimpleRnn, SHAPE, Numbers::Int8, revision.into())
}

/// What an upload meets.
#[derive(Clone, Copy)]
struct Line {
    /// One fault in so many bytes; none where that is 0.
    one_in: u32,
    /// Whether it is cut for good at some time, which ends the life of the board as well.
    is_cut: bool,
}

/// A transport over which no more goes when so many bytes have been sent.
struct Cut<T> {
    line: T,
    bytes: usize,
}

impl<T: Transport> Transport for Cut<T> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        self.bytes = self.bytes.checked_sub(bytes.len()).ok_or(TransportError::Gone)?;
        self.line.send(bytes)
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<(), TransportError> {
        self.line.receive(into, deadline)
    }
}

/// A board that has lives, and keeps between them what its flash holds.
struct Board {
    flash: RamFlash<3>,
    built_in: ModelFile,
    /// Of the lives and their faults.
    rng: ChaCha8Rng,
}

impl Board {
    fn new(built_in: ModelFile) -> Self {
        let memory = Box::leak(Box::new(Aligned([0x5a; 64 << 10])));
        Self { flash: RamFlash::new(&mut memory.0), built_in, rng: ChaCha8Rng::seed_from_u64(1) }
    }

    fn open<'b>(flash: &'b mut RamFlash<3>, file: &'b ModelFile) -> Store<'b, &'b mut RamFlash<3>, 1> {
        let trial = trial::<cell::SimpleRnn, 28, 64, 10, 1, i16>;
        Store::open(flash, [BuiltIn { file: file.as_bytes(), trial }])
    }

    /// The revision and the model that a life begins with.
    fn used(&mut self) -> (u32, ModelFile) {
        let mut store = Self::open(&mut self.flash, &self.built_in);
        let Some(place) = store.in_use(0) else { return (0, self.built_in.clone()) };
        let revision = store.active(0).revision;
        let flash = store.flash_mut();
        let bytes = flash.bytes(place.start, place.end - place.start).expect("it is in flash");
        (revision, ModelFile::from_bytes("the model in use", bytes).expect("what is used is whole"))
    }

    /// A life of the board, with a host at the other end of such a line.
    fn live<T>(
        &mut self,
        line: Line,
        work: impl FnOnce(&mut Client<Cut<Faulty<SimulatedBoard<'_>>>>) -> T,
    ) -> T {
        let (_, used) = self.used();
        let mut network = Model::from_bytes(used.as_bytes()).expect("what is used is whole");
        let mut models: [&mut dyn Classifier; 1] = [&mut network];
        let [board_seed, host_seed] = [self.rng.random(), self.rng.random()];
        let bytes =
            if line.is_cut { self.rng.random_range(0..2 * used.as_bytes().len()) } else { usize::MAX };
        let mut store = Self::open(&mut self.flash, &self.built_in);
        let board = SimulatedBoard::new(&mut models, &mut store, 2 * line.one_in, board_seed);
        let line = Cut { line: Faulty::new(board, 2 * line.one_in, host_seed), bytes };
        work(&mut Client::new(line, Patience::WITH_PORT, 0))
    }

    /// Checks, on a good line, that it says it uses that model, and gives the host's logits of it.
    fn check_use(&mut self, revision: u32, file: &ModelFile) {
        let samples = random_samples(1, 12, SHAPE.inputs.into(), 5);
        let rows = samples.as_slice().expect("it was just made");
        let mut expected = vec![0; 4 * usize::from(SHAPE.outputs)];
        file.model().classify(rows, &mut expected).expect("whole rows");
        self.live(Line { one_in: 0, is_cut: false }, |client| {
            let said = client.describe(0).expect("the line is good");
            assert_eq!((said.revision, said.crc), (revision, file.model().crc()));
            let logits = client.classify(said.served(0), rows).expect("the line is good");
            assert_eq!(logits, expected, "revision {revision}");
        });
    }
}

/// What came of all uploads.
#[derive(Debug, Default)]
struct Tally {
    /// Models that were taken, and the host knows it.
    taken: u32,
    /// Those that were taken though the last answer was lost, and the host was told that it does not know.
    taken_unheard: u32,
    /// Those that were not taken in any life of the board.
    given_up: u32,
    /// Uploads that ended with an error.
    errors: u32,
    /// Bytes of models that were there already when an upload began.
    resumed: u64,
    retries: u64,
}

/// Whether an upload may end so on a bad line.
fn is_honest(error: &LinkError, line: Line) -> bool {
    match error {
        LinkError::Silent { .. } => line.one_in > 0,
        LinkError::Transport(TransportError::Gone) => line.is_cut,
        _ => false,
    }
}

/// Uploads one model after the other to a board and prints what came of it, as a row of a table.
fn upload_all(line: Line) -> Tally {
    let mut board = Board::new(model(0));
    let mut tally = Tally::default();
    for revision in 1..=UPLOADS {
        upload(&mut board, line, revision, &mut tally);
    }
    let Line { one_in, is_cut } = line;
    let Tally { taken, taken_unheard, given_up, errors, resumed, retries } = tally;
    println!(
        "| {one_in} | {} | {UPLOADS} | {retries} | {errors} | {resumed} | {taken} | {taken_unheard} | {given_up} | 0 |",
        if is_cut { "yes" } else { "no" }
    );
    tally
}

/// Uploads a model until the board uses it, or gives it up.
fn upload(board: &mut Board, line: Line, revision: u32, tally: &mut Tally) {
    let (old, new) = (board.used(), model(revision));
    let mut reached = 0;
    for _ in 0..LIVES {
        let (mut begun_at, there) = (None, reached / UNIT * UNIT);
        let (outcome, retries) = board.live(line, |client| {
            let mut progress = |bytes| {
                begun_at.get_or_insert(bytes);
                reached = reached.max(bytes);
            };
            let outcome = client.upload(0, revision, new.as_bytes(), &mut progress);
            assert!(begun_at.is_none_or(|begun| begun >= there), "{begun_at:?}, but {there} were there");
            (outcome, client.retries())
        });
        tally.retries += retries;
        tally.resumed += u64::from(begun_at.unwrap_or(0));

        let (used, file) = board.used();
        let is_new = used == revision;
        let expected = if is_new { &new } else { &old.1 };
        assert_eq!(used, if is_new { revision } else { old.0 });
        assert_eq!(file.as_bytes(), expected.as_bytes(), "neither the old model nor the new one");
        board.check_use(used, expected);
        match outcome {
            Ok(_) => {
                assert!(is_new, "the host was told that revision {revision} is there");
                tally.taken += 1;
                return;
            }
            Err(error) => {
                assert!(is_honest(&error, line), "{error}");
                tally.errors += 1;
            }
        }
        if is_new {
            tally.taken_unheard += 1;
            return;
        }
    }
    tally.given_up += 1;
}

fn print_head() {
    println!(
        "| one fault in | cut for good | models | asked again | errors | bytes resumed | taken | taken unheard | given up \
         | neither old nor new |"
    );
}

#[test]
fn on_a_clean_line_each_model_is_taken_at_once() {
    print_head();
    let tally = upload_all(Line { one_in: 0, is_cut: false });
    assert_eq!((tally.taken, tally.errors, tally.retries, tally.resumed), (UPLOADS, 0, 0, 0));
}

#[test]
fn with_a_fault_in_a_thousand_bytes_each_model_is_taken_at_once() {
    print_head();
    let tally = upload_all(Line { one_in: 1000, is_cut: false });
    assert_eq!((tally.taken, tally.errors), (UPLOADS, 0));
    assert!(tally.retries > u64::from(UPLOADS), "{tally:?}");
}

#[test]
fn interrupted_uploads_go_on_where_they_were() {
    print_head();
    for one_in in [0, 1000] {
        let tally = upload_all(Line { one_in, is_cut: true });
        assert_eq!(tally.taken + tally.taken_unheard, UPLOADS);
        assert!(tally.errors > UPLOADS / 2 && tally.resumed > u64::from(UPLOADS * UNIT / 2), "{tally:?}");
    }
}

/// A host that sends ever shorter chunks brings a model over nearly any line. Where it cannot, it says so.
#[test]
fn the_worse_the_line_the_longer_it_takes() {
    print_head();
    let mut retries = 0;
    for one_in in [100, 20] {
        let tally = upload_all(Line { one_in, is_cut: false });
        assert_eq!(tally.taken + tally.taken_unheard + tally.given_up, UPLOADS);
        assert!(tally.taken > UPLOADS / 2 && tally.retries > 2 * retries, "{tally:?}");
        assert_eq!(tally.errors > 0, one_in == 20, "{tally:?}");
        retries = tally.retries;
    }
}
