//! Length of an open period, and what happens at its end.

use super::*;

#[test]
fn at_the_deadline_a_call_is_admitted_and_a_nanosecond_before_its_length_none() {
    for offset in [0, 1, 249_999, 250_000, 999_999] {
        let bench = Fixture::at(5_000_000_000 + offset, touchy());
        bench.report(Failure);
        let nanosecond = Duration::from_nanos(1);
        assert_eq!(bench.after(10 * SECOND - nanosecond).state(), State::Open);
        assert_eq!(bench.rejected().retry_after(), Some(MS / 4));
        let into_tick = offset % 250_000;
        let late = if into_tick == 0 {
            0
        } else {
            250_000 - into_tick
        };
        bench.after(nanosecond + Duration::from_nanos(late));
        assert_eq!(bench.state(), State::HalfOpen);
        assert!(bench.acquire().is_probe());
    }
}

#[test]
fn a_rejection_carries_reason_remaining_time_generation_and_name() {
    let bench = tripped(touchy().name("dependency"));
    let rejected = bench.after(2 * SECOND).rejected();
    assert_eq!(rejected.reason(), Reason::Open);
    assert_eq!(rejected.retry_after(), Some(8 * SECOND));
    assert_eq!(bench.after(MS).rejected().retry_after_secs(), Some(8));
    assert_eq!(rejected.generation(), 1);
    assert_eq!(rejected.name(), Some("dependency"));
}

#[test]
fn reading_past_the_deadline_makes_no_transition() {
    let bench = tripped(touchy());
    bench.wait();
    for _ in 0..3 {
        assert_eq!(bench.state(), State::HalfOpen);
        assert_eq!(bench.breaker.peek(), Ok(()));
        let snapshot = bench.breaker.snapshot();
        assert_eq!(snapshot.state, State::HalfOpen);
        assert_eq!(snapshot.stored_state, State::Open);
        assert_eq!((snapshot.generation, snapshot.probes_in_flight), (1, 0));
    }
}

#[test]
fn the_call_that_finds_the_deadline_past_takes_the_probe() {
    let bench = tripped(touchy());
    let probe = bench.wait().probe();
    assert_eq!(probe.generation(), 2);
    let snapshot = bench.breaker.snapshot();
    assert_eq!(snapshot.stored_state, State::HalfOpen);
    assert_eq!(snapshot.probes_in_flight, 1);
}

#[test]
fn the_interval_grows_with_each_reopen_up_to_the_cap_and_starts_over_on_recovery() {
    let backoff = Backoff::exponential(SECOND, 3, 20 * SECOND);
    let bench = tripped(backing_off(backoff));
    for (reopens, secs) in [(0, 1), (1, 3), (2, 9), (3, 20), (4, 20)] {
        assert_eq!(bench.breaker.snapshot().reopens, reopens);
        assert_eq!(bench.retry_after(), Some(secs * SECOND));
        bench.wait().probe().failure();
    }
    bench.wait().probe().success();
    assert_eq!(bench.breaker.snapshot().reopens, 0);
    bench.report(Failure);
    assert_eq!(bench.retry_after(), Some(SECOND));
}

#[test]
fn reopens_are_counted_to_30() {
    let bench = tripped(touchy());
    for reopens in 1..40 {
        bench.wait().probe().failure();
        assert_eq!(bench.breaker.snapshot().reopens, reopens.min(30));
        assert_eq!(bench.retry_after(), Some(10 * SECOND));
    }
}

#[test]
fn jitter_is_added_after_the_cap_and_a_seed_fixes_it() {
    let lengths = |seed, nanos| -> Vec<Duration> {
        let backoff = Backoff::exponential(SECOND, 2, 4 * SECOND)
            .jitter(50)
            .seed(seed);
        let bench = Fixture::at(nanos, backing_off(backoff));
        bench.report(Failure);
        let mut lengths = Vec::new();
        for interval in [1, 2, 4, 4, 4, 4] {
            let length = bench.retry_after().unwrap();
            assert!(length >= interval * SECOND, "{length:?}");
            assert!(length <= interval * 3 * SECOND / 2, "{length:?}");
            lengths.push(length);
            bench.wait().probe().failure();
        }
        lengths
    };
    assert_eq!(lengths(1, 5_000), lengths(1, 5_000));
    assert_ne!(lengths(1, 5_000), lengths(2, 5_000));
    assert_ne!(lengths(1, 5_000), lengths(1, 5_000_000_000));
    assert!(
        lengths(3, 0)[2..].iter().any(|length| *length > 4 * SECOND),
        "some jitter is more than none"
    );
}

#[test]
fn failure_for_beats_the_policys_interval_if_longer() {
    let bench = bench(touchy());
    assert_eq!(bench.report(FailureFor(11 * SECOND)), Recorded::Tripped);
    assert_eq!(bench.retry_after(), Some(11 * SECOND));
    bench.wait().probe().record(FailureFor(9 * SECOND));
    assert_eq!(bench.retry_after(), Some(10 * SECOND));
    bench.wait().probe().record(FailureFor(Duration::ZERO));
    assert_eq!(bench.retry_after(), Some(10 * SECOND));
    bench.wait().probe().record(FailureFor(HOUR));
    assert_eq!(bench.retry_after(), Some(HOUR));
}

#[test]
fn failure_for_is_capped_at_an_hour() {
    for hint in [HOUR + MS, DAY, Duration::MAX] {
        let bench = bench(touchy());
        bench.report(FailureFor(hint));
        assert_eq!(bench.retry_after(), Some(HOUR));
    }
}

#[test]
fn an_interval_above_an_hour_is_not_shortened_by_a_hint() {
    let bench = bench(backing_off(Backoff::constant(2 * HOUR)));
    bench.report(FailureFor(Duration::MAX));
    assert_eq!(bench.retry_after(), Some(2 * HOUR));
}

#[test]
fn failure_for_that_does_not_trip_is_remembered_until_it_ends() {
    let bench = trips_on(Trip::consecutive(2));
    assert_eq!(bench.report(FailureFor(HOUR)), Recorded::Applied);
    bench.after(HOUR - 20 * SECOND);
    assert_eq!(bench.report(Failure), Recorded::Tripped);
    assert_eq!(bench.retry_after(), Some(20 * SECOND));
}

#[test]
fn no_outcome_moves_the_deadline() {
    let bench = bench(touchy());
    let late: Vec<Permit<'_>> = (0..3).map(|_| bench.acquire()).collect();
    bench.report(Failure);
    bench.after(SECOND);
    for (permit, outcome) in late.into_iter().zip([Failure, Success, FailureFor(HOUR)]) {
        assert_eq!(permit.record(outcome), Recorded::Stale);
    }
    assert_eq!(bench.retry_after(), Some(9 * SECOND));
}
