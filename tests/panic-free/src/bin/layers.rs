//! Cells in layers, for 16-bit samples.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![deny(unsafe_code)]

refrain_panic_free::program! {
    SimpleRnn, 3, i16, i16;
    Lstm, 3, i16, i16;
    Gru, 3, i16, i16;
}
