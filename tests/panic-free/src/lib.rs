//! Programs of nothing but inference, for Cortex-M and without a board: they check a model file, read a sequence and
//! give the logits.
//!
//! None of them runs. They are linked: the panic handler calls a function that nowhere is, so the linker refuses a
//! program in which a panic can be reached, whatever its input. What is linked is also all the flash that inference
//! takes. `refrain_tests::panic_free` builds and weighs them, and `cargo test -p refrain-tests --test panic_free` checks.
//!
//! On the host the programs are empty.
#![no_std]
#![deny(unsafe_code)]

use core::hint::black_box;

use refrain::cell::Cell;
use refrain::{Model, Operands, Sample, SampleType, State};

/// Features of a timestep, units and logits of the shipped models.
const INPUTS: usize = 28;
const UNITS: usize = 64;
const OUTPUTS: usize = 10;

/// Checks a file and reads a sequence; of both the compiler knows nothing.
#[inline(never)]
pub fn run<C: Cell, const LAYERS: usize, S: SampleType, T: Sample + 'static>() {
    let (file, rows): (&[u8], &[[T; INPUTS]]) = black_box((&[], &[]));
    match Model::<C, INPUTS, UNITS, OUTPUTS, LAYERS, S>::from_bytes(file) {
        Ok(model) => {
            let mut state = State::new();
            for row in rows {
                model.step(&mut state, row);
            }
            black_box(&model.logits(&state));
            state.reset();
            black_box(&state);
        }
        Err(error) => _ = black_box(&error),
    }
}

/// Reads a sequence of which every timestep is measured in parts; of the file and the rows the compiler knows nothing.
#[inline(never)]
pub fn run_in_parts<C: Cell, const LAYERS: usize, S: SampleType>() {
    let (file, rows): (&[u8], &[&[u8]]) = black_box((&[], &[]));
    if let Ok(model) = Model::<C, INPUTS, UNITS, OUTPUTS, LAYERS, S>::from_bytes(file) {
        let (mut state, mut operands) = (State::new(), Operands::new());
        for row in rows {
            let mut measure = |part, run: &mut dyn FnMut()| {
                run();
                black_box(part);
            };
            _ = black_box(model.step_bytes_in_parts(&mut state, row, &mut operands, &mut measure));
        }
        black_box(&state);
    }
}

/// Makes a program that computes with each of the networks: a cell, layers, the samples it is compiled for and the type
/// of those that it is given.
#[macro_export]
macro_rules! program {
    ($($networks:tt)+) => {
        $crate::program_of! { run; $($networks)+ }
    };
}

/// [`program!`] of another function of this crate than [`run`].
#[macro_export]
macro_rules! program_of {
    ($run:ident; $($cell:ident, $layers:literal, $($samples:ty),+;)+) => {
        /// Where the program begins: the linker keeps what can be reached from here.
        #[cfg(target_os = "none")]
        #[expect(unsafe_code, reason = "the linker looks for this name; no other item has it")]
        #[unsafe(no_mangle)]
        extern "C" fn _start() -> ! {
            $($crate::$run::<$crate::cells::$cell, $layers, $($samples),+>();)+
            loop {
                core::hint::spin_loop();
            }
        }

        #[cfg(not(target_os = "none"))]
        fn main() {}
    };
}

/// The cells by their names, for [`program!`].
pub use refrain::cell as cells;

/// Links only where nothing calls it.
#[cfg(target_os = "none")]
#[expect(unsafe_code, reason = "a function that nowhere is has to be declared")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        safe fn a_panic_can_be_reached() -> !;
    }
    a_panic_can_be_reached()
}
