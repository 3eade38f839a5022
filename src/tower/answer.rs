//! What the caller gets: its own response or error, or word of a rejection.

use core::fmt;

use crate::{Error, Rejected};

use super::sealed::Sealed;

/// How a rejection reaches the caller: [`Wrapped`], [`Flat`] or [`RespondWith`]. Sealed.
pub trait Answer<Response, E>: Sealed {
    /// The error of the service.
    type Error;

    /// What a caller gets whose call was not made.
    ///
    /// # Errors
    ///
    /// The rejection, unless it is a response.
    #[doc(hidden)]
    fn rejected(&self, rejected: Rejected) -> Result<Response, Self::Error>;

    #[doc(hidden)]
    fn failed(&self, error: E) -> Self::Error;
}

/// As an [`Error`]: the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wrapped;

impl Sealed for Wrapped {}

impl<Response, E> Answer<Response, E> for Wrapped {
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

/// As an error of the inner service, which knows how to be one: from
/// [`BreakerLayer::flat`](super::BreakerLayer::flat).
#[derive(Clone, Copy, Debug, Default)]
pub struct Flat;

impl Sealed for Flat {}

impl<Response, E: From<Rejected>> Answer<Response, E> for Flat {
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

/// As a response: from [`BreakerLayer::respond_with`](super::BreakerLayer::respond_with).
#[derive(Clone, Copy)]
pub struct RespondWith<F>(pub(super) F);

impl<F> Sealed for RespondWith<F> {}

impl<Response, E, F: Fn(Rejected) -> Response> Answer<Response, E> for RespondWith<F> {
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
