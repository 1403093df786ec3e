//! All three cells for bytes in one program.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![deny(unsafe_code)]

refrain_panic_free::program! {
    SimpleRnn, 1, i16, u8;
    Lstm, 1, i16, u8;
    Gru, 1, i16, u8;
}
