//! The flash controller of an STM32L4x5 and its second bank, for the driver in the library, which says what has tried it.
//!
//! A double word that power failed on while it was written may show an error that its code cannot correct, and the
//! interrupt that nothing masks comes as soon as it is read. Slots hold such words, and a board that took that for a failure
//! would fail at every start. So until a model out of a slot is in use, and later while bytes are copied, that interrupt is
//! answered by clearing it: what the bytes are worth, their CRC-32 says. An error in the first bank, or in a model in use,
//! ends the program.

use core::sync::atomic::{AtomicBool, Ordering};

use refrain_firmware::update::stm32::{Port, Register as Name};

use crate::board::register::Registers;

/// The controller and its second bank.
#[derive(Debug)]
pub(crate) struct Bank2 {
    registers: Registers,
    address: usize,
}

/// Whether bytes of the bank may be read that power has failed on.
static FORGIVES: AtomicBool = AtomicBool::new(true);

impl Bank2 {
    const ECC: usize = 0x18;
    const ECC_IN_BANK_2: u32 = 1 << 19;
    const ECC_BEYOND_CORRECTION: u32 = 1 << 31;

    /// The controller at these registers, with the bank at that address.
    ///
    /// # Safety
    /// The bank must be there, with nothing of the program in it, and this be called once.
    pub(super) const unsafe fn at(registers: Registers, address: usize) -> Self {
        Self { registers, address }
    }

    /// Answers the interrupt that nothing masks; false where that is not for bytes that may be anything.
    pub(super) fn forgive(registers: Registers) -> bool {
        let ecc = registers.register(Self::ECC);
        let (is_mine, is_forgiven) = (
            ecc.has(Self::ECC_BEYOND_CORRECTION) && ecc.has(Self::ECC_IN_BANK_2),
            FORGIVES.load(Ordering::Relaxed),
        );
        if is_mine && is_forgiven {
            ecc.write(Self::ECC_BEYOND_CORRECTION);
        }
        is_mine && is_forgiven
    }

    fn pointer(&self, offset: u32) -> *const u8 {
        core::ptr::with_exposed_provenance(self.address + offset as usize)
    }
}

impl Port for Bank2 {
    fn register(&self, name: Name) -> u32 {
        self.registers.register(name as usize).read()
    }

    fn set_register(&mut self, name: Name, value: u32) {
        self.registers.register(name as usize).write(value);
    }

    fn put(&mut self, offset: u32, [first, second]: [u32; 2]) {
        let place = self.pointer(offset).cast::<u32>().cast_mut();
        // SAFETY: `at` was promised the bank, and the driver keeps to it, to multiples of 8, and away from what is held. No
        // other reference into it lives: those that are not held borrow this port.
        unsafe {
            place.write_volatile(first);
            place.add(1).write_volatile(second);
        }
    }

    fn read(&self, offset: u32, bytes: &mut [u8]) {
        let before = FORGIVES.swap(true, Ordering::Relaxed);
        for (place, from) in bytes.iter_mut().zip(offset..) {
            // SAFETY: `at` was promised the bank, and the driver keeps to it. Volatile, so that an error comes now.
            *place = unsafe { self.pointer(from).read_volatile() };
        }
        // the interrupt comes before what is behind this
        cortex_m::asm::dsb();
        cortex_m::asm::isb();
        FORGIVES.store(before, Ordering::Relaxed);
    }

    fn bytes(&self, offset: u32, length: u32) -> &[u8] {
        // SAFETY: `at` was promised the bank, the driver keeps to it, and any byte is a `u8`. Nothing changes it before this
        // borrow of the port ends.
        unsafe { core::slice::from_raw_parts(self.pointer(offset), length as usize) }
    }

    fn hold(&mut self, offset: u32, length: u32) -> &'static [u8] {
        FORGIVES.store(false, Ordering::Relaxed);
        // SAFETY: as in `bytes`, and the driver never changes what is held.
        unsafe { core::slice::from_raw_parts(self.pointer(offset), length as usize) }
    }
}
