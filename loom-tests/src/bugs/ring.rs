//! A ring whose index is advanced before its entry is written.

use super::{Bug, bug, planted::Planted};
use crate::{
    driver::Shipped,
    machine::{
        atomic_word::Decided,
        core::Core,
        step::{
            Recorded, Report, Step,
            record::{Counted, count_failure},
        },
        trip::payload::Payload,
        word::{Period, Phase, Word},
    },
    subject::{StepResult, Subject, Verdict},
    sync::{AtomicU64, Ordering},
};

pub(super) const BUGS: &[Bug] = &[bug!(
    "I14",
    "the index is advanced before the entry is written: a reader in between finds a gap",
    "our prototypes, lost trips and false ones; no public report verified",
    failure_ring::two_failures_of_the_last_calls_trip_once,
    IndexFirst,
    "no lost trip",
)];

/// Two failures among the last two calls trip.
struct IndexFirst {
    shipped: Shipped,
    written: [AtomicU64; 2],
}

impl Planted for IndexFirst {
    fn over(shipped: Shipped) -> Self {
        Self {
            shipped,
            written: [AtomicU64::new(0), AtomicU64::new(0)],
        }
    }

    fn shipped(&self) -> &Shipped {
        &self.shipped
    }

    fn record(&self, period: Period, report: Report) -> StepResult {
        let Report::Failure { moment, .. } = report else {
            return self.shipped.record(period, report);
        };
        let Core { word, rules, .. } = &*self.shipped;
        let step = |word, verdict| Step { word, verdict };
        let advanced = word.update(
            self.shipped.word(),
            (),
            || (),
            |word: Word, ()| match word.phase() {
                Phase::Closed(payload) if word.is_of(period) => {
                    let next = Payload::new(payload).with_next_position(2).bits();
                    step(word.with_payload(next), Recorded::Applied)
                }
                _ => step(word, Recorded::Stale),
            },
        );
        let Phase::Closed(payload) = advanced.before.phase() else {
            return step_result(advanced);
        };
        let index = Payload::new(payload).position().index;
        self.written[index].store(1, Ordering::Release);
        if self.written[1 - index].load(Ordering::Acquire) == 0 {
            return step_result(advanced);
        }
        let tripped = word.update(
            advanced.after,
            (),
            || (),
            |word, ()| {
                if !word.is_of(period) {
                    return step(word, Recorded::Applied);
                }
                match count_failure(word, word.payload(), true, rules) {
                    Counted::Stays(step) => step,
                    Counted::Trips(trip) => trip.open(0, rules, moment),
                }
            },
        );
        step_result(tripped)
    }
}

fn step_result(decided: Decided<(), Recorded>) -> StepResult {
    StepResult {
        verdict: Verdict::Recorded(decided.verdict),
        before: decided.before,
        after: decided.after,
        counted: None,
    }
}
