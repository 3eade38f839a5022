//! The policy compiled to plain integers.
//!
//! `policy::compile` compiles a validated policy and can restore the policy from the rules, so a
//! breaker keeps only the rules. Durations are whole milliseconds.

use core::num::NonZeroU32;

use super::{
    jitter,
    tick::{Deadline, LeaseEnd, SLACK_MS},
    trip::TripRule,
    word::Origin,
};

const SECOND_MS: u64 = 1_000;
/// The longest open period that an operator can request: 30 days.
pub(crate) const LONGEST_EXPLICIT_MS: u64 = 30 * 86_400 * SECOND_MS;
/// The shortest open period that an operator can request.
pub(crate) const SHORTEST_EXPLICIT_MS: u64 = 10;
/// The longest time for which a hint counts.
pub(crate) const LONGEST_HINT_MS: u64 = 3_600 * SECOND_MS;
/// The default lease is at least this long, and at most [`LONGEST_LEASE_MS`].
pub(crate) const SHORTEST_DEFAULT_LEASE_MS: u64 = 30 * SECOND_MS;
const LONGEST_LEASE_MS: u64 = 86_400 * SECOND_MS;
/// By default, a probe that is dropped sooner than this is ignored. Milliseconds.
const DEFAULT_DROP_LIMIT: NonZeroU32 = NonZeroU32::new(1_000).unwrap();
/// The number of reopens with which the default lease doubles.
const LEASE_DOUBLINGS: u8 = 3;

/// The length of an open period: `base × factor^reopens` up to `cap`, plus up to `jitter` percent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CompiledBackoff {
    pub(crate) base: u32,
    pub(crate) cap: u32,
    pub(crate) factor: u8,
    pub(crate) jitter: u8,
    /// Whether the seed replaces the breaker's address in the jitter's hash. (An `Option` would
    /// push the rules off the word's cache line.)
    pub(crate) seeded: bool,
    pub(crate) seed: u64,
}

/// The meaning of a permit that is dropped without an outcome. Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompiledOnDrop {
    FailProbe,
    FailProbeAfter(NonZeroU32),
    Ignore,
    Failure,
    FailureAfter(NonZeroU32),
}

/// A policy, compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) trip_rule: TripRule,
    pub(crate) backoff: CompiledBackoff,
    pub(crate) probes: u8,
    pub(crate) probe_successes: u8,
    /// The explicit lease.
    pub(crate) lease: Option<NonZeroU32>,
    /// A call that takes this long or longer has failed.
    pub(crate) slow_call: Option<NonZeroU32>,
    /// The setting; [`Rules::effective_on_drop`] adds the default.
    pub(crate) on_drop: Option<CompiledOnDrop>,
}

impl Rules {
    /// An upper bound of [`Rules::longest_open`] for any rules and any word, in ticks: no interval
    /// is longer than [`LONGEST_EXPLICIT_MS`], and jitter at most doubles it.
    pub(crate) const LONGEST_OPEN: u64 = Deadline::ticks(2 * LONGEST_EXPLICIT_MS + SLACK_MS) + 1;

    /// The interval for this reopen count, before jitter.
    #[inline]
    pub(crate) const fn interval_ms(&self, reopens: u8) -> u64 {
        if reopens == 0 {
            return self.backoff.base as u64;
        }
        let grown = (self.backoff.base as u64)
            .saturating_mul((self.backoff.factor as u64).saturating_pow(reopens as u32));
        min(grown, self.backoff.cap as u64)
    }

    /// The interval for this reopen count with the jitter that `draw` picks.
    pub(crate) const fn drawn_interval_ms(&self, reopens: u8, draw: u64) -> u64 {
        let interval = self.interval_ms(reopens);
        interval + jitter::pick(draw, self.most_jitter_ms(interval))
    }

    const fn most_jitter_ms(&self, interval: u64) -> u64 {
        interval * self.backoff.jitter as u64 / 100
    }

    /// The longest open period, in ticks, that a word with these fields can represent.
    #[inline]
    pub(crate) const fn longest_open(&self, reopens: u8, origin: Origin) -> u64 {
        let longest = match origin {
            Origin::Policy => {
                let interval = self.interval_ms(reopens);
                interval + self.most_jitter_ms(interval)
            }
            Origin::Hint => LONGEST_HINT_MS,
            Origin::Operator => LONGEST_EXPLICIT_MS,
        };
        Deadline::ticks(longest + SLACK_MS) + 1
    }

    /// A lower bound of [`Rules::longest_open`] for any word, in ticks. It costs less to compute.
    #[inline]
    pub(crate) const fn longest_open_at_least(&self) -> u64 {
        let interval = min(self.backoff.base as u64, LONGEST_HINT_MS);
        Deadline::ticks(interval + SLACK_MS) + 1
    }

    /// The lease for this reopen count, in milliseconds.
    pub(crate) const fn lease_ms(&self, reopens: u8) -> u64 {
        match self.lease {
            Some(explicit) => explicit.get() as u64,
            None => self.default_lease_ms(reopens),
        }
    }

    const fn default_lease_ms(&self, reopens: u8) -> u64 {
        let least = max(SHORTEST_DEFAULT_LEASE_MS, self.interval_ms(reopens));
        let doublings = min(reopens as u64, LEASE_DOUBLINGS as u64);
        min(least << doublings, LONGEST_LEASE_MS)
    }

    /// The longest remaining lease, in ticks, that a word with these fields can represent.
    pub(crate) const fn longest_lease(&self, reopens: u8) -> u64 {
        LeaseEnd::ticks(self.lease_ms(reopens) + SLACK_MS) + 1
    }

    /// The meaning of a drop. A slow-call limit implies failure-after the same limit.
    pub(crate) const fn effective_on_drop(&self) -> CompiledOnDrop {
        match (self.on_drop, self.slow_call) {
            (Some(drops), _) => drops,
            (None, Some(limit)) => CompiledOnDrop::FailureAfter(limit),
            (None, None) => CompiledOnDrop::FailProbeAfter(DEFAULT_DROP_LIMIT),
        }
    }

    /// Whether a permit must store the time of its admission.
    pub(crate) const fn timed(&self) -> bool {
        self.slow_call.is_some()
            || matches!(self.effective_on_drop(), CompiledOnDrop::FailureAfter(_))
    }
}

const fn min(a: u64, b: u64) -> u64 {
    if a < b { a } else { b }
}

const fn max(a: u64, b: u64) -> u64 {
    if a > b { a } else { b }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::word::MAX_REOPENS;
    use super::*;
    use crate::{Backoff, OnDrop, Policy, policy::compile};
    use core::time::Duration;

    /// The rules of a policy that is within its bounds.
    pub(crate) fn rules(policy: &Policy) -> Rules {
        compile(policy).expect("a policy within its bounds")
    }

    fn backoff(factor: u32, jitter: u32) -> Rules {
        let (base, cap) = (Duration::from_secs(5), Duration::from_mins(1));
        rules(&Policy::new().backoff(Backoff::exponential(base, factor, cap).jitter(jitter)))
    }

    #[test]
    fn an_interval_grows_to_its_cap() {
        let grown: Vec<u64> = (0..6).map(|n| backoff(2, 0).interval_ms(n)).collect();
        assert_eq!(grown, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
        assert_eq!(backoff(1, 0).interval_ms(31), 5_000);
        assert_eq!(
            backoff(100, 0).interval_ms(31),
            60_000,
            "it saturates on the way"
        );
    }

    #[test]
    fn jitter_comes_on_top_of_the_cap() {
        let rules = backoff(2, 20);
        assert_eq!(rules.drawn_interval_ms(9, 0), 60_000);
        assert_eq!(rules.drawn_interval_ms(9, u64::MAX), 72_000);
        let longest = rules.longest_open(9, Origin::Policy);
        assert_eq!(longest, Deadline::ticks(73_000) + 1);
    }

    #[test]
    fn a_hint_may_last_an_hour_and_what_an_operator_gives_thirty_days() {
        let longest = |origin| backoff(2, 20).longest_open(0, origin);
        let ticks = |ms: u64| Deadline::ticks(ms + 1_000) + 1;
        assert_eq!(longest(Origin::Hint), ticks(3_600_000));
        assert_eq!(longest(Origin::Operator), ticks(30 * 86_400_000));
    }

    #[test]
    fn every_open_period_is_within_the_bounds_of_all() {
        let day = Policy::new().open_for(Duration::from_hours(24));
        let month = Duration::from_hours(30 * 24);
        let longest = Policy::new().backoff(Backoff::exponential(month, 1, month).jitter(100));
        for rules in [
            backoff(1, 0),
            backoff(2, 20),
            backoff(100, 100),
            rules(&day),
            rules(&longest),
        ] {
            for reopens in 0..=MAX_REOPENS {
                for origin in [Origin::Policy, Origin::Hint, Origin::Operator] {
                    let longest = rules.longest_open(reopens, origin);
                    assert!(
                        rules.longest_open_at_least() <= longest,
                        "{reopens} {origin:?}"
                    );
                    assert!(longest <= Rules::LONGEST_OPEN, "{reopens} {origin:?}");
                }
            }
        }
        assert_eq!(
            backoff(2, 0).longest_open_at_least(),
            backoff(2, 0).longest_open(0, Origin::Policy)
        );
    }

    #[test]
    fn the_default_lease_doubles_three_times_and_an_explicit_one_never() {
        let lease = |rules: Rules| -> Vec<u64> { (0..6).map(|n| rules.lease_ms(n)).collect() };
        let seconds = |all: [u64; 6]| all.map(|s| s * 1_000).to_vec();
        assert_eq!(lease(backoff(2, 0)), seconds([30, 60, 120, 320, 480, 480]));
        let explicit = Policy::new().probe_lease(Duration::from_millis(10));
        assert_eq!(lease(rules(&explicit)), [10; 6]);
        assert_eq!(rules(&explicit).longest_lease(0), 253 + 1);
        let longest = Policy::new().open_for(Duration::from_hours(24));
        assert_eq!(lease(rules(&longest)), seconds([86_400; 6]));
    }

    #[test]
    fn a_slow_call_limit_implies_what_a_drop_means() {
        let limit = Duration::from_secs(2);
        let slow = Policy::new().slow_call(limit);
        assert_eq!(
            rules(&slow).effective_on_drop(),
            CompiledOnDrop::FailureAfter(NonZeroU32::new(2_000).unwrap())
        );
        let ignoring = slow.on_drop(OnDrop::Ignore);
        assert_eq!(rules(&ignoring).effective_on_drop(), CompiledOnDrop::Ignore);
    }

    #[test]
    fn a_call_is_timed_where_its_length_can_matter() {
        let limit = Duration::from_secs(2);
        let policy = Policy::new();
        let slow = policy.slow_call(limit);
        assert!(rules(&slow).timed());
        assert!(rules(&slow.on_drop(OnDrop::Ignore)).timed());
        assert!(rules(&policy.on_drop(OnDrop::FailureAfter(limit))).timed());
        assert!(!rules(&policy.on_drop(OnDrop::Failure)).timed());
        assert!(!rules(&policy).timed());
    }
}
