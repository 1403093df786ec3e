//! The slots of models in flash that take the places of those in the program.

use refrain_firmware::update::{Active, BuiltIn, Store, Updates};

use crate::board::{Board, Selected};
use crate::models::COUNT;

type Flash = <Selected as Board>::Flash;

/// The slots of this program's models.
pub(crate) type Slots = Store<'static, Flash, COUNT>;

/// Looks what the slots hold.
pub(crate) fn open(flash: Flash, built_in: [BuiltIn<'static>; COUNT]) -> Slots {
    Store::open(flash, built_in)
}

/// Logs which models are not those in the program.
pub(crate) fn report(slots: &Slots) {
    for (model, active) in (0..COUNT as u8).map(|model| (model, slots.active(model))) {
        if active != Active::BUILT_IN {
            let Active { source, revision } = active;
            defmt::info!("model {=u8}: {}, revision {=u32}", model, source, revision);
        }
    }
}

/// What uploads go to.
pub(crate) fn updates(slots: &mut Slots) -> &mut dyn Updates {
    slots
}
