//! Hardware registers.

/// The registers of one device, from a fixed address on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registers(usize);

/// One 32-bit register.
#[derive(Clone, Copy, Debug)]
pub(super) struct Register(usize);

impl Registers {
    /// The registers of the device at that address.
    ///
    /// # Safety
    /// There must be a device whose driver these are given to. Reading and writing its registers must not change memory
    /// that Rust knows of.
    pub(super) const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    /// The register at that offset; a driver asks for no other than those that its device has.
    pub(super) const fn register(self, offset: usize) -> Register {
        Register(self.0 + offset)
    }
}

impl Register {
    /// Reads it.
    pub(super) fn read(self) -> u32 {
        // SAFETY: `Registers::at` was promised a device here.
        unsafe { core::ptr::with_exposed_provenance::<u32>(self.0).read_volatile() }
    }

    /// Writes it.
    pub(super) fn write(self, value: u32) {
        // SAFETY: `Registers::at` was promised a device here.
        unsafe { core::ptr::with_exposed_provenance_mut::<u32>(self.0).write_volatile(value) }
    }
}
