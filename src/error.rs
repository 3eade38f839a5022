//! Errors of a call: [`Rejected`] with its [`Reason`], and [`Error`].

mod bits;

use core::{error, fmt, time::Duration};

use crate::{
    machine::{step::admit::RejectReason, tick::Deadline},
    name::NameId,
};

use bits::RejectedBits;

/// Microseconds in a tick of [`Deadline`].
const TICK_MICROS: u64 = 250;

/// A rejected call.
///
/// A rejection is one word, is `Copy`, and allocates nothing. (Without `std`, a rejection also
/// holds the name.)
///
/// ```
/// use cutout::{Breaker, Reason};
///
/// static BILLING: Breaker = Breaker::builder().name("billing").build();
///
/// BILLING.force_open();
/// let rejected = BILLING.try_acquire().unwrap_err();
/// assert_eq!(rejected.reason(), Reason::ForcedOpen);
/// assert_eq!(rejected.retry_after(), None);
/// assert_eq!(rejected.to_string(), "circuit \"billing\" is forced open");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rejected(Details);

/// Content of a rejection. In a chain of errors, an [`Error`] returns this type as its source, and
/// [`Rejected::find`] searches for this type. Its text repeats nothing that the [`Error`] says.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Details {
    bits: RejectedBits,
    #[cfg(not(feature = "std"))]
    name: NameId,
}

/// The reason of a rejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The breaker is open.
    Open,
    /// The breaker is half-open and all its probes are in flight. One of them can be a call that
    /// contains this one: see [`Breaker::call`](crate::Breaker::call).
    ProbesBusy,
    /// An operator forced the breaker open.
    ForcedOpen,
}

impl Reason {
    /// Returns the name in kebab-case: `open`, `probes-busy` or `forced-open`.
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
    pub(crate) const fn new(reason: RejectReason, generation: u16, name: NameId) -> Self {
        #[cfg(feature = "std")]
        let number = name.bits();
        #[cfg(not(feature = "std"))]
        let number = 0;
        Self(Details {
            bits: RejectedBits::new(reason, generation, number),
            #[cfg(not(feature = "std"))]
            name,
        })
    }

    /// Returns the link of a chain of errors that [`Rejected::find`] searches for.
    pub(crate) const fn link(&self) -> &(dyn error::Error + 'static) {
        &self.0
    }

    /// Returns the reason of the rejection.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.0.bits.reason()
    }

    /// Returns the wait before the next call, rounded up to 250 µs, or to a second if it is longer
    /// than 69 minutes. `None` while an operator holds the breaker.
    ///
    /// For an open breaker, this is the remainder of the open period. A call after that is admitted
    /// as a probe, if no other call comes first. While probes are busy, this is an upper bound: the
    /// remainder of their lease, or the policy's first open interval if that is shorter. (The
    /// probes may end sooner, and may reopen the breaker.)
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.0.bits.remaining() {
            Some(ticks) => Some(ticks_to_duration(ticks)),
            None => None,
        }
    }

    /// Returns [`Rejected::retry_after`] in whole seconds, for the HTTP header `Retry-After`.
    /// Rounded up, after the rounding to 250 µs is subtracted.
    ///
    /// ```
    /// use cutout::{Breaker, clock::Manual};
    /// use std::time::Duration;
    ///
    /// static CLOCK: Manual = Manual::new();
    /// static BILLING: Breaker = Breaker::builder().clock(&CLOCK).build();
    ///
    /// BILLING.force_open_for(Duration::from_millis(1_500));
    /// assert_eq!(BILLING.try_acquire().unwrap_err().retry_after_secs(), Some(2));
    /// ```
    #[must_use]
    pub const fn retry_after_secs(&self) -> Option<u64> {
        match self.0.bits.remaining() {
            Some(ticks) => Some(at_least_one(round_up(ticks, 1_000_000))),
            None => None,
        }
    }

    /// Searches a chain of errors for a rejection, for errors that were boxed.
    ///
    /// Finds the rejection in a boxed [`Error`] and in an `anyhow::Error` made of one by `?`. Finds
    /// it also below any number of errors that return their cause as their source. (An `io::Error`
    /// does not: it returns the source of its cause.)
    ///
    /// ```
    /// use cutout::{Breaker, Rejected};
    /// use std::error::Error;
    ///
    /// static BILLING: Breaker = Breaker::new();
    ///
    /// fn quote() -> Result<u32, Box<dyn Error + Send + Sync>> {
    ///     let permit = BILLING.try_acquire()?;
    ///     Ok(permit.observe("7".parse())?)
    /// }
    ///
    /// BILLING.force_open();
    /// assert!(Rejected::find(&*quote().unwrap_err()).is_some());
    /// BILLING.reset();
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

    /// Returns the generation of the period that rejected the call.
    #[must_use]
    pub const fn generation(&self) -> u16 {
        self.0.bits.generation()
    }

    /// Returns the breaker's name, if it has one.
    ///
    /// With `std`, the name is read from a table of this process, which has room for 1 048 576
    /// distinct names. A breaker with another name rejects without one.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        #[cfg(feature = "std")]
        let name = NameId::of_bits(self.0.bits.name());
        #[cfg(not(feature = "std"))]
        let name = self.0.name;
        name.text()
    }

    fn fmt_as(self, title: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(title)
            .field("reason", &self.reason())
            .field("retry_after", &self.retry_after())
            .field("generation", &self.generation())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// Converts ticks to a larger unit, rounded up. An end is up to one tick late, so one tick is
/// subtracted first: otherwise a period of one second would be reported as two.
const fn round_up(ticks: u64, micros: u64) -> u64 {
    ticks.saturating_sub(1).div_ceil(micros / TICK_MICROS)
}

const fn at_least_one(count: u64) -> u64 {
    if count == 0 { 1 } else { count }
}

/// Converts ticks to a duration.
pub(crate) const fn ticks_to_duration(ticks: u64) -> Duration {
    const { assert!(Deadline::ticks(1) * TICK_MICROS == 1_000) };
    Duration::from_micros(ticks * TICK_MICROS)
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("circuit ")?;
        if let Some(name) = self.name() {
            write!(f, "{name:?} ")?;
        }
        match self.reason() {
            Reason::ForcedOpen => return f.write_str("is forced open"),
            Reason::Open => f.write_str("is open")?,
            Reason::ProbesBusy => f.write_str("is half-open and its probes are busy")?,
        }
        let Some(remaining) = self.0.bits.remaining() else {
            return Ok(());
        };
        let millis = at_least_one(round_up(remaining, 1_000));
        write!(f, ", retry after {:?}", Duration::from_millis(millis))
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a circuit breaker rejected the call")
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Rejected(*self).fmt_as("Details", f)
    }
}

impl error::Error for Details {}

impl fmt::Debug for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as("Rejected", f)
    }
}

impl error::Error for Rejected {}

/// Error of a call through a breaker: the call was rejected, or it was made and failed with `E`.
///
/// The text is that of the rejection or of the call's error. The source in a chain of errors is the
/// source of the call's error or, for a rejection, a link that [`Rejected::find`] searches for.
///
/// ```
/// use cutout::{Breaker, Error};
///
/// static BILLING: Breaker = Breaker::new();
///
/// let error = BILLING.call(|| "many".parse::<u32>()).unwrap_err();
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
    /// Returns the rejection, if the call was not made.
    #[must_use]
    pub const fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Rejected(rejected) => Some(rejected),
            Self::Inner(_) => None,
        }
    }

    /// Returns true if the call was not made.
    #[must_use]
    pub const fn is_rejected(&self) -> bool {
        matches!(self, Self::Rejected(_))
    }

    /// Returns [`Rejected::retry_after`], if the call was not made.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected(rejected) => rejected.retry_after(),
            Self::Inner(_) => None,
        }
    }

    /// Returns the error of the call, if it was made.
    #[must_use]
    pub fn into_inner(self) -> Option<E> {
        match self {
            Self::Rejected(_) => None,
            Self::Inner(inner) => Some(inner),
        }
    }

    /// Converts the error of the call.
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

    /// Converts to the error type of the call, which implements `From<Rejected>`.
    ///
    /// Also converts to `anyhow` without hiding the rejection from a downcast:
    /// `.map_err(|error| error.map_inner(anyhow::Error::from).flatten())`.
    ///
    /// ```
    /// use cutout::{Breaker, Rejected};
    ///
    /// #[derive(Debug)]
    /// enum QuoteError {
    ///     Unavailable(Rejected),
    ///     Billing,
    /// }
    ///
    /// impl From<Rejected> for QuoteError {
    ///     fn from(rejected: Rejected) -> Self {
    ///         Self::Unavailable(rejected)
    ///     }
    /// }
    ///
    /// static BILLING: Breaker = Breaker::new();
    ///
    /// fn quote() -> Result<u32, QuoteError> {
    ///     BILLING.call(|| Err(QuoteError::Billing)).map_err(cutout::Error::flatten)
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
