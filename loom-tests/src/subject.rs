//! What the models are asked of: the shipped machine.
//!
//! A planted bug is another [`Subject`]: whatever it does not break it takes from here.

use crate::{
    machine::{
        cell::{Cell, Decided},
        delivery::{Delivery, Told},
        rules::Rules,
        shortcut::Shortcut,
        step::{
            Admission, Change, Moment, Recorded, Step, Verb, Vote, admit, admit::Refusal, operate,
            refuse, report,
        },
        tally::Count,
        window::{Beside, Failure},
        word::{Period, Phase, State, Word},
    },
    sync::{self, AtomicU64},
};

/// One line of successes, so that they meet.
const SHARDS: usize = 1;

/// A breaker, as far as the models need one.
pub(crate) trait Subject: Send + Sync + 'static {
    type Teller: Teller;

    fn at(word: Word, rules: Rules) -> Self;

    fn word(&self) -> Word;

    /// A call asks to be admitted; `clock` is read when the breaker would read it.
    fn admit(&self, clock: &dyn Fn() -> u64) -> Did;

    /// A call that was admitted in `period` ends.
    fn report(&self, period: Period, vote: Vote) -> Did;

    fn operate(&self, verb: Verb, now: u64) -> Did;

    /// What the window of a closed word covers at `now`.
    fn counted(&self, now: u64) -> Count;
}

/// What tells listeners of transitions.
pub(crate) trait Teller: Send + Sync + 'static {
    /// Of a breaker whose next transition begins `generation`.
    fn beginning_at(generation: u16) -> Self;

    /// What the winner of a transition does after its CAS.
    fn tell(&self, change: Change, listen: &dyn Fn(Told));
}

/// What a step of a subject did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Did {
    pub(crate) said: Said,
    /// The word that was decided on, and the one that it became.
    pub(crate) before: Word,
    pub(crate) after: Word,
    /// What a window beside the word had counted, if that tripped.
    pub(crate) counted: Option<Count>,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Admitted(Period),
    Rejected(Refusal),
    Recorded(Recorded),
    /// An operator acted, and found this state.
    Found(State),
}

impl Did {
    pub(crate) fn is_transition(&self) -> bool {
        self.before.period() != self.after.period()
    }

    pub(crate) fn admitted(&self) -> Option<Period> {
        match self.said {
            Said::Admitted(period) => Some(period),
            _ => None,
        }
    }

    pub(crate) fn recorded(&self) -> Option<Recorded> {
        match self.said {
            Said::Recorded(recorded) => Some(recorded),
            _ => None,
        }
    }
}

/// The shipped machine, with what `src/breaker` puts around it: `admission.rs`, `ending.rs`, `beside.rs`,
/// `operator.rs`, `looking.rs`. (Not modelled: that a window is made when it is first needed.)
pub(crate) struct Shipped {
    cell: Cell,
    rules: Rules,
    shortcut: Shortcut,
    beside: Option<Beside>,
}

impl Subject for Shipped {
    type Teller = Delivery;

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

/// As `Audience::tell`.
impl Teller for Delivery {
    fn beginning_at(generation: u16) -> Self {
        Self::from(generation)
    }

    fn tell(&self, change: Change, listen: &dyn Fn(Told)) {
        if !self.post(change) {
            return;
        }
        while let Some(told) = self.take() {
            listen(told);
        }
    }
}

pub(crate) fn moment(now: u64) -> Moment {
    Moment { now, salt: 0 }
}

fn unwritten(word: Word, said: Said) -> Did {
    Did {
        said,
        before: word,
        after: word,
        counted: None,
    }
}

fn did<C, V>(decided: Decided<C, V>, said: impl Fn(V) -> Said) -> Did {
    Did {
        said: said(decided.verdict),
        before: decided.before,
        after: decided.after,
        counted: None,
    }
}
