//! Links the program for RISC-V with nothing but QEMU around it.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=riscv.x");
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("riscv32") {
        let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-T{folder}/riscv.x");
    }
}
