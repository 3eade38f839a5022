//! What a policy means, worked out anew from its public fields each time it is asked.

use std::time::Duration;

use cutout::{OnDrop, Outcome, Policy, Span, Threshold, Trip, Window};

use super::time::millis_up;

/// 30 days: the longest open period that anybody may ask for.
const LONGEST_MS: i128 = 30 * 24 * 3_600 * 1_000;
const SHORTEST_MS: i128 = 10;
/// An hour: what a longer hint counts as.
const LONGEST_HINT_MS: i128 = 3_600 * 1_000;
/// A day, and half a minute: the bounds of a default lease.
const LONGEST_LEASE_MS: i128 = 24 * 3_600 * 1_000;
const SHORTEST_LEASE_MS: i128 = 30 * 1_000;
/// Five bits of reopens, whose highest count means something else; they saturate.
pub(super) const MOST_REOPENS: u8 = 30;

/// A call that was recorded in a closed period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) failed: bool,
    /// What the clock read when it ended.
    pub(super) ended: u64,
    /// What it counts as: the clock's reading, or an earlier one if the breaker did not read it.
    pub(super) at: u64,
    pub(super) read: bool,
}

/// Failures, and the calls they are among.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) failures: u32,
    pub(crate) calls: u32,
}

impl Counted {
    /// Every call and every failure among these.
    fn all<'a>(calls: impl IntoIterator<Item = &'a Call>) -> Self {
        let mut counted = Self {
            failures: 0,
            calls: 0,
        };
        for call in calls {
            counted.calls += 1;
            counted.failures += u32::from(call.failed);
        }
        counted
    }
}

/// A window of more calls than this lives beside the word, and knows no more failures than trip.
const MOST_IN_WORD: u32 = 45;
/// A window of time that is judged by its rate has so many buckets.
const BUCKETS: u64 = 10;

/// In a bucket so many successes of a thread read the clock each; after them, one in so many does.
const READ_EACH: u32 = 64;
const READ_ONE_IN: u32 = 8;

/// A call that ends now, after these. `read` is whether the breaker read the clock for a success: if not, it
/// counts as if it came with the one before.
pub(super) fn call(trip: Trip, calls: &[Call], failed: bool, read: bool, now: u64) -> Call {
    let at = match rate_within(trip) {
        Some(time) if !read && !failed => {
            let bucket = |call: &Call| call.at / (nanos(time) / BUCKETS);
            let newest = calls.last().expect("the first call reads the clock");
            let newest_bucket = calls
                .iter()
                .rev()
                .take_while(|call| bucket(call) == bucket(newest));
            let before = count(newest_bucket.filter(|call| !call.failed));
            assert!(before >= READ_EACH, "read each of the first {READ_EACH}");
            let unread = calls
                .iter()
                .rev()
                .filter(|call| !call.failed)
                .take_while(|call| !call.read);
            assert!(count(unread) + 1 < READ_ONE_IN, "read one in {READ_ONE_IN}");
            newest.at
        }
        _ => now,
    };
    Call {
        failed,
        ended: now,
        at,
        read,
    }
}

/// The length of a window that is judged by its rate.
fn rate_within(trip: Trip) -> Option<Duration> {
    let window = trip.window?;
    match (window.threshold, window.span) {
        (Threshold::Percent { .. }, Span::Within(time)) => Some(time),
        _ => None,
    }
}

/// What is seen of a closed period: the failures that its trip looks at, those in the window, without one
/// in a row. `calls` are all that were recorded in the period.
pub(super) fn counted(trip: Trip, calls: &[Call], now: u64) -> Counted {
    let Some(window) = trip.window else {
        return Counted {
            failures: run(calls),
            calls: run(calls),
        };
    };
    let mut counted = in_window(window, calls, now);
    counted.failures = counted.failures.min(enough(trip));
    if matches!(window.span, Span::Within(_)) && rate_within(trip).is_none() {
        counted.calls = counted.failures;
    }
    counted
}

/// How many failures the window tells apart: beside the word, if each failure leaves a mark of its own, as
/// many as trip.
pub(super) fn enough(trip: Trip) -> u32 {
    match trip.window.map(|window| (window.threshold, window.span)) {
        Some((Threshold::Failures(k), Span::Within(_))) => k,
        Some((Threshold::Failures(k), Span::OfLast(n))) if n > MOST_IN_WORD => k,
        Some((Threshold::Percent { percent, .. }, Span::OfLast(n))) if n > MOST_IN_WORD => {
            (percent * n).div_ceil(100)
        }
        _ => u32::MAX,
    }
}

/// Whether the failure that was recorded last, now, trips.
pub(super) fn trips(trip: Trip, calls: &[Call], now: u64) -> bool {
    let by_run = trip.consecutive.is_some_and(|n| run(calls) >= n);
    let by_window = trip.window.is_some_and(|window| {
        let Counted { failures, calls } = in_window(window, calls, now);
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

/// All that the window covers. Of failures within a time it covers nothing but failures.
fn in_window(window: Window, calls: &[Call], now: u64) -> Counted {
    match (window.span, window.threshold) {
        (Span::OfLast(n), _) => Counted::all(last(calls, n)),
        (Span::Within(time), Threshold::Failures(_)) => {
            let young = young_failures(calls, time, now);
            Counted {
                failures: young,
                calls: young,
            }
        }
        (Span::Within(time), _) => {
            let length = nanos(time) / BUCKETS;
            let newest = now / length;
            let oldest = newest.saturating_sub(BUCKETS - 1);
            let within = |call: &&Call| (oldest..=newest).contains(&(call.at / length));
            Counted::all(calls.iter().filter(within))
        }
        _ => unimplemented!("a window that the oracle does not know"),
    }
}

/// The failures that are younger than this, in whole microseconds. The time of a failure is its reading of
/// the clock or the newest time recorded, whichever is later.
fn young_failures(calls: &[Call], time: Duration, now: u64) -> u32 {
    let mut newest = 0;
    let mut times = Vec::new();
    for failure in calls.iter().filter(|call| call.failed) {
        newest = newest.max(failure.at / 1_000);
        times.push(newest);
    }
    let now = newest.max(now / 1_000);
    let limit = nanos(time) / 1_000;
    count(times.iter().filter(|then| now - **then < limit))
}

/// For a window of time that is judged by its rate: the calls that are younger than nine tenths of it, but
/// for the successes that may be missing, and those that are younger than all of it. What the breaker counts
/// lies between.
pub(super) fn young_calls(trip: Trip, calls: &[Call], now: u64) -> Option<(Counted, Counted)> {
    let time = nanos(rate_within(trip)?);
    let younger = |limit| Counted::all(calls.iter().filter(|call| now - call.ended < limit));
    let mut at_least = younger(time / 10 * 9);
    let successes = at_least.calls - at_least.failures;
    at_least.calls -= successes.min(READ_ONE_IN - 1);
    Some((at_least, younger(time)))
}

/// Whether the window covers fewer calls than there were.
pub(super) fn moved(trip: Trip, calls: &[Call], now: u64) -> bool {
    let counts = |call: &&Call| match trip.window.map(|window| (window.span, window.threshold)) {
        Some((Span::Within(_), Threshold::Failures(_))) => call.failed,
        _ => true,
    };
    trip.window.is_some_and(|window| {
        in_window(window, calls, now).calls < count(calls.iter().filter(counts))
    })
}

fn run(calls: &[Call]) -> u32 {
    count(calls.iter().rev().take_while(|call| call.failed))
}

fn last(calls: &[Call], n: u32) -> &[Call] {
    &calls[calls.len().saturating_sub(n as usize)..]
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).expect("a window is at most a year")
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

/// The longest interval that an open period of a hint can have.
pub(super) fn longest_hint() -> i128 {
    LONGEST_HINT_MS
}

/// The longest interval that an open period of an operator can have.
pub(super) fn longest_forced() -> i128 {
    LONGEST_MS
}

/// How long the breaker waits for its probes.
pub(super) fn lease(policy: &Policy, reopens: u8) -> i128 {
    match policy.probe_lease {
        Some(lease) => millis_up(lease),
        None => (interval(policy, reopens).max(SHORTEST_LEASE_MS) << reopens.min(3))
            .min(LONGEST_LEASE_MS),
    }
}

/// What a dependency's hint counts as.
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
        None => OnDrop::FailProbeAfter(Duration::from_secs(1)),
    };
    let fails = match policy.on_drop.unwrap_or(implied) {
        OnDrop::FailProbe => probe,
        OnDrop::Ignore => false,
        OnDrop::Failure => true,
        OnDrop::FailProbeAfter(limit) => probe && held >= limit,
        OnDrop::FailureAfter(limit) => held >= limit,
        _ => unimplemented!("a meaning that the oracle does not know"),
    };
    if fails {
        Outcome::Failure
    } else {
        Outcome::Ignored
    }
}
