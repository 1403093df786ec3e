//! A GRU for bytes.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![deny(unsafe_code)]

refrain_panic_free::program! {
    Gru, 1, i16, u8;
}
