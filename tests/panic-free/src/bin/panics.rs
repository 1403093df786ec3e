//! A program that can panic, and must not link: it looks up what a model file says in a table without room for all of it.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![deny(unsafe_code)]

/// Where the program begins.
#[cfg(target_os = "none")]
#[expect(unsafe_code, reason = "the linker looks for this name; no other item has it")]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    use core::hint::black_box;

    refrain_panic_free::run::<refrain_panic_free::cells::Lstm, 1, i16, u8>();
    if let Ok((header, _)) = refrain::Header::read(black_box(&[])) {
        let digits = black_box(["zero", "one", "two"]);
        black_box(digits[usize::from(header.timesteps)]);
    }
    loop {
        core::hint::spin_loop();
    }
}

#[cfg(not(target_os = "none"))]
fn main() {}
