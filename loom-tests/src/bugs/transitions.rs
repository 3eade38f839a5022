//! Transitions that are made in two steps, twice or not at all.

use super::{
    Bug, bug,
    planted::{Planted, over_shipped},
};
use crate::{
    driver::{Shipped, unwritten},
    machine::{
        atomic_word::AtomicWord,
        core::Core,
        step::{Recorded, Report, Step, record},
        word::{Period, Word},
    },
    scene::failure,
    subject::{StepResult, Subject, Verdict},
};

pub(super) const BUGS: &[Bug] = &[
    bug!(
        "I11",
        "the deadline is stored after the state",
        "circuitbreaker-rs 0.1.1 src/state.rs, transition_from_to",
        probe::no_call_is_admitted_before_the_current_deadline,
        DeadlineAfterState,
        "admitted before the deadline",
    ),
    bug!(
        "I14",
        "a count is stored without a comparison: one of two failures is lost",
        "circuitbreaker-rs 0.1.1 src/metrics.rs, its error rate",
        trip::failures_that_trip_together_make_one_transition,
        CountIsStored,
        "no lost trip",
    ),
    bug!(
        "I1",
        "a transition is stored without a comparison: two threads make it, and both notify listeners",
        "Polly #219; denoland/std pull 7097",
        trip::more_failures_than_trip_make_one_transition,
        TransitionIsStored,
        "a period ends once",
    ),
    bug!(
        "I22",
        "a weak CAS that fails is taken for another thread's trip",
        "EVaillant/lockfree-object-pool pull 4; canonical/mir pull 3280: no breakers",
        weak::a_weak_cas_that_fails_changes_no_trip,
        SpuriousIsLost,
        "no lost trip",
    ),
];

/// Stores `next`, whatever the current word is.
fn overwrite(word: &AtomicWord, next: Word) {
    let mut current = word.load();
    while let Err(other) = word.replace(current, next) {
        current = other;
    }
}

fn stored(before: Word, step: Step<Recorded>) -> StepResult {
    StepResult {
        before,
        ..unwritten(step.word, Verdict::Recorded(step.verdict))
    }
}

over_shipped!(DeadlineAfterState {
    fn record(&self, period: Period, report: Report) -> StepResult {
        let Report::Failure { .. } = report else {
            return self.0.record(period, report);
        };
        let Core { word, rules, .. } = &*self.0;
        // The state, with the deadline of an earlier period.
        let opened = self.0.record(period, failure(0));
        let whole = record(opened.before, period, report, rules).word;
        let _ = word.replace(opened.after, whole);
        StepResult {
            after: whole,
            ..opened
        }
    }
});

over_shipped!(CountIsStored {
    fn record(&self, period: Period, report: Report) -> StepResult {
        let seen = self.0.word();
        let step = record(seen, period, report, &self.0.rules);
        overwrite(&self.0.word, step.word);
        stored(seen, step)
    }
});

over_shipped!(TransitionIsStored {
    fn record(&self, period: Period, report: Report) -> StepResult {
        let seen = self.0.word();
        let step = record(seen, period, report, &self.0.rules);
        if step.word.period() == seen.period() {
            return self.0.record(period, report);
        }
        overwrite(&self.0.word, step.word);
        stored(seen, step)
    }
});

over_shipped!(SpuriousIsLost {
    fn record(&self, period: Period, report: Report) -> StepResult {
        let mut seen = self.0.word();
        loop {
            let step = record(seen, period, report, &self.0.rules);
            match self.0.word.replace(seen, step.word) {
                Ok(()) => return stored(seen, step),
                Err(current) if step.verdict == Recorded::Tripped => {
                    return unwritten(current, Verdict::Recorded(Recorded::Stale));
                }
                Err(current) => seen = current,
            }
        }
    }
});
