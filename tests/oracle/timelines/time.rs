//! Clocks that wrap, leap and step back, and how often the breaker reads them.

use super::*;

#[test]
fn a_deadline_that_wraps_is_kept() {
    let wrap = (1 << 40) * 250_000;
    for before in [250_000, 1_000_000, 9_999_000_000, 10_000_000_000] {
        let bench = Fixture::at(wrap - before, touchy());
        bench.report(Failure);
        assert_eq!(bench.after(10 * SECOND - MS).state(), State::Open);
        assert_eq!(bench.after(MS).state(), State::HalfOpen);
    }
}

#[test]
fn a_lease_end_that_wraps_is_kept() {
    let wrap = (1 << 28) * 4_000_000;
    let bench = Fixture::at(wrap - 11_000_000_000, touchy().probe_lease(2 * SECOND));
    bench.report(Failure);
    let _probe = bench.wait().probe();
    bench.after(2 * SECOND - 4 * MS);
    assert_eq!(bench.rejected().reason(), Reason::ProbesBusy);
    assert_eq!(bench.after(4 * MS).rejected().reason(), Reason::Open);
}

#[test]
fn a_clock_that_leaps_or_wraps_ends_the_period() {
    let bench = Fixture::at(u64::MAX, touchy());
    bench.report(Failure);
    assert_eq!(bench.state(), State::Open);
    bench.after(MS);
    assert_eq!(bench.state(), State::HalfOpen);
    let bench = Fixture::at(0, touchy());
    bench.report(Failure);
    bench.clock.set(u64::MAX);
    assert_eq!(bench.state(), State::HalfOpen);
}

#[test]
fn a_clock_that_steps_back_costs_at_most_an_interval_and_a_second() {
    let bench = tripped(touchy());
    bench.clock.step_back(SECOND);
    assert_eq!(bench.retry_after(), Some(11 * SECOND));
    bench.clock.step_back(MS);
    assert_eq!(bench.state(), State::HalfOpen);
}

#[test]
fn the_longest_interval_is_that_of_the_reopen_count_with_full_jitter() {
    let backoff = Backoff::exponential(SECOND, 2, 60 * SECOND).jitter(50);
    let bench = tripped(backing_off(backoff));
    bench.wait().probe().failure();
    // 2 s, half of that as jitter, and a second of slack.
    bench
        .clock
        .step_back(4 * SECOND - bench.retry_after().unwrap());
    assert_eq!(bench.retry_after(), Some(4 * SECOND));
    bench.clock.step_back(MS);
    assert_eq!(bench.state(), State::HalfOpen);
}

#[test]
fn a_given_length_may_be_30_days_and_that_of_a_hint_an_hour_and_a_second() {
    for (by_hint, longest) in [(true, HOUR), (false, 30 * DAY)] {
        let bench = bench(touchy());
        bench.clock.set(50 * 24 * 3_600 * 1_000_000_000);
        if by_hint {
            bench.report(FailureFor(11 * SECOND));
        } else {
            bench.breaker.force_open_for(11 * SECOND);
        }
        bench.clock.step_back(longest - 10 * SECOND);
        assert_eq!(bench.retry_after(), Some(longest + SECOND));
        bench.clock.step_back(MS);
        assert_eq!(bench.state(), State::HalfOpen);
    }
}

#[test]
fn a_hint_that_is_too_short_gives_no_length() {
    let bench = bench(touchy());
    bench.report(FailureFor(9 * SECOND));
    bench.clock.step_back(SECOND + MS);
    assert_eq!(bench.state(), State::HalfOpen);
}

#[test]
fn a_lease_of_a_clock_that_stepped_back_too_far_is_over() {
    let bench = tripped(touchy().probe_lease(2 * SECOND));
    let _probe = bench.wait().probe();
    bench.clock.step_back(SECOND);
    assert_eq!(bench.rejected().reason(), Reason::ProbesBusy);
    bench.clock.step_back(8 * MS);
    assert_eq!(bench.rejected().reason(), Reason::Open);
}

#[test]
fn a_call_during_which_the_clock_stepped_back_is_not_slow() {
    let bench = bench(touchy().slow_call(SECOND));
    let permit = bench.acquire();
    bench.clock.step_back(5 * SECOND);
    assert_eq!(permit.record(Success), Recorded::Applied);
}

#[test]
fn the_time_since_a_transition_at_tick_zero_is_known() {
    for lap in [0, 1] {
        let bench = Fixture::at(lap * (1 << 40) * 250_000, touchy());
        assert_eq!(bench.breaker.snapshot().since, None, "no transition yet");
        bench.report(Failure);
        bench.after(5 * MS);
        assert_eq!(bench.breaker.snapshot().since, Some(5 * MS));
    }
}

#[test]
fn the_clock_is_read_by_a_failure_that_trips_and_by_no_other_call_of_a_closed_breaker() {
    let bench = trips_on(Trip::consecutive(2));
    let reads = |outcome| bench.reads(|_| bench.report(outcome)).0;
    assert_eq!(reads(Success), 0, "admission and success");
    assert_eq!(reads(Ignored), 0, "ignored");
    assert_eq!(reads(Failure), 0, "failure");
    assert_eq!(reads(Success), 0, "success after a failure");
    assert_eq!(reads(Failure), 0, "failure");
    assert_eq!(reads(Failure), 1, "trip");
    bench.breaker.force_open();
    bench.breaker.resume();
    let (reads, probe) = bench.reads(|_| bench.probe());
    assert_eq!(reads, 1, "probe");
    assert_eq!(bench.reads(|_| probe.success()).0, 1, "recovery");
}
