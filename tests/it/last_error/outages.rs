//! Which error is stored, and for how long.

use std::{sync::Arc, thread};

use cutout::{Outcome, Policy, Reason, Recorded};

use super::{Bench, SECOND, is_gone};

#[test]
fn an_error_that_is_no_failure_is_not_stored() {
    let bench = Bench::new();
    for outcome in [Outcome::Success, Outcome::Ignored] {
        let call = || Err::<(), _>("not found");
        bench.dependency.call_with(call, |_| outcome).unwrap_err();
        assert_eq!(bench.last(), None, "{outcome:?}");
    }
    for (error, outcome) in [
        ("failed", Outcome::Failure),
        ("failed for", Outcome::FailureFor(SECOND)),
    ] {
        let call = || Err::<(), _>(error);
        bench.dependency.call_with(call, |_| outcome).unwrap_err();
        assert_eq!(bench.last(), Some(error));
    }
}

#[test]
fn a_result_that_counts_as_a_failure_keeps_the_stored_error() {
    let bench = Bench::new();
    bench.fail("first");
    bench
        .dependency
        .call_with(|| Ok(503), |_| Outcome::Failure)
        .unwrap();
    assert_eq!(bench.rejected().last().map(|last| **last), Some("first"));
}

#[test]
fn a_disabled_breaker_stores_no_error() {
    let bench = Bench::new();
    bench.dependency.breaker().disable();
    bench.fail("while disabled");
    assert_eq!(bench.last(), None);
    bench.dependency.breaker().resume();
    assert_eq!(bench.last(), None);
}

#[test]
fn a_failed_probe_is_the_last_error() {
    let bench = Bench::new();
    bench.fail("first");
    bench.fail("second");
    for error in ["third", "fourth"] {
        bench.past_the_deadline();
        bench.fail(error);
        assert_eq!(bench.rejected().last().map(|last| **last), Some(error));
    }
}

#[test]
fn a_rejection_by_busy_probes_shows_the_error_too() {
    let bench = Bench::new();
    bench.fail("first");
    bench.fail("second");
    bench.past_the_deadline();
    // On another thread, because what a probe calls is part of the probe.
    let probe = || {
        let other = thread::scope(|scope| scope.spawn(|| bench.rejected()).join());
        Ok::<_, &'static str>(other.unwrap())
    };
    let rejected = bench.dependency.call(probe).unwrap();
    assert_eq!(rejected.rejected().unwrap().reason(), Reason::ProbesBusy);
    assert_eq!(rejected.last().map(|last| **last), Some("second"));
}

#[test]
fn on_recovery_the_error_is_cleared_and_dropped() {
    let bench = Bench::of(Policy::new().probe_successes(2));
    bench.fail("first");
    bench.fail("second");
    let weak = Arc::downgrade(&bench.dependency.last_error().unwrap());
    bench.past_the_deadline();
    bench.succeed();
    assert!(!is_gone(&weak), "one success is not enough");
    bench.succeed();
    assert!(is_gone(&weak));
    assert_eq!(bench.last(), None);
    bench.fail("third");
    assert_eq!(bench.last(), Some("third"), "while closed, of this period");
}

#[test]
fn an_err_that_is_a_success_recovers_too() {
    let bench = Bench::new();
    bench.fail("first");
    bench.fail("second");
    let weak = Arc::downgrade(&bench.dependency.last_error().unwrap());
    bench.past_the_deadline();
    let not_found = || Err::<(), _>("not found");
    bench
        .dependency
        .call_with(not_found, |_| Outcome::Success)
        .unwrap_err();
    assert!(is_gone(&weak));
}

#[test]
fn an_error_from_before_a_recovery_is_not_shown() {
    let bench = Bench::new();
    bench.fail("first");
    bench.fail("second");
    // By the operator, without this handle.
    bench.dependency.breaker().reset();
    assert_eq!(bench.last(), None);
    for _ in 0..2 {
        bench.dependency.breaker().try_acquire().unwrap().failure();
    }
    assert!(bench.rejected().last().is_none());
    bench.past_the_deadline();
    bench.fail("third");
    assert_eq!(bench.rejected().last().map(|last| **last), Some("third"));
    bench.past_the_deadline();
    let probe = bench.dependency.breaker().try_acquire().unwrap();
    assert_eq!(probe.record(Outcome::Success), Recorded::Recovered);
    assert_eq!(bench.last(), None);
}

#[test]
fn a_failure_after_its_period_is_not_stored() {
    let bench = Bench::new();
    let late = || {
        bench.fail("first");
        bench.fail("second");
        Err::<(), _>("late")
    };
    bench.dependency.call(late).unwrap_err();
    assert_eq!(bench.rejected().last().map(|last| **last), Some("second"));
    let later = || {
        bench.past_the_deadline();
        bench.succeed();
        bench.fail("of the next period");
        Err::<(), _>("later")
    };
    bench.past_the_deadline();
    bench.succeed();
    bench.fail("one");
    bench.succeed();
    let across = || {
        bench.fail("two");
        bench.fail("three");
        later()
    };
    bench.dependency.call(across).unwrap_err();
    assert_eq!(bench.last(), Some("of the next period"));
}

#[test]
fn an_operator_s_open_period_shows_only_errors_of_the_period_before_it() {
    let bench = Bench::new();
    bench.fail("first");
    bench.dependency.breaker().force_open();
    assert!(bench.rejected().last().is_none());
    bench.dependency.breaker().reset();
    bench.fail("second");
    bench.dependency.breaker().force_open_for(SECOND);
    assert_eq!(bench.rejected().last().map(|last| **last), Some("second"));
    bench.dependency.breaker().force_open_for(SECOND);
    assert!(bench.rejected().last().is_none());
}
