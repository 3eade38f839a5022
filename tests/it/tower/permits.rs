//! Permits of admitted calls, and every way in which they end.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cutout::{Breaker, OnDrop, Outcome, State, Trip, tower::BreakerLayer};
use tower::{Layer, Service};

use super::{
    POLICY, at_once, breaker, call,
    dependency::{Ask, Broken, Dependency},
    past_the_deadline, poll_ready,
};

#[test]
fn a_failed_call_is_counted_and_the_caller_gets_its_error() {
    static BREAKER: Breaker = Breaker::builder().trip(Trip::consecutive(2)).build();
    let mut service = BreakerLayer::new(&BREAKER).layer(Dependency::default());
    assert_eq!(call(&mut service, Ask::Well).unwrap(), 7);
    for _ in 0..2 {
        let error = call(&mut service, Ask::Fail).unwrap_err();
        assert_eq!(error.into_inner(), Some(Broken));
    }
    assert_eq!(BREAKER.state(), State::Open);
    assert!(call(&mut service, Ask::Well).unwrap_err().is_rejected());
}

#[test]
fn the_permit_is_taken_in_call_and_not_when_the_response_is_polled() {
    let (breaker, _) = past_the_deadline(POLICY);
    let mut service = BreakerLayer::new(breaker.clone()).layer(Dependency::default());
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(breaker.snapshot().probes_in_flight, 0);
    let response = service.call(Ask::Well);
    assert_eq!(breaker.snapshot().probes_in_flight, 1);
    assert_eq!(at_once(response).unwrap(), 7);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn of_many_that_are_ready_past_the_deadline_one_probes() {
    let (breaker, _) = past_the_deadline(POLICY);
    let dependency = Dependency::default();
    let layer = BreakerLayer::new(breaker.clone());
    let mut services = [(); 3].map(|()| layer.layer(dependency.clone()));
    for service in &mut services {
        assert!(poll_ready(service).is_ready());
    }
    let responses = services.each_mut().map(|service| service.call(Ask::Well));
    assert_eq!(dependency.calls(), 1);
    let admitted = responses.map(|response| at_once(response).is_ok());
    assert_eq!(admitted, [true, false, false]);
}

#[test]
fn a_dropped_response_is_a_dropped_call() {
    for on_drop in [OnDrop::FailProbe, OnDrop::Ignore, OnDrop::Failure] {
        let policy = POLICY.on_drop(on_drop);

        let (closed, _) = breaker(policy);
        let mut service = BreakerLayer::new(closed.clone()).layer(Dependency::default());
        assert!(poll_ready(&mut service).is_ready());
        drop(service.call(Ask::Hang));
        let failures = u32::from(on_drop == OnDrop::Failure);
        assert_eq!(closed.snapshot().failures, Some(failures), "{on_drop:?}");

        let (half_open, _) = past_the_deadline(policy);
        let mut service = BreakerLayer::new(half_open.clone()).layer(Dependency::default());
        assert!(poll_ready(&mut service).is_ready());
        drop(service.call(Ask::Hang));
        let snapshot = half_open.snapshot();
        assert_eq!(snapshot.probes_in_flight, 0, "{on_drop:?}");
        let expected = if on_drop == OnDrop::Ignore {
            State::HalfOpen
        } else {
            State::Open
        };
        assert_eq!(snapshot.stored_state, expected, "{on_drop:?}");
    }
}

#[test]
fn a_panic_is_a_failure_from_every_source() {
    let drops_are_ignored = POLICY.on_drop(OnDrop::Ignore);
    for ask in [Ask::PanicInCall, Ask::PanicInPoll] {
        let (breaker, _) = breaker(drops_are_ignored);
        let mut service = BreakerLayer::new(breaker.clone()).layer(Dependency::default());
        catch_unwind(AssertUnwindSafe(|| call(&mut service, ask))).unwrap_err();
        assert_eq!(breaker.snapshot().failures, Some(1), "{ask:?}");
    }
    let (breaker, _) = breaker(drops_are_ignored);
    let mut service = BreakerLayer::new(breaker.clone())
        .classify(|_: &Result<u32, Broken>| -> Outcome { panic!("the classifier") })
        .layer(Dependency::default());
    catch_unwind(AssertUnwindSafe(|| call(&mut service, Ask::Well))).unwrap_err();
    assert_eq!(breaker.snapshot().failures, Some(1));
}

/// One rule for everything that holds a permit: the panic may come from the call or from beside it.
#[test]
fn a_call_dropped_by_an_unrelated_panic_is_a_failure() {
    let (breaker, _) = breaker(POLICY.on_drop(OnDrop::Ignore));
    let mut service = BreakerLayer::new(breaker.clone()).layer(Dependency::default());
    assert!(poll_ready(&mut service).is_ready());
    let response = service.call(Ask::Hang);
    let outside = AssertUnwindSafe(move || {
        let _response = response;
        panic!("a sibling in `join!`");
    });
    catch_unwind(outside).unwrap_err();
    assert_eq!(breaker.snapshot().failures, Some(1));
}

#[test]
fn a_body_dropped_by_an_unrelated_panic_is_a_failure() {
    let (breaker, _) = breaker(POLICY);
    let mut service = BreakerLayer::new(breaker.clone())
        .hold_body()
        .layer(tower::service_fn(async |()| {
            Ok::<_, Broken>(http::Response::new(String::from("offer")))
        }));
    let response = call(&mut service, ()).unwrap();
    let outside = AssertUnwindSafe(move || {
        let _response = response;
        panic!("a sibling in `join!`");
    });
    catch_unwind(outside).unwrap_err();
    assert_eq!(breaker.snapshot().failures, Some(1));
}

/// The panic began first, and is unrelated to a call that a destructor makes.
#[test]
fn a_call_that_a_destructor_makes_while_its_thread_unwinds_is_dropped_as_any_other() {
    struct CallsInDrop<S: Service<Ask>>(S);

    impl<S: Service<Ask>> Drop for CallsInDrop<S> {
        fn drop(&mut self) {
            assert!(poll_ready(&mut self.0).is_ready());
            drop(self.0.call(Ask::Hang));
        }
    }

    let (breaker, _) = breaker(POLICY.on_drop(OnDrop::Ignore));
    let service = BreakerLayer::new(breaker.clone()).layer(Dependency::default());
    let panics = AssertUnwindSafe(move || {
        let _calls = CallsInDrop(service);
        panic!("before the call");
    });
    catch_unwind(panics).unwrap_err();
    assert_eq!(breaker.snapshot().failures, Some(0));
}

#[test]
fn a_late_response_changes_nothing() {
    let (breaker, _) = breaker(POLICY);
    let mut service = BreakerLayer::new(breaker.clone()).layer(Dependency::default());
    assert!(poll_ready(&mut service).is_ready());
    let late = service.call(Ask::Fail);
    breaker.reset();
    at_once(late).unwrap_err();
    assert_eq!(breaker.snapshot().failures, Some(0));
}

#[test]
#[should_panic(expected = "polled after it was ready")]
fn a_response_is_ready_once() {
    let (breaker, _) = breaker(POLICY);
    let mut service = BreakerLayer::new(breaker).layer(Dependency::default());
    assert!(poll_ready(&mut service).is_ready());
    let mut response = std::pin::pin!(service.call(Ask::Well));
    at_once(response.as_mut()).unwrap();
    drop(at_once(response));
}

#[test]
fn the_whole_result_is_classified() {
    let (breaker, _) = breaker(POLICY);
    let mut service = BreakerLayer::new(breaker.clone())
        .classify(|result: &Result<u32, Broken>| match result {
            Ok(7) => Outcome::Failure,
            _ => Outcome::Success,
        })
        .layer(Dependency::default());
    call(&mut service, Ask::Fail).unwrap_err();
    assert_eq!(breaker.snapshot().failures, Some(0));
    call(&mut service, Ask::Well).unwrap();
    assert_eq!(breaker.snapshot().failures, Some(1));
}
