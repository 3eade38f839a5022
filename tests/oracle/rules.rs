//! Meaning of a policy, computed from its public fields at each query.

use std::time::Duration;

use cutout::{OnDrop, Outcome, Policy, Span, Threshold, Trip, Window};

use super::time::millis_up;

/// 30 days: the longest open period that an operator may ask for.
const LONGEST_MS: i128 = 30 * 24 * 3_600 * 1_000;
const SHORTEST_MS: i128 = 10;
/// One hour: a longer hint counts as one hour.
const LONGEST_HINT_MS: i128 = 3_600 * 1_000;
/// One day and half a minute: the bounds of a default lease.
const LONGEST_LEASE_MS: i128 = 24 * 3_600 * 1_000;
const SHORTEST_LEASE_MS: i128 = 30 * 1_000;
/// Reopens have five bits and saturate; the highest value has another meaning.
pub(super) const MAX_REOPENS: u8 = 30;

/// A call that was recorded in a closed period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordedCall {
    pub(super) failed: bool,
    /// Clock reading at the end of the call.
    pub(super) ended: u64,
    /// Time at which the window counts the call: the clock reading, or an earlier one if the
    /// breaker did not read the clock.
    pub(super) at: u64,
    pub(super) read: bool,
}

/// A number of calls, and how many of them failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallCounts {
    pub(crate) failures: u32,
    pub(crate) calls: u32,
}

impl CallCounts {
    /// Counts all of these calls and the failures among them.
    fn all<'a>(calls: impl IntoIterator<Item = &'a RecordedCall>) -> Self {
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

/// Longest window in the word. A longer one is external, and its failure count stops where it
/// trips.
const MAX_IN_WORD: u32 = 45;
/// Number of buckets in a time window with a failure rate.
const BUCKETS: u64 = 10;

/// In each bucket, a thread's first `ALWAYS_READ` successes read the clock; after those, one in
/// `READ_ONE_IN` does, and after `MANY` one in `READ_ONE_IN_OF_MANY`.
const ALWAYS_READ: u32 = 64;
const READ_ONE_IN: u32 = 8;
const MANY: u32 = 512;
const READ_ONE_IN_OF_MANY: u32 = 32;

/// The interval of the clock readings of a thread with this number of successes in its bucket.
const fn read_one_in(successes: u32) -> u32 {
    if successes < MANY {
        READ_ONE_IN
    } else {
        READ_ONE_IN_OF_MANY
    }
}

/// The record of a call that ends now, after these calls. `read` is whether the breaker read the
/// clock for a success; without a reading, the success counts at the time of the call before it.
pub(super) fn call(
    trip: Trip,
    calls: &[RecordedCall],
    failed: bool,
    read: bool,
    now: u64,
) -> RecordedCall {
    let at = match rate_within(trip) {
        Some(time) if !read && !failed => {
            let bucket = |call: &RecordedCall| call.at / (nanos(time) / BUCKETS);
            let newest = calls.last().expect("the first call reads the clock");
            let newest_bucket = calls
                .iter()
                .rev()
                .take_while(|call| bucket(call) == bucket(newest));
            let before = count(newest_bucket.filter(|call| !call.failed));
            assert!(
                before >= ALWAYS_READ,
                "read each of the first {ALWAYS_READ}"
            );
            let unread = calls
                .iter()
                .rev()
                .filter(|call| !call.failed)
                .take_while(|call| !call.read);
            let one_in = read_one_in(before);
            assert!(count(unread) + 1 < one_in, "read one in {one_in}");
            newest.at
        }
        _ => now,
    };
    RecordedCall {
        failed,
        ended: now,
        at,
        read,
    }
}

/// Length of a time window with a failure rate.
fn rate_within(trip: Trip) -> Option<Duration> {
    let window = trip.window?;
    match (window.threshold, window.span) {
        (Threshold::Percent { .. }, Span::Within(time)) => Some(time),
        _ => None,
    }
}

/// The counts that a snapshot of a closed period shows: those of the window, or the run without a
/// window. `calls` are all calls recorded in the period.
pub(super) fn counted(trip: Trip, calls: &[RecordedCall], now: u64) -> CallCounts {
    let Some(window) = trip.window else {
        return CallCounts {
            failures: run(calls),
            calls: run(calls),
        };
    };
    let mut counted = in_window(window, calls, now);
    counted.failures = counted.failures.min(failure_limit(trip));
    if matches!(window.span, Span::Within(_)) && rate_within(trip).is_none() {
        counted.calls = counted.failures;
    }
    counted
}

/// The failure count at which an external window with one entry per failure stops counting: the
/// count that trips.
pub(super) fn failure_limit(trip: Trip) -> u32 {
    match trip.window.map(|window| (window.threshold, window.span)) {
        Some((Threshold::Failures(k), Span::Within(_))) => k,
        Some((Threshold::Failures(k), Span::OfLast(n))) if n > MAX_IN_WORD => k,
        Some((Threshold::Percent { percent, .. }, Span::OfLast(n))) if n > MAX_IN_WORD => {
            (percent * n).div_ceil(100)
        }
        _ => u32::MAX,
    }
}

/// Whether the failure recorded last trips now.
pub(super) fn trips(trip: Trip, calls: &[RecordedCall], now: u64) -> bool {
    let by_run = trip.consecutive.is_some_and(|n| run(calls) >= n);
    let by_window = trip.window.is_some_and(|window| {
        let CallCounts { failures, calls } = in_window(window, calls, now);
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

/// Counts everything in the window. A window of failures within a time holds only failures.
fn in_window(window: Window, calls: &[RecordedCall], now: u64) -> CallCounts {
    match (window.span, window.threshold) {
        (Span::OfLast(n), _) => CallCounts::all(last(calls, n)),
        (Span::Within(time), Threshold::Failures(_)) => {
            let young = young_failures(calls, time, now);
            CallCounts {
                failures: young,
                calls: young,
            }
        }
        (Span::Within(time), _) => {
            let length = nanos(time) / BUCKETS;
            let newest = now / length;
            let oldest = newest.saturating_sub(BUCKETS - 1);
            let within = |call: &&RecordedCall| (oldest..=newest).contains(&(call.at / length));
            CallCounts::all(calls.iter().filter(within))
        }
        _ => unimplemented!("a window that the oracle does not know"),
    }
}

/// Counts the failures younger than `time`, in whole microseconds. A failure's time is its clock
/// reading or the newest recorded time, whichever is later.
fn young_failures(calls: &[RecordedCall], time: Duration, now: u64) -> u32 {
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

/// For a time window with a failure rate: a lower and an upper bound of its counts.
///
/// The lower bound is the calls younger than nine tenths of the window, less the successes that may
/// be missing. The upper bound is the calls younger than the whole window.
pub(super) fn young_calls(
    trip: Trip,
    calls: &[RecordedCall],
    now: u64,
) -> Option<(CallCounts, CallCounts)> {
    let time = nanos(rate_within(trip)?);
    let younger = |limit| CallCounts::all(calls.iter().filter(|call| now - call.ended < limit));
    let mut at_least = younger(time / 10 * 9);
    let successes = at_least.calls - at_least.failures;
    let all = u32::try_from(calls.len()).unwrap_or(u32::MAX);
    at_least.calls -= successes.min(read_one_in(all) - 1);
    Some((at_least, younger(time)))
}

/// Whether the window covers fewer calls than were made.
pub(super) fn has_evicted(trip: Trip, calls: &[RecordedCall], now: u64) -> bool {
    let counts =
        |call: &&RecordedCall| match trip.window.map(|window| (window.span, window.threshold)) {
            Some((Span::Within(_), Threshold::Failures(_))) => call.failed,
            _ => true,
        };
    trip.window.is_some_and(|window| {
        in_window(window, calls, now).calls < count(calls.iter().filter(counts))
    })
}

fn run(calls: &[RecordedCall]) -> u32 {
    count(calls.iter().rev().take_while(|call| call.failed))
}

fn last(calls: &[RecordedCall], n: u32) -> &[RecordedCall] {
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

/// The same interval with full jitter, which is added after the cap.
pub(super) fn interval_with_full_jitter(policy: &Policy, reopens: u8) -> i128 {
    let interval = interval(policy, reopens);
    interval + interval * i128::from(policy.backoff.jitter) / 100
}

/// Longest interval of an open period that a hint lengthened.
pub(super) fn longest_hint() -> i128 {
    LONGEST_HINT_MS
}

/// Longest interval of an open period that an operator began.
pub(super) fn longest_forced() -> i128 {
    LONGEST_MS
}

/// The time for which the breaker waits for its probes.
pub(super) fn lease(policy: &Policy, reopens: u8) -> i128 {
    match policy.probe_lease {
        Some(lease) => millis_up(lease),
        None => (interval(policy, reopens).max(SHORTEST_LEASE_MS) << reopens.min(3))
            .min(LONGEST_LEASE_MS),
    }
}

/// The hint that is applied for a dependency's hint.
pub(super) fn hint(hint: Duration) -> i128 {
    millis_up(hint).min(LONGEST_HINT_MS)
}

/// The length that is applied for an operator's length.
pub(super) fn forced(time: Duration) -> i128 {
    millis_up(time).clamp(SHORTEST_MS, LONGEST_MS)
}

/// The outcome that is recorded for a call that returned after this long.
pub(super) fn returned(policy: &Policy, outcome: Outcome, took: Duration) -> Outcome {
    let slow = policy.slow_call.is_some_and(|limit| took >= limit);
    match outcome {
        Outcome::Success | Outcome::Ignored if slow => Outcome::Failure,
        as_it_is => as_it_is,
    }
}

/// The outcome that is recorded for a permit that was dropped after this long.
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
