//! Counts of calls: [`CallCounts`], and the counters behind them.
//!
//! A breaker that counts its calls writes once for each call, to a shard of its thread. It is the
//! one write of a healthy call. Without [`Builder::count_calls`](crate::Builder::count_calls) there
//! are no counters.

use std::boxed::Box;

use crate::{
    Outcome,
    machine::{
        fast_path::FastPath,
        rules::Rules,
        word::{Period, Word},
    },
    sync::{AtomicU64, CachePadded, Ordering},
};

use super::{Breaker, shard};

/// The numbers of calls since the breaker was built, by outcome.
///
/// The counts are not of one moment: calls that end while the counts are read are in some of them.
/// Each count only grows, and wraps at 2^64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CallCounts {
    /// Calls that succeeded, including those that ended too late for their outcome to count.
    pub successes: u64,
    /// Calls that failed, including those that ended too late for their outcome to count. A slow
    /// success is a failure.
    pub failures: u64,
    /// Calls whose outcome was ignored: [`Outcome::Ignored`], or a dropped permit that the policy
    /// does not count as a failure.
    pub ignored: u64,
    /// Calls that were rejected.
    pub rejected: u64,
}

impl CallCounts {
    /// The number of admitted calls that have ended.
    #[must_use]
    pub const fn ended(&self) -> u64 {
        let admitted = self.successes.wrapping_add(self.failures);
        admitted.wrapping_add(self.ignored)
    }
}

/// The counters of a breaker.
#[derive(Debug)]
pub(super) struct Counters {
    /// The comparisons of a healthy call. The breaker's own let no success pass, so that each is
    /// counted.
    fast_path: FastPath,
    /// A power of two, so that a thread's shard is found without a division.
    shards: Box<[CachePadded<Shard>]>,
}

/// The counters that few threads share.
#[derive(Debug, Default)]
struct Shard {
    successes: AtomicU64,
    failures: AtomicU64,
    ignored: AtomicU64,
    rejected: AtomicU64,
}

impl Counters {
    pub(super) fn new(rules: &Rules) -> Self {
        let shards = shard::shards().next_power_of_two();
        Self {
            fast_path: FastPath::new(rules),
            shards: (0..shards).map(|_| CachePadded::default()).collect(),
        }
    }

    #[inline]
    fn index(&self, thread: usize) -> usize {
        thread & (self.shards.len() - 1)
    }

    fn shard(&self, thread: usize) -> &Shard {
        &self.shards[self.index(thread)]
    }

    #[inline]
    fn count(counter: &AtomicU64) {
        // ORDERING: Relaxed, also in `total`. A counter publishes nothing.
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn count_outcome(&self, outcome: Outcome) {
        let shard = self.shard(shard::number_thread());
        Self::count(match outcome {
            Outcome::Success => &shard.successes,
            Outcome::Failure | Outcome::FailureFor(_) => &shard.failures,
            Outcome::Ignored => &shard.ignored,
        });
    }

    fn total(&self) -> CallCounts {
        let mut total = CallCounts::default();
        for shard in &self.shards {
            for (sum, counter) in [
                (&mut total.successes, &shard.successes),
                (&mut total.failures, &shard.failures),
                (&mut total.ignored, &shard.ignored),
                (&mut total.rejected, &shard.rejected),
            ] {
                *sum = sum.wrapping_add(counter.load(Ordering::Relaxed));
            }
        }
        total
    }
}

impl Breaker {
    /// The calls since the breaker was built, if it
    /// [counts its calls](crate::Builder::count_calls).
    ///
    /// ```
    /// use cutout::Breaker;
    ///
    /// static SEARCH: Breaker = Breaker::builder().count_calls().build();
    ///
    /// SEARCH.call(|| Ok::<_, ()>(7)).unwrap();
    /// SEARCH.force_open();
    /// SEARCH.call(|| Ok::<_, ()>(7)).unwrap_err();
    /// let counts = SEARCH.call_counts().unwrap();
    /// assert_eq!((counts.successes, counts.failures, counts.rejected), (1, 0, 1));
    /// ```
    #[must_use]
    pub fn call_counts(&self) -> Option<CallCounts> {
        let window = &self.core.window;
        let counters = || {
            window
                .counters()
                .map_or_else(CallCounts::default, Counters::total)
        };
        self.core.is_counted().then(counters)
    }

    /// Counts a success, and returns whether the success leaves the word as it is. `None` means
    /// that this is the first call of the breaker or of the thread, and has not been counted.
    #[inline]
    pub(super) fn count_success(&self, seen: Word, period: Period) -> Option<bool> {
        // To the compiler, the access to a thread-local is a call. It comes first, so that few
        // values are saved across the call. `get` needs no code for a panic.
        let thread = shard::thread_number()?;
        let counters = self.core.window.counters()?;
        let shard = counters.shards.get(counters.index(thread))?;
        Counters::count(&shard.successes);
        Some(counters.fast_path.changes_nothing(seen, period))
    }

    /// Counts an outcome, if the breaker counts its calls.
    #[inline]
    pub(super) fn count_outcome(&self, outcome: Outcome) {
        if self.core.is_counted() {
            self.count(|counters| counters.count_outcome(outcome));
        }
    }

    /// Counts a rejection, if the breaker counts its calls.
    #[inline]
    pub(super) fn count_rejection(&self) {
        if self.core.is_counted() {
            self.count(|counters| {
                Counters::count(&counters.shard(shard::number_thread()).rejected);
            });
        }
    }

    #[cold]
    fn count(&self, count: impl FnOnce(&Counters)) {
        if let Some(counters) = self.core.window.counters_or_make(&self.core.rules) {
            count(counters);
        }
    }
}
