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

    /// Whether any of these bits is set.
    pub(super) fn has(self, bits: u32) -> bool {
        self.read() & bits != 0
    }
}

/// For registers that several things share.
#[cfg_attr(family = "mps", expect(dead_code, reason = "there none is shared"))]
impl Register {
    /// Sets these bits and leaves the others.
    pub(super) fn set(self, bits: u32) {
        self.write(self.read() | bits);
    }

    /// Makes the bits of `mask` those of `value` and leaves the others.
    pub(super) fn change(self, mask: u32, value: u32) {
        self.write(self.read() & !mask | value);
    }
}
