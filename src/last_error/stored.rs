//! The last error, and whose rejections may show it.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::{Breaker, Rejected};

/// The last error that counted, with the period that it counted in.
pub(super) struct LastError<E>(ArcSwapOption<StoredError<E>>);

struct StoredError<E> {
    generation: u16,
    error: Arc<E>,
}

impl<E> LastError<E> {
    pub(super) const fn new() -> Self {
        Self(ArcSwapOption::const_empty())
    }

    /// Stores an error that was counted in the period `generation`, whatever stands: a newer one that is lost to a
    /// thread that was held up here is not worth an order of generations, which wraps.
    pub(super) fn store(&self, generation: u16, error: Arc<E>) {
        // ORDERING: arc-swap's, a SeqCst swap here and Acquire loads below. Without Release and Acquire what the error
        // holds need not be seen, nor, in `visible`, the word that it was counted in.
        self.0
            .store(Some(Arc::new(StoredError { generation, error })));
    }

    /// Lets go of an error that is not needed any more, as the half-open period `recovered` has closed the breaker.
    ///
    /// This saves memory and decides nothing, so half the range will do to tell older from newer. But a newer one
    /// must stay: this thread may have been held up since its recovery.
    pub(super) fn clear_older(&self, recovered: u16) {
        if let Some(stored) = &*self.0.load()
            && recovered.wrapping_sub(stored.generation) <= u16::MAX / 2
        {
            self.clear_if(stored);
        }
    }

    /// Empties the memory, if this is what stands there. Another one stays: it can't have the address of this one,
    /// which the caller keeps alive.
    fn clear_if(&self, older: &Arc<StoredError<E>>) {
        self.0.compare_and_swap(older, None);
    }

    /// The error that a rejection shows.
    pub(super) fn for_rejection(&self, rejected: &Rejected, breaker: &Breaker) -> Option<Arc<E>> {
        self.visible(breaker, Some(rejected.generation()))
    }

    /// The error of the outage that stands.
    pub(super) fn current(&self, breaker: &Breaker) -> Option<Arc<E>> {
        self.visible(breaker, None)
    }

    fn visible(&self, breaker: &Breaker, rejected_in: Option<u16>) -> Option<Arc<E>> {
        // Error first, then word. The error was stored after its call was counted, so the word read here is of the
        // error's period or of a later one. The other way round the error could be newer than the word, and would not
        // be shown though it is of this very outage.
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
    use core::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    static CLOCK: Manual = Manual::new();

    fn breaker() -> Breaker {
        Breaker::builder()
            .trip(Trip::consecutive(1))
            .open_for(SECOND)
            .clock(&CLOCK)
            .build()
    }

    /// Trips, and gives the generation of the call that did it.
    fn trip(breaker: &Breaker) -> u16 {
        let permit = breaker.try_acquire().unwrap();
        let generation = permit.generation();
        permit.failure();
        generation
    }

    /// Recovers, and gives the generation of the probe that did it.
    fn recover(breaker: &Breaker) -> u16 {
        CLOCK.advance(SECOND);
        let probe = breaker.try_acquire().unwrap();
        let generation = probe.generation();
        probe.success();
        generation
    }

    fn visible(last: &LastError<&'static str>, breaker: &Breaker) -> Option<&'static str> {
        let rejected = breaker.try_acquire().unwrap_err();
        last.for_rejection(&rejected, breaker).map(|error| *error)
    }

    #[test]
    fn an_error_that_is_not_forgotten_in_time_is_not_shown_in_the_next_outage() {
        let (breaker, last) = (breaker(), LastError::new());
        last.store(trip(&breaker), Arc::new("first"));
        assert_eq!(visible(&last, &breaker), Some("first"));
        recover(&breaker);
        // Here the thread that recovered is held up.
        let second = trip(&breaker);
        assert_eq!(visible(&last, &breaker), None);
        last.store(second, Arc::new("second"));
        assert_eq!(visible(&last, &breaker), Some("second"));
    }

    #[test]
    fn an_error_that_is_stored_late_is_not_shown_in_the_next_outage() {
        let (breaker, last) = (breaker(), LastError::new());
        let first = trip(&breaker);
        // Here the thread that failed is held up.
        last.clear_older(recover(&breaker));
        last.store(first, Arc::new("first"));
        assert_eq!(last.current(&breaker), None);
        trip(&breaker);
        assert_eq!(visible(&last, &breaker), None);
    }

    #[test]
    fn a_late_recovery_forgets_no_newer_error() {
        let (breaker, last) = (breaker(), LastError::new());
        last.store(trip(&breaker), Arc::new("first"));
        let recovered = recover(&breaker);
        // Here the thread that recovered is held up.
        last.store(trip(&breaker), Arc::new("second"));
        last.clear_older(recovered);
        assert_eq!(visible(&last, &breaker), Some("second"));
    }

    #[test]
    fn an_error_that_comes_while_another_is_forgotten_stays() {
        let (breaker, last) = (breaker(), LastError::new());
        last.store(trip(&breaker), Arc::new("first"));
        let first = last.0.load_full().unwrap();
        recover(&breaker);
        // Here the thread that recovered has looked at the first.
        last.store(trip(&breaker), Arc::new("second"));
        last.clear_if(&first);
        assert_eq!(visible(&last, &breaker), Some("second"));
    }

    #[test]
    fn a_late_rejection_shows_no_error_of_the_next_outage() {
        let (breaker, last) = (breaker(), LastError::new());
        last.store(trip(&breaker), Arc::new("first"));
        let rejected = breaker.try_acquire().unwrap_err();
        // Here the thread that was rejected is held up.
        last.clear_older(recover(&breaker));
        assert_eq!(last.for_rejection(&rejected, &breaker), None);
        last.store(trip(&breaker), Arc::new("second"));
        assert_eq!(last.for_rejection(&rejected, &breaker), None);
        assert_eq!(visible(&last, &breaker), Some("second"));
    }

    #[test]
    fn what_is_forgotten_is_let_go() {
        let (breaker, last) = (breaker(), LastError::new());
        let error = Arc::new("first");
        last.store(trip(&breaker), Arc::clone(&error));
        assert_eq!(Arc::strong_count(&error), 2);
        last.clear_older(recover(&breaker));
        assert_eq!(Arc::strong_count(&error), 1);
    }

    #[test]
    fn generations_that_wrap_are_told_apart_all_the_same() {
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
