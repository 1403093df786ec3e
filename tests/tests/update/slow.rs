//! On a simulated board whose flash takes its time: none passes but what the flash takes and the host waits.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use refrain::link::frame::{Receiver, encode};
use refrain::link::{Numbered, Reply, Request, frame};
use refrain::{Aligned, CellKind, Numbers, Shape, cell};
use refrain_firmware::update::{BuiltIn, MappedFlash, RamFlash, Store, trial};
use refrain_firmware::{Classifier, Clock, Network, Session};
use refrain_tests::random_model;
use refrain_trainer::link::{Client, Patience, Transport, TransportError};

type Model<'a> = Network<'a, cell::SimpleRnn, 28, 64, 10, 1, i16>;

/// Flash that counts the time that it takes.
struct SlowFlash {
    flash: RamFlash<3>,
    /// For each erase unit.
    erase: Duration,
    /// For each write unit.
    write: Duration,
    took: Duration,
}

impl ErrorType for SlowFlash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for SlowFlash {
    const READ_SIZE: usize = RamFlash::<3>::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        self.flash.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.flash.capacity()
    }
}

impl NorFlash for SlowFlash {
    const WRITE_SIZE: usize = RamFlash::<3>::WRITE_SIZE;
    const ERASE_SIZE: usize = RamFlash::<3>::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        self.took += self.erase * (to - from).div_ceil(Self::ERASE_SIZE as u32);
        self.flash.erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        self.took += self.write * bytes.len().div_ceil(Self::WRITE_SIZE) as u32;
        self.flash.write(offset, bytes)
    }
}

impl MappedFlash for SlowFlash {
    fn bytes(&self, offset: u32, length: u32) -> Option<&[u8]> {
        self.flash.bytes(offset, length)
    }
}

/// A clock that nothing is measured with.
struct Still;

impl Clock for Still {
    fn now(&self) -> u64 {
        0
    }

    fn ticks_per_1000_instructions(&self) -> u32 {
        0
    }

    fn micros(&self) -> u64 {
        0
    }
}

/// The board, and the time that it lives in.
struct SlowBoard<'m> {
    store: Store<'m, SlowFlash, 1>,
    model: Model<'m>,
    receiver: Receiver<2100>,
    /// Whether bytes are lost that come while it is busy, as those of a UART without an interrupt are.
    is_deaf: bool,
    now: Duration,
    /// Until when it has something to do.
    busy: Duration,
    /// Replies, and when they come.
    coming: VecDeque<(Duration, Vec<u8>)>,
}

impl SlowBoard<'_> {
    fn answer(&mut self, body: &[u8]) {
        let Ok(Numbered { request, body }) = frame::decode::<Numbered<Request<'_>>>(body) else { return };
        let mut models: [&mut dyn Classifier; 1] = [&mut self.model];
        let mut session = Session::new("slow", 1100, &mut models, &mut self.store, Still, || 0, || 0);
        let reply: Reply<'_> = session.answer(body, 0);
        let (mut scratch, mut out) = ([0; 400], [0; 420]);
        let framed =
            encode(&Numbered { request, body: reply }, &mut scratch, &mut out).expect("room").to_vec();
        self.busy = self.busy.max(self.now) + std::mem::take(&mut self.store.flash_mut().took);
        self.coming.push_back((self.busy, framed));
    }
}

impl Transport for SlowBoard<'_> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        if self.is_deaf && self.busy > self.now {
            return Ok(());
        }
        for &byte in bytes {
            let body = self.receiver.push(byte).and_then(Result::ok).map(<[u8]>::to_vec);
            if let Some(body) = body {
                self.answer(&body);
            }
        }
        Ok(())
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<(), TransportError> {
        let until = self.now + deadline.saturating_duration_since(Instant::now());
        match self.coming.front() {
            Some(&(at, _)) if at <= until => {
                self.now = self.now.max(at);
                into.extend(self.coming.pop_front().map(|(_, bytes)| bytes).unwrap_or_default());
            }
            _ => self.now = until,
        }
        Ok(())
    }
}

/// Uploads to a board with such a flash; how often the host asked again, and how long it took.
fn upload(erase: Duration, write: Duration, is_deaf: bool) -> (u64, Duration) {
    let shape = Shape { inputs: 28, units: 64, outputs: 10, layers: 1 };
    let [old, new] = [1, 2].map(|seed| random_model(CellKind::SimpleRnn, shape, Numbers::Int8, seed));
    let built_in = BuiltIn { file: old.as_bytes(), trial: trial::<cell::SimpleRnn, 28, 64, 10, 1, i16> };
    let memory = Box::leak(Box::new(Aligned([0; 64 << 10])));
    let flash = SlowFlash { flash: RamFlash::new(&mut memory.0), erase, write, took: Duration::ZERO };
    let board = SlowBoard {
        store: Store::open(flash, [built_in]),
        model: Network::from_bytes(old.as_bytes()).expect("a whole model"),
        receiver: Receiver::new(),
        is_deaf,
        now: Duration::ZERO,
        busy: Duration::ZERO,
        coming: VecDeque::new(),
    };
    let mut client = Client::new(board, Patience::WITH_PORT, 0);
    let uploaded =
        client.upload(0, 1, new.as_bytes(), &mut |_| {}).expect("it is slow and no more than that");
    assert_eq!(uploaded.resumed, 0);
    let retries = client.retries();
    let SlowBoard { mut store, now, .. } = client.into_transport();
    let range = Store::open(store.flash_mut(), [built_in]).in_use(0).expect("the new model is used");
    let length = range.end - range.start;
    assert_eq!(store.flash_mut().bytes(range.start, length), Some(new.as_bytes()));
    (retries, now)
}

#[test]
fn a_flash_as_slow_as_a_microcontrollers_asks_for_no_repeats() {
    // an STM32L4's, at its slowest
    let (retries, took) = upload(Duration::from_millis(25), Duration::from_micros(125), false);
    assert_eq!(retries, 0);
    assert!(took > Duration::from_millis(200), "{took:?}");
}

#[test]
fn a_flash_that_outlasts_every_time_out_gets_the_model_whole() {
    // sectors of 128 KiB take as long, at their slowest
    for is_deaf in [false, true] {
        let (retries, took) = upload(Duration::from_secs(4), Duration::from_millis(2), is_deaf);
        assert!(retries > 0, "the host waited");
        println!(
            "board deaf while busy: {is_deaf}; asked again {retries} times, {} s of flash and line",
            took.as_secs()
        );
    }
}
