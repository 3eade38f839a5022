//! [`CallAsync`]: a call that is a future.

use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{Ended, Error, Outcome, Rejected, permit::RawPermit};

use super::Breaker;

pin_project_lite::pin_project! {
    /// A call that is a future, from [`Breaker::call_async`] and [`Breaker::call_async_with`].
    ///
    /// The first poll asks for the permit. The policy's [`on_drop`](crate::Policy::on_drop) defines
    /// the outcome of a drop before the end. A panic in a poll is a failure. So is a panic of other
    /// code that drops the future, as for a [`Permit`](crate::Permit).
    #[must_use = "a future does nothing unless it is polled, and is not even admitted"]
    pub struct CallAsync<'a, F, C> {
        breaker: &'a Breaker,
        // `None` once the call is over: a poll ended it, was rejected or panicked. The permit is
        // `None` until the call is admitted. This field comes before the future, so that a drop
        // ends the call before it drops the future.
        call: Option<(Option<RawPermit<&'a Breaker>>, C)>,
        #[pin]
        future: F,
    }
}

impl<'a, F, C> CallAsync<'a, F, C> {
    pub(super) fn new(breaker: &'a Breaker, future: F, classify: C) -> Self {
        Self {
            breaker,
            call: Some((None, classify)),
            future,
        }
    }

    /// Polls. Returns the value of `then`, once the call has ended, or of `rejected`. `then` gets
    /// the result of the call and its record.
    ///
    /// # Panics
    ///
    /// As [`Future::poll`].
    #[inline]
    pub(crate) fn poll_then<T, E, R>(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        then: impl FnOnce(Result<T, E>, Ended) -> R,
        rejected: impl FnOnce(Rejected) -> R,
    ) -> Poll<R>
    where
        F: Future<Output = Result<T, E>>,
        C: FnOnce(&Result<T, E>) -> Outcome,
    {
        let this = self.project();
        let (permit, classify) = this.call.take().expect("polled after it was ready");
        let mut permit = match permit {
            Some(permit) => permit,
            None => match RawPermit::acquire(*this.breaker) {
                Ok(permit) => permit,
                Err(rejection) => return Poll::Ready(rejected(rejection)),
            },
        };
        #[cfg(feature = "std")]
        let scope = permit.enter_probe();
        match permit.guard(|| this.future.poll(context)) {
            Poll::Ready(result) => {
                let ended = permit.observe(&result, classify);
                #[cfg(feature = "std")]
                drop(scope);
                Poll::Ready(then(result, ended))
            }
            Poll::Pending => {
                *this.call = Some((Some(permit), classify));
                Poll::Pending
            }
        }
    }
}

impl<T, E, F, C> Future for CallAsync<'_, F, C>
where
    F: Future<Output = Result<T, E>>,
    C: FnOnce(&Result<T, E>) -> Outcome,
{
    type Output = Result<T, Error<E>>;

    /// # Panics
    ///
    /// If polled after completion, and if the inner future panics.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_then(
            context,
            |result, _| result.map_err(Error::Inner),
            |rejected| Err(rejected.into()),
        )
    }
}

impl<F, C> fmt::Debug for CallAsync<'_, F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let progress = match &self.call {
            Some((None, _)) => "not admitted yet",
            Some((Some(_), _)) => "admitted",
            None => "over",
        };
        f.debug_struct("CallAsync")
            .field("progress", &progress)
            .finish_non_exhaustive()
    }
}
