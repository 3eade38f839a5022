//! Before a call: is it let through?

#[cfg(feature = "std")]
use std::sync::Arc;

use crate::{
    Admitted, Permit, Rejected,
    machine::{
        core::Done,
        step::{Admission, Event, admit::RejectReason},
        word::{Period, Word},
    },
};
#[cfg(feature = "std")]
use crate::{OwnedPermit, scope};

use super::{Breaker, ticket::Ticket};

impl Breaker {
    /// Asks to make a call.
    ///
    /// Never waits. While closed this is one load; while open, one load and a reading of the clock.
    ///
    /// # Errors
    ///
    /// [`Rejected`] if the breaker is open, half-open with all its probes under way, or forced open.
    ///
    /// ```
    /// use cutout::{Breaker, Outcome, Recorded};
    ///
    /// static PARTNER: Breaker = Breaker::new();
    ///
    /// let permit = PARTNER.try_acquire()?;
    /// assert_eq!(permit.record(Outcome::Failure), Recorded::Applied);
    /// # Ok::<(), cutout::Rejected>(())
    /// ```
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, Rejected> {
        Permit::acquire(self)
    }

    /// [`Breaker::try_acquire`] with a permit that keeps the breaker alive: for a spawned task.
    ///
    /// # Errors
    ///
    /// As [`Breaker::try_acquire`].
    #[cfg(feature = "std")]
    #[inline]
    pub fn try_acquire_owned(self: &Arc<Self>) -> Result<OwnedPermit, Rejected> {
        OwnedPermit::acquire(self)
    }

    /// Whether a call would be rejected now, without taking anything: for a balancer that chooses among
    /// partners.
    ///
    /// Once the deadline of an open breaker, or the lease of its probes, is over this is `Ok`: somebody
    /// must call to move the breaker on.
    ///
    /// # Errors
    ///
    /// What [`Breaker::try_acquire`] would say, if that would reject without a transition.
    ///
    /// ```
    /// # let partners = [cutout::Breaker::new(), cutout::Breaker::new()];
    /// partners[0].force_open();
    /// let partner = partners.iter().position(|breaker| breaker.peek().is_ok());
    /// assert_eq!(partner, Some(1));
    /// ```
    #[inline]
    pub fn peek(&self) -> Result<(), Rejected> {
        let word = self.core.load();
        if word.is_closed() {
            return Ok(());
        }
        self.peek_slow(word)
    }

    /// Whether [`Breaker::peek`] need not look at more than the state.
    #[cfg(feature = "tower")]
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.core.load().is_closed()
    }

    #[inline(never)]
    fn peek_slow(&self, word: Word) -> Result<(), Rejected> {
        match self.core.peek(word, self.now()) {
            #[cfg(feature = "std")]
            Some(RejectReason::Busy { .. }) if scope::is_within_probe(self, word.period()) => {
                Ok(())
            }
            Some(refusal) => Err(self.refused(refusal, word)),
            None => Ok(()),
        }
    }

    /// A call is not made, because [`Breaker::peek`] said that it would be rejected: tells of it, as nobody
    /// asks to make it.
    #[cfg(feature = "tower")]
    #[cold]
    pub(crate) fn notify_rejected(&self, rejected: &Rejected) {
        self.notify_of_call(|listener| listener.on_rejected(rejected));
    }

    /// [`Breaker::acquire`] of a healthy call; `None` says nothing.
    #[cfg(feature = "tower")]
    #[inline]
    pub(crate) fn acquire_at_once(&self) -> Option<Ticket> {
        let period = self.core.admit().ok()?.period();
        Some(Ticket { period, since: 0 })
    }

    #[inline]
    pub(crate) fn acquire(&self) -> Result<Ticket, Rejected> {
        match self.core.admit() {
            Ok(word) => Ok(Ticket {
                period: word.period(),
                since: 0,
            }),
            // Rebuilt, so that the healthy path does not write its ticket to the memory in which
            // this result is returned.
            Err(seen) => match self.acquire_slow(seen) {
                Ok(ticket) => Ok(ticket),
                Err(rejected) => Err(rejected),
            },
        }
    }

    /// The slow path of [`Breaker::acquire`].
    #[inline(never)]
    pub(super) fn acquire_slow(&self, seen: Word) -> Result<Ticket, Rejected> {
        if self.core.is_observed() {
            return self.acquire_observed(seen);
        }
        self.core.admit_slow(
            seen,
            || self.now(),
            |refusal, now| self.refuse(seen, refusal, now),
            |done| self.answer(done),
        )
    }

    /// The slow path of a breaker whose calls are timed or reported.
    #[cold]
    fn acquire_observed(&self, seen: Word) -> Result<Ticket, Rejected> {
        let acquired = self.core.admit_observed(
            seen,
            || self.now(),
            |refusal, now| self.refuse(seen, refusal, now),
            |done| self.answer(done),
        );
        self.notify_of_call(|listener| match &acquired {
            Ok(ticket) => listener.on_admitted(&self.admitted(ticket.period)),
            Err(rejected) => listener.on_rejected(rejected),
        });
        acquired
    }

    /// Rejects a call that is not a part of a probe; the word did not change.
    #[inline]
    fn refuse(&self, seen: Word, refusal: RejectReason, now: u64) -> Result<Ticket, Rejected> {
        #[cfg(feature = "std")]
        if matches!(refusal, RejectReason::Busy { .. })
            && scope::is_within_probe(self, seen.period())
        {
            let period = seen.period().uncounted();
            return Ok(Ticket { period, since: now });
        }
        #[cfg(not(feature = "std"))]
        let _ = now;
        Err(self.refused(refusal, seen))
    }

    /// Notifies of the transition that an admission made, and gives the result of the call.
    fn answer(&self, done: Done<Admission>) -> Result<Ticket, Rejected> {
        self.notify(&done, Event::Admit);
        match done.verdict {
            Admission::Admitted(period) => Ok(self.ticket(period, done.now)),
            Admission::Rejected(refusal) => Err(self.refused(refusal, done.after)),
        }
    }

    /// The ticket of a call. A timed call reads the clock, unless its admission did.
    #[inline]
    fn ticket(&self, period: Period, now: Option<u64>) -> Ticket {
        let since = match now {
            Some(now) => now,
            None if self.core.rules.timed() => self.now(),
            None => 0,
        };
        Ticket { period, since }
    }

    fn refused(&self, refusal: RejectReason, word: Word) -> Rejected {
        Rejected::new(refusal, word.generation(), self.cold.name)
    }

    pub(crate) fn admitted(&self, period: Period) -> Admitted {
        Admitted {
            name: self.cold.name,
            generation: period.generation(),
            probe: period.is_half_open(),
        }
    }
}
