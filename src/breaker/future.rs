//! Around a future.

use core::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{Breaker, Ended, Error, Outcome, permit::unwinding};

use super::{
    calling::Told,
    ticket::{Armed, Ticket},
};

pin_project_lite::pin_project! {
    /// A call that is a future: from [`Breaker::call_async`] and [`Breaker::call_async_with`].
    ///
    /// Admitted at its first poll; dropped before its end it means what the policy's
    /// [`on_drop`](crate::Policy::on_drop) says; a panic in a poll is a failure, and so is one beside it that
    /// drops it, as of a [`Permit`](crate::Permit).
    #[must_use = "a future does nothing unless it is polled, and is not even admitted"]
    pub struct CallAsync<'a, F, C> {
        breaker: &'a Breaker,
        progress: Progress<C>,
        // Whether the thread was unwinding when the call was let through, so that a drop says nothing of it.
        unwinding: bool,
        #[pin]
        future: F,
    }

    impl<F, C> PinnedDrop for CallAsync<'_, F, C> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Progress::Admitted(ticket, _) = mem::replace(this.progress, Progress::Over) {
                this.breaker.end_dropped(ticket, *this.unwinding);
            }
        }
    }
}

/// How far a call has come.
enum Progress<C> {
    New(C),
    Admitted(Ticket, C),
    /// Ended, rejected, or thrown out of by a panic.
    Over,
}

impl<'a, F, C> CallAsync<'a, F, C> {
    pub(super) fn new(breaker: &'a Breaker, future: F, classify: C) -> Self {
        Self {
            breaker,
            progress: Progress::New(classify),
            unwinding: false,
            future,
        }
    }
}

impl<F, C> CallAsync<'_, F, C> {
    /// Polls, and once the call has ended says what became of it beside its result.
    ///
    /// # Panics
    ///
    /// As [`Future::poll`].
    pub(crate) fn poll_recorded<T, E>(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Told<T, E>>
    where
        F: Future<Output = Result<T, E>>,
        C: FnOnce(&Result<T, E>) -> Outcome,
    {
        let this = self.project();
        let (ticket, classify) = match mem::replace(this.progress, Progress::Over) {
            Progress::New(classify) => {
                let ticket = this.breaker.acquire()?;
                *this.unwinding = unwinding();
                (ticket, classify)
            }
            Progress::Admitted(ticket, classify) => (ticket, classify),
            Progress::Over => panic!("polled after it was ready"),
        };
        let armed = Armed::new(this.breaker, ticket);
        #[cfg(feature = "std")]
        let _scope = this.breaker.scope(ticket);
        let Poll::Ready(result) = this.future.poll(context) else {
            *this.progress = Progress::Admitted(armed.disarm(), classify);
            return Poll::Pending;
        };
        let outcome = classify(&result);
        let recorded = this.breaker.settle(armed.disarm(), outcome);
        let ended = Ended {
            call: this.breaker.admitted(ticket.period),
            outcome,
            recorded,
        };
        Poll::Ready(Ok((result, ended)))
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
    /// If it is polled after it was ready, and when the future within panics.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = self.poll_recorded(context);
        ended.map(|ended| ended?.0.map_err(Error::Inner))
    }
}

impl<F, C> fmt::Debug for CallAsync<'_, F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let progress = match self.progress {
            Progress::New(_) => "not admitted yet",
            Progress::Admitted(..) => "admitted",
            Progress::Over => "over",
        };
        f.debug_struct("CallAsync")
            .field("progress", &progress)
            .finish_non_exhaustive()
    }
}
