//! Counting and tripping: the calls that each trip counts, and when it trips.

use super::*;

#[test]
fn a_run_trips_at_the_nth_failure() {
    assert!(trips_on(Trip::consecutive(3)).reports("FFF"));
}

#[test]
fn a_success_breaks_a_run() {
    assert!(trips_on(Trip::consecutive(3)).reports("FFsFFF"));
}

#[test]
fn an_ignored_outcome_does_not_break_a_run() {
    assert!(trips_on(Trip::consecutive(3)).reports("FFiF"));
}

#[test]
fn failures_of_last_trip_at_the_kth() {
    assert!(trips_on(Trip::failures(3).of_last(5)).reports("FssFF"));
}

#[test]
fn a_failure_that_left_the_window_does_not_count() {
    assert!(trips_on(Trip::failures(3).of_last(5)).reports("FsssFsFF"));
    let bench = trips_on(Trip::failures(2).of_last(2));
    assert!(!bench.reports("FsFsFs"));
    assert!(bench.reports("FF"));
}

#[test]
fn a_percentage_that_is_just_reached_trips() {
    let half = Trip::percent(50).min_calls(4).of_last(10);
    assert!(trips_on(half).reports("sFsF"));
    let third = Trip::percent(33).min_calls(3).of_last(3);
    assert!(trips_on(third).reports("ssF"));
    let more = Trip::percent(34).min_calls(3).of_last(3);
    assert!(!trips_on(more).reports("ssF"));
}

#[test]
fn a_success_never_trips() {
    // The fourth call makes two of four, but is a success; the fifth makes three of five.
    let half = Trip::percent(50).min_calls(4).of_last(10);
    assert!(trips_on(half).reports("FFssF"), "3 of 5");
    assert!(!trips_on(half).reports("FFs"));
}

#[test]
fn no_percentage_is_judged_below_min_calls() {
    assert!(trips_on(Trip::percent(1).min_calls(5).of_last(10)).reports("FFFFF"));
}

#[test]
fn min_calls_is_the_window_by_default() {
    assert!(trips_on(Trip::percent(1).of_last(5)).reports("FFFFF"));
}

#[test]
fn a_count_of_failures_knows_no_minimum_of_calls() {
    assert!(trips_on(Trip::failures(1).of_last(45)).reports("F"));
}

#[test]
fn either_of_two_trips_in_either_order() {
    let run = Trip::consecutive(2);
    let window = Trip::failures(3).of_last(6);
    for trip in [run.or(window), window.or(run)] {
        assert!(trips_on(trip).reports("FF"));
        assert!(trips_on(trip).reports("FsFsF"));
    }
}

#[test]
fn a_run_may_be_longer_than_the_window_of_the_same_trip() {
    let trip = Trip::percent(100).of_last(2).or(Trip::consecutive(45));
    assert!(trips_on(trip).reports("FF"));
    let trip = Trip::consecutive(4).or(Trip::failures(2).of_last(2));
    assert!(trips_on(trip).reports("FF"));
    let trip = Trip::consecutive(1).or(Trip::percent(100).of_last(45));
    assert!(trips_on(trip).reports("F"));
}

#[test]
fn the_window_starts_empty_after_recovery() {
    let bench = trips_on(Trip::failures(2).of_last(5));
    let late = bench.acquire();
    assert!(bench.reports("FF"));
    assert_eq!(bench.wait().probe().record(Success), Recorded::Recovered);
    assert_eq!(bench.breaker.snapshot().calls, Some(0));
    assert_eq!(late.record(Failure), Recorded::Stale);
    assert!(!bench.reports("F"));
    assert!(bench.reports("F"));
}

#[test]
fn the_snapshot_counts_the_window_and_then_keeps_what_tripped() {
    let bench = trips_on(Trip::failures(3).of_last(4));
    assert!(!bench.reports("FsFs"));
    let counted = || {
        let snapshot = bench.breaker.snapshot();
        (snapshot.failures, snapshot.calls)
    };
    assert_eq!(counted(), (Some(2), Some(4)));
    // The first failure leaves the window; two failures stay.
    assert!(!bench.reports("F"));
    assert_eq!(counted(), (Some(2), Some(4)));
    assert!(bench.reports("F"));
    assert_eq!(counted(), (Some(3), Some(4)));
    bench.wait().probe().failure();
    assert_eq!(counted(), (Some(3), Some(4)), "a reopened one");
}

#[test]
fn the_tripping_call_gets_its_own_error() {
    let bench = trips_on(Trip::consecutive(1));
    let result = bench.breaker.call(|| Err::<(), _>("its own"));
    assert_eq!(result, Err(Error::Inner("its own")));
    assert_eq!(bench.state(), State::Open);
}
