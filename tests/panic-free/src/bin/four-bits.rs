//! All three cells with weights of 4 bits.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![deny(unsafe_code)]

refrain_panic_free::program! {
    SimpleRnn4, 1, i16, u8;
    Lstm4, 1, i16, u8;
    Gru4, 1, i16, u8;
}
