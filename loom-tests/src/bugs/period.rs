//! Outcomes that count in a period or a way that is not theirs.

use super::{
    Bug, bug,
    planted::{Planted, over_shipped},
};
use crate::{
    driver::Shipped,
    machine::{
        step::{Command, Recorded, Report},
        word::Period,
    },
    subject::{StepResult, Subject, Verdict},
};

pub(super) const BUGS: &[Bug] = &[
    bug!(
        "I4",
        "no generation check: an outcome counts in whatever period is current",
        "Polly #217; Kevlar #227; failsafe 1.3.0 src/state_machine.rs, on_success",
        stale::a_late_failure_fails_no_probe,
        NoGeneration,
        "closed, and fresh",
    ),
    bug!(
        "I13",
        "an ignored outcome counts as a success",
        "Polly v8 CircuitStateController.cs, OnUnhandledOutcomeAsync",
        lease::a_slot_given_back_late_is_taken_or_expires,
        IgnoredIsSuccess,
        "not an outcome: recovered",
    ),
    bug!(
        "I25",
        "a late success closes the breaker in any state, forced open too",
        "cockroachdb/circuitbreaker pull 2",
        operator::no_outcome_undoes_forced_open,
        SuccessCloses,
        "no edge: forced-open to closed",
    ),
];

over_shipped!(NoGeneration {
    fn record(&self, _: Period, report: Report) -> StepResult {
        self.0.record(self.0.word().period(), report)
    }
});

over_shipped!(IgnoredIsSuccess {
    fn record(&self, period: Period, report: Report) -> StepResult {
        let report = match report {
            Report::Ignored => Report::Success { now: 0 },
            report => report,
        };
        self.0.record(period, report)
    }
});

over_shipped!(SuccessCloses {
    fn record(&self, period: Period, report: Report) -> StepResult {
        match report {
            Report::Success { now } if !self.0.word().is_closed() => StepResult {
                verdict: Verdict::Recorded(Recorded::Recovered),
                ..self.0.operate(Command::Reset, now)
            },
            report => self.0.record(period, report),
        }
    }
});
