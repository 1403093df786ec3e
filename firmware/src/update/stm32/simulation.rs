//! The registers of an STM32L4x5's flash controller and its second bank, as far as the manual says what they do. What it
//! forbids, such as a key that is not expected, fails the test.

use std::cell::Cell;

use super::{Port, Register};

const PAGE: usize = 2048;
const BANK: usize = 512 << 10;

const CLOSED: u32 = 1 << 31;
const BUSY: u32 = 1 << 16;
const END: u32 = 1 << 0;
const OPERATION_ERROR: u32 = 1 << 1;
const PROGRAM_ERROR: u32 = 1 << 3;
pub(super) const SEQUENCE_ERROR: u32 = 1 << 7;
const ERRORS: u32 = 0xc3fa;
const SHOW: u32 = 1 << 24 | 1 << 25;
const DATA_CACHE: u32 = 1 << 10;
const DATA_CACHE_RESET: u32 = 1 << 12;

/// What a driver does to the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Writes a register.
    Set(Register, u32),
    /// Writes a double word.
    Put(u32, [u32; 2]),
}

/// The controller.
#[derive(Clone, Debug)]
pub(super) struct Simulated {
    pub(super) access: u32,
    pub(super) state: u32,
    pub(super) control: u32,
    pub(super) options: u32,
    /// Keys that have come in order.
    keys: usize,
    /// Reads of the state until it is no longer busy.
    busy: Cell<u32>,
    /// Whether the data cache may hold what the bank no longer does.
    is_cache_stale: bool,
    pub(super) bank: Vec<u8>,
    pub(super) events: Vec<Event>,
    /// What the next operation shows in the state; it does nothing then.
    pub(super) next_state: Option<u32>,
    /// Reads of the state that an operation takes.
    pub(super) duration: u32,
    /// Operations until power fails.
    pub(super) operations_left: Option<u32>,
}

impl Simulated {
    /// After a reset; the bank holds zeroes.
    pub(super) fn new() -> Self {
        Self {
            access: 0x604,
            state: 0,
            control: CLOSED | 1 << 30,
            options: 1 << 21,
            keys: 0,
            busy: Cell::new(0),
            is_cache_stale: false,
            bank: vec![0; BANK],
            events: Vec::new(),
            next_state: None,
            duration: 3,
            operations_left: None,
        }
    }

    /// Power comes back, or a reset: the bank is as it was.
    pub(super) fn restarted(&self) -> Self {
        Self { bank: self.bank.clone(), ..Self::new() }
    }

    /// Where nothing answers: every register reads as 0.
    pub(super) fn absent() -> Self {
        Self { access: 0, control: 0, options: 0, ..Self::new() }
    }

    pub(super) fn has_power(&self) -> bool {
        self.operations_left != Some(0)
    }

    /// An operation on these bytes of the bank, which makes them `new` unless something is wrong.
    fn operate(&mut self, errors: u32, from: usize, new: &[u8]) {
        assert_eq!(self.access & DATA_CACHE, 0, "the data cache is on while the other bank is read");
        assert_eq!(self.busy.get(), 0, "an operation goes on");
        let left_over = if self.state & ERRORS == 0 { 0 } else { SEQUENCE_ERROR };
        let errors = errors | left_over;
        self.busy.set(self.duration);
        if !self.has_power() {
            self.state |= OPERATION_ERROR;
            return;
        }
        if let Some(state) = self.next_state.take().or((errors != 0).then_some(errors)) {
            self.state |= state;
            return;
        }
        self.operations_left = self.operations_left.map(|left| left - 1);
        let place = &mut self.bank[from..][..new.len()];
        place.copy_from_slice(new);
        self.is_cache_stale = true;
        if !self.has_power() {
            // what was being done when power failed is neither done nor not
            self.bank[from..][..new.len()].iter_mut().step_by(3).for_each(|byte| *byte ^= 0x5a);
            self.state |= OPERATION_ERROR;
        } else if self.control & SHOW == SHOW {
            self.state |= END;
        }
    }

    fn start_erase(&mut self) {
        let is_page = self.control & 0b111 == 0b010 && self.control & 1 << 11 != 0;
        assert!(is_page, "it is no page of bank 2 that is erased: {:#x}", self.control);
        let page = (self.control >> 3 & 0xff) as usize;
        self.operate(0, page * PAGE, &[0xff; PAGE]);
    }

    fn set_control(&mut self, value: u32) {
        assert_eq!(self.busy.get(), 0, "the control register is written while an operation goes on");
        assert_eq!(self.control & CLOSED, 0, "the control register is closed: {value:#x}");
        self.control = value | self.control & 1 << 30;
        if value & 1 << 16 != 0 {
            self.start_erase();
        }
        if value & CLOSED != 0 {
            self.keys = 0;
        }
    }

    fn take_key(&mut self, key: u32) {
        assert_ne!(self.control & CLOSED, 0, "a key to what is open is a hard fault");
        assert_eq!(Some(&key), [0x4567_0123, 0xcdef_89ab].get(self.keys), "the wrong key is a hard fault");
        self.keys += 1;
        if self.keys == 2 {
            self.control &= !CLOSED;
        }
    }

    fn set_access(&mut self, value: u32) {
        if value & DATA_CACHE_RESET != 0 {
            assert_eq!(self.access & DATA_CACHE, 0, "a cache is emptied only where it is off");
            self.is_cache_stale = false;
        }
        let is_on = value & DATA_CACHE != 0;
        assert!(!is_on || !self.is_cache_stale, "the cache holds what the bank held before");
        self.access = value;
    }

    fn check_readable(&self) {
        assert_eq!(self.busy.get(), 0, "the bank is read while it is changed");
    }
}

impl Port for Simulated {
    fn register(&self, register: Register) -> u32 {
        match register {
            Register::Access => self.access,
            Register::Key => 0,
            Register::State => {
                let busy = self.busy.get();
                self.busy.set(busy.saturating_sub(1));
                if busy > 0 { BUSY } else { self.state }
            }
            Register::Control => self.control,
            Register::Options => self.options,
        }
    }

    fn set_register(&mut self, register: Register, value: u32) {
        self.events.push(Event::Set(register, value));
        match register {
            Register::Access => self.set_access(value),
            Register::Key => self.take_key(value),
            Register::State => self.state &= !value,
            Register::Control => self.set_control(value),
            Register::Options => panic!("how the part starts is changed"),
        }
    }

    fn put(&mut self, offset: u32, words: [u32; 2]) {
        self.events.push(Event::Put(offset, words));
        assert!(offset.is_multiple_of(8), "{offset} is no double word's");
        let offset = offset as usize;
        let new = words.map(u32::to_le_bytes).concat();
        let is_open = self.control & (CLOSED | 0b11) == 0b01;
        let is_erased = self.bank[offset..][..8] == [0xff; 8];
        let errors = [(is_open, SEQUENCE_ERROR), (is_erased, PROGRAM_ERROR)];
        let errors = errors.into_iter().filter(|&(is_well, _)| !is_well).map(|(_, error)| error).sum();
        self.operate(errors, offset, &new);
    }

    fn read(&self, offset: u32, bytes: &mut [u8]) {
        bytes.copy_from_slice(self.bytes(offset, bytes.len() as u32));
    }

    fn bytes(&self, offset: u32, length: u32) -> &[u8] {
        self.check_readable();
        &self.bank[offset as usize..][..length as usize]
    }

    /// As they are now: a driver that changes them is wrong.
    fn hold(&mut self, offset: u32, length: u32) -> &'static [u8] {
        self.bytes(offset, length).to_vec().leak()
    }
}
