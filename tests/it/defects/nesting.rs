//! One breaker around two levels of the same call.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use cutout::{Breaker, Error, Reason, Recorded, State, Trip};

use super::{FIRST, SECOND, breaker, fail};

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn nested(breaker: &Breaker) -> Result<u32, Error<Error<()>>> {
    breaker.call(|| breaker.call(|| Ok(7)))
}

fn nested_async(breaker: &Breaker) -> Result<u32, Error<Error<()>>> {
    ready(breaker.call_async(breaker.call_async(async { Ok(7) })))
}

fn mixed(breaker: &Breaker) -> Result<u32, Error<Error<()>>> {
    ready(breaker.call_async(async { breaker.call(|| Ok(7)) }))
}

fn deep(breaker: &Breaker) -> Result<u32, Error<Error<()>>> {
    let other = Breaker::new();
    let inner = || other.call(|| breaker.call(|| Ok::<_, ()>(7)));
    breaker.call(|| inner().map_err(|error| error.into_inner().unwrap()))
}

#[test]
fn a_breaker_around_two_levels_of_a_call_recovers() {
    for call in [nested, nested_async, mixed, deep] {
        let (breaker, clock) = breaker(FIRST.open_for(SECOND), 0);
        fail(&breaker);
        clock.advance(SECOND);
        assert_eq!(call(&breaker), Ok(7));
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[test]
fn a_failure_of_the_inner_call_fails_the_probe_once() {
    let (breaker, clock) = breaker(FIRST.open_for(SECOND), 0);
    fail(&breaker);
    clock.advance(SECOND);
    let generation = breaker.snapshot().generation;
    let result = breaker.call(|| breaker.call(|| Err::<(), _>("inner")));
    assert!(!result.unwrap_err().is_rejected());
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.snapshot().generation, generation + 2);
}

#[test]
fn no_other_call_is_admitted_during_the_probe() {
    let (breaker, clock) = breaker(FIRST.open_for(SECOND), 0);
    let breaker = Arc::new(breaker);
    fail(&breaker);
    clock.advance(SECOND);
    breaker
        .call(|| {
            let other = Arc::clone(&breaker);
            let rejected = std::thread::spawn(move || other.call(|| Ok::<_, ()>(())));
            let rejected = rejected.join().unwrap().unwrap_err();
            assert_eq!(rejected.rejected().unwrap().reason(), Reason::ProbesBusy);
            Ok::<_, ()>(())
        })
        .unwrap();
    // Once the probe has ended, its thread is like any other.
    fail(&breaker);
    clock.advance(SECOND);
    let probe = breaker.try_acquire().unwrap();
    assert!(breaker.call(|| Ok::<_, ()>(())).unwrap_err().is_rejected());
    assert_eq!(probe.record(cutout::Outcome::Success), Recorded::Recovered);
}

#[test]
fn a_probe_that_panics_admits_no_call_afterwards() {
    let (breaker, clock) = breaker(FIRST.open_for(SECOND), 0);
    fail(&breaker);
    clock.advance(SECOND);
    let thrown = std::panic::catch_unwind(|| {
        breaker.call(|| -> Result<(), ()> { std::panic::resume_unwind(Box::new("probe")) })
    });
    assert!(thrown.is_err());
    clock.advance(SECOND + SECOND);
    let _probe = breaker.try_acquire().unwrap();
    assert!(breaker.call(|| Ok::<_, ()>(())).unwrap_err().is_rejected());
}

/// The outer call's lease has expired, and another probe holds the slot of a later period.
#[test]
fn a_call_in_a_probe_of_an_earlier_period_is_not_part_of_the_later_probe() {
    let (breaker, clock) = breaker(FIRST.open_for(SECOND).probe_lease(SECOND), 0);
    fail(&breaker);
    clock.advance(SECOND);
    breaker
        .call(|| {
            clock.advance(SECOND);
            breaker.try_acquire().unwrap_err();
            clock.advance(SECOND);
            let other = breaker.try_acquire().unwrap();
            assert!(other.is_probe());
            let nested = breaker.call(|| Ok::<_, ()>(())).unwrap_err();
            assert_eq!(nested.rejected().unwrap().reason(), Reason::ProbesBusy);
            Ok::<_, ()>(())
        })
        .unwrap();
}

/// Documented, because a healthy call records nothing: while closed, each level counts.
#[test]
fn while_closed_each_level_counts() {
    let (breaker, _clock) = breaker(FIRST.trip(Trip::consecutive(2)), 0);
    let _ = breaker.call(|| breaker.call(|| Err::<(), _>("failed")));
    assert_eq!(breaker.state(), State::Open);
}
