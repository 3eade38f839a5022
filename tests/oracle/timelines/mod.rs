//! Hand-written timelines: one for each observable sentence of `docs/design.md` §3.

#![allow(
    clippy::unchecked_time_subtraction,
    reason = "a test that subtracts too much should panic"
)]

mod ending;
mod generations;
mod half_open;
mod open;
mod operator;
mod time;
mod trip;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex},
    time::Duration,
};

use cutout::{
    Backoff, Breaker, Builder, Cause, Error, OnDrop,
    Outcome::{Failure, FailureFor, Ignored, Success},
    Permit, Reason, Recorded, Rejected, State, Transition, Trip,
};

use crate::support::{DAY, Fixture, HOUR, MS, SECOND};

/// Trips on the first failure and opens for 10 s, without jitter.
fn touchy() -> Builder {
    backing_off(Backoff::constant(10 * SECOND))
}

/// The same with this backoff.
fn backing_off(backoff: Backoff) -> Builder {
    Breaker::builder()
        .trip(Trip::consecutive(1))
        .backoff(backoff)
}

fn trips_on(trip: Trip) -> Fixture {
    bench(Breaker::builder().trip(trip).open_for(10 * SECOND))
}

/// A clock at a whole tick of both kinds. `tests/it/defects/clocks.rs` has readings between ticks.
fn bench(builder: Builder) -> Fixture {
    Fixture::at(7_004_000_000, builder)
}

/// A breaker that was tripped by its first failure.
fn tripped(builder: Builder) -> Fixture {
    let bench = bench(builder);
    assert_eq!(bench.fail(), Recorded::Tripped);
    bench
}

impl Fixture {
    fn acquire(&self) -> Permit<'_> {
        self.breaker.try_acquire().expect("the call is admitted")
    }

    fn probe(&self) -> Permit<'_> {
        let permit = self.acquire();
        assert!(permit.is_probe());
        permit
    }

    fn rejected(&self) -> Rejected {
        self.breaker
            .try_acquire()
            .expect_err("the call is rejected")
    }

    /// Reports `F`ailures, `s`uccesses and `i`gnored outcomes; returns whether the last one
    /// tripped.
    fn reports(&self, outcomes: &str) -> bool {
        let mut tripped = false;
        for letter in outcomes.chars() {
            assert!(!tripped, "tripped before the end of {outcomes}");
            let outcome = match letter {
                'F' => Failure,
                's' => Success,
                _ => Ignored,
            };
            tripped = self.report(outcome) == Recorded::Tripped;
        }
        tripped
    }

    fn state(&self) -> State {
        self.breaker.state()
    }

    fn recorded(&self) -> State {
        self.breaker.snapshot().stored_state
    }

    fn retry_after(&self) -> Option<Duration> {
        self.breaker.snapshot().retry_after
    }

    /// Waits for the end of the open period.
    fn wait(&self) -> &Self {
        self.after(self.retry_after().expect("the breaker is open"))
    }
}
