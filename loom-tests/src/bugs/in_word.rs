//! Breakers that count a trip in the word, broken on purpose for the history checker.

use std::marker::PhantomData;

use crate::{
    driver::Shipped,
    machine::{
        atomic_word::AtomicWord,
        rules::Rules,
        step::{AdmitVerdict, Command, Report, Step, admit, operate, record},
        trip::Count,
        word::{Period, Word},
    },
    subject::{Did, Said, Subject, moment},
    sync::AtomicU64,
};

/// A planted bug: the checks that a breaker omits.
pub(crate) trait Bug: Send + Sync + 'static {
    /// Whether an outcome is compared with the generation of its permit.
    const GENERATION_IS_CHECKED: bool = true;
    /// Whether a failed CAS restarts the decision. If not, the first decision is returned, although
    /// it was not stored.
    const LOST_CAS_DECIDES_ANEW: bool = true;
}

pub(crate) struct NoGenerationCheck;

impl Bug for NoGenerationCheck {
    const GENERATION_IS_CHECKED: bool = false;
}

pub(crate) struct WinnerAndLoserBothAdmitted;

impl Bug for WinnerAndLoserBothAdmitted {
    const LOST_CAS_DECIDES_ANEW: bool = false;
}

/// The same breaker without a bug. It shows that what is found in the others is the bug.
pub(crate) struct NoBug;

impl Bug for NoBug {}

/// A breaker that counts a trip in the word.
pub(crate) struct InWord<B> {
    cell: AtomicWord,
    rules: Rules,
    bug: PhantomData<B>,
}

impl<B: Bug> InWord<B> {
    fn did<V>(&self, decide: impl Fn(Word) -> Step<V>, said: impl Fn(V) -> Said) -> Did {
        let mut seen = self.cell.load();
        loop {
            let step = decide(seen);
            let stored = if step.word == seen {
                Ok(())
            } else {
                self.cell.replace(seen, step.word)
            };
            match stored {
                Err(stands) if B::LOST_CAS_DECIDES_ANEW => seen = stands,
                _ => {
                    return Did {
                        said: said(step.verdict),
                        before: seen,
                        after: step.word,
                        counted: None,
                    };
                }
            }
        }
    }
}

impl<B: Bug> Subject for InWord<B> {
    type Teller = <Shipped as Subject>::Teller;
    type Waker = <Shipped as Subject>::Waker;

    fn at(word: Word, rules: Rules) -> Self {
        Self {
            cell: AtomicWord::over(AtomicU64::new(word.bits())),
            rules,
            bug: PhantomData,
        }
    }

    fn word(&self) -> Word {
        self.cell.load()
    }

    fn admit(&self, clock: &dyn Fn() -> u64) -> Did {
        let said = |verdict| match verdict {
            AdmitVerdict::Admitted(period) => Said::Admitted(period),
            AdmitVerdict::Rejected(reason) => Said::Rejected(reason),
        };
        self.did(|word| admit(word, &self.rules, moment(clock())), said)
    }

    fn report(&self, period: Period, report: Report) -> Did {
        let decide = |word: Word| {
            let period = if B::GENERATION_IS_CHECKED {
                period
            } else {
                word.period()
            };
            record(word, period, report, &self.rules)
        };
        self.did(decide, Said::Recorded)
    }

    fn operate(&self, verb: Command, now: u64) -> Did {
        let decide = |word| operate(word, verb, &self.rules, moment(now));
        self.did(decide, Said::Found)
    }

    fn counted(&self, _: u64) -> Count {
        Count::default()
    }
}
