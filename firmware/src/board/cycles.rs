//! Cycles of an Armv7-M processor: counted by its debug unit where that does, otherwise by SysTick.
//!
//! Silicon counts in CYCCNT (32 bits, 53 seconds at 80 MHz), QEMU does not, though there too the unit claims to exist; so
//! it is tried. SysTick (24 bits) then counts instead, and in either case its interrupt looks at the counter often enough
//! to miss no wrap.
//!
//! CYCCNT stands still while the processor sleeps, unless a debugger keeps it awake.

use core::cell::Cell;
use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::interrupt::{CriticalSection, Mutex};
use refrain_firmware::clock::unwrapped;

use crate::board::counter::Counter;
use crate::board::interrupt::Interrupt;
use crate::board::register::{Register, Registers};

/// The counters.
#[derive(Clone, Debug)]
pub(crate) struct Cycles {
    debug_control: Register,
    cycle_control: Register,
    cycle_count: Register,
    tick_control: Register,
    tick_reload: Register,
    tick_value: Register,
    megahertz: u32,
}

/// The count when it was last looked at.
static COUNT: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

/// SysTick's ticks when they were last looked at, where CYCCNT counts: those alone go on while the processor sleeps.
static TICKS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

/// Bits of SysTick that count; 0 where CYCCNT does it.
static TICK_BITS: AtomicU32 = AtomicU32::new(0);

impl Cycles {
    /// SysTick's exception, by the number that it has among the interrupts.
    const TICK: Interrupt = Interrupt(-1_i16 as u16);
    const DEBUG_TRACE: u32 = 1 << 24;
    const CYCLE_ENABLE: u32 = 1 << 0;
    const TICK_ENABLE: u32 = 1 << 0;
    const TICK_INTERRUPT: u32 = 1 << 1;
    const TICK_FROM_PROCESSOR: u32 = 1 << 2;

    /// As slow as it goes: 5 interrupts a second at 80 MHz.
    const SLOW: u32 = 24;
    /// From one of those to the next, in processor cycles.
    pub(super) const SLOW_TICK: u32 = 1 << Self::SLOW;
    /// 9,766 interrupts a second at 80 MHz.
    const FAST: u32 = 13;

    /// The counters at these registers: those of DCB (from DHCSR on), DWT and SysTick; the
    /// processor runs at so many `hertz`.
    pub(super) const fn at(debug: Registers, dwt: Registers, systick: Registers, hertz: u32) -> Self {
        Self {
            debug_control: debug.register(0xc),
            cycle_control: dwt.register(0x0),
            cycle_count: dwt.register(0x4),
            tick_control: systick.register(0x0),
            tick_reload: systick.register(0x4),
            tick_value: systick.register(0x8),
            megahertz: hertz / 1_000_000,
        }
    }

    /// Whether these are cycles of silicon, as CYCCNT counts them.
    pub(super) fn by_debug_unit(&self) -> bool {
        TICK_BITS.load(Ordering::Relaxed) == 0
    }

    /// Has SysTick interrupt often. QEMU looks for the next byte of this machine's USART only when a timer runs out or,
    /// with `-icount`, when the processor goes to sleep; at a slow tick a byte may take a fifth of a second.
    pub(super) fn tick_fast(&self) {
        cortex_m::interrupt::free(|section| {
            let before = self.look(section);
            self.start_ticking(Self::FAST);
            TICK_BITS.store(Self::FAST, Ordering::Relaxed);
            // The tick starts at 0 and the count goes on from the next of its turns.
            COUNT.borrow(section).set(before.next_multiple_of(1 << Self::FAST));
        });
    }

    fn start_ticking(&self, bits: u32) {
        self.tick_reload.write((1 << bits) - 1);
        // Any value clears it.
        self.tick_value.write(0);
        self.tick_control.write(Self::TICK_ENABLE | Self::TICK_INTERRUPT | Self::TICK_FROM_PROCESSOR);
    }

    /// Brings the count up to date. In a critical section, so that the interrupt cannot set it back.
    fn look(&self, section: &CriticalSection) -> u64 {
        let count = COUNT.borrow(section);
        let now = match TICK_BITS.load(Ordering::Relaxed) {
            0 => unwrapped(count.get(), self.cycle_count.read(), u32::BITS),
            // SysTick counts down.
            bits => unwrapped(count.get(), self.tick_value.read().wrapping_neg(), bits),
        };
        count.set(now);
        now
    }
}

impl Counter for Cycles {
    fn start(&self) {
        self.debug_control.set(Self::DEBUG_TRACE);
        self.cycle_count.write(0);
        self.cycle_control.set(Self::CYCLE_ENABLE);
        let first = self.cycle_count.read();
        cortex_m::asm::delay(10);
        let counts = self.cycle_count.read() != first;
        TICK_BITS.store(if counts { 0 } else { Self::SLOW }, Ordering::Relaxed);
        self.start_ticking(Self::SLOW);
    }

    fn count(&self) -> u64 {
        cortex_m::interrupt::free(|section| self.look(section))
    }

    fn micros(&self) -> u64 {
        let ticks = cortex_m::interrupt::free(|section| {
            if !self.by_debug_unit() {
                return self.look(section);
            }
            let ticks = TICKS.borrow(section);
            let now = unwrapped(ticks.get(), self.tick_value.read().wrapping_neg(), Self::SLOW);
            ticks.set(now);
            now
        });
        ticks / u64::from(self.megahertz)
    }

    /// A turn of SysTick is over.
    fn answer(&self, interrupt: Interrupt) -> bool {
        let is_mine = interrupt == Self::TICK;
        if is_mine {
            self.count();
            self.micros();
        }
        is_mine
    }
}
