//! Future of a call through [`WithLastError`].

use core::{
    borrow::Borrow,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{Breaker, CallAsync, Outcome};

use super::{Error, WithLastError};

pin_project_lite::pin_project! {
    /// The breaker's future. Its result is passed through [`WithLastError::finish`].
    #[must_use = "a future does nothing unless it is polled, and is not even admitted"]
    pub(super) struct LastErrorFuture<'a, E, B, F, C> {
        with_last_error: &'a WithLastError<E, B>,
        #[pin]
        call: CallAsync<'a, F, C>,
    }
}

impl<'a, E, B, F, C> LastErrorFuture<'a, E, B, F, C> {
    pub(super) fn new(with_last_error: &'a WithLastError<E, B>, call: CallAsync<'a, F, C>) -> Self {
        Self {
            with_last_error,
            call,
        }
    }
}

impl<T, E, B, F, C> Future for LastErrorFuture<'_, E, B, F, C>
where
    B: Borrow<Breaker>,
    F: Future<Output = Result<T, E>>,
    C: FnOnce(&Result<T, E>) -> Outcome,
{
    type Output = Result<T, Error<E>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let with_last_error = this.with_last_error;
        this.call.poll_then(
            context,
            |result, ended| with_last_error.finish(result, ended),
            |rejected| Err(with_last_error.rejected(rejected)),
        )
    }
}
