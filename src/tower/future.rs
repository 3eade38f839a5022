//! The response to come.

use core::{
    fmt,
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, ready},
};

use crate::{Breaker, Rejected};

use super::{answer::Answer, ends::Ends, held::Held};

const OVER: &str = "polled after it was ready";

pin_project_lite::pin_project! {
    /// The response of a [`BreakerService`](super::BreakerService).
    ///
    /// Holds the permit of its call; dropped before its end it means what the policy's
    /// [`on_drop`](crate::Policy::on_drop) says; a panic in a poll is a failure.
    #[must_use = "a call that is dropped at once counts as a dropped call"]
    pub struct ResponseFuture<F, H, E, A>
    where
        H: Deref<Target = Breaker>,
    {
        #[pin]
        call: Call<F, H>,
        ends: E,
        answer: A,
    }
}

pin_project_lite::pin_project! {
    #[project = CallProjected]
    enum Call<F, H>
    where
        H: Deref<Target = Breaker>,
    {
        Admitted { #[pin] future: F, held: Option<Held<H>> },
        // A layer farther out over the same breaker holds the permit.
        PassedOn { #[pin] future: F },
        Rejected { rejected: Option<Rejected> },
    }
}

impl<F, H: Deref<Target = Breaker>, E, A> ResponseFuture<F, H, E, A> {
    #[inline]
    pub(super) fn admitted(future: F, held: Held<H>, ends: E, answer: A) -> Self {
        let held = Some(held);
        Self {
            call: Call::Admitted { future, held },
            ends,
            answer,
        }
    }

    #[cold]
    pub(super) fn passed_on(future: F, ends: E, answer: A) -> Self {
        Self {
            call: Call::PassedOn { future },
            ends,
            answer,
        }
    }

    pub(super) fn rejected(rejected: Rejected, ends: E, answer: A) -> Self {
        let rejected = Some(rejected);
        Self {
            call: Call::Rejected { rejected },
            ends,
            answer,
        }
    }
}

impl<F, T, Error, H, E, A> Future for ResponseFuture<F, H, E, A>
where
    F: Future<Output = Result<T, Error>>,
    H: Deref<Target = Breaker>,
    E: Ends<T, Error, H>,
    A: Answer<T, Error>,
{
    type Output = Result<E::Response, A::Error>;

    /// # Panics
    ///
    /// If it is polled after it was ready, and when the inner future panics.
    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        Poll::Ready(match this.call.project() {
            CallProjected::Admitted { future, held } => {
                let holding = held.as_mut().expect(OVER);
                let result = ready!(holding.inside(|| future.poll(context)));
                let held = held.take().expect(OVER);
                let ended = this.ends.end(held, result);
                ended.map_err(|error| this.answer.failed(error))
            }
            CallProjected::PassedOn { future } => {
                return poll_passed_on::<_, _, _, H, _, _>(future, context, this.ends, this.answer);
            }
            CallProjected::Rejected { rejected } => {
                return poll_rejected::<_, _, H, _, _>(rejected.take(), this.ends, this.answer);
            }
        })
    }
}

// Apart, so that the compiler can fit the poll of an admitted call into its caller.
#[cold]
#[inline(never)]
fn poll_rejected<T, Error, H, E, A>(
    rejected: Option<Rejected>,
    ends: &E,
    answer: &A,
) -> Poll<Result<E::Response, A::Error>>
where
    H: Deref<Target = Breaker>,
    E: Ends<T, Error, H>,
    A: Answer<T, Error>,
{
    let answered = answer.rejected(rejected.expect(OVER));
    Poll::Ready(answered.map(|response| ends.pass(response)))
}

#[cold]
#[inline(never)]
fn poll_passed_on<F, T, Error, H, E, A>(
    future: Pin<&mut F>,
    context: &mut Context<'_>,
    ends: &E,
    answer: &A,
) -> Poll<Result<E::Response, A::Error>>
where
    F: Future<Output = Result<T, Error>>,
    H: Deref<Target = Breaker>,
    E: Ends<T, Error, H>,
    A: Answer<T, Error>,
{
    Poll::Ready(match ready!(future.poll(context)) {
        Ok(response) => Ok(ends.pass(response)),
        Err(error) => Err(answer.failed(error)),
    })
}

impl<F, H: Deref<Target = Breaker>, E, A> fmt::Debug for ResponseFuture<F, H, E, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("ResponseFuture");
        match &self.call {
            Call::Admitted { held, .. } => f.field("held", held),
            Call::PassedOn { .. } => &mut f,
            Call::Rejected { rejected } => f.field("rejected", rejected),
        };
        f.finish_non_exhaustive()
    }
}
