//! Writes what fuzzing begins with: sound frames, conversations and model files of every kind, for each target a folder.
//!
//! `cargo run -p refrain-fuzz --example seeds -- FOLDER`

use std::error::Error;
use std::path::{Path, PathBuf};

use refrain::link::{
    Boot, Cause, ECHO_BYTES, Numbered, PROTOCOL_VERSION, Profile, Provocation, Refusal, Reply, Request,
    Source, Statistics, UpdateRefusal, Upload,
};
use refrain::{CellKind, ModelError, Numbers, OutputFormat, Samples, Shape, Steps, Task};
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
        Request::Begin(Upload { model: 1, revision: 3, length: 29_668, crc: 0xcafe_f00d }),
        Request::Chunk { upload: 0xcafe_f00d, offset: 1000, bytes: &[1, 2, 0, 255] },
        Request::Commit { upload: 0xcafe_f00d },
        Request::Restart,
        Request::Provoke(Provocation::Panic),
        Request::Profile { model: 0, values: &[1, 2, 3, 0, 0, 0] },
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
            output: OutputFormat { task: Task::Classification, steps: Steps::Last },
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
        Reply::Refused(Refusal::Update(UpdateRefusal::NotNewer { found: 2, newest: 3 })),
        Reply::Refused(Refusal::Update(UpdateRefusal::Model(ModelError::Crc { stored: 1, computed: 2 }))),
        Reply::Profile(Profile { timesteps: 28, whole: 1 << 40, ..Profile::default() }),
    ]
}

/// Every message, sound and damaged, between noise, and bodies of a length at which COBS begins a new block.
fn frames() -> Vec<Vec<u8>> {
    let messages = requests().into_iter().map(|request| numbered(300, request));
    let mut seeds: Vec<Vec<u8>> = messages
        .chain(replies().into_iter().map(|reply| numbered(300, reply)))
        .map(|message| {
            let damaged = [&[3, 1][..], &message].concat();
            [piece(1, &message), piece(0, &[1, 2, 0, 0, 9]), piece(2, &damaged), piece(3, &[])].concat()
        })
        .collect();
    seeds.extend([249, 250, 251, 254, 400].map(|length| piece(1, &vec![7; length])));
    seeds
}

/// Conversations with each of the models of the server's target: whole sequences, repeated and missing rows.
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
    seeds
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
