//! Return values of a service: the response or error of a call, or a rejection.

use core::fmt;

use crate::{Error, Rejected};

use super::sealed::Sealed;

/// Form in which a rejection reaches the caller: [`WrapRejection`], [`FlattenRejection`] or
/// [`RespondWith`]. Sealed.
pub trait OnReject<Response, E>: Sealed {
    /// The error of the service.
    type Error;

    /// Converts a rejection to the result of its call.
    ///
    /// # Errors
    ///
    /// Returns the rejection as an error, unless it becomes a response.
    #[doc(hidden)]
    fn rejected(&self, rejected: Rejected) -> Result<Response, Self::Error>;

    /// Converts the error of the inner service.
    #[doc(hidden)]
    fn failed(&self, error: E) -> Self::Error;
}

/// A rejection reaches the caller as [`Error::Rejected`]. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct WrapRejection;

impl Sealed for WrapRejection {}

impl<Response, E> OnReject<Response, E> for WrapRejection {
    type Error = Error<E>;

    #[inline]
    fn rejected(&self, rejected: Rejected) -> Result<Response, Error<E>> {
        Err(Error::Rejected(rejected))
    }

    #[inline]
    fn failed(&self, error: E) -> Error<E> {
        Error::Inner(error)
    }
}

/// A rejection reaches the caller as an error of the inner service. Set by
/// [`BreakerLayer::flat`](super::BreakerLayer::flat).
#[derive(Clone, Copy, Debug, Default)]
pub struct FlattenRejection;

impl Sealed for FlattenRejection {}

impl<Response, E: From<Rejected>> OnReject<Response, E> for FlattenRejection {
    type Error = E;

    #[inline]
    fn rejected(&self, rejected: Rejected) -> Result<Response, E> {
        Err(rejected.into())
    }

    #[inline]
    fn failed(&self, error: E) -> E {
        error
    }
}

/// A rejection reaches the caller as a response. Set by
/// [`BreakerLayer::respond_with`](super::BreakerLayer::respond_with).
#[derive(Clone, Copy)]
pub struct RespondWith<F>(pub(super) F);

impl<F> Sealed for RespondWith<F> {}

impl<Response, E, F: Fn(Rejected) -> Response> OnReject<Response, E> for RespondWith<F> {
    type Error = E;

    #[inline]
    fn rejected(&self, rejected: Rejected) -> Result<Response, E> {
        Ok(self.0(rejected))
    }

    #[inline]
    fn failed(&self, error: E) -> E {
        error
    }
}

impl<F> fmt::Debug for RespondWith<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RespondWith").finish_non_exhaustive()
    }
}
