//! The last error and the log of failures: what they store, what a rejection shows, and that a
//! healthy call pays nothing.

mod calls;
mod log;
mod outages;
mod threads;

use std::{
    fmt,
    sync::atomic::{AtomicU32, Ordering},
    sync::{Arc, Weak},
};

use cutout::{
    Breaker, Policy, Trip,
    clock::Manual,
    last_error::{Error, WithLastError},
};

use crate::support::SECOND;

/// An error that counts how often it is formatted.
#[derive(Debug)]
struct CountedError {
    what: &'static str,
    shown: Arc<AtomicU32>,
}

impl fmt::Display for CountedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.fetch_add(1, Ordering::Relaxed);
        f.write_str(self.what)
    }
}

impl std::error::Error for CountedError {}

/// A breaker that trips at the second failure in a row, on a manual clock.
struct Bench<E = &'static str> {
    dependency: WithLastError<E>,
    clock: Arc<Manual>,
}

impl<E> Bench<E> {
    fn new() -> Self {
        Self::of(Policy::new())
    }

    fn of(policy: Policy) -> Self {
        let clock = Arc::new(Manual::new());
        let breaker = Breaker::builder()
            .policy(policy.trip(Trip::consecutive(2)).open_for(SECOND))
            .build()
            .with_shared_clock(clock.clone());
        Self {
            dependency: WithLastError::new(breaker),
            clock,
        }
    }

    fn fail(&self, error: E) {
        assert!(
            !self
                .dependency
                .call(|| Err::<(), _>(error))
                .unwrap_err()
                .is_rejected()
        );
    }

    fn succeed(&self) {
        assert!(self.dependency.call(|| Ok(())).is_ok());
    }

    fn rejected(&self) -> Error<E> {
        let error = self.dependency.call(|| Ok(())).unwrap_err();
        assert!(error.is_rejected());
        error
    }

    /// Advances the clock to the deadline, so that the next call is a probe.
    fn past_the_deadline(&self) {
        self.clock.advance(SECOND);
    }
}

impl Bench {
    /// The stored last error.
    fn last(&self) -> Option<&'static str> {
        self.dependency.last_error().map(|error| *error)
    }
}

/// Whether the target of the weak pointer has been dropped.
fn is_gone<T>(weak: &Weak<T>) -> bool {
    weak.strong_count() == 0
}
