//! Compiles a policy to the integer rules of the state machine, and decompiles rules to a policy.

#![expect(
    clippy::cast_possible_truncation,
    reason = "each value is checked against a bound that fits, and `try_from` is not const"
)]

use core::{num::NonZeroU32, time::Duration};

use crate::machine::{
    rules::{self, CompiledBackoff, CompiledOnDrop, Rules},
    trip::{
        self, TripRule, bits::Bits, buckets::Buckets, call_ring::CallRing, external,
        time_ring::TimeRing,
    },
    word::MAX_PROBES,
};

use super::{
    Backoff, OnDrop, Policy, PolicyError, Span, Threshold, Trip, Window,
    error::{Bound, Value},
};

pub(super) const DAY: Duration = Duration::from_hours(24);
pub(super) const SHORTEST_OPEN: Duration = Duration::from_millis(10);
pub(super) const LONGEST_OPEN: Duration = Duration::from_hours(30 * 24);
const SHORTEST_LEASE: Duration = Duration::from_millis(10);
const SHORTEST_DEFAULT_LEASE: Duration = Duration::from_millis(rules::SHORTEST_DEFAULT_LEASE_MS);
const SHORTEST_CALL: Duration = Duration::from_millis(1);
const MAX_IN_WORD: u32 = Bits::MOST_CALLS as u32;
pub(super) const MAX_CALLS: u32 = CallRing::MOST_CALLS as u32;
const MAX_FACTOR: u32 = 100;
const MAX_PERCENT: u32 = 100;

const TRIP_RULE: &str = "consecutive, a window, or one of each";

/// The `?` operator for a `const fn`.
macro_rules! check {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Err(error),
        }
    };
}

/// Compiles a policy.
///
/// # Errors
///
/// Returns the first field whose value is out of bounds.
pub(crate) const fn compile(policy: &Policy) -> Result<Rules, PolicyError> {
    let lease = match policy.probe_lease {
        Some(lease) => NonZeroU32::new(check!(millis("probe_lease", lease, SHORTEST_LEASE, DAY))),
        None => None,
    };
    let slow_call = match policy.slow_call {
        Some(limit) => NonZeroU32::new(check!(within_lease("slow_call", limit, policy))),
        None => None,
    };
    Ok(Rules {
        trip_rule: check!(trip_rule(&policy.trip)),
        backoff: check!(compiled_backoff(&policy.backoff)),
        probes: check!(number("probes", policy.probes, 1, MAX_PROBES as u32)) as u8,
        probe_successes: check!(number(
            "probe_successes",
            policy.probe_successes,
            1,
            MAX_PROBES as u32
        )) as u8,
        lease,
        slow_call,
        on_drop: match policy.on_drop {
            Some(on_drop) => Some(check!(compiled_on_drop(on_drop, policy))),
            None => None,
        },
    })
}

#[inline]
const fn trip_rule(trip: &Trip) -> Result<TripRule, PolicyError> {
    if let Some(conflict) = trip.conflict {
        return Err(PolicyError::rule("trip", TRIP_RULE, conflict));
    }
    let window = match trip.window {
        Some(window) => Some(check!(compile_window(window))),
        None => None,
    };
    let longest = TripRule { run: None, window }.longest_run() as u32;
    let run = match trip.consecutive {
        Some(n) => Some(check!(number("consecutive", n, 1, longest)) as u16),
        None if window.is_none() => {
            return Err(PolicyError::rule("trip", TRIP_RULE, "neither"));
        }
        None => None,
    };
    Ok(TripRule { run, window })
}

const fn compile_window(window: Window) -> Result<trip::CompiledWindow, PolicyError> {
    match (window.span, window.threshold) {
        (Span::OfLast(n), threshold) => of_last(n, threshold),
        (Span::Within(time), Threshold::Failures(k)) => {
            check!(needs_std("within", time));
            let shortest = Duration::from_millis(TimeRing::SHORTEST_MS);
            let longest = Duration::from_millis(TimeRing::LONGEST_MS);
            check!(whole_millis("within", time, shortest, longest));
            Ok(trip::CompiledWindow::TimeRing(TimeRing {
                k: check!(number("failures", k, 1, TimeRing::MOST_FAILURES as u32)) as u16,
                within_ms: time.as_millis() as u64,
            }))
        }
        (Span::Within(time), Threshold::Percent { percent, min_calls }) => {
            check!(needs_std("within", time));
            let shortest = Duration::from_millis(Buckets::SHORTEST_MS);
            let longest = Duration::from_millis(Buckets::LONGEST_MS);
            Ok(trip::CompiledWindow::Buckets(Buckets {
                percent: check!(number("percent", percent, 1, MAX_PERCENT)) as u8,
                min_calls: check!(number("min_calls", min_calls, 1, Buckets::MOST_MIN_CALLS)),
                within_ms: check!(millis("within", time, shortest, longest)),
            }))
        }
    }
}

const fn of_last(n: u32, threshold: Threshold) -> Result<trip::CompiledWindow, PolicyError> {
    let most = if external::EXIST {
        MAX_CALLS
    } else {
        MAX_IN_WORD
    };
    let n = check!(number("of_last", n, 1, most));
    let threshold = match threshold {
        Threshold::Failures(k) => {
            trip::CompiledThreshold::Failures(check!(number("failures", k, 1, n)) as u16)
        }
        Threshold::Percent { percent, min_calls } => trip::CompiledThreshold::Percent {
            percent: check!(number("percent", percent, 1, MAX_PERCENT)) as u8,
            min_calls: check!(number("min_calls", min_calls, 1, n)) as u16,
        },
    };
    Ok(if n <= MAX_IN_WORD {
        let span = n as u8;
        trip::CompiledWindow::Bits(Bits { span, threshold })
    } else {
        let span = n as u16;
        trip::CompiledWindow::CallRing(CallRing { span, threshold })
    })
}

/// Refuses a window over time where no window is allocated outside the word: without `std`.
const fn needs_std(field: &'static str, value: Duration) -> Result<(), PolicyError> {
    if external::EXIST {
        Ok(())
    } else {
        Err(PolicyError::new(
            field,
            Bound::Rule("left out without the std feature"),
            Value::Duration(value),
        ))
    }
}

const fn compiled_backoff(backoff: &Backoff) -> Result<CompiledBackoff, PolicyError> {
    let Backoff {
        base, factor, cap, ..
    } = *backoff;
    // Name the field that the caller set: a constant interval comes from `open_for`.
    let constant = factor == 1 && base.as_nanos() == cap.as_nanos();
    let field = if constant { "open_for" } else { "base" };
    Ok(CompiledBackoff {
        base: check!(millis(field, base, SHORTEST_OPEN, LONGEST_OPEN)),
        factor: check!(number("factor", factor, 1, MAX_FACTOR)) as u8,
        cap: check!(millis("cap", cap, base, LONGEST_OPEN)),
        jitter: check!(number("jitter", backoff.jitter, 0, MAX_PERCENT)) as u8,
        seeded: backoff.seed.is_some(),
        seed: match backoff.seed {
            Some(seed) => seed,
            None => 0,
        },
    })
}

/// Compiles a limit on the length of a call. The limit may not exceed the first probe lease: a
/// longer probe would lose its lease before the limit could judge it.
const fn within_lease(
    field: &'static str,
    limit: Duration,
    policy: &Policy,
) -> Result<u32, PolicyError> {
    let lease = match policy.probe_lease {
        Some(lease) => lease,
        None if policy.backoff.base.as_nanos() > SHORTEST_DEFAULT_LEASE.as_nanos() => {
            policy.backoff.base
        }
        None => SHORTEST_DEFAULT_LEASE,
    };
    let longest = if lease.as_nanos() < DAY.as_nanos() {
        lease
    } else {
        DAY
    };
    if limit.as_nanos() < SHORTEST_CALL.as_nanos() || limit.as_nanos() > longest.as_nanos() {
        let bound = Bound::WithinLease(SHORTEST_CALL, longest);
        return Err(PolicyError::new(field, bound, Value::Duration(limit)));
    }
    millis(field, limit, SHORTEST_CALL, longest)
}

const fn compiled_on_drop(on_drop: OnDrop, policy: &Policy) -> Result<CompiledOnDrop, PolicyError> {
    Ok(match on_drop {
        OnDrop::FailProbe => CompiledOnDrop::FailProbe,
        OnDrop::Ignore => CompiledOnDrop::Ignore,
        OnDrop::Failure => CompiledOnDrop::Failure,
        OnDrop::FailProbeAfter(limit) => match limit_of_drop(limit, policy) {
            Ok(limit) => CompiledOnDrop::FailProbeAfter(limit),
            Err(error) => return Err(error),
        },
        OnDrop::FailureAfter(limit) => match limit_of_drop(limit, policy) {
            Ok(limit) => CompiledOnDrop::FailureAfter(limit),
            Err(error) => return Err(error),
        },
    })
}

const fn limit_of_drop(limit: Duration, policy: &Policy) -> Result<NonZeroU32, PolicyError> {
    let millis = check!(within_lease("on_drop", limit, policy));
    Ok(NonZeroU32::new(millis).expect("a limit is 1 ms or more"))
}

const fn number(field: &'static str, value: u32, low: u32, high: u32) -> Result<u32, PolicyError> {
    if low <= value && value <= high {
        Ok(value)
    } else {
        Err(PolicyError::new(
            field,
            Bound::Numbers(low, high),
            Value::Number(value),
        ))
    }
}

/// Whole milliseconds. The bounds are at most 30 days, which fit 32 bits.
const fn millis(
    field: &'static str,
    value: Duration,
    low: Duration,
    high: Duration,
) -> Result<u32, PolicyError> {
    check!(whole_millis(field, value, low, high));
    Ok(value.as_millis() as u32)
}

const fn whole_millis(
    field: &'static str,
    value: Duration,
    low: Duration,
    high: Duration,
) -> Result<(), PolicyError> {
    let nanos = value.as_nanos();
    let bound = if nanos < low.as_nanos() || nanos > high.as_nanos() {
        Bound::Durations(low, high)
    } else if value.subsec_nanos().is_multiple_of(1_000_000) {
        return Ok(());
    } else {
        Bound::WholeMillis
    };
    Err(PolicyError::new(field, bound, Value::Duration(value)))
}

/// Returns the policy that these rules were compiled from.
pub(crate) fn decompile(rules: &Rules) -> Policy {
    let millis = |ms: u32| Duration::from_millis(u64::from(ms));
    let CompiledBackoff {
        base,
        cap,
        factor,
        jitter,
        seeded,
        seed,
    } = rules.backoff;
    Policy {
        trip: Trip {
            consecutive: rules.trip_rule.run.map(u32::from),
            window: rules.trip_rule.window.map(decompile_window),
            conflict: None,
        },
        backoff: Backoff {
            base: millis(base),
            factor: u32::from(factor),
            cap: millis(cap),
            jitter: u32::from(jitter),
            seed: seeded.then_some(seed),
        },
        probes: u32::from(rules.probes),
        probe_successes: u32::from(rules.probe_successes),
        probe_lease: rules.lease.map(NonZeroU32::get).map(millis),
        slow_call: rules.slow_call.map(NonZeroU32::get).map(millis),
        on_drop: rules.on_drop.map(|drops| match drops {
            CompiledOnDrop::FailProbe => OnDrop::FailProbe,
            CompiledOnDrop::Ignore => OnDrop::Ignore,
            CompiledOnDrop::Failure => OnDrop::Failure,
            CompiledOnDrop::FailProbeAfter(limit) => OnDrop::FailProbeAfter(millis(limit.get())),
            CompiledOnDrop::FailureAfter(limit) => OnDrop::FailureAfter(millis(limit.get())),
        }),
    }
}

fn decompile_window(window: trip::CompiledWindow) -> Window {
    let of_last = |span: u16, threshold| Window {
        span: Span::OfLast(u32::from(span)),
        threshold: match threshold {
            trip::CompiledThreshold::Failures(k) => Threshold::Failures(u32::from(k)),
            trip::CompiledThreshold::Percent { percent, min_calls } => Threshold::Percent {
                percent: u32::from(percent),
                min_calls: u32::from(min_calls),
            },
        },
    };
    match window {
        trip::CompiledWindow::Bits(Bits { span, threshold }) => of_last(u16::from(span), threshold),
        trip::CompiledWindow::CallRing(CallRing { span, threshold }) => of_last(span, threshold),
        trip::CompiledWindow::TimeRing(TimeRing { k, within_ms }) => Window {
            span: Span::Within(Duration::from_millis(within_ms)),
            threshold: Threshold::Failures(u32::from(k)),
        },
        trip::CompiledWindow::Buckets(Buckets {
            percent,
            min_calls,
            within_ms,
        }) => Window {
            span: Span::Within(Duration::from_millis(u64::from(within_ms))),
            threshold: Threshold::Percent {
                percent: u32::from(percent),
                min_calls,
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_back_from_its_rules_as_it_was() {
        let second = Duration::from_secs(1);
        let trips = [
            Trip::consecutive(65_535),
            Trip::failures(45).of_last(45).or(Trip::consecutive(45)),
            Trip::percent(1).min_calls(1).of_last(1),
            #[cfg(feature = "std")]
            Trip::failures(46).of_last(46).or(Trip::consecutive(65_535)),
            #[cfg(feature = "std")]
            Trip::percent(100).of_last(4_096),
            #[cfg(feature = "std")]
            Trip::failures(1_024).within(Duration::from_hours(365 * 24)),
            #[cfg(feature = "std")]
            Trip::percent(50).min_calls(1_000_000).within(DAY),
        ];
        for trip in trips {
            for policy in [
                Policy::new().trip(trip),
                Policy::new()
                    .trip(trip)
                    .open_for(second)
                    .probe_lease(second),
                Policy::new()
                    .trip(trip)
                    .backoff(Backoff::exponential(second, 100, LONGEST_OPEN).seed(0))
                    .slow_call(second)
                    .probe_lease(DAY)
                    .on_drop(OnDrop::FailureAfter(DAY)),
                Policy::new()
                    .trip(trip)
                    .on_drop(OnDrop::FailProbeAfter(second)),
            ] {
                let rules = compile(&policy).expect("a policy within its bounds");
                assert_eq!(decompile(&rules), policy);
            }
        }
    }
}
