//! Before a call: is it let through?

#[cfg(feature = "std")]
use std::sync::Arc;

use crate::{
    Admitted, Breaker, Permit, Rejected,
    machine::{
        step::{Admission, Event, admit, admit::Refusal, refuse},
        word::{Period, Word},
    },
};
#[cfg(feature = "std")]
use crate::{OwnedPermit, scope};

use super::ticket::Ticket;

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
        let word = self.hot.cell.load();
        if word.is_closed() {
            return Ok(());
        }
        self.peek_slowly(word)
    }

    /// Whether [`Breaker::peek`] need not look at more than the state.
    #[cfg(feature = "tower")]
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.hot.cell.load().is_closed()
    }

    #[inline(never)]
    fn peek_slowly(&self, word: Word) -> Result<(), Rejected> {
        match refuse(word, &self.hot.rules, self.hot.clock.now()) {
            #[cfg(feature = "std")]
            Some(Refusal::Busy { .. }) if scope::is_within_probe(self, word.period()) => Ok(()),
            Some(refusal) => Err(self.refused(refusal, word)),
            None => Ok(()),
        }
    }

    /// A call is not made, because [`Breaker::peek`] said that it would be rejected: tells of it, as nobody
    /// asks to make it.
    #[cfg(feature = "tower")]
    #[cold]
    pub(crate) fn turned_away(&self, rejected: &Rejected) {
        self.tell_of_call(|listener| listener.on_rejected(rejected));
    }

    /// [`Breaker::acquire`] of a healthy call; `None` says nothing.
    #[cfg(feature = "tower")]
    #[inline]
    pub(crate) fn acquire_at_once(&self) -> Option<Ticket> {
        let word = self.hot.cell.load();
        self.hot.shortcut.admits(word).then(|| Ticket {
            period: word.period(),
            since: 0,
        })
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
            // Taken apart and put together again, so that the healthy path need not hand its ticket on in
            // the memory that this result comes back in.
            match self.acquire_slowly(word) {
                Ok(ticket) => Ok(ticket),
                Err(rejected) => Err(rejected),
            }
        }
    }

    /// All that a healthy call is spared.
    #[inline(never)]
    pub(super) fn acquire_slowly(&self, seen: Word) -> Result<Ticket, Rejected> {
        if self.hot.shortcut.is_none() {
            self.acquire_watched(seen)
        } else {
            self.ask(seen)
        }
    }

    /// Asks the machine: for a rejection first, as there may be many.
    #[expect(
        clippy::inline_always,
        reason = "a rejection is spared a call, and the moves around it"
    )]
    #[inline(always)]
    fn ask(&self, seen: Word) -> Result<Ticket, Rejected> {
        let now = self.hot.clock.now();
        match refuse(seen, &self.hot.rules, now) {
            #[cfg(feature = "std")]
            Some(Refusal::Busy { .. }) if scope::is_within_probe(self, seen.period()) => {
                Ok(Ticket {
                    period: seen.period().uncounted(),
                    since: now,
                })
            }
            Some(refusal) => Err(self.refused(refusal, seen)),
            None => self.ask_to_step(seen, now),
        }
    }

    /// Takes a probe place, most likely.
    #[cold]
    fn ask_to_step(&self, seen: Word, now: u64) -> Result<Ticket, Rejected> {
        let decided = self.hot.cell.transition(
            seen,
            self.moment_at(now),
            || self.moment_at(self.hot.clock.now()),
            |word, moment| admit(word, &self.hot.rules, moment),
        );
        let now = decided.prepared.now;
        if decided.is_transition() {
            self.tell(decided.before, decided.after, Event::Admit, now);
        }
        match decided.verdict {
            Admission::Admitted(period) => Ok(Ticket { period, since: now }),
            Admission::Rejected(refusal) => Err(self.refused(refusal, decided.after)),
        }
    }

    /// A call of a breaker whose calls are timed or told of.
    #[cold]
    fn acquire_watched(&self, seen: Word) -> Result<Ticket, Rejected> {
        let acquired = if seen.is_closed() {
            Ok(self.ticket(seen.period()))
        } else {
            self.ask(seen)
        };
        self.tell_of_call(|listener| match &acquired {
            Ok(ticket) => listener.on_admitted(&self.admitted(ticket.period)),
            Err(rejected) => listener.on_rejected(rejected),
        });
        acquired
    }

    fn ticket(&self, period: Period) -> Ticket {
        let since = if self.hot.rules.timed() {
            self.hot.clock.now()
        } else {
            0
        };
        Ticket { period, since }
    }

    fn refused(&self, refusal: Refusal, word: Word) -> Rejected {
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
