//! [`Breaker`]: combines the core of the state machine with a clock and listeners.
//!
//! | file | content |
//! |---|---|
//! | `mod.rs` | the type, its memory, how it is built |
//! | `acquire.rs` | admission: `try_acquire`, `peek` |
//! | `record.rs` | outcomes and drops |
//! | `call.rs` | `call`, `call_async` and their siblings |
//! | `call_async.rs` | [`CallAsync`], the future of a call |
//! | `call_counts.rs` | counts of calls |
//! | `external_window.rs` | the slot of the external window; `no_external_window.rs` without `std` |
//! | `operator.rs` | operator commands |
//! | `inspect.rs` | `state`, `snapshot`, `policy` |
//! | `outage.rs` | the periods since the breaker was last closed |
//! | `notify.rs` | diagnostics and listeners |
//! | `per_process.rs` | a value that a forked child makes for itself |
//! | `watch.rs` | `watch`, which waits for a transition |
//! | `shard.rs` | the shard of a thread |
//! | `admission.rs` | the state of an admitted call |

mod acquire;
pub(crate) mod admission;
pub(crate) mod call;
mod call_async;
#[cfg(feature = "std")]
mod call_counts;
#[cfg(feature = "std")]
mod external_window;
pub(crate) mod inspect;
#[cfg(not(feature = "std"))]
mod no_external_window;
mod notify;
mod operator;
#[cfg(feature = "last-error")]
pub(crate) mod outage;
#[cfg(feature = "std")]
mod per_process;
mod record;
#[cfg(feature = "std")]
mod shard;
#[cfg(feature = "watch")]
mod watch;

use core::panic::{RefUnwindSafe, UnwindSafe};
#[cfg(feature = "std")]
use std::sync::Arc;

use crossbeam_utils::CachePadded;

use crate::{
    builder::{Attachments, Builder},
    clock::ClockSource,
    listener::CallListener,
    machine::{core::Core, diagnostics::Diagnostics, rules::Rules, word::Word},
    name::Name,
    sync::AtomicU64,
};
#[cfg(feature = "std")]
use crate::{clock::Clock, listener::Listener};
#[cfg(feature = "watch")]
use crate::{machine::event_count::EventCount, sync::AtomicU32};

pub use call_async::CallAsync;
#[cfg(feature = "std")]
pub use call_counts::CallCounts;
#[cfg(feature = "std")]
use external_window::LazyWindow;
pub use inspect::Snapshot;
#[cfg(not(feature = "std"))]
use no_external_window::LazyWindow;
#[cfg(feature = "watch")]
pub use watch::{StopWatching, Watched};

/// A circuit breaker.
///
/// Put it in a `static`, in a struct or behind an [`Arc`](std::sync::Arc), and
/// share it: there must be one for each thing that can fail on its own, not one for each request.
///
/// ```
/// use cutout::{Breaker, Trip};
/// use std::time::Duration;
///
/// static SEARCH: Breaker = Breaker::builder()
///     .trip(Trip::consecutive(3))
///     .open_for(Duration::from_secs(15))
///     .build();
///
/// fn offer() -> String {
///     SEARCH
///         .call(|| hot_offer())
///         .unwrap_or_else(|error| format!("cold offer, {error}"))
/// }
/// # fn hot_offer() -> Result<String, std::io::Error> { Ok("hot offer".into()) }
/// # assert_eq!(offer(), "hot offer");
/// ```
///
/// A policy that is out of bounds does not compile in a `static`:
///
/// ```compile_fail,E0080
/// use cutout::Breaker;
///
/// static SEARCH: Breaker = Breaker::builder().probes(0).build();
/// # SEARCH.state();
/// ```
///
/// while one within them does:
///
/// ```
/// use cutout::Breaker;
///
/// static SEARCH: Breaker = Breaker::builder().probes(1).build();
/// # SEARCH.state();
/// ```
///
/// # Limits
///
/// Numbers wrap, and clocks differ. The consequences:
///
/// | what | when | then |
/// |---|---|---|
/// | generation | exactly 65 536 transitions inside one call, or a multiple | the permit counts as one of the period that is then current |
/// | deadline | an open breaker without a call for 8.7 years | it may stay open for one interval more |
/// | lease end | a half-open breaker whose probes never reported, without a call for 12.4 days | it may wait for one lease more |
/// | time buckets' tag | 256 or 512 periods within one bucket, a tenth of the window | the counts of one of them in the bucket may count again |
/// | the bucket in which a period of time buckets began | 2^29 buckets after that, 62 days for a window of 100 ms, 1.7 years for 1 s; in a first period, at each multiple of 2^29 buckets on the clock | for a second, the window is up to a second longer; after it, up to nine buckets are left out |
/// | diagnostics, or a queued transition | its thread is delayed for 65 536 transitions before it writes | [`Snapshot::since`] may be of an earlier period, or a transition is passed over, until the next one |
/// | clocks of cores that differ | | see [`Clock`](crate::clock::Clock) |
///
/// 65 536 transitions take more than three and a half minutes at the shortest open period (10 ms,
/// three transitions each); [`Breaker::reset`] in a loop makes them in about a millisecond.
///
/// **The end of the clock's range.** A clock may start anywhere, also just below `u64::MAX`, and
/// wrap. Calls and drops have their length across the wrap. To a deadline, a lease and a window the
/// wrap is a leap: it costs at most one interval, one lease, and what the window had counted.
///
/// **A hint** ([`Outcome::FailureFor`](crate::Outcome::FailureFor)) holds a breaker for an hour at
/// most, whatever the clock does. When the breaker trips, the longest running hint counts. So does
/// the hint of a failure that is reported as stale because another one tripped first.
///
/// **One breaker around two levels of a call** counts each failure twice: see
/// [`Breaker::call`].
///
/// **Fork.** A forked child has a copy of the breaker, which knows what the parent knew and learns
/// by itself from then on. It trips, obeys its operator and notifies listeners of its own
/// transitions, also when threads of the parent made transitions at the fork. Probes in flight at
/// the fork are the parent's: in the child their lease ends. But a child has only the thread that
/// forked, and a lock of another thread is never released there. A call in the child hangs if that
/// thread was
///
/// * making the first reading of [`Monotonic`](crate::clock::Monotonic), for some nanoseconds,
/// * allocating a window, at the first failure of this breaker or the first call that ends,
/// * setting up notification, or storing the name, for some nanoseconds of the breaker's first
///   transition,
/// * making or removing a breaker of `keyed::Breakers`,
/// * or in a listener or a clock that has a lock of its own, as `metrics::Metrics` has.
///
/// A child that is forked while the parent calibrates `Monotonic` reads the system's clock, and
/// [`clock::warm_up`](crate::clock::warm_up) never returns there.
///
/// None of this happens if the parent calls `warm_up` and forks before it starts threads. Otherwise
/// build the breakers in the child.
#[repr(C)]
pub struct Breaker {
    /// The part that calls touch: one cache line, which a healthy call only reads.
    core: CachePadded<Core<LazyWindow>>,
    cold: CachePadded<Cold>,
}

/// The part that rejections, transitions and readers of the state touch.
struct Cold {
    clock: ClockSource,
    name: Name,
    call_listener: Option<&'static dyn CallListener>,
    diagnostics: Diagnostics,
    #[cfg(feature = "std")]
    listeners: notify::Listeners,
    #[cfg(feature = "watch")]
    event_count: EventCount,
}

// A panic of user code interrupts a decision that was not stored, or a listener. (`Clock::now`
// documents a clock that panics: no state is broken.)
impl UnwindSafe for Breaker {}
impl RefUnwindSafe for Breaker {}

impl Breaker {
    /// A breaker with the default [`Policy`](crate::Policy).
    #[cfg(feature = "std")]
    #[must_use]
    pub const fn new() -> Self {
        Self::builder().build()
    }

    /// Starts to build a breaker, from the default [`Policy`](crate::Policy).
    pub const fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) const fn assemble(
        rules: Rules,
        attachments: Attachments,
        clock: ClockSource,
    ) -> Self {
        let fresh = Word::new(rules.trip_rule.fresh(0));
        let observed = rules.timed() || attachments.call_listener.is_some();
        let (word, hint) = (AtomicU64::new(fresh.bits()), AtomicU64::new(0));
        let core = Core::over(word, hint, rules, observed, LazyWindow::new());
        #[cfg(feature = "std")]
        let core = {
            let mut core = core;
            if attachments.counts_calls {
                core.count_successes();
            }
            core
        };
        Self {
            core: CachePadded::new(core),
            cold: CachePadded::new(Cold {
                clock,
                name: Name::new(attachments.name),
                call_listener: attachments.call_listener,
                diagnostics: Diagnostics::over(AtomicU64::new(0), AtomicU64::new(0)),
                #[cfg(feature = "std")]
                listeners: notify::Listeners::new(attachments.listeners),
                #[cfg(feature = "watch")]
                event_count: EventCount::over(AtomicU32::new(0)),
            }),
        }
    }

    /// Takes the time from a clock that is made at run time.
    ///
    /// ```
    /// use cutout::{Breaker, clock::Manual};
    /// use std::sync::Arc;
    ///
    /// let clock = Arc::new(Manual::new());
    /// let breaker = Breaker::new().with_shared_clock(clock.clone());
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    pub fn with_shared_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.cold.clock = ClockSource::Shared(clock);
        self
    }

    /// Adds a listener at run time. It is notified after those of the builder.
    ///
    /// ```
    /// use cutout::{Breaker, Transition};
    /// use std::sync::{Arc, Mutex};
    ///
    /// let log = Arc::new(Mutex::new(Vec::new()));
    /// let breaker = Breaker::new().with_shared_listener({
    ///     let log = log.clone();
    ///     Arc::new(move |transition: &Transition| log.lock().unwrap().push(transition.to))
    /// });
    /// breaker.disable();
    /// assert_eq!(*log.lock().unwrap(), [cutout::State::Disabled]);
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    pub fn with_shared_listener(mut self, listener: Arc<dyn Listener>) -> Self {
        let generation = self.core.load().generation();
        self.cold.listeners.add(listener, generation);
        self
    }

    /// Adds a call listener at run time. It is notified after that of the builder. Every call of an
    /// observed breaker costs more: see [`CallListener`](crate::CallListener).
    ///
    /// ```
    /// use cutout::{Breaker, CallListener, Ended};
    /// use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
    ///
    /// #[derive(Default)]
    /// struct Count(AtomicU32);
    ///
    /// impl CallListener for Count {
    ///     fn on_outcome(&self, _: &Ended) {
    ///         self.0.fetch_add(1, Ordering::Relaxed);
    ///     }
    /// }
    ///
    /// let count = Arc::new(Count::default());
    /// let breaker = Breaker::new().with_shared_call_listener(count.clone());
    /// breaker.call(|| Ok::<_, ()>(7)).unwrap();
    /// assert_eq!(count.0.load(Ordering::Relaxed), 1);
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    pub fn with_shared_call_listener(mut self, listener: Arc<dyn CallListener>) -> Self {
        self.cold.listeners.add_to_calls(listener);
        self.core.disable_fast_path();
        self
    }

    #[inline]
    pub(crate) fn name(&self) -> Option<&'static str> {
        self.cold.name.text()
    }

    /// Reads the clock.
    #[inline]
    fn now(&self) -> u64 {
        self.cold.clock.now()
    }
}

#[cfg(feature = "std")]
impl Default for Breaker {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breaker_is_small_and_keeps_its_line_to_itself() {
        assert!(size_of::<Breaker>() <= 256, "{}", size_of::<Breaker>());
        let core = size_of::<Core<LazyWindow>>();
        assert!(core <= 128, "{core}");
        assert!(align_of::<Breaker>() >= 64);
    }

    #[test]
    fn a_healthy_call_reads_one_cache_line() {
        const LINE: usize = 64;
        let hot = Core::<LazyWindow>::OF_A_HEALTHY_CALL;
        assert_eq!(hot.start / LINE, (hot.end - 1) / LINE, "{hot:?}");
    }

    #[test]
    fn a_breaker_goes_anywhere() {
        fn anywhere<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
        anywhere::<Breaker>();
    }
}
