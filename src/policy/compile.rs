//! A policy checked and compiled to the integers of the machine, and read back from them.

#![expect(
    clippy::cast_possible_truncation,
    reason = "each value is checked against a bound that fits, and `try_from` is not const"
)]

use core::time::Duration;

use crate::machine::{
    rules::{Drops, Interval, Rules},
    tally::{self, Tally},
    word::MAX_PROBES,
};

use super::{
    Backoff, OnDrop, Policy, PolicyError, Span, Threshold, Trip, Window,
    error::{Bound, Value},
};

const DAY: Duration = Duration::from_hours(24);
const SHORTEST_OPEN: Duration = Duration::from_millis(10);
const LONGEST_OPEN: Duration = Duration::from_hours(30 * 24);
const SHORTEST_LEASE: Duration = Duration::from_millis(10);
const SHORTEST_CALL: Duration = Duration::from_millis(1);
const MAX_CONSECUTIVE: u32 = u16::MAX as u32;
const MAX_IN_WORD: u32 = tally::MAX_IN_WORD as u32;
const MAX_FACTOR: u32 = 100;
const MAX_PERCENT: u32 = 100;

const TRIP_RULE: &str = "consecutive, a window, or one of each";

/// `?` for a `const fn`.
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
/// The first field whose value is out of bounds.
pub(crate) const fn compile(policy: &Policy) -> Result<Rules, PolicyError> {
    let lease = match policy.probe_lease {
        Some(lease) => Some(check!(millis("probe_lease", lease, SHORTEST_LEASE, DAY))),
        None => None,
    };
    let slow_call = match policy.slow_call {
        Some(limit) => Some(check!(slow_call(limit, policy.probe_lease))),
        None => None,
    };
    Ok(Rules {
        tally: check!(tally(&policy.trip)),
        interval: check!(interval(&policy.backoff)),
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
            Some(on_drop) => Some(check!(drops(on_drop))),
            None => None,
        },
    })
}

const fn tally(trip: &Trip) -> Result<Tally, PolicyError> {
    if let Some(doubled) = trip.doubled {
        return Err(PolicyError::rule("trip", TRIP_RULE, doubled));
    }
    let window = match trip.window {
        Some(window) => Some(check!(in_word(window))),
        None => None,
    };
    let most = if window.is_some() {
        MAX_IN_WORD
    } else {
        MAX_CONSECUTIVE
    };
    let run = match trip.consecutive {
        Some(n) => Some(check!(number("consecutive", n, 1, most)) as u16),
        None if window.is_none() => {
            return Err(PolicyError::rule("trip", TRIP_RULE, "neither"));
        }
        None => None,
    };
    Ok(Tally { run, window })
}

const fn in_word(window: Window) -> Result<tally::Window, PolicyError> {
    let n = match window.span {
        Span::OfLast(n) => check!(number("of_last", n, 1, MAX_IN_WORD)),
        Span::Within(time) => {
            return Err(PolicyError::new(
                "within",
                Bound::Rule("left out, as windows over time are not built yet"),
                Value::Duration(time),
            ));
        }
    };
    let threshold = match window.threshold {
        Threshold::Failures(k) => {
            tally::Threshold::Failures(check!(number("failures", k, 1, n)) as u16)
        }
        Threshold::Percent { percent, min_calls } => tally::Threshold::Percent {
            percent: check!(number("percent", percent, 1, MAX_PERCENT)) as u8,
            min_calls: check!(number("min_calls", min_calls, 1, n)) as u16,
        },
    };
    Ok(tally::Window {
        span: n as u8,
        threshold,
    })
}

const fn interval(backoff: &Backoff) -> Result<Interval, PolicyError> {
    let Backoff {
        base, factor, cap, ..
    } = *backoff;
    // An interval that does not grow was set by `open_for`, and is named so.
    let constant = factor == 1 && base.as_nanos() == cap.as_nanos();
    let field = if constant { "open_for" } else { "base" };
    Ok(Interval {
        base: check!(millis(field, base, SHORTEST_OPEN, LONGEST_OPEN)),
        factor: check!(number("factor", factor, 1, MAX_FACTOR)) as u8,
        cap: check!(millis("cap", cap, base, LONGEST_OPEN)),
        jitter: check!(number("jitter", backoff.jitter, 0, MAX_PERCENT)) as u8,
        seed: backoff.seed,
    })
}

const fn slow_call(limit: Duration, lease: Option<Duration>) -> Result<u32, PolicyError> {
    let longest = match lease {
        Some(lease) => lease,
        None => DAY,
    };
    millis("slow_call", limit, SHORTEST_CALL, longest)
}

const fn drops(on_drop: OnDrop) -> Result<Drops, PolicyError> {
    Ok(match on_drop {
        OnDrop::FailProbe => Drops::FailProbe,
        OnDrop::Ignore => Drops::Ignore,
        OnDrop::Failure => Drops::Failure,
        OnDrop::FailureAfter(limit) => {
            Drops::FailureAfter(check!(millis("on_drop", limit, SHORTEST_CALL, DAY)))
        }
    })
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

const fn millis(
    field: &'static str,
    value: Duration,
    low: Duration,
    high: Duration,
) -> Result<u32, PolicyError> {
    let nanos = value.as_nanos();
    let bound = if nanos < low.as_nanos() || nanos > high.as_nanos() {
        Bound::Durations(low, high)
    } else if value.subsec_nanos().is_multiple_of(1_000_000) {
        // At most 30 days, which is less than 2^32 ms.
        return Ok(value.as_millis() as u32);
    } else {
        Bound::WholeMillis
    };
    Err(PolicyError::new(field, bound, Value::Duration(value)))
}

/// The policy that these rules were compiled from.
pub(crate) fn decompile(rules: &Rules) -> Policy {
    let millis = |ms: u32| Duration::from_millis(u64::from(ms));
    let Interval {
        base,
        cap,
        factor,
        jitter,
        seed,
    } = rules.interval;
    Policy {
        trip: Trip {
            consecutive: rules.tally.run.map(u32::from),
            window: rules.tally.window.map(|window| Window {
                span: Span::OfLast(u32::from(window.span)),
                threshold: match window.threshold {
                    tally::Threshold::Failures(k) => Threshold::Failures(u32::from(k)),
                    tally::Threshold::Percent { percent, min_calls } => Threshold::Percent {
                        percent: u32::from(percent),
                        min_calls: u32::from(min_calls),
                    },
                },
            }),
            doubled: None,
        },
        backoff: Backoff {
            base: millis(base),
            factor: u32::from(factor),
            cap: millis(cap),
            jitter: u32::from(jitter),
            seed,
        },
        probes: u32::from(rules.probes),
        probe_successes: u32::from(rules.probe_successes),
        probe_lease: rules.lease.map(millis),
        slow_call: rules.slow_call.map(millis),
        on_drop: rules.on_drop.map(|drops| match drops {
            Drops::FailProbe => OnDrop::FailProbe,
            Drops::Ignore => OnDrop::Ignore,
            Drops::Failure => OnDrop::Failure,
            Drops::FailureAfter(limit) => OnDrop::FailureAfter(millis(limit)),
        }),
    }
}
