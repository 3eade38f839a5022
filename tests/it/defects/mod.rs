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

use cutout::{Breaker, Policy, Trip, clock::Manual};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);

/// Trips at the first failure.
const FIRST: Policy = Policy::new().trip(Trip::consecutive(1));

/// A breaker and its clock, which reads `start` nanoseconds.
fn breaker(policy: Policy, start: u64) -> (Breaker, Arc<Manual>) {
    let clock = Arc::new(Manual::at(start));
    let breaker = Breaker::builder()
        .policy(policy)
        .try_build()
        .expect("the policy is within its bounds");
    (breaker.with_shared_clock(clock.clone()), clock)
}

fn fail(breaker: &Breaker) {
    let _ = breaker.call(|| Err::<(), _>("failed"));
}

fn succeed(breaker: &Breaker) -> bool {
    breaker.call(|| Ok::<_, ()>(())).is_ok()
}
