//! From what a validation found to what a page shows.

use super::page::{
    Board, Compared, Data, Figure, Line, Measured, Network, Page, Part, Place, Run, ValidationPage,
};
use super::results::{Outputs, results};
use crate::data::{Dataset, SplitView};
use crate::device::{Costs, DeviceReport, Mismatch, PartCost, Validation};
use crate::evaluate::{Details, Scores};
use crate::nn;

impl ValidationPage {
    /// The page on a validation over `samples` of `dataset`, which came from `origin`.
    pub fn new(found: &Validation, dataset: &Dataset, samples: SplitView<'_>, origin: &str) -> Self {
        let report = &found.on_board;
        let outputs = found.answers.outputs(report.numbers);
        let shape = found.model.shape;
        let run = Run {
            name: found.model.name.clone(),
            network: Network {
                cell: report.cell.name().into(),
                layers: shape.layers.into(),
                units: shape.units.into(),
                parameters: nn::Network::zeros(report.cell, shape).parameter_count(),
                numbers: report.numbers.name().into(),
                model_bytes: report.flash_bytes.model as usize,
            },
            training: None,
            results: results(dataset, samples, Outputs { model: &outputs, network: None }),
            layers: Vec::new(),
            board: Some(Board { emulated: found.qemu.is_some(), ..Board::from(report) }),
        };
        let data = Data::new(dataset, samples, origin);
        Self {
            page: Page { data, runs: vec![run], notes: Vec::new() },
            place: place(found),
            compared: compared(dataset.task().output_names(), &report.scores, &found.host.scores),
            measured: measured(&found.profile, report),
        }
    }
}

fn place(found: &Validation) -> Place {
    let report = &found.on_board;
    Place {
        model: [found.model.name.clone(), found.model.file.clone()],
        shape: format!("{} ({}), {}", report.cell, report.numbers, found.model.shape),
        crc32: found.model.crc32.clone(),
        core: found.core.map(str::to_owned).zip(found.clock_hz),
        firmware: found.firmware.clone(),
        qemu: found.qemu.clone(),
        port: found.port.clone(),
        via: report.via.into(),
        samples_per_second: report.samples_per_second,
        retries: report.retries,
        line: report
            .line
            .map(|line| Line { carried: line.bytes_per_second, echoes: line.echo_bytes_per_second }),
        mismatch: report.mismatch.map(mismatch),
        logits_sha256: [report.logits_sha256.clone(), found.host.logits_sha256.clone()],
        inference_stack: report.ram_bytes.inference_stack,
    }
}

/// Where board and host part.
fn mismatch(Mismatch { sample, timestep, logit, board, host }: Mismatch) -> String {
    let timestep = timestep.map(|timestep| format!(", timestep {timestep}")).unwrap_or_default();
    format!(
        "in sample {sample}{timestep}, logit {logit}, the board computed {board:#010x} where the host computed {host:#010x}"
    )
}

/// The figures of the board beside those of the host.
fn compared(names: &[String], board: &Scores, host: &Scores) -> Vec<Compared> {
    let both = [board, host];
    let row = |name: String, figure, value: &dyn Fn(&Scores) -> Option<f64>| Compared {
        name,
        figure,
        values: both.map(value),
    };
    let part = |name: &str, value: &dyn Fn(&Scores) -> Option<f64>| row(name.into(), Figure::Part, value);
    if let Details::Classes(_) = board.details {
        let least_recall =
            |scores: &Scores| scores.classes()?.recall.iter().copied().flatten().min_by(f64::total_cmp);
        return vec![
            part("accuracy", &|scores| scores.accuracy),
            part("macro F1", &|scores| Some(scores.classes()?.macro_f1)),
            part("least recall of a class", &least_recall),
        ];
    }
    let of_output = |(index, name): (usize, &String)| {
        let number = |what, value: &dyn Fn(&Scores) -> Option<f64>| {
            row(format!("{name}: {what}"), Figure::Number, value)
        };
        [
            number("mean absolute error", &|scores| scores.values()?.mean_absolute_error.get(index).copied()),
            number("root mean square error", &|scores| {
                scores.values()?.root_mean_squared_error.get(index).copied()
            }),
            number("R²", &|scores| scores.values()?.r2.get(index).copied()),
        ]
    };
    names.iter().enumerate().flat_map(of_output).collect()
}

fn measured(costs: &Costs, report: &DeviceReport) -> Measured {
    let cell = report.cell;
    let each = |ticks: u64, instructions: Option<u64>, timesteps: u64| match instructions {
        Some(instructions) => instructions as f64,
        None => ticks as f64 / timesteps.max(1) as f64,
    };
    let part = |PartCost { part, ticks, instructions_per_timestep, share }: &PartCost| Part {
        name: if part.starts_with("layer") { format!("{cell}, {part}") } else { part.clone() },
        cost: each(*ticks, *instructions_per_timestep, costs.timesteps),
        share: *share,
    };
    Measured {
        samples: costs.samples,
        timesteps: costs.timesteps,
        to_the_end: costs.to_the_end,
        are_instructions: costs.instructions_per_timestep.is_some(),
        timestep: each(costs.ticks, costs.instructions_per_timestep, costs.timesteps),
        parts: costs.parts.iter().map(part).collect(),
        without_zeros: costs
            .without_zeros
            .map(|cost| each(cost.ticks, cost.instructions_per_timestep, cost.timesteps.into())),
        inference: report.instructions_per_inference,
        inference_ticks: report.ticks_per_inference,
    }
}
