//! [`UnlessRejected`]: a retry policy that does not retry rejections.

use core::error;

use tower::retry::Policy;

use crate::{Error, Rejected};

/// An error that can be the rejection of a breaker.
///
/// Implement this for an error of yours to which [`BreakerLayer::flat`](super::BreakerLayer::flat)
/// converts rejections.
pub trait MaybeRejected {
    /// Returns the rejection, if this error is one.
    fn rejected(&self) -> Option<Rejected>;
}

impl<E> MaybeRejected for Error<E> {
    fn rejected(&self) -> Option<Rejected> {
        self.rejected().copied()
    }
}

/// Searches the whole chain of sources, like [`Rejected::find`].
impl MaybeRejected for Box<dyn error::Error + Send + Sync> {
    fn rejected(&self) -> Option<Rejected> {
        Rejected::find(&**self)
    }
}

/// A [`tower::retry::Policy`](Policy) that retries like `P`, except calls that a breaker rejected.
/// A rejected call was never made, and an open breaker rejects each retry as well.
///
/// Retry outside the breaker, so that each attempt is counted:
///
/// ```
/// use cutout::{Breaker, Trip, tower::{BreakerLayer, UnlessRejected}};
/// # use std::{future, io};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[derive(Clone)]
/// # struct Attempts(u32);
/// # impl<E> tower::retry::Policy<(), (), E> for Attempts {
/// #     type Future = future::Ready<()>;
/// #     fn retry(&mut self, _: &mut (), result: &mut Result<(), E>) -> Option<Self::Future> {
/// #         self.0 = self.0.checked_sub(1)?;
/// #         result.is_err().then(|| future::ready(()))
/// #     }
/// #     fn clone_request(&mut self, (): &()) -> Option<()> {
/// #         Some(())
/// #     }
/// # }
/// static BILLING: Breaker = Breaker::builder().trip(Trip::consecutive(3)).build();
///
/// let service = ServiceBuilder::new()
///     .retry(UnlessRejected(Attempts(100)))
///     .layer(BreakerLayer::new(&BILLING))
///     .service(service_fn(async |()| Err::<(), _>(io::Error::other("broken"))));
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let error = service.oneshot(()).await.unwrap_err(); // three attempts, then the breaker rejects
/// assert!(error.is_rejected());
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct UnlessRejected<P>(pub P);

impl<P, Request, Response, E> Policy<Request, Response, E> for UnlessRejected<P>
where
    P: Policy<Request, Response, E>,
    E: MaybeRejected,
{
    type Future = P::Future;

    fn retry(
        &mut self,
        request: &mut Request,
        result: &mut Result<Response, E>,
    ) -> Option<P::Future> {
        match result {
            Err(error) if error.rejected().is_some() => None,
            _ => self.0.retry(request, result),
        }
    }

    fn clone_request(&mut self, request: &Request) -> Option<Request> {
        self.0.clone_request(request)
    }
}
