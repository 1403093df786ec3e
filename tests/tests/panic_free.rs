//! Inference cannot panic, allocates nothing, computes without floats, and takes so much flash: shown by what a linker
//! makes of the programs in `tests/panic-free`.
//!
//! Their sizes are kept in `code_flash.json` and must not get worse.
//! `REFRAIN_UPDATE_FIGURES=1 cargo test -p refrain-tests --test panic_free` writes the file anew.

use std::collections::BTreeMap;
use std::path::Path;

use refrain_tests::panic_free::{Image, MISSING_FUNCTION, NotLinked, link, link_for};
use serde::{Deserialize, Serialize};

const CORTEX_M4F: &str = "thumbv7em-none-eabihf";
const CORTEX_M0: &str = "thumbv6m-none-eabi";
/// Cores without an FPU, where whatever computes with floats calls a function for it.
const WITHOUT_FPU: [&str; 2] = [CORTEX_M0, "thumbv7m-none-eabi"];
/// Cores whose kernels are in assembly only where a build names the core.
const ARMV8M: &str = "thumbv8m.main-none-eabihf";
const ARMV8M_CORES: [Option<&str>; 3] = [None, Some("cortex-m33"), Some("cortex-m55")];

/// Programs whose size is kept.
const WEIGHED: [&str; 4] = ["simple-rnn", "lstm", "gru", "three-cells"];

/// A size may grow by this part before it counts as worse.
const TOLERANCE: f64 = 0.02;

fn linked(program: &str, target: &str) -> Image {
    checked(link(program, target), &format!("{program} for {target}"))
}

fn checked(image: Result<Image, NotLinked>, name: &str) -> Image {
    let image = image.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(image.allocating_functions(), [""; 0], "{name}");
    image
}

#[test]
fn no_panic_can_be_reached_on_cortex_m4f() {
    for program in ["four-bits", "layers", "float-samples", "parts"] {
        linked(program, CORTEX_M4F);
    }
}

#[test]
fn no_panic_can_be_reached_on_other_cores() {
    for program in ["three-cells", "four-bits"] {
        for core in ARMV8M_CORES {
            checked(link_for(program, ARMV8M, core), &format!("{program} for {ARMV8M}, {core:?}"));
        }
    }
}

#[test]
fn integer_cells_compute_without_floats() {
    for target in WITHOUT_FPU {
        for program in ["three-cells", "four-bits", "layers"] {
            assert_eq!(linked(program, target).float_functions(), [""; 0], "{program} for {target}");
        }
    }
    let floats = linked("float-samples", WITHOUT_FPU[0]);
    assert!(floats.float_functions().len() > 3, "floats are seen where there are some: {floats:?}");
}

/// Where a product has 32 bits, one of 64 is a function.
const MULTIPLIES_64_BITS: &str = "__aeabi_lmul";

#[test]
fn no_product_is_wider_than_a_cortex_m0_has() {
    for program in ["three-cells", "four-bits", "layers"] {
        let Image { symbols, .. } = linked(program, CORTEX_M0);
        assert!(!symbols.iter().any(|symbol| symbol == MULTIPLIES_64_BITS), "{program}: {symbols:?}");
    }
}

#[test]
fn a_program_that_can_panic_is_not_linked() {
    let messages = link("panics", CORTEX_M4F).expect_err("it indexes by a number of a file").messages;
    assert!(messages.contains(MISSING_FUNCTION), "{messages}");
}

/// What is kept of one program.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Figures {
    /// Bytes of code and constants.
    code: u64,
    /// Bytes of constant tables.
    tables: u64,
}

#[test]
fn code_has_not_grown() {
    let found: BTreeMap<&str, Figures> = WEIGHED
        .into_iter()
        .map(|program| {
            let Image { code, tables, .. } = linked(program, CORTEX_M4F);
            println!("{program}: {code} bytes of code and {tables} of tables with the model parser");
            (program, Figures { code, tables })
        })
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("code_flash.json");
    if std::env::var_os("REFRAIN_UPDATE_FIGURES").is_some() {
        let text = serde_json::to_string_pretty(&found).expect("figures can be written") + "\n";
        std::fs::write(&path, text).expect("code_flash.json can be written");
    }
    let text = std::fs::read_to_string(&path).expect("code_flash.json is part of the repository");
    let kept: BTreeMap<&str, Figures> = serde_json::from_str(&text).expect("code_flash.json is sound");
    assert!(found.keys().eq(kept.keys()), "{:?}, kept {:?}", found.keys(), kept.keys());
    for (program, found) in found {
        let kept = kept[program];
        assert!(
            !is_worse(found.code, kept.code),
            "{program}: {} bytes of code, kept {}",
            found.code,
            kept.code
        );
        assert!(
            !is_worse(found.tables, kept.tables),
            "{program}: tables of {}, kept {}",
            found.tables,
            kept.tables
        );
    }
}

fn is_worse(found: u64, kept: u64) -> bool {
    found as f64 > kept as f64 * (1.0 + TOLERANCE)
}

#[test]
fn two_parts_in_a_hundred_are_worse() {
    assert!(!is_worse(1020, 1000) && is_worse(1021, 1000));
}
