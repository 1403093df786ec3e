//! The models that the firmware was built around.
//!
//! The build script reads the headers of the model files and calls `models!`, so the shapes are constants here
//! and only the cells that occur are linked.
//!
//! # Weights in flash or in RAM
//!
//! A model is read where it lies in flash. On most parts the processor waits for flash, and an inference reads all
//! weights of its recurrent layers anew in every timestep, more than any cache of such a part holds. With the feature
//! `weights-in-ram` the models are copied to RAM before `main`, which takes as much RAM as the files are long.
//!
//! What that is worth can be estimated, for instance for an STM32L475 (Cortex-M4F, 80 MHz, core voltage range 1; its
//! reference manual is RM0351). **This is a model; nothing of it was measured on silicon.**
//!
//! - A read of flash gives 8 bytes and at 80 MHz takes 4 wait states. SRAM1 (96 KiB) and SRAM2 (32 KiB) have none.
//! - Instructions: the cache has 32 lines of 32 bytes. The loops over columns are shorter than that, so they run from
//!   the cache; what is fetched between them is left out here.
//! - Data: the cache has 8 lines of 32 bytes, so of weights that come round once in a timestep it holds none.
//! - At best the processor waits for the first 8 bytes of each line, 4 cycles, and the others arrive while it computes:
//!   32 weights take it about as many cycles, and three more reads take 15. At worst it waits for each read, 16 cycles
//!   a line.
//!
//! The LSTM of 28 inputs and 64 units reads 800 lines in a timestep (23,552 weights, 2,048 bytes of biases and
//! multipliers), 22,400 in an inference: 90,000 to 360,000 cycles of waiting on top of those that the processor
//! computes. The GRU reads 17,000 lines (68,000 to 270,000 cycles), the SimpleRNN 5,600 (22,000 to 90,000). Groups of
//! inputs that are zero are skipped, weights and all, so on sparse inputs it is less. `cargo qemu-bench` prints these
//! sums beside the cycles that it counts. Each model file fits into SRAM1 beside stack and variables.

use refrain::ModelError;
use refrain_firmware::update::{BuiltIn, trial};
use refrain_firmware::{Classifier, Network};

use crate::slots::Slots;

/// A model file that the runtime refuses.
pub(crate) struct BadModel {
    /// Its number.
    pub(crate) number: u8,
    /// What is wrong with it.
    pub(crate) error: ModelError,
}

/// The bytes of a model file: in flash, where nothing copies them.
#[cfg(not(feature = "weights-in-ram"))]
macro_rules! model_bytes {
    ($path:literal) => {
        refrain::include_model!($path)
    };
}

/// The bytes of a model file: among the initialised variables, which are copied from flash to RAM before `main`.
#[cfg(feature = "weights-in-ram")]
macro_rules! model_bytes {
    ($path:literal) => {{
        // SAFETY: the linker script of cortex-m-rt gathers every `.data.*`, and its reset handler copies all of that.
        #[unsafe(link_section = ".data.model")]
        static MODEL: refrain::Aligned<[u8; include_bytes!($path).len()]> =
            refrain::Aligned(*include_bytes!($path));
        &MODEL.0
    }};
}

/// Declares [`Models`], what may take their places, and the sizes of the largest among them: bytes of a row, of all
/// logits.
macro_rules! models {
    (
        row: $row:literal, logits: $logits:literal;
        $($field:ident: Network<
            $kind:ident::$cell:ident,
            $inputs:literal,
            $units:literal,
            $outputs:literal,
            $layers:literal,
            $samples:ident
        > = $path:literal,)+
    ) => {
        /// Bytes of the longest row.
        pub(crate) const ROW_BYTES: usize = $row;
        /// Bytes of the most logits.
        pub(crate) const LOGITS_BYTES: usize = $logits;
        /// How many models there are.
        pub(crate) const COUNT: usize = [$(stringify!($field)),+].len();

        /// The model files in the program.
        mod files {
            $(pub(super) fn $field() -> &'static [u8] {
                model_bytes!($path)
            })+
        }

        /// The models in the program, and what may take their places.
        pub(crate) fn built_in() -> [BuiltIn<'static>; COUNT] {
            [$(BuiltIn {
                file: files::$field(),
                trial: trial::<refrain::$kind::$cell, $inputs, $units, $outputs, $layers, $samples>,
            }),+]
        }

        /// Every model, checked.
        pub(crate) struct Models {
            $($field: Network<'static, refrain::$kind::$cell, $inputs, $units, $outputs, $layers, $samples>,)+
        }

        impl Models {
            /// Checks the model files: those in slots that are to be used, or else those in the program.
            pub(crate) fn parse(slots: &mut Slots) -> Result<Self, BadModel> {
                let mut numbers = 0..;
                Ok(Self {
                    $($field: {
                        let number = numbers.next().unwrap_or_default();
                        parse(slots, number, files::$field(), Network::from_bytes)?
                    },)+
                })
            }

            /// The models in the order of their numbers.
            pub(crate) fn classifiers(&mut self) -> [&mut dyn Classifier; COUNT] {
                [$(&mut self.$field),+]
            }
        }
    };
}

/// The model of that number.
fn parse<T>(
    slots: &mut Slots,
    number: u8,
    built_in: &'static [u8],
    parse: fn(&'static [u8]) -> Result<T, ModelError>,
) -> Result<T, BadModel> {
    if let Some(held) = slots.hold(number) {
        match parse(held) {
            Ok(model) => return Ok(model),
            Err(error) => defmt::error!("model {=u8} in flash was good a moment ago: {}", number, error),
        }
    }
    slots.use_built_in(number);
    parse(built_in).map_err(|error| BadModel { number, error })
}

include!(concat!(env!("OUT_DIR"), "/models.rs"));
