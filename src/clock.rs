//! What time it is: a [`Clock`] that counts nanoseconds, the default one and one that tests set.

use core::time::Duration;
#[cfg(feature = "std")]
use std::sync::{Arc, OnceLock};

use crate::sync::{AtomicU64, Ordering};

/// A source of time.
///
/// Any origin will do. A clock that steps back, leaps or wraps never wedges a breaker: it costs at most
/// one open interval.
///
/// Readings on different cores may differ by up to a second. What a difference of `d` costs:
///
/// | | under a difference of `d` |
/// |---|---|
/// | an open period, a lease | ends up to `d` sooner or later, and no later than `d` after its length |
/// | `failures(k).within(T)` | failures `T + d` apart never count together, and failures less than `T - d` apart always do |
/// | `percent(p).within(T)` | the same, to a tenth of `T` as without a difference |
/// | `slow_call`, `FailureAfter` | a call counts as up to `d` shorter or longer |
///
/// So choose a `T` well above what the clocks differ by. The default clock differs by nanoseconds on processors whose
/// counters are in step, and is the system's monotonic clock on others.
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
    /// Nanoseconds since any fixed origin.
    ///
    /// Called for each failure, each rejection and each admission of a probe; twice for each call that is timed
    /// (`slow_call`, `FailureAfter`); for each success of a probe, and some of `percent.within`; by the operator's verbs,
    /// and by whoever looks at a breaker that is not closed. Never under a lock, and never after a transition is made.
    ///
    /// Must not panic. If it does all the same, in the middle of a report, nothing is recorded, and a probe's slot is
    /// given back by its lease only.
    fn now(&self) -> u64;
}

/// The default clock: the processor's own counter through `quanta`, or the system's monotonic clock
/// where that can't be relied on.
///
/// Its first reading in a process calibrates the counter, for up to 200 ms: see [`warm_up`].
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Monotonic;

#[cfg(feature = "std")]
static QUANTA: OnceLock<quanta::Clock> = OnceLock::new();

#[cfg(feature = "std")]
impl Clock for Monotonic {
    #[inline]
    fn now(&self) -> u64 {
        let clock = QUANTA.get_or_init(quanta::Clock::new);
        clock.delta_as_nanos(0, clock.raw())
    }
}

/// Calibrates the default clock now, so that the first failure of the process need not.
///
/// Blocks for up to 200 ms the first time, and does nothing later. A healthy breaker need not read the
/// clock (but for timed calls and `percent.within`), so without this the calibration falls on the first
/// failure.
///
/// **Call it at the start of `main`, before other threads have work.** The calibration compares the processor's
/// counter with the system's clock, once for the whole process. On an idle process the rate is within some 20 ppm. On
/// a busy one it was seen 0.2 % off, as a thread can be suspended between the two readings. A clock that is 0.2 %
/// slow makes an open period of 10 s last 20 ms longer, so that a caller who waits
/// [`retry_after`](crate::Rejected::retry_after) by the system's clock is rejected once more. A server that forks calls
/// it before it forks.
///
/// ```
/// cutout::clock::warm_up();
/// ```
#[cfg(feature = "std")]
pub fn warm_up() {
    Monotonic.now();
}

/// A clock that stands still until it is told otherwise: for tests.
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
    /// A clock that reads 0.
    #[must_use]
    pub const fn new() -> Self {
        Self::at(0)
    }

    /// A clock that reads this many nanoseconds.
    #[must_use]
    pub const fn at(nanos: u64) -> Self {
        Self(AtomicU64::new(nanos))
    }

    /// Moves the clock on, wrapping at 2^64 ns.
    pub fn advance(&self, time: Duration) {
        // ORDERING: SeqCst, here and below: the clock of a test is no place to save anything.
        self.0.fetch_add(nanos(time), Ordering::SeqCst);
    }

    /// Moves the clock back, wrapping at 0.
    pub fn step_back(&self, time: Duration) {
        self.0.fetch_sub(nanos(time), Ordering::SeqCst);
    }

    /// Sets what the clock reads, in nanoseconds.
    pub fn set(&self, nanos: u64) {
        self.0.store(nanos, Ordering::SeqCst);
    }
}

impl Clock for Manual {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The nanoseconds of a duration, modulo 2^64.
fn nanos(time: Duration) -> u64 {
    let whole = time.as_secs().wrapping_mul(1_000_000_000);
    whole.wrapping_add(u64::from(time.subsec_nanos()))
}

/// The clock of a breaker.
pub(crate) enum Source {
    #[cfg(feature = "std")]
    Monotonic,
    Static(&'static dyn Clock),
    #[cfg(feature = "std")]
    Shared(Arc<dyn Clock>),
}

impl Source {
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

    #[test]
    fn a_manual_clock_goes_where_it_is_told() {
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
