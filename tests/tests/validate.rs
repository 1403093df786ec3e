//! A validation on an emulated Cortex-M4F: the run of `refrain device`, and the parts of an inference, which the board
//! measures.

use refrain::{CellKind, Numbers, Samples};
use refrain_tests::{Recordings, dataset, per_step, regression, shipped_models};
use refrain_trainer::data::{SplitView, Task};
use refrain_trainer::device::{Board, Target, Validation, Via, validate};
use refrain_trainer::evaluate::evaluate;
use refrain_trainer::model_file::ModelFile;

/// Instructions around a look at the clock that are not the meter's own: calls of what is measured.
const AROUND_A_LOOK: f64 = 8.0;

/// Validates and checks all that must hold of any validation.
fn validated(file: &ModelFile, via: Via, samples: SplitView<'_>, layers: usize) -> Validation {
    let target = Target::Emulated(Board::Mps2An386);
    let found = validate(&target, via, file, samples, &mut |_| {}).expect("the board answers");
    let host = evaluate(file, samples).expect("the host can evaluate what the board can");
    assert!(found.on_board.host_matches, "{}: {:?}", file.name(), found.on_board.mismatch);
    assert_eq!((&found.answers, &found.host.scores), (&host, &host.scores));
    assert_eq!(found.on_board.logits_sha256, found.host.logits_sha256);
    assert_eq!(found.model.crc32, format!("{:08x}", file.model().crc()));
    assert_eq!((found.core, found.clock_hz), (Some("Cortex-M4"), Some(25_000_000)));
    assert!(found.qemu.is_some() && found.port.is_none() && !found.firmware.is_empty());

    let costs = &found.profile;
    let names: Vec<&str> = costs.parts.iter().map(|cost| cost.part.as_str()).collect();
    let numbered: Vec<String> = (1..=layers).map(|layer| format!("layer {layer}")).collect();
    let expected: Vec<&str> =
        ["input"].into_iter().chain(numbered.iter().map(String::as_str)).chain(["dense"]).collect();
    assert_eq!(names, expected);
    // 25.6 ticks are an instruction; each timestep is looked at once as a whole, and once more for each layer and the logits
    let (sum, whole): (u64, u64) = (costs.parts.iter().map(|cost| cost.ticks).sum(), costs.ticks);
    let most = AROUND_A_LOOK * 25.6 * (costs.timesteps as usize * 2 + costs.samples) as f64;
    let apart = sum.abs_diff(whole) as f64;
    assert!(apart <= most, "{}: the parts make {sum} ticks, the whole {whole}", file.name());
    println!("{}: {apart} of {whole} ticks apart, {costs:?}", file.name());
    found
}

#[test]
fn a_shipped_model_is_measured_part_by_part() {
    let (dataset, [_, lstm, _]) = (dataset(), shipped_models());
    let found = validated(&lstm, Via::Memory, dataset.test().view().first(20), 1);
    let costs = &found.profile;
    assert_eq!((costs.samples, costs.timesteps, costs.to_the_end), (20, 20 * 28, true));
    let [input, layer, dense] = [0, 1, 2].map(|part| costs.parts[part].share);
    assert!(layer > 0.9 && input > 0.001 && dense > 0.001 && input + dense < 0.1, "{costs:?}");
    // the same samples, counted in another run and another mode
    let (counted, measured) = (found.on_board.instructions_per_timestep, costs.instructions_per_timestep);
    let [counted, measured] = [counted, measured].map(|count| count.expect("they are counted") as f64);
    assert!((counted / measured - 1.0).abs() < 0.02, "{counted} counted, {measured} measured");
    let worst = costs.without_zeros.expect("a model of integers").instructions_per_timestep;
    assert!(worst > costs.instructions_per_timestep, "{worst:?}");
    assert!(found.on_board.ram_bytes.inference_stack > Some(0));
    check_names(&found);
}

/// The names of the fields of an object, and of the objects in it, sorted.
fn names(value: &serde_json::Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// That scripts read.
fn check_names(found: &Validation) {
    let json = serde_json::to_value(found).expect("it is data");
    let all = "accuracy answers board cell clock_hz confusion core f1 firmware flash_bytes host host_matches \
               instructions_per_inference instructions_per_timestep least_milliseconds_per_inference line logits_sha256 \
               lost_bytes macro_f1 mismatch model numbers port precision profile qemu ram_bytes recall retries samples \
               samples_per_second started_again ticks_per_inference via";
    assert_eq!(names(&json).join(" "), all);
    let host = "accuracy answers confusion f1 logits_sha256 macro_f1 precision recall";
    assert_eq!(names(&json["host"]).join(" "), host);
    assert_eq!(names(&json["model"]).join(" "), "crc32 file name shape");
    let profile = "instructions_per_timestep parts samples ticks timesteps to_the_end without_zeros";
    assert_eq!(names(&json["profile"]).join(" "), profile);
    assert_eq!(names(&json["profile"]["parts"][0]).join(" "), "instructions_per_timestep part share ticks");
    let without_zeros = "instructions_per_inference instructions_per_timestep ticks timesteps";
    assert_eq!(names(&json["profile"]["without_zeros"]).join(" "), without_zeros);
}

#[test]
fn any_task_is_measured() {
    let layered = Recordings::random(Samples::I16, 5, &[9, 1, 4, 12, 2, 7], per_step(regression(2)), 3);
    let file = layered.model(CellKind::Lstm, 7, 3, Numbers::Int8);
    let found = validated(&file, Via::Memory, layered.split.view(), 3);
    assert_eq!((found.profile.timesteps, found.on_board.scores.accuracy), (35, None));
    assert!(found.profile.parts.iter().all(|cost| cost.ticks > 0), "{:?}", found.profile);

    let floats = Recordings::random(Samples::F32, 5, &[3, 2], Task::classification(["rest", "walk"]), 4);
    let file = floats.model(CellKind::Gru, 6, 2, Numbers::F32);
    let found = validated(&file, Via::Link, floats.split.view(), 2);
    assert_eq!(found.profile.without_zeros, None);
    assert!(found.on_board.line.is_some());
}
