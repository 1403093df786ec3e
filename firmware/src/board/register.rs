//! Hardware registers.

/// One 32-bit register at a fixed address.
#[derive(Clone, Copy)]
pub(super) struct Register(usize);

impl Register {
    /// The register at that address.
    ///
    /// # Safety
    /// There must be a readable and writable 32-bit register of a device, and reading or writing it must not
    /// change memory that Rust knows of.
    pub(super) const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    /// Reads it.
    pub(super) fn read(self) -> u32 {
        // SAFETY: `at` was promised a register here.
        unsafe { core::ptr::with_exposed_provenance::<u32>(self.0).read_volatile() }
    }

    /// Writes it.
    pub(super) fn write(self, value: u32) {
        // SAFETY: `at` was promised a register here.
        unsafe { core::ptr::with_exposed_provenance_mut::<u32>(self.0).write_volatile(value) }
    }
}
