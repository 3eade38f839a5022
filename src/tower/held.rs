//! What an admitted call holds until it ends.

use core::{fmt, mem, ops::Deref};

use crate::{Breaker, Outcome, Rejected, breaker::ticket::Ticket, permit::unwinding, scope};

/// A permit over whatever leads to its breaker. Dropped, it is a dropped call; by a panic, a failed one.
pub struct Held<H: Deref<Target = Breaker>> {
    breaker: H,
    /// `None` once the call has ended, and if a layer farther out over the same breaker holds the permit.
    ticket: Option<Ticket>,
    /// Whether the thread was unwinding already, so that a drop says nothing of this call.
    unwinding: bool,
}

impl<H: Deref<Target = Breaker>> Held<H> {
    pub(super) fn admit(breaker: H) -> Result<Self, Rejected> {
        let ticket = breaker.acquire()?;
        Ok(Self::new(breaker, Some(ticket)))
    }

    #[inline]
    pub(super) fn new(breaker: H, ticket: Option<Ticket>) -> Self {
        Self {
            breaker,
            ticket,
            unwinding: unwinding(),
        }
    }

    pub(super) fn is_probe(&self) -> bool {
        self.ticket
            .is_some_and(|ticket| ticket.period.is_half_open())
    }

    /// Whether a layer farther out over the same breaker holds the permit, or the call has ended.
    #[inline]
    pub(super) fn counts_nothing(&self) -> bool {
        self.ticket.is_none()
    }

    /// Runs a part of the call: if it panics, the call has failed.
    #[inline]
    pub(super) fn around<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let guard = FailsByPanic(self);
        let value = run();
        mem::forget(guard);
        value
    }

    /// [`Held::around`] a part of the call that is the inner service's, where a layer over the same breaker
    /// passes requests on.
    #[inline]
    pub(super) fn inside<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let guard = FailsByPanic(self);
        let value = {
            let period = guard.0.ticket.map(|ticket| ticket.period);
            let _scope = scope::enter(&guard.0.breaker, period);
            run()
        };
        mem::forget(guard);
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
            drop_as(&self.breaker, ticket, self.unwinding, outcome);
        }
    }

    /// Whether a panic that began after the call drops it.
    #[inline]
    pub(super) fn is_unwound(&self) -> bool {
        !self.unwinding && unwinding()
    }
}

/// Ends a call that was dropped. (Takes the parts of a [`Held`], as a reference to that would keep the
/// compiler from having it in registers.)
#[cold]
#[inline(never)]
fn drop_as(breaker: &Breaker, ticket: Ticket, was_unwinding: bool, outcome: Outcome) {
    if !was_unwinding && unwinding() {
        breaker.settle(ticket, Outcome::Failure);
    } else {
        breaker.abandon_or(ticket, outcome);
    }
}

/// Fails a call unless it is forgotten. The ticket stays in place, as a healthy part of a call writes nothing.
struct FailsByPanic<'a, H: Deref<Target = Breaker>>(&'a mut Held<H>);

impl<H: Deref<Target = Breaker>> Drop for FailsByPanic<'_, H> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.0.ticket.take() {
            fail(&self.0.breaker, ticket);
        }
    }
}

#[cold]
#[inline(never)]
fn fail(breaker: &Breaker, ticket: Ticket) {
    breaker.settle(ticket, Outcome::Failure);
}

impl<H: Deref<Target = Breaker>> Drop for Held<H> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            drop_as(&self.breaker, ticket, self.unwinding, Outcome::Ignored);
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
