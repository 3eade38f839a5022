//! Logs calls and transitions of the circuit, one line each.

use std::fmt::Display;

use cutout::{
    Admitted, CallListener, Cause, Ended, Listener, Outcome, Recorded, Rejected, Transition,
};

use crate::stdout::line;

/// Prints each event.
pub(crate) struct Log;

impl CallListener for Log {
    fn on_admitted(&self, call: &Admitted) {
        log(if call.probe {
            "before the call, a probe"
        } else {
            "before the call"
        });
    }

    fn on_outcome(&self, ended: &Ended) {
        log(match (ended.outcome, ended.recorded) {
            (_, Recorded::Stale) => "the end of a call from an earlier period: it changes nothing",
            (Outcome::Success, _) => "success",
            (Outcome::Failure | Outcome::FailureFor(_), _) => "failure",
            _ => "the end of a call whose outcome is ignored",
        });
    }

    fn on_rejected(&self, rejected: &Rejected) {
        log(format_args!("rejected: {rejected}"));
    }
}

impl Listener for Log {
    fn on_transition(&self, transition: &Transition) {
        let why = match transition.cause {
            Cause::Tripped => "too many calls failed",
            Cause::ProbeAdmitted => "the open period is over, one call may probe",
            Cause::ProbeFailed => "the probe failed",
            Cause::LeaseExpired => "the probe did not return in time",
            Cause::Recovered => "the probe succeeded",
            Cause::Operator => "by an operator",
            _ => "for another reason",
        };
        log(format_args!(
            "{} -> {}: {why}",
            transition.from, transition.to
        ));
    }
}

fn log(what: impl Display) {
    line(format_args!("     log: {what}"));
}
