//! [`LastError`]: the stored error, and the rule by which a rejection may show it.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::{Breaker, Rejected};

/// The last error that counted as a failure, with the period that it counted in.
pub(super) struct LastError<E>(ArcSwapOption<StoredError<E>>);

struct StoredError<E> {
    generation: u16,
    error: Arc<E>,
}

impl<E> LastError<E> {
    pub(super) const fn new() -> Self {
        Self(ArcSwapOption::const_empty())
    }

    /// Stores an error that was counted in the period `generation`, and replaces the stored one.
    ///
    /// A thread that was suspended here may replace a newer error. Generations wrap, so an order by
    /// generation would not be reliable either.
    pub(super) fn store(&self, generation: u16, error: Arc<E>) {
        // ORDERING: arc-swap's, a SeqCst swap here and Acquire loads below. Without Release and
        // Acquire a reader could see an incomplete error, or in `visible` a word older than the
        // one that counted it.
        self.0
            .store(Some(Arc::new(StoredError { generation, error })));
    }

    /// Drops the stored error after the half-open period `recovered` has closed the breaker.
    ///
    /// This saves memory and affects no decision, so a comparison by half the range is enough. A
    /// newer error must stay: this thread may have been suspended since its recovery.
    pub(super) fn clear_older(&self, recovered: u16) {
        if let Some(stored) = &*self.0.load()
            && recovered.wrapping_sub(stored.generation) <= u16::MAX / 2
        {
            self.clear_if(stored);
        }
    }

    /// Drops the stored error if it is this one. Another error stays: its address differs, since
    /// the caller keeps this one alive.
    fn clear_if(&self, older: &Arc<StoredError<E>>) {
        self.0.compare_and_swap(older, None);
    }

    /// Returns the error that a rejection shows.
    pub(super) fn for_rejection(&self, rejected: Rejected, breaker: &Breaker) -> Option<Arc<E>> {
        self.visible(breaker, Some(rejected.generation()))
    }

    /// Returns the error of the current outage.
    pub(super) fn current(&self, breaker: &Breaker) -> Option<Arc<E>> {
        self.visible(breaker, None)
    }

    fn visible(&self, breaker: &Breaker, rejected_in: Option<u16>) -> Option<Arc<E>> {
        // Load the error first, then the word. The error was stored after its call was counted, so
        // this word belongs to the error's period or a later one. In the other order the error
        // could be newer than the word, and would be hidden although it belongs to this outage.
        let loaded = self.0.load();
        let stored = loaded.as_deref()?;
        let outage = breaker.outage()?;
        let in_outage = |generation| outage.covers(generation);
        (in_outage(stored.generation) && rejected_in.is_none_or(in_outage))
            .then(|| Arc::clone(&stored.error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Trip, clock::Manual};
    use core::{ops::Deref, time::Duration};

    const SECOND: Duration = Duration::from_secs(1);

    /// A breaker and its own clock. A clock that tests share moves the time under the others.
    struct Fixture {
        breaker: Breaker,
        clock: Arc<Manual>,
    }

    impl Deref for Fixture {
        type Target = Breaker;

        fn deref(&self) -> &Breaker {
            &self.breaker
        }
    }

    fn breaker() -> Fixture {
        let clock = Arc::new(Manual::new());
        let breaker = Breaker::builder()
            .trip(Trip::consecutive(1))
            .open_for(SECOND)
            .build();
        Fixture {
            breaker: breaker.with_shared_clock(clock.clone()),
            clock,
        }
    }

    /// Trips the breaker and returns the generation of the failed call.
    fn trip(breaker: &Breaker) -> u16 {
        let permit = breaker.try_acquire().unwrap();
        let generation = permit.generation();
        permit.failure();
        generation
    }

    /// Recovers the breaker and returns the generation of the probe.
    fn recover(breaker: &Fixture) -> u16 {
        breaker.clock.advance(SECOND);
        let probe = breaker.try_acquire().unwrap();
        let generation = probe.generation();
        probe.success();
        generation
    }

    fn visible(last: &LastError<&'static str>, breaker: &Breaker) -> Option<&'static str> {
        let rejected = breaker.try_acquire().unwrap_err();
        last.for_rejection(rejected, breaker).map(|error| *error)
    }

    #[test]
    fn an_error_that_is_cleared_late_is_not_shown_in_the_next_outage() {
        let (breaker, last) = (breaker(), LastError::new());
        last.store(trip(&breaker), Arc::new("first"));
        assert_eq!(visible(&last, &breaker), Some("first"));
        recover(&breaker);
        // The recovering thread is suspended here.
        let second = trip(&breaker);
        assert_eq!(visible(&last, &breaker), None);
        last.store(second, Arc::new("second"));
        assert_eq!(visible(&last, &breaker), Some("second"));
    }

    #[test]
    fn an_error_that_is_stored_late_is_not_shown_in_the_next_outage() {
        let (breaker, last) = (breaker(), LastError::new());
        let first = trip(&breaker);
        // The failing thread is suspended here.
        last.clear_older(recover(&breaker));
        last.store(first, Arc::new("first"));
        assert_eq!(last.current(&breaker), None);
        trip(&breaker);
        assert_eq!(visible(&last, &breaker), None);
    }

    #[test]
    fn a_late_recovery_clears_no_newer_error() {
        let (breaker, last) = (breaker(), LastError::new());
        last.store(trip(&breaker), Arc::new("first"));
        let recovered = recover(&breaker);
        // The recovering thread is suspended here.
        last.store(trip(&breaker), Arc::new("second"));
        last.clear_older(recovered);
        assert_eq!(visible(&last, &breaker), Some("second"));
    }

    #[test]
    fn an_error_stored_while_an_older_one_is_cleared_stays() {
        let (breaker, last) = (breaker(), LastError::new());
        last.store(trip(&breaker), Arc::new("first"));
        let first = last.0.load_full().unwrap();
        recover(&breaker);
        // The recovering thread has loaded the first error.
        last.store(trip(&breaker), Arc::new("second"));
        last.clear_if(&first);
        assert_eq!(visible(&last, &breaker), Some("second"));
    }

    #[test]
    fn a_late_rejection_shows_no_error_of_the_next_outage() {
        let (breaker, last) = (breaker(), LastError::new());
        last.store(trip(&breaker), Arc::new("first"));
        let rejected = breaker.try_acquire().unwrap_err();
        // The rejected thread is suspended here.
        last.clear_older(recover(&breaker));
        assert_eq!(last.for_rejection(rejected, &breaker), None);
        last.store(trip(&breaker), Arc::new("second"));
        assert_eq!(last.for_rejection(rejected, &breaker), None);
        assert_eq!(visible(&last, &breaker), Some("second"));
    }

    #[test]
    fn a_cleared_error_is_dropped() {
        let (breaker, last) = (breaker(), LastError::new());
        let error = Arc::new("first");
        last.store(trip(&breaker), Arc::clone(&error));
        assert_eq!(Arc::strong_count(&error), 2);
        last.clear_older(recover(&breaker));
        assert_eq!(Arc::strong_count(&error), 1);
    }

    #[test]
    fn an_error_is_shown_and_cleared_when_generations_wrap() {
        let (breaker, last) = (breaker(), LastError::new());
        for _ in 0..u16::MAX {
            breaker.reset();
        }
        let generation = trip(&breaker);
        assert_eq!(generation, u16::MAX);
        last.store(generation, Arc::new("first"));
        assert_eq!(visible(&last, &breaker), Some("first"));
        last.clear_older(recover(&breaker));
        assert!(last.0.load().is_none());
    }
}
