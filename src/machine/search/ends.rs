//! End of a call: recorded by [`record`], or by an external window.

use super::super::{
    rules::Rules,
    step::{
        Event, Recorded, Report, Step, record,
        record::{Untimed, record_failure_untimed},
        trip_count,
    },
    word::{Period, Word},
};
use super::external;

/// Possible verdicts of an external window for this end of a call: both, if the window decides it.
pub(super) fn window_verdicts(
    word: Word,
    period: Period,
    report: Report,
    rules: &Rules,
) -> &'static [bool] {
    if matches!(report, Report::Failure { .. }) && external::window_decides(word, period, rules) {
        return &[false, true];
    }
    &[false]
}

/// The step of this end of a call, with the verdict of the external window, if one decides.
pub(super) fn end(
    word: Word,
    period: Period,
    report: Report,
    window_trips: bool,
    rules: &Rules,
) -> Step<Recorded> {
    if let Report::Failure { moment, hint_ms } = report
        && external::window_decides(word, period, rules)
    {
        let step = external::fail(word, window_trips, hint_ms, rules, moment);
        external::check(word, step.word, window_trips, rules);
        return step;
    }
    debug_assert!(!window_trips, "there is no window to trip");
    let step = record(word, period, report, rules);
    if let Report::Failure { .. } = report {
        check_untimed(word, period, rules, &step);
    }
    if matches!(report, Report::Success { .. }) && external::window_decides(word, period, rules) {
        external::check_success(word, step.word, rules);
    }
    step
}

/// A failure that is decided without the time is decided the same at any time. Only a transition
/// needs the time.
fn check_untimed(word: Word, period: Period, rules: &Rules, step: &Step<Recorded>) {
    match record_failure_untimed(word, period, rules) {
        Untimed::Step(untimed) => {
            assert_eq!((untimed.word, untimed.verdict), (step.word, step.verdict));
        }
        Untimed::Trips(trip) => {
            assert_eq!(step.verdict, Recorded::Tripped);
            let count = trip_count(word, Event::Record, None, rules);
            assert_eq!(Some(trip.count(rules)), count);
        }
        Untimed::Unknown => assert_eq!(step.verdict, Recorded::Reopened),
    }
}
