//! Chooses the kernel for the target: `cfg(kernel = "NAME")` stands for the module of that name in `src/kernel/`; and `cfg(armv8m)`.
//!
//! The compiler does not tell on stable whether a Cortex-M has the DSP extension, so that is read from the target's
//! name and, for ARMv8-M, where the extension is an option, from the core that the build names.
//!
//! `REFRAIN_KERNEL=portable` takes the portable kernel on any target.

use std::env;

/// Every kernel that may be chosen.
const KERNELS: [&str; 5] = ["armv6m", "dsp", "mve", "portable", "simd"];

/// Cores of ARMv8-M, as `-C target-cpu` names them, that have the DSP extension.
const ARMV8M_WITH_DSP: [&str; 2] = ["cortex-m33", "cortex-m35p"];

/// Those that have MVE.
const ARMV8M_WITH_MVE: [&str; 3] = ["cortex-m52", "cortex-m55", "cortex-m85"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let names = KERNELS.map(|kernel| format!("\"{kernel}\"")).join(", ");
    println!("cargo::rustc-check-cfg=cfg(kernel, values({names}))");
    let target = env::var("TARGET").unwrap_or_default();
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    println!("cargo::rustc-check-cfg=cfg(armv8m)");
    if target.starts_with("thumbv8m") {
        println!("cargo::rustc-cfg=armv8m");
    }
    println!("cargo::rerun-if-env-changed=REFRAIN_KERNEL");
    match env::var("REFRAIN_KERNEL").as_deref() {
        Err(_) | Ok("") => println!("cargo::rustc-cfg=kernel=\"{}\"", kernel(&target, &flags)),
        Ok("portable") => println!("cargo::rustc-cfg=kernel=\"portable\""),
        Ok(other) => println!("cargo::error=REFRAIN_KERNEL is {other}, expected portable, or nothing"),
    }
}

/// The kernel for a target that is compiled for with these flags.
fn kernel(target: &str, flags: &str) -> &'static str {
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let has_simd128 = features.split(',').any(|feature| feature == "simd128");
    let names = |cores: &[&str]| cores.iter().any(|core| flags.contains(core));
    if target.starts_with("thumbv8m.main") && names(&ARMV8M_WITH_MVE) {
        "mve"
    } else if target.starts_with("thumbv7em")
        || target.starts_with("thumbv8m.main") && names(&ARMV8M_WITH_DSP)
    {
        "dsp"
    } else if target.starts_with("thumbv6m") {
        "armv6m"
    } else if target.starts_with("x86_64") || target.starts_with("wasm32") && has_simd128 {
        "simd"
    } else {
        "portable"
    }
}
