//! Integer cells for samples of any type, floats among them.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![deny(unsafe_code)]

refrain_panic_free::program! {
    SimpleRnn, 1, f32, f32;
    Lstm, 1, f32, f32;
    Gru, 1, f32, f32;
}
