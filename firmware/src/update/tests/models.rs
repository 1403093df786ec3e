//! A small model that carries a self-test.

use refrain::format::{PAYLOAD_ALIGNMENT, Section, SectionKind};
use refrain::{
    AnyModel, CellKind, Header, InputFormat, Numbers, OutputFormat, Samples, Scaling, Shape, Steps, Task,
    crc32, float,
};

use crate::update::{BuiltIn, trial};

const INPUTS: usize = 2;
const UNITS: usize = 4;
const OUTPUTS: usize = 3;
const SEQUENCES: usize = 40;
const TIMESTEPS: usize = 5;

/// What may differ from the model in the program.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) samples: Samples,
    pub(super) output: OutputFormat,
    pub(super) has_self_test: bool,
}

/// As the model in the program.
pub(super) const KIND: Kind = Kind {
    samples: Samples::U8,
    output: OutputFormat { task: Task::Classification, steps: Steps::Last },
    has_self_test: true,
};

/// The model in the program of the tests.
pub(in crate::update) fn built_in() -> BuiltIn<'static> {
    static FILE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| model(0));
    BuiltIn { file: &FILE, trial: trial::<float::SimpleRnn, INPUTS, UNITS, OUTPUTS, 1, f32> }
}

/// The file of a model; each seed gives another one.
pub(in crate::update) fn model(seed: u64) -> Vec<u8> {
    model_of(KIND, seed)
}

/// The same of another kind.
pub(super) fn model_of(kind: Kind, seed: u64) -> Vec<u8> {
    let mut file = with_logits(kind, seed, &[0; 4 * OUTPUTS * SEQUENCES]);
    if kind.has_self_test {
        let buffer = Aligned::new(&file);
        let model = AnyModel::from_bytes(buffer.bytes()).expect("a whole model");
        let mut logits = vec![0; 4 * OUTPUTS * SEQUENCES];
        let row_bytes = model.header().row_bytes();
        for (rows, logits) in
            rows(row_bytes).chunks(TIMESTEPS * row_bytes).zip(logits.chunks_mut(4 * OUTPUTS))
        {
            model.classify(rows, logits).expect("whole sequences");
        }
        file = with_logits(kind, seed, &logits);
    }
    file
}

/// A model that claims logits which it does not give.
pub(super) fn failing_model(seed: u64) -> Vec<u8> {
    with_logits(KIND, seed, &[1; 4 * OUTPUTS * SEQUENCES])
}

/// Rows of the self-test.
fn rows(row_bytes: usize) -> Vec<u8> {
    (0..SEQUENCES * TIMESTEPS * row_bytes).map(|index| (index * index / 7) as u8).collect()
}

fn with_logits(kind: Kind, seed: u64, logits: &[u8]) -> Vec<u8> {
    let name = format!("model {seed}");
    let mut header = Header {
        magic: refrain::format::MAGIC,
        version: refrain::format::VERSION,
        cell: CellKind::SimpleRnn,
        numbers: Numbers::F32,
        shape: Shape { inputs: INPUTS as u16, units: UNITS as u16, outputs: OUTPUTS as u16, layers: 1 },
        timesteps: TIMESTEPS as u16,
        input: InputFormat {
            samples: kind.samples,
            scaling: Scaling::Uniform { scale: 1.0 / 255.0, min: 0, max: 255, shift: 0 },
        },
        output: kind.output,
        operand_bits: 0,
        cell_bits: 0,
        name: name.as_str().into(),
        labels: "".into(),
        sections: Vec::new(),
    };
    let mut sections: Vec<(SectionKind, Vec<u8>)> = [
        (SectionKind::Kernel, UNITS * INPUTS),
        (SectionKind::RecurrentKernel, UNITS * UNITS),
        (SectionKind::Bias, UNITS),
        (SectionKind::DenseKernel, OUTPUTS * UNITS),
        (SectionKind::DenseBias, OUTPUTS),
    ]
    .into_iter()
    .map(|(kind, length)| (kind, weights(length, seed)))
    .collect();
    if kind.has_self_test {
        let row_bytes = INPUTS * if kind.samples == Samples::U8 { 1 } else { 2 };
        sections.push((SectionKind::SelfTestRows, rows(row_bytes)));
        sections.push((SectionKind::SelfTestLogits, logits.to_vec()));
    }
    if kind.output.task == Task::Regression {
        sections.push((
            SectionKind::OutputScaling,
            [0.0_f32, 1.0].repeat(OUTPUTS).into_iter().flat_map(f32::to_le_bytes).collect(),
        ));
    }
    let mut payload = Vec::new();
    for (kind, bytes) in sections {
        payload.resize(payload.len().next_multiple_of(PAYLOAD_ALIGNMENT), 0);
        header.sections.push(Section { kind, offset: payload.len() as u32, length: bytes.len() as u32 });
        payload.extend(bytes);
    }
    let mut file = postcard::to_allocvec(&header).expect("a header can always be written");
    file.resize(file.len().next_multiple_of(PAYLOAD_ALIGNMENT), 0);
    file.extend(payload);
    file.extend(crc32(&file).to_le_bytes());
    file
}

/// Weights from -1 to 1.
fn weights(length: usize, seed: u64) -> Vec<u8> {
    let weight = |index: usize| {
        let mixed = (index as u64 + 1).wrapping_mul(seed.wrapping_mul(2).wrapping_add(37)) % 101;
        mixed as f32 / 50.0 - 1.0
    };
    (0..length).map(weight).flat_map(f32::to_le_bytes).collect()
}

/// Bytes at a multiple of 16.
struct Aligned {
    buffer: Vec<u8>,
    start: usize,
    length: usize,
}

impl Aligned {
    fn new(bytes: &[u8]) -> Self {
        let mut buffer = vec![0; bytes.len() + 15];
        let start = buffer.as_ptr().align_offset(16);
        buffer[start..][..bytes.len()].copy_from_slice(bytes);
        Self { buffer, start, length: bytes.len() }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..][..self.length]
    }
}
