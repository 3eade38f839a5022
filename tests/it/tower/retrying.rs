//! Retries outside the breaker, which leave its rejections alone.

use std::{
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll},
};

use cutout::{
    Rejected, State,
    tower::{BreakerLayer, MaybeRejected, UnlessRejected},
};
use tower::{
    BoxError, Layer, Service, ServiceBuilder,
    retry::{Policy, Retry},
};

use super::{
    POLICY, breaker, call,
    dependency::{Ask, Broken, Dependency},
};

/// Retries every failure this many times, and counts attempts in the request.
#[derive(Clone)]
struct Attempts(u32);

impl<R: Clone, T, E> Policy<R, T, E> for Attempts {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut R, result: &mut Result<T, E>) -> Option<Ready<()>> {
        result.as_ref().err()?;
        self.0 = self.0.checked_sub(1)?;
        Some(ready(()))
    }

    fn clone_request(&mut self, request: &R) -> Option<R> {
        Some(request.clone())
    }
}

/// Counts the calls that pass through.
#[derive(Clone)]
struct Counting<S>(S, Arc<AtomicU32>);

impl<S: Service<R>, R> Service<R> for Counting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.call(request)
    }
}

/// Calls a service once through a policy; returns the result and the number of attempts.
fn attempt<P, S>(policy: P, service: S) -> (Result<S::Response, S::Error>, u32)
where
    P: Policy<Ask, S::Response, S::Error> + Clone,
    S: Service<Ask> + Clone,
{
    let attempts = Arc::default();
    let counting = Counting(service, Arc::clone(&attempts));
    let result = call(&mut Retry::new(policy, counting), Ask::Fail);
    (result, attempts.load(Ordering::SeqCst))
}

/// A common mistake: retrying rejections.
#[test]
fn rejections_are_not_retried_by_an_outer_retry_layer() {
    let (breaker, _) = breaker(POLICY);
    let dependency = Dependency::default();
    let service = BreakerLayer::new(breaker.clone()).layer(dependency.clone());
    let (result, attempts) = attempt(UnlessRejected(Attempts(10)), service.clone());
    assert!(result.unwrap_err().is_rejected());
    assert_eq!((attempts, dependency.calls()), (3, 2));

    // The same without the wrapper.
    breaker.reset();
    let (result, attempts) = attempt(Attempts(10), service);
    assert!(result.unwrap_err().is_rejected());
    assert_eq!((attempts, dependency.calls()), (11, 4));
}

#[test]
fn rejections_that_were_boxed_are_not_retried_either() {
    let (breaker, _) = breaker(POLICY);
    let dependency = Dependency::default();
    let service = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker).flat())
        .map_err(BoxError::from)
        .service(dependency.clone());
    let (result, attempts) = attempt(UnlessRejected(Attempts(10)), service);
    assert!(Rejected::find(&*result.unwrap_err()).is_some());
    assert_eq!((attempts, dependency.calls()), (3, 2));
}

#[test]
fn rejections_are_not_retried_above_a_buffer() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (breaker, _) = breaker(POLICY);
        let dependency = Dependency::default();
        let mut service = ServiceBuilder::new()
            .retry(UnlessRejected(Attempts(10)))
            .buffer(8)
            .layer(BreakerLayer::new(breaker).flat())
            .map_err(BoxError::from)
            .service(dependency.clone());
        let ready = tower::ServiceExt::ready(&mut service).await.unwrap();
        let error = ready.call(Ask::Fail).await.unwrap_err();
        assert!(Rejected::find(&*error).is_some());
        assert_eq!(dependency.calls(), 2);
    });
}

#[test]
fn a_custom_error_reports_whether_it_is_a_rejection() {
    #[derive(Clone, Debug, PartialEq)]
    enum RetriedError {
        Unavailable(Rejected),
        Dependency,
    }

    impl From<Rejected> for RetriedError {
        fn from(rejected: Rejected) -> Self {
            Self::Unavailable(rejected)
        }
    }

    impl MaybeRejected for RetriedError {
        fn rejected(&self) -> Option<Rejected> {
            match self {
                Self::Unavailable(rejected) => Some(*rejected),
                Self::Dependency => None,
            }
        }
    }

    let (breaker, _) = breaker(POLICY);
    let service = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker).flat())
        .map_err(|Broken| RetriedError::Dependency)
        .service(Dependency::default());
    let (result, attempts) = attempt(UnlessRejected(Attempts(10)), service);
    assert!(result.unwrap_err().rejected().is_some());
    assert_eq!(attempts, 3);
}

#[test]
fn other_errors_are_retried_and_every_attempt_counts() {
    let (breaker, _) = breaker(POLICY);
    let dependency = Dependency::default();
    let service = BreakerLayer::new(breaker.clone()).layer(dependency.clone());
    let (result, attempts) = attempt(UnlessRejected(Attempts(1)), service);
    // The call that trips the breaker gets its own error.
    assert_eq!(result.unwrap_err().into_inner(), Some(Broken));
    assert_eq!((attempts, dependency.calls()), (2, 2));
    assert_eq!(breaker.state(), State::Open);
}
