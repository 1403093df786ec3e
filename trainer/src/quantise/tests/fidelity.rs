//! How far every kind of numbers follows the network, over cells, shapes, layers and readings.

use ndarray::Array2;
use refrain::format::SectionKind;
use refrain::{CellKind, Numbers, Samples, Shape};

use super::{metadata, network, readings, samples};
use crate::data::{InputScaling, Sequences, Split, Targets, Task, Values};
use crate::model_file::ModelFile;
use crate::quantise::{Metadata, Report, export};
use crate::train::{outputs, steps};

const SHAPES: [(u16, u16, u16); 6] =
    [(28, 64, 10), (1, 1, 1), (3, 5, 2), (5, 7, 3), (9, 33, 4), (130, 66, 11)];

#[test]
fn int8_follows_f32_for_every_cell_and_shape() {
    for cell in CellKind::ALL {
        for (inputs, units, outputs) in SHAPES {
            let shape = Shape { inputs, units, outputs, layers: 1 };
            let (network, metadata) = (network(cell, shape, 3), metadata(outputs.into()));
            let x = samples(20, 9, inputs.into());
            let file = export(&network, &metadata, Numbers::Int8, x.view()).unwrap();
            file.model().self_test().unwrap();
            let report = Report::new(&network, &metadata, &file, x.view());
            for layer in &report.layers {
                assert!(layer.rms < 0.02 * layer.signal_rms.max(0.5), "{cell}, {shape}: {layer:?}");
            }
        }
    }
}

#[test]
fn f32_models_follow_the_trainer_closely() {
    for cell in CellKind::ALL {
        for (inputs, units, outputs) in SHAPES {
            let shape = Shape { inputs, units, outputs, layers: 1 };
            let (network, metadata) = (network(cell, shape, 5), metadata(outputs.into()));
            let x = samples(20, 9, inputs.into());
            let file = export(&network, &metadata, Numbers::F32, x.view()).unwrap();
            file.model().self_test().unwrap();
            let report = Report::new(&network, &metadata, &file, x.view());
            for layer in &report.layers {
                assert!(layer.max < 2e-5, "{cell}, {shape}: {layer:?}");
            }
        }
    }
}

const SAMPLES: [Samples; 3] = [Samples::U8, Samples::I16, Samples::F32];

#[test]
fn every_kind_of_reading_is_standardised_in_the_model() {
    for cell in CellKind::ALL {
        for samples in SAMPLES {
            let shape = Shape { inputs: 7, units: 20, outputs: 3, layers: 1 };
            let network = network(cell, shape, 3);
            let (x, scaling) = readings(samples, 20, 9, 7);
            let metadata = Metadata { scaling, ..metadata(3) };
            for (numbers, part) in [(Numbers::Int8, 0.02), (Numbers::F32, 1e-4)] {
                let file = export(&network, &metadata, numbers, x.view()).unwrap();
                assert_eq!(file.model().header().input.samples, samples);
                file.model().self_test().unwrap();
                let report = Report::new(&network, &metadata, &file, x.view());
                for layer in &report.layers {
                    let most = part * layer.signal_rms.max(0.5);
                    assert!(layer.rms < most, "{cell}, {samples}, {numbers}: {layer:?}");
                }
            }
        }
    }
}

#[test]
fn layers_stand_one_upon_the_other() {
    for cell in CellKind::ALL {
        for layers in 1..=3 {
            let shape = Shape { inputs: 7, units: 13, outputs: 3, layers };
            let network = network(cell, shape, 3);
            let (x, scaling) = readings(Samples::I16, 20, 9, 7);
            let metadata = Metadata { scaling, ..metadata(3) };
            for (numbers, part) in [(Numbers::Int8, 0.02), (Numbers::F32, 1e-4)] {
                let file = export(&network, &metadata, numbers, x.view()).unwrap();
                file.model().self_test().unwrap();
                let report = Report::new(&network, &metadata, &file, x.view());
                assert_eq!(report.layers.len(), usize::from(layers) + 1);
                for layer in &report.layers {
                    let most = part * layer.signal_rms.max(0.5);
                    assert!(layer.rms < most, "{cell}, {layers} layers, {numbers}: {layer:?}");
                }
            }
        }
    }
}

#[test]
fn four_bits_follow_f32_as_far_as_they_can_and_take_half_the_flash() {
    for cell in CellKind::ALL {
        for (inputs, units, outputs) in SHAPES {
            let shape = Shape { inputs, units, outputs, layers: 2 };
            let (network, metadata) = (network(cell, shape, 3), metadata(outputs.into()));
            let x = samples(20, 9, inputs.into());
            let file = export(&network, &metadata, Numbers::Int4, x.view()).unwrap();
            file.model().self_test().unwrap();
            let report = Report::new(&network, &metadata, &file, x.view());
            for layer in &report.layers {
                assert!(layer.rms < 0.35 * layer.signal_rms.max(0.5), "{cell}, {shape}: {layer:?}");
            }
            let int8 = export(&network, &metadata, Numbers::Int8, x.view()).unwrap();
            for kind in [SectionKind::Kernel, SectionKind::RecurrentKernel] {
                let length = |file: &ModelFile| {
                    let model = file.model();
                    model.header().sections.iter().find(|section| section.kind == kind).unwrap().length
                };
                assert_eq!(length(&file) * 2, length(&int8), "{cell}, {shape}");
            }
        }
    }
}

#[test]
fn weights_that_four_bits_hold_compute_what_eight_bits_compute() {
    // every row has weights of -7 to 7 times one scale, so that both round to the same real numbers
    let shape = Shape { inputs: 6, units: 9, outputs: 3, layers: 2 };
    for cell in CellKind::ALL {
        let mut network = network(cell, shape, 3);
        for layer in &mut network.layers {
            let weight = |(row, column): (usize, usize)| {
                if row == 0 { 7.0 / 16.0 } else { ((row * 5 + column * 3) % 15) as f32 / 16.0 - 7.0 / 16.0 }
            };
            layer.kernel = Array2::from_shape_fn(layer.kernel.dim(), weight);
            layer.recurrent_kernel = Array2::from_shape_fn(layer.recurrent_kernel.dim(), weight);
        }
        // operands of inputs and of hidden states are alike: x = sample / 256
        let metadata = Metadata { scaling: InputScaling::Uniform { scale: 1.0 / 256.0 }, ..metadata(3) };
        let x = samples(20, 9, 6);
        let [four, eight] = [Numbers::Int4, Numbers::Int8].map(|numbers| {
            let file = export(&network, &metadata, numbers, x.view()).unwrap();
            Report::new(&network, &metadata, &file, x.view())
        });
        for (four, eight) in four.layers.iter().zip(&eight.layers) {
            assert!(four.rms < 1.5 * eight.rms + 1e-3, "{cell}: {four:?}, {eight:?}");
        }
    }
}

#[test]
fn logits_are_compared_wherever_the_task_has_them_read() {
    let shape = Shape { inputs: 7, units: 13, outputs: 3, layers: 1 };
    let network = network(CellKind::Gru, shape, 3);
    // of 9, 8 and 7 timesteps
    let (x, scaling) = readings(Samples::I16, 20, 9, 7);
    for per_step in [false, true] {
        let task = Task { per_step, ..metadata(3).task };
        let metadata = Metadata { scaling: scaling.clone(), task, ..metadata(3) };
        let file = export(&network, &metadata, Numbers::Int8, x.view()).unwrap();
        let report = Report::new(&network, &metadata, &file, x.view());
        let dense = report.layers.last().unwrap();
        let exact = outputs(&network, x.view(), &scaling, steps(&metadata.task));
        assert_eq!(exact.nrows(), if per_step { 7 * 9 + 7 * 8 + 6 * 7 } else { 20 });
        let squares: f64 = exact.iter().map(|&logit| f64::from(logit).powi(2)).sum();
        assert!((dense.signal_rms - (squares / exact.len() as f64).sqrt()).abs() < 1e-9, "{dense:?}");
        // each beside its own, not one of another timestep
        assert!(dense.rms < 0.02 * dense.signal_rms.max(0.5), "{dense:?}");
    }
}

#[test]
fn outliers_and_tiny_deviations_keep_a_format() {
    let shape = Shape { inputs: 3, units: 5, outputs: 2, layers: 1 };
    let mut values: Vec<i16> =
        (0..600).map(|index| [7, -30_000, 9][index % 3] + (index % 5) as i16).collect();
    values[300] = 32_767;
    let sequences = Sequences::equal(Values::I16(values), [20, 10, 3]);
    let x = Split::new(sequences, Targets::Labels(vec![0; 20]), false, "readings", "none").unwrap();
    // as of a feature that hardly ever moves
    let scaling =
        InputScaling::PerFeature { mean: vec![9.0, -29_998.0, 11.0], deviation: vec![1.5, 0.02, 40.0] };
    let metadata = Metadata { scaling, ..metadata(2) };
    let network = network(CellKind::Gru, shape, 4);
    let file = export(&network, &metadata, Numbers::Int8, x.view()).unwrap();
    let report = Report::new(&network, &metadata, &file, x.view());
    assert!(report.layers[0].rms < 0.05, "{report:?}");
}

#[test]
fn a_bias_beside_tiny_weights_stays_inside_the_accumulator() {
    let shape = Shape { inputs: 4, units: 6, outputs: 3, layers: 1 };
    let x = samples(30, 9, 4);
    for cell in CellKind::ALL {
        let mut network = network(cell, shape, 1);
        network.layers[0].kernel.fill(1e-20);
        network.layers[0].recurrent_kernel.fill(-1e-20);
        let file = export(&network, &metadata(3), Numbers::Int8, x.view()).unwrap();
        let report = Report::new(&network, &metadata(3), &file, x.view());
        assert!(report.layers[0].max < 0.001, "{cell}: {report:?}");
    }
}
