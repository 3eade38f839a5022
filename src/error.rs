//! Why a call was not made, or what it failed with.

use core::{error, fmt, time::Duration};

use crate::machine::{step::admit::Refusal, tick::Deadline};

/// Microseconds in a tick of [`Deadline`].
const TICK_MICROS: u64 = 250;
/// A rest that is not known, where a wait can't be.
const NO_REMAINING: u64 = u64::MAX;

/// A call was not let through.
///
/// Small and `Copy`; making one allocates nothing.
///
/// ```
/// use cutout::{Breaker, Reason};
///
/// static PARTNER: Breaker = Breaker::builder().name("partner").build();
///
/// PARTNER.force_open();
/// let rejected = PARTNER.try_acquire().unwrap_err();
/// assert_eq!(rejected.reason(), Reason::ForcedOpen);
/// assert_eq!(rejected.retry_after(), None);
/// assert_eq!(rejected.to_string(), "circuit \"partner\" is forced open");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rejected(Details);

/// What is known of a rejection. An [`Error`] shows it as its source, by which [`Rejected::find`] knows it, and which
/// says of its text nothing that the [`Error`] has said already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Details {
    name: Option<&'static str>,
    /// Ticks of [`Deadline`], or [`NO_REMAINING`].
    remaining: u64,
    generation: u16,
    reason: Reason,
}

/// Why a call was not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The breaker is open.
    Open,
    /// The breaker is half-open and all its probes are under way. One of them can be a call around this one:
    /// see [`Breaker::call`](crate::Breaker::call).
    ProbesBusy,
    /// An operator forced the breaker open.
    ForcedOpen,
}

impl Reason {
    /// The name in kebab-case: `open`, `probes-busy` or `forced-open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::ProbesBusy => "probes-busy",
            Self::ForcedOpen => "forced-open",
        }
    }
}

impl Rejected {
    pub(crate) const fn new(refusal: Refusal, generation: u16, name: Option<&'static str>) -> Self {
        let (reason, remaining) = match refusal {
            Refusal::Open { rest } => (Reason::Open, rest),
            Refusal::Busy { rest } => (Reason::ProbesBusy, rest),
            Refusal::Forced => (Reason::ForcedOpen, NO_REMAINING),
        };
        Self(Details {
            name,
            remaining,
            generation,
            reason,
        })
    }

    /// The link by which [`Rejected::find`] knows a rejection in a chain of errors.
    pub(crate) const fn link(&self) -> &(dyn error::Error + 'static) {
        &self.0
    }

    /// Why the call was not let through.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.0.reason
    }

    /// How long to wait before the next call, rounded up to 250 µs. `None` while an operator holds the breaker.
    ///
    /// Of an open breaker the rest of the open period: a call made after this long is let through as a probe if
    /// no other is sooner. While probes are busy an upper bound: the rest of their lease, or the policy's first
    /// open interval if that is shorter. (They may end sooner, and may reopen the breaker.)
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.0.remaining {
            NO_REMAINING => None,
            ticks => Some(remaining(ticks)),
        }
    }

    /// [`Rejected::retry_after`] in whole seconds, rounded up (but for the 250 µs that it is rounded up by): what the
    /// HTTP header `Retry-After` takes.
    ///
    /// ```
    /// use cutout::{Breaker, clock::Manual};
    /// use std::time::Duration;
    ///
    /// static CLOCK: Manual = Manual::new();
    /// static PARTNER: Breaker = Breaker::builder().clock(&CLOCK).build();
    ///
    /// PARTNER.force_open_for(Duration::from_millis(1_500));
    /// assert_eq!(PARTNER.try_acquire().unwrap_err().retry_after_secs(), Some(2));
    /// ```
    #[must_use]
    pub const fn retry_after_secs(&self) -> Option<u64> {
        match self.0.remaining {
            NO_REMAINING => None,
            ticks => Some(at_least_one(round_up(ticks, 1_000_000))),
        }
    }

    /// The rejection in a chain of errors, if one is in it: for errors that were boxed on their way.
    ///
    /// It is found in a boxed [`Error`], in an `anyhow::Error` made of one by `?`, and below any number of errors
    /// that show what they are made of as their source. (An `io::Error` does not: it shows what that is made of.)
    ///
    /// ```
    /// use cutout::{Breaker, Rejected};
    /// use std::error::Error;
    ///
    /// static PARTNER: Breaker = Breaker::new();
    ///
    /// fn quote() -> Result<u32, Box<dyn Error + Send + Sync>> {
    ///     let permit = PARTNER.try_acquire()?;
    ///     Ok(permit.observe("7".parse())?)
    /// }
    ///
    /// PARTNER.force_open();
    /// assert!(Rejected::find(&*quote().unwrap_err()).is_some());
    /// PARTNER.reset();
    /// assert_eq!(quote().unwrap(), 7);
    /// ```
    #[must_use]
    pub fn find(error: &(dyn error::Error + 'static)) -> Option<Self> {
        let mut link = Some(error);
        while let Some(error) = link {
            if let Some(rejected) = error.downcast_ref::<Self>() {
                return Some(*rejected);
            }
            if let Some(details) = error.downcast_ref::<Details>() {
                return Some(Self(*details));
            }
            link = error.source();
        }
        None
    }

    /// The generation of the period that rejected the call.
    #[must_use]
    pub const fn generation(&self) -> u16 {
        self.0.generation
    }

    /// The breaker's name, if it has one.
    #[must_use]
    pub const fn name(&self) -> Option<&'static str> {
        self.0.name
    }
}

/// A number of ticks in a larger unit, rounded up. An end lies up to one tick after what it was set to, so that a
/// period of a second is not said to take two.
const fn round_up(ticks: u64, micros: u64) -> u64 {
    ticks.saturating_sub(1).div_ceil(micros / TICK_MICROS)
}

const fn at_least_one(count: u64) -> u64 {
    if count == 0 { 1 } else { count }
}

/// A number of ticks as a duration.
pub(crate) const fn remaining(ticks: u64) -> Duration {
    const { assert!(Deadline::ticks(1) * TICK_MICROS == 1_000) };
    Duration::from_micros(ticks * TICK_MICROS)
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("circuit ")?;
        if let Some(name) = self.0.name {
            write!(f, "{name:?} ")?;
        }
        match self.0.reason {
            Reason::ForcedOpen => return f.write_str("is forced open"),
            Reason::Open => f.write_str("is open")?,
            Reason::ProbesBusy => f.write_str("is half-open and its probes are busy")?,
        }
        let remaining = self.0.remaining;
        if remaining == NO_REMAINING {
            return Ok(());
        }
        let millis = at_least_one(round_up(remaining, 1_000));
        write!(f, ", retry after {:?}", Duration::from_millis(millis))
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a circuit breaker rejected the call")
    }
}

impl error::Error for Details {}

impl fmt::Debug for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("reason", &self.0.reason)
            .field("retry_after", &self.retry_after())
            .field("generation", &self.0.generation)
            .field("name", &self.0.name)
            .finish_non_exhaustive()
    }
}

impl error::Error for Rejected {}

/// A call through a breaker failed: it was not made, or it was and failed with `E`.
///
/// Displays what it holds. In a chain of errors its source is that of the call's error, or of a rejection a link that
/// [`Rejected::find`] knows.
///
/// ```
/// use cutout::{Breaker, Error};
///
/// static PARTNER: Breaker = Breaker::new();
///
/// let error = PARTNER.call(|| "many".parse::<u32>()).unwrap_err();
/// assert!(matches!(error, Error::Inner(_)));
/// assert_eq!(error.retry_after(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Error<E> {
    /// The call was not made.
    Rejected(Rejected),
    /// The call was made and failed.
    Inner(E),
}

impl<E> Error<E> {
    /// The rejection, if the call was not made.
    #[must_use]
    pub const fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Rejected(rejected) => Some(rejected),
            Self::Inner(_) => None,
        }
    }

    /// Whether the call was not made.
    #[must_use]
    pub const fn is_rejected(&self) -> bool {
        matches!(self, Self::Rejected(_))
    }

    /// When the call may be made, if that is why it was not: [`Rejected::retry_after`].
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected(rejected) => rejected.retry_after(),
            Self::Inner(_) => None,
        }
    }

    /// The error of the call, if it was made.
    #[must_use]
    pub fn into_inner(self) -> Option<E> {
        match self {
            Self::Rejected(_) => None,
            Self::Inner(inner) => Some(inner),
        }
    }

    /// Changes the error of the call.
    ///
    /// ```
    /// # let breaker = cutout::Breaker::new();
    /// let error = breaker.call(|| "many".parse::<u32>()).unwrap_err();
    /// assert_eq!(error.map_inner(|_| 400).into_inner(), Some(400));
    /// ```
    #[must_use]
    pub fn map_inner<F>(self, f: impl FnOnce(E) -> F) -> Error<F> {
        match self {
            Self::Rejected(rejected) => Error::Rejected(rejected),
            Self::Inner(inner) => Error::Inner(f(inner)),
        }
    }

    /// The error of the call, which knows how to be a rejection too.
    ///
    /// Also the way into `anyhow` without hiding the rejection from a downcast:
    /// `.map_err(|error| error.map_inner(anyhow::Error::from).flatten())`.
    ///
    /// ```
    /// use cutout::{Breaker, Rejected};
    ///
    /// #[derive(Debug)]
    /// enum QuoteError {
    ///     Unavailable(Rejected),
    ///     Partner,
    /// }
    ///
    /// impl From<Rejected> for QuoteError {
    ///     fn from(rejected: Rejected) -> Self {
    ///         Self::Unavailable(rejected)
    ///     }
    /// }
    ///
    /// static PARTNER: Breaker = Breaker::new();
    ///
    /// fn quote() -> Result<u32, QuoteError> {
    ///     PARTNER.call(|| Err(QuoteError::Partner)).map_err(cutout::Error::flatten)
    /// }
    /// # quote().unwrap_err();
    /// ```
    #[must_use]
    pub fn flatten(self) -> E
    where
        E: From<Rejected>,
    {
        match self {
            Self::Rejected(rejected) => rejected.into(),
            Self::Inner(inner) => inner,
        }
    }
}

impl<E> From<Rejected> for Error<E> {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) => rejected.fmt(f),
            Self::Inner(inner) => inner.fmt(f),
        }
    }
}

impl<E: error::Error> error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Rejected(rejected) => Some(rejected.link()),
            Self::Inner(inner) => inner.source(),
        }
    }
}

#[cfg(test)]
mod tests;
