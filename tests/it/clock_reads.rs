//! I18, counted: how often each path reads the clock, which is the largest cost of most paths.

use std::{
    convert::Infallible,
    task::{Context, Waker},
    time::Duration,
};

use cutout::{Breaker, OnDrop, Outcome, Policy, Recorded, State, Trip};

use crate::support::{Fixture, SECOND};

const POLICY: Policy = Policy::new()
    .trip(Trip::failures(2).of_last(4))
    .open_for(SECOND)
    .probe_lease(SECOND);

#[test]
fn admission_while_closed_reads_none() {
    let bench = Fixture::new(POLICY);
    let (reads, permit) = bench.reads(|breaker| breaker.try_acquire().unwrap());
    assert_eq!(reads, 0);
    permit.failure();
    let (reads, _permit) = bench.reads(|breaker| breaker.try_acquire().unwrap());
    assert_eq!(reads, 0, "also with failures in the window");
}

#[test]
fn a_success_while_closed_reads_none() {
    let bench = Fixture::new(POLICY);
    bench.breaker.try_acquire().unwrap().failure();
    for _ in 0..6 {
        let (reads, answer) = bench.reads(|breaker| breaker.call(|| Ok::<_, ()>(7)));
        assert_eq!((reads, answer), (0, Ok(7)));
    }
}

#[test]
fn an_ignored_outcome_reads_none() {
    for bench in [Fixture::new(POLICY), Fixture::past_the_deadline(POLICY)] {
        let permit = bench.breaker.try_acquire().unwrap();
        let (reads, recorded) = bench.reads(|_| permit.record(Outcome::Ignored));
        assert_eq!((reads, recorded), (0, Recorded::Unrecorded));
    }
}

#[test]
fn a_failure_reads_the_clock_once_to_trip_or_for_a_hint_and_else_never() {
    for (expected, outcome, reads) in [
        (Recorded::Applied, Outcome::Failure, 0),
        (Recorded::Applied, Outcome::FailureFor(SECOND), 1),
        (Recorded::Tripped, Outcome::Failure, 1),
        (Recorded::Tripped, Outcome::FailureFor(SECOND), 1),
    ] {
        let bench = Fixture::new(POLICY);
        if expected == Recorded::Tripped {
            bench.breaker.try_acquire().unwrap().failure();
        }
        let permit = bench.breaker.try_acquire().unwrap();
        let recorded = bench.reads(|_| permit.record(outcome));
        assert_eq!(recorded, (reads, expected), "{outcome:?}");
    }
}

#[test]
fn a_failure_of_another_period_or_of_a_disabled_breaker_reads_none() {
    let bench = Fixture::new(POLICY);
    let permit = bench.breaker.try_acquire().unwrap();
    bench.breaker.disable();
    let (reads, recorded) = bench.reads(|_| permit.record(Outcome::Failure));
    assert_eq!((reads, recorded), (0, Recorded::Stale));
    let permit = bench.breaker.try_acquire().unwrap();
    let (reads, recorded) = bench.reads(|_| permit.record(Outcome::Failure));
    assert_eq!((reads, recorded), (0, Recorded::Unrecorded));
}

#[test]
fn a_failure_in_an_external_window_reads_one() {
    for trip in [
        Trip::failures(3).of_last(100),
        Trip::failures(3).within(SECOND),
        Trip::percent(50).min_calls(9).within(SECOND),
    ] {
        let bench = Fixture::new(POLICY.trip(trip));
        let permit = bench.breaker.try_acquire().unwrap();
        let (reads, recorded) = bench.reads(|_| permit.record(Outcome::Failure));
        assert_eq!((reads, recorded), (1, Recorded::Applied));
    }
}

#[test]
fn a_failed_probe_reads_one() {
    let bench = Fixture::past_the_deadline(POLICY);
    let permit = bench.breaker.try_acquire().unwrap();
    let (reads, recorded) = bench.reads(|_| permit.record(Outcome::Failure));
    assert_eq!((reads, recorded), (1, Recorded::Reopened));
}

#[test]
fn admission_of_a_probe_reads_one() {
    let bench = Fixture::past_the_deadline(POLICY.probes(2));
    for _ in 0..2 {
        let (reads, permit) = bench.reads(|breaker| breaker.try_acquire().unwrap());
        assert_eq!((reads, permit.is_probe()), (1, true));
        std::mem::forget(permit);
    }
}

#[test]
fn a_rejection_reads_one() {
    let bench = Fixture::new(POLICY);
    bench.breaker.force_open_for(SECOND);
    let (reads, open) = bench.reads(Breaker::try_acquire);
    assert_eq!((reads, open.is_err()), (1, true));

    bench.clock.advance(SECOND);
    let probe = bench.breaker.try_acquire().unwrap();
    let (reads, busy) = bench.reads(Breaker::try_acquire);
    assert_eq!((reads, busy.is_err()), (1, true));

    bench.clock.advance(2 * SECOND);
    let (reads, lease_over) = bench.reads(Breaker::try_acquire);
    assert_eq!((reads, lease_over.is_err()), (1, true));
    assert_eq!(bench.breaker.snapshot().reopens, 1);
    probe.success();
}

#[test]
fn a_success_of_a_probe_reads_one_whether_it_recovers_or_not() {
    let bench = Fixture::past_the_deadline(POLICY.probe_successes(2));
    for expected in [Recorded::Applied, Recorded::Recovered] {
        let permit = bench.breaker.try_acquire().unwrap();
        let (reads, recorded) = bench.reads(|_| permit.record(Outcome::Success));
        assert_eq!((reads, recorded), (1, expected));
    }
}

#[test]
fn a_slow_call_limit_costs_two_a_call() {
    for outcome in [
        Outcome::Success,
        Outcome::Failure,
        Outcome::FailureFor(SECOND),
        Outcome::Ignored,
    ] {
        let bench = Fixture::new(POLICY.slow_call(SECOND));
        let call = |breaker: &Breaker| breaker.try_acquire().unwrap().record(outcome);
        let (reads, _) = bench.reads(call);
        assert_eq!(reads, 2, "{outcome:?}");
        let (reads, ()) = bench.reads(|breaker| {
            let permit = breaker.try_acquire().unwrap();
            bench.clock.advance(SECOND);
            permit.record(outcome);
        });
        assert_eq!(reads, 2, "{outcome:?} late");
    }
}

#[test]
fn a_slow_call_limit_costs_a_failing_probe_two() {
    let bench = Fixture::past_the_deadline(POLICY.slow_call(SECOND));
    let (reads, recorded) = bench.reads(|breaker| {
        let permit = breaker.try_acquire().unwrap();
        permit.record(Outcome::Failure)
    });
    assert_eq!((reads, recorded), (2, Recorded::Reopened));
}

#[test]
fn a_drop_reads_none_while_closed_unless_it_trips_and_one_of_a_probe_reads_one() {
    for on_drop in [OnDrop::FailProbe, OnDrop::Ignore, OnDrop::Failure] {
        let bench = Fixture::new(POLICY.on_drop(on_drop));
        let permit = bench.breaker.try_acquire().unwrap();
        assert_eq!(bench.reads(|_| drop(permit)).0, 0, "{on_drop:?}");
    }
    let bench = Fixture::new(POLICY.on_drop(OnDrop::Failure));
    bench.breaker.try_acquire().unwrap().failure();
    let permit = bench.breaker.try_acquire().unwrap();
    assert_eq!(bench.reads(|_| drop(permit)).0, 1);
    let bench = Fixture::past_the_deadline(POLICY);
    let permit = bench.breaker.try_acquire().unwrap();
    assert_eq!(bench.reads(|_| drop(permit)).0, 1);
}

#[test]
fn failure_after_costs_two_a_call_that_is_dropped() {
    for held in [Duration::ZERO, SECOND] {
        let bench = Fixture::new(POLICY.on_drop(OnDrop::FailureAfter(SECOND)));
        let (reads, ()) = bench.reads(|breaker| {
            let permit = breaker.try_acquire().unwrap();
            bench.clock.advance(held);
            drop(permit);
        });
        assert_eq!(reads, 2, "held for {held:?}");
    }
}

#[test]
fn a_future_that_is_never_polled_reads_none() {
    let bench = Fixture::past_the_deadline(POLICY.slow_call(SECOND));
    let answer = async { Ok::<_, Infallible>(7) };
    let (reads, call) = bench.reads(|breaker| Box::pin(breaker.call_async(answer)));
    assert_eq!(reads, 0);
    assert_eq!(bench.reads(|_| drop(call)).0, 0);
}

#[test]
fn a_future_reads_the_clock_as_often_as_a_call() {
    let bench = Fixture::new(POLICY.slow_call(SECOND));
    let (reads, ()) = bench.reads(|breaker| {
        let mut call = Box::pin(breaker.call_async(async {
            for _ in 0..9 {
                smol::future::yield_now().await;
            }
            Ok::<_, Infallible>(7)
        }));
        let mut context = Context::from_waker(Waker::noop());
        while call.as_mut().poll(&mut context).is_pending() {}
    });
    assert_eq!(reads, 2);
}

#[test]
fn an_operator_command_reads_one() {
    let commands: [fn(&Breaker) -> State; 5] = [
        |breaker| breaker.force_open_for(SECOND),
        Breaker::force_open,
        Breaker::resume,
        Breaker::disable,
        Breaker::reset,
    ];
    let bench = Fixture::new(POLICY);
    for command in commands {
        let generation = bench.breaker.snapshot().generation;
        assert_eq!(bench.reads(command).0, 1);
        assert_eq!(bench.breaker.snapshot().generation, generation + 1);
    }
}

#[test]
fn accessors_read_no_clock_while_closed_and_one_while_open() {
    let bench = Fixture::new(POLICY);
    assert_eq!(bench.reads(Breaker::state), (0, State::Closed));
    assert_eq!(bench.reads(Breaker::peek), (0, Ok(())));
    bench.breaker.force_open_for(SECOND);
    assert_eq!(bench.reads(Breaker::state), (1, State::Open));
    assert_eq!(bench.reads(Breaker::peek).0, 1);
    assert_eq!(bench.reads(Breaker::snapshot).0, 1);
}
