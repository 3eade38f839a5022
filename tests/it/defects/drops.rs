//! Callers that hang up: what a dropped permit, future or probe means.

use std::{
    future::{self, Future},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

use cutout::{Breaker, OnDrop, Policy, State, clock::Manual};

use super::{FIRST, MS, SECOND, breaker};

#[test]
fn a_probe_dropped_before_the_limit_releases_its_slot_and_at_the_limit_fails() {
    let limit = 100 * MS;
    for on_drop in [OnDrop::FailureAfter(limit), OnDrop::FailProbeAfter(limit)] {
        for (held, state) in [
            (Duration::ZERO, State::HalfOpen),
            (limit - Duration::from_nanos(1), State::HalfOpen),
            (limit, State::Open),
        ] {
            let (breaker, clock) = breaker(FIRST.on_drop(on_drop), 7);
            breaker.force_open();
            breaker.resume();
            let probe = breaker.try_acquire().unwrap();
            clock.advance(held);
            drop(probe);
            let snapshot = breaker.snapshot();
            assert_eq!(snapshot.stored_state, state, "{on_drop:?} after {held:?}");
            assert_eq!(snapshot.probes_in_flight, 0);
        }
    }
}

/// `FailProbeAfter` reads the clock for probes alone.
#[test]
fn a_call_dropped_while_closed_is_ignored_under_fail_probe_after() {
    let (breaker, clock) = breaker(FIRST.on_drop(OnDrop::FailProbeAfter(MS)), 0);
    let permit = breaker.try_acquire().unwrap();
    clock.advance(SECOND);
    drop(permit);
    assert_eq!(breaker.state(), State::Closed);
}

/// A dependency and its callers, one every 100 ms, after an outage.
///
/// Of ten callers one is patient; the others hang up after 50 ms, while a call takes 80 ms. Returns
/// when the breaker closed, within an hour.
fn recovery(policy: Policy) -> Option<Duration> {
    let (breaker, clock) = breaker(policy, 0);
    breaker.force_open();
    breaker.resume();
    for turn in 0..36_000_u32 {
        let permit = breaker.try_acquire();
        clock.advance(50 * MS);
        match permit {
            Ok(permit) if turn % 10 == 9 => {
                clock.advance(30 * MS);
                permit.success();
                clock.step_back(30 * MS);
            }
            hung_up => drop(hung_up),
        }
        if breaker.state() == State::Closed {
            return Some((turn + 1) * 100 * MS);
        }
        clock.advance(50 * MS);
    }
    None
}

/// Number of 600 callers, one a second, that waited two seconds for a dependency that hangs.
fn waited(policy: Policy) -> u32 {
    // Without a seed the jitter depends on the breaker's address, and the counts could differ.
    let seeded = policy.backoff(policy.backoff.seed(1));
    let (breaker, clock) = breaker(seeded, 0);
    breaker.force_open();
    breaker.resume();
    let hung_up_after_two_seconds = |clock: &Manual, breaker: &Breaker| {
        let permit = breaker.try_acquire();
        clock.advance(2 * SECOND);
        permit.is_ok()
    };
    let mut waited = 0;
    for _ in 0..600 {
        waited += u32::from(hung_up_after_two_seconds(&clock, &breaker));
    }
    waited
}

#[test]
fn by_default_callers_that_hang_up_early_do_not_keep_a_healthy_dependency_out() {
    let default = recovery(FIRST).expect("it recovers");
    let ignoring = recovery(FIRST.on_drop(OnDrop::Ignore)).expect("it recovers");
    assert_eq!(default, ignoring);
    assert!(default <= SECOND, "{default:?}");
    let failing = recovery(FIRST.on_drop(OnDrop::FailProbe));
    assert!(failing.is_none_or(|time| time > 5 * default), "{failing:?}");
}

#[test]
fn by_default_a_dependency_that_hangs_is_detected() {
    let default = waited(FIRST);
    let failing = waited(FIRST.on_drop(OnDrop::FailProbe));
    let ignoring = waited(FIRST.on_drop(OnDrop::Ignore));
    assert_eq!(default, failing);
    assert_eq!(ignoring, 600);
    assert!(default < 60, "{default}");
}

/// Polls once, and drops the pending future by a panic beside it.
fn dropped_by_an_unrelated_panic<F: Future>(call: F) {
    let thrown = catch_unwind(AssertUnwindSafe(|| {
        let mut call = pin!(call);
        let waiting = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(waiting.is_pending());
        std::panic::resume_unwind(Box::new("beside the call"));
    }));
    assert!(thrown.is_err());
}

#[test]
fn a_panic_outside_a_call_is_its_failure_for_a_permit_and_for_a_future() {
    let policy = FIRST.on_drop(OnDrop::Ignore);
    let pending = || future::pending::<Result<(), ()>>();

    let (permit, _clock) = breaker(policy, 0);
    dropped_by_an_unrelated_panic(async {
        let _permit = permit.try_acquire().unwrap();
        pending().await
    });
    let (call, _clock) = breaker(policy, 0);
    dropped_by_an_unrelated_panic(call.call_async(pending()));

    assert_eq!(permit.state(), State::Open);
    assert_eq!(call.state(), State::Open);
}

/// A call that begins and ends while the thread already unwinds is not part of that panic.
#[test]
fn a_future_that_began_while_its_thread_unwound_is_dropped_like_any_other() {
    struct OnUnwind<'a>(&'a Breaker);
    impl Drop for OnUnwind<'_> {
        fn drop(&mut self) {
            let mut call = Box::pin(self.0.call_async(future::pending::<Result<(), ()>>()));
            let waiting = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(waiting.is_pending());
        }
    }
    let (breaker, _clock) = breaker(FIRST.on_drop(OnDrop::Ignore), 0);
    let thrown = catch_unwind(AssertUnwindSafe(|| {
        let _guard = OnUnwind(&breaker);
        std::panic::resume_unwind(Box::new("before the call"));
    }));
    assert!(thrown.is_err());
    assert_eq!(breaker.state(), State::Closed);
}
