//! The clock as the breaker sees it, and the two rules that compare times (`docs/design.md` §2).
//!
//! Readings are nanoseconds. Everything derived from them is an integer that never wraps; only the
//! comparison rules apply the modulus.

use std::time::Duration;

/// Nanoseconds in a tick of a deadline.
const TICK: u64 = 250_000;
/// Ticks in a millisecond.
const TICKS_PER_MS: i128 = 4;
/// Milliseconds in a tick of a lease, and nanoseconds.
const LEASE_TICK_MS: i128 = 4;
const LEASE_TICK: u64 = 4_000_000;
const NANOS_PER_MS: i128 = 1_000_000;
/// Modulus in ticks for comparing the beginnings of periods.
const PERIODS: i128 = 1 << 47;
/// Modulus in microseconds for comparing the ends of hints.
const HINTS: i128 = 1 << 47;
/// Modulus for comparing deadlines, in ticks of deadlines; that for lease ends, in ticks of leases.
const DEADLINES: i128 = 1 << 40;
const LEASES: i128 = 1 << 28;
/// Allowance of both upper bounds for clocks that differ between cores.
const SLACK_MS: i128 = 1_000;

/// The tick that a reading falls in.
pub(super) fn tick(now: u64) -> i128 {
    i128::from(now / TICK)
}

/// Deadline of an open period that begins now: the first tick that begins no sooner than `length`
/// from now. Without a length it is the current tick.
pub(super) fn deadline(now: u64, open_ms: i128) -> i128 {
    if open_ms == 0 {
        return tick(now);
    }
    first_from(i128::from(now) + open_ms * NANOS_PER_MS, TICK)
}

/// The first tick of this length that begins at or after a time.
fn first_from(time: i128, tick: u64) -> i128 {
    (time + i128::from(tick) - 1) / i128::from(tick)
}

/// Remaining ticks of an open period, if calls are still rejected: *rejected iff `0 < (deadline -
/// now) mod 2^40 <= longest`*, with the slack.
pub(super) fn open_remaining(deadline: i128, now: u64, longest_ms: i128) -> Option<i128> {
    let remaining = (deadline - tick(now)).rem_euclid(DEADLINES);
    (0 < remaining && remaining <= (longest_ms + SLACK_MS) * TICKS_PER_MS + 1).then_some(remaining)
}

/// End of a lease that begins now: the first tick of leases that begins no sooner than its length
/// from now.
pub(super) fn lease_end(now: u64, lease_ms: i128) -> i128 {
    first_from(i128::from(now) + lease_ms * NANOS_PER_MS, LEASE_TICK)
}

/// Remaining ticks of a lease, if it has not expired: *busy iff `0 < (lease_end - now) mod 2^28 <=
/// lease`*, with the slack.
pub(super) fn lease_remaining(end: i128, now: u64, lease_ms: i128) -> Option<i128> {
    let remaining = (end - i128::from(now / LEASE_TICK)).rem_euclid(LEASES);
    let longest = (lease_ms + SLACK_MS + LEASE_TICK_MS - 1) / LEASE_TICK_MS + 1;
    (0 < remaining && remaining <= longest).then_some(remaining)
}

/// Time from `then` to now; zero if `then` is ahead.
pub(super) fn since(then: i128, now: u64) -> Duration {
    let passed = (tick(now) - then).rem_euclid(PERIODS);
    ticks(if passed >= PERIODS / 2 { 0 } else { passed })
}

/// Time from this reading until `remaining` more ticks of a lease are over.
pub(super) fn until_lease_tick(now: u64, remaining: i128) -> Duration {
    let remaining = u64::try_from(remaining).expect("a remaining time is positive");
    Duration::from_nanos(remaining * LEASE_TICK - now % LEASE_TICK)
}

/// A number of ticks as a duration.
pub(super) fn ticks(count: i128) -> Duration {
    let count = u64::try_from(count).expect("a tick count is not negative");
    Duration::from_micros(count * (TICK / 1_000))
}

/// The wait that a rejection states while probes are busy: until the lease ends, or the policy's
/// first interval if that is shorter. In whole ticks of deadlines, rounded up.
pub(super) fn busy(until_lease_end: Duration, interval_ms: i128) -> Duration {
    let nanos = i128::try_from(until_lease_end.as_nanos()).expect("a lease is short");
    ticks(first_from(nanos, TICK).min(interval_ms * TICKS_PER_MS))
}

/// End of a hint that arrives now, in microseconds.
pub(super) fn hint_end(now: u64, hint_ms: i128) -> i128 {
    i128::from(now / 1_000) + hint_ms * 1_000
}

/// Remaining time of a hint that is still in force: at most an hour and the slack.
pub(super) fn hint_remaining(end: i128, now: u64) -> Option<Duration> {
    let remaining = (end - i128::from(now / 1_000)).rem_euclid(HINTS);
    let longest = (3_600 * 1_000 + SLACK_MS) * 1_000;
    let remaining = u64::try_from(remaining).expect("it is positive");
    (0 < remaining && i128::from(remaining) <= longest).then(|| Duration::from_micros(remaining))
}

/// Whole milliseconds of a duration, rounded up.
pub(super) fn millis_up(time: Duration) -> i128 {
    i128::try_from(time.as_nanos().div_ceil(1_000_000)).expect("a duration has fewer than 2^95 ns")
}

/// A duration of whole milliseconds.
pub(super) fn duration(ms: i128) -> Duration {
    Duration::from_millis(u64::try_from(ms).expect("intervals are small and positive"))
}

/// The wait that a rejection states: up to 2^24 ticks exactly, and a longer one in seconds, rounded
/// up without the last tick, and that tick.
pub(super) fn stated(wait: Duration) -> Duration {
    let tick = Duration::from_nanos(TICK);
    if wait < tick * (1 << 24) {
        return wait;
    }
    let nanos = wait.as_nanos() - u128::from(TICK);
    let seconds = u64::try_from(nanos.div_ceil(1_000_000_000)).expect("an open period");
    Duration::from_secs(seconds) + tick
}
