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
    subject::{StepResult, Subject, Verdict, moment},
    sync::AtomicU64,
};

/// A planted bug: the checks that a breaker omits.
pub(crate) trait Checks: Send + Sync + 'static {
    /// Whether an outcome is compared with the generation of its permit.
    const GENERATION_IS_CHECKED: bool = true;
    /// Whether a failed CAS restarts the decision. If not, the first decision is returned, although
    /// it was not stored.
    const LOST_CAS_IS_DECIDED_AGAIN: bool = true;
}

pub(crate) struct NoGenerationCheck;

impl Checks for NoGenerationCheck {
    const GENERATION_IS_CHECKED: bool = false;
}

pub(crate) struct WinnerAndLoserBothAdmitted;

impl Checks for WinnerAndLoserBothAdmitted {
    const LOST_CAS_IS_DECIDED_AGAIN: bool = false;
}

/// The same breaker without a bug. It shows that the checker refutes the others for their bugs.
pub(crate) struct NoBug;

impl Checks for NoBug {}

/// A breaker that counts a trip in the word.
pub(crate) struct InWord<B> {
    word: AtomicWord,
    rules: Rules,
    bug: PhantomData<B>,
}

impl<B: Checks> InWord<B> {
    fn step<V>(
        &self,
        decide: impl Fn(Word) -> Step<V>,
        verdict: impl Fn(V) -> Verdict,
    ) -> StepResult {
        let mut seen = self.word.load();
        loop {
            let step = decide(seen);
            let stored = if step.word == seen {
                Ok(())
            } else {
                self.word.replace(seen, step.word)
            };
            match stored {
                Err(current) if B::LOST_CAS_IS_DECIDED_AGAIN => seen = current,
                _ => {
                    return StepResult {
                        verdict: verdict(step.verdict),
                        before: seen,
                        after: step.word,
                        counted: None,
                    };
                }
            }
        }
    }
}

impl<B: Checks> Subject for InWord<B> {
    type Dispatcher = <Shipped as Subject>::Dispatcher;
    type Waker = <Shipped as Subject>::Waker;

    fn at(word: Word, rules: Rules) -> Self {
        Self {
            word: AtomicWord::over(AtomicU64::new(word.bits())),
            rules,
            bug: PhantomData,
        }
    }

    fn word(&self) -> Word {
        self.word.load()
    }

    fn admit(&self, clock: &dyn Fn() -> u64) -> StepResult {
        let verdict = |verdict| match verdict {
            AdmitVerdict::Admitted(period) => Verdict::Admitted(period),
            AdmitVerdict::Rejected(reason) => Verdict::Rejected(reason),
        };
        self.step(|word| admit(word, &self.rules, moment(clock())), verdict)
    }

    fn record(&self, period: Period, report: Report) -> StepResult {
        let decide = |word: Word| {
            let period = if B::GENERATION_IS_CHECKED {
                period
            } else {
                word.period()
            };
            record(word, period, report, &self.rules)
        };
        self.step(decide, Verdict::Recorded)
    }

    fn operate(&self, command: Command, now: u64) -> StepResult {
        let decide = |word| operate(word, command, &self.rules, moment(now));
        self.step(decide, Verdict::Found)
    }

    fn counted(&self, _: u64) -> Count {
        Count::default()
    }
}
