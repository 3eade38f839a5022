//! What an admitted call needs to remember, and the guard that turns its panic into a failure.

use core::mem;

use crate::{Breaker, Outcome, machine::word::Period};

/// The admission of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    /// The period that the call was admitted in: an outcome that comes after it is stale.
    pub(crate) period: Period,
    /// When, in nanoseconds, if the rules are [`timed`](crate::machine::rules::Rules::timed).
    pub(crate) since: u64,
}

/// Reports a failure unless it is disarmed: held around a user's call or poll, so that only a panic
/// drops it armed, and the healthy path need not ask whether the thread is panicking.
pub(crate) struct Armed<'a> {
    breaker: &'a Breaker,
    ticket: Ticket,
}

impl<'a> Armed<'a> {
    #[inline]
    pub(crate) fn new(breaker: &'a Breaker, ticket: Ticket) -> Self {
        Self { breaker, ticket }
    }

    #[inline]
    pub(crate) fn disarm(self) -> Ticket {
        let ticket = self.ticket;
        mem::forget(self);
        ticket
    }
}

impl Drop for Armed<'_> {
    #[cold]
    fn drop(&mut self) {
        self.breaker.settle(self.ticket, Outcome::Failure);
    }
}
