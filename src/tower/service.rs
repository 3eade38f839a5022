//! [`BreakerService`]: a service behind a breaker.

use core::{
    fmt, mem,
    task::{Context, Poll},
};

use tower_service::Service;

use crate::{Breaker, Rejected, breaker::admission::Admission, permit::RawPermit, scope};

use super::{
    Classify, SelectBreaker,
    classify::ByResult,
    completion::{CompleteAtResponse, CompletionPoint},
    future::ResponseFuture,
    on_reject::{OnReject, WrapRejection},
    release::{Release, ReleaseByClone},
};

/// A service behind a breaker. Created by [`BreakerLayer`](super::BreakerLayer).
///
/// While the breaker rejects, `poll_ready` is ready without polling the inner service. The call
/// that follows is rejected, even if the breaker would admit it by then. (After one more
/// `poll_ready` that polls the inner service ready, the breaker decides the call.) While the
/// breaker does not reject, the service is ready when the inner service is.
///
/// Inside a call of the same breaker the service only passes requests on: the outermost layer
/// admits and counts.
///
/// A clone has the same breaker and must be polled ready by itself.
pub struct BreakerService<
    S,
    B,
    E = CompleteAtResponse<ByResult>,
    A = WrapRejection,
    R = ReleaseByClone,
> {
    inner: S,
    select: B,
    completion: E,
    on_reject: A,
    release: R,
    readiness: Readiness,
    /// True if the inner service was polled ready since its last call. It may hold a reservation,
    /// or wait in a queue for one.
    reserves: bool,
}

/// Result of the last `poll_ready`, valid for one call.
#[derive(Debug, Default)]
enum Readiness {
    #[default]
    Unknown,
    /// The inner service is ready.
    Inner,
    /// The breaker rejects, and the inner service was not polled.
    Rejects(Rejected),
}

impl Readiness {
    /// Takes the rejection.
    #[inline]
    fn take_rejected(&mut self) -> Option<Rejected> {
        match mem::take(self) {
            Self::Rejects(rejected) => Some(rejected),
            Self::Unknown | Self::Inner => None,
        }
    }
}

/// Verdict on a call.
enum Decision {
    Admitted(Admission),
    /// The call is inside a call of the same breaker.
    PassedOn,
    /// Rejected; `Readiness` holds the rejection.
    Rejected,
}

impl<S, B, E, A, R> BreakerService<S, B, E, A, R> {
    pub(super) fn new(inner: S, select: B, completion: E, on_reject: A, release: R) -> Self {
        Self {
            inner,
            select,
            completion,
            on_reject,
            release,
            readiness: Readiness::Unknown,
            reserves: false,
        }
    }

    /// Returns a reference to the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns a mutable reference to the inner service. The breaker does not see calls through it.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the inner service, without the breaker.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// Gives up the inner service's reservation for a call that will not be made.
    #[inline]
    fn release_reservation(&mut self)
    where
        R: Release<S>,
    {
        if mem::take(&mut self.reserves) {
            self.release.release(&mut self.inner);
        }
    }
}

impl<S, B, E, A, R, Request> Service<Request> for BreakerService<S, B, E, A, R>
where
    S: Service<Request>,
    B: SelectBreaker<Request>,
    E: CompletionPoint<S::Response, S::Error, B::Breaker> + Clone,
    A: OnReject<S::Response, S::Error> + Clone,
    R: Release<S>,
{
    type Response = E::Response;
    type Error = A::Error;
    type Future = ResponseFuture<S::Future, B::Breaker, E, A>;

    /// Returns ready while the breaker rejects, and otherwise when the inner service is ready.
    ///
    /// # Errors
    ///
    /// Returns the inner service's error. No call follows a failed `poll_ready`, so the error
    /// itself is classified and recorded, if the breaker admits it. It is not recorded if the
    /// request [selects the breaker](super::BreakerLayer::by_request), since there is no request
    /// yet.
    #[expect(
        clippy::inline_always,
        reason = "two comparisons, if the inner service is ready"
    )]
    #[inline(always)]
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), A::Error>> {
        if matches!(self.readiness, Readiness::Inner) {
            self.readiness = Readiness::Unknown;
        }
        let breaker = self.select.only();
        if let Some(breaker) = breaker
            && !breaker.is_closed()
            && rejects(breaker, &mut self.readiness)
        {
            self.release_reservation();
            return Poll::Ready(Ok(()));
        }
        self.reserves = true;
        let polled = {
            let _scope = breaker.map(|breaker| scope::enter(breaker, None));
            self.inner.poll_ready(context)
        };
        match polled {
            Poll::Ready(Ok(())) => {
                self.readiness = Readiness::Inner;
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(self.failed_to_get_ready(error)),
            // A service that was ready must stay ready until it is called.
            Poll::Pending if matches!(self.readiness, Readiness::Rejects(_)) => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Makes the call, if it is admitted.
    ///
    /// # Panics
    ///
    /// Panics if `poll_ready` has not returned ready since the last call.
    #[expect(
        clippy::inline_always,
        reason = "saves a healthy call the moves of its future, as large as the inner future"
    )]
    #[inline(always)]
    fn call(&mut self, request: Request) -> Self::Future {
        let breaker = self.select.select(&request);
        // `Some(Some(_))` makes the call, `Some(None)` passes the call on, `None` rejects. The
        // fast path checks only that the thread is inside no call of any breaker, which needs no
        // search for this breaker.
        let decision = match breaker.acquire_fast() {
            Some(admission)
                if matches!(self.readiness, Readiness::Inner) && scope::is_outermost() =>
            {
                self.readiness = Readiness::Unknown;
                Some(Some(admission))
            }
            _ => match admit_slow(&breaker, &mut self.readiness) {
                Decision::Admitted(admission) => Some(Some(admission)),
                Decision::PassedOn => Some(None),
                Decision::Rejected => None,
            },
        };
        if let Some(admission) = decision {
            self.reserves = false;
            let mut permit = RawPermit::new(breaker, admission);
            let future = permit.guard_inner(|| self.inner.call(request));
            ResponseFuture::called(
                future,
                permit,
                self.completion.clone(),
                self.on_reject.clone(),
            )
        } else {
            let rejected = self.readiness.take_rejected();
            self.release_reservation();
            ResponseFuture::rejected(rejected, self.completion.clone(), self.on_reject.clone())
        }
    }
}

// The slow paths are out of line, so that the compiler can inline a healthy call.

/// Returns true if the breaker rejects. Inside a call of the same breaker, the outermost layer
/// decides and counts.
#[inline(never)]
fn rejects(breaker: &Breaker, readiness: &mut Readiness) -> bool {
    match breaker.peek() {
        Err(rejected) if !scope::is_inside(breaker) => {
            *readiness = Readiness::Rejects(rejected);
            true
        }
        _ => false,
    }
}

/// Slow path of an admission. Leaves a rejection in `readiness`.
#[inline(never)]
fn admit_slow(breaker: &Breaker, readiness: &mut Readiness) -> Decision {
    match readiness {
        Readiness::Inner => {
            *readiness = Readiness::Unknown;
            if scope::is_inside(breaker) {
                return Decision::PassedOn;
            }
            match breaker.acquire() {
                Ok(admission) => Decision::Admitted(admission),
                Err(rejected) => {
                    *readiness = Readiness::Rejects(rejected);
                    Decision::Rejected
                }
            }
        }
        // Reject even if the deadline has passed in between: the inner service was not polled.
        Readiness::Rejects(rejected) => {
            breaker.notify_rejected(*rejected);
            Decision::Rejected
        }
        Readiness::Unknown => panic!("call without poll_ready: a service is ready for one call"),
    }
}

impl<S, B, E, A, R> BreakerService<S, B, E, A, R> {
    /// Records an error of the inner service's `poll_ready`, and converts it.
    #[cold]
    #[inline(never)]
    fn failed_to_get_ready<Request>(&mut self, error: S::Error) -> Result<(), A::Error>
    where
        S: Service<Request>,
        B: SelectBreaker<Request>,
        E: CompletionPoint<S::Response, S::Error, B::Breaker>,
        A: OnReject<S::Response, S::Error>,
    {
        self.readiness = Readiness::Unknown;
        let result = Err(error);
        if let Some(breaker) = self.select.only()
            && !scope::is_inside(breaker)
        {
            record(breaker, self.completion.classify(), &result);
        }
        result
            .map(drop)
            .map_err(|error| self.on_reject.failed(error))
    }
}

/// Records a call that could not be made, if the breaker admits it.
#[cold]
fn record<T, E>(breaker: &Breaker, classify: &impl Classify<T, E>, result: &Result<T, E>) {
    if let Ok(mut permit) = RawPermit::acquire(breaker) {
        let outcome = permit.guard(|| classify.classify(result));
        permit.record(outcome);
    }
}

impl<S: Clone, B: Clone, E: Clone, A: Clone, R: Clone> Clone for BreakerService<S, B, E, A, R> {
    fn clone(&self) -> Self {
        Self::new(
            self.inner.clone(),
            self.select.clone(),
            self.completion.clone(),
            self.on_reject.clone(),
            self.release.clone(),
        )
    }
}

impl<S: fmt::Debug, B: fmt::Debug, E, A, R> fmt::Debug for BreakerService<S, B, E, A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerService")
            .field("inner", &self.inner)
            .field("breaker", &self.select)
            .field("readiness", &self.readiness)
            .finish_non_exhaustive()
    }
}
