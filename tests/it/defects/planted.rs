//! Planted faults: mutations of the code that no test had noticed. (Those that a model or a unit
//! test can show are tested there.)

use cutout::{Outcome, Policy, Recorded, State, Trip};

use super::{FIRST, SECOND, breaker, fail, succeed};

/// Fault: a success of time buckets that reads no clock does not end the run beside the buckets.
#[test]
fn a_success_in_time_buckets_ends_the_run_of_the_same_trip() {
    let buckets = Trip::percent(100).min_calls(1_000_000).within(60 * SECOND);
    let trip = Trip::consecutive(2).or(buckets);
    let (breaker, _clock) = breaker(Policy::new().trip(trip), 1);
    // From the 65th on, successes of this bucket read no clock.
    for _ in 0..200 {
        assert!(succeed(&breaker));
    }
    for _ in 0..20 {
        fail(&breaker);
        assert!(succeed(&breaker));
    }
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

/// A rejection that expires a lease carries the generation of the new period, which rejects.
#[test]
fn a_rejection_that_expires_a_lease_carries_the_new_period() {
    let (breaker, clock) = breaker(FIRST.probe_lease(SECOND), 0);
    breaker.force_open();
    breaker.resume();
    std::mem::forget(breaker.try_acquire().unwrap());
    clock.advance(SECOND);
    let rejected = breaker.try_acquire().unwrap_err();
    assert_eq!(rejected.generation(), breaker.snapshot().generation);
    assert_eq!(breaker.peek(), Err(rejected));
}

/// A probe is not a call of the closed period that it begins.
#[test]
fn probes_are_counted_in_no_time_bucket() {
    let trip = Trip::percent(50).min_calls(2).within(60 * SECOND);
    let (breaker, clock) = breaker(Policy::new().trip(trip).probe_successes(2), 0);
    for _ in 0..3 {
        breaker.force_open();
        breaker.resume();
        assert!(succeed(&breaker));
        clock.advance(SECOND);
        assert!(succeed(&breaker));
        assert_eq!(breaker.state(), State::Closed);
        assert_eq!(breaker.snapshot().calls, Some(0));
        fail(&breaker);
        assert_eq!(breaker.state(), State::Closed, "one call of one");
    }
}

/// The counts that tripped are shown until the breaker recovers.
#[test]
fn a_half_open_breaker_keeps_the_counts_that_tripped() {
    let trip = Trip::failures(2).of_last(4);
    let (breaker, clock) = breaker(Policy::new().trip(trip).open_for(SECOND), 0);
    assert!(succeed(&breaker));
    fail(&breaker);
    fail(&breaker);
    for _ in 0..3 {
        clock.advance(SECOND);
        let probe = breaker.try_acquire().unwrap();
        let snapshot = breaker.snapshot();
        assert_eq!(snapshot.stored_state, State::HalfOpen);
        assert_eq!((snapshot.failures, snapshot.calls), (Some(2), Some(3)));
        assert_eq!(probe.record(Outcome::Failure), Recorded::Reopened);
    }
}

/// A closed period of time buckets begins in the bucket of its recovery. So no earlier count is
/// read, even after the generation tags wrapped.
#[test]
fn no_count_from_before_a_recovery_is_read_after_the_tags_have_wrapped() {
    let trip = Trip::percent(50).min_calls(4).within(60 * SECOND);
    let (breaker, clock) = breaker(Policy::new().trip(trip), 0);
    let before = breaker.snapshot().generation;
    for _ in 0..3 {
        fail(&breaker);
    }
    clock.advance(30 * SECOND);
    // 256 or 512 periods later, and so 1 024, the tag of a bucket repeats.
    while breaker.snapshot().generation != before.wrapping_add(1_020) {
        breaker.reset();
    }
    breaker.force_open();
    breaker.resume();
    assert!(succeed(&breaker), "the recovery begins period 1 024");
    assert_eq!(breaker.snapshot().generation, before.wrapping_add(1_024));
    fail(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.snapshot().calls, Some(1));
}

/// A slow listener does not delay watchers.
#[cfg(feature = "watch")]
#[test]
fn watchers_are_woken_before_listeners_are_notified() {
    use cutout::{Breaker, StopWatching, Transition};
    use std::{
        sync::{Arc, Mutex, mpsc},
        thread,
        time::Duration,
    };

    let (woken, wakes) = mpsc::channel();
    let (sender, receiver) = mpsc::channel();
    let wakes = Mutex::new(wakes);
    let slow = move |_: &Transition| {
        // Generous: only a wrong order waits this long.
        let woken = wakes.lock().unwrap().recv_timeout(Duration::from_secs(20));
        sender.send(woken).unwrap();
    };
    let breaker = Breaker::new().with_shared_listener(Arc::new(slow));
    let stop = StopWatching::new();
    let watched = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let watched = breaker.watch(0, &stop).unwrap();
            woken.send(true).unwrap();
            watched.snapshot
        });
        breaker.force_open();
        watcher.join().unwrap()
    });
    assert_eq!(
        receiver.recv(),
        Ok(Ok(true)),
        "no watcher sleeps while a listener runs"
    );
    assert_eq!(watched.stored_state, State::ForcedOpen);
    assert!(breaker.snapshot().since.is_some());
}
