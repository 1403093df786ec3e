//! Timesteps in parts, of cells of one and of three layers.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![deny(unsafe_code)]

refrain_panic_free::program_of! {
    run_in_parts;
    SimpleRnn, 1, i16;
    Lstm, 3, i16;
    Gru, 1, f32;
}
