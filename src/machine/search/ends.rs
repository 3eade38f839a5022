//! How the end of a call reaches the word: by [`report`], or by the window beside the word.

use super::super::{
    rules::Rules,
    step::{Recorded, Step, Vote, report},
    word::{Period, Word},
};
#[cfg(feature = "std")]
use super::external;

/// What a window beside the word may say of a call that ends so: both, if it is asked.
pub(super) fn window_verdicts(
    word: Word,
    period: Period,
    vote: Vote,
    rules: &Rules,
) -> &'static [bool] {
    #[cfg(feature = "std")]
    if matches!(vote, Vote::Failure { .. }) && external::window_decides(word, period, rules) {
        return &[false, true];
    }
    #[cfg(not(feature = "std"))]
    let _ = (word, period, vote, rules);
    &[false]
}

/// The step of a call that ends so, where the window beside the word, if it is asked, trips or not.
pub(super) fn end(
    word: Word,
    period: Period,
    vote: Vote,
    window_trips: bool,
    rules: &Rules,
) -> Step<Recorded> {
    #[cfg(feature = "std")]
    if let Vote::Failure { moment, hint_ms } = vote
        && external::window_decides(word, period, rules)
    {
        let step = external::fail(word, window_trips, hint_ms, rules, moment);
        external::check(word, step.word, window_trips, rules);
        return step;
    }
    debug_assert!(!window_trips, "there is no window to trip");
    let step = report(word, period, vote, rules);
    #[cfg(feature = "std")]
    if matches!(vote, Vote::Success { .. }) && external::window_decides(word, period, rules) {
        external::check_success(word, step.word, rules);
    }
    step
}
