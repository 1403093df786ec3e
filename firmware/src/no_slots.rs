//! A program without the feature `update`: it has its own models and no slots.

use refrain_firmware::update::{BuiltIn, NoUpdates, Updates};

use crate::board::{Board, Selected};
use crate::models::COUNT;

/// No slots.
pub(crate) struct Slots(NoUpdates);

impl Slots {
    /// There is no other model.
    pub(crate) fn hold(&mut self, _: u8) -> Option<&'static [u8]> {
        None
    }

    /// It is used already.
    pub(crate) fn use_built_in(&mut self, _: u8) {}
}

/// Leaves flash alone.
pub(crate) fn open(_: <Selected as Board>::Flash, _: [BuiltIn<'static>; COUNT]) -> Slots {
    Slots(NoUpdates)
}

/// There is nothing to report.
pub(crate) fn report(_: &Slots) {}

/// Uploads are refused before they get here.
pub(crate) fn updates(slots: &mut Slots) -> &mut dyn Updates {
    &mut slots.0
}
