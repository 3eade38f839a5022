//! What an admitted call holds until it ends.

use core::{fmt, ops::Deref};

use crate::{
    Breaker, Outcome, Rejected,
    breaker::ticket::{Armed, Ticket},
    permit::unwinding,
    scope,
};

/// A permit over whatever leads to its breaker. Dropped, it is a dropped call; by a panic, a failed one.
pub struct Held<H: Deref<Target = Breaker>> {
    breaker: H,
    /// `None` once the call has ended.
    ticket: Option<Ticket>,
    /// Whether the thread was unwinding already, so that a drop says nothing of this call.
    unwinding: bool,
}

impl<H: Deref<Target = Breaker>> Held<H> {
    #[inline]
    pub(super) fn admit(breaker: H) -> Result<Self, Rejected> {
        match breaker.acquire() {
            Ok(ticket) => Ok(Self {
                breaker,
                ticket: Some(ticket),
                unwinding: unwinding(),
            }),
            Err(rejected) => Err(rejected),
        }
    }

    pub(super) fn is_probe(&self) -> bool {
        self.ticket
            .is_some_and(|ticket| ticket.period.is_half_open())
    }

    /// Runs a part of the call: if it panics, the call has failed.
    ///
    /// # Panics
    ///
    /// If the call has ended, by an earlier panic.
    #[inline]
    pub(super) fn around<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let ticket = self.ticket.take().expect("polled after it panicked");
        let armed = Armed::new(&self.breaker, ticket);
        let value = run();
        self.ticket = Some(armed.disarm());
        value
    }

    /// [`Held::around`] a part of the call that is the inner service's, where a layer over the same breaker
    /// passes requests on.
    #[inline]
    pub(super) fn inside<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let ticket = self.ticket.take().expect("polled after it panicked");
        let armed = Armed::new(&self.breaker, ticket);
        let value = {
            let _scope = scope::enter(&self.breaker);
            run()
        };
        self.ticket = Some(armed.disarm());
        value
    }

    #[inline]
    pub(super) fn end(mut self, outcome: Outcome) {
        if let Some(ticket) = self.ticket.take() {
            self.breaker.settle(ticket, outcome);
        }
    }
}

impl<H: Deref<Target = Breaker>> Held<H> {
    /// A drop that says what the policy makes of it, and this outcome otherwise.
    pub(super) fn abandon_or(mut self, outcome: Outcome) {
        if let Some(ticket) = self.ticket.take() {
            self.drop_as(ticket, outcome);
        }
    }

    /// Whether a panic that began after the call drops it.
    #[inline]
    pub(super) fn is_unwound(&self) -> bool {
        !self.unwinding && unwinding()
    }

    #[cold]
    #[inline(never)]
    fn drop_as(&self, ticket: Ticket, outcome: Outcome) {
        if self.is_unwound() {
            self.breaker.settle(ticket, Outcome::Failure);
        } else {
            self.breaker.abandon_or(ticket, outcome);
        }
    }
}

impl<H: Deref<Target = Breaker>> Drop for Held<H> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.drop_as(ticket, Outcome::Ignored);
        }
    }
}

impl<H: Deref<Target = Breaker>> fmt::Debug for Held<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("probe", &self.is_probe())
            .finish_non_exhaustive()
    }
}
