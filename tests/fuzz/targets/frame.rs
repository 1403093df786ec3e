//! What `cargo fuzz` runs: `src/lib.rs` says what it checks.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| refrain_fuzz::frame(data));
