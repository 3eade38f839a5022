//! The shipped machine as a subject.
//!
//! The machine is `super`'s, so that this file does for a patched copy too (`bugs/patched`).

use super::machine::{
    cell::{Cell, Decided},
    delivery::Delivery,
    hints::Hints,
    notes::Notes,
    rules::Rules,
    shortcut::Shortcut,
    step::{Admission, Change, Moment, Recorded, Step, Verb, Vote, admit, operate, refuse, report},
    tally::{Count, Tally},
    watch::Bell,
    window::{Beside, Failure},
    word::{Period, Phase, Word},
};
use crate::{
    subject::{Did, Said, Subject, Teller, Told, Waker, moment},
    sync::{self, AtomicU32, AtomicU64},
};

/// One line of successes, so that they meet.
const SHARDS: usize = 1;

/// The shipped machine, with what `src/breaker` puts around it: `admission.rs`, `ending.rs`, `beside.rs`,
/// `operator.rs`, `looking.rs`. (Not modelled: that a window is made when it is first needed.)
pub(crate) struct Shipped {
    pub(crate) cell: Cell,
    pub(crate) rules: Rules,
    shortcut: Shortcut,
    hints: Hints,
    beside: Option<Beside>,
}

impl Subject for Shipped {
    type Teller = Audience;
    type Waker = Watchers;

    fn at(word: Word, rules: Rules) -> Self {
        Self {
            cell: Cell::over(AtomicU64::new(word.bits())),
            shortcut: Shortcut::new(&rules),
            hints: Hints::over(AtomicU64::new(0)),
            beside: Beside::new(&rules, || SHARDS),
            rules,
        }
    }

    fn word(&self) -> Word {
        self.cell.load()
    }

    fn admit(&self, clock: &dyn Fn() -> u64) -> Did {
        let seen = self.cell.load();
        if self.shortcut.admits(seen) {
            return unwritten(seen, Said::Admitted(seen.period()));
        }
        let now = clock();
        if let Some(refusal) = refuse(seen, &self.rules, now) {
            return unwritten(seen, Said::Rejected(refusal));
        }
        let decided = self.cell.transition(
            seen,
            moment(now),
            || moment(clock()),
            |word, moment| admit(word, &self.rules, moment),
        );
        did(decided, |verdict| match verdict {
            Admission::Admitted(period) => Said::Admitted(period),
            Admission::Rejected(refusal) => Said::Rejected(refusal),
        })
    }

    fn report(&self, period: Period, vote: Vote) -> Did {
        let seen = self.cell.load();
        if matches!(vote, Vote::Success { .. }) && self.shortcut.changes_nothing(seen, period) {
            return unwritten(seen, Said::Recorded(Recorded::Applied));
        }
        let vote = match vote {
            Vote::Success { now } => {
                // As `Breaker::settle_rated_success`: that is all, if it was counted without the clock.
                if self.succeed_untimed(seen, period) {
                    return unwritten(seen, Said::Recorded(Recorded::Applied));
                }
                self.succeed_beside(seen, period, now);
                vote
            }
            Vote::Failure { moment, hint_ms } => return self.fail(seen, period, moment, hint_ms),
            Vote::Ignored => vote,
        };
        let decided = self.decide(seen, |word| report(word, period, vote, &self.rules));
        did(decided, Said::Recorded)
    }

    fn operate(&self, verb: Verb, now: u64) -> Did {
        let seen = self.cell.load();
        let decided = self.decide(seen, |word| operate(word, verb, &self.rules, moment(now)));
        did(decided, Said::Found)
    }

    fn counted(&self, now: u64) -> Count {
        let word = self.cell.load();
        match (&self.beside, word.phase()) {
            (Some(beside), _) => beside.count(word, &self.rules, now),
            (None, Phase::Closed(payload)) => self.rules.tally.count(payload),
            _ => Count::default(),
        }
    }
}

impl Shipped {
    /// As `Breaker::failure`.
    fn fail(&self, seen: Word, period: Period, moment: Moment, hint_ms: u64) -> Did {
        let hints = &self.hints;
        if hint_ms > 0 {
            hints.note(period, moment.now, hint_ms, || {
                self.cell.load().is_of(period)
            });
        }
        if period.is_closed() {
            let failure = Failure {
                period,
                moment,
                hints,
            };
            if let Some(did) = self.fail_beside(seen, failure) {
                return did;
            }
        }
        let hint = || hints.running(period, moment.now);
        let decided = self.cell.transition(seen, hint(), hint, |word, hint_ms| {
            report(word, period, Vote::Failure { moment, hint_ms }, &self.rules)
        });
        did(decided, Said::Recorded)
    }

    /// As `Breaker::fail_beside`.
    fn fail_beside(&self, seen: Word, failure: Failure<'_>) -> Option<Did> {
        let beside = self.beside.as_ref()?;
        let decided = beside.fail(&self.cell, seen, failure, &self.rules);
        Some(Did {
            counted: decided.prepared,
            ..did(decided, Said::Recorded)
        })
    }

    /// As `Breaker::succeed_untimed`, and where that is asked.
    fn succeed_untimed(&self, seen: Word, period: Period) -> bool {
        match &self.beside {
            Some(Beside::Rate(rate)) if seen.is_of(period) && Tally::has_no_run(seen) => {
                rate.succeed_untimed(sync::actor(), seen.generation())
            }
            _ => false,
        }
    }

    /// As `Breaker::succeed_beside`, where the clock says `clock`.
    fn succeed_beside(&self, seen: Word, period: Period, clock: u64) {
        if let Some(Beside::Rate(rate)) = &self.beside
            && seen.is_of(period)
            && period.is_closed()
        {
            rate.succeed(sync::actor(), &self.cell, seen, clock);
        }
    }

    fn decide<V>(&self, seen: Word, decide: impl Fn(Word) -> Step<V>) -> Decided<(), V> {
        self.cell
            .transition(seen, (), || (), |word, ()| decide(word))
    }
}

/// As `Audience` in `src/breaker/telling.rs`, with the notes that are written before.
pub(crate) struct Audience(Delivery, Notes);

impl Teller for Audience {
    fn beginning_at(generation: u16) -> Self {
        let notes = Notes::over(AtomicU64::new(0), AtomicU64::new(0));
        Self(Delivery::from(generation), notes)
    }

    fn tell(&self, change: Change, newest: &dyn Fn() -> u16, listen: &dyn Fn(Told)) {
        if !self.0.post(change, newest) {
            return;
        }
        while let Some(told) = self.0.take() {
            listen(Told {
                generation: told.change.generation,
                missed: told.missed,
            });
        }
    }

    fn note(&self, change: Change, now: u64, newest: &dyn Fn() -> u16) {
        self.1.write(&change, now, newest);
    }

    fn since(&self, generation: u16) -> Option<u64> {
        self.1.since(generation).map(|ticks| ticks.get() * 250_000)
    }
}

/// As what `Breaker::watch` waits with.
pub(crate) struct Watchers(Bell);

impl Waker for Watchers {
    fn new() -> Self {
        Self(Bell::over(AtomicU32::new(0)))
    }

    fn watch(&self, look: &dyn Fn() -> Option<Option<u16>>) -> Option<u16> {
        self.0.watch(look)
    }

    fn ring(&self) {
        self.0.ring();
    }

    fn ring_after(&self, change: &dyn Fn()) {
        self.0.ring_after(change);
    }
}

pub(crate) fn unwritten(word: Word, said: Said) -> Did {
    Did {
        said,
        before: word,
        after: word,
        counted: None,
    }
}

pub(crate) fn did<C, V>(decided: Decided<C, V>, said: impl Fn(V) -> Said) -> Did {
    Did {
        said: said(decided.verdict),
        before: decided.before,
        after: decided.after,
        counted: None,
    }
}
