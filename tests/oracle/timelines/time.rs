//! Clocks that wrap, leap and step back, and how often the breaker reads them.

use super::*;

#[test]
fn a_deadline_that_wraps_is_kept() {
    let wrap = (1 << 40) * 250_000;
    for before in [250_000, 1_000_000, 9_999_000_000, 10_000_000_000] {
        let bench = Bench::at(wrap - before, touchy());
        bench.report(Failure);
        assert_eq!(bench.after(10 * SEC - MS).state(), State::Open);
        assert_eq!(bench.after(MS).state(), State::HalfOpen);
    }
}

#[test]
fn a_lease_end_that_wraps_is_kept() {
    let wrap = (1 << 28) * 4_000_000;
    let bench = Bench::at(wrap - 11_000_000_000, touchy().probe_lease(2 * SEC));
    bench.report(Failure);
    let _probe = bench.wait().probe();
    bench.after(2 * SEC - 4 * MS);
    assert_eq!(bench.rejected().reason(), Reason::ProbesBusy);
    assert_eq!(bench.after(4 * MS).rejected().reason(), Reason::Open);
}

#[test]
fn a_clock_that_leaps_or_wraps_ends_the_period() {
    let bench = Bench::at(u64::MAX, touchy());
    bench.report(Failure);
    assert_eq!(bench.state(), State::Open);
    bench.after(MS);
    assert_eq!(bench.state(), State::HalfOpen);
    let bench = Bench::at(0, touchy());
    bench.report(Failure);
    bench.clock.set(u64::MAX);
    assert_eq!(bench.state(), State::HalfOpen);
}

#[test]
fn a_clock_that_steps_back_costs_at_most_an_interval_and_a_second() {
    let bench = Bench::tripped(touchy());
    bench.clock.step_back(SEC);
    assert_eq!(bench.retry_after(), Some(11 * SEC));
    bench.clock.step_back(MS);
    assert_eq!(bench.state(), State::HalfOpen);
}

#[test]
fn the_longest_interval_is_that_of_the_reopen_count_with_full_jitter() {
    let backoff = Backoff::exponential(SEC, 2, 60 * SEC).jitter(50);
    let bench = Bench::tripped(backing_off(backoff));
    bench.wait().probe().failure();
    // 2 s, half of that as jitter, and a second of slack.
    bench
        .clock
        .step_back(4 * SEC - bench.retry_after().unwrap());
    assert_eq!(bench.retry_after(), Some(4 * SEC));
    bench.clock.step_back(MS);
    assert_eq!(bench.state(), State::HalfOpen);
}

#[test]
fn a_given_length_may_be_30_days_and_that_of_a_hint_an_hour_and_a_second() {
    for (by_hint, longest) in [(true, HOUR), (false, 30 * DAY)] {
        let bench = Bench::new(touchy());
        bench.clock.set(50 * 24 * 3_600 * 1_000_000_000);
        if by_hint {
            bench.report(FailureFor(11 * SEC));
        } else {
            bench.breaker.force_open_for(11 * SEC);
        }
        bench.clock.step_back(longest - 10 * SEC);
        assert_eq!(bench.retry_after(), Some(longest + SEC));
        bench.clock.step_back(MS);
        assert_eq!(bench.state(), State::HalfOpen);
    }
}

#[test]
fn a_hint_that_is_too_short_gives_no_length() {
    let bench = Bench::new(touchy());
    bench.report(FailureFor(9 * SEC));
    bench.clock.step_back(SEC + MS);
    assert_eq!(bench.state(), State::HalfOpen);
}

#[test]
fn a_lease_of_a_clock_that_stepped_back_too_far_is_over() {
    let bench = Bench::tripped(touchy().probe_lease(2 * SEC));
    let _probe = bench.wait().probe();
    bench.clock.step_back(SEC);
    assert_eq!(bench.rejected().reason(), Reason::ProbesBusy);
    bench.clock.step_back(8 * MS);
    assert_eq!(bench.rejected().reason(), Reason::Open);
}

#[test]
fn a_call_during_which_the_clock_stepped_back_is_not_slow() {
    let bench = Bench::new(touchy().slow_call(SEC));
    let permit = bench.acquire();
    bench.clock.step_back(5 * SEC);
    assert_eq!(permit.record(Success), Recorded::Applied);
}

#[test]
fn the_time_since_a_transition_at_tick_zero_is_known() {
    for lap in [0, 1] {
        let bench = Bench::at(lap * (1 << 40) * 250_000, touchy());
        assert_eq!(bench.breaker.snapshot().since, None, "no transition yet");
        bench.report(Failure);
        bench.after(5 * MS);
        assert_eq!(bench.breaker.snapshot().since, Some(5 * MS));
    }
}

/// A clock that counts its readings.
#[derive(Default)]
struct Counting(AtomicU32);

impl Clock for Counting {
    fn now(&self) -> u64 {
        u64::from(self.0.fetch_add(1, Ordering::SeqCst)) * 1_000
    }
}

#[test]
fn the_clock_is_read_by_a_failure_and_not_by_a_healthy_call() {
    let clock = Arc::new(Counting::default());
    let breaker = Breaker::builder()
        .trip(Trip::consecutive(3))
        .open_for(10 * MS)
        .build()
        .with_shared_clock(clock.clone());
    let readings = || clock.0.swap(0, Ordering::SeqCst);
    breaker.try_acquire().unwrap().success();
    assert_eq!(readings(), 0, "admission and success");
    breaker.try_acquire().unwrap().ignore();
    assert_eq!(readings(), 0, "ignored");
    breaker.try_acquire().unwrap().failure();
    assert_eq!(readings(), 1, "failure");
    breaker.try_acquire().unwrap().success();
    assert_eq!(readings(), 0, "success after a failure");
    breaker.force_open();
    breaker.resume();
    readings();
    let probe = breaker.try_acquire().unwrap();
    assert_eq!(readings(), 1, "probe");
    probe.success();
    assert_eq!(readings(), 1, "recovery");
}
