//! The periods of an outage: the closed one that tripped, and all since.

use crate::machine::word::{Phase, Word};

use super::Breaker;

/// Consecutive periods, up to the one that was current when the word was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outage {
    last: u16,
    /// The number of periods before the last.
    before: u16,
}

impl Outage {
    /// Derives the outage from the word alone, so that no other state must be kept or cleared. From
    /// one reopening to the next there are two transitions.
    ///
    /// While closed the outage is the current period, which may trip. An operator's hold is no
    /// outage. An outage after `force_open_for` or `resume` begins with that command. After more
    /// than 30 reopens, where their count saturates, the outage has the last 62 or 63 periods.
    const fn of(word: Word) -> Option<Self> {
        let before = match word.phase() {
            Phase::Closed(_) => 0,
            Phase::Open(open) => 1 + 2 * open.reopens as u16,
            Phase::HalfOpen(half_open) => 2 + 2 * half_open.reopens as u16,
            Phase::Held(_) => return None,
        };
        Some(Self {
            last: word.generation(),
            before,
        })
    }

    /// Whether the outage includes the period of this generation. (A period of 65 536 generations
    /// ago seems to be included: I27.)
    pub(crate) const fn covers(self, generation: u16) -> bool {
        self.last.wrapping_sub(generation) <= self.before
    }
}

impl Breaker {
    /// The current outage, if the breaker is not held. Reads no clock.
    pub(crate) fn outage(&self) -> Option<Outage> {
        Outage::of(self.core.load())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{State, Trip, clock::Manual};
    use core::time::Duration;
    use std::sync::Arc;

    const SECOND: Duration = Duration::from_secs(1);

    struct Bench {
        breaker: Breaker,
        clock: Arc<Manual>,
    }

    impl Bench {
        fn new() -> Self {
            let clock = Arc::new(Manual::new());
            let breaker = Breaker::builder()
                .trip(Trip::consecutive(1))
                .open_for(SECOND)
                .probe_lease(SECOND)
                .build();
            Self {
                breaker: breaker.with_shared_clock(clock.clone()),
                clock,
            }
        }

        fn generation(&self) -> u16 {
            self.breaker.snapshot().generation
        }

        fn fail(&self) {
            self.breaker.try_acquire().unwrap().failure();
        }

        /// Asserts that the outage begins with the period `first`.
        fn assert_since(&self, first: u16) {
            let outage = self.breaker.outage().unwrap();
            let generation = self.generation();
            for back in 0..=generation.wrapping_sub(first) {
                assert!(outage.covers(generation.wrapping_sub(back)), "{back} back");
            }
            assert!(!outage.covers(first.wrapping_sub(1)));
            assert!(!outage.covers(generation.wrapping_add(1)));
        }
    }

    #[test]
    fn an_outage_begins_with_the_closed_period_that_tripped() {
        let bench = Bench::new();
        for _ in 0..3 {
            let closed = bench.generation();
            bench.assert_since(closed);
            bench.fail();
            bench.assert_since(closed);
            // A probe that fails, and one that never reports.
            for reopens in 1..=30 {
                bench.clock.advance(SECOND);
                let probe = bench.breaker.try_acquire().unwrap();
                bench.assert_since(closed);
                if reopens % 2 == 0 {
                    probe.failure();
                } else {
                    core::mem::forget(probe);
                    bench.clock.advance(SECOND);
                    bench.breaker.try_acquire().unwrap_err();
                }
                assert_eq!(bench.breaker.snapshot().reopens, reopens);
                bench.assert_since(closed);
            }
            bench.clock.advance(SECOND);
            bench.breaker.try_acquire().unwrap().success();
        }
        assert_eq!(bench.breaker.state(), State::Closed);
    }

    #[test]
    fn an_outage_of_many_reopens_is_known_back_to_the_last_30() {
        let bench = Bench::new();
        bench.fail();
        for _ in 0..100 {
            bench.clock.advance(SECOND);
            bench.fail();
        }
        bench.assert_since(bench.generation() - 61);
        bench.clock.advance(SECOND);
        core::mem::forget(bench.breaker.try_acquire().unwrap());
        bench.assert_since(bench.generation() - 62);
    }

    #[test]
    fn an_operator_begins_an_outage_and_the_switch_is_none() {
        let bench = Bench::new();
        bench.fail();
        bench.clock.advance(SECOND);
        bench.fail();
        bench.breaker.force_open_for(SECOND);
        bench.assert_since(bench.generation() - 1);
        bench.breaker.force_open();
        assert_eq!(bench.breaker.outage(), None);
        bench.breaker.resume();
        bench.assert_since(bench.generation() - 1);
        bench.breaker.disable();
        assert_eq!(bench.breaker.outage(), None);
        bench.breaker.resume();
        bench.assert_since(bench.generation());
    }
}
