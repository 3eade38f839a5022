//! The clock as the breaker sees it, and the two rules by which it is compared (`DESIGN.md` §2).
//!
//! Readings are nanoseconds. Everything else is a whole number that never wraps: the wrap is in the rules,
//! where it can be read, and nowhere else.

use std::time::Duration;

/// Nanoseconds of a deadline's tick.
const TICK: u64 = 250_000;
/// Ticks in a millisecond.
const TICKS_PER_MS: i128 = 4;
/// Milliseconds of a lease's tick, and nanoseconds.
const LEASE_TICK_MS: i128 = 4;
const LEASE_TICK: u64 = 4_000_000;
/// Deadlines are compared modulo this many ticks, lease ends modulo this many of theirs.
const DEADLINES: i128 = 1 << 40;
const LEASES: i128 = 1 << 28;
/// What both upper bounds allow for clocks that differ between cores.
const SLACK_MS: i128 = 1_000;

/// The tick that a reading falls in.
pub(super) fn tick(now: u64) -> i128 {
    i128::from(now / TICK)
}

/// The deadline of an open period that begins now.
pub(super) fn deadline(now: u64, open_ms: i128) -> i128 {
    tick(now) + open_ms * TICKS_PER_MS
}

/// The rest of an open period in ticks, if calls are still rejected: *rejected iff
/// `0 < (deadline - now) mod 2^40 <= longest`*, with the slack.
pub(super) fn rest_of_open(deadline: i128, now: u64, longest_ms: i128) -> Option<i128> {
    let rest = (deadline - tick(now)).rem_euclid(DEADLINES);
    (0 < rest && rest <= (longest_ms + SLACK_MS) * TICKS_PER_MS).then_some(rest)
}

/// Where a lease ends that begins now. Its length is rounded up to a tick.
pub(super) fn lease_end(now: u64, lease_ms: i128) -> i128 {
    i128::from(now / LEASE_TICK) + lease_ticks(lease_ms)
}

/// The rest of a lease in its ticks, if it still runs: *busy iff `0 < (lease_end - now) mod 2^28 <=
/// lease`*, with the slack.
pub(super) fn rest_of_lease(end: i128, now: u64, lease_ms: i128) -> Option<i128> {
    let rest = (end - i128::from(now / LEASE_TICK)).rem_euclid(LEASES);
    (0 < rest && rest <= lease_ticks(lease_ms) + SLACK_MS / LEASE_TICK_MS).then_some(rest)
}

pub(super) fn lease_ticks(lease_ms: i128) -> i128 {
    (lease_ms + LEASE_TICK_MS - 1) / LEASE_TICK_MS
}

/// How long from `then` to now, modulo the span of deadlines.
pub(super) fn since(then: i128, now: u64) -> Duration {
    ticks(tick(now) - then)
}

/// The time from this reading to the first one at which `rest` more ticks of a lease are over.
pub(super) fn until_lease_tick(now: u64, rest: i128) -> Duration {
    let rest = u64::try_from(rest).expect("a rest is positive");
    Duration::from_nanos(rest * LEASE_TICK - now % LEASE_TICK)
}

/// A number of ticks as a duration, modulo the span of deadlines.
pub(super) fn ticks(count: i128) -> Duration {
    let count = u64::try_from(count.rem_euclid(DEADLINES)).expect("2^40 fits");
    Duration::from_nanos(count * TICK)
}

/// Whole milliseconds of a duration, rounded up.
pub(super) fn millis_up(time: Duration) -> i128 {
    i128::try_from(time.as_nanos().div_ceil(1_000_000)).expect("a duration has fewer than 2^95 ns")
}

/// A duration of whole milliseconds.
pub(super) fn duration(ms: i128) -> Duration {
    Duration::from_millis(u64::try_from(ms).expect("intervals are small and positive"))
}
