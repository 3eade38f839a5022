//! [`Builder`] of a breaker, usable in a `const`.

use core::{fmt, time::Duration};

#[cfg(feature = "std")]
use crate::listener::Listener;
use crate::{
    Backoff, Breaker, OnDrop, Policy, PolicyError, Trip,
    clock::{Clock, ClockSource},
    listener::CallListener,
    machine::rules::Rules,
    policy,
};

/// Builder of a [`Breaker`], returned by [`Breaker::builder`]. Usable at compile time.
///
/// [`Policy`] documents the setters that it has in common with the builder, with their bounds and
/// defaults.
#[derive(Clone, Copy)]
#[must_use = "a builder builds nothing until `build` or `try_build`"]
pub struct Builder {
    policy: Policy,
    interval_setters: IntervalSetters,
    clock: Option<&'static dyn Clock>,
    attachments: Attachments,
}

/// The setters that have set the open interval since the policy was set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IntervalSetters {
    None,
    OpenFor,
    Backoff,
    Both,
}

/// The settings of a builder that are not part of the policy.
#[derive(Clone, Copy)]
pub(crate) struct Attachments {
    pub(crate) name: Option<&'static str>,
    #[cfg(feature = "std")]
    pub(crate) listeners: &'static [&'static dyn Listener],
    pub(crate) call_listener: Option<&'static dyn CallListener>,
    #[cfg(feature = "std")]
    pub(crate) counts_calls: bool,
}

impl Builder {
    pub(crate) const fn new() -> Self {
        Self {
            policy: Policy::new(),
            interval_setters: IntervalSetters::None,
            clock: None,
            attachments: Attachments {
                name: None,
                #[cfg(feature = "std")]
                listeners: &[],
                call_listener: None,
                #[cfg(feature = "std")]
                counts_calls: false,
            },
        }
    }

    /// Replaces the policy.
    pub const fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self.interval_setters = IntervalSetters::None;
        self
    }

    /// See [`Policy::trip`].
    pub const fn trip(mut self, trip: Trip) -> Self {
        self.policy = self.policy.trip(trip);
        self
    }

    /// See [`Policy::open_for`]. Refused together with [`Builder::backoff`].
    pub const fn open_for(mut self, interval: Duration) -> Self {
        self.policy = self.policy.open_for(interval);
        self.interval_setters = match self.interval_setters {
            IntervalSetters::None | IntervalSetters::OpenFor => IntervalSetters::OpenFor,
            IntervalSetters::Backoff | IntervalSetters::Both => IntervalSetters::Both,
        };
        self
    }

    /// See [`Policy::backoff`]. Refused together with [`Builder::open_for`].
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.policy = self.policy.backoff(backoff);
        self.interval_setters = match self.interval_setters {
            IntervalSetters::None | IntervalSetters::Backoff => IntervalSetters::Backoff,
            IntervalSetters::OpenFor | IntervalSetters::Both => IntervalSetters::Both,
        };
        self
    }

    /// See [`Policy::probes`].
    pub const fn probes(mut self, most: u32) -> Self {
        self.policy = self.policy.probes(most);
        self
    }

    /// See [`Policy::probe_successes`].
    pub const fn probe_successes(mut self, needed: u32) -> Self {
        self.policy = self.policy.probe_successes(needed);
        self
    }

    /// See [`Policy::probe_lease`].
    pub const fn probe_lease(mut self, lease: Duration) -> Self {
        self.policy = self.policy.probe_lease(lease);
        self
    }

    /// See [`Policy::slow_call`].
    pub const fn slow_call(mut self, limit: Duration) -> Self {
        self.policy = self.policy.slow_call(limit);
        self
    }

    /// See [`Policy::on_drop`].
    pub const fn on_drop(mut self, on_drop: OnDrop) -> Self {
        self.policy = self.policy.on_drop(on_drop);
        self
    }

    /// Sets the name, for rejections, transitions and snapshots.
    ///
    /// With `std`, the first transition of the breaker puts the name into a table of the process,
    /// which holds each distinct name once: 24 bytes, allocated in blocks after the first 32 names.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.attachments.name = Some(name);
        self
    }

    /// Sets the clock. Required without the `std` feature, which has the default clock.
    pub const fn clock(mut self, clock: &'static dyn Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Sets the listeners, which are notified in this order. Replaces previous ones.
    #[cfg(feature = "std")]
    pub const fn listeners(mut self, listeners: &'static [&'static dyn Listener]) -> Self {
        self.attachments.listeners = listeners;
        self
    }

    /// Sets the listener that is notified of every call. Adds a cost to every call: see
    /// [`CallListener`].
    pub const fn call_listener(mut self, listener: &'static dyn CallListener) -> Self {
        self.attachments.call_listener = Some(listener);
        self
    }

    /// Counts every call by its outcome: see [`Breaker::call_counts`].
    ///
    /// A healthy call then writes to one counter, which is the counter of few threads: cores do not
    /// contend. The first call that ends allocates the counters: 48 bytes, and 128 for each shard.
    /// The number of shards is the available parallelism, rounded up to a power of two, at most 64.
    /// Failures and rejections alone are counted without a cost to a healthy call by a
    /// [`Listener`].
    ///
    /// ```
    /// use cutout::Breaker;
    ///
    /// static SEARCH: Breaker = Breaker::builder().count_calls().build();
    ///
    /// SEARCH.call(|| Err::<(), _>("broken")).unwrap_err();
    /// assert_eq!(SEARCH.call_counts().unwrap().failures, 1);
    /// ```
    #[cfg(feature = "std")]
    pub const fn count_calls(mut self) -> Self {
        self.attachments.counts_calls = true;
        self
    }

    /// Builds the breaker.
    ///
    /// # Panics
    ///
    /// Panics if the policy is out of bounds, and names field, value and bound. Without `std`, also
    /// panics if there is no clock. In a `const` or a `static` this is a compile error.
    #[must_use]
    pub const fn build(self) -> Breaker {
        match self.rules() {
            Ok(rules) => self.assemble(rules),
            Err(error) => panic!("{}", error.text().as_str()),
        }
    }

    /// Builds the breaker, for a policy that comes from outside.
    ///
    /// # Errors
    ///
    /// Returns an error for the first field of the policy whose value is out of bounds. Without
    /// `std`, also returns an error if there is no clock.
    ///
    /// ```
    /// use cutout::{Breaker, Policy};
    ///
    /// fn from_config(probes: u32) -> Result<Breaker, cutout::PolicyError> {
    ///     Breaker::builder().policy(Policy::new().probes(probes)).try_build()
    /// }
    /// assert!(from_config(2).is_ok());
    /// assert_eq!(
    ///     from_config(64).unwrap_err().to_string(),
    ///     "probes must be 1 to 63, got 64"
    /// );
    /// ```
    pub const fn try_build(self) -> Result<Breaker, PolicyError> {
        match self.rules() {
            Ok(rules) => Ok(self.assemble(rules)),
            Err(error) => Err(error),
        }
    }

    const fn rules(&self) -> Result<Rules, PolicyError> {
        if cfg!(not(feature = "std")) && self.clock.is_none() {
            return Err(PolicyError::rule(
                "clock",
                "set, as there is no default one without the std feature",
                "none",
            ));
        }
        if let IntervalSetters::Both = self.interval_setters {
            return Err(PolicyError::rule(
                "open_for",
                "left out beside backoff",
                "both",
            ));
        }
        policy::compile(&self.policy)
    }

    const fn assemble(self, rules: Rules) -> Breaker {
        let clock = match self.clock {
            Some(clock) => ClockSource::Static(clock),
            #[cfg(feature = "std")]
            None => ClockSource::Monotonic,
            #[cfg(not(feature = "std"))]
            None => unreachable!(),
        };
        Breaker::assemble(rules, self.attachments, clock)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("policy", &self.policy)
            .field("name", &self.attachments.name)
            .finish_non_exhaustive()
    }
}
