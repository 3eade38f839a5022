//! Policies: trip rule, length of open periods, and probing.

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

/// Configuration of a breaker: trip rule, length of open periods, and probing.
///
/// A policy is plain data. Its bounds are checked when a breaker is built from it: at compile time
/// for a `const` or `static`, otherwise by [`Builder::try_build`](crate::Builder::try_build). The
/// [`PolicyError`] names field, value and bound. All durations are whole milliseconds.
///
/// | field | default | bounds |
/// |---|---|---|
/// | `trip`: [`Trip::consecutive`] | 5 | 1 to 65 535; combined with a window of up to 45 calls 1 to 45 |
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
/// const SHARED: Policy = Policy::new().trip(Trip::consecutive(3)).probes(2);
/// static BILLING: Breaker = Breaker::builder().policy(SHARED).build();
/// static SEARCH: Breaker = Breaker::builder()
///     .policy(SHARED.open_for(Duration::from_secs(1)))
///     .build();
///
/// assert_eq!(BILLING.policy(), SHARED);
/// ```
///
/// # Files
///
/// With the feature `serde`, a policy can be read from a file. A missing key takes its default. An
/// unknown key or a value out of bounds is an error that names the key. In TOML:
///
/// ```toml
/// trip = { consecutive = 5, percent = 50, min_calls = 20, within = "10s" }
/// backoff = { base = "5s", factor = 2, cap = "1m", jitter = 20 } # or open_for = "15s"
/// probes = 1
/// probe_successes = 1
/// probe_lease = "30s"
/// slow_call = "2s"
/// # or { fail-probe-after = "1s" }, "fail-probe", "ignore", "failure":
/// on_drop = { failure-after = "2s" }
/// ```
///
/// A policy must be a map; a list of values is refused. In a larger file, give the policy a key of
/// its own. In formats that track lines, an error then has the line of the offending value:
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
/// `#[serde(flatten)]` also works: the policy refuses each key that the preceding fields did not
/// take. The policy must therefore be the last flattened field, and errors have no line. serde does
/// not support `deny_unknown_fields` together with `flatten`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// The rule that trips the breaker.
    pub trip: Trip,
    /// The length of open periods.
    pub backoff: Backoff,
    /// The largest number of probes in flight.
    pub probes: u32,
    /// The number of successful probes needed to recover.
    pub probe_successes: u32,
    /// The time that the breaker waits for its probes, if not the default.
    pub probe_lease: Option<Duration>,
    /// The call duration from which a call counts as a failure.
    pub slow_call: Option<Duration>,
    /// The meaning of a permit that is dropped without an outcome, if not the default.
    pub on_drop: Option<OnDrop>,
}

/// Meaning of a permit that is dropped without an outcome. Causes are an early return, or a future
/// that an outer timeout or a lost `select!` cancels.
///
/// A panic is always a failure. This includes a permit or future that is dropped while its thread
/// unwinds from a panic outside the call. The exception is a thread that was already unwinding when
/// the call was admitted.
///
/// ```
/// use cutout::{Breaker, OnDrop, State, Trip};
///
/// static BILLING: Breaker = Breaker::builder()
///     .trip(Trip::consecutive(1))
///     .on_drop(OnDrop::Failure)
///     .build();
///
/// drop(BILLING.try_acquire().unwrap());
/// assert_eq!(BILLING.state(), State::Open);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnDrop {
    /// Ignored while the breaker is closed. A probe fails, however soon it is dropped. If most
    /// callers hang up early, a healthy dependency stays shut out as long as such callers become
    /// the probes.
    FailProbe,
    /// Ignored while the breaker is closed. A probe that was held this long or longer fails; a
    /// probe that is dropped earlier gives its slot back. Adds no cost to a call while closed.
    ///
    /// Choose a duration longer than most calls take and shorter than the timeouts around them.
    /// Otherwise a dependency that hangs behind shorter timeouts is probed forever, by one caller
    /// after another.
    FailProbeAfter(Duration),
    /// Ignored. A probe gives its slot back. A dependency that hangs behind timeouts is then probed
    /// forever.
    Ignore,
    /// A failure.
    Failure,
    /// A failure if the permit was held this long or longer. A permit that is dropped earlier is
    /// ignored, and a probe gives its slot back. Costs two clock readings per call.
    FailureAfter(Duration),
}

impl Policy {
    /// The default policy. Five failures in a row, or ten among the last twenty calls, trip the
    /// breaker. It opens for 5 s, doubling to 60 s while probes fail, with 20 % jitter. One
    /// probe is in flight at a time, and one success recovers the breaker.
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

    /// Sets the rule that trips the breaker.
    #[must_use]
    pub const fn trip(mut self, trip: Trip) -> Self {
        self.trip = trip;
        self
    }

    /// Sets one length for every open period. Replaces [`Policy::backoff`], since a policy may be
    /// derived from another one.
    #[must_use]
    pub const fn open_for(mut self, interval: Duration) -> Self {
        self.backoff = Backoff::constant(interval);
        self
    }

    /// Sets open periods that grow with each failed probe. Replaces [`Policy::open_for`].
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets the largest number of probes in flight while half-open. All other calls are rejected
    /// immediately.
    #[must_use]
    pub const fn probes(mut self, most: u32) -> Self {
        self.probes = most;
        self
    }

    /// Sets the number of successful probes needed to recover. One failed probe reopens the
    /// breaker.
    #[must_use]
    pub const fn probe_successes(mut self, needed: u32) -> Self {
        self.probe_successes = needed;
        self
    }

    /// Sets how long the breaker waits for its probes. If all slots are taken and the last one was
    /// taken this long ago, the probes count as failed and the breaker reopens. **A call that takes
    /// longer than the lease can never recover the breaker.** A lease ends up to 4 ms late, never
    /// early.
    ///
    /// Default: the longer of 30 s and the open interval for this reopen count without jitter. The
    /// default doubles with each of the first three reopens, to at most one day.
    #[must_use]
    pub const fn probe_lease(mut self, lease: Duration) -> Self {
        self.probe_lease = Some(lease);
        self
    }

    /// Counts a call that returns after `limit` or later as a failure, regardless of its result.
    /// Implies [`OnDrop::FailureAfter`] with the same limit unless [`Policy::on_drop`] is set.
    /// Costs two clock readings per call. A limit above the lease needs a longer
    /// [`Policy::probe_lease`].
    ///
    /// ```
    /// use cutout::{Breaker, Outcome, Recorded, Trip, clock::Manual};
    /// use std::time::Duration;
    ///
    /// static CLOCK: Manual = Manual::new();
    /// static BILLING: Breaker = Breaker::builder()
    ///     .trip(Trip::consecutive(1))
    ///     .slow_call(Duration::from_secs(2))
    ///     .clock(&CLOCK)
    ///     .build();
    ///
    /// let permit = BILLING.try_acquire().unwrap();
    /// CLOCK.advance(Duration::from_secs(2));
    /// assert_eq!(permit.record(Outcome::Success), Recorded::Tripped);
    /// ```
    #[must_use]
    pub const fn slow_call(mut self, limit: Duration) -> Self {
        self.slow_call = Some(limit);
        self
    }

    /// Sets the meaning of a permit that is dropped without an outcome.
    #[must_use]
    pub const fn on_drop(mut self, on_drop: OnDrop) -> Self {
        self.on_drop = Some(on_drop);
        self
    }

    /// Checks every bound, as building a breaker does.
    ///
    /// # Errors
    ///
    /// Returns the first field whose value is out of bounds.
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
