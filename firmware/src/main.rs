//! The firmware.

fn main() {}
