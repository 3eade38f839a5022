//! Before a call: is it let through?

#[cfg(feature = "std")]
use std::sync::Arc;

#[cfg(feature = "std")]
use crate::OwnedPermit;
use crate::{
    Admitted, Breaker, Permit, Rejected,
    listener::contained,
    machine::{
        step::{Admission, Moment, Refusal, admit},
        word::{Period, Word},
    },
};

use super::ticket::Ticket;

impl Breaker {
    /// Asks to make a call.
    ///
    /// Never waits. While closed this is one load; while open, one load and a reading of the clock.
    ///
    /// # Errors
    ///
    /// [`Rejected`] if the breaker is open, half-open with all its probes under way, or forced open.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, Rejected> {
        match self.acquire() {
            Ok(ticket) => Ok(Permit::new(self, ticket)),
            Err(rejected) => Err(rejected),
        }
    }

    /// [`Breaker::try_acquire`] with a permit that keeps the breaker alive: for a spawned task.
    ///
    /// # Errors
    ///
    /// As [`Breaker::try_acquire`].
    #[cfg(feature = "std")]
    #[inline]
    pub fn try_acquire_owned(self: &Arc<Self>) -> Result<OwnedPermit, Rejected> {
        match self.acquire() {
            Ok(ticket) => Ok(OwnedPermit::new(Arc::clone(self), ticket)),
            Err(rejected) => Err(rejected),
        }
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
    pub fn peek(&self) -> Result<(), Rejected> {
        let word = self.hot.cell.load();
        if word.is_closed() {
            return Ok(());
        }
        let step = admit(word, &self.hot.rules, self.moment());
        match step.verdict {
            Admission::Rejected(refusal) if step.word == word => Err(self.refused(refusal, word)),
            _ => Ok(()),
        }
    }

    #[inline]
    pub(crate) fn acquire(&self) -> Result<Ticket, Rejected> {
        let word = self.hot.cell.load();
        if self.hot.shortcut.admits(word) {
            Ok(Ticket {
                period: word.period(),
                since: 0,
            })
        } else {
            self.acquire_slowly(word)
        }
    }

    /// All that a healthy, unwatched call is spared.
    #[inline(never)]
    fn acquire_slowly(&self, seen: Word) -> Result<Ticket, Rejected> {
        match self.decide(seen) {
            Ok((period, now)) => {
                if let Some(listener) = self.hot.call_listener {
                    let call = self.admitted(period);
                    contained(|| listener.on_admitted(&call));
                }
                let since = match now {
                    _ if !self.hot.rules.timed() => 0,
                    Some(now) => now,
                    None => self.hot.clock.now(),
                };
                Ok(Ticket { period, since })
            }
            Err(rejected) => {
                if let Some(listener) = self.hot.call_listener {
                    contained(|| listener.on_rejected(&rejected));
                }
                Err(rejected)
            }
        }
    }

    /// The period that a call is admitted in, and the clock if it was read.
    #[inline]
    fn decide(&self, seen: Word) -> Result<(Period, Option<u64>), Rejected> {
        if seen.is_closed() {
            return Ok((seen.period(), None));
        }
        let (step, Moment { now, .. }) = self.hot.cell.transition(
            seen,
            || self.moment(),
            |word, moment| admit(word, &self.hot.rules, moment),
        );
        if let Some(change) = step.change {
            self.tell(change, now);
        }
        match step.verdict {
            Admission::Admitted(period) => Ok((period, Some(now))),
            Admission::Rejected(refusal) => Err(self.refused(refusal, step.word)),
        }
    }

    fn refused(&self, refusal: Refusal, word: Word) -> Rejected {
        Rejected::new(refusal, word.generation(), self.cold.name)
    }

    pub(super) fn admitted(&self, period: Period) -> Admitted {
        Admitted {
            name: self.cold.name,
            generation: period.generation(),
            probe: period.is_half_open(),
        }
    }
}
