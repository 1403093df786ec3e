//! `refrain inspect`: what a model file says of itself.

use std::fmt;
use std::path::{Path, PathBuf};

use refrain::format::SectionKind;
use refrain::{AnyModel, InputFormat, Numbers, OutputFormat, Scaling, SelfTestError, Shape, Steps, Task};
use refrain_trainer::nn::Network;
use serde::Serialize;

use super::classifier::load_model;
use super::error::CliError;
use super::output::{number_table, table, thousands};

const EXAMPLES: &str = "\
Examples:
  refrain inspect lstm.rfn
  refrain inspect lstm.rfn --json

The file is checked whole, and the self-test that it carries is run. The format is described, byte by byte, in the
documentation of refrain::format.";

/// Check a model file and show what is in it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A model file that refrain export wrote
    #[arg(value_name = "M.rfn")]
    model: PathBuf,
}

/// What is in a model file.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    name: String,
    cell: &'static str,
    kind: &'static str,
    shape: Shape,
    timesteps: u16,
    labels: Vec<String>,
    /// As Keras counts them, batch normalisation's four vectors included.
    params: usize,
    bytes: usize,
    /// Of all sections but the self-test's and the states after blank rows.
    weight_bytes: u32,
    /// States after leading blank rows that the file holds.
    blank_states: usize,
    blank_states_bytes: u32,
    input: InputFormat,
    output: OutputFormat,
    /// Integer models: fraction bits of what the kernels multiply.
    operand_bits: Option<u8>,
    /// Integer LSTM: fraction bits of the cell state.
    cell_bits: Option<u8>,
    sections: Vec<Section>,
    /// `passed`, or `absent` where the file carries none.
    self_test: &'static str,
    /// CRC-32 at the end of the file.
    crc32: String,
}

#[derive(Debug, Serialize)]
struct Section {
    kind: SectionKind,
    /// From the payload's start.
    offset: u32,
    bytes: u32,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = |bits: Option<u8>| bits.map_or_else(|| "-".into(), |bits| bits.to_string());
        let mut facts = table(["model", &self.name]);
        let mut fact = |name: &str, value: String| {
            facts.add_row([name.to_owned(), value]);
        };
        fact("cell", format!("{} ({})", self.cell, self.kind));
        fact("shape", self.shape.to_string());
        fact("timesteps in training", self.timesteps.to_string());
        let outputs = match self.output.task {
            Task::Classification => "classes",
            Task::Regression => "values",
        };
        fact(outputs, self.labels.join(" "));
        fact("parameters", thousands(self.params as u64));
        fact("input", input_text(&self.input));
        fact("output", output_text(self.output));
        fact("fraction bits of operands", bits(self.operand_bits));
        fact("fraction bits of the cell state", bits(self.cell_bits));
        fact("file", format!("{} bytes", thousands(self.bytes as u64)));
        fact("weights", format!("{} bytes", thousands(self.weight_bytes)));
        let [blank_states, blank_bytes] =
            [self.blank_states as u64, self.blank_states_bytes.into()].map(thousands);
        fact("states after blank rows", format!("{blank_states}, {blank_bytes} bytes"));
        fact("CRC-32", self.crc32.clone());
        fact("self-test", self.self_test.into());
        let mut sections = number_table(["section", "offset", "bytes"]);
        for Section { kind, offset, bytes } in &self.sections {
            sections.add_row([format!("{kind:?}"), thousands(*offset), thousands(*bytes)]);
        }
        write!(f, "{facts}\n{sections}")
    }
}

pub(super) fn run(args: &Args) -> Result<Report, CliError> {
    let file = load_model(&args.model)?;
    let model = file.model();
    let self_test = self_test(&args.model, &model)?;
    let header = model.header();
    let is_weight = |kind| {
        !matches!(kind, SectionKind::SelfTestRows | SectionKind::SelfTestLogits | SectionKind::BlankStates)
    };
    let bytes_of = |is_wanted: &dyn Fn(SectionKind) -> bool| {
        header.sections.iter().filter(|section| is_wanted(section.kind)).map(|section| section.length).sum()
    };
    let blank_states_bytes: u32 = bytes_of(&|kind| kind == SectionKind::BlankStates);
    let is_integer = header.numbers != Numbers::F32;
    Ok(Report {
        name: header.name.as_str().into(),
        cell: header.cell.name(),
        kind: header.numbers.name(),
        shape: header.shape,
        timesteps: header.timesteps,
        labels: header.output_names().map(str::to_owned).collect(),
        params: Network::zeros(header.cell, header.shape).parameter_count(),
        bytes: file.as_bytes().len(),
        weight_bytes: bytes_of(&is_weight),
        blank_states: blank_states_bytes as usize / model.blank_state_bytes(),
        blank_states_bytes,
        input: header.input,
        output: header.output,
        operand_bits: is_integer.then_some(header.operand_bits),
        cell_bits: (header.cell_bits > 0).then_some(header.cell_bits),
        sections: header
            .sections
            .iter()
            .map(|section| Section { kind: section.kind, offset: section.offset, bytes: section.length })
            .collect(),
        self_test,
        crc32: format!("{:08x}", model.crc()),
    })
}

/// What the model takes, in words.
fn input_text(input: &InputFormat) -> String {
    match input.scaling {
        Scaling::Uniform { scale, min, max, .. } => {
            format!("{}, {min} to {max}, times {scale}", input.samples)
        }
        Scaling::PerFeature { .. } => format!("{}, each feature with its offset and gain", input.samples),
    }
}

/// What the model gives, in words.
fn output_text(output: OutputFormat) -> String {
    let what = match output.task {
        Task::Classification => "a class",
        Task::Regression => "values",
    };
    let when = match output.steps {
        Steps::Last => "each sequence",
        Steps::Every => "each timestep",
    };
    format!("{what} for {when}")
}

fn self_test(path: &Path, model: &AnyModel<'_>) -> Result<&'static str, CliError> {
    match model.self_test() {
        Ok(()) => Ok("passed"),
        Err(SelfTestError::Absent) => Ok("absent"),
        Err(source) => Err(CliError::SelfTest { path: path.to_owned(), source }),
    }
}
