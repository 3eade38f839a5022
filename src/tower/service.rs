//! A service behind a breaker.

use core::{
    fmt, mem,
    task::{Context, Poll},
};

use tower_service::Service;

use crate::{Breaker, Rejected, breaker::ticket::Ticket, permit::RawPermit, scope};

use super::{
    Choose, Classify,
    answer::{Answer, Wrapped},
    classify::ByResult,
    ends::{AtResponse, Ends},
    future::ResponseFuture,
    release::{Release, ReleaseByClone},
};

/// A service behind a breaker: from [`BreakerLayer`](super::BreakerLayer).
///
/// `poll_ready` is ready while the breaker rejects, without asking the inner service; the call that
/// follows is then rejected, even if the breaker would let it through by then, unless the inner service
/// was polled ready since. Else it is ready when the inner service is.
///
/// Inside a call of the same breaker the service only passes requests on: the layer farthest out admits
/// and counts.
///
/// A clone has the same breaker and must be polled ready by itself.
pub struct BreakerService<S, B, E = AtResponse<ByResult>, A = Wrapped, R = ReleaseByClone> {
    inner: S,
    choose: B,
    ends: E,
    answer: A,
    release: R,
    readiness: Readiness,
    /// Whether the inner service was polled ready since its last call, and may have reserved something
    /// or wait in a queue for that.
    reserves: bool,
}

/// What the last `poll_ready` found, for the one call that it is good for.
#[derive(Debug, Default)]
enum Readiness {
    #[default]
    Unknown,
    /// The inner service is ready.
    Inner,
    /// The breaker rejects, and the inner service was not asked.
    Rejects(Rejected),
}

impl Readiness {
    /// The rejection, once.
    #[inline]
    fn take_rejected(&mut self) -> Option<Rejected> {
        match mem::take(self) {
            Self::Rejects(rejected) => Some(rejected),
            Self::Unknown | Self::Inner => None,
        }
    }
}

/// What becomes of a call.
enum Admission {
    Admitted(Ticket),
    /// It is inside one of the same breaker.
    PassedOn,
    /// The readiness says why.
    Rejected,
}

impl<S, B, E, A, R> BreakerService<S, B, E, A, R> {
    pub(super) fn new(inner: S, choose: B, ends: E, answer: A, release: R) -> Self {
        Self {
            inner,
            choose,
            ends,
            answer,
            release,
            readiness: Readiness::Unknown,
            reserves: false,
        }
    }

    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service. What is called on it the breaker does not see.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner service, without the breaker.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// Gives up what the inner service reserved for a call that will not be made.
    #[inline]
    fn give_up(&mut self)
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
    B: Choose<Request>,
    E: Ends<S::Response, S::Error, B::Breaker> + Clone,
    A: Answer<S::Response, S::Error> + Clone,
    R: Release<S>,
{
    type Response = E::Response;
    type Error = A::Error;
    type Future = ResponseFuture<S::Future, B::Breaker, E, A>;

    /// Ready while the breaker rejects, else when the inner service is.
    ///
    /// # Errors
    ///
    /// That of the inner service. As whoever is told that makes no call, this was it: it is classified and
    /// recorded, if the breaker admits it. Not so where the breaker is [chosen by the
    /// request](super::BreakerLayer::by_request), as there is none yet.
    #[expect(
        clippy::inline_always,
        reason = "two comparisons, if the inner service is ready"
    )]
    #[inline(always)]
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), A::Error>> {
        if matches!(self.readiness, Readiness::Inner) {
            self.readiness = Readiness::Unknown;
        }
        let breaker = self.choose.only();
        if let Some(breaker) = breaker
            && !breaker.is_closed()
            && rejects(breaker, &mut self.readiness)
        {
            self.give_up();
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
            // A service that was ready must stay so until it is called.
            Poll::Pending if matches!(self.readiness, Readiness::Rejects(_)) => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Makes the call, if it is let through.
    ///
    /// # Panics
    ///
    /// If `poll_ready` did not say that the service is ready, since the last call or at all.
    #[expect(
        clippy::inline_always,
        reason = "a healthy call is spared the moves of its future, which is as large as the inner one"
    )]
    #[inline(always)]
    fn call(&mut self, request: Request) -> Self::Future {
        let breaker = self.choose.choose(&request);
        // `Some(None)` passes the call on. That the thread is inside of no call says that it is in none of
        // this breaker, and spares a healthy call the search.
        let admission = match breaker.acquire_at_once() {
            Some(ticket) if matches!(self.readiness, Readiness::Inner) && scope::is_outermost() => {
                self.readiness = Readiness::Unknown;
                Some(Some(ticket))
            }
            _ => match admit_slowly(&breaker, &mut self.readiness) {
                Admission::Admitted(ticket) => Some(Some(ticket)),
                Admission::PassedOn => Some(None),
                Admission::Rejected => None,
            },
        };
        if let Some(ticket) = admission {
            self.reserves = false;
            let mut permit = RawPermit::new(breaker, ticket);
            let future = permit.guard_inner(|| self.inner.call(request));
            ResponseFuture::called(future, permit, self.ends.clone(), self.answer.clone())
        } else {
            let rejected = self.readiness.take_rejected();
            self.give_up();
            ResponseFuture::rejected(rejected, self.ends.clone(), self.answer.clone())
        }
    }
}

// What is no healthy call is apart from that, so that the compiler can fit the latter into its caller.

/// Whether the breaker rejects. Inside a call of the same breaker, the layer farther out decides and counts.
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

#[inline(never)]
fn admit_slowly(breaker: &Breaker, readiness: &mut Readiness) -> Admission {
    match readiness {
        Readiness::Inner => {
            *readiness = Readiness::Unknown;
            if scope::is_inside(breaker) {
                return Admission::PassedOn;
            }
            match breaker.acquire() {
                Ok(ticket) => Admission::Admitted(ticket),
                Err(rejected) => {
                    *readiness = Readiness::Rejects(rejected);
                    Admission::Rejected
                }
            }
        }
        // Also if the deadline has passed since: the inner service was not asked.
        Readiness::Rejects(rejected) => {
            breaker.notify_rejected(rejected);
            Admission::Rejected
        }
        Readiness::Unknown => panic!("call without poll_ready: a service is ready for one call"),
    }
}

impl<S, B, E, A, R> BreakerService<S, B, E, A, R> {
    #[cold]
    #[inline(never)]
    fn failed_to_get_ready<Request>(&mut self, error: S::Error) -> Result<(), A::Error>
    where
        S: Service<Request>,
        B: Choose<Request>,
        E: Ends<S::Response, S::Error, B::Breaker>,
        A: Answer<S::Response, S::Error>,
    {
        self.readiness = Readiness::Unknown;
        let result = Err(error);
        if let Some(breaker) = self.choose.only()
            && !scope::is_inside(breaker)
        {
            record(breaker, self.ends.classify(), &result);
        }
        result.map(drop).map_err(|error| self.answer.failed(error))
    }
}

/// Records a call that could not be made, if the breaker admits it.
#[cold]
fn record<T, E>(breaker: &Breaker, classify: &impl Classify<T, E>, result: &Result<T, E>) {
    if let Ok(mut permit) = RawPermit::acquire(breaker) {
        let outcome = permit.guard(|| classify.classify(result));
        permit.end(outcome);
    }
}

impl<S: Clone, B: Clone, E: Clone, A: Clone, R: Clone> Clone for BreakerService<S, B, E, A, R> {
    fn clone(&self) -> Self {
        Self::new(
            self.inner.clone(),
            self.choose.clone(),
            self.ends.clone(),
            self.answer.clone(),
            self.release.clone(),
        )
    }
}

impl<S: fmt::Debug, B: fmt::Debug, E, A, R> fmt::Debug for BreakerService<S, B, E, A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerService")
            .field("inner", &self.inner)
            .field("breaker", &self.choose)
            .field("readiness", &self.readiness)
            .finish_non_exhaustive()
    }
}
