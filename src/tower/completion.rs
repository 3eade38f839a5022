//! The end of an admitted call: at its response, or at the end of the response's body.

use core::ops::Deref;

use crate::{Breaker, permit::RawPermit};

use super::{Classify, sealed::Sealed};

/// The point at which an admitted call ends: [`CompleteAtResponse`] or
/// [`CompleteAtBodyEnd`](super::CompleteAtBodyEnd). Sealed.
pub trait CompletionPoint<Response, Error, H: Deref<Target = Breaker>>: Sealed {
    /// The classifier.
    type Classify: Classify<Response, Error>;
    /// The response of the service.
    type Response;

    /// Returns the classifier.
    #[doc(hidden)]
    fn classify(&self) -> &Self::Classify;

    /// Ends the permit, or moves it into the response.
    ///
    /// # Errors
    ///
    /// Returns the error of the result.
    #[doc(hidden)]
    fn complete(
        &self,
        permit: RawPermit<H>,
        result: Result<Response, Error>,
    ) -> Result<Self::Response, Error>;

    /// Converts a response that has no permit: a rejection, or the response of a call that an outer
    /// layer counts.
    #[doc(hidden)]
    fn pass(&self, response: Response) -> Self::Response;
}

/// A call ends with its response, which `C` classifies. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompleteAtResponse<C>(pub(super) C);

impl<C> Sealed for CompleteAtResponse<C> {}

impl<Response, Error, H, C> CompletionPoint<Response, Error, H> for CompleteAtResponse<C>
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
    fn complete(
        &self,
        mut permit: RawPermit<H>,
        result: Result<Response, Error>,
    ) -> Result<Response, Error> {
        let outcome = permit.guard(|| self.0.classify(&result));
        permit.record(outcome);
        result
    }

    #[inline]
    fn pass(&self, response: Response) -> Response {
        response
    }
}
