//! The policy compiled to plain integers: all that the machine needs to know of it.
//!
//! `policy::compile` makes these from a validated policy and can read the policy back from them, so
//! a breaker keeps only this. Durations are whole milliseconds.

use super::{
    jitter,
    tally::Tally,
    tick::{Deadline, LeaseEnd, SLACK_MS},
};

const SECOND_MS: u64 = 1_000;
/// The longest length of an open period that did not come from the policy: 30 days.
pub(crate) const LONGEST_GIVEN_MS: u64 = 30 * 86_400 * SECOND_MS;
/// The shortest length of such a period.
pub(crate) const SHORTEST_GIVEN_MS: u64 = 10;
/// The longest hint of a partner (failure-for) that is believed.
pub(crate) const LONGEST_HINT_MS: u64 = 3_600 * SECOND_MS;
/// The default lease is at least this long, and at most [`LONGEST_LEASE_MS`].
const SHORTEST_DEFAULT_LEASE_MS: u64 = 30 * SECOND_MS;
const LONGEST_LEASE_MS: u64 = 86_400 * SECOND_MS;
/// The default lease doubles with each reopen, this often.
const LEASE_DOUBLINGS: u8 = 3;

/// How long an open period lasts: `base × factor^reopens` up to `cap`, plus up to `jitter` percent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    pub(crate) base: u32,
    pub(crate) cap: u32,
    pub(crate) factor: u8,
    pub(crate) jitter: u8,
    /// Takes the place of the breaker's address in the jitter's hash.
    pub(crate) seed: Option<u64>,
}

/// What becomes of a permit that is dropped without an outcome. Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drops {
    FailProbe,
    Ignore,
    Failure,
    FailureAfter(u32),
}

/// A policy in integers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) tally: Tally,
    pub(crate) interval: Interval,
    pub(crate) probes: u8,
    pub(crate) probe_successes: u8,
    /// The explicit lease.
    pub(crate) lease: Option<u32>,
    /// A call that takes this long is a failure.
    pub(crate) slow_call: Option<u32>,
    /// As set; see [`Rules::drops`].
    pub(crate) on_drop: Option<Drops>,
}

impl Rules {
    /// The interval for this reopen count, before jitter.
    #[inline]
    pub(crate) const fn interval_ms(&self, reopens: u8) -> u64 {
        if reopens == 0 {
            return self.interval.base as u64;
        }
        let grown = (self.interval.base as u64)
            .saturating_mul((self.interval.factor as u64).saturating_pow(reopens as u32));
        min(grown, self.interval.cap as u64)
    }

    /// The interval for this reopen count with the jitter that `draw` picks.
    pub(crate) const fn drawn_interval_ms(&self, reopens: u8, draw: u64) -> u64 {
        let interval = self.interval_ms(reopens);
        interval + jitter::pick(draw, self.most_jitter_ms(interval))
    }

    const fn most_jitter_ms(&self, interval: u64) -> u64 {
        interval * self.interval.jitter as u64 / 100
    }

    /// The longest open period, in ticks, that a word with these fields can stand for.
    #[inline]
    pub(crate) const fn longest_open(&self, reopens: u8, given: bool) -> u64 {
        let longest = if given {
            LONGEST_GIVEN_MS
        } else {
            let interval = self.interval_ms(reopens);
            interval + self.most_jitter_ms(interval)
        };
        Deadline::ticks(longest + SLACK_MS)
    }

    /// How many ticks the breaker waits for its probes.
    pub(crate) const fn lease(&self, reopens: u8) -> u64 {
        LeaseEnd::ticks(match self.lease {
            Some(explicit) => explicit as u64,
            None => self.default_lease_ms(reopens),
        })
    }

    const fn default_lease_ms(&self, reopens: u8) -> u64 {
        let least = max(SHORTEST_DEFAULT_LEASE_MS, self.interval_ms(reopens));
        let doublings = min(reopens as u64, LEASE_DOUBLINGS as u64);
        min(least << doublings, LONGEST_LEASE_MS)
    }

    /// The lease end that a probe taken now still sees as ahead.
    pub(crate) const fn longest_lease(&self, reopens: u8) -> u64 {
        self.lease(reopens) + LeaseEnd::ticks(SLACK_MS)
    }

    /// What a drop means: a slow-call limit implies failure-after that limit.
    pub(crate) const fn drops(&self) -> Drops {
        match (self.on_drop, self.slow_call) {
            (Some(drops), _) => drops,
            (None, Some(limit)) => Drops::FailureAfter(limit),
            (None, None) => Drops::FailProbe,
        }
    }

    /// Whether a permit must remember when it was admitted.
    pub(crate) const fn timed(&self) -> bool {
        self.slow_call.is_some() || matches!(self.drops(), Drops::FailureAfter(_))
    }
}

const fn min(a: u64, b: u64) -> u64 {
    if a < b { a } else { b }
}

const fn max(a: u64, b: u64) -> u64 {
    if a > b { a } else { b }
}
