//! Permits that are held to the end of a response's body.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use axum::{
    Router,
    body::{Body as AxumBody, Bytes},
    routing::get,
};
use cutout::{
    Breaker, OnDrop, Outcome, Policy, State, Trip, classify,
    tower::{BreakerLayer, HeldBody, OnBodyDrop, service_unavailable},
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

use super::{POLICY, SECOND, at_once, breaker, call, dependency::Broken, past_the_deadline};

/// Result of one poll of a body, before its end.
type Polled = Poll<Result<Frame<Bytes>, Broken>>;

/// A body that yields these frames and then ends.
#[derive(Default)]
struct Frames {
    left: VecDeque<Polled>,
    panics: bool,
    /// Whether `is_end_stream` is true when nothing remains.
    reports_its_end: bool,
    hint: SizeHint,
}

impl Frames {
    fn of(polls: impl IntoIterator<Item = Polled>) -> Self {
        Self {
            left: polls.into_iter().collect(),
            ..Self::default()
        }
    }
}

const BROKEN: Polled = Poll::Ready(Err(Broken));

fn data() -> Polled {
    Poll::Ready(Ok(Frame::data(Bytes::from_static(b"offer"))))
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        assert!(!self.panics, "on purpose");
        match self.left.pop_front() {
            Some(polled) => polled.map(Some),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.reports_its_end && self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

type Held = HeldBody<Frames, Arc<Breaker>>;

/// Makes a call whose response has this head and this body.
fn response(breaker: &Arc<Breaker>, status: u16, body: Frames) -> Response<Held> {
    let mut body = Some(body);
    let mut service = BreakerLayer::new(breaker.clone())
        .classify(classify::http_response)
        .hold_body()
        .keep_readiness() // one body, for one call
        .layer(service_fn(move |()| {
            let response = Response::builder().status(status);
            std::future::ready(response.body(body.take().unwrap()))
        }));
    call(&mut service, ()).unwrap()
}

fn body(breaker: &Arc<Breaker>, body: Frames) -> Held {
    response(breaker, 200, body).into_body()
}

fn poll(body: &mut Held) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
    Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()))
}

/// A breaker that has counted one failure, so that a success is visible.
fn after_a_failure(policy: Policy) -> Arc<Breaker> {
    let (breaker, _) = breaker(policy);
    breaker.try_acquire().unwrap().failure();
    assert_eq!(failures(&breaker), 1);
    breaker
}

fn failures(breaker: &Breaker) -> u32 {
    breaker.snapshot().failures.unwrap()
}

/// A common mistake: the permit is released with the head, and the outcome of the body is lost.
#[test]
fn the_permit_is_held_to_the_end_of_the_response() {
    let breaker = after_a_failure(POLICY);
    let mut body = body(&breaker, Frames::of([data(), Poll::Pending, data()]));
    assert!(poll(&mut body).is_ready());
    assert!(poll(&mut body).is_pending());
    assert!(poll(&mut body).is_ready());
    assert_eq!(failures(&breaker), 1);
    assert!(matches!(poll(&mut body), Poll::Ready(None)));
    assert_eq!(failures(&breaker), 0);
    assert!(matches!(poll(&mut body), Poll::Ready(None)));
}

#[test]
fn without_the_option_a_call_ends_with_its_head() {
    let breaker = after_a_failure(POLICY);
    let mut service = BreakerLayer::new(breaker.clone()).layer(service_fn(async |()| {
        Ok::<_, Broken>(Response::new(Frames::of([data()])))
    }));
    let response = call(&mut service, ()).unwrap();
    assert_eq!(failures(&breaker), 0);
    drop(response);
}

#[test]
fn a_body_that_breaks_off_is_a_failure() {
    let (breaker, _) = breaker(POLICY);
    let mut body = body(&breaker, Frames::of([data(), BROKEN]));
    assert!(matches!(poll(&mut body), Poll::Ready(Some(Ok(_)))));
    assert!(matches!(poll(&mut body), Poll::Ready(Some(Err(Broken)))));
    assert_eq!(failures(&breaker), 1);
    drop(body);
    assert_eq!(failures(&breaker), 1);
}

#[test]
fn a_body_that_panics_is_a_failure() {
    let (breaker, _) = breaker(POLICY.on_drop(OnDrop::Ignore));
    let mut frames = Frames::of([data()]);
    frames.panics = true;
    let mut body = body(&breaker, frames);
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut body).is_ready())).is_err());
    assert_eq!(failures(&breaker), 1);
}

/// Reads one frame of a good body and drops the body.
fn read_and_leave(breaker: &Arc<Breaker>, rule: OnBodyDrop) {
    let mut service = BreakerLayer::new(breaker.clone())
        .hold_body()
        .on_body_drop(rule)
        .layer(service_fn(async |()| {
            Ok::<_, Broken>(Response::new(Frames::of([data(), data()])))
        }));
    let mut body = call(&mut service, ()).unwrap().into_body();
    assert!(poll(&mut body).is_ready());
    drop(body);
}

/// A client ends an event stream by dropping it.
#[test]
fn good_streams_that_their_clients_leave_are_successes() {
    let policy = POLICY.trip(Trip::percent(50).min_calls(3).of_last(30));
    let (breaker, _) = breaker(policy);
    for number in 0..30 {
        if number % 10 == 0 {
            drop(response(&breaker, 500, Frames::of([])));
        } else {
            let mut body = body(&breaker, Frames::of([data(), data()]));
            assert!(poll(&mut body).is_ready());
        }
        assert_eq!(breaker.state(), State::Closed, "{number}");
    }
}

#[test]
fn a_body_that_is_dropped_is_a_success_unless_the_policy_fails_the_drop() {
    for (on_drop, expected) in [
        (OnDrop::FailProbe, 0),
        (OnDrop::Ignore, 0),
        (OnDrop::FailureAfter(SECOND), 0),
        (OnDrop::Failure, 2),
    ] {
        let breaker = after_a_failure(POLICY.on_drop(on_drop));
        read_and_leave(&breaker, OnBodyDrop::Head);
        assert_eq!(failures(&breaker), expected, "{on_drop:?}");
    }
}

#[test]
fn a_body_that_hung_until_it_was_dropped_is_a_failure_if_the_policy_says_so() {
    let (breaker, clock) = breaker(POLICY.on_drop(OnDrop::FailureAfter(SECOND)));
    let mut body = body(&breaker, Frames::of([data(), Poll::Pending]));
    assert!(poll(&mut body).is_ready());
    assert!(poll(&mut body).is_pending());
    clock.advance(SECOND);
    drop(body);
    assert_eq!(failures(&breaker), 1);
}

#[test]
fn a_long_stream_that_is_dropped_is_not_slow() {
    let (breaker, clock) = breaker(POLICY.slow_call(SECOND));
    breaker.try_acquire().unwrap().failure();
    let mut body = body(&breaker, Frames::of([data(), data()]));
    assert!(poll(&mut body).is_ready());
    clock.advance(60 * SECOND);
    drop(body);
    assert_eq!(failures(&breaker), 0);
}

#[test]
fn a_body_that_is_dropped_can_be_a_dropped_call() {
    for (on_drop, expected) in [(OnDrop::FailProbe, 1), (OnDrop::Failure, 2)] {
        let breaker = after_a_failure(POLICY.on_drop(on_drop));
        read_and_leave(&breaker, OnBodyDrop::Policy);
        assert_eq!(failures(&breaker), expected, "{on_drop:?}");
    }
}

#[test]
fn the_classifier_and_the_rule_of_drops_are_set_in_any_order() {
    let breaker = after_a_failure(POLICY);
    let mut service = BreakerLayer::new(breaker.clone())
        .hold_body()
        .on_body_drop(OnBodyDrop::Policy)
        .classify(classify::http_response)
        .layer(service_fn(async |()| {
            Ok::<_, Broken>(Response::new(Frames::of([data(), data()])))
        }));
    let mut body = call(&mut service, ()).unwrap().into_body();
    assert!(poll(&mut body).is_ready());
    drop(body);
    assert_eq!(failures(&breaker), 1);
}

/// A head that is ignored stays ignored at the end of its body.
#[test]
fn a_head_that_is_ignored_is_no_success_at_the_end_of_its_body() {
    let ignored = |_: &Result<Response<Frames>, Broken>| Outcome::Ignored;
    for read in [false, true] {
        let breaker = after_a_failure(POLICY);
        let mut service = BreakerLayer::new(breaker.clone())
            .classify(ignored)
            .hold_body()
            .layer(service_fn(async |()| {
                Ok::<_, Broken>(Response::new(Frames::of([data()])))
            }));
        let mut body = call(&mut service, ()).unwrap().into_body();
        if read {
            assert!(poll(&mut body).is_ready());
            assert!(matches!(poll(&mut body), Poll::Ready(None)));
        }
        drop(body);
        assert_eq!(failures(&breaker), 1, "read: {read}");
    }
}

#[test]
fn a_body_that_is_not_held_leaves_the_outcome_to_the_head() {
    let breaker = after_a_failure(POLICY.on_drop(OnDrop::Failure));
    drop(response(&breaker, 200, Frames::of([data()])));
    assert_eq!(failures(&breaker), 0);

    let breaker = after_a_failure(POLICY.on_drop(OnDrop::Failure));
    let mut body = body(&breaker, Frames::of([Poll::Pending, data()]));
    assert!(poll(&mut body).is_pending());
    drop(body);
    assert_eq!(failures(&breaker), 2);
}

#[test]
fn a_head_that_fails_counts_at_once_and_once() {
    let (breaker, _) = breaker(POLICY);
    let response = response(&breaker, 500, Frames::of([BROKEN]));
    assert_eq!(failures(&breaker), 1);
    assert!(poll(&mut response.into_body()).is_ready());
    assert_eq!(failures(&breaker), 1);
}

#[test]
fn a_probe_ends_at_the_head_so_that_a_long_body_does_not_block_recovery() {
    let (breaker, _) = past_the_deadline(POLICY);
    let mut long = body(&breaker, Frames::of([Poll::Pending, BROKEN]));
    assert_eq!(breaker.state(), State::Closed);
    assert!(poll(&mut long).is_pending());
    // The probe has reported, and does not report again.
    assert!(poll(&mut long).is_ready());
    assert_eq!(failures(&breaker), 0);
}

#[test]
fn a_probe_whose_head_fails_reopens() {
    let (breaker, _) = past_the_deadline(POLICY);
    drop(response(&breaker, 500, Frames::of([data()])));
    assert_eq!(breaker.snapshot().reopens, 1);
}

#[test]
fn a_body_that_ends_in_a_later_period_changes_nothing() {
    let (breaker, _) = breaker(POLICY);
    let mut body = body(&breaker, Frames::of([BROKEN]));
    breaker.reset();
    assert!(poll(&mut body).is_ready());
    assert_eq!(failures(&breaker), 0);
}

#[test]
fn a_body_that_reports_its_end_need_not_be_polled_again() {
    // As a server does for `HEAD`, or for a body of known length.
    let breaker = after_a_failure(POLICY);
    let mut frames = Frames::of([]);
    frames.reports_its_end = true;
    let _alive = body(&breaker, frames);
    assert_eq!(failures(&breaker), 0);

    let breaker = after_a_failure(POLICY);
    let mut frames = Frames::of([data(), data()]);
    frames.reports_its_end = true;
    let mut body = body(&breaker, frames);
    assert!(poll(&mut body).is_ready());
    assert_eq!(failures(&breaker), 1);
    assert!(poll(&mut body).is_ready());
    assert_eq!(failures(&breaker), 0);
}

/// The call ends when the body is dropped and not before, because trailers may follow.
#[test]
fn a_body_of_known_length_ends_when_no_data_remains() {
    for (hint, expected) in [(1, 2), (0, 0)] {
        let breaker = after_a_failure(POLICY.on_drop(OnDrop::Failure));
        let mut frames = Frames::of([data(), data()]);
        frames.hint = SizeHint::with_exact(hint);
        let mut body = body(&breaker, frames);
        assert!(poll(&mut body).is_ready());
        assert_eq!(failures(&breaker), 1);
        drop(body);
        assert_eq!(failures(&breaker), expected, "{hint}");
    }
}

/// A server that has sent the announced length drops the body and does not poll for its end.
#[test]
fn a_body_ends_when_its_announced_length_has_arrived() {
    for (length, expected) in [("10", 0), ("11", 2), ("9", 0), ("many", 2)] {
        let breaker = after_a_failure(POLICY.on_drop(OnDrop::Failure));
        let mut service = BreakerLayer::new(breaker.clone())
            .hold_body()
            .layer(service_fn(async |()| {
                let response = Response::builder().header("content-length", length);
                response.body(Frames::of([data(), data(), data()]))
            }));
        let mut body = call(&mut service, ()).unwrap().into_body();
        assert!(poll(&mut body).is_ready());
        assert!(poll(&mut body).is_ready());
        assert_eq!(failures(&breaker), 1);
        drop(body);
        assert_eq!(failures(&breaker), expected, "{length}");
    }
}

#[test]
fn a_body_that_was_sent_whole_is_timed() {
    let (breaker, clock) = breaker(POLICY.slow_call(SECOND));
    let mut frames = Frames::of([data()]);
    frames.hint = SizeHint::with_exact(0);
    let mut body = body(&breaker, frames);
    assert!(poll(&mut body).is_ready());
    clock.advance(SECOND);
    drop(body);
    assert_eq!(failures(&breaker), 1);
}

/// The length of a body says nothing about its trailers.
#[test]
fn a_grpc_status_in_the_trailers_of_a_body_of_known_length_is_the_outcome() {
    fn unavailable() -> Polled {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("14"));
        Poll::Ready(Ok(Frame::trailers(trailers)))
    }

    let (breaker, _) = breaker(POLICY);
    let mut frames = Frames::of([unavailable()]);
    frames.hint = SizeHint::with_exact(0);
    let mut empty = body(&breaker, frames);
    assert!(poll(&mut empty).is_ready());
    assert_eq!(failures(&breaker), 1);

    breaker.reset();
    let mut service = BreakerLayer::new(breaker.clone())
        .hold_body()
        .layer(service_fn(async |()| {
            let response = Response::builder().header("content-length", "5");
            response.body(Frames::of([data(), unavailable()]))
        }));
    let mut body = call(&mut service, ()).unwrap().into_body();
    assert!(poll(&mut body).is_ready());
    assert!(poll(&mut body).is_ready());
    assert_eq!(failures(&breaker), 1);
}

#[test]
fn frames_trailers_and_hints_are_those_of_the_inner_body() {
    let (breaker, _) = breaker(POLICY);
    let trailers = HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static("seven"))]);
    let mut frames = Frames::of([data(), Poll::Ready(Ok(Frame::trailers(trailers.clone())))]);
    frames.hint = SizeHint::with_exact(5);
    frames.reports_its_end = true;
    let body = body(&breaker, frames);
    assert_eq!(body.size_hint().exact(), Some(5));
    assert!(!body.is_end_stream());
    let collected = at_once(body.collect()).unwrap();
    assert_eq!(collected.trailers(), Some(&trailers));
    assert_eq!(collected.to_bytes(), "offer");

    let collected = response(&breaker, 500, Frames::of([data()])).into_body();
    assert_eq!(at_once(collected.collect()).unwrap().to_bytes(), "offer");
}

#[test]
fn a_grpc_status_in_the_trailers_is_the_outcome() {
    for (code, expected) in [("0", 0), ("5", 0), ("1", 1), ("14", 2)] {
        let breaker = after_a_failure(POLICY);
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static(code));
        let trailers = Poll::Ready(Ok(Frame::trailers(trailers)));
        let mut body = body(&breaker, Frames::of([data(), trailers]));
        assert!(poll(&mut body).is_ready());
        assert_eq!(failures(&breaker), 1);
        assert!(poll(&mut body).is_ready());
        drop(body);
        assert_eq!(failures(&breaker), expected, "{code}");
    }
}

#[tokio::test]
async fn an_axum_app_holds_permits_to_the_end_of_its_bodies() {
    let breaker = after_a_failure(POLICY);
    let layer = BreakerLayer::new(breaker.clone())
        .hold_body()
        .respond_with(service_unavailable)
        .classify(classify::http_response);
    let app = Router::new()
        .route(
            "/",
            get(async || AxumBody::new(Full::from("offer").map_frame(|frame| frame))),
        )
        .layer(layer);
    let ask = || http::Request::new(AxumBody::empty());

    let response = app.clone().oneshot(ask()).await.unwrap();
    assert_eq!(failures(&breaker), 1);
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "offer"
    );
    assert_eq!(failures(&breaker), 0);

    breaker.force_open();
    let rejected = app.oneshot(ask()).await.unwrap();
    assert_eq!(rejected.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        rejected
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .is_empty()
    );
}
