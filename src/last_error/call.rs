//! Calls through a breaker whose rejections show the last error.

use core::borrow::Borrow;
use std::sync::Arc;

use crate::{Breaker, Ended, Outcome, Recorded, Rejected, classify};

use super::{Error, WithLastError, future::LastErrorFuture};

impl<E, B: Borrow<Breaker>> WithLastError<E, B> {
    /// Like [`Breaker::call`], and stores the error of a failure.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Rejected`] with the last error if the call was not made, and
    /// [`Error::Inner`] with the error of the call.
    #[inline]
    pub fn call<T>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, Error<E>> {
        self.call_with(call, classify::result)
    }

    /// Like [`Breaker::call_with`], and stores the error if `classify` returns a failure.
    ///
    /// # Errors
    ///
    /// Same as [`WithLastError::call`]: `classify` decides what is counted and stored, not what is
    /// returned.
    #[inline]
    pub fn call_with<T>(
        &self,
        call: impl FnOnce() -> Result<T, E>,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> Result<T, Error<E>> {
        self.breaker().call_then(
            call,
            classify,
            |result, ended| self.finish(result, ended),
            |rejected| Err(self.rejected(rejected)),
        )
    }

    /// Like [`Breaker::call_async`], and stores the error of a failure.
    ///
    /// The call is admitted at the first poll. The policy's [`on_drop`](crate::Policy::on_drop)
    /// decides the outcome of a future that is dropped before its end. Such a drop stores no error.
    ///
    /// # Errors
    ///
    /// Same as [`WithLastError::call`].
    pub fn call_async<T, F>(&self, future: F) -> impl Future<Output = Result<T, Error<E>>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.call_async_with(future, classify::result)
    }

    /// Like [`WithLastError::call_async`], with a classifier as in [`WithLastError::call_with`].
    ///
    /// # Errors
    ///
    /// Same as [`WithLastError::call`].
    pub fn call_async_with<T, F, C>(
        &self,
        future: F,
        classify: C,
    ) -> impl Future<Output = Result<T, Error<E>>>
    where
        F: Future<Output = Result<T, E>>,
        C: FnOnce(&Result<T, E>) -> Outcome,
    {
        LastErrorFuture::new(self, self.breaker().call_async_with(future, classify))
    }

    /// Stores the error of a failure, and returns the result of the call.
    #[inline]
    pub(super) fn finish<T>(&self, result: Result<T, E>, ended: Ended) -> Result<T, Error<E>> {
        // Fast path of a healthy call: one comparison.
        if matches!((&result, ended.outcome), (Ok(_), Outcome::Success)) {
            if ended.recorded == Recorded::Recovered {
                self.last.clear_older(ended.call.generation);
            }
            return result.map_err(|error| Error::Inner(Arc::new(error)));
        }
        self.finish_slow(result, &ended)
    }

    #[cold]
    pub(super) fn rejected(&self, rejected: Rejected) -> Error<E> {
        let last = self.last.for_rejection(rejected, self.breaker());
        Error::Rejected { rejected, last }
    }

    /// Slow path of `finish`.
    #[inline(never)]
    fn finish_slow<T>(&self, result: Result<T, E>, ended: &Ended) -> Result<T, Error<E>> {
        let result = result.map_err(Arc::new);
        let generation = ended.call.generation;
        if ended.recorded == Recorded::Recovered {
            self.last.clear_older(generation);
        }
        if is_counted_failure(ended) {
            if let Err(error) = &result {
                self.last.store(generation, Arc::clone(error));
            }
            if let Some(sink) = &self.sink {
                sink.log(generation, result.as_ref().err().map(Arc::as_ref));
            }
        }
        result.map_err(Error::Inner)
    }
}

/// Returns true if the classifier returned a failure and the breaker counted it. A call that is
/// only too slow is not one.
fn is_counted_failure(ended: &Ended) -> bool {
    ended.outcome.is_failure()
        && matches!(
            ended.recorded,
            Recorded::Applied | Recorded::Tripped | Recorded::Reopened
        )
}
