//! [`Error`]: a rejection with the last error, or the error of the call.

use core::{error, fmt, time::Duration};
use std::sync::Arc;

use crate::Rejected;

/// Error of a call through a [`WithLastError`](super::WithLastError): the call was rejected, or it
/// was made and failed.
///
/// The error of the call is shared, since later rejections show it.
///
/// The text of a rejection includes the last error: `circuit is open, retry after 1.5s; last error:
/// connection refused`. The [`source`](error::Error::source) of a rejection is the link that
/// [`Rejected::find`] searches for, so that a retry layer does not retry a rejection. The source of
/// the last error is found through [`Error::last`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Error<E> {
    /// The call was not made.
    #[non_exhaustive]
    Rejected {
        /// The rejection.
        rejected: Rejected,
        /// The last error of this outage, if one is known.
        last: Option<Arc<E>>,
    },
    /// The call was made and failed.
    Inner(Arc<E>),
}

impl<E> Error<E> {
    /// Returns true if the call was not made.
    #[must_use]
    pub const fn is_rejected(&self) -> bool {
        matches!(self, Self::Rejected { .. })
    }

    /// Returns the rejection, if the call was not made.
    #[must_use]
    pub const fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Rejected { rejected, .. } => Some(rejected),
            Self::Inner(_) => None,
        }
    }

    /// Returns [`Rejected::retry_after`], if the call was not made.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected { rejected, .. } => rejected.retry_after(),
            Self::Inner(_) => None,
        }
    }

    /// Returns the error of the call, or the last error known to the rejection.
    #[must_use]
    pub const fn last(&self) -> Option<&Arc<E>> {
        match self {
            Self::Rejected { last, .. } => last.as_ref(),
            Self::Inner(inner) => Some(inner),
        }
    }

    /// Returns the error of the call, if it was made.
    #[must_use]
    pub fn into_inner(self) -> Option<Arc<E>> {
        match self {
            Self::Rejected { .. } => None,
            Self::Inner(inner) => Some(inner),
        }
    }
}

/// Clones the handle, not the error.
impl<E> Clone for Error<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Rejected { rejected, last } => Self::Rejected {
                rejected: *rejected,
                last: last.clone(),
            },
            Self::Inner(inner) => Self::Inner(Arc::clone(inner)),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected {
                rejected,
                last: Some(last),
            } => write!(f, "{rejected}; last error: {last}"),
            Self::Rejected {
                rejected,
                last: None,
            } => rejected.fmt(f),
            Self::Inner(inner) => inner.fmt(f),
        }
    }
}

impl<E: error::Error> error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Rejected { rejected, .. } => Some(rejected.link()),
            Self::Inner(inner) => inner.source(),
        }
    }
}
