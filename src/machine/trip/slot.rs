//! External windows: the data of windows that do not fit the word.
//!
//! | trip | file | bytes | allocated at |
//! |---|---|---|---|
//! | `failures(k).of_last(n)`, `percent(p).of_last(n)`, n > 45 | [`failure_ring`](super::ring::failure_ring) | 256, and 8 for each failure that trips: k, or p % of n | first failure |
//! | `failures(k).within(T)` | [`failure_ring`](super::ring::failure_ring) | 256, and 8 k | first failure |
//! | `percent(p).within(T)` | [`time_buckets`](super::buckets::time_buckets) | 384, and 128 for each shard | first call that ends |
//!
//! [`payload`](super::payload) has their bits in the word. Rules for all windows:
//!
//! 1. A cell carries its generation, and a CAS changes the whole cell: a late writer finds another
//!    tag and leaves the cell as it is.
//! 2. A failure writes its cell first, and the word afterwards. Only the CAS of the word makes a
//!    transition, so there is one, and its thread reports it.
//! 3. A thread that stops between any two steps blocks no other thread: each file says which thread
//!    continues. (Exception: the allocation of the window, once, for which others wait:
//!    `OnceLock`.)

use super::super::{hints::Hints, rules::Rules, step::TimeSample, word::Period};
#[cfg(not(feature = "std"))]
pub(crate) use super::no_external::ExternalWindow;
#[cfg(feature = "std")]
use super::{
    super::{
        atomic_word::{AtomicWord, Decided},
        step::{Counted, Recorded, Step, count_failure},
        word::{Phase, Word},
    },
    Count, Window,
    buckets::time_buckets,
    payload,
    ring::failure_ring,
};

/// The slot of an external window. A breaker allocates the window at its first use, a model at
/// once.
pub(crate) trait Slot {
    /// The window, if it is allocated.
    fn get(&self) -> Option<&ExternalWindow>;

    /// The window of these rules, allocated if it is not yet; `None` for a trip in the word.
    fn get_or_make(&self, rules: &Rules) -> Option<&ExternalWindow>;

    /// The number of the calling thread, which chooses its shard: any, before the thread has one.
    fn thread(&self) -> usize;

    /// The number of the calling thread, which gets one if it has none.
    fn number_thread(&self) -> usize;
}

/// A failure to record.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(feature = "std"),
    expect(dead_code, reason = "no window records it")
)]
pub(crate) struct Failure<'a> {
    /// The closed period in which its call was admitted.
    pub(crate) period: Period,
    pub(crate) moment: TimeSample,
    /// The hints of the breaker, this failure's included. Read once the trip is decided.
    pub(crate) hints: &'a Hints,
}

#[cfg(feature = "std")]
impl Failure<'_> {
    /// Counts the failure in a closed word of its period, whose next payload is `payload`, or
    /// trips.
    ///
    /// The hint is read after the failures that trip, so that the hint of each of them is stored.
    #[inline]
    pub(super) fn count(
        &self,
        word: Word,
        payload: payload::Payload,
        window_trips: bool,
        rules: &Rules,
    ) -> Step<Recorded> {
        match count_failure(word, payload.bits(), window_trips, rules) {
            Counted::Stays(step) => step,
            Counted::Trips(trip) => {
                let hint_ms = self.hints.running(self.period, self.moment.now);
                trip.open(hint_ms, rules, self.moment)
            }
        }
    }
}

/// An external window.
#[cfg(feature = "std")]
#[expect(
    clippy::large_enum_variant,
    reason = "it always lives in a box of its own"
)]
#[derive(Debug)]
pub(crate) enum ExternalWindow {
    FailureRing(failure_ring::FailureRing),
    TimeBuckets(time_buckets::TimeBuckets),
}

#[cfg(feature = "std")]
impl ExternalWindow {
    /// The external window of these rules, if they have one. `shards` is the number of threads that
    /// can count successes without contention.
    pub(crate) fn new(rules: &Rules, shards: impl FnOnce() -> usize) -> Option<Self> {
        match rules.trip_rule.window? {
            Window::InWord { .. } => None,
            Window::Calls { .. } | Window::Failures { .. } => Some(Self::FailureRing(
                failure_ring::FailureRing::new(rules.trip_rule.most_failures()),
            )),
            Window::TimeBuckets { within_ms, .. } => Some(Self::TimeBuckets(
                time_buckets::TimeBuckets::new(within_ms, shards()),
            )),
        }
    }

    /// Records a failure of a call that was admitted while closed. If the failure trips, the
    /// decision has the counts.
    pub(crate) fn fail(
        &self,
        cell: &AtomicWord,
        seen: Word,
        failure: Failure<'_>,
        rules: &Rules,
    ) -> Decided<Option<Count>, Recorded> {
        match self {
            Self::FailureRing(stamps) => stamps.fail(cell, seen, failure, rules),
            Self::TimeBuckets(rate) => rate.fail(cell, seen, failure, rules),
        }
    }

    /// Counts a success of the closed period of `seen`, if this window has time buckets.
    pub(crate) fn succeed(&self, thread: usize, cell: &AtomicWord, seen: Word, now: u64) {
        match self {
            Self::TimeBuckets(rate) => rate.succeed(thread, cell, seen, now),
            Self::FailureRing(_) => {}
        }
    }

    /// Counts a success without the clock: whether it could.
    #[inline]
    pub(crate) fn succeed_untimed(&self, thread: usize, generation: u16) -> bool {
        match self {
            Self::TimeBuckets(rate) => rate.succeed_untimed(thread, generation),
            Self::FailureRing(_) => false,
        }
    }

    /// The counts in the window of a closed word at `now`.
    pub(crate) fn count(&self, word: Word, rules: &Rules, now: u64) -> Count {
        match (self, word.phase()) {
            (Self::FailureRing(stamps), Phase::Closed(_)) => stamps.count(word, rules, now),
            (Self::TimeBuckets(rate), Phase::Closed(_)) => rate.count(word, now),
            _ => Count::default(),
        }
    }
}
