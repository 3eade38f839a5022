//! What a breaker does: when it trips, how long it stays open, how it probes.

mod backoff;
mod compile;
mod error;
#[cfg(feature = "serde")]
mod serde;
mod text;
mod trip;

use core::time::Duration;

pub use backoff::Backoff;
pub use error::PolicyError;
pub use trip::{Failures, Percent, Span, Threshold, Trip, Window};

pub(crate) use compile::{compile, decompile};

/// When a breaker trips, how long it stays open and how it probes.
///
/// Plain data, checked when a breaker is built from it: in a `const` or `static` at compile time, in
/// [`Builder::try_build`](crate::Builder::try_build) with a [`PolicyError`] that names field, value and
/// bound. All durations are whole milliseconds.
///
/// | field | default | bounds |
/// |---|---|---|
/// | `trip`: [`Trip::consecutive`] | 5 | 1 to 65 535, beside a window of up to 45 calls 1 to 45 |
/// | `trip`: [`Trip::failures`] | 10 | 1 to n of `of_last(n)`, 1 to 1024 `within` a time |
/// | `trip`: [`Trip::percent`] | – | 1 to 100 |
/// | `trip`: `min_calls` | n of `of_last(n)`, 20 `within` a time | 1 to n of `of_last(n)`, 1 to 1 000 000 `within` a time |
/// | `trip`: `of_last` | 20 | 1 to 4096; without `std` 1 to 45 |
/// | `trip`: `within` | – | failures: 10 ms to 365 days; percent: 100 ms to 1 day; without `std` refused |
/// | `open_for` | – | 10 ms to 30 days |
/// | `backoff`: `base` | 5 s | 10 ms to 30 days |
/// | `backoff`: `factor` | 2 | 1 to 100 |
/// | `backoff`: `cap` | 60 s | `base` to 30 days |
/// | `backoff`: `jitter` | 20 % | 0 to 100 % |
/// | `probes` | 1 | 1 to 63 |
/// | `probe_successes` | 1 | 1 to 63 |
/// | `probe_lease` | see [`Policy::probe_lease`] | 10 ms to 1 day |
/// | `slow_call` | none | 1 ms to the `probe_lease`, or to its default before any reopen |
/// | `on_drop` | [`OnDrop::FailProbeAfter`] 1 s | `FailProbeAfter`, `FailureAfter`: 1 ms to the `probe_lease`, as above |
///
/// ```
/// use cutout::{Breaker, Policy, Trip};
/// use std::time::Duration;
///
/// const PARTNERS: Policy = Policy::new().trip(Trip::consecutive(3)).probes(2);
/// static BILLING: Breaker = Breaker::builder().policy(PARTNERS).build();
/// static SEARCH: Breaker = Breaker::builder()
///     .policy(PARTNERS.open_for(Duration::from_secs(1)))
///     .build();
///
/// assert_eq!(BILLING.policy(), PARTNERS);
/// ```
///
/// # Files
///
/// With the feature `serde` a policy is read from a file. A key that is left out is as by default.
/// An unknown key, and a value out of its bounds, is an error that names the key. As TOML:
///
/// ```toml
/// trip = { consecutive = 5, percent = 50, min_calls = 20, within = "10s" }
/// backoff = { base = "5s", factor = 2, cap = "1m", jitter = 20 } # or open_for = "15s"
/// probes = 1
/// probe_successes = 1
/// probe_lease = "30s"
/// slow_call = "2s"
/// on_drop = { failure-after = "2s" } # or { fail-probe-after = "1s" }, "fail-probe", "ignore", "failure"
/// ```
///
/// Only a map is a policy: a list of values is refused. In a larger file give the policy a key of
/// its own. An error then has the line of the value that is wrong, in formats that have lines:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// #[derive(Debug, serde::Deserialize)]
/// struct Config {
///     url: String,
///     breaker: cutout::Policy,
/// }
///
/// let file = "
/// url = 'https://dependency.example'
/// [breaker]
/// open_for = '5ms'
/// ";
/// let error = toml::from_str::<Config>(file).unwrap_err().to_string();
/// assert!(error.contains("line 4"));
/// assert!(error.contains("open_for must be 10ms to 30d, got 5ms"));
/// # }
/// ```
///
/// `#[serde(flatten)]` works as well: the policy refuses each key that the fields before it did not
/// take. So the policy must be the last field that is flattened, and errors have no line. serde
/// does not support `deny_unknown_fields` beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// When the breaker trips.
    pub trip: Trip,
    /// How long it stays open.
    pub backoff: Backoff,
    /// The most probes in flight.
    pub probes: u32,
    /// How many probes must succeed to recover.
    pub probe_successes: u32,
    /// How long the breaker waits for its probes, if not the default.
    pub probe_lease: Option<Duration>,
    /// How long a call may take before it counts as a failure.
    pub slow_call: Option<Duration>,
    /// What a permit that is dropped without an outcome means, if not the default.
    pub on_drop: Option<OnDrop>,
}

/// What it means that a permit is dropped without an outcome: an early return, a future that is
/// cancelled by a timeout around it or by a lost `select!`.
///
/// (A panic is always a failure, also one beside the call: of a permit or future that is dropped while its thread
/// unwinds, unless the thread did so already when the call was let through.)
///
/// ```
/// use cutout::{Breaker, OnDrop, State, Trip};
///
/// static PARTNER: Breaker = Breaker::builder()
///     .trip(Trip::consecutive(1))
///     .on_drop(OnDrop::Failure)
///     .build();
///
/// drop(PARTNER.try_acquire().unwrap());
/// assert_eq!(PARTNER.state(), State::Open);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnDrop {
    /// Ignored while the breaker is closed, a failure for a probe, however soon. Where most callers hang up
    /// early, a healthy dependency stays shut out for as long as such callers draw the probes.
    FailProbe,
    /// Ignored while the breaker is closed. A probe has failed if it was held this long or longer; before that it
    /// gives its slot back. Costs a call nothing while closed.
    ///
    /// Choose it longer than most calls take and shorter than the timeouts around them. A dependency that hangs
    /// behind shorter timeouts is otherwise probed for ever, by one caller after the other.
    FailProbeAfter(Duration),
    /// It proves nothing: a probe gives its slot back. A dependency that hangs behind timeouts is then probed for
    /// ever.
    Ignore,
    /// A failure.
    Failure,
    /// A failure if the permit was held this long or longer. Before that it is ignored, and a probe gives its slot
    /// back. Costs two readings of the clock a call.
    FailureAfter(Duration),
}

impl Policy {
    /// The default policy: five failures in a row or ten of the last twenty calls trip it; it opens for
    /// 5 s, doubling to 60 s while probes fail, with 20 % jitter; one probe, one success.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            trip: Trip::consecutive(5).or(Trip::failures(10).of_last(20)),
            backoff: Backoff::exponential(Duration::from_secs(5), 2, Duration::from_mins(1))
                .jitter(20),
            probes: 1,
            probe_successes: 1,
            probe_lease: None,
            slow_call: None,
            on_drop: None,
        }
    }

    /// Sets when the breaker trips.
    #[must_use]
    pub const fn trip(mut self, trip: Trip) -> Self {
        self.trip = trip;
        self
    }

    /// Opens for this long, each time. Replaces [`Policy::backoff`], as a policy may be made from another.
    #[must_use]
    pub const fn open_for(mut self, interval: Duration) -> Self {
        self.backoff = Backoff::constant(interval);
        self
    }

    /// Opens for longer each time that probes fail. Replaces [`Policy::open_for`].
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets the most probes in flight while half-open. Everybody else is rejected at once.
    #[must_use]
    pub const fn probes(mut self, most: u32) -> Self {
        self.probes = most;
        self
    }

    /// Sets how many probes must succeed to recover. One failure reopens.
    #[must_use]
    pub const fn probe_successes(mut self, needed: u32) -> Self {
        self.probe_successes = needed;
        self
    }

    /// Sets how long the breaker waits for its probes: when all places are taken and the last one was
    /// taken this long ago, they count as failed and the breaker reopens. **A call that takes longer
    /// than the lease can never recover the breaker.** It ends up to 4 ms late, never early.
    ///
    /// Default: the longer of 30 s and the open interval for this reopen count without jitter, doubled
    /// with each of the first three reopens, at most a day.
    #[must_use]
    pub const fn probe_lease(mut self, lease: Duration) -> Self {
        self.probe_lease = Some(lease);
        self
    }

    /// Makes a call that returns after `limit` or more a failure, whatever it returned. Implies
    /// [`OnDrop::FailureAfter`] the same limit unless [`Policy::on_drop`] is set. Costs two readings
    /// of the clock a call. A limit above the lease needs a longer [`Policy::probe_lease`].
    ///
    /// ```
    /// use cutout::{Breaker, Outcome, Recorded, Trip, clock::Manual};
    /// use std::time::Duration;
    ///
    /// static CLOCK: Manual = Manual::new();
    /// static PARTNER: Breaker = Breaker::builder()
    ///     .trip(Trip::consecutive(1))
    ///     .slow_call(Duration::from_secs(2))
    ///     .clock(&CLOCK)
    ///     .build();
    ///
    /// let permit = PARTNER.try_acquire().unwrap();
    /// CLOCK.advance(Duration::from_secs(2));
    /// assert_eq!(permit.record(Outcome::Success), Recorded::Tripped);
    /// ```
    #[must_use]
    pub const fn slow_call(mut self, limit: Duration) -> Self {
        self.slow_call = Some(limit);
        self
    }

    /// Sets what a permit that is dropped without an outcome means.
    #[must_use]
    pub const fn on_drop(mut self, on_drop: OnDrop) -> Self {
        self.on_drop = Some(on_drop);
        self
    }

    /// Checks every bound, as building a breaker does.
    ///
    /// # Errors
    ///
    /// The first field whose value is out of bounds.
    ///
    /// ```
    /// use cutout::Policy;
    ///
    /// let error = Policy::new().probes(0).validate().unwrap_err();
    /// assert_eq!(error.to_string(), "probes must be 1 to 63, got 0");
    /// ```
    pub const fn validate(&self) -> Result<(), PolicyError> {
        match compile(self) {
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}
