//! Admission: `try_acquire` and its siblings.

#[cfg(feature = "std")]
use std::sync::Arc;

use crate::{
    Admitted, Permit, Rejected,
    machine::{
        core::Done,
        step::{AdmitVerdict, Event, admit::RejectReason},
        word::{Period, Word},
    },
};
#[cfg(feature = "std")]
use crate::{OwnedPermit, scope};

use super::{Breaker, admission::Admission};

impl Breaker {
    /// Asks for a permit to make a call.
    ///
    /// Never waits. While closed this is one load; while open, one load and one clock reading.
    ///
    /// # Errors
    ///
    /// [`Rejected`] if the breaker is open, half-open with all its probes in flight, or forced
    /// open.
    ///
    /// ```
    /// use cutout::{Breaker, Outcome, Recorded};
    ///
    /// static SEARCH: Breaker = Breaker::new();
    ///
    /// let permit = SEARCH.try_acquire()?;
    /// assert_eq!(permit.record(Outcome::Failure), Recorded::Applied);
    /// # Ok::<(), cutout::Rejected>(())
    /// ```
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, Rejected> {
        Permit::acquire(self)
    }

    /// [`Breaker::try_acquire`] with a permit that keeps the breaker alive, for a spawned task.
    ///
    /// # Errors
    ///
    /// As [`Breaker::try_acquire`].
    #[cfg(feature = "std")]
    #[inline]
    pub fn try_acquire_owned(self: &Arc<Self>) -> Result<OwnedPermit, Rejected> {
        OwnedPermit::acquire(self)
    }

    /// Checks whether a call would be rejected now, and takes no slot. For a balancer that chooses
    /// among replicas.
    ///
    /// `Ok` once the deadline of an open breaker, or the lease of its probes, is over: only a call
    /// moves the breaker on.
    ///
    /// # Errors
    ///
    /// The rejection of [`Breaker::try_acquire`], if that would reject without a transition.
    ///
    /// ```
    /// # let replicas = [cutout::Breaker::new(), cutout::Breaker::new()];
    /// replicas[0].force_open();
    /// let replica = replicas.iter().position(|breaker| breaker.peek().is_ok());
    /// assert_eq!(replica, Some(1));
    /// ```
    #[inline]
    pub fn peek(&self) -> Result<(), Rejected> {
        let word = self.core.load();
        if word.is_closed() {
            return Ok(());
        }
        self.peek_slow(word)
    }

    /// Whether the state alone decides [`Breaker::peek`].
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
            Some(reason) => Err(self.rejected(reason, word)),
            None => Ok(()),
        }
    }

    /// Notifies all listeners of a rejection that [`Breaker::peek`] decided, where no call asks
    /// for admission.
    #[cfg(feature = "tower")]
    #[cold]
    pub(crate) fn notify_rejected(&self, rejected: Rejected) {
        self.count_rejection();
        self.notify_of_rejection(rejected);
        self.notify_of_call(|listener| listener.on_rejected(&rejected));
    }

    /// The fast path of [`Breaker::acquire`]; after `None` the slow path decides.
    #[cfg(feature = "tower")]
    #[inline]
    pub(crate) fn acquire_fast(&self) -> Option<Admission> {
        self.core.admit().ok().map(Admission::untimed)
    }

    #[inline]
    pub(crate) fn acquire(&self) -> Result<Admission, Rejected> {
        match self.core.admit() {
            Ok(word) => Ok(Admission::untimed(word)),
            // Rebuilt, so that the healthy path does not write its admission to the memory in which
            // this result is returned.
            Err(seen) => match self.acquire_slow(seen) {
                Ok(admission) => Ok(admission),
                Err(rejected) => Err(rejected),
            },
        }
    }

    /// The slow path of [`Breaker::acquire`]. It tries the rejection of an open breaker first, as
    /// there may be many of them. This function saves few registers.
    #[inline(never)]
    pub(super) fn acquire_slow(&self, seen: Word) -> Result<Admission, Rejected> {
        if self.core.is_observed() {
            return self.acquire_observed(seen);
        }
        let now = self.now();
        match self.core.reject(seen, now) {
            Some(reason) => Err(self.reject_call(reason, seen)),
            None => self.acquire_at(seen, now),
        }
    }

    /// The rest of the slow path, at a clock reading.
    #[inline(never)]
    fn acquire_at(&self, seen: Word, now: u64) -> Result<Admission, Rejected> {
        self.core.admit_slow(
            seen,
            now,
            || self.now(),
            |reason| self.reject(seen, reason, now),
            |done| self.finish_admit(done),
        )
    }

    /// The slow path of a breaker whose calls are timed or reported.
    #[cold]
    fn acquire_observed(&self, seen: Word) -> Result<Admission, Rejected> {
        let acquired = self.core.admit_observed(
            seen,
            || self.now(),
            |reason, now| self.reject(seen, reason, now),
            |done| self.finish_admit(done),
        );
        self.notify_of_call(|listener| match &acquired {
            Ok(admission) => listener.on_admitted(&self.admitted(admission.period)),
            Err(rejected) => listener.on_rejected(rejected),
        });
        acquired
    }

    /// Rejects a call, unless it is a part of a probe. The word did not change.
    #[inline]
    fn reject(&self, seen: Word, reason: RejectReason, now: u64) -> Result<Admission, Rejected> {
        #[cfg(feature = "std")]
        if matches!(reason, RejectReason::Busy { .. })
            && scope::is_within_probe(self, seen.period())
        {
            let period = seen.period().uncounted();
            return Ok(Admission {
                period,
                admitted_at: now,
            });
        }
        #[cfg(not(feature = "std"))]
        let _ = now;
        Err(self.reject_call(reason, seen))
    }

    /// Notifies of the transition that an admission made, and returns the result of the call.
    #[expect(clippy::inline_always, reason = "moves no effect through memory")]
    #[inline(always)]
    fn finish_admit(&self, done: Done<AdmitVerdict>) -> Result<Admission, Rejected> {
        self.notify(&done, Event::Admit);
        match done.verdict {
            AdmitVerdict::Admitted(period) => Ok(self.admission(period, done.now)),
            AdmitVerdict::Rejected(reason) => Err(self.reject_by_step(reason, done.after)),
        }
    }

    /// The admission of a call. A timed call reads the clock, unless its admission did.
    #[inline]
    fn admission(&self, period: Period, now: Option<u64>) -> Admission {
        let admitted_at = match now {
            Some(now) => now,
            None if self.core.rules.timed() => self.now(),
            None => 0,
        };
        Admission {
            period,
            admitted_at,
        }
    }

    /// Rejects a call whose step ended the lease of the probes, or that lost its CAS.
    #[cold]
    fn reject_by_step(&self, reason: RejectReason, word: Word) -> Rejected {
        self.reject_call(reason, word)
    }

    /// Rejects a call, and notifies.
    #[inline]
    fn reject_call(&self, reason: RejectReason, word: Word) -> Rejected {
        let rejected = self.rejected(reason, word);
        #[cfg(feature = "std")]
        self.count_rejection();
        self.notify_of_rejection(rejected);
        rejected
    }

    #[inline]
    fn rejected(&self, reason: RejectReason, word: Word) -> Rejected {
        Rejected::new(reason, word.generation(), self.cold.name.id())
    }

    pub(crate) fn admitted(&self, period: Period) -> Admitted {
        Admitted {
            name: self.cold.name.text(),
            generation: period.generation(),
            probe: period.is_half_open(),
        }
    }
}
