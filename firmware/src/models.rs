//! The models that the firmware was built around.
//!
//! The build script reads the headers of the model files and calls `models!`, so the shapes are constants here
//! and only the cells that occur are linked.

use refrain::ModelError;
use refrain_firmware::{Classifier, Network};

/// A model file that the runtime refuses.
pub(crate) struct BadModel {
    /// Its number.
    pub(crate) number: usize,
    /// What is wrong with it.
    pub(crate) error: ModelError,
}

/// Declares [`Models`] and the sizes of the largest among them: bytes of a row, of all logits, of a name.
macro_rules! models {
    (
        row: $row:literal, logits: $logits:literal, name: $name:literal;
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
        /// Bytes of the longest name of a model.
        pub(crate) const NAME_BYTES: usize = $name;
        /// How many models there are.
        pub(crate) const COUNT: usize = [$(stringify!($field)),+].len();

        /// Every model, checked.
        pub(crate) struct Models {
            $($field: Network<'static, refrain::$kind::$cell, $inputs, $units, $outputs, $layers, $samples>,)+
        }

        impl Models {
            /// Checks the model files.
            pub(crate) fn parse() -> Result<Self, BadModel> {
                let mut numbers = 0..;
                Ok(Self {
                    $($field: numbered(&mut numbers, Network::from_bytes(refrain::include_model!($path)))?,)+
                })
            }

            /// The models in the order of their numbers.
            pub(crate) fn classifiers(&mut self) -> [&mut dyn Classifier; COUNT] {
                [$(&mut self.$field),+]
            }
        }
    };
}

/// Gives an error the next number.
fn numbered<T>(
    numbers: &mut core::ops::RangeFrom<usize>,
    parsed: Result<T, ModelError>,
) -> Result<T, BadModel> {
    let number = numbers.next().unwrap_or_default();
    parsed.map_err(|error| BadModel { number, error })
}

include!(concat!(env!("OUT_DIR"), "/models.rs"));
