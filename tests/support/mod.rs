//! Fixtures that the test binaries share: lengths of time, and a breaker on a clock that counts.

#![allow(dead_code, reason = "each test binary uses a part of them")]

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use cutout::{
    Breaker, Builder, Listener, Outcome, Policy, Recorded,
    clock::{Clock, Manual},
};

pub(crate) const NS: Duration = Duration::from_nanos(1);
pub(crate) const US: Duration = Duration::from_micros(1);
pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);

/// A manual clock that counts its readings.
#[derive(Debug, Default)]
pub(crate) struct CountingClock {
    time: Manual,
    reads: AtomicU32,
}

impl CountingClock {
    pub(crate) fn at(nanos: u64) -> Self {
        Self {
            time: Manual::at(nanos),
            reads: AtomicU32::new(0),
        }
    }

    pub(crate) fn reads(&self) -> u32 {
        self.reads.load(Ordering::Relaxed)
    }
}

impl Clock for CountingClock {
    fn now(&self) -> u64 {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.time.now()
    }
}

/// The clock without the count: a test sets and reads it.
impl Deref for CountingClock {
    type Target = Manual;

    fn deref(&self) -> &Manual {
        &self.time
    }
}

/// A breaker and the clock that it reads.
pub(crate) struct Fixture {
    pub(crate) breaker: Arc<Breaker>,
    pub(crate) clock: Arc<CountingClock>,
}

impl Fixture {
    pub(crate) fn new(policy: Policy) -> Self {
        Self::at(0, Breaker::builder().policy(policy))
    }

    /// A breaker whose clock reads `nanos`.
    pub(crate) fn at(nanos: u64, builder: Builder) -> Self {
        let clock = Arc::new(CountingClock::at(nanos));
        let breaker = builder
            .try_build()
            .expect("the policy is within its bounds")
            .with_shared_clock(clock.clone());
        Self {
            breaker: Arc::new(breaker),
            clock,
        }
    }

    /// A breaker whose next call is a probe.
    pub(crate) fn past_the_deadline(policy: Policy) -> Self {
        let fixture = Self::new(policy);
        fixture.open_until_now();
        fixture
    }

    /// The breaker with one more listener.
    pub(crate) fn with_listener(self, listener: Arc<dyn Listener>) -> Self {
        let breaker = Arc::into_inner(self.breaker).expect("the breaker is not shared yet");
        Self {
            breaker: Arc::new(breaker.with_shared_listener(listener)),
            clock: self.clock,
        }
    }

    /// Opens the breaker for a second and lets that second pass: the next call is a probe.
    pub(crate) fn open_until_now(&self) {
        self.breaker.force_open_for(SECOND);
        self.clock.advance(SECOND);
    }

    pub(crate) fn after(&self, time: Duration) -> &Self {
        self.clock.advance(time);
        self
    }

    /// Makes a call that ends with this outcome.
    pub(crate) fn report(&self, outcome: Outcome) -> Recorded {
        let permit = self.breaker.try_acquire();
        permit.expect("the call is admitted").record(outcome)
    }

    pub(crate) fn fail(&self) -> Recorded {
        self.report(Outcome::Failure)
    }

    /// The number of readings of the clock in `act`, and the result of `act`.
    pub(crate) fn reads<'a, T>(&'a self, act: impl FnOnce(&'a Breaker) -> T) -> (u32, T) {
        let before = self.clock.reads();
        let value = act(&self.breaker);
        (self.clock.reads() - before, value)
    }
}
