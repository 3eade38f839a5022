//! Real threads on one breaker: totals that must add up, and histories that must have an order.
//!
//! These tests are a process of their own and take turns: threads meet only where each has a core.

mod histories;
#[path = "../oracle/mod.rs"]
#[allow(
    dead_code,
    reason = "histories need less of it than `against_oracle` does"
)]
mod oracle;
mod stress;
#[path = "../support/mod.rs"]
mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks out the other tests of this process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
