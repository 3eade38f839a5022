//! Trip: the counts of a closed word, and the decision to trip.
//!
//! Each kind of window is one file, or one folder if its data is outside the word.
//!
//! | trip | kind | counts |
//! |---|---|---|
//! | `consecutive(n)` alone | [`run`] | the failures since the last success, in the word |
//! | a window of up to 45 calls | [`bits`] | a bit for each call, in the word |
//! | a window of more calls | [`call_ring`] | failures, in a failure ring, by number |
//! | `failures(k).within(T)` | [`time_ring`] | failures, in a failure ring, by time |
//! | `percent(p).within(T)` | [`buckets`] | calls, in time buckets |
//!
//! A kind is a small type, compiled from the policy. All kinds have the same functions, most of
//! them over the 46 bits of the payload:
//!
//! | function | result |
//! |---|---|
//! | `fresh` | the payload of a closed period that begins, without counts |
//! | `healthy` | the payload that one more success leaves as it is |
//! | `success`, `failure` | the payload after one more call |
//! | `run_length` | the failures since the last success |
//! | `trips` | whether the counts in the word trip |
//! | `count` | the failures and calls in the word |
//! | `longest_run` | the longest run that the payload can count |
//! | `is_external` | whether a failure is recorded in an external window first |
//! | `records_successes` | whether a success is recorded there, too |
//! | `is_legal`, `entries`, `unread` | facts that the exhaustive search verifies or needs |
//!
//! [`TripRule`] calls them, and [`external`] has the data of external windows. This file alone
//! matches on the kind.
//!
//! A new kind needs its file, its variant of [`CompiledWindow`] and its arm of `each!`, and its
//! bounds in `policy::compile`. If its data is external, it also needs a variant of
//! [`ExternalWindow`](external::ExternalWindow) and two arms there.

#![expect(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "every kind of window has the same functions"
)]

pub(crate) mod bits;
pub(crate) mod buckets;
pub(crate) mod call_ring;
#[cfg(not(feature = "std"))]
#[path = "no_external.rs"]
pub(crate) mod external;
pub(crate) mod payload;
pub(crate) mod ring;
mod run;
pub(crate) mod slot;
#[cfg(test)]
mod tests;
pub(crate) mod time_ring;

use super::word::{PAYLOAD_BITS, Word};

use bits::Bits;
use buckets::Buckets;
use call_ring::CallRing;
use run::Run;
use time_ring::TimeRing;

/// The failures in a window of calls that trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompiledThreshold {
    Failures(u16),
    Percent { percent: u8, min_calls: u16 },
}

impl CompiledThreshold {
    /// The failures among this many calls that trip, the one just recorded included; `None` below
    /// the minimum of calls.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`try_from` is not const, and a window of calls has at most 4096"
    )]
    #[inline]
    pub(crate) const fn needed(self, calls: u64) -> Option<usize> {
        match self {
            Self::Failures(k) => Some(k as usize),
            Self::Percent { min_calls, .. } if calls < min_calls as u64 => None,
            Self::Percent { percent, .. } => Some((percent as u64 * calls).div_ceil(100) as usize),
        }
    }
}

/// A rolling window and the failures in it that trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompiledWindow {
    Bits(Bits),
    CallRing(CallRing),
    TimeRing(TimeRing),
    Buckets(Buckets),
}

/// The trip, compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TripRule {
    /// The failures in a row that trip.
    pub(crate) run: Option<u16>,
    pub(crate) window: Option<CompiledWindow>,
}

/// Failures and calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) failures: u32,
    pub(crate) calls: u32,
}

/// Calls a function of the window of a trip rule, whatever its kind.
macro_rules! each {
    ($trip_rule:expr, $window:ident => $call:expr) => {
        match $trip_rule.window {
            None => {
                let $window = Run;
                $call
            }
            Some(CompiledWindow::Bits($window)) => $call,
            Some(CompiledWindow::CallRing($window)) => $call,
            Some(CompiledWindow::TimeRing($window)) => $call,
            Some(CompiledWindow::Buckets($window)) => $call,
        }
    };
}

impl TripRule {
    /// The payload of a closed period that begins at `now`, without counts.
    #[inline]
    pub(crate) const fn fresh(&self, now: u64) -> u64 {
        each!(self, window => window.fresh(now))
    }

    /// The payload that one more success leaves as it is, under the mask [`TripRule::health`];
    /// `None` if every success writes.
    pub(crate) const fn healthy(&self) -> Option<u64> {
        each!(self, window => window.healthy())
    }

    /// Mask of the bits that decide whether a payload is healthy.
    pub(crate) const fn health(&self) -> u64 {
        if self.is_external() {
            payload::HEALTH
        } else {
            (1 << PAYLOAD_BITS) - 1
        }
    }

    /// The payload after one more success.
    #[inline]
    pub(crate) const fn success(&self, payload: u64) -> u64 {
        each!(self, window => window.success(payload))
    }

    /// The payload after one more failure.
    #[inline]
    pub(crate) const fn failure(&self, payload: u64) -> u64 {
        each!(self, window => window.failure(payload, self.run))
    }

    /// Whether the counts in the word trip the breaker; for an external window, its run. Called
    /// only after a failure.
    #[inline]
    pub(crate) const fn trips(&self, payload: u64) -> bool {
        each!(self, window => {
            self.is_run(window.run_length(payload)) || window.trips(payload)
        })
    }

    /// The payload after one more failure, and whether the counts in it trip; `None` if an external
    /// window records the failure first.
    #[expect(
        clippy::inline_always,
        reason = "most of the cost of a failure is this"
    )]
    #[inline(always)]
    pub(crate) const fn fail_in_word(&self, payload: u64) -> Option<(u64, bool)> {
        each!(self, window => {
            if window.is_external() {
                None
            } else {
                let payload = window.failure(payload, self.run);
                let trips = self.is_run(window.run_length(payload)) || window.trips(payload);
                Some((payload, trips))
            }
        })
    }

    /// Whether this many failures in a row trip.
    #[inline]
    const fn is_run(&self, length: u64) -> bool {
        match self.run {
            Some(run) => length >= run as u64,
            None => false,
        }
    }

    /// The failures and calls in the window, as far as the word has them; without a window, the
    /// run of failures.
    #[inline]
    pub(crate) const fn count(&self, payload: u64) -> Count {
        each!(self, window => window.count(payload))
    }

    /// The longest run that the payload can count.
    pub(crate) const fn longest_run(&self) -> u16 {
        each!(self, window => window.longest_run())
    }

    /// Whether a closed word with an external window has no run that a success would end.
    #[inline]
    pub(crate) const fn has_no_run(word: Word) -> bool {
        word.is_closed() && word.payload() & payload::HEALTH == 0
    }

    /// Whether a failure is recorded in an external window first.
    #[inline]
    pub(crate) const fn is_external(&self) -> bool {
        each!(self, window => window.is_external())
    }

    /// Whether a success is recorded in the external window, too.
    #[inline]
    pub(crate) const fn records_successes(&self) -> bool {
        each!(self, window => window.records_successes())
    }
}

#[cfg(test)]
impl TripRule {
    /// Whether a closed word can carry this payload.
    pub(crate) const fn is_legal(&self, payload: u64) -> bool {
        each!(self, window => window.is_legal(payload, self.run))
    }

    /// The number of entries of a ring whose index is in the payload.
    pub(crate) const fn entries(&self) -> Option<usize> {
        each!(self, window => window.entries())
    }

    /// Mask of the payload's bits that only an external window reads.
    pub(crate) const fn unread(&self) -> u64 {
        each!(self, window => window.unread())
    }
}

#[cfg(feature = "std")]
pub(crate) mod external {
    //! External windows: the data of windows that do not fit the word.
    //!
    //! | kind | data | bytes | allocated at |
    //! |---|---|---|---|
    //! | [`CallRing`](super::CallRing), [`TimeRing`](super::TimeRing) | [`FailureRing`] | 256, and 8 for each failure that trips: k, or p % of n | first failure |
    //! | [`Buckets`](super::Buckets) | [`TimeBuckets`] | 384, and 128 for each shard | first call that ends |
    //!
    //! [`payload`](super::payload) has their bits in the word. Rules for all of them:
    //!
    //! 1. A cell carries its generation, and a CAS changes the whole cell: a late writer finds
    //!    another tag and leaves the cell as it is.
    //! 2. A failure writes its cell first, and the word afterwards. Only the CAS of the word makes
    //!    a transition, so there is one, and its thread reports it.
    //! 3. A thread that stops between any two steps blocks no other thread: each file says which
    //!    thread continues. (Exception: the allocation of the window, once, for which others wait:
    //!    `OnceLock`.)

    use super::{
        super::{
            atomic_word::{AtomicWord, Decided},
            rules::Rules,
            step::{
                Recorded, Step,
                record::{Counted, count_failure},
            },
            word::Word,
        },
        CompiledWindow, Count,
        buckets::time_buckets::TimeBuckets,
        ring::failure_ring::{FailureRing, Stamp},
        slot::FailedCall,
    };

    /// Whether windows outside the word exist.
    pub(crate) const EXIST: bool = true;

    /// The functions of the data of a window.
    pub(crate) trait WindowData {
        /// Records a failure of a call that was admitted while closed. If the failure trips, the
        /// decision has the counts.
        fn fail(
            &self,
            atomic_word: &AtomicWord,
            seen: Word,
            failure: FailedCall<'_>,
            rules: &Rules,
        ) -> Decided<Option<Count>, Recorded>;

        /// Records a success of the closed period of `seen` at `now`. `thread` chooses the shard.
        fn succeed(&self, _thread: usize, _atomic_word: &AtomicWord, _seen: Word, _now: u64) {}

        /// Records a success of a closed period without a clock reading, and returns whether it
        /// could.
        fn succeed_untimed(&self, _thread: usize, _generation: u16) -> bool {
            false
        }

        /// The counts in the window of a closed word at `now`.
        fn count(&self, word: Word, now: u64) -> Count;
    }

    /// The data of an external window.
    #[expect(
        clippy::large_enum_variant,
        reason = "it always lives in a box of its own"
    )]
    #[derive(Debug)]
    pub(crate) enum ExternalWindow {
        Ring(FailureRing),
        Buckets(TimeBuckets),
    }

    /// Calls a function of the data, whatever its kind.
    macro_rules! each {
        ($window:expr, $data:ident => $call:expr) => {
            match $window {
                ExternalWindow::Ring($data) => $call,
                ExternalWindow::Buckets($data) => $call,
            }
        };
    }

    impl ExternalWindow {
        /// The external window of these rules, if they have one. `shards` is the number of threads
        /// that can count successes without contention.
        pub(crate) fn new(rules: &Rules, shards: impl FnOnce() -> usize) -> Option<Self> {
            match rules.trip_rule.window? {
                CompiledWindow::Bits(_) => None,
                CompiledWindow::CallRing(kind) => {
                    Some(Self::Ring(FailureRing::new(Stamp::Number, kind.ring())))
                }
                CompiledWindow::TimeRing(kind) => {
                    Some(Self::Ring(FailureRing::new(Stamp::Time, kind.ring())))
                }
                CompiledWindow::Buckets(kind) => {
                    Some(Self::Buckets(TimeBuckets::new(kind, shards())))
                }
            }
        }

        /// See [`WindowData::fail`].
        pub(crate) fn fail(
            &self,
            atomic_word: &AtomicWord,
            seen: Word,
            failure: FailedCall<'_>,
            rules: &Rules,
        ) -> Decided<Option<Count>, Recorded> {
            each!(self, data => data.fail(atomic_word, seen, failure, rules))
        }

        /// See [`WindowData::succeed`].
        pub(crate) fn succeed(
            &self,
            thread: usize,
            atomic_word: &AtomicWord,
            seen: Word,
            now: u64,
        ) {
            each!(self, data => data.succeed(thread, atomic_word, seen, now));
        }

        /// See [`WindowData::succeed_untimed`].
        #[inline]
        pub(crate) fn succeed_untimed(&self, thread: usize, generation: u16) -> bool {
            each!(self, data => data.succeed_untimed(thread, generation))
        }

        /// See [`WindowData::count`].
        pub(crate) fn count(&self, word: Word, now: u64) -> Count {
            each!(self, data => data.count(word, now))
        }
    }

    impl FailedCall<'_> {
        /// Counts the failure in a closed word of its period, whose next payload is `payload`, or
        /// trips.
        ///
        /// The hint is read after the failures that trip, so that the hint of each of them is
        /// stored.
        #[inline]
        pub(super) fn count(
            &self,
            word: Word,
            payload: u64,
            window_trips: bool,
            rules: &Rules,
        ) -> Step<Recorded> {
            match count_failure(word, payload, window_trips, rules) {
                Counted::Stays(step) => step,
                Counted::Trips(trip) => {
                    let hint_ms = self.hints.running(self.period, self.moment.now);
                    trip.open(hint_ms, rules, self.moment)
                }
            }
        }
    }
}
