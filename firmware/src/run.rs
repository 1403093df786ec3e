//! The modes.

use embedded_hal::digital::{OutputPin, StatefulOutputPin};
use refrain::SelfTestError;
use refrain::format::MAX_NAME_BYTES;
use refrain::link::{Boot, Cause, Reply, Statistics};
use refrain_firmware::memory::{self, JobError};
use refrain_firmware::server::{End, Outbox, Server, ServerError, reply_frame, request_frame};
use refrain_firmware::update::Updates;
use refrain_firmware::{Classifier, Clock, Meter, Mode, Watchdog};

use crate::board::{Board, PartsOf, SaveError, Selected};
use crate::life::{self, Recorded, START_TIME_OUT};
use crate::models::{BadModel, COUNT, LOGITS_BYTES, Models, ROW_BYTES, built_in};
#[cfg(feature = "provoke")]
use crate::provoke;
use crate::slots;
use crate::stack;

type Serial = <Selected as Board>::Serial;
type SerialError = ServerError<<Serial as embedded_io::ErrorType>::Error>;
type BoardParts = PartsOf<Selected>;

/// What a request may carry at least: a whole MNIST image, and a fair piece of anything that is longer.
const LINK_ROOM: usize = 1024;

/// Room for any request to these models.
pub(crate) const REQUEST: usize = request_frame(if ROW_BYTES > LINK_ROOM { ROW_BYTES } else { LINK_ROOM });

/// Room for any reply of these models, or of others in their places, on this board.
const REPLY: usize = {
    let hello = Selected::NAME.len() + env!("CARGO_PKG_VERSION").len();
    assert!(hello <= MAX_NAME_BYTES, "the names of board and version are too long for a reply");
    reply_frame(LOGITS_BYTES, MAX_NAME_BYTES)
};

/// Room for what is told of a job in memory.
const JOB_REPLY: usize = reply_frame(0, 0);

/// Why the program ends without success.
pub(crate) enum Failure {
    /// A model file is damaged.
    Model(BadModel),
    /// The serial line or the light failed.
    Server(SerialError),
    /// The job in memory is not done.
    Job(JobError<SerialError>),
    /// The host did not take the answers.
    Save(SaveError),
    /// Models that failed their self-test.
    SelfTest {
        /// How many.
        models: usize,
    },
    #[cfg(feature = "check-kernel")]
    /// The kernel computes another sum than its specification.
    Kernel {
        /// The number of the first case that differs.
        case: u32,
    },
    /// A part of the board does not do what it should.
    Hardware(&'static str),
}

impl defmt::Format for Failure {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Self::Model(BadModel { number, error }) => {
                defmt::write!(f, "model {=u8} cannot be used, flash the firmware again: {}", number, error);
            }
            Self::Server(error) => defmt::write!(f, "the board's own parts failed: {}", error),
            Self::Job(error) => defmt::write!(f, "the job in memory is not done: {}", error),
            Self::Save(SaveError) => defmt::write!(f, "the host did not take the answers"),
            Self::SelfTest { models } => defmt::write!(f, "{=usize} models failed their self-test", models),
            #[cfg(feature = "check-kernel")]
            Self::Kernel { case } => {
                defmt::write!(
                    f,
                    "the kernel computes another sum than its specification, in case {=u32}",
                    case
                );
            }
            Self::Hardware(fault) => defmt::write!(f, "{=str}", fault),
        }
    }
}

/// Does what the board is told to do.
pub(crate) fn run(mode: Mode, boot: Boot<&'static str>) -> Result<(), Failure> {
    let mut watchdog = Recorded(Selected::watchdog());
    if mode == Mode::Link {
        watchdog.start(START_TIME_OUT);
    }
    let (mut parts, flash) = Selected::take().map_err(Failure::Hardware)?;
    let mut slots = slots::open(flash, built_in());
    let mut models = Models::parse(&mut slots).map_err(Failure::Model)?;
    let mut models = models.classifiers();
    slots::report(&slots);
    defmt::info!("{=str}: {=usize} models, mode {}", parts.board, COUNT, mode);
    match mode {
        Mode::Link => {
            if Selected::TESTS_ITSELF_FIRST {
                check_board(&mut parts)?;
            }
            // those that fail are refused, and the host is told why
            test_models(&mut models, || watchdog.start(START_TIME_OUT));
            serve(parts, boot, watchdog, &mut models, slots::updates(&mut slots))
        }
        Mode::Memory => do_job(parts, &mut models),
        Mode::SelfTest => self_test(&mut parts, &mut models),
    }
}

/// Answers requests, until the board is to start again. Not inlined, for then the stack would have room for its buffers in
/// every mode.
#[inline(never)]
fn serve<'a>(
    parts: BoardParts,
    boot: Boot<&'static str>,
    mut watchdog: Recorded<<Selected as Board>::Watchdog>,
    models: &'a mut [&'a mut dyn Classifier],
    updates: &'a mut dyn Updates,
) -> Result<(), Failure> {
    /// For the last byte of the answer to leave the UART.
    const CYCLES: u32 = 1_000_000;
    let server = Server::<_, _, _, REQUEST, REPLY>::new(parts, models, updates);
    watchdog.ready();
    let mut server = server.started_by(boot).watched_by(watchdog);
    #[cfg(feature = "provoke")]
    {
        server = server.provoked_by(provoke::provoke);
    }
    match server.serve().map_err(Failure::Server)? {
        End::OfLine => Ok(()),
        End::Restart => {
            cortex_m::asm::delay(CYCLES);
            life::end(Cause::Requested, || defmt::info!("starting again, as asked"))
        }
    }
}

/// Does the job in memory, then tells what it took.
fn do_job(parts: BoardParts, models: &mut [&mut dyn Classifier]) -> Result<(), Failure> {
    let mut outbox = Outbox::<_, JOB_REPLY>::new(parts.serial);
    let meter = Meter::new(parts.clock);
    let mut gauge = stack::Gauge::new();
    let outcome = memory::run(parts.memory, models, &meter, &mut gauge, |sequences| {
        outbox.send(0, Reply::Progress { sequences })
    });
    let outcome = outcome.map_err(|error| report_refusal(&mut outbox, error))?;
    Selected::save_answers(outcome.answers).map_err(Failure::Save)?;
    let statistics = Statistics {
        sequences: outcome.sequences,
        timesteps: outcome.timesteps,
        ticks: outcome.ticks,
        ticks_per_1000_instructions: meter.clock().ticks_per_1000_instructions(),
        stack_bytes: (parts.stack_used)(),
        inference_stack_bytes: outcome.stack_bytes,
        lost_bytes: (parts.lost_bytes)(),
        ..Statistics::default()
    };
    defmt::info!("job done: {}", statistics);
    outbox.send(0, Reply::Statistics(statistics)).map_err(Failure::Server)
}

/// Tells the host why its job is refused, as far as the protocol has words for it.
fn report_refusal(outbox: &mut Outbox<Serial, JOB_REPLY>, error: JobError<SerialError>) -> Failure {
    if let JobError::Refused(refusal) = error
        && let Err(error) = outbox.send(0, Reply::Refused(refusal))
    {
        return Failure::Server(error);
    }
    Failure::Job(error)
}

/// Checks that the kernel computes as its specification says.
#[cfg(feature = "check-kernel")]
fn check_kernel() -> Result<(), Failure> {
    const CASES: u32 = 3000;
    refrain::check_kernel(CASES).map_err(|case| Failure::Kernel { case })?;
    defmt::info!("kernel passed");
    Ok(())
}

/// Checks the parts of the board, then every model.
fn self_test(parts: &mut BoardParts, models: &mut [&mut dyn Classifier]) -> Result<(), Failure> {
    check_board(parts)?;
    let failed = test_models(models, || ());
    defmt::info!("stack: {=u32} of {=u32} bytes used", (parts.stack_used)(), stack::size());
    if failed == 0 { Ok(()) } else { Err(Failure::SelfTest { models: failed }) }
}

/// Checks the parts of the board.
fn check_board(parts: &mut BoardParts) -> Result<(), Failure> {
    check_hardware(parts)?;
    defmt::info!("hardware passed");
    #[cfg(feature = "check-kernel")]
    check_kernel()?;
    Ok(())
}

/// Tests every model, `before` each of which something may be done; how many failed.
fn test_models(models: &mut [&mut dyn Classifier], mut before: impl FnMut()) -> usize {
    let mut failed = 0;
    for model in models {
        before();
        let verdict = model.self_test();
        let name = model.header().name.as_str();
        match verdict {
            Ok(()) => defmt::info!("{=str}: passed", name),
            Err(error @ (SelfTestError::Absent | SelfTestError::Mismatch { .. })) => {
                defmt::error!("{=str}: {}", name, error);
                failed += 1;
            }
        }
    }
    failed
}

/// Checks what can be checked without a hand on the board.
fn check_hardware(parts: &mut BoardParts) -> Result<(), Failure> {
    let check = |passed, part| if passed { Ok(()) } else { Err(Failure::Hardware(part)) };
    let start = parts.clock.now();
    cortex_m::asm::delay(1000);
    check(parts.clock.now() > start, "the clock stands still")?;

    let light = &mut parts.busy;
    let switched = light.set_high().is_ok() && light.is_set_high() == Ok(true);
    check(switched, "the busy light does not go on")?;
    let switched = light.set_low().is_ok() && light.is_set_low() == Ok(true);
    check(switched, "the busy light does not go off")?;

    let product = core::hint::black_box(1.5_f32) * core::hint::black_box(-3.0);
    check(product == -4.5, "the floating-point unit computes wrongly")?;
    let used = (parts.stack_used)();
    check(used > 0 && used < stack::size() / 2, "the stack is nearly full")
}
