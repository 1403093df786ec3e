//! Small models for unit tests, put together by hand.

use refrain::format::{PAYLOAD_ALIGNMENT, Section, SectionKind};
use refrain::{
    CellKind, Header, InputFormat, Numbers, OutputFormat, Samples, Scaling, Shape, Steps, Task, crc32,
};

/// An f32 SimpleRNN for bytes, with weights that differ from one another, in the bytes of a `.rfn` file.
pub(crate) fn simple_rnn(inputs: u16, units: u16, outputs: u16) -> Vec<u8> {
    let (i, u, o) = (usize::from(inputs), usize::from(units), usize::from(outputs));
    let mut header = Header {
        magic: refrain::format::MAGIC,
        version: refrain::format::VERSION,
        cell: CellKind::SimpleRnn,
        numbers: Numbers::F32,
        shape: Shape { inputs, units, outputs, layers: 1 },
        timesteps: 4,
        input: InputFormat {
            samples: Samples::U8,
            scaling: Scaling::Uniform { scale: 1.0 / 255.0, min: 0, max: 255, shift: 0 },
        },
        output: OutputFormat { task: Task::Classification, steps: Steps::Last },
        operand_bits: 0,
        cell_bits: 0,
        name: "hand-made",
        labels: "",
        sections: Default::default(),
    };
    let mut payload = Vec::new();
    for (kind, length) in [
        (SectionKind::Kernel, u * i),
        (SectionKind::RecurrentKernel, u * u),
        (SectionKind::Bias, u),
        (SectionKind::DenseKernel, o * u),
        (SectionKind::DenseBias, o),
    ] {
        payload.resize(payload.len().next_multiple_of(PAYLOAD_ALIGNMENT), 0);
        let section = Section { kind, offset: payload.len() as u32, length: 4 * length as u32 };
        header.sections.push(section).expect("a header has room for every kind of section");
        let weights = (0..length).map(|index| ((index * 37 + length) % 101) as f32 / 50.0 - 1.0);
        payload.extend(weights.flat_map(f32::to_le_bytes));
    }
    let mut file = postcard::to_allocvec(&header).expect("a header can always be written");
    file.resize(file.len().next_multiple_of(PAYLOAD_ALIGNMENT), 0);
    file.extend(payload);
    file.extend(crc32(&file).to_le_bytes());
    file
}
