//! Read-only accessors: `state`, `snapshot`, `policy`.

use core::{fmt, time::Duration};

#[cfg(feature = "keyed")]
use crate::machine::{
    tick::{Deadline, LeaseEnd, SLACK_MS},
    trip::slot::Slot,
    word::{HalfOpen, Open},
};
use crate::{
    Policy, State,
    error::ticks_to_duration,
    machine::{
        diagnostics::PeriodStart,
        step::admit::open_remaining,
        trip::Count,
        word::{Phase, Word},
    },
    policy,
};

use super::Breaker;

/// A breaker at one moment.
///
/// Most fields come from one load of the word. Three come from other cells: `since`, and `failures`
/// and `calls` of an open breaker. They are `None` for the instant between a transition and its
/// record. If the next transition comes in that instant, the counts stay `None` until the breaker
/// recovers. `failures` and `calls` of a closed breaker with an external window come from that
/// window, and may be a moment newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Snapshot {
    /// The breaker's name, if it has one.
    pub name: Option<&'static str>,
    /// The state for the next call: an open breaker whose deadline has passed is half-open.
    pub state: State,
    /// The state that the last transition stored.
    pub stored_state: State,
    /// The generation of the period since that transition.
    pub generation: u16,
    /// While closed, the failures in the window (without a window, in a row). While open or
    /// half-open, the failures that tripped the breaker, if it tripped.
    pub failures: Option<u32>,
    /// The calls that these failures are among.
    pub calls: Option<u32>,
    /// The reopens since the breaker was last closed; saturates at 30.
    pub reopens: u8,
    /// The probes in flight.
    pub probes_in_flight: u8,
    /// The remaining open period.
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub retry_after: Option<Duration>,
    /// The time since the last transition; zero if its clock was ahead of this reading, `None`
    /// before the first transition.
    #[cfg_attr(feature = "serde", serde(with = "humantime_serde"))]
    pub since: Option<Duration>,
}

impl Breaker {
    /// The state for the next call. Never changes the breaker: after its deadline an open breaker
    /// reads half-open, and the next call makes the transition.
    #[must_use]
    pub fn state(&self) -> State {
        let word = self.core.load();
        match word.phase() {
            Phase::Open(_) => self.state_at(word, self.now()),
            _ => word.state(),
        }
    }

    /// A snapshot of the breaker. Reads the clock.
    ///
    /// ```
    /// use cutout::{Breaker, State};
    ///
    /// static SEARCH: Breaker = Breaker::new();
    ///
    /// SEARCH.call(|| Err::<(), _>("broken")).unwrap_err();
    /// let snapshot = SEARCH.snapshot();
    /// assert_eq!(snapshot.state, State::Closed);
    /// assert_eq!((snapshot.failures, snapshot.calls), (Some(1), Some(1)));
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let word = self.core.load();
        let now = self.now();
        let generation = word.generation();
        let noted = || self.cold.diagnostics.count(word);
        let (count, reopens, probes_in_flight) = match word.phase() {
            Phase::Closed(_) => (Some(self.core.count(word, now)), 0, 0),
            Phase::Open(open) => (noted(), open.reopens, 0),
            Phase::HalfOpen(half_open) => (noted(), half_open.reopens, half_open.in_flight),
            Phase::Held(_) => (None, 0, 0),
        };
        let start = self.cold.diagnostics.period_start(generation);
        Snapshot {
            name: self.cold.name.text(),
            state: self.state_at(word, now),
            stored_state: word.state(),
            generation,
            failures: count.map(|Count { failures, .. }| failures),
            calls: count.map(|Count { calls, .. }| calls),
            reopens,
            probes_in_flight,
            retry_after: self.remaining_at(word, now),
            since: start.map(|start| elapsed_since(start, now)),
        }
    }

    /// The policy that the breaker was built with.
    #[must_use]
    pub fn policy(&self) -> Policy {
        policy::decompile(&self.core.rules)
    }

    fn state_at(&self, word: Word, now: u64) -> State {
        match word.state() {
            State::Open if self.remaining_at(word, now).is_none() => State::HalfOpen,
            state => state,
        }
    }

    fn remaining_at(&self, word: Word, now: u64) -> Option<Duration> {
        match word.phase() {
            Phase::Open(open) => open_remaining(open, &self.core.rules, now).map(ticks_to_duration),
            _ => None,
        }
    }
}

/// The time since a transition, zero if the transition's clock was ahead of this reading.
fn elapsed_since(start: PeriodStart, now: u64) -> Duration {
    let ticks = PeriodStart::of(now).since(start);
    ticks_to_duration(if ticks > PeriodStart::new(u64::MAX).get() / 2 {
        0
    } else {
        ticks
    })
}

/// The cost of evicting a breaker, the least first.
#[cfg(feature = "keyed")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EvictionCost {
    /// The breaker is closed and has these counts in its window.
    Failures(u32),
    /// The breaker is open or half-open, and no call has come for long.
    Overdue,
}

#[cfg(feature = "keyed")]
impl Breaker {
    /// Whether the breaker is closed and has counted no failure, by its word alone. Reads no clock.
    pub(crate) fn is_idle(&self) -> bool {
        let Phase::Closed(payload) = self.core.load().phase() else {
            return false;
        };
        let trip_rule = &self.core.rules.trip_rule;
        if !trip_rule.is_external() {
            return trip_rule.count(payload).failures == 0;
        }
        // With `failures.within` a healthy word has no run, but the window may have failures.
        let healthy = trip_rule.healthy().filter(|healthy| *healthy > 0);
        // Allocated at the first failure or, for time buckets and counted calls, at the first call
        // that ends.
        let has_window = self.core.window.get().is_some();
        !has_window || healthy == Some(payload & trip_rule.health())
    }

    /// The cost of evicting this breaker, and the word from which the cost was derived. `None` if
    /// the breaker must stay.
    pub(crate) fn eviction_cost(&self) -> Option<(EvictionCost, Word)> {
        let word = self.core.load();
        let cost = match word.phase() {
            Phase::Closed(_) => {
                let timed = self.core.rules.trip_rule.is_external();
                let now = if timed { self.now() } else { 0 };
                EvictionCost::Failures(self.core.count(word, now).failures)
            }
            Phase::Open(open) if self.is_overdue(word, open) => EvictionCost::Overdue,
            Phase::HalfOpen(half_open) if self.has_overdue_probes(half_open) => {
                EvictionCost::Overdue
            }
            Phase::Open(_) | Phase::HalfOpen(_) | Phase::Held(_) => return None,
        };
        Some((cost, word))
    }

    /// Whether the breaker still has this word: one load, and no user code.
    pub(crate) fn has_word(&self, word: Word) -> bool {
        self.core.load() == word
    }

    /// Whether the open period ended as long ago as it lasted. A caller that comes more rarely
    /// loses little: each of its calls would be a probe.
    fn is_overdue(&self, word: Word, open: Open) -> bool {
        let rules = &self.core.rules;
        let now = self.now();
        let longest = rules.longest_open(open.reopens, open.origin);
        let start = self.cold.diagnostics.period_start(word.generation());
        let lasted = start.map_or(longest, |start| {
            open.deadline.since(Deadline::new(start.get()))
        });
        open_remaining(open, rules, now).is_none()
            && Deadline::of(now).since(open.deadline)
                >= lasted.clamp(Deadline::ticks(SLACK_MS), longest)
    }

    /// The same for the lease of the probes, whether they reported or not.
    fn has_overdue_probes(&self, half_open: HalfOpen) -> bool {
        let rules = &self.core.rules;
        let now = LeaseEnd::of(self.now());
        let longest = rules.longest_lease(half_open.reopens);
        let lease = LeaseEnd::ticks(rules.lease_ms(half_open.reopens));
        half_open.lease_end.ahead_of(now, longest).is_none()
            && now.since(half_open.lease_end) >= lease.max(LeaseEnd::ticks(SLACK_MS))
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker")
            .field("snapshot", &self.snapshot())
            .field("policy", &self.policy())
            .finish_non_exhaustive()
    }
}
