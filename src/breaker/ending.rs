//! After a call: what its end means.

use core::{num::NonZeroU32, time::Duration};

use crate::{
    Breaker, Outcome, Recorded, listener,
    machine::{
        cell::Decided,
        rules::{Drops, LONGEST_HINT_MS},
        step::{Event, Vote, report},
        tally::Count,
        word::Word,
    },
};

use super::ticket::Ticket;
#[cfg(feature = "std")]
use crate::machine::{tally::Tally, window::Failure};

/// How a call ended, with what a window beside the word had counted if that tripped.
type Ended = Decided<Option<Count>, Recorded>;

const NANOS_PER_MS: u64 = 1_000_000;

impl Breaker {
    /// A call returned.
    #[inline]
    pub(crate) fn settle(&self, ticket: Ticket, outcome: Outcome) -> Recorded {
        if matches!(outcome, Outcome::Success) {
            let word = self.hot.cell.load();
            if self.hot.shortcut.changes_nothing(word, ticket.period) {
                return Recorded::Applied;
            }
            if !self.hot.shortcut.is_none() {
                return self.settle_success(word, ticket);
            }
        }
        self.settle_slowly(ticket, outcome)
    }

    /// A permit was dropped, by no panic of its call. A drop that the policy does not fail has this outcome.
    pub(crate) fn abandon_or(&self, ticket: Ticket, outcome: Outcome) -> Recorded {
        let probe = ticket.period.is_half_open();
        let held_for = |limit| {
            let now = self.hot.clock.now();
            (elapsed(ticket, now) >= limit_nanos(limit), Some(now))
        };
        let (failed, now) = match self.hot.rules.drops() {
            Drops::Failure => (true, None),
            Drops::FailProbe => (probe, None),
            Drops::FailProbeAfter(limit) if probe => held_for(limit),
            Drops::FailProbeAfter(_) | Drops::Ignore => (false, None),
            Drops::FailureAfter(limit) => held_for(limit),
        };
        let outcome = if failed { Outcome::Failure } else { outcome };
        self.finish(ticket, outcome, now)
    }

    /// A success that writes: one jump to where that is.
    #[inline(never)]
    fn settle_success(&self, seen: Word, ticket: Ticket) -> Recorded {
        #[cfg(feature = "std")]
        if self.hot.rules.tally.is_rate() {
            return self.settle_rated_success(seen, ticket);
        }
        self.settle_counted_success(seen, ticket)
    }

    /// A success that is counted in the word, alone in its function because it needs so little.
    #[inline(never)]
    fn settle_counted_success(&self, seen: Word, ticket: Ticket) -> Recorded {
        let now = self.now_of_probe(ticket);
        let decided = self.success(seen, ticket, now.unwrap_or(0));
        self.conclude(decided.with(None), now)
    }

    /// The clock, for a probe: of all successes only one of those recovers. It is read before the CAS, as a
    /// clock that panics must leave no transition that nobody is told of.
    #[inline]
    fn now_of_probe(&self, ticket: Ticket) -> Option<u64> {
        if ticket.period.is_half_open() {
            Some(self.hot.clock.now())
        } else {
            None
        }
    }

    /// A success that is counted in a time bucket: most often there and nowhere else, without the clock.
    #[cfg(feature = "std")]
    #[inline(never)]
    fn settle_rated_success(&self, seen: Word, ticket: Ticket) -> Recorded {
        if seen.is_of(ticket.period) && Tally::has_no_run(seen) && self.succeed_untimed(seen) {
            return Recorded::Applied;
        }
        self.finish_success(seen, ticket)
    }

    #[cfg(feature = "std")]
    #[inline(never)]
    fn finish_success(&self, seen: Word, ticket: Ticket) -> Recorded {
        let now = self.succeed_beside(seen, ticket, None);
        let decided = self.success(seen, ticket, now.unwrap_or(0));
        self.conclude(decided.with(None), now)
    }

    #[inline(never)]
    fn settle_slowly(&self, ticket: Ticket, outcome: Outcome) -> Recorded {
        let Some(limit) = self.hot.rules.slow_call else {
            return self.finish(ticket, outcome, None);
        };
        let now = self.hot.clock.now();
        let outcome = match outcome {
            Outcome::Success | Outcome::Ignored if elapsed(ticket, now) >= limit_nanos(limit) => {
                Outcome::Failure
            }
            outcome => outcome,
        };
        self.finish(ticket, outcome, Some(now))
    }

    /// Records an outcome that is settled, and tells of it: of the call first, then of the transition
    /// that it caused. `now` is the clock, if it was read already.
    fn finish(&self, ticket: Ticket, outcome: Outcome, now: Option<u64>) -> Recorded {
        let seen = self.hot.cell.load();
        let (decided, now) = match outcome {
            Outcome::Success => {
                let now = now.or_else(|| self.now_of_probe(ticket));
                let now = self.succeed_beside(seen, ticket, now);
                (self.success(seen, ticket, now.unwrap_or(0)).with(None), now)
            }
            Outcome::Failure => self.failure(seen, ticket, 0, now),
            Outcome::FailureFor(hint) => {
                let hint_ms = millis_up(hint).min(LONGEST_HINT_MS);
                self.failure(seen, ticket, hint_ms, now)
            }
            Outcome::Ignored => (self.ignore(seen, ticket), now),
        };
        self.tell_of_call(|listener| {
            listener.on_outcome(&listener::Ended {
                call: self.admitted(ticket.period),
                outcome,
                recorded: decided.verdict,
            });
        });
        self.conclude(decided, now)
    }

    /// `now` is looked at only where the trip counts by time buckets.
    #[inline]
    fn success(&self, seen: Word, ticket: Ticket, now: u64) -> Decided<(), Recorded> {
        let rules = &self.hot.rules;
        let success = |word, ()| report(word, ticket.period, Vote::Success { now }, rules);
        self.hot.cell.transition(seen, (), || (), success)
    }

    /// Reads the clock if that was not done yet, once and before the loop.
    fn failure(
        &self,
        seen: Word,
        ticket: Ticket,
        hint_ms: u64,
        now: Option<u64>,
    ) -> (Ended, Option<u64>) {
        let now = now.unwrap_or_else(|| self.hot.clock.now());
        let moment = self.moment_at(now);
        let (period, hints) = (ticket.period, &self.cold.hints);
        if hint_ms > 0 {
            hints.note(period, now, hint_ms, || self.hot.cell.load().is_of(period));
        }
        #[cfg(feature = "std")]
        if self.hot.rules.tally.is_beside() && period.is_closed() {
            let failure = Failure {
                period,
                moment,
                hints,
            };
            if let Some(decided) = self.fail_beside(seen, failure) {
                return (decided, Some(now));
            }
        }
        // Looked up for each word anew, as that may have counted a failure with a hint.
        let hint = || hints.running(period, now);
        let decided = self
            .hot
            .cell
            .transition(seen, hint(), hint, |word, hint_ms| {
                let vote = Vote::Failure { moment, hint_ms };
                report(word, period, vote, &self.hot.rules)
            });
        (decided.with(None), Some(now))
    }

    fn ignore(&self, seen: Word, ticket: Ticket) -> Ended {
        let ignore = |word, ()| report(word, ticket.period, Vote::Ignored, &self.hot.rules);
        let decided = self.hot.cell.transition(seen, (), || (), ignore);
        decided.with(None)
    }

    /// What follows an outcome once it is stored.
    #[inline]
    fn conclude(&self, decided: Ended, now: Option<u64>) -> Recorded {
        // Whatever can make a transition has read the clock.
        if let Some(now) = now
            && decided.is_transition()
        {
            let Decided {
                before,
                after,
                prepared: counted,
                ..
            } = decided;
            self.tell_counted(before, after, Event::Report, now, counted);
        }
        decided.verdict
    }
}

/// How long a call has taken, also across the end of the clock's range; none at all if the clock stepped back.
fn elapsed(ticket: Ticket, now: u64) -> u64 {
    let elapsed = now.wrapping_sub(ticket.since);
    if elapsed > u64::MAX / 2 { 0 } else { elapsed }
}

fn limit_nanos(limit_ms: NonZeroU32) -> u64 {
    u64::from(limit_ms.get()) * NANOS_PER_MS
}

/// Whole milliseconds, rounded up.
pub(super) fn millis_up(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(u128::from(NANOS_PER_MS))).unwrap_or(u64::MAX)
}
