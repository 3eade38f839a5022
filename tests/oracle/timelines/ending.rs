//! Ends of a call, and the outcomes that they record.

use super::*;

#[test]
fn an_outcome_of_an_earlier_period_is_stale_and_changes_nothing() {
    let bench = bench(touchy());
    let late: Vec<Permit<'_>> = (0..3).map(|_| bench.acquire()).collect();
    bench.report(Failure);
    let probe = bench.wait().probe();
    let before = format!("{:?}", bench.breaker.snapshot());
    for (permit, outcome) in late.into_iter().zip([Success, Failure, Ignored]) {
        assert_eq!(permit.record(outcome), Recorded::Stale);
    }
    assert_eq!(format!("{:?}", bench.breaker.snapshot()), before);
    bench.breaker.reset();
    assert_eq!(probe.record(Failure), Recorded::Stale);
    assert_eq!(bench.recorded(), State::Closed);
}

#[test]
fn a_drop_is_ignored_while_closed_and_fails_a_probe() {
    for builder in [
        touchy().on_drop(OnDrop::FailProbeAfter(MS)),
        touchy().on_drop(OnDrop::FailProbe),
    ] {
        let bench = bench(builder);
        drop(bench.acquire());
        assert_eq!(bench.breaker.snapshot().calls, Some(0));
        bench.report(Failure);
        let probe = bench.wait().probe();
        bench.after(MS);
        drop(probe);
        assert_eq!(bench.state(), State::Open);
        assert_eq!(bench.breaker.snapshot().reopens, 1);
    }
}

#[test]
fn by_default_a_probe_dropped_within_a_second_releases_its_slot() {
    let bench = tripped(touchy());
    let (early, late) = (SECOND - MS, SECOND);
    let probe = bench.wait().probe();
    bench.after(early);
    drop(probe);
    assert_eq!(bench.recorded(), State::HalfOpen);
    let probe = bench.probe();
    bench.after(late);
    drop(probe);
    assert_eq!(bench.recorded(), State::Open);
}

#[test]
fn a_drop_that_is_ignored_releases_the_slot() {
    let bench = tripped(touchy().on_drop(OnDrop::Ignore));
    drop(bench.wait().probe());
    assert_eq!(bench.recorded(), State::HalfOpen);
    assert_eq!(bench.probe().record(Success), Recorded::Recovered);
}

#[test]
fn a_drop_that_is_a_failure_trips() {
    let bench = bench(touchy().on_drop(OnDrop::Failure));
    drop(bench.acquire());
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn a_drop_fails_if_held_long_enough() {
    let bench = bench(touchy().on_drop(OnDrop::FailureAfter(SECOND)));
    let (short, long) = (bench.acquire(), bench.acquire());
    bench.after(SECOND - MS);
    drop(short);
    assert_eq!(bench.state(), State::Closed);
    bench.after(MS);
    drop(long);
    assert_eq!(bench.state(), State::Open);
    drop(bench.wait().probe());
    assert_eq!(bench.recorded(), State::HalfOpen);
    let probe = bench.probe();
    bench.after(SECOND);
    drop(probe);
    assert_eq!(bench.breaker.snapshot().reopens, 1);
}

#[test]
fn a_panic_is_a_failure_under_every_on_drop() {
    for held in [true, false] {
        let bench = bench(touchy().on_drop(OnDrop::Ignore));
        let thrown = catch_unwind(AssertUnwindSafe(|| {
            if held {
                let _permit = bench.acquire();
                resume_unwind(Box::new(()));
            }
            bench
                .breaker
                .call(|| -> Result<(), ()> { resume_unwind(Box::new(())) })
        }));
        assert!(thrown.is_err());
        assert_eq!(bench.state(), State::Open);
    }
}

#[test]
fn a_permit_acquired_and_dropped_during_an_unrelated_panic_is_no_failure() {
    struct AcquiresOnDrop<'a>(&'a Fixture);
    impl Drop for AcquiresOnDrop<'_> {
        fn drop(&mut self) {
            drop(self.0.acquire());
        }
    }
    let bench = bench(touchy());
    let thrown = catch_unwind(AssertUnwindSafe(|| {
        let _calls = AcquiresOnDrop(&bench);
        resume_unwind(Box::new(()));
    }));
    assert!(thrown.is_err());
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn a_slow_call_is_a_failure_for_every_result() {
    for outcome in [Success, Ignored, Failure] {
        let bench = bench(touchy().slow_call(SECOND));
        let (fast, slow) = (bench.acquire(), bench.acquire());
        bench.after(SECOND - MS);
        assert_ne!(fast.record(Success), Recorded::Tripped);
        bench.after(MS);
        assert_eq!(slow.record(outcome), Recorded::Tripped, "{outcome:?}");
    }
}

#[test]
fn a_slow_probe_reopens() {
    let bench = tripped(touchy().slow_call(SECOND));
    let probe = bench.wait().probe();
    assert_eq!(bench.after(SECOND).breaker.snapshot().probes_in_flight, 1);
    assert_eq!(probe.record(Success), Recorded::Reopened);
}

#[test]
fn a_slow_failure_keeps_its_hint() {
    let bench = bench(touchy().slow_call(SECOND));
    let slow = bench.acquire();
    bench.after(SECOND);
    slow.record(FailureFor(20 * SECOND));
    assert_eq!(bench.retry_after(), Some(20 * SECOND));
}

#[test]
fn slow_call_implies_failure_after_for_drops_unless_on_drop_is_set() {
    let closed_after = |builder: Builder, held| {
        let bench = bench(builder);
        let permit = bench.acquire();
        bench.after(held);
        drop(permit);
        bench.state() == State::Closed
    };
    let slow = touchy().slow_call(SECOND);
    assert!(closed_after(slow, SECOND - MS));
    assert!(!closed_after(slow, SECOND));
    assert!(closed_after(slow.on_drop(OnDrop::Ignore), SECOND));
    assert!(closed_after(slow.on_drop(OnDrop::FailProbe), SECOND));
    assert!(!closed_after(slow.on_drop(OnDrop::Failure), SECOND - MS));
}

#[test]
fn a_slow_call_above_the_lease_is_refused() {
    let slow = touchy().slow_call(SECOND);
    assert!(slow.probe_lease(SECOND).try_build().is_ok());
    assert!(slow.probe_lease(SECOND - MS).try_build().is_err());
    assert!(slow.slow_call(30 * SECOND).try_build().is_ok());
    assert!(slow.slow_call(DAY).try_build().is_err());
}
