//! End of a call: recorded by [`record`], or by an external window.

use super::super::{
    rules::Rules,
    step::{Recorded, Report, Step, record},
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
    if matches!(report, Report::Success { .. }) && external::window_decides(word, period, rules) {
        external::check_success(word, step.word, rules);
    }
    step
}
