//! The tower layer: when it polls the inner service, how long permits last, and what callers get.

mod answers;
mod bodies;
mod dependency;
mod keyed;
mod nesting;
mod permits;
mod readiness;
mod retrying;
mod sharing;
mod spawning;

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use cutout::{Breaker, OnDrop, Policy, Trip};
use tower::Service;

use crate::support::{CountingClock, Fixture, SECOND};

/// Trips on the second failure in a row; a dropped call is ignored unless it is a probe.
const POLICY: Policy = Policy::new()
    .trip(Trip::consecutive(2))
    .open_for(SECOND)
    .on_drop(OnDrop::FailProbe);

fn breaker(policy: Policy) -> (Arc<Breaker>, Arc<CountingClock>) {
    let Fixture { breaker, clock } = Fixture::new(policy);
    (breaker, clock)
}

/// A breaker whose next call is a probe.
fn past_the_deadline(policy: Policy) -> (Arc<Breaker>, Arc<CountingClock>) {
    let Fixture { breaker, clock } = Fixture::past_the_deadline(policy);
    (breaker, clock)
}

fn poll_ready<S: Service<R>, R>(service: &mut S) -> Poll<Result<(), S::Error>> {
    service.poll_ready(&mut Context::from_waker(Waker::noop()))
}

/// Output of a future that is ready at once.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it is pending"),
    }
}

/// Makes one call of a service that is ready at once.
fn call<S: Service<R>, R>(service: &mut S, request: R) -> Result<S::Response, S::Error> {
    assert!(matches!(poll_ready(service), Poll::Ready(Ok(()))));
    at_once(service.call(request))
}
