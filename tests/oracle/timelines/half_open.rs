//! Probes, their slots and their lease.

use super::*;

#[test]
fn at_most_the_allowed_probes_are_in_flight_and_other_calls_are_rejected_at_once() {
    let bench = tripped(touchy().probes(3));
    bench.wait();
    let _probes: Vec<Permit<'_>> = (0..3).map(|_| bench.probe()).collect();
    let rejected = bench.rejected();
    assert_eq!(rejected.reason(), Reason::ProbesBusy);
    // The policy's first interval, because the lease lasts longer.
    assert_eq!(rejected.retry_after(), Some(10 * SECOND));
    assert_eq!(rejected.generation(), 2);
    assert_eq!(bench.breaker.peek(), Err(rejected));
}

#[test]
fn one_probe_and_one_success_are_the_default() {
    let bench = tripped(touchy());
    let probe = bench.wait().probe();
    assert_eq!(bench.rejected().reason(), Reason::ProbesBusy);
    assert_eq!(probe.record(Success), Recorded::Recovered);
    assert_eq!(bench.recorded(), State::Closed);
}

#[test]
fn probe_successes_recover() {
    let bench = tripped(touchy().probes(2).probe_successes(3));
    bench.wait();
    let (one, two) = (bench.probe(), bench.probe());
    assert_eq!(one.record(Success), Recorded::Applied);
    assert_eq!(two.record(Success), Recorded::Applied);
    assert_eq!(bench.breaker.snapshot().probes_in_flight, 0);
    assert_eq!(bench.probe().record(Success), Recorded::Recovered);
}

#[test]
fn one_failure_reopens_and_outdates_the_other_probes() {
    let bench = tripped(touchy().probes(3).probe_successes(2));
    bench.wait();
    let (one, two, three) = (bench.probe(), bench.probe(), bench.probe());
    assert_eq!(one.record(Success), Recorded::Applied);
    assert_eq!(two.record(Failure), Recorded::Reopened);
    assert_eq!(three.record(Success), Recorded::Stale);
    assert_eq!(bench.breaker.snapshot().reopens, 1);
    assert_eq!(bench.retry_after(), Some(10 * SECOND));
}

#[test]
fn successes_of_an_earlier_half_open_period_do_not_count() {
    let bench = tripped(touchy().probe_successes(2));
    bench.wait().probe().success();
    bench.probe().failure();
    bench.wait().probe().success();
    assert_eq!(bench.recorded(), State::HalfOpen);
    bench.probe().success();
    assert_eq!(bench.recorded(), State::Closed);
}

#[test]
fn an_ignored_probe_releases_its_slot_and_decides_nothing() {
    let bench = tripped(touchy());
    bench.wait();
    for _ in 0..100 {
        assert_eq!(bench.probe().record(Ignored), Recorded::Unrecorded);
        assert_eq!(bench.recorded(), State::HalfOpen);
        assert_eq!(bench.breaker.snapshot().probes_in_flight, 0);
    }
    assert_eq!(bench.probe().record(Success), Recorded::Recovered);
}

#[test]
fn the_call_that_sees_the_lease_expired_reopens_the_breaker_and_is_rejected() {
    let bench = tripped(touchy().probe_lease(2 * SECOND));
    let probe = bench.wait().probe();
    bench.after(2 * SECOND - 4 * MS);
    assert_eq!(bench.rejected().reason(), Reason::ProbesBusy);
    bench.after(4 * MS);
    assert_eq!(bench.breaker.peek(), Ok(()));
    assert_eq!(bench.state(), State::HalfOpen);
    let rejected = bench.rejected();
    assert_eq!(rejected.reason(), Reason::Open);
    assert_eq!(rejected.retry_after(), Some(10 * SECOND), "from its now");
    assert_eq!(rejected.generation(), 3);
    assert_eq!(bench.breaker.snapshot().reopens, 1);
    assert_eq!(probe.record(Success), Recorded::Stale);
}

#[test]
fn a_late_probe_counts_until_a_call_finds_its_lease_expired() {
    let bench = tripped(touchy().probe_lease(2 * SECOND));
    let probe = bench.wait().probe();
    bench.after(HOUR);
    assert_eq!(probe.record(Success), Recorded::Recovered);
}

#[test]
fn a_lease_counts_from_the_last_slot_taken() {
    let bench = tripped(touchy().probes(2).probe_lease(2 * SECOND));
    let _one = bench.wait().probe();
    let _two = bench.after(SECOND).probe();
    bench.after(2 * SECOND - 4 * MS);
    assert_eq!(bench.rejected().reason(), Reason::ProbesBusy);
    assert_eq!(bench.after(4 * MS).rejected().reason(), Reason::Open);
}

#[test]
fn a_free_slot_is_taken_after_the_lease_ended() {
    let bench = tripped(touchy().probes(2).probe_lease(2 * SECOND));
    let _one = bench.wait().probe();
    let _two = bench.after(HOUR).probe();
    assert_eq!(bench.rejected().reason(), Reason::ProbesBusy);
}

#[test]
fn a_lease_is_rounded_up_to_4_ms() {
    // `Fixture::new` sets the clock to the start of a lease tick, which is 4 ms.
    let bench = Fixture::at(8_000_000_000, touchy().probe_lease(17 * MS));
    bench.report(Failure);
    let _probe = bench.wait().probe();
    assert_eq!(bench.after(19 * MS).rejected().reason(), Reason::ProbesBusy);
    assert_eq!(bench.after(MS).rejected().reason(), Reason::Open);
}

#[test]
fn a_lease_end_never_moves_back() {
    let bench = tripped(touchy().probes(2).probe_lease(2 * SECOND));
    let _one = bench.wait().probe();
    bench.clock.step_back(900 * MS);
    let _two = bench.probe();
    // 2.9 s remain until the first end; the second probe alone would have a lease of 2 s.
    bench.after(2_896 * MS);
    assert_eq!(bench.rejected().reason(), Reason::ProbesBusy);
    assert_eq!(bench.after(4 * MS).rejected().reason(), Reason::Open);
}

#[test]
fn a_leaked_probe_does_not_block_the_breaker() {
    let bench = tripped(touchy().probe_lease(2 * SECOND));
    for _ in 0..5 {
        std::mem::forget(bench.wait().probe());
        assert_eq!(bench.after(2 * SECOND).rejected().reason(), Reason::Open);
    }
    assert_eq!(bench.wait().probe().record(Success), Recorded::Recovered);
}

/// The time for which the breaker waits for a probe after this number of reopens.
fn lease(builder: Builder, reopens: u32) -> Duration {
    let bench = Fixture::at(8_000_000_000, builder);
    bench.report(Failure);
    for _ in 0..reopens {
        bench.wait().probe().failure();
    }
    let _probe = bench.wait().probe();
    let mut waited = Duration::ZERO;
    for step in [HOUR, 100 * SECOND, 10 * SECOND, SECOND, 4 * MS] {
        loop {
            bench.after(step);
            if bench.breaker.peek().is_ok() {
                bench.clock.step_back(step);
                break;
            }
            waited += step;
        }
    }
    waited + 4 * MS
}

#[test]
fn the_default_lease_is_30_s_doubled_with_each_of_three_reopens() {
    for (reopens, secs) in [(0, 30), (1, 60), (2, 120), (3, 240), (4, 240)] {
        assert_eq!(lease(touchy(), reopens), secs * SECOND, "{reopens} reopens");
    }
}

#[test]
fn the_default_lease_is_no_shorter_than_the_interval_without_jitter() {
    let builder = backing_off(Backoff::exponential(100 * SECOND, 2, 300 * SECOND).jitter(100));
    for (reopens, secs) in [(0, 100), (1, 400), (2, 1_200), (3, 2_400), (4, 2_400)] {
        // The jitter leaves the clock within a tick.
        let late = lease(builder, reopens) - secs * SECOND;
        assert!(late <= 4 * MS, "{reopens} reopens: {late:?}");
    }
}

#[test]
fn the_default_lease_is_at_most_a_day() {
    let constant = |time| backing_off(Backoff::constant(time));
    assert_eq!(lease(constant(30 * DAY), 0), DAY);
    assert_eq!(lease(constant(5 * HOUR), 3), DAY);
}

#[test]
fn an_explicit_lease_is_constant() {
    for reopens in 0..5 {
        assert_eq!(lease(touchy().probe_lease(SECOND), reopens), SECOND);
    }
}
