//! Small models for unit tests, put together by hand.

use refrain::format::{PAYLOAD_ALIGNMENT, Section, SectionKind};
use refrain::{
    CellKind, Header, InputFormat, Numbers, OutputFormat, Samples, Scaling, Shape, Steps, Task, crc32,
};

/// An f32 SimpleRNN that names classes for sequences of bytes, see [`model`].
pub(crate) fn simple_rnn(inputs: u16, units: u16, outputs: u16) -> Vec<u8> {
    model([inputs, units, outputs], Samples::U8, PER_SEQUENCE)
}

/// One class for each sequence.
pub(crate) const PER_SEQUENCE: OutputFormat = OutputFormat { task: Task::Classification, steps: Steps::Last };

/// Values for each timestep.
pub(crate) const VALUES_PER_STEP: OutputFormat = OutputFormat { task: Task::Regression, steps: Steps::Every };

/// Mean and deviation of each value that a regression gives.
pub(crate) const OUTPUT_SCALING: [f32; 2] = [20.0, 4.0];

/// An f32 SimpleRNN of those inputs, units and outputs, with weights that differ from one another, in the bytes of a
/// `.rfn` file. Bytes have one scale, other samples are standardised feature by feature.
pub(crate) fn model([inputs, units, outputs]: [u16; 3], samples: Samples, output: OutputFormat) -> Vec<u8> {
    let (i, u, o) = (usize::from(inputs), usize::from(units), usize::from(outputs));
    let scaling = match samples {
        Samples::U8 => Scaling::Uniform { scale: 1.0 / 255.0, min: 0, max: 255, shift: 0 },
        Samples::I16 | Samples::F32 => Scaling::PerFeature { shift: 0, limit: 0 },
    };
    let mut header = Header {
        magic: refrain::format::MAGIC,
        version: refrain::format::VERSION,
        cell: CellKind::SimpleRnn,
        numbers: Numbers::F32,
        shape: Shape { inputs, units, outputs, layers: 1 },
        timesteps: 4,
        input: InputFormat { samples, scaling },
        output,
        operand_bits: 0,
        cell_bits: 0,
        name: "hand-made".into(),
        labels: "".into(),
        sections: Vec::new(),
    };
    let weights = |length: usize| -> Vec<f32> {
        (0..length).map(|index| ((index * 37 + length) % 101) as f32 / 50.0 - 1.0).collect()
    };
    let mut sections = vec![
        (SectionKind::Kernel, weights(u * i)),
        (SectionKind::RecurrentKernel, weights(u * u)),
        (SectionKind::Bias, weights(u)),
        (SectionKind::DenseKernel, weights(o * u)),
        (SectionKind::DenseBias, weights(o)),
    ];
    if matches!(scaling, Scaling::PerFeature { .. }) {
        sections.push((SectionKind::InputOffset, (0..i).map(|feature| 10.0 * feature as f32).collect()));
        sections.push((SectionKind::InputGain, (0..i).map(|feature| 0.01 / (1 + feature) as f32).collect()));
    }
    if output.task == Task::Regression {
        sections.push((SectionKind::OutputScaling, OUTPUT_SCALING.repeat(o)));
    }
    let mut payload = Vec::new();
    for (kind, values) in sections {
        payload.resize(payload.len().next_multiple_of(PAYLOAD_ALIGNMENT), 0);
        let section = Section { kind, offset: payload.len() as u32, length: 4 * values.len() as u32 };
        header.sections.push(section);
        payload.extend(values.into_iter().flat_map(f32::to_le_bytes));
    }
    let mut file = postcard::to_allocvec(&header).expect("a header can always be written");
    file.resize(file.len().next_multiple_of(PAYLOAD_ALIGNMENT), 0);
    file.extend(payload);
    file.extend(crc32(&file).to_le_bytes());
    file
}
