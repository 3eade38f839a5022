//! Why a call was not made and what broke, or what it failed with.

use core::{error, fmt, time::Duration};
use std::sync::Arc;

use crate::Rejected;

/// A call through a [`WithLastError`](super::WithLastError) breaker failed: it was not made, or it was and failed.
///
/// An error is shared, as rejections show it after the call that it belongs to.
///
/// Displays what it holds, of a rejection with the last error: `circuit is open, retry after 1.5s; last error:
/// connection refused`. A rejection's [`source`](error::Error::source) is the link by which [`Rejected::find`] knows
/// it, so that a retry leaves it alone; what the last error came from is at [`Error::last`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Error<E> {
    /// The call was not made.
    #[non_exhaustive]
    Rejected {
        /// Why.
        rejected: Rejected,
        /// The last error of this outage, if one is known.
        last: Option<Arc<E>>,
    },
    /// The call was made and failed.
    Inner(Arc<E>),
}

impl<E> Error<E> {
    /// Whether the call was not made.
    #[must_use]
    pub const fn is_rejected(&self) -> bool {
        matches!(self, Self::Rejected { .. })
    }

    /// The rejection, if the call was not made.
    #[must_use]
    pub const fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Rejected { rejected, .. } => Some(rejected),
            Self::Inner(_) => None,
        }
    }

    /// When the call may be made, if that is why it was not: [`Rejected::retry_after`].
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected { rejected, .. } => rejected.retry_after(),
            Self::Inner(_) => None,
        }
    }

    /// What broke, as far as is known: the error of the call, or the last one before the rejection.
    #[must_use]
    pub const fn last(&self) -> Option<&Arc<E>> {
        match self {
            Self::Rejected { last, .. } => last.as_ref(),
            Self::Inner(inner) => Some(inner),
        }
    }

    /// The error of the call, if it was made.
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
