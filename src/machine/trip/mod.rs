//! The counts of a closed word, and the decision to trip.
//!
//! ```text
//! consecutive(n) alone    46 bits: the failures since the last success, at most 65 535
//!
//! a window of n calls     ..0001 0010 0001      the newest call is bit 0, a failure is a 1
//!                             |  `--------- the outcomes, up to n
//!                             `------------ a leading 1 above the outcomes seen
//!
//! an external window      see `payload.rs`
//! ```
//!
//! `consecutive(c)` beside a window in the word needs no counter: the run is the ones at the low
//! end. (A run longer than the window never decides, as a window of failures alone has tripped
//! before.) Once the last n calls were successes, one more success gives the same payload, and
//! nothing is written.

#![expect(
    clippy::cast_possible_truncation,
    reason = "each value is bounded by the 46 bits of the payload, and `try_from` is not const"
)]

pub(crate) mod bits;
pub(crate) mod buckets;
#[cfg(not(feature = "std"))]
#[path = "no_external.rs"]
pub(crate) mod external;
pub(crate) mod payload;
pub(crate) mod ring;
pub(crate) mod slot;
#[cfg(test)]
mod tests;

use super::word::PAYLOAD_BITS;

use bits::{outcomes, seen, shift_in};
use payload::Payload;

/// The failures in a window of calls that trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threshold {
    Failures(u16),
    Percent { percent: u8, min_calls: u16 },
}

/// A rolling window and the failures in it that trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// The last `span` calls, in the word.
    InWord { span: u8, threshold: Threshold },
    /// The last `span` calls, in a failure ring.
    Calls { span: u16, threshold: Threshold },
    /// `k` failures within a time, in a failure ring.
    Failures { k: u16, within_ms: u64 },
    /// A failure rate within a time, in time buckets.
    TimeBuckets {
        percent: u8,
        min_calls: u32,
        within_ms: u32,
    },
}

/// The trip, compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TripRule {
    /// The failures in a row that trip.
    pub(crate) run: Option<u16>,
    pub(crate) window: Option<Window>,
}

/// Failures and calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) failures: u32,
    pub(crate) calls: u32,
}

impl Threshold {
    /// The failures among this many calls that trip, the one just recorded included; `None` below
    /// the minimum of calls.
    #[cfg(feature = "std")]
    pub(crate) const fn needed(self, calls: u64) -> Option<usize> {
        match self {
            Self::Failures(k) => Some(k as usize),
            Self::Percent { min_calls, .. } if calls < min_calls as u64 => None,
            Self::Percent { percent, .. } => Some((percent as u64 * calls).div_ceil(100) as usize),
        }
    }
}

impl TripRule {
    /// The payload of a closed period that begins at `now`, without counts.
    #[inline]
    pub(crate) const fn fresh(&self, now: u64) -> u64 {
        match self.window {
            Some(Window::InWord { .. }) => 1,
            Some(Window::TimeBuckets { within_ms, .. }) => {
                Payload::starting_at(now, within_ms).bits()
            }
            _ => 0,
        }
    }

    /// The payload that one more success leaves as it is, under the mask [`TripRule::health`];
    /// `None` if every success writes.
    pub(crate) const fn healthy(&self) -> Option<u64> {
        match self.window {
            None | Some(Window::Failures { .. }) => Some(0),
            Some(Window::InWord { span, .. }) => Some(1 << span),
            Some(Window::Calls { span, .. }) => Some(Payload::of_successes(span).bits()),
            Some(Window::TimeBuckets { .. }) => None,
        }
    }

    /// The bits of a payload that make it healthy.
    pub(crate) const fn health(&self) -> u64 {
        match self.window {
            None | Some(Window::InWord { .. }) => (1 << PAYLOAD_BITS) - 1,
            Some(_) => payload::HEALTH,
        }
    }

    /// The payload after one more success.
    #[inline]
    pub(crate) const fn success(&self, payload: u64) -> u64 {
        match self.window {
            Some(Window::InWord { span, .. }) => shift_in(payload, 0, span),
            None => 0,
            Some(Window::Calls { span, .. }) => Payload::new(payload).with_success(span).bits(),
            Some(_) => Payload::new(payload).without_run().bits(),
        }
    }

    /// The payload after one more failure. For an external window only the run changes here.
    #[inline]
    pub(crate) const fn failure(&self, payload: u64) -> u64 {
        match self.window {
            Some(Window::InWord { span, .. }) => shift_in(payload, 1, span),
            Some(_) => Payload::new(payload).with_failure(self.run).bits(),
            None if payload < u16::MAX as u64 => payload + 1,
            None => payload,
        }
    }

    /// Whether the counts in the word trip the breaker; for an external window, its run. Called
    /// only after a failure.
    #[inline]
    pub(crate) const fn trips(&self, payload: u64) -> bool {
        if let Some(run) = self.run
            && self.run_length(payload) >= run as u64
        {
            return true;
        }
        let Some(Window::InWord { threshold, .. }) = self.window else {
            return false;
        };
        let Count { failures, calls } = self.count(payload);
        match threshold {
            Threshold::Failures(least) => failures >= least as u32,
            Threshold::Percent { percent, min_calls } => {
                calls >= min_calls as u32 && failures * 100 >= percent as u32 * calls
            }
        }
    }

    /// Whether the failure rate of calls in time buckets trips.
    #[cfg(feature = "std")]
    pub(crate) const fn judges(&self, failures: u64, calls: u64) -> bool {
        match self.window {
            Some(Window::TimeBuckets {
                percent, min_calls, ..
            }) => calls >= min_calls as u64 && failures * 100 >= percent as u64 * calls,
            _ => false,
        }
    }

    /// The failures and calls in the window; without a window, the run of failures.
    #[inline]
    pub(crate) const fn count(&self, payload: u64) -> Count {
        match self.window {
            Some(Window::InWord { .. }) => {
                let calls = seen(payload);
                Count {
                    failures: outcomes(payload, calls).count_ones(),
                    calls,
                }
            }
            // Before the first failure; after it, the window has the counts.
            Some(Window::Calls { .. }) => Count {
                failures: 0,
                calls: Payload::new(payload).calls() as u32,
            },
            Some(_) => Count {
                failures: 0,
                calls: 0,
            },
            None => Count {
                failures: payload as u32,
                calls: payload as u32,
            },
        }
    }

    /// The capacity of a failure ring: the most failures that can be needed to trip.
    #[cfg(feature = "std")]
    pub(crate) const fn most_failures(&self) -> usize {
        match self.window {
            Some(Window::Calls { span, threshold }) => match threshold.needed(span as u64) {
                Some(needed) => needed,
                None => span as usize,
            },
            Some(Window::Failures { k, .. }) => k as usize,
            _ => 0,
        }
    }

    /// Whether a closed word with an external window has no run that a success would end.
    #[inline]
    pub(crate) const fn has_no_run(word: super::word::Word) -> bool {
        word.is_closed() && word.payload() & payload::HEALTH == 0
    }

    /// Whether a failure is recorded in an external window first.
    #[inline]
    pub(crate) const fn is_external(&self) -> bool {
        matches!(
            self.window,
            Some(Window::Calls { .. } | Window::Failures { .. } | Window::TimeBuckets { .. })
        )
    }

    /// Whether a success is counted in time buckets.
    #[inline]
    pub(crate) const fn is_time_buckets(&self) -> bool {
        matches!(self.window, Some(Window::TimeBuckets { .. }))
    }

    /// Whether a closed word can carry this payload.
    #[cfg(test)]
    pub(crate) const fn is_legal(&self, payload: u64) -> bool {
        match self.window {
            Some(Window::InWord { span, .. }) => payload > 0 && seen(payload) <= span as u32,
            Some(Window::Calls { span, .. }) => self.is_legal_external(payload, span as u64),
            Some(_) => self.is_legal_external(payload, 0),
            None => payload <= u16::MAX as u64,
        }
    }

    /// The same for an external window, which counts successes up to `most`.
    #[cfg(test)]
    const fn is_legal_external(&self, payload: u64, most: u64) -> bool {
        let run = Payload::new(payload).run();
        let short_enough = match self.run {
            Some(longest) => run < longest as u64,
            None => run == 0,
        };
        payload < 1 << PAYLOAD_BITS && short_enough && Payload::new(payload).clean() <= most
    }

    const fn run_length(&self, payload: u64) -> u64 {
        match self.window {
            Some(Window::InWord { .. }) => outcomes(payload, seen(payload)).trailing_ones() as u64,
            Some(_) => Payload::new(payload).run(),
            None => payload,
        }
    }
}

#[cfg(feature = "std")]
pub(crate) mod external {
    //! External windows: the data of windows that do not fit the word.
    //!
    //! | trip | data | bytes | allocated at |
    //! |---|---|---|---|
    //! | `failures(k).of_last(n)`, `percent(p).of_last(n)`, n > 45; `failures(k).within(T)` | [`FailureRing`] | 256, and 8 for each failure that trips: k, or p % of n | first failure |
    //! | `percent(p).within(T)` | [`TimeBuckets`] | 384, and 128 for each shard | first call that ends |
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
        Count, Window,
        buckets::time_buckets::TimeBuckets,
        ring::failure_ring::FailureRing,
        slot::Failure,
    };

    /// Whether windows outside the word exist.
    pub(crate) const EXIST: bool = true;

    /// The functions of the data of a window.
    pub(crate) trait WindowData {
        /// Records a failure of a call that was admitted while closed. If the failure trips, the
        /// decision has the counts.
        fn fail(
            &self,
            cell: &AtomicWord,
            seen: Word,
            failure: Failure<'_>,
            rules: &Rules,
        ) -> Decided<Option<Count>, Recorded>;

        /// Records a success of the closed period of `seen` at `now`. `thread` chooses the shard.
        fn succeed(&self, _thread: usize, _cell: &AtomicWord, _seen: Word, _now: u64) {}

        /// Records a success of a closed period without a clock reading, and returns whether it
        /// could.
        fn succeed_untimed(&self, _thread: usize, _generation: u16) -> bool {
            false
        }

        /// The counts in the window of a closed word at `now`.
        fn count(&self, word: Word, rules: &Rules, now: u64) -> Count;
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
                Window::InWord { .. } => None,
                Window::Calls { .. } | Window::Failures { .. } => {
                    let failures = rules.trip_rule.most_failures();
                    Some(Self::Ring(FailureRing::new(failures)))
                }
                Window::TimeBuckets { within_ms, .. } => {
                    Some(Self::Buckets(TimeBuckets::new(within_ms, shards())))
                }
            }
        }

        /// See [`WindowData::fail`].
        pub(crate) fn fail(
            &self,
            cell: &AtomicWord,
            seen: Word,
            failure: Failure<'_>,
            rules: &Rules,
        ) -> Decided<Option<Count>, Recorded> {
            each!(self, data => data.fail(cell, seen, failure, rules))
        }

        /// See [`WindowData::succeed`].
        pub(crate) fn succeed(&self, thread: usize, cell: &AtomicWord, seen: Word, now: u64) {
            each!(self, data => data.succeed(thread, cell, seen, now));
        }

        /// See [`WindowData::succeed_untimed`].
        #[inline]
        pub(crate) fn succeed_untimed(&self, thread: usize, generation: u16) -> bool {
            each!(self, data => data.succeed_untimed(thread, generation))
        }

        /// See [`WindowData::count`].
        pub(crate) fn count(&self, word: Word, rules: &Rules, now: u64) -> Count {
            each!(self, data => data.count(word, rules, now))
        }
    }

    impl Failure<'_> {
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
