//! Response future of a service behind a breaker.

use core::{
    fmt,
    ops::Deref,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{Breaker, Rejected, permit::RawPermit};

use super::{completion::CompletionPoint, on_reject::OnReject};

const OVER: &str = "polled after it was ready";

pin_project_lite::pin_project! {
    /// Response future of a [`BreakerService`](super::BreakerService).
    ///
    /// Holds the permit of its call. The policy's [`on_drop`](crate::Policy::on_drop) decides the
    /// outcome of a future that is dropped before its end. A panic in a poll is a failure.
    #[must_use = "a call that is dropped at once counts as a dropped call"]
    pub struct ResponseFuture<F, H, E, A>
    where
        H: Deref<Target = Breaker>,
    {
        #[pin]
        state: ResponseState<F, H>,
        completion: E,
        on_reject: A,
    }
}

pin_project_lite::pin_project! {
    #[project = ResponseStateProjected]
    enum ResponseState<F, H>
    where
        H: Deref<Target = Breaker>,
    {
        // `None` once the call is over.
        Called { #[pin] future: F, permit: Option<RawPermit<H>> },
        Rejected { rejected: Option<Rejected> },
    }
}

impl<F, H: Deref<Target = Breaker>, E, A> ResponseFuture<F, H, E, A> {
    #[inline]
    pub(super) fn called(future: F, permit: RawPermit<H>, completion: E, on_reject: A) -> Self {
        let permit = Some(permit);
        Self {
            state: ResponseState::Called { future, permit },
            completion,
            on_reject,
        }
    }

    #[inline]
    pub(super) fn rejected(rejected: Option<Rejected>, completion: E, on_reject: A) -> Self {
        Self {
            state: ResponseState::Rejected { rejected },
            completion,
            on_reject,
        }
    }
}

impl<F, T, Error, H, E, A> Future for ResponseFuture<F, H, E, A>
where
    F: Future<Output = Result<T, Error>>,
    H: Deref<Target = Breaker>,
    E: CompletionPoint<T, Error, H>,
    A: OnReject<T, Error>,
{
    type Output = Result<E::Response, A::Error>;

    /// # Panics
    ///
    /// Panics if the future is polled after it was ready, or if the inner future panics.
    #[expect(
        clippy::inline_always,
        reason = "saves a healthy call the moves of its result"
    )]
    #[inline(always)]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = match this.state.project() {
            ResponseStateProjected::Called { future, permit } => {
                // Move the permit out for the poll. The inner future cannot reach it there, so it
                // stays in registers.
                let mut taken = permit.take().expect(OVER);
                match taken.guard_inner(|| future.poll(context)) {
                    Poll::Pending => {
                        *permit = Some(taken);
                        return Poll::Pending;
                    }
                    Poll::Ready(result) if taken.counts_nothing() => {
                        result.map(|response| this.completion.pass(response))
                    }
                    Poll::Ready(result) => this.completion.complete(taken, result),
                }
            }
            ResponseStateProjected::Rejected { rejected } => {
                // Rebuild the result, so that the result of an admitted call is not passed through
                // memory.
                return match reject::<_, _, H, _, _>(
                    rejected.take(),
                    this.completion,
                    this.on_reject,
                ) {
                    Ok(response) => Poll::Ready(Ok(response)),
                    Err(error) => Poll::Ready(Err(error)),
                };
            }
        };
        Poll::Ready(match result {
            Ok(response) => Ok(response),
            Err(error) => Err(this.on_reject.failed(error)),
        })
    }
}

// Out of line, so that the compiler can inline the poll of an admitted call.
#[cold]
#[inline(never)]
fn reject<T, Error, H, E, A>(
    rejected: Option<Rejected>,
    completion: &E,
    on_reject: &A,
) -> Result<E::Response, A::Error>
where
    H: Deref<Target = Breaker>,
    E: CompletionPoint<T, Error, H>,
    A: OnReject<T, Error>,
{
    let result = on_reject.rejected(rejected.expect(OVER));
    result.map(|response| completion.pass(response))
}

impl<F, H: Deref<Target = Breaker>, E, A> fmt::Debug for ResponseFuture<F, H, E, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("ResponseFuture");
        match &self.state {
            ResponseState::Called { permit, .. } => f.field("permit", permit),
            ResponseState::Rejected { rejected } => f.field("rejected", rejected),
        };
        f.finish_non_exhaustive()
    }
}
