//! A policy is refused just outside each of its bounds, with field, value and bound, and accepted
//! just inside. Covers the table in the docs of [`Policy`].

use std::{
    panic::{catch_unwind, resume_unwind},
    time::Duration,
};

use cutout::{Backoff, Breaker, OnDrop, Policy, PolicyError, Trip};
use proptest::prelude::*;

use super::any_policy::any_policy;

use crate::support::{DAY, MS, NS, SECOND};

const MONTH: Duration = Duration::from_hours(30 * 24);
const YEAR: Duration = Duration::from_hours(365 * 24);
const NEW: Policy = Policy::new();

fn trip(trip: Trip) -> Policy {
    NEW.trip(trip)
}

fn backoff(base: Duration, factor: u32, cap: Duration) -> Policy {
    NEW.backoff(Backoff::exponential(base, factor, cap))
}

fn try_build(policy: Policy) -> Result<Breaker, PolicyError> {
    Breaker::builder().policy(policy).try_build()
}

/// Values just inside their bounds.
fn accepted() -> Vec<Policy> {
    let window = Trip::failures(1).of_last(1);
    vec![
        NEW,
        trip(Trip::consecutive(1)),
        trip(Trip::consecutive(65_535)),
        trip(Trip::consecutive(1).or(window)),
        trip(Trip::consecutive(45).or(window)),
        trip(window.or(Trip::consecutive(45))),
        trip(window.or(Trip::consecutive(1))),
        trip(Trip::consecutive(45).or(Trip::failures(1).of_last(45))),
        trip(Trip::consecutive(1).or(Trip::failures(1).of_last(46))),
        trip(Trip::consecutive(65_535).or(Trip::failures(46).of_last(46))),
        trip(
            Trip::percent(1)
                .of_last(4_096)
                .or(Trip::consecutive(65_535)),
        ),
        trip(Trip::consecutive(65_535).or(Trip::failures(1).within(SECOND))),
        trip(
            Trip::percent(1)
                .within(SECOND)
                .or(Trip::consecutive(65_535)),
        ),
        trip(Trip::failures(1).of_last(45)),
        trip(Trip::failures(45).of_last(45)),
        trip(Trip::percent(1).of_last(1)),
        trip(Trip::percent(100).of_last(45)),
        trip(Trip::percent(50).min_calls(1).of_last(20)),
        trip(Trip::percent(50).min_calls(20).of_last(20)),
        trip(Trip::failures(1).of_last(46)),
        trip(Trip::failures(1).of_last(4_096)),
        trip(Trip::failures(4_096).of_last(4_096)),
        trip(Trip::percent(1).of_last(46)),
        trip(Trip::percent(100).of_last(4_096)),
        trip(Trip::percent(50).min_calls(1).of_last(4_096)),
        trip(Trip::percent(50).min_calls(4_096).of_last(4_096)),
        trip(Trip::failures(1).within(10 * MS)),
        trip(Trip::failures(1).within(11 * MS)),
        trip(Trip::failures(1_024).within(YEAR)),
        trip(Trip::percent(1).within(100 * MS)),
        trip(Trip::percent(1).within(101 * MS)),
        trip(Trip::percent(100).within(DAY)),
        trip(Trip::percent(50).min_calls(1).within(SECOND)),
        trip(Trip::percent(50).min_calls(1_000_000).within(SECOND)),
        NEW.open_for(10 * MS),
        NEW.open_for(MONTH),
        NEW.open_for(11 * MS),
        backoff(10 * MS, 1, 10 * MS),
        backoff(10 * MS, 100, MONTH),
        backoff(MONTH, 2, MONTH),
        NEW.backoff(Backoff::constant(SECOND).jitter(0)),
        NEW.backoff(Backoff::constant(SECOND).jitter(100)),
        NEW.backoff(Backoff::constant(MONTH).jitter(100).seed(u64::MAX)),
        NEW.probes(1),
        NEW.probes(63),
        NEW.probe_successes(1),
        NEW.probe_successes(63),
        NEW.probe_lease(10 * MS),
        NEW.probe_lease(DAY),
        NEW.slow_call(MS),
        NEW.slow_call(30 * SECOND),
        NEW.slow_call(DAY).probe_lease(DAY),
        NEW.slow_call(SECOND).probe_lease(SECOND),
        NEW.on_drop(OnDrop::FailureAfter(MS)),
        NEW.on_drop(OnDrop::FailureAfter(30 * SECOND)),
        NEW.on_drop(OnDrop::FailProbeAfter(30 * SECOND)),
        NEW.on_drop(OnDrop::FailureAfter(DAY)).probe_lease(DAY),
    ]
}

/// Values just outside their bounds, with the error message: its first word is the field.
#[expect(clippy::too_many_lines, reason = "a table")]
fn refused() -> Vec<(Policy, &'static str)> {
    let window = Trip::failures(10).of_last(20);
    vec![
        (
            trip(Trip::consecutive(0)),
            "consecutive must be 1 to 65535, got 0",
        ),
        (
            trip(Trip::consecutive(65_536)),
            "consecutive must be 1 to 65535, got 65536",
        ),
        (
            trip(Trip::consecutive(0).or(window)),
            "consecutive must be 1 to 45, got 0",
        ),
        (
            trip(window.or(Trip::consecutive(46))),
            "consecutive must be 1 to 45, got 46",
        ),
        (
            trip(Trip::failures(0).of_last(20)),
            "failures must be 1 to 20, got 0",
        ),
        (
            trip(Trip::failures(21).of_last(20)),
            "failures must be 1 to 20, got 21",
        ),
        (
            trip(Trip::percent(0).of_last(20)),
            "percent must be 1 to 100, got 0",
        ),
        (
            trip(Trip::percent(101).of_last(20)),
            "percent must be 1 to 100, got 101",
        ),
        (
            trip(Trip::percent(50).min_calls(0).of_last(20)),
            "min_calls must be 1 to 20, got 0",
        ),
        (
            trip(Trip::percent(50).min_calls(21).of_last(20)),
            "min_calls must be 1 to 20, got 21",
        ),
        (
            trip(Trip::failures(1).of_last(0)),
            "of_last must be 1 to 4096, got 0",
        ),
        (
            trip(Trip::failures(1).of_last(4_097)),
            "of_last must be 1 to 4096, got 4097",
        ),
        (
            trip(Trip::percent(50).of_last(0)),
            "of_last must be 1 to 4096, got 0",
        ),
        (
            trip(Trip::percent(50).of_last(u32::MAX)),
            "of_last must be 1 to 4096, got 4294967295",
        ),
        (
            trip(Trip::failures(0).of_last(46)),
            "failures must be 1 to 46, got 0",
        ),
        (
            trip(Trip::failures(4_097).of_last(4_096)),
            "failures must be 1 to 4096, got 4097",
        ),
        (
            trip(Trip::percent(0).of_last(4_096)),
            "percent must be 1 to 100, got 0",
        ),
        (
            trip(Trip::percent(101).of_last(4_096)),
            "percent must be 1 to 100, got 101",
        ),
        (
            trip(Trip::percent(50).min_calls(0).of_last(100)),
            "min_calls must be 1 to 100, got 0",
        ),
        (
            trip(Trip::percent(50).min_calls(101).of_last(100)),
            "min_calls must be 1 to 100, got 101",
        ),
        (
            trip(Trip::failures(1).of_last(46).or(Trip::consecutive(0))),
            "consecutive must be 1 to 65535, got 0",
        ),
        (
            trip(Trip::consecutive(65_536).or(Trip::failures(1).of_last(46))),
            "consecutive must be 1 to 65535, got 65536",
        ),
        (
            trip(Trip::failures(1).within(SECOND).or(Trip::consecutive(0))),
            "consecutive must be 1 to 65535, got 0",
        ),
        (
            trip(Trip::consecutive(65_536).or(Trip::failures(1).within(SECOND))),
            "consecutive must be 1 to 65535, got 65536",
        ),
        (
            trip(Trip::percent(1).within(SECOND).or(Trip::consecutive(0))),
            "consecutive must be 1 to 65535, got 0",
        ),
        (
            trip(Trip::consecutive(65_536).or(Trip::percent(1).within(SECOND))),
            "consecutive must be 1 to 65535, got 65536",
        ),
        (
            trip(Trip::consecutive(46).or(Trip::failures(1).of_last(45))),
            "consecutive must be 1 to 45, got 46",
        ),
        (
            trip(Trip::failures(0).within(SECOND)),
            "failures must be 1 to 1024, got 0",
        ),
        (
            trip(Trip::failures(1_025).within(SECOND)),
            "failures must be 1 to 1024, got 1025",
        ),
        (
            trip(Trip::failures(1).within(9 * MS)),
            "within must be 10ms to 365d, got 9ms",
        ),
        (
            trip(Trip::failures(1).within(Duration::from_nanos(9_999_999))),
            "within must be 10ms to 365d, got 9999999ns",
        ),
        (
            trip(Trip::failures(1).within(Duration::ZERO)),
            "within must be 10ms to 365d, got 0ms",
        ),
        (
            trip(Trip::failures(1).within(YEAR + MS)),
            "within must be 10ms to 365d, got 31536000001ms",
        ),
        (
            trip(Trip::failures(1).within(YEAR + NS)),
            "within must be 10ms to 365d, got 31536000000000001ns",
        ),
        (
            trip(Trip::failures(1).within(SECOND + NS)),
            "within must be whole milliseconds, got 1000000001ns",
        ),
        (
            trip(Trip::percent(0).within(SECOND)),
            "percent must be 1 to 100, got 0",
        ),
        (
            trip(Trip::percent(101).within(SECOND)),
            "percent must be 1 to 100, got 101",
        ),
        (
            trip(Trip::percent(1).min_calls(0).within(SECOND)),
            "min_calls must be 1 to 1000000, got 0",
        ),
        (
            trip(Trip::percent(1).min_calls(1_000_001).within(SECOND)),
            "min_calls must be 1 to 1000000, got 1000001",
        ),
        (
            trip(Trip::percent(1).within(99 * MS)),
            "within must be 100ms to 1d, got 99ms",
        ),
        (
            trip(Trip::percent(1).within(DAY + MS)),
            "within must be 100ms to 1d, got 86400001ms",
        ),
        (
            trip(Trip::percent(1).within(DAY + NS)),
            "within must be 100ms to 1d, got 86400000000001ns",
        ),
        (
            trip(Trip::percent(1).within(Duration::from_micros(100_500))),
            "within must be whole milliseconds, got 100500us",
        ),
        (
            trip(Trip::consecutive(3).or(Trip::consecutive(3))),
            "trip must be consecutive, a window, or one of each, got consecutive twice",
        ),
        (
            trip(
                Trip::failures(1)
                    .within(SECOND)
                    .or(Trip::percent(1).within(SECOND)),
            ),
            "trip must be consecutive, a window, or one of each, got two windows",
        ),
        (
            trip(window.or(Trip::percent(50).of_last(20))),
            "trip must be consecutive, a window, or one of each, got two windows",
        ),
        (
            trip(Trip::consecutive(3).or(window).or(window)),
            "trip must be consecutive, a window, or one of each, got two windows",
        ),
        (
            trip(window.or(Trip::consecutive(3).or(Trip::consecutive(4)))),
            "trip must be consecutive, a window, or one of each, got consecutive twice",
        ),
        (
            NEW.open_for(9 * MS),
            "open_for must be 10ms to 30d, got 9ms",
        ),
        (
            NEW.open_for(Duration::from_nanos(9_999_999)),
            "open_for must be 10ms to 30d, got 9999999ns",
        ),
        (
            NEW.open_for(MONTH + MS),
            "open_for must be 10ms to 30d, got 2592000001ms",
        ),
        (
            NEW.open_for(Duration::MAX),
            "open_for must be 10ms to 30d, got 18446744073709551615999999999ns",
        ),
        (
            NEW.open_for(Duration::ZERO),
            "open_for must be 10ms to 30d, got 0ms",
        ),
        (
            NEW.open_for(Duration::from_micros(10_500)),
            "open_for must be whole milliseconds, got 10500us",
        ),
        (
            backoff(9 * MS, 2, SECOND),
            "base must be 10ms to 30d, got 9ms",
        ),
        (
            backoff(MONTH + MS, 2, MONTH + MS),
            "base must be 10ms to 30d, got 2592000001ms",
        ),
        (
            backoff(SECOND + NS, 2, 2 * SECOND),
            "base must be whole milliseconds, got 1000000001ns",
        ),
        (backoff(SECOND, 0, SECOND), "factor must be 1 to 100, got 0"),
        (
            backoff(SECOND, 101, SECOND),
            "factor must be 1 to 100, got 101",
        ),
        (
            backoff(SECOND, 2, 999 * MS),
            "cap must be 1s to 30d, got 999ms",
        ),
        (
            backoff(SECOND, 2, MONTH + MS),
            "cap must be 1s to 30d, got 2592000001ms",
        ),
        (
            backoff(SECOND, 2, SECOND + NS),
            "cap must be whole milliseconds, got 1000000001ns",
        ),
        (
            NEW.backoff(Backoff::constant(SECOND).jitter(101)),
            "jitter must be 0 to 100, got 101",
        ),
        (NEW.probes(0), "probes must be 1 to 63, got 0"),
        (NEW.probes(64), "probes must be 1 to 63, got 64"),
        (
            NEW.probe_successes(0),
            "probe_successes must be 1 to 63, got 0",
        ),
        (
            NEW.probe_successes(64),
            "probe_successes must be 1 to 63, got 64",
        ),
        (
            NEW.probe_lease(9 * MS),
            "probe_lease must be 10ms to 1d, got 9ms",
        ),
        (
            NEW.probe_lease(DAY + MS),
            "probe_lease must be 10ms to 1d, got 86400001ms",
        ),
        (
            NEW.probe_lease(SECOND + NS),
            "probe_lease must be whole milliseconds, got 1000000001ns",
        ),
        (
            NEW.slow_call(Duration::ZERO),
            "slow_call must be 1ms to 30s (the probe_lease), got 0ms",
        ),
        (
            NEW.slow_call(30 * SECOND + MS),
            "slow_call must be 1ms to 30s (the probe_lease), got 30001ms",
        ),
        (
            NEW.slow_call(SECOND + MS).probe_lease(SECOND),
            "slow_call must be 1ms to 1s (the probe_lease), got 1001ms",
        ),
        (
            NEW.slow_call(SECOND + NS),
            "slow_call must be whole milliseconds, got 1000000001ns",
        ),
        (
            NEW.on_drop(OnDrop::FailureAfter(Duration::from_nanos(999_999))),
            "on_drop must be 1ms to 30s (the probe_lease), got 999999ns",
        ),
        (
            NEW.probe_lease(DAY).on_drop(OnDrop::FailureAfter(DAY + MS)),
            "on_drop must be 1ms to 1d (the probe_lease), got 86400001ms",
        ),
        (
            NEW.on_drop(OnDrop::FailureAfter(SECOND + NS)),
            "on_drop must be whole milliseconds, got 1000000001ns",
        ),
    ]
}

#[test]
fn a_value_just_inside_its_bound_is_accepted() {
    for policy in accepted() {
        assert_eq!(policy.validate(), Ok(()), "{policy:?}");
        assert_eq!(try_build(policy).unwrap().policy(), policy);
    }
}

#[test]
fn a_value_just_outside_its_bound_is_refused_with_field_value_and_bound() {
    for (policy, message) in refused() {
        let error = try_build(policy).unwrap_err();
        assert_eq!(error.to_string(), message, "{policy:?}");
        assert_eq!(Some(error.field()), message.split(' ').next());
        assert_eq!(policy.validate(), Err(error));
    }
}

#[test]
fn build_panics_with_the_message_of_try_build() {
    for (policy, message) in refused() {
        let thrown = catch_unwind(|| Breaker::builder().policy(policy).build()).unwrap_err();
        match thrown.downcast::<String>() {
            Ok(error_text) => assert_eq!(*error_text, message),
            Err(other) => resume_unwind(other),
        }
    }
}

#[test]
fn a_const_is_refused_as_a_value_is() {
    const REFUSED: Result<(), PolicyError> = NEW.probes(0).validate();
    let error = REFUSED.unwrap_err();
    assert_eq!(error.to_string(), "probes must be 1 to 63, got 0");
}

#[test]
fn the_later_of_open_for_and_backoff_wins() {
    let backoff = Backoff::exponential(SECOND, 2, DAY).jitter(10);
    let build = |policy| try_build(policy).unwrap().policy().backoff;
    assert_eq!(build(NEW.open_for(SECOND).backoff(backoff)), backoff);
    let constant = Backoff::constant(SECOND);
    assert_eq!(build(NEW.backoff(backoff).open_for(SECOND)), constant);
}

#[test]
fn the_setters_of_the_builder_are_those_of_the_policy() {
    let built = Breaker::builder()
        .trip(Trip::consecutive(2))
        .backoff(Backoff::exponential(SECOND, 3, DAY))
        .probes(4)
        .probe_successes(5)
        .probe_lease(6 * SECOND)
        .slow_call(SECOND)
        .on_drop(OnDrop::Ignore)
        .build();
    let policy = NEW
        .trip(Trip::consecutive(2))
        .backoff(Backoff::exponential(SECOND, 3, DAY))
        .probes(4)
        .probe_successes(5)
        .probe_lease(6 * SECOND)
        .slow_call(SECOND)
        .on_drop(OnDrop::Ignore);
    assert_eq!(built.policy(), policy);
    let reopened = Breaker::builder().policy(policy).open_for(SECOND).build();
    assert_eq!(reopened.policy(), policy.open_for(SECOND));
}

proptest! {
    #[test]
    fn a_breaker_returns_any_policy_that_it_was_built_with(policy in any_policy()) {
        prop_assert_eq!(policy.validate(), Ok(()));
        prop_assert_eq!(try_build(policy).unwrap().policy(), policy);
    }
}
