//! A service behind a breaker.

use core::{
    fmt, mem,
    ops::Deref,
    task::{Context, Poll},
};

use tower_service::Service;

use crate::{Breaker, Rejected, scope};

use super::{
    Choose, Classify,
    answer::{Answer, Wrapped},
    classify::ByResult,
    ends::{AtResponse, Ends},
    future::ResponseFuture,
    held::Held,
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
    #[inline]
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), A::Error>> {
        let before = mem::take(&mut self.readiness);
        let breaker = self.choose.only();
        // Inside a call of the same breaker, the layer farther out decides and counts.
        if let Some(breaker) = breaker
            && let Err(rejected) = breaker.peek()
            && !scope::is_inside(breaker)
        {
            self.readiness = Readiness::Rejects(rejected);
            self.give_up();
            return Poll::Ready(Ok(()));
        }
        self.reserves = true;
        let polled = {
            let _scope = breaker.map(scope::enter);
            self.inner.poll_ready(context)
        };
        match (polled, before) {
            (Poll::Ready(Ok(())), _) => {
                self.readiness = Readiness::Inner;
                Poll::Ready(Ok(()))
            }
            (Poll::Ready(Err(error)), _) => {
                let result = Err(error);
                if let Some(breaker) = self.choose.only()
                    && !scope::is_inside(breaker)
                {
                    record(breaker, self.ends.classify(), &result);
                }
                Poll::Ready(result.map(drop).map_err(|error| self.answer.failed(error)))
            }
            // A service that was ready must stay so until it is called.
            (Poll::Pending, rejects @ Readiness::Rejects(_)) => {
                self.readiness = rejects;
                Poll::Ready(Ok(()))
            }
            (Poll::Pending, _) => Poll::Pending,
        }
    }

    /// Makes the call, if it is let through.
    ///
    /// # Panics
    ///
    /// If `poll_ready` did not say that the service is ready, since the last call or at all.
    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let breaker = self.choose.choose(&request);
        match mem::take(&mut self.readiness) {
            Readiness::Inner if scope::is_inside(&breaker) => self.pass_on(request),
            Readiness::Inner => match Held::admit(breaker) {
                Ok(mut held) => {
                    self.reserves = false;
                    let future = held.inside(|| self.inner.call(request));
                    ResponseFuture::admitted(future, held, self.ends.clone(), self.answer.clone())
                }
                Err(rejected) => self.reject(rejected),
            },
            // Also if the deadline has passed since: the inner service was not asked.
            Readiness::Rejects(rejected) => self.reject(breaker.turned_away(rejected)),
            Readiness::Unknown => {
                panic!("call without poll_ready: a service is ready for one call")
            }
        }
    }
}

// What is no healthy call is apart from that, so that the compiler can fit the latter into its caller.
impl<S, B, E, A, R> BreakerService<S, B, E, A, R>
where
    E: Clone,
    A: Clone,
{
    /// Makes a call inside one of the same breaker.
    #[cold]
    #[inline(never)]
    fn pass_on<H, Request>(&mut self, request: Request) -> ResponseFuture<S::Future, H, E, A>
    where
        S: Service<Request>,
        H: Deref<Target = Breaker>,
    {
        self.reserves = false;
        let future = self.inner.call(request);
        ResponseFuture::passed_on(future, self.ends.clone(), self.answer.clone())
    }

    #[cold]
    #[inline(never)]
    fn reject<F, H>(&mut self, rejected: Rejected) -> ResponseFuture<F, H, E, A>
    where
        H: Deref<Target = Breaker>,
        R: Release<S>,
    {
        self.give_up();
        ResponseFuture::rejected(rejected, self.ends.clone(), self.answer.clone())
    }
}

/// Records a call that could not be made, if the breaker admits it.
#[cold]
fn record<T, E>(breaker: &Breaker, classify: &impl Classify<T, E>, result: &Result<T, E>) {
    if let Ok(mut held) = Held::admit(breaker) {
        let outcome = held.around(|| classify.classify(result));
        held.end(outcome);
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
