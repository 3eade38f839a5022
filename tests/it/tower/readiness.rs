//! Inner readiness: when the layer polls the inner service, and what the result is used for.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll},
};

use cutout::{
    Breaker, CallListener, Error, Listener, Outcome, Reason, Rejected, State, Transition,
    clock::Manual, tower::BreakerLayer,
};
use tower::{Layer, Service, limit::ConcurrencyLimit};

use super::{
    POLICY, SECOND, at_once, breaker, call,
    dependency::{Ask, Broken, Dependency, DependencyFuture},
    past_the_deadline, poll_ready,
};

/// Asserts that a service accepts no call, and that the layer decides this, not the inner service.
fn assert_not_ready(service: &mut impl Service<Ask>) {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(service.call(Ask::Well)))).unwrap_err();
    let error_text = panic.downcast_ref::<&str>().unwrap();
    assert!(
        error_text.starts_with("call without poll_ready"),
        "{error_text}"
    );
}

/// A common mistake: the breaker is checked after inner readiness, so callers wait for a dependency
/// that is down.
#[test]
fn an_open_breaker_does_not_wait_for_inner_readiness() {
    let (breaker, _) = breaker(POLICY);
    let dependency = Dependency::default();
    let mut service = BreakerLayer::new(breaker.clone()).layer(dependency.clone());
    dependency.set_readiness(Poll::Pending);
    assert!(poll_ready(&mut service).is_pending());

    breaker.force_open_for(SECOND);
    let polls = dependency.ready_polls();
    let error = call(&mut service, Ask::Well).unwrap_err();
    assert_eq!(error.rejected().unwrap().reason(), Reason::Open);
    assert_eq!(error.retry_after(), Some(SECOND));
    assert_eq!((dependency.ready_polls(), dependency.calls()), (polls, 0));
}

#[test]
fn busy_probes_and_an_operator_do_not_wait_for_inner_readiness_either() {
    let (breaker, _) = past_the_deadline(POLICY);
    let dependency = Dependency::default();
    let mut service = BreakerLayer::new(breaker.clone()).layer(dependency.clone());
    dependency.set_readiness(Poll::Pending);

    let probe = breaker.try_acquire().unwrap();
    let error = call(&mut service, Ask::Well).unwrap_err();
    assert_eq!(error.rejected().unwrap().reason(), Reason::ProbesBusy);
    probe.success();
    breaker.force_open();
    let error = call(&mut service, Ask::Well).unwrap_err();
    assert_eq!(error.rejected().unwrap().reason(), Reason::ForcedOpen);
    assert_eq!(dependency.ready_polls(), 0);
}

#[test]
fn a_service_that_was_not_polled_is_not_called_even_after_the_deadline() {
    let (breaker, clock) = breaker(POLICY);
    breaker.force_open_for(SECOND);
    let dependency = Dependency::default();
    let mut service = BreakerLayer::new(breaker.clone()).layer(dependency.clone());

    assert!(poll_ready(&mut service).is_ready());
    clock.advance(SECOND);
    assert_eq!(breaker.state(), State::HalfOpen);
    assert!(at_once(service.call(Ask::Well)).unwrap_err().is_rejected());
    assert_eq!((dependency.ready_polls(), dependency.calls()), (0, 0));
    assert_eq!(breaker.snapshot().stored_state, State::Open);

    assert_eq!(call(&mut service, Ask::Well).unwrap(), 7);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn the_last_poll_of_two_decides() {
    let (breaker, clock) = breaker(POLICY);
    let dependency = Dependency::default();
    let mut service = BreakerLayer::new(breaker.clone()).layer(dependency.clone());

    assert!(poll_ready(&mut service).is_ready());
    breaker.force_open_for(SECOND);
    assert!(poll_ready(&mut service).is_ready());
    clock.advance(SECOND);
    assert!(at_once(service.call(Ask::Well)).unwrap_err().is_rejected());

    breaker.force_open_for(SECOND);
    assert!(poll_ready(&mut service).is_ready());
    clock.advance(SECOND);
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(at_once(service.call(Ask::Well)).unwrap(), 7);
}

#[test]
fn a_breaker_that_trips_after_inner_readiness_rejects_still() {
    let (breaker, _) = breaker(POLICY);
    let dependency = Dependency::default();
    let mut service = BreakerLayer::new(breaker.clone()).layer(dependency.clone());
    assert!(poll_ready(&mut service).is_ready());
    breaker.force_open_for(SECOND);
    assert!(at_once(service.call(Ask::Well)).unwrap_err().is_rejected());
    assert_eq!(dependency.calls(), 0);
}

/// A reservation ends with a call or with the instance that made it; a rejected call makes no call.
#[test]
fn a_call_that_is_rejected_after_inner_readiness_releases_its_slot() {
    let (breaker, _) = breaker(POLICY);
    let dependency = ConcurrencyLimit::new(Dependency::default(), 1);
    let mut service = BreakerLayer::new(breaker.clone()).layer(dependency);
    let mut other = service.clone();
    assert!(poll_ready(&mut service).is_ready());
    breaker.force_open();
    at_once(service.call(Ask::Well)).unwrap_err();
    breaker.reset();
    assert!(poll_ready(&mut other).is_ready());
    assert!(poll_ready(&mut service).is_pending());
}

#[test]
fn a_service_that_is_ready_to_reject_holds_no_slot_either() {
    let (breaker, _) = breaker(POLICY);
    let dependency = ConcurrencyLimit::new(Dependency::default(), 1);
    let mut service = BreakerLayer::new(breaker.clone()).layer(dependency);
    let mut other = service.clone();
    assert!(poll_ready(&mut service).is_ready());
    breaker.force_open();
    assert!(poll_ready(&mut service).is_ready());
    breaker.reset();
    assert!(poll_ready(&mut other).is_ready());
}

/// A semaphore hands its next permit to the first clone in the queue, even if that clone is not
/// polled again.
#[test]
fn a_call_that_is_rejected_while_the_inner_service_waits_leaves_its_queue() {
    let (breaker, _) = breaker(POLICY);
    let dependency = ConcurrencyLimit::new(Dependency::default(), 1);
    let layer = BreakerLayer::new(breaker.clone());
    let mut busy = layer.layer(dependency);
    let (mut waits, mut other) = (busy.clone(), busy.clone());
    assert!(poll_ready(&mut busy).is_ready());
    let hangs = busy.call(Ask::Hang);
    assert!(poll_ready(&mut waits).is_pending());
    breaker.force_open();
    call(&mut waits, Ask::Well).unwrap_err();
    breaker.reset();
    drop(hangs);
    assert!(poll_ready(&mut other).is_ready());
    assert!(poll_ready(&mut waits).is_pending());
}

#[test]
fn a_call_that_is_rejected_after_the_inner_service_was_polled_again_leaves_its_queue() {
    let (breaker, _) = breaker(POLICY);
    let dependency = ConcurrencyLimit::new(Dependency::default(), 1);
    let mut busy = BreakerLayer::new(breaker.clone()).layer(dependency);
    let (mut waits, mut other) = (busy.clone(), busy.clone());
    assert!(poll_ready(&mut busy).is_ready());
    let hangs = busy.call(Ask::Hang);
    breaker.force_open();
    assert!(poll_ready(&mut waits).is_ready());
    breaker.reset();
    assert!(
        poll_ready(&mut waits).is_ready(),
        "it was ready, and no call came"
    );
    at_once(waits.call(Ask::Well)).unwrap_err();
    drop(hangs);
    assert!(poll_ready(&mut other).is_ready());
}

#[test]
fn where_the_request_chooses_a_rejected_call_releases_its_slot() {
    let (breaker, _) = breaker(POLICY);
    let find = breaker.clone();
    let dependency = ConcurrencyLimit::new(Dependency::default(), 1);
    let mut service = BreakerLayer::by_request(move |_: &Ask| find.clone()).layer(dependency);
    let mut other = service.clone();
    breaker.force_open();
    call(&mut service, Ask::Well).unwrap_err();
    breaker.reset();
    assert!(poll_ready(&mut other).is_ready());
}

#[test]
fn a_service_that_is_called_is_not_replaced() {
    #[derive(Default)]
    struct CloneCounted(Dependency, Arc<AtomicU32>);

    impl Clone for CloneCounted {
        fn clone(&self) -> Self {
            self.1.fetch_add(1, Ordering::SeqCst);
            Self(self.0.clone(), self.1.clone())
        }
    }

    impl Service<Ask> for CloneCounted {
        type Response = u32;
        type Error = Broken;
        type Future = DependencyFuture;

        fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Broken>> {
            self.0.poll_ready(context)
        }

        fn call(&mut self, ask: Ask) -> DependencyFuture {
            self.0.call(ask)
        }
    }

    let (breaker, _) = breaker(POLICY);
    let dependency = CloneCounted::default();
    let clones = dependency.1.clone();
    let mut service = BreakerLayer::new(breaker.clone()).layer(dependency);
    call(&mut service, Ask::Well).unwrap();
    call(&mut service, Ask::Fail).unwrap_err();
    breaker.force_open();
    call(&mut service, Ask::Well).unwrap_err();
    assert_eq!(clones.load(Ordering::SeqCst), 0, "nothing was reserved");
}

/// A service that is not `Clone` keeps its reservation: only its drop could release it.
#[test]
fn a_service_that_is_not_clone_keeps_its_readiness_for_the_next_call() {
    struct NotClone(ConcurrencyLimit<Dependency>);

    impl Service<Ask> for NotClone {
        type Response = u32;
        type Error = Broken;
        type Future = <ConcurrencyLimit<Dependency> as Service<Ask>>::Future;

        fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Broken>> {
            self.0.poll_ready(context)
        }

        fn call(&mut self, ask: Ask) -> Self::Future {
            self.0.call(ask)
        }
    }

    let (breaker, _) = breaker(POLICY);
    let dependency = ConcurrencyLimit::new(Dependency::default(), 1);
    let mut other = dependency.clone();
    let mut service = BreakerLayer::new(breaker.clone())
        .keep_readiness()
        .layer(NotClone(dependency));
    assert!(poll_ready(&mut service).is_ready());
    breaker.force_open();
    at_once(service.call(Ask::Well)).unwrap_err();
    breaker.reset();
    assert!(poll_ready(&mut other).is_pending());
    assert_eq!(call(&mut service, Ask::Well).unwrap(), 7);
    assert!(poll_ready(&mut other).is_ready());
}

#[test]
fn a_call_that_is_rejected_before_inner_readiness_takes_no_slot_of_an_inner_limit() {
    let (breaker, _) = breaker(POLICY);
    let dependency = ConcurrencyLimit::new(Dependency::default(), 1);
    let mut service = BreakerLayer::new(breaker.clone()).layer(dependency);
    let mut other = service.clone();
    breaker.force_open();
    call(&mut service, Ask::Well).unwrap_err();
    breaker.reset();
    assert_eq!(call(&mut other, Ask::Well).unwrap(), 7);
}

#[test]
fn readiness_is_good_for_one_call() {
    let (breaker, _) = breaker(POLICY);
    let dependency = Dependency::default();
    let mut service = BreakerLayer::new(breaker.clone()).layer(dependency.clone());
    call(&mut service, Ask::Well).unwrap();
    assert_not_ready(&mut service);
    assert_eq!(dependency.calls(), 1);

    breaker.force_open();
    call(&mut service, Ask::Well).unwrap_err();
    assert_not_ready(&mut service);
}

#[test]
fn a_clone_inherits_no_readiness() {
    let (breaker, _) = breaker(POLICY);
    let mut service = BreakerLayer::new(breaker.clone()).layer(Dependency::default());
    assert!(poll_ready(&mut service).is_ready());
    let mut clone = service.clone();
    assert_not_ready(&mut clone);
    assert_eq!(call(&mut clone, Ask::Well).unwrap(), 7);
    assert_eq!(at_once(service.call(Ask::Well)).unwrap(), 7);
}

#[test]
fn a_service_that_was_ready_stays_so_until_it_is_called() {
    let (breaker, _) = breaker(POLICY);
    let dependency = Dependency::default();
    let mut service = BreakerLayer::new(breaker.clone()).layer(dependency.clone());
    breaker.force_open();
    assert!(poll_ready(&mut service).is_ready());
    breaker.reset();
    dependency.set_readiness(Poll::Pending);
    assert!(poll_ready(&mut service).is_ready());
    let error = at_once(service.call(Ask::Well)).unwrap_err();
    assert_eq!(error.rejected().unwrap().reason(), Reason::ForcedOpen);
    assert!(poll_ready(&mut service).is_pending());
}

#[test]
fn a_service_that_is_not_ready_any_more_is_not_called() {
    let (breaker, _) = breaker(POLICY);
    let dependency = Dependency::default();
    let mut service = BreakerLayer::new(breaker).layer(dependency.clone());
    for readiness in [Poll::Pending, Poll::Ready(Err(Broken))] {
        dependency.set_readiness(Poll::Ready(Ok(())));
        assert!(matches!(poll_ready(&mut service), Poll::Ready(Ok(()))));
        dependency.set_readiness(readiness);
        assert!(!matches!(poll_ready(&mut service), Poll::Ready(Ok(()))));
        assert_not_ready(&mut service);
    }
    assert_eq!(dependency.calls(), 0);
}

#[test]
fn a_service_that_fails_to_get_ready_is_a_failed_call() {
    let (breaker, clock) = breaker(POLICY);
    let dependency = Dependency::default();
    let mut service = BreakerLayer::new(breaker.clone()).layer(dependency.clone());
    dependency.set_readiness(Poll::Ready(Err(Broken)));
    for failures in 1..=2 {
        assert_eq!(
            poll_ready(&mut service),
            Poll::Ready(Err(Error::Inner(Broken)))
        );
        assert_eq!(breaker.snapshot().failures, Some(failures));
    }
    assert_eq!(breaker.state(), State::Open);
    assert!(call(&mut service, Ask::Well).unwrap_err().is_rejected());

    // The probe fails in the same way.
    clock.advance(SECOND);
    assert_eq!(
        poll_ready(&mut service),
        Poll::Ready(Err(Error::Inner(Broken)))
    );
    assert_eq!(breaker.snapshot().reopens, 1);
}

#[test]
fn a_service_that_fails_to_get_ready_is_classified() {
    let (breaker, _) = past_the_deadline(POLICY);
    let dependency = Dependency::default();
    let mut service = BreakerLayer::new(breaker.clone())
        .classify(|result: &Result<u32, Broken>| match result {
            Ok(_) => Outcome::Success,
            Err(Broken) => Outcome::Ignored,
        })
        .layer(dependency.clone());
    dependency.set_readiness(Poll::Ready(Err(Broken)));
    assert!(matches!(poll_ready(&mut service), Poll::Ready(Err(_))));
    let snapshot = breaker.snapshot();
    assert_eq!(snapshot.stored_state, State::HalfOpen);
    assert_eq!(snapshot.probes_in_flight, 0);
}

#[test]
fn a_service_that_panics_in_poll_ready_leaves_no_probe_behind() {
    #[derive(Clone)]
    struct PanicsInPollReady;

    impl Service<()> for PanicsInPollReady {
        type Response = ();
        type Error = Broken;
        type Future = std::future::Ready<Result<(), Broken>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
            panic!("always ready")
        }

        fn call(&mut self, (): ()) -> Self::Future {
            unreachable!("it is never ready")
        }
    }

    let (breaker, _) = past_the_deadline(POLICY);
    let mut service = BreakerLayer::new(breaker.clone()).layer(PanicsInPollReady);
    let polled = catch_unwind(AssertUnwindSafe(|| poll_ready(&mut service).is_ready()));
    assert!(polled.is_err());
    assert!(breaker.try_acquire().unwrap().is_probe());
}

/// Rejections recorded by a listener of either kind.
#[derive(Default)]
struct RejectionLog(Mutex<Vec<Reason>>);

impl CallListener for RejectionLog {
    fn on_rejected(&self, rejected: &Rejected) {
        self.0.lock().unwrap().push(rejected.reason());
    }
}

impl Listener for RejectionLog {
    fn on_transition(&self, _: &Transition) {}

    fn on_rejected(&self, rejected: &Rejected) {
        CallListener::on_rejected(self, rejected);
    }
}

#[test]
fn listeners_are_notified_once_of_each_rejected_call() {
    static CLOCK: Manual = Manual::new();
    static REJECTIONS: RejectionLog = RejectionLog(Mutex::new(Vec::new()));
    static OF_LISTENER: RejectionLog = RejectionLog(Mutex::new(Vec::new()));
    static BREAKER: Breaker = Breaker::builder()
        .clock(&CLOCK)
        .listeners(&[&OF_LISTENER])
        .call_listener(&REJECTIONS)
        .build();

    let mut service = BreakerLayer::new(&BREAKER).layer(Dependency::default());
    assert!(poll_ready(&mut service).is_ready());
    BREAKER.force_open();
    at_once(service.call(Ask::Well)).unwrap_err();
    assert_eq!(*REJECTIONS.0.lock().unwrap(), [Reason::ForcedOpen]);

    BREAKER.force_open_for(SECOND);
    assert!(poll_ready(&mut service).is_ready());
    assert!(poll_ready(&mut service).is_ready());
    assert_eq!(REJECTIONS.0.lock().unwrap().len(), 1);
    at_once(service.call(Ask::Well)).unwrap_err();
    assert_eq!(
        *REJECTIONS.0.lock().unwrap(),
        [Reason::ForcedOpen, Reason::Open]
    );
    assert_eq!(
        *OF_LISTENER.0.lock().unwrap(),
        [Reason::ForcedOpen, Reason::Open]
    );
}
