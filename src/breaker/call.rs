//! Calls: `call`, `call_async` and their siblings.

use crate::{Ended, Error, Outcome, Rejected, classify, permit::FramePermit};

use super::{Breaker, CallAsync, admission::Admission};

impl Breaker {
    /// Makes a call, if it is admitted: `Ok` is a success, `Err` and a panic are failures.
    ///
    /// For a fallback, use `unwrap_or_else` on the result.
    ///
    /// # One breaker around two levels of a call
    ///
    /// Put a breaker around one level: `b.call(|| b.call(f))` counts each failure twice while
    /// closed. While the breaker is half-open, the outer call is the probe, and the inner call
    /// passes as a part of the probe, uncounted. The breaker recognises inner calls on the same
    /// thread, or polled inside the outer future. It does not recognise a call inside a
    /// [`Permit`](crate::Permit) held by hand, nor one on another thread or task. Such an inner
    /// call is rejected because probes are busy, its error fails the probe, and the breaker never
    /// recovers.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if the call was not made, [`Error::Inner`] with the error of the call.
    /// The call that trips the breaker gets its own error.
    ///
    /// ```
    /// static SEARCH: cutout::Breaker = cutout::Breaker::new();
    ///
    /// let offer = SEARCH
    ///     .call(|| "7".parse::<u32>())
    ///     .unwrap_or_else(|_cold| 0);
    /// assert_eq!(offer, 7);
    /// ```
    #[inline]
    pub fn call<T, E>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, Error<E>> {
        self.call_with(call, classify::result)
    }

    /// Makes a call, if it is admitted. `classify` maps its result to the outcome for the breaker.
    ///
    /// # Errors
    ///
    /// As [`Breaker::call`]: `classify` changes the outcome that is counted, not the result.
    ///
    /// ```
    /// use cutout::{Breaker, Outcome, classify};
    ///
    /// static SEARCH: Breaker = Breaker::new();
    ///
    /// let status = SEARCH.call_with(
    ///     || Ok::<u16, std::io::Error>(404),
    ///     |result| match result {
    ///         Ok(status) => classify::http_status(*status),
    ///         Err(_) => Outcome::Failure,
    ///     },
    /// );
    /// assert_eq!(status.unwrap(), 404);
    /// ```
    #[inline]
    pub fn call_with<T, E>(
        &self,
        call: impl FnOnce() -> Result<T, E>,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> Result<T, Error<E>> {
        self.call_then(
            call,
            classify,
            |result, _| result.map_err(Error::Inner),
            |rejected| Err(rejected.into()),
        )
    }

    /// [`Breaker::call_with`], which returns the value of `then` or of `rejected`. `then` gets the
    /// result of the call and its record.
    ///
    /// (A pair of both would be returned through memory, and a large result copied twice more.)
    #[inline]
    pub(crate) fn call_then<T, E, R>(
        &self,
        call: impl FnOnce() -> Result<T, E>,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
        then: impl FnOnce(Result<T, E>, Ended) -> R,
        rejected: impl FnOnce(Rejected) -> R,
    ) -> R {
        let seen = match self.core.admit() {
            Ok(word) => {
                let permit = FramePermit::new(self, Admission::untimed(word));
                let result = call();
                let ended = permit.observe(&result, classify);
                return then(result, ended);
            }
            Err(seen) => seen,
        };
        match self.acquire_slow(seen) {
            Ok(admission) => self.call_slow(admission, call, classify, then),
            Err(rejection) => rejected(rejection),
        }
    }

    /// A call that may be a probe. Calls that it makes through this breaker are parts of the probe.
    #[inline(never)]
    fn call_slow<T, E, R>(
        &self,
        admission: Admission,
        call: impl FnOnce() -> Result<T, E>,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
        then: impl FnOnce(Result<T, E>, Ended) -> R,
    ) -> R {
        let permit = FramePermit::new(self, admission);
        #[cfg(feature = "std")]
        let scope = permit.enter_probe();
        let result = call();
        let ended = permit.observe(&result, classify);
        #[cfg(feature = "std")]
        drop(scope);
        then(result, ended)
    }

    /// Makes a call that is a future, on any runtime. The first poll asks for admission.
    ///
    /// **A timeout around the returned future drops that future**, and the policy's
    /// [`on_drop`](crate::Policy::on_drop) defines the outcome. Put the timeout inside, so that it
    /// is an error of the call.
    ///
    /// # Errors
    ///
    /// As [`Breaker::call`].
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    /// # runtime.block_on(async {
    /// use std::time::Duration;
    /// use tokio::time::timeout;
    ///
    /// static SEARCH: cutout::Breaker = cutout::Breaker::new();
    /// # async fn quote() -> u32 { 7 }
    ///
    /// let quote = SEARCH.call_async(timeout(Duration::from_secs(2), quote())).await;
    /// # assert_eq!(quote.unwrap(), 7);
    /// # });
    /// ```
    pub fn call_async<T, E, F>(
        &self,
        future: F,
    ) -> CallAsync<'_, F, impl FnOnce(&Result<T, E>) -> Outcome + use<T, E, F>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.call_async_with(future, classify::result)
    }

    /// [`Breaker::call_async`] with a classifier, as in [`Breaker::call_with`].
    ///
    /// # Errors
    ///
    /// As [`Breaker::call`].
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// use cutout::{Breaker, Outcome, classify};
    ///
    /// static SEARCH: Breaker = Breaker::new();
    /// # async fn status() -> std::io::Result<u16> { Ok(404) }
    ///
    /// let status = SEARCH.call_async_with(status(), |result| match result {
    ///     Ok(status) => classify::http_status(*status),
    ///     Err(_) => Outcome::Failure,
    /// });
    /// assert_eq!(status.await.unwrap(), 404);
    /// # });
    /// ```
    pub fn call_async_with<T, E, F, C>(&self, future: F, classify: C) -> CallAsync<'_, F, C>
    where
        F: Future<Output = Result<T, E>>,
        C: FnOnce(&Result<T, E>) -> Outcome,
    {
        CallAsync::new(self, future, classify)
    }
}
