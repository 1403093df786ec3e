//! Writes what fuzzing begins with: sound frames, conversations and model files of every kind, for each target a folder.
//!
//! `cargo run -p refrain-fuzz --example fuzz_seeds -- FOLDER`

use std::error::Error;
use std::path::{Path, PathBuf};

use refrain::link::{
    Boot, Cause, ECHO_BYTES, FlashFault, Numbered, PROTOCOL_VERSION, Pace, Profile, Provocation, Refusal,
    Reply, Request, Source, Statistics, Streamed, UpdateRefusal, Upload,
};
use refrain::{CellKind, ModelError, Numbers, OutputFormat, Samples, SelfTestError, Shape, Steps, Task};
use refrain_tests::{Recordings, per_step, random_model_with, regression};
use refrain_trainer::quantise::BlankStates;
use serde::Serialize;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or("name the folder for the seeds")?;
    write(&folder.join("frame"), frames())?;
    write(&folder.join("server"), conversations())?;
    write(&folder.join("model"), models())?;
    Ok(())
}

fn write(folder: &Path, seeds: Vec<Vec<u8>>) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (index, seed) in seeds.iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{index:02}")), seed)?;
    }
    Ok(())
}

/// A piece of that kind, as `line.rs` reads it.
fn piece(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let more = if bytes.len() > 255 { 0x80 } else { 0 };
    [&[kind | more, bytes.len() as u8][..], bytes].concat()
}

fn numbered<T: Serialize>(request: u32, body: T) -> Vec<u8> {
    postcard::to_stdvec(&Numbered { request, body }).expect("a message can be written")
}

const UPLOAD: Upload = Upload { model: 1, revision: 3, length: 29_668, crc: 0xcafe_f00d };

const PACE: Pace = Pace { period: 50_000, slack: 25_000, deadline: 40_000, silence: 2_000_000 };

const OUTPUT: OutputFormat = OutputFormat { task: Task::Classification, steps: Steps::Last };

/// A request, rightly framed.
fn asked(request: Request<'_>) -> Vec<u8> {
    piece(1, &numbered(7, request))
}

fn requests() -> Vec<Request<'static>> {
    vec![
        Request::Hello,
        Request::Describe { model: 1 },
        Request::Row { model: 0, sequence: 9, index: 0, count: 3, values: &[0, 7, 255] },
        Request::Statistics,
        Request::Echo { bytes: b"echo" },
        Request::Sequence { model: 0, sequence: 10, values: &[1, 2, 3, 0, 0, 0] },
        Request::Logits { model: 0, sequence: 10 },
        Request::Reset,
        Request::Begin(UPLOAD),
        Request::Chunk { upload: 0xcafe_f00d, offset: 1000, bytes: &[1, 2, 0, 255] },
        Request::Commit { upload: 0xcafe_f00d },
        Request::Restart,
        Request::Provoke(Provocation::Panic),
        Request::Profile { model: 0, values: &[1, 2, 3, 0, 0, 0] },
        Request::BeginStream { model: 0, stream: 4, window: 2, pace: PACE },
        Request::StreamRow { stream: 4, index: 0, values: &[0, 7, 255] },
        Request::EndStream { stream: 4 },
    ]
}

fn replies() -> Vec<Reply<'static>> {
    vec![
        Reply::Hello {
            protocol: PROTOCOL_VERSION,
            firmware: "0.1.0",
            board: "a board",
            models: 3,
            request_bytes: 1070,
            boot: Boot { resets: 3, cause: Cause::Panic { file: "main.rs", line: 300 } },
        },
        Reply::Model {
            name: "gestures",
            cell: CellKind::Lstm,
            numbers: Numbers::Int8,
            shape: Shape { inputs: 28, units: 64, outputs: 10, layers: 1 },
            samples: Samples::U8,
            output: OUTPUT,
            crc: 0xcafe_f00d,
            source: Source::SlotA,
            revision: 3,
        },
        Reply::Accepted,
        Reply::Logits { sequence: 9, logits: &[1, 0, 0, 0, 255, 255, 255, 255] },
        Reply::Statistics(Statistics { sequences: 1000, ticks: 1 << 40, ..Statistics::default() }),
        Reply::Progress { sequences: 70_000 },
        Reply::Refused(Refusal::NoSuchModel { models: 3 }),
        Reply::Refused(Refusal::RowLength { found: 27, expected: 28 }),
        Reply::Refused(Refusal::RowOrder { expected: 300 }),
        Reply::Refused(Refusal::SequenceLength { found: 29, row: 28 }),
        Reply::Refused(Refusal::EchoLength { found: 129 }),
        Reply::Echo { bytes: b"echo" },
        Reply::Uploaded { bytes: 29_668 },
        Reply::Profile(Profile { timesteps: 28, whole: 1 << 40, ..Profile::default() }),
        Reply::Streamed(Streamed {
            index: 70_000,
            missing: 2,
            rows: 300,
            micros: 18_000,
            is_late: true,
            confidence: Some(0.75),
            logits: &[1, 0, 0, 0, 255, 255, 255, 255],
        }),
        Reply::Refused(Refusal::NotBuiltIn),
        Reply::Refused(Refusal::NoSuchStream),
        Reply::Refused(Refusal::StreamOrder { expected: 70_000 }),
        Reply::Refused(Refusal::Pace),
    ]
}

fn update_refusals() -> Vec<UpdateRefusal> {
    vec![
        UpdateRefusal::NoStorage,
        UpdateRefusal::TooLong { found: 70_000, room: 300 },
        UpdateRefusal::NotNewer { found: 2, newest: 3 },
        UpdateRefusal::NotBegun,
        UpdateRefusal::Offset { expected: 1000 },
        UpdateRefusal::Beyond { length: 29_668 },
        UpdateRefusal::Crc { found: 0xdead_beef, expected: 0xcafe_f00d },
        UpdateRefusal::Model(ModelError::Crc { stored: 1, computed: 2 }),
        UpdateRefusal::Samples { found: Samples::I16, expected: Samples::U8 },
        UpdateRefusal::Output { found: OutputFormat { task: Task::Regression, ..OUTPUT }, expected: OUTPUT },
        UpdateRefusal::SelfTest(SelfTestError::Mismatch { sequence: 300 }),
        UpdateRefusal::Flash(FlashFault::Erase),
    ]
}

/// Every message, sound and damaged, between noise, and bodies of a length at which COBS begins a new block.
fn frames() -> Vec<Vec<u8>> {
    let requests = requests().into_iter().chain(Provocation::ALL.map(Request::Provoke));
    let refusals = update_refusals().into_iter().map(|refusal| Reply::Refused(Refusal::Update(refusal)));
    let replies = replies().into_iter().chain(refusals);
    let messages = requests.map(|request| numbered(300, request));
    let mut seeds: Vec<Vec<u8>> = messages
        .chain(replies.map(|reply| numbered(300, reply)))
        .map(|message| {
            let damaged = [&[3, 1][..], &message].concat();
            [piece(1, &message), piece(0, &[1, 2, 0, 0, 9]), piece(2, &damaged), piece(3, &[])].concat()
        })
        .collect();
    seeds.extend([249, 250, 251, 254, 400].map(|length| piece(1, &vec![7; length])));
    seeds
}

/// Conversations with each of the models of the server's target: whole sequences, repeated and missing rows, and streams.
fn conversations() -> Vec<Vec<u8>> {
    let all =
        requests().into_iter().map(|request| piece(1, &numbered(1, request))).collect::<Vec<_>>().concat();
    let mut seeds = vec![[&[64][..], &all].concat()];
    for model in [0, 1] {
        let row = |index| {
            let values = &[index as u8, 0, 255];
            piece(1, &numbered(7, Request::Row { model, sequence: 5, index, count: 3, values }))
        };
        let whole = piece(1, &numbered(8, Request::Sequence { model, sequence: 5, values: &[6; 9] }));
        let logits = piece(1, &numbered(9, Request::Logits { model, sequence: 5 }));
        let reset = piece(1, &numbered(10, Request::Reset));
        seeds.push([vec![1], row(0), row(1), row(2), row(2), row(0)].concat());
        seeds.push([vec![200], row(0), row(2), row(1), piece(2, &[9, 4, 7, 0]), piece(3, &[])].concat());
        seeds.push([vec![2], row(0), whole.clone(), row(2), logits.clone(), row(0), row(1)].concat());
        seeds.push([vec![3], row(0), logits.clone(), row(1), reset, logits, row(2), whole].concat());
    }
    let next = piece(4, &[1, 2, 3]);
    let whole = |values| piece(1, &numbered(8, Request::Sequence { model: 2, sequence: 6, values }));
    let logits = piece(1, &numbered(9, Request::Logits { model: 2, sequence: 6 }));
    seeds
        .push([vec![30], whole(&[7; 18]), whole(&[7; 18]), logits.clone(), whole(&[7; 19]), logits].concat());
    // the longest that is echoed, one that is refused, and more than the server has room for
    let echo = |length| piece(1, &numbered(3, Request::Echo { bytes: &vec![7; length] }));
    seeds.push(
        [
            vec![64],
            [ECHO_BYTES, ECHO_BYTES + 1, ECHO_BYTES + 40, ECHO_BYTES + 70]
                .into_iter()
                .flat_map(echo)
                .collect(),
        ]
        .concat(),
    );
    seeds.push([vec![8], next.clone(), next.clone(), next, piece(0, &[5, 5, 0]), all].concat());
    seeds.extend(streams());
    seeds.push(everything_else());
    seeds
}

/// Streams to models of either kind: windows, rows that are missing, repeated, of another stream, and past the last number,
/// and what ends a stream.
fn streams() -> Vec<Vec<u8>> {
    let row = |stream, index| {
        let values = &[index as u8, 0, 255];
        asked(Request::StreamRow { stream, index, values })
    };
    let (end, counted) = (asked(Request::EndStream { stream: 4 }), asked(Request::Statistics));
    let mut seeds = Vec::new();
    for (model, window) in [(0, 0), (1, 2)] {
        let begin = |stream, pace| asked(Request::BeginStream { model, stream, window, pace });
        let [first, other] = [4, 5].map(|stream| begin(stream, PACE));
        let rows = |indices: &[u32]| indices.iter().flat_map(|&index| row(4, index)).collect::<Vec<_>>();
        let sequence = asked(Request::Sequence { model, sequence: 5, values: &[6; 9] });
        let profile = asked(Request::Profile { model, values: &[6; 9] });
        seeds.push([vec![64], first.clone(), rows(&[0, 1, 2, 3, 4]), end.clone(), rows(&[5])].concat());
        seeds.push([vec![9], first.clone(), rows(&[0, 1, 5, 5, 3, 6]), row(5, 7), counted.clone()].concat());
        let wrapped = rows(&[i32::MAX as u32, u32::MAX - 1, u32::MAX, 0, 2]);
        seeds.push([vec![70], first.clone(), wrapped, counted.clone()].concat());
        seeds.push(
            [vec![5], first.clone(), rows(&[0]), first.clone(), rows(&[1]), other, row(5, 0), rows(&[2])]
                .concat(),
        );
        seeds.push([vec![64], first.clone(), rows(&[0]), sequence, rows(&[1])].concat());
        seeds.push([vec![64], first.clone(), rows(&[0]), profile, rows(&[1])].concat());
        let unsound = begin(4, Pace { silence: PACE.period, ..PACE });
        let too_long = asked(Request::StreamRow { stream: 4, index: 0, values: &[1; 4] });
        seeds.push([vec![64], unsound, rows(&[0]), first, too_long, piece(3, &[]), end.clone()].concat());
    }
    seeds
}

/// Whatever a board without flash for models, and without provocations, refuses; and sequences that cannot be measured.
fn everything_else() -> Vec<u8> {
    let updates = [
        Request::Begin(Upload { model: 3, ..UPLOAD }),
        Request::Begin(UPLOAD),
        Request::Chunk { upload: UPLOAD.crc, offset: 0, bytes: &[7; 100] },
        Request::Commit { upload: UPLOAD.crc },
    ];
    let profiles = [(0, 5), (2, 0), (3, 9)].map(|(model, bytes)| {
        let values = &[6; 9][..bytes];
        Request::Profile { model, values }
    });
    let requests = updates.into_iter().chain(Provocation::ALL.map(Request::Provoke)).chain(profiles);
    [vec![64], requests.flat_map(asked).collect()].concat()
}

/// Small models of every cell, numbers and samples, each as it is and as the base of a forgery.
fn models() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for cell in CellKind::ALL {
        for numbers in [Numbers::Int8, Numbers::Int4, Numbers::F32] {
            let blank = BlankStates::Count(if numbers == Numbers::F32 { 0 } else { 2 });
            let shape = Shape { inputs: 3, units: 5, outputs: 3, layers: 1 };
            let images = random_model_with(blank, cell, shape, numbers, 1);
            seeds.push(seed(0, &[0, 0, 0, 7, 255, 1], images.as_bytes()));
            let sensor = Recordings::random(Samples::I16, 2, &[3, 4], per_step(regression(2)), 1);
            let sensor = sensor.model_with(BlankStates::Count(0), cell, 4, 2, numbers);
            seeds.push(seed(1, &[0, 128, 255, 127, 3], sensor.as_bytes()));
            let floats = Recordings::random(Samples::F32, 2, &[3, 4], regression(2), 1);
            let floats = floats.model_with(BlankStates::Count(0), cell, 4, 2, numbers);
            seeds.push(seed(2, &[0, 0, 128, 63, 0, 0, 192, 255, 1], floats.as_bytes()));
        }
    }
    seeds
}

/// What `model` reads: what is to be done with the file, the samples, the file.
fn seed(kind: u8, samples: &[u8], file: &[u8]) -> Vec<u8> {
    [&[kind, samples.len() as u8][..], samples, file].concat()
}
