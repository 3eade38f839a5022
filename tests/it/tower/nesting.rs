//! Two layers over one breaker: the outer layer decides, the inner layer passes the call on.

use std::{
    future::ready,
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{Router, body::Body as AxumBody, body::Bytes, http::StatusCode, routing::get};
use cutout::{
    Breaker, Error, Policy, State, Trip, classify,
    clock::Manual,
    tower::{BreakerLayer, service_unavailable},
};
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::{
    POLICY, SECOND, at_once, breaker, call,
    dependency::{Ask, Broken, Dependency},
    past_the_deadline, poll_ready,
};

const ONE_FAILS: Policy = POLICY.trip(Trip::consecutive(1));

/// A dependency of handlers that fails until `is_back` is called.
#[derive(Clone, Default)]
struct Backend(Arc<AtomicBool>);

impl Backend {
    fn is_back(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn answer(&self) -> StatusCode {
        if self.0.load(Ordering::SeqCst) {
            StatusCode::OK
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

/// A router under a layer, nested in a router under another layer.
fn nested<B: LayerOver>(dependency: &Backend, outer: B, inner: B) -> Router {
    let dependency = dependency.clone();
    let handler = move || ready(dependency.answer());
    let under = inner.over(Router::new().route("/", get(handler)));
    outer.over(Router::new().nest("/under", under))
}

/// Access to the breaker of a layer over routes.
trait LayerOver: Deref<Target = Breaker> + Clone {
    fn over(self, routes: Router) -> Router;
}

macro_rules! over {
    ($($breaker:ty),*) => {$(
        impl LayerOver for $breaker {
            fn over(self, routes: Router) -> Router {
                let layer = BreakerLayer::new(self)
                    .classify(classify::http_response)
                    .hold_body()
                    .respond_with(service_unavailable);
                routes.layer(layer)
            }
        }
    )*};
}

over!(&'static Breaker, Arc<Breaker>);

async fn ask(app: &Router) -> StatusCode {
    let request = Request::get("/under").body(AxumBody::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    response.into_body().collect().await.unwrap();
    status
}

fn failures(breaker: &Breaker) -> Option<u32> {
    breaker.snapshot().failures
}

async fn counts_once_and_recovers<B: LayerOver>(breaker: B, clock: &Manual) {
    let dependency = Backend::default();
    let app = nested(&dependency, breaker.clone(), breaker.clone());
    assert_eq!(ask(&app).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(failures(&breaker), Some(1));
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(ask(&app).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(ask(&app).await, StatusCode::SERVICE_UNAVAILABLE);

    clock.advance(SECOND);
    assert_eq!(ask(&app).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(breaker.snapshot().reopens, 1);
    dependency.is_back();
    clock.advance(SECOND);
    assert_eq!(ask(&app).await, StatusCode::OK);
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(ask(&app).await, StatusCode::OK);
}

#[tokio::test]
async fn a_request_through_two_layers_over_a_static_counts_once_and_recovers() {
    static CLOCK: Manual = Manual::new();
    static BREAKER: Breaker = Breaker::builder().policy(POLICY).clock(&CLOCK).build();
    counts_once_and_recovers(&BREAKER, &CLOCK).await;
}

#[tokio::test]
async fn a_request_through_two_layers_over_an_arc_counts_once_and_recovers() {
    let (breaker, clock) = breaker(POLICY);
    counts_once_and_recovers(breaker, &clock).await;
}

#[tokio::test]
async fn one_probe_is_enough_for_two_layers() {
    let (breaker, clock) = breaker(ONE_FAILS);
    let dependency = Backend::default();
    let app = nested(&dependency, breaker.clone(), breaker.clone());
    assert_eq!(ask(&app).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(breaker.state(), State::Open);
    dependency.is_back();
    clock.advance(SECOND);
    assert_eq!(ask(&app).await, StatusCode::OK);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test]
async fn layers_over_different_breakers_count_each() {
    let ((outer, _), (inner, _)) = (breaker(POLICY), breaker(POLICY));
    let app = nested(&Backend::default(), outer.clone(), inner.clone());
    assert_eq!(ask(&app).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!((failures(&outer), failures(&inner)), (Some(1), Some(1)));
}

#[tokio::test]
async fn a_breaker_between_two_of_another_counts_each_once() {
    let ((one, _), (other, _)) = (breaker(POLICY), breaker(POLICY));
    let mut service = ServiceBuilder::new()
        .layer(BreakerLayer::new(one.clone()).respond_with(|_| 0))
        .layer(BreakerLayer::new(other.clone()).respond_with(|_| 0))
        .layer(BreakerLayer::new(one.clone()).respond_with(|_| 0))
        .layer(BreakerLayer::new(other.clone()).respond_with(|_| 0))
        .service(Dependency::default());
    assert_eq!(call(&mut service, Ask::Fail), Err(Broken));
    assert_eq!((failures(&one), failures(&other)), (Some(1), Some(1)));
}

#[test]
fn layers_that_choose_by_request_pass_on_calls_admitted_by_the_outer_one() {
    let (breaker, clock) = breaker(ONE_FAILS);
    let (outer, inner) = (breaker.clone(), breaker.clone());
    let mut service = ServiceBuilder::new()
        .layer(BreakerLayer::by_request(move |_: &Ask| outer.clone()).respond_with(|_| 0))
        .layer(BreakerLayer::by_request(move |_: &Ask| inner.clone()).respond_with(|_| 1))
        .service(Dependency::default());
    assert_eq!(call(&mut service, Ask::Fail), Err(Broken));
    assert_eq!(call(&mut service, Ask::Well), Ok(0));
    clock.advance(SECOND);
    assert_eq!(call(&mut service, Ask::Well), Ok(7));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn errors_of_an_inner_layer_keep_their_own_type() {
    let (breaker, _) = breaker(POLICY);
    let inner = BreakerLayer::new(breaker.clone()).layer(Dependency::default());
    let mut service = BreakerLayer::new(breaker.clone()).layer(inner);
    let error = call(&mut service, Ask::Fail).unwrap_err();
    assert_eq!(error, Error::Inner(Error::Inner(Broken)));
    assert_eq!(failures(&breaker), Some(1));
}

#[test]
fn a_panic_through_two_layers_counts_once_and_propagates() {
    for ask in [Ask::PanicInCall, Ask::PanicInPoll] {
        let (breaker, _) = breaker(POLICY);
        let inner = BreakerLayer::new(breaker.clone()).layer(Dependency::default());
        let mut service = BreakerLayer::new(breaker.clone()).layer(inner);
        catch_unwind(AssertUnwindSafe(|| call(&mut service, ask))).unwrap_err();
        assert_eq!(failures(&breaker), Some(1), "{ask:?}");
        call(&mut service, Ask::Fail).unwrap_err();
        assert_eq!(breaker.state(), State::Open, "{ask:?}");
    }
}

#[test]
fn a_response_that_is_dropped_counts_once() {
    let (breaker, _) = past_the_deadline(POLICY);
    let inner = BreakerLayer::new(breaker.clone()).layer(Dependency::default());
    let mut service = BreakerLayer::new(breaker.clone()).layer(inner);
    assert!(poll_ready(&mut service).is_ready());
    let response = service.call(Ask::Hang);
    assert_eq!(breaker.snapshot().probes_in_flight, 1);
    drop(response);
    assert_eq!(breaker.snapshot().reopens, 1);
}

#[test]
fn a_service_that_fails_to_get_ready_under_two_layers_counts_once() {
    let (breaker, _) = breaker(POLICY);
    let dependency = Dependency::default();
    let inner = BreakerLayer::new(breaker.clone()).layer(dependency.clone());
    let mut service = BreakerLayer::new(breaker.clone()).layer(inner);
    dependency.set_readiness(Poll::Ready(Err(Broken)));
    assert!(matches!(poll_ready(&mut service), Poll::Ready(Err(_))));
    assert_eq!(failures(&breaker), Some(1));
}

/// A body that makes a call for each of its frames.
struct Asking<S>(S);

impl<S: Service<Ask, Error: std::fmt::Debug> + Unpin> Body for Asking<S> {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let answer = call(&mut self.0, Ask::Fail);
        Poll::Ready(Some(answer.map_or(Err(Broken), |_| unreachable!())))
    }
}

#[test]
fn a_held_body_is_inside_its_call() {
    let (breaker, _) = breaker(POLICY);
    let inner = BreakerLayer::new(breaker.clone()).layer(Dependency::default());
    let mut service = BreakerLayer::new(breaker.clone())
        .hold_body()
        .layer(service_fn(move |()| {
            let response = Response::new(Asking(inner.clone()));
            ready(Ok::<_, Broken>(response))
        }));
    let response = call(&mut service, ()).unwrap();
    at_once(response.into_body().collect()).unwrap_err();
    assert_eq!(failures(&breaker), Some(1));
}

/// As documented: a future that another task polls is a separate call.
#[tokio::test]
async fn a_call_in_a_spawned_task_counts_by_itself() {
    let (breaker, clock) = breaker(ONE_FAILS.trip(Trip::consecutive(3)));
    let inner = BreakerLayer::new(breaker.clone()).layer(Dependency::default());
    let mut service = BreakerLayer::new(breaker.clone())
        .flat()
        .layer(service_fn(move |ask| {
            let task = tokio::spawn(inner.clone().oneshot(ask));
            async { task.await.unwrap().map_err(BoxError::from) }
        }));
    service
        .ready()
        .await
        .unwrap()
        .call(Ask::Fail)
        .await
        .unwrap_err();
    assert_eq!(failures(&breaker), Some(2));
    service
        .ready()
        .await
        .unwrap()
        .call(Ask::Fail)
        .await
        .unwrap_err();
    assert_eq!(breaker.state(), State::Open);
    // The outer call holds the only probe.
    clock.advance(SECOND);
    let rejected = service.ready().await.unwrap().call(Ask::Well).await;
    let error = rejected.unwrap_err();
    let error = error.downcast_ref::<Error<Broken>>().unwrap();
    assert!(error.is_rejected());
    assert_eq!(breaker.snapshot().reopens, 1);
}

#[tokio::test]
async fn a_call_behind_a_buffer_counts_by_itself() {
    let (breaker, _) = breaker(POLICY.trip(Trip::consecutive(3)));
    let mut service = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker.clone()).flat())
        .buffer(8)
        .layer(BreakerLayer::new(breaker.clone()))
        .service(Dependency::default());
    service
        .ready()
        .await
        .unwrap()
        .call(Ask::Fail)
        .await
        .unwrap_err();
    // The response comes back through a channel, but the caller polls its future; the worker only
    // makes the `call`.
    assert_eq!(failures(&breaker), Some(2));
}
