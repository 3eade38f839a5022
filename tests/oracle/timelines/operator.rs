//! Operator actions.

use super::*;

#[test]
fn force_open_holds_against_time_and_late_outcomes() {
    let bench = tripped(touchy());
    let probe = bench.wait().probe();
    assert_eq!(bench.breaker.force_open(), State::HalfOpen);
    assert_eq!(probe.record(Success), Recorded::Stale);
    bench.after(40 * DAY);
    let rejected = bench.rejected();
    assert_eq!(rejected.reason(), Reason::ForcedOpen);
    assert_eq!(rejected.retry_after(), None);
    assert_eq!(rejected.generation(), 3);
    assert_eq!(bench.state(), State::ForcedOpen);
}

#[test]
fn disable_admits_all_calls_and_records_none() {
    let bench = tripped(touchy());
    assert_eq!(bench.breaker.disable(), State::Open);
    for _ in 0..100 {
        let permit = bench.acquire();
        assert!(!permit.is_probe());
        assert_eq!(permit.generation(), 2);
        assert_eq!(permit.record(Failure), Recorded::Unrecorded);
    }
    assert_eq!(bench.state(), State::Disabled);
}

#[test]
fn resume_after_force_open_makes_the_next_call_the_probe() {
    let bench = bench(touchy());
    bench.breaker.force_open();
    assert_eq!(bench.breaker.resume(), State::ForcedOpen);
    assert_eq!(bench.recorded(), State::Open);
    assert_eq!(bench.state(), State::HalfOpen);
    assert_eq!(bench.probe().record(Success), Recorded::Recovered);
}

#[test]
fn resume_after_disable_closes_fresh() {
    let bench = trips_on(Trip::consecutive(2));
    bench.reports("F");
    bench.breaker.disable();
    assert_eq!(bench.breaker.resume(), State::Disabled);
    assert_eq!(bench.recorded(), State::Closed);
    assert!(!bench.reports("F"));
    assert!(bench.reports("F"));
}

#[test]
fn reset_closes_fresh_from_anywhere() {
    let bench = tripped(touchy());
    assert_eq!(bench.breaker.reset(), State::Open);
    assert_eq!(bench.recorded(), State::Closed);
    bench.breaker.force_open();
    assert_eq!(bench.breaker.reset(), State::ForcedOpen);
    bench.breaker.disable();
    assert_eq!(bench.breaker.reset(), State::Disabled);
    assert_eq!(bench.breaker.reset(), State::Closed);
    assert_eq!(bench.acquire().record(Success), Recorded::Applied);
}

#[test]
fn force_open_for_is_an_ordinary_open_period_with_no_reopens() {
    let bench = tripped(touchy());
    bench.wait().probe().failure();
    assert_eq!(bench.breaker.snapshot().reopens, 1);
    assert_eq!(bench.breaker.force_open_for(3 * SECOND), State::Open);
    assert_eq!(bench.breaker.snapshot().reopens, 0);
    assert_eq!(
        bench.after(3 * SECOND - MS).rejected().reason(),
        Reason::Open
    );
    assert_eq!(bench.after(MS).probe().record(Success), Recorded::Recovered);
}

#[test]
fn force_open_for_is_rounded_up_and_clamped() {
    let bench = bench(touchy());
    for (asked, opens) in [
        (Duration::ZERO, 10 * MS),
        (9 * MS, 10 * MS),
        (11 * MS, 11 * MS),
        (11 * MS + Duration::from_nanos(1), 12 * MS),
        (30 * DAY, 30 * DAY),
        (30 * DAY + MS, 30 * DAY),
        (Duration::MAX, 30 * DAY),
    ] {
        bench.breaker.force_open_for(asked);
        assert_eq!(bench.retry_after(), Some(opens), "{asked:?}");
    }
}

#[test]
fn every_operator_action_is_a_transition_except_three_without_effect() {
    let bench = bench(touchy());
    let breaker = &bench.breaker;
    let raises = |command: &dyn Fn() -> State| {
        let before = breaker.snapshot().generation;
        command();
        breaker.snapshot().generation - before
    };
    assert_eq!(raises(&|| breaker.resume()), 0, "not held");
    assert_eq!(raises(&|| breaker.reset()), 1);
    assert_eq!(raises(&|| breaker.reset()), 1);
    assert_eq!(raises(&|| breaker.force_open_for(SECOND)), 1);
    assert_eq!(raises(&|| breaker.force_open_for(SECOND)), 1);
    assert_eq!(raises(&|| breaker.resume()), 0, "an ordinary open period");
    assert_eq!(raises(&|| breaker.force_open()), 1);
    assert_eq!(raises(&|| breaker.force_open()), 0, "forced already");
    assert_eq!(raises(&|| breaker.disable()), 1);
    assert_eq!(raises(&|| breaker.disable()), 0, "disabled already");
    assert_eq!(raises(&|| breaker.force_open()), 1);
    assert_eq!(raises(&|| breaker.resume()), 1);
}

#[test]
fn the_commands_return_the_state_as_recorded() {
    let bench = tripped(touchy());
    assert_eq!(bench.wait().state(), State::HalfOpen);
    assert_eq!(bench.breaker.resume(), State::Open);
    assert_eq!(bench.breaker.disable(), State::Open);
}

#[test]
fn an_open_period_that_an_operator_began_shows_no_trip_counts() {
    let bench = tripped(touchy());
    bench.breaker.force_open_for(SECOND);
    assert_eq!(bench.breaker.snapshot().failures, None, "after a trip");
    let _probe = bench.wait().probe();
    assert_eq!(bench.breaker.snapshot().failures, None, "half-open");
    bench.breaker.force_open();
    bench.breaker.resume();
    assert_eq!(bench.breaker.snapshot().failures, None, "after a resume");
}
