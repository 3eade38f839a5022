//! The shipped machine as a subject.
//!
//! The machine is `super`'s, so that this file does for a patched copy too (`bugs/patched`).

use super::machine::{
    cell::{Cell, Decided},
    delivery::Delivery,
    rules::Rules,
    shortcut::Shortcut,
    step::{Admission, Change, Recorded, Step, Verb, Vote, admit, operate, refuse, report},
    tally::Count,
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
    beside: Option<Beside>,
}

impl Subject for Shipped {
    type Teller = Audience;
    type Waker = Watchers;

    fn at(word: Word, rules: Rules) -> Self {
        Self {
            cell: Cell::over(AtomicU64::new(word.bits())),
            shortcut: Shortcut::new(&rules),
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
                let now = self.succeed_beside(seen, period, now);
                Vote::Success {
                    now: now.unwrap_or(0),
                }
            }
            Vote::Failure { moment, hint_ms } if period.is_closed() => {
                let failure = Failure {
                    period,
                    moment,
                    hint_ms,
                };
                if let Some(did) = self.fail_beside(seen, failure) {
                    return did;
                }
                vote
            }
            vote => vote,
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
    /// As `Breaker::fail_beside`.
    fn fail_beside(&self, seen: Word, failure: Failure) -> Option<Did> {
        let beside = self.beside.as_ref()?;
        let decided = beside.fail(&self.cell, seen, failure, &self.rules);
        Some(Did {
            counted: decided.prepared,
            ..did(decided, Said::Recorded)
        })
    }

    /// As `Breaker::succeed_beside`, where the clock says `clock` if it is read.
    fn succeed_beside(&self, seen: Word, period: Period, clock: u64) -> Option<u64> {
        let Some(Beside::Rate(rate)) = &self.beside else {
            return None;
        };
        if !seen.is_of(period) || !period.is_closed() {
            return Some(clock);
        }
        let (thread, generation) = (sync::actor(), seen.generation());
        if rate.succeed_untimed(thread, generation) {
            return None;
        }
        rate.succeed(thread, &self.cell, period, clock);
        Some(clock)
    }

    fn decide<V>(&self, seen: Word, decide: impl Fn(Word) -> Step<V>) -> Decided<(), V> {
        self.cell
            .transition(seen, (), || (), |word, ()| decide(word))
    }
}

/// As `Audience` in `src/breaker/telling.rs`.
pub(crate) struct Audience(Delivery);

impl Teller for Audience {
    fn beginning_at(generation: u16) -> Self {
        Self(Delivery::from(generation))
    }

    fn tell(&self, change: Change, listen: &dyn Fn(Told)) {
        if !self.0.post(change) {
            return;
        }
        while let Some(told) = self.0.take() {
            listen(Told {
                generation: told.change.generation,
                missed: told.missed,
            });
        }
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
