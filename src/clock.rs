//! Clocks: the [`Clock`] trait, the default clock, and one that tests set by hand.

use core::time::Duration;
#[cfg(feature = "std")]
use std::{
    sync::{Arc, OnceLock, atomic::AtomicBool},
    thread,
    time::Instant,
};

use crate::sync::{AtomicU64, Ordering};

/// A source of time.
///
/// The origin is arbitrary. A clock that steps back, leaps or wraps never wedges a breaker: it
/// costs at most one open interval.
///
/// Readings on different cores may differ by up to a second. A difference of `d` has these effects:
///
/// | | with a difference of `d` |
/// |---|---|
/// | an open period, a lease | ends up to `d` early or late, and no later than `d` after its length |
/// | `failures(k).within(T)` | failures `T + d` apart never count together, and failures less than `T - d` apart always do |
/// | `percent(p).within(T)` | the same, to a tenth of `T` as without a difference |
/// | `slow_call`, `FailureAfter` | a call counts as up to `d` shorter or longer |
///
/// Choose a `T` well above the difference between the clocks. On processors with synchronized
/// counters the default clock differs by nanoseconds. On others it is the system's monotonic clock.
///
/// ```
/// use cutout::{Breaker, clock::Clock};
///
/// struct Uptime;
///
/// impl Clock for Uptime {
///     fn now(&self) -> u64 {
///         # 0
///         // e.g. a hardware timer's count, scaled to nanoseconds
///     }
/// }
///
/// static BREAKER: Breaker = Breaker::builder().clock(&Uptime).build();
/// ```
pub trait Clock: Send + Sync {
    /// Returns the nanoseconds since an arbitrary fixed origin.
    ///
    /// The breaker calls this method:
    ///
    /// * for each rejection and each admission of a probe;
    /// * for each failure that opens the breaker, has a hint, or counts in a window that is not in
    ///   the word;
    /// * twice for each timed call (`slow_call`, `FailureAfter`);
    /// * for each success of a probe, and for some successes of `percent.within`;
    /// * for each operator command, and for each inspection of a breaker that is not closed.
    ///
    /// It never calls this method under a lock or after a transition.
    ///
    /// This method must not panic. If it panics while an outcome is being recorded, the outcome is
    /// lost. The slot of a probe is then given back only when its lease ends.
    fn now(&self) -> u64;
}

/// The default clock: the processor's counter through `quanta`, or the system's monotonic clock
/// where that counter is unreliable.
///
/// The first reading in a process reads the system's clock, and starts a thread that calibrates the
/// counter. The thread ends after at most about 200 ms, most often in less than 1 ms. Until it has
/// ended, each reading is one of the system's clock, and more than twice as slow. If the thread
/// cannot be started, all readings are. [`warm_up`] calibrates the counter without a thread.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Monotonic;

#[cfg(feature = "std")]
impl Clock for Monotonic {
    #[inline]
    fn now(&self) -> u64 {
        match CALIBRATED.get() {
            Some(counter) => counter.now(),
            None => now_uncalibrated(),
        }
    }
}

#[cfg(feature = "std")]
static CALIBRATED: OnceLock<Counter> = OnceLock::new();

/// The origin of [`Monotonic`], and the first reading of the process.
#[cfg(feature = "std")]
static ORIGIN: OnceLock<Instant> = OnceLock::new();

/// The clock that `quanta` chooses: the processor's counter, or the system's clock.
#[cfg(feature = "std")]
struct Counter {
    clock: quanta::Clock,
    /// What the counter read at [`ORIGIN`], in nanoseconds.
    start: u64,
}

#[cfg(feature = "std")]
impl Counter {
    /// Calibrates the counter, with the origin of the readings before the calibration.
    fn calibrate() -> Self {
        let clock = quanta::Clock::new();
        // The counter is read first, so that a sample is never more than the difference of the
        // clocks. The change from one clock to the other is then no step back. The change is a leap
        // by the time between the two readings, which is least for the largest sample.
        let sample = |_| {
            let counted = clock.delta_as_nanos(0, clock.raw());
            counted.wrapping_sub(since_origin())
        };
        let start = (0..8).map(sample).max().unwrap_or(0);
        Self { clock, start }
    }

    /// The system's clock, through `quanta`, which also knows platforms without an `Instant`.
    fn of_the_system() -> Self {
        Self {
            clock: quanta::Clock::new(),
            start: 0,
        }
    }

    #[inline]
    fn now(&self) -> u64 {
        let counted = self.clock.delta_as_nanos(0, self.clock.raw());
        counted.wrapping_sub(self.start)
    }
}

/// Nanoseconds since the first reading of the process, by the system's clock.
#[cfg(feature = "std")]
fn since_origin() -> u64 {
    nanos(ORIGIN.get_or_init(Instant::now).elapsed())
}

/// Whether `quanta` takes time to calibrate a counter on this platform.
#[cfg(feature = "std")]
const CALIBRATES: bool = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));

/// A reading before the calibration, which it starts if no reading has done so.
#[cfg(feature = "std")]
#[cold]
fn now_uncalibrated() -> u64 {
    static STARTED: AtomicBool = AtomicBool::new(false);
    // Miri detects no counter: the instruction is assembly.
    if cfg!(miri) {
        return since_origin();
    }
    if !CALIBRATES {
        return CALIBRATED.get_or_init(Counter::of_the_system).now();
    }
    // ORDERING: Relaxed. The flag guards no data. (A `Once` would be held while the thread starts,
    // and a child that is forked in that time would wait for ever.)
    if !STARTED.swap(true, Ordering::Relaxed) {
        // Without the thread, all readings are of the system's clock.
        let _ = thread::Builder::new()
            .name("cutout-clock".into())
            .spawn(warm_up);
    }
    since_origin()
}

/// Calibrates the default clock before the first trip of the process.
///
/// The first call blocks for up to about 200 ms; later calls do nothing. Without `warm_up`, the
/// first reading of the clock starts the thread of [`Monotonic`]. [`Clock::now`] lists the
/// readings: with a trip in the word, the first one is that of the first trip.
///
/// **Call it at the start of `main`, before other threads have work.** The calibration compares the
/// processor's counter with the system's clock, once for the whole process. In an idle process the
/// rate is accurate to about 20 ppm. In a busy process an error of 0.2 % has been observed, since a
/// thread can be suspended between the two readings. A clock that is 0.2 % slow makes an open
/// period of 10 s last 20 ms longer. A caller that waits for
/// [`retry_after`](crate::Rejected::retry_after) by the system's clock is then rejected once more.
/// In a server that forks, call it before the fork.
///
/// ```
/// cutout::clock::warm_up();
/// ```
#[cfg(feature = "std")]
pub fn warm_up() {
    if CALIBRATES && !cfg!(miri) {
        CALIBRATED.get_or_init(Counter::calibrate);
    }
}

/// A clock for tests, which advances only by its methods.
///
/// Give each test its own clock: tests run side by side, and a clock that tests share moves the
/// time for all of their breakers.
/// [`Breaker::with_shared_clock`](crate::Breaker::with_shared_clock) takes a clock that a test
/// makes; a static inside a test function is the test's own, too.
///
/// ```
/// use cutout::{Breaker, State, Trip, clock::Manual};
/// use std::time::Duration;
///
/// static CLOCK: Manual = Manual::new();
/// static BREAKER: Breaker = Breaker::builder()
///     .trip(Trip::consecutive(1))
///     .open_for(Duration::from_secs(15))
///     .clock(&CLOCK)
///     .build();
///
/// BREAKER.call(|| Err::<(), _>("broken")).unwrap_err();
/// assert_eq!(BREAKER.state(), State::Open);
/// CLOCK.advance(Duration::from_secs(15));
/// assert_eq!(BREAKER.state(), State::HalfOpen);
/// ```
#[derive(Debug, Default)]
pub struct Manual(AtomicU64);

impl Manual {
    /// Creates a clock that reads 0.
    #[must_use]
    pub const fn new() -> Self {
        Self::at(0)
    }

    /// Creates a clock that reads this number of nanoseconds.
    #[must_use]
    pub const fn at(nanos: u64) -> Self {
        Self(AtomicU64::new(nanos))
    }

    /// Advances the clock, wrapping at 2^64 ns.
    pub fn advance(&self, time: Duration) {
        // ORDERING: SeqCst, here and below: a clock for tests gains nothing from a weaker ordering.
        self.0.fetch_add(nanos(time), Ordering::SeqCst);
    }

    /// Moves the clock back, wrapping at 0.
    pub fn step_back(&self, time: Duration) {
        self.0.fetch_sub(nanos(time), Ordering::SeqCst);
    }

    /// Sets the clock, in nanoseconds.
    pub fn set(&self, nanos: u64) {
        self.0.store(nanos, Ordering::SeqCst);
    }
}

impl Clock for Manual {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Converts a duration to nanoseconds, modulo 2^64.
fn nanos(time: Duration) -> u64 {
    let whole = time.as_secs().wrapping_mul(1_000_000_000);
    whole.wrapping_add(u64::from(time.subsec_nanos()))
}

/// The clock of a breaker.
pub(crate) enum ClockSource {
    #[cfg(feature = "std")]
    Monotonic,
    Static(&'static dyn Clock),
    #[cfg(feature = "std")]
    Shared(Arc<dyn Clock>),
}

impl ClockSource {
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        match self {
            #[cfg(feature = "std")]
            Self::Monotonic => Monotonic.now(),
            Self::Static(clock) => clock.now(),
            #[cfg(feature = "std")]
            Self::Shared(clock) => clock.now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "std")]
    #[test]
    fn the_default_clock_moves_on() {
        warm_up();
        let before = Monotonic.now();
        while Monotonic.now() == before {}
        assert!(Monotonic.now() > before);
    }

    #[cfg(feature = "std")]
    #[test]
    fn the_calibration_keeps_the_origin() {
        const SECOND: u64 = 1_000_000_000;
        let counter = Counter::calibrate();
        let ahead = counter.now().wrapping_sub(since_origin());
        assert!(ahead.wrapping_add(SECOND) < 2 * SECOND, "{ahead}");
    }

    /// In a process of its own, in which no other test has read the clock.
    #[cfg(feature = "std")]
    #[test]
    fn the_first_reading_starts_the_calibration() {
        use std::{env, process::Command, vec::Vec};

        const ALONE: &str = "CUTOUT_CLOCK_ALONE";
        if env::var(ALONE).is_ok() {
            assert!(CALIBRATED.get().is_none());
            let first = Monotonic.now();
            let polls = (0..10_000).find(|_| {
                thread::sleep(Duration::from_millis(1));
                CALIBRATED.get().is_some()
            });
            assert!(polls.is_some(), "no calibration");
            assert!(Monotonic.now() > first);
            return;
        }
        let name = "clock::tests::the_first_reading_starts_the_calibration";
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", name])
            .env(ALONE, "")
            .output()
            .unwrap();
        let ran = child.stdout.windows(8).any(|words| words == b"1 passed");
        let shown: Vec<_> = [child.stdout, child.stderr].concat();
        let shown = std::string::String::from_utf8_lossy(&shown).into_owned();
        assert!(child.status.success() && ran, "{shown}");
    }

    #[test]
    fn a_manual_clock_advances_steps_back_and_is_set() {
        let clock = Manual::at(5);
        clock.advance(Duration::from_nanos(10));
        assert_eq!(clock.now(), 15);
        clock.step_back(Duration::from_nanos(16));
        assert_eq!(clock.now(), u64::MAX);
        clock.set(7);
        assert_eq!(clock.now(), 7);
        clock.advance(Duration::MAX);
    }
}
