//! What a policy means, worked out anew from its public fields each time it is asked.

use std::time::Duration;

use cutout::{OnDrop, Outcome, Policy, Span, Threshold, Trip};

use super::time::millis_up;

/// 30 days: the longest open period that anybody may ask for.
const LONGEST_MS: i128 = 30 * 24 * 3_600 * 1_000;
const SHORTEST_MS: i128 = 10;
/// An hour: what a longer hint counts as.
const LONGEST_HINT_MS: i128 = 3_600 * 1_000;
/// A day, and half a minute: the bounds of a default lease.
const LONGEST_LEASE_MS: i128 = 24 * 3_600 * 1_000;
const SHORTEST_LEASE_MS: i128 = 30 * 1_000;
/// Five bits of reopens; they saturate.
pub(super) const MOST_REOPENS: u8 = 31;

/// Failures, and the calls they are among.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) failures: u32,
    pub(super) calls: u32,
}

/// The failures of a closed period that its trip looks at: those in the window, without one in a row.
/// `calls` are all that were recorded in the period, `true` for a failure.
pub(super) fn counted(trip: Trip, calls: &[bool]) -> Counted {
    match trip.window {
        Some(window) => {
            let last = last(calls, window.span);
            Counted {
                failures: count(last.iter().filter(|failed| **failed)),
                calls: count(last),
            }
        }
        None => Counted {
            failures: run(calls),
            calls: run(calls),
        },
    }
}

/// Whether the failure that was recorded last trips.
pub(super) fn trips(trip: Trip, calls: &[bool]) -> bool {
    let by_run = trip.consecutive.is_some_and(|n| run(calls) >= n);
    let by_window = trip.window.is_some_and(|window| {
        let Counted { failures, calls } = counted(trip, calls);
        match window.threshold {
            Threshold::Failures(k) => failures >= k,
            Threshold::Percent { percent, min_calls } => {
                calls >= min_calls && failures * 100 >= percent * calls
            }
            _ => unimplemented!("a threshold that the oracle does not know"),
        }
    });
    by_run || by_window
}

fn run(calls: &[bool]) -> u32 {
    count(calls.iter().rev().take_while(|failed| **failed))
}

fn last(calls: &[bool], span: Span) -> &[bool] {
    let Span::OfLast(n) = span else {
        unimplemented!("windows over time are not built yet")
    };
    &calls[calls.len().saturating_sub(n as usize)..]
}

fn count(items: impl IntoIterator) -> u32 {
    u32::try_from(items.into_iter().count()).expect("a test makes few calls")
}

/// The policy's interval for this reopen count: `base × factor^reopens` up to the cap.
pub(super) fn interval(policy: &Policy, reopens: u8) -> i128 {
    let backoff = policy.backoff;
    i128::from(backoff.factor)
        .saturating_pow(u32::from(reopens))
        .saturating_mul(millis_up(backoff.base))
        .min(millis_up(backoff.cap))
}

/// The same with full jitter, added after the cap.
pub(super) fn interval_with_full_jitter(policy: &Policy, reopens: u8) -> i128 {
    let interval = interval(policy, reopens);
    interval + interval * i128::from(policy.backoff.jitter) / 100
}

/// The longest interval that an open period can have.
pub(super) fn longest(policy: &Policy, reopens: u8, given: bool) -> i128 {
    if given {
        LONGEST_MS
    } else {
        interval_with_full_jitter(policy, reopens)
    }
}

/// How long the breaker waits for its probes.
pub(super) fn lease(policy: &Policy, reopens: u8) -> i128 {
    match policy.probe_lease {
        Some(lease) => millis_up(lease),
        None => (interval(policy, reopens).max(SHORTEST_LEASE_MS) << reopens.min(3))
            .min(LONGEST_LEASE_MS),
    }
}

/// What a partner's hint counts as.
pub(super) fn hint(hint: Duration) -> i128 {
    millis_up(hint).min(LONGEST_HINT_MS)
}

/// What an operator's length counts as.
pub(super) fn forced(time: Duration) -> i128 {
    millis_up(time).clamp(SHORTEST_MS, LONGEST_MS)
}

/// What an outcome counts as, of a call that returned after this long.
pub(super) fn returned(policy: &Policy, outcome: Outcome, took: Duration) -> Outcome {
    let slow = policy.slow_call.is_some_and(|limit| took >= limit);
    match outcome {
        Outcome::Success | Outcome::Ignored if slow => Outcome::Failure,
        as_it_is => as_it_is,
    }
}

/// What it counts as that a permit was dropped after this long.
pub(super) fn dropped(policy: &Policy, probe: bool, held: Duration) -> Outcome {
    let implied = match policy.slow_call {
        Some(limit) => OnDrop::FailureAfter(limit),
        None => OnDrop::FailProbe,
    };
    let fails = match policy.on_drop.unwrap_or(implied) {
        OnDrop::FailProbe => probe,
        OnDrop::Ignore => false,
        OnDrop::Failure => true,
        OnDrop::FailureAfter(limit) => probe || held >= limit,
        _ => unimplemented!("a meaning that the oracle does not know"),
    };
    if fails {
        Outcome::Failure
    } else {
        Outcome::Ignored
    }
}
