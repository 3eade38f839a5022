//! Calls: `call`, `call_async` and their siblings.

use crate::{Ended, Error, Outcome, Rejected, classify, permit::FramePermit};

use super::{Breaker, CallAsync, admission::Admission};

/// The result of a call and its record, or the rejection.
pub(crate) type CallResult<T, E> = Result<Ran<T, E>, Rejected>;

/// The result of an admitted call, and its record.
type Ran<T, E> = (Result<T, E>, Ended);

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
        self.call_recorded(call, classify)?.0.map_err(Error::Inner)
    }

    /// [`Breaker::call_with`] that also returns the record of the call.
    #[inline]
    pub(crate) fn call_recorded<T, E>(
        &self,
        call: impl FnOnce() -> Result<T, E>,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> CallResult<T, E> {
        let seen = match self.core.admit() {
            Ok(word) => {
                let admitted_at = 0;
                let period = word.period();
                let permit = FramePermit::new(
                    self,
                    Admission {
                        period,
                        admitted_at,
                    },
                );
                return Ok(permit.call(call, classify));
            }
            Err(seen) => seen,
        };
        match self.acquire_slow(seen) {
            Ok(admission) => Ok(self.call_slow(admission, call, classify)),
            Err(rejected) => Err(rejected),
        }
    }

    /// A call that may be a probe. Calls that it makes through this breaker are parts of the probe.
    #[inline(never)]
    fn call_slow<T, E>(
        &self,
        admission: Admission,
        call: impl FnOnce() -> Result<T, E>,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> Ran<T, E> {
        let permit = FramePermit::new(self, admission);
        #[cfg(feature = "std")]
        let _scope = permit.enter_probe();
        permit.call(call, classify)
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
