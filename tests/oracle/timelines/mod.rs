//! Hand-written timelines: one for each observable sentence of `docs/design.md` §3.

#![allow(
    clippy::unchecked_time_subtraction,
    reason = "a test that subtracts too much should panic"
)]

mod ending;
mod half_open;
mod open;
mod operator;
mod time;
mod told;
mod trip;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use cutout::{
    Backoff, Breaker, Builder, Cause, Error, OnDrop,
    Outcome::{Failure, FailureFor, Ignored, Success},
    Permit, Reason, Recorded, Rejected, State, Transition, Trip,
    clock::{Clock, Manual},
};

const MS: Duration = Duration::from_millis(1);
const SEC: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// A breaker and the clock that it reads.
struct Bench {
    breaker: Breaker,
    clock: Arc<Manual>,
}

/// Trips on the first failure and opens for 10 s, without jitter.
fn touchy() -> Builder {
    backing_off(Backoff::constant(10 * SEC))
}

/// The same with this backoff.
fn backing_off(backoff: Backoff) -> Builder {
    Breaker::builder()
        .trip(Trip::consecutive(1))
        .backoff(backoff)
}

fn trips_on(trip: Trip) -> Bench {
    Bench::new(Breaker::builder().trip(trip).open_for(10 * SEC))
}

impl Bench {
    fn new(builder: Builder) -> Self {
        // Whole ticks of both kinds: `tests/it/defects/clocks.rs` has readings within one.
        Self::at(7_004_000_000, builder)
    }

    fn at(nanos: u64, builder: Builder) -> Self {
        let clock = Arc::new(Manual::at(nanos));
        let breaker = builder.build().with_shared_clock(clock.clone());
        Self { breaker, clock }
    }

    /// A breaker that was tripped by its first failure.
    fn tripped(builder: Builder) -> Self {
        let bench = Self::new(builder);
        assert_eq!(bench.report(Failure), Recorded::Tripped);
        bench
    }

    fn after(&self, time: Duration) -> &Self {
        self.clock.advance(time);
        self
    }

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

    fn report(&self, outcome: cutout::Outcome) -> Recorded {
        self.acquire().record(outcome)
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
        self.breaker.snapshot().recorded
    }

    fn retry_after(&self) -> Option<Duration> {
        self.breaker.snapshot().retry_after
    }

    /// Waits for the end of the open period.
    fn wait(&self) -> &Self {
        self.after(self.retry_after().expect("the breaker is open"))
    }
}
