//! What an admitted call holds until it ends.

use core::{fmt, ops::Deref};

use crate::{
    Breaker, Outcome, Rejected,
    breaker::ticket::{Armed, Ticket},
    scope,
};

/// A permit over whatever leads to its breaker. Dropped, it is a dropped call.
pub struct Held<H: Deref<Target = Breaker>> {
    breaker: H,
    /// `None` once the call has ended.
    ticket: Option<Ticket>,
}

impl<H: Deref<Target = Breaker>> Held<H> {
    #[inline]
    pub(super) fn admit(breaker: H) -> Result<Self, Rejected> {
        match breaker.acquire() {
            Ok(ticket) => Ok(Self {
                breaker,
                ticket: Some(ticket),
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

impl<H: Deref<Target = Breaker>> Drop for Held<H> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.breaker.abandon(ticket);
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
