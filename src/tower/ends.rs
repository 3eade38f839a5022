//! When an admitted call ends: with its response, or with the body of that.

use core::ops::Deref;

use crate::{Breaker, permit::RawPermit};

use super::{Classify, sealed::Sealed};

/// When an admitted call ends: [`AtResponse`] or [`AtEndOfBody`](super::AtEndOfBody). Sealed.
pub trait Ends<Response, Error, H: Deref<Target = Breaker>>: Sealed {
    /// How the call is classified.
    type Classify: Classify<Response, Error>;
    /// The response of the service.
    type Response;

    #[doc(hidden)]
    fn classify(&self) -> &Self::Classify;

    /// What becomes of the response, and of the permit.
    ///
    /// # Errors
    ///
    /// Those of the result.
    #[doc(hidden)]
    fn end(
        &self,
        permit: RawPermit<H>,
        result: Result<Response, Error>,
    ) -> Result<Self::Response, Error>;

    /// What becomes of a response that stands for a rejection.
    #[doc(hidden)]
    fn pass(&self, response: Response) -> Self::Response;
}

/// A call ends with its response, and is then classified by `C`: the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct AtResponse<C>(pub(super) C);

impl<C> Sealed for AtResponse<C> {}

impl<Response, Error, H, C> Ends<Response, Error, H> for AtResponse<C>
where
    H: Deref<Target = Breaker>,
    C: Classify<Response, Error>,
{
    type Classify = C;
    type Response = Response;

    #[inline]
    fn classify(&self) -> &C {
        &self.0
    }

    #[inline]
    fn end(
        &self,
        mut permit: RawPermit<H>,
        result: Result<Response, Error>,
    ) -> Result<Response, Error> {
        let outcome = permit.guard(|| self.0.classify(&result));
        permit.end(outcome);
        result
    }

    #[inline]
    fn pass(&self, response: Response) -> Response {
        response
    }
}
