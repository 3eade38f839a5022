//! Around a call.

use crate::{Ended, Error, Outcome, Rejected, classify, permit::FramePermit};

use super::{Breaker, CallAsync, ticket::Ticket};

/// The result of a call with what became of it, or why it was not made.
pub(crate) type CallResult<T, E> = Result<Ran<T, E>, Rejected>;

/// The result of a call that was made, with what became of it.
type Ran<T, E> = (Result<T, E>, Ended);

impl Breaker {
    /// Makes a call, if it is let through: `Ok` is a success, `Err` a failure, a panic a failure too.
    ///
    /// The fallback is `unwrap_or_else` on what this returns.
    ///
    /// # One breaker around two levels of a call
    ///
    /// Put a breaker around one level: `b.call(|| b.call(f))` counts each failure twice while closed. While it is
    /// half-open the outer call holds the probe, and the inner one passes as a part of it, uncounted. That is
    /// known for calls on the same thread, or polled inside of the outer future. It is not known of a
    /// [`Permit`](crate::Permit) held around the inner call, nor across threads or tasks: there the inner call is
    /// rejected because probes are busy, its error fails the probe, and the breaker never recovers.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if the call was not made, [`Error::Inner`] with the error of the call. The call
    /// that trips the breaker gets its own error.
    ///
    /// ```
    /// static PARTNER: cutout::Breaker = cutout::Breaker::new();
    ///
    /// let offer = PARTNER
    ///     .call(|| "7".parse::<u32>())
    ///     .unwrap_or_else(|_cold| 0);
    /// assert_eq!(offer, 7);
    /// ```
    #[inline]
    pub fn call<T, E>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, Error<E>> {
        self.call_with(call, classify::result)
    }

    /// Makes a call, if it is let through, and lets `classify` say what its result means for the breaker.
    ///
    /// # Errors
    ///
    /// As [`Breaker::call`]: what `classify` says changes what is counted, not what is returned.
    ///
    /// ```
    /// use cutout::{Breaker, Outcome, classify};
    ///
    /// static PARTNER: Breaker = Breaker::new();
    ///
    /// let status = PARTNER.call_with(
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

    /// [`Breaker::call_with`] that says what became of the call beside its result.
    #[inline]
    pub(crate) fn call_recorded<T, E>(
        &self,
        call: impl FnOnce() -> Result<T, E>,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> CallResult<T, E> {
        let seen = match self.core.admit() {
            Ok(word) => {
                let since = 0;
                let period = word.period();
                let permit = FramePermit::new(self, Ticket { period, since });
                return Ok(permit.call(call, classify));
            }
            Err(seen) => seen,
        };
        match self.acquire_slow(seen) {
            Ok(ticket) => Ok(self.call_slow(ticket, call, classify)),
            Err(rejected) => Err(rejected),
        }
    }

    /// A call that may be a probe. What it calls through this breaker is a part of it.
    #[inline(never)]
    fn call_slow<T, E>(
        &self,
        ticket: Ticket,
        call: impl FnOnce() -> Result<T, E>,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> Ran<T, E> {
        let permit = FramePermit::new(self, ticket);
        #[cfg(feature = "std")]
        let _scope = permit.enter_probe();
        permit.call(call, classify)
    }

    /// Makes a call that is a future, on any runtime. It is admitted when it is first polled.
    ///
    /// **A timeout around this drops the future**, which means what the policy's
    /// [`on_drop`](crate::Policy::on_drop) says. Put the timeout inside, so that it is an error of the call.
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
    /// static PARTNER: cutout::Breaker = cutout::Breaker::new();
    /// # async fn quote() -> u32 { 7 }
    ///
    /// let quote = PARTNER.call_async(timeout(Duration::from_secs(2), quote())).await;
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
    /// static PARTNER: Breaker = Breaker::new();
    /// # async fn status() -> std::io::Result<u16> { Ok(404) }
    ///
    /// let status = PARTNER.call_async_with(status(), |result| match result {
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
