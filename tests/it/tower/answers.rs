//! Results that callers get: their own response or error, or a rejection.

use std::{error, future::pending, io, time::Duration};

use axum::body::Body;
use cutout::{
    Breaker, Error, Reason, Rejected, State, classify,
    tower::{BreakerLayer, service_unavailable},
};
use http::{Response, StatusCode};
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::{
    POLICY, SECOND, breaker, call,
    dependency::{Ask, Broken, Dependency},
};

#[tokio::test(start_paused = true)]
async fn a_breaker_over_a_timeout_under_a_buffer_works() {
    let (breaker, _) = breaker(POLICY);
    let mut service = ServiceBuilder::new()
        .buffer(8)
        .layer(BreakerLayer::new(breaker.clone()).flat())
        .timeout(Duration::from_secs(2))
        .service(service_fn(async |hangs: bool| {
            if hangs {
                pending::<()>().await;
            }
            Ok::<u32, io::Error>(7)
        }));

    assert_eq!(service.ready().await.unwrap().call(false).await.unwrap(), 7);
    for _ in 0..2 {
        let late = service.ready().await.unwrap().call(true).await.unwrap_err();
        assert!(late.is::<tower::timeout::error::Elapsed>());
        assert!(Rejected::find(&*late).is_none());
    }
    assert_eq!(breaker.state(), State::Open);
    let error = service
        .ready()
        .await
        .unwrap()
        .call(false)
        .await
        .unwrap_err();
    let rejected = Rejected::find(&*error).unwrap();
    assert_eq!(rejected.reason(), Reason::Open);
    assert_eq!(rejected.retry_after(), Some(SECOND));
}

#[test]
fn a_custom_error_can_be_a_rejection() {
    #[derive(Debug, PartialEq)]
    enum UnavailableError {
        Unavailable(Reason),
        Dependency,
    }

    impl From<Rejected> for UnavailableError {
        fn from(rejected: Rejected) -> Self {
            Self::Unavailable(rejected.reason())
        }
    }

    let (breaker, _) = breaker(POLICY);
    let mut service = BreakerLayer::new(breaker.clone())
        .flat()
        .layer(service_fn(async |()| {
            Err::<(), _>(UnavailableError::Dependency)
        }));
    assert_eq!(call(&mut service, ()), Err(UnavailableError::Dependency));
    breaker.force_open();
    assert_eq!(
        call(&mut service, ()),
        Err(UnavailableError::Unavailable(Reason::ForcedOpen))
    );
}

#[test]
fn a_rejection_is_a_503_with_retry_after() {
    let (breaker, clock) = breaker(POLICY);
    breaker.force_open_for(2 * SECOND);
    clock.advance(Duration::from_millis(500));
    let response: Response<Body> = service_unavailable(breaker.peek().unwrap_err());
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "2");
    let rejected = response.extensions().get::<Rejected>().unwrap();
    assert_eq!(rejected.retry_after(), Some(Duration::from_millis(1_500)));
}

#[test]
fn a_rejection_of_unknown_length_is_a_503_without_retry_after() {
    let (breaker, _) = breaker(POLICY);
    breaker.force_open();
    let response: Response<String> = service_unavailable(breaker.peek().unwrap_err());
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!response.headers().contains_key("retry-after"));
}

#[test]
fn a_response_for_a_rejection_is_not_recorded() {
    let (breaker, _) = breaker(POLICY);
    let mut service = BreakerLayer::new(breaker.clone())
        .respond_with(|_| 0)
        .layer(Dependency::default());
    assert_eq!(call(&mut service, Ask::Well), Ok(7));
    assert_eq!(call(&mut service, Ask::Fail), Err(Broken));
    breaker.force_open_for(SECOND);
    let before = breaker.snapshot();
    assert_eq!(call(&mut service, Ask::Well), Ok(0));
    assert_eq!(breaker.snapshot(), before);
}

#[test]
fn a_rejection_by_a_dependency_s_own_breaker_opens_this_one_for_the_same_time() {
    static THEIRS: Breaker = Breaker::new();
    THEIRS.force_open_for(60 * SECOND);
    let (ours, _) = breaker(POLICY);
    let dependency = BreakerLayer::new(&THEIRS)
        .respond_with(service_unavailable)
        .layer(service_fn(async |()| {
            Ok::<_, Broken>(Response::new(Body::empty()))
        }));
    let mut service = BreakerLayer::new(ours.clone())
        .classify(classify::http_response)
        .layer(dependency);
    for _ in 0..2 {
        assert_eq!(call(&mut service, ()).unwrap().status(), 503);
    }
    assert_eq!(ours.snapshot().retry_after, Some(60 * SECOND));
}

#[test]
fn a_dependency_that_asks_for_more_than_an_hour_gets_an_hour() {
    let (breaker, _) = breaker(POLICY);
    let mut service = BreakerLayer::new(breaker.clone())
        .classify(classify::http_response)
        .layer(service_fn(async |()| {
            let response = Response::builder().status(503);
            response
                .header("retry-after", "99999999999999999999")
                .body(())
        }));
    for _ in 0..2 {
        call(&mut service, ()).unwrap();
    }
    assert_eq!(breaker.snapshot().retry_after, Some(3_600 * SECOND));
}

#[test]
fn a_rejection_is_found_at_any_depth_of_a_chain() {
    let (breaker, _) = breaker(POLICY);
    breaker.force_open();
    let rejected = breaker.peek().unwrap_err();
    let flat: BoxError = Error::<BoxError>::Rejected(rejected).flatten();
    assert_eq!(Rejected::find(&*flat), Some(rejected));
    let deep = anyhow::Error::new(rejected)
        .context("no quote")
        .context("no offer");
    let deep: &(dyn error::Error + 'static) = deep.as_ref();
    assert_eq!(Rejected::find(deep), Some(rejected));
    assert_eq!(Rejected::find(&Broken), None);
}
