//! Regression tests: defects that were found in review, each by the smallest input that showed it.

#![allow(
    clippy::unchecked_time_subtraction,
    reason = "a test that subtracts too much should panic"
)]

mod chain;
mod clocks;
mod drops;
mod hints;
mod nesting;
mod planted;
mod policies;
mod windows;

use std::{sync::Arc, time::Duration};

use cutout::{Backoff, Breaker, Policy, Trip};

use crate::support::{CountingClock, DAY, Fixture, MS, SECOND};

/// Trips at the first failure.
const FIRST: Policy = Policy::new()
    .trip(Trip::consecutive(1))
    .backoff(DEFAULT_BACKOFF);
/// That of the default policy, with jitter that does not depend on the breaker's address.
const DEFAULT_BACKOFF: Backoff =
    Backoff::exponential(Duration::from_secs(5), 2, Duration::from_mins(1))
        .jitter(20)
        .seed(7);

/// A breaker and its clock, which reads `start` nanoseconds.
fn breaker(policy: Policy, start: u64) -> (Arc<Breaker>, Arc<CountingClock>) {
    let Fixture { breaker, clock } = Fixture::at(start, Breaker::builder().policy(policy));
    (breaker, clock)
}

fn fail(breaker: &Breaker) {
    let _ = breaker.call(|| Err::<(), _>("failed"));
}

fn succeed(breaker: &Breaker) -> bool {
    breaker.call(|| Ok::<_, ()>(())).is_ok()
}
