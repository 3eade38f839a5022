//! An admitted call ends.
//!
//! | word | success | failure | ignored |
//! |---|---|---|---|
//! | another period | stale | stale | stale |
//! | closed | counted | counted, may trip | unrecorded |
//! | half-open | the place is given back, may recover | reopens | the place is given back, unrecorded |
//! | disabled | unrecorded | unrecorded | unrecorded |
//!
//! No permit of an open or forced-open period exists, but after 65 536 transitions inside one call a
//! permit can meet a younger period of its own number: it is then treated as unrecorded there.

use super::{
    super::{
        rules::Rules,
        word::{HalfOpen, Period, Phase, Word},
    },
    Cause, Change, Moment, Step, open, reopen,
};

/// How an admitted call ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Vote {
    Success,
    /// If this opens the breaker, then from `moment` on and for at least `hint_ms`.
    Failure {
        moment: Moment,
        hint_ms: u64,
    },
    Ignored,
}

/// What became of a reported outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recorded {
    /// It was counted and the state stayed.
    Applied,
    /// The call was admitted in an earlier period: the outcome changed nothing.
    Stale,
    /// It belongs to this period, but there was nothing to count: it was ignored (the place of an
    /// ignored probe is given back), or an operator has disabled the breaker.
    Unrecorded,
    /// It opened the breaker.
    Tripped,
    /// It closed the breaker.
    Recovered,
    /// It opened the breaker again.
    Reopened,
}

/// Decides about an outcome.
pub(crate) const fn report(
    word: Word,
    period: Period,
    vote: Vote,
    rules: &Rules,
) -> Step<Recorded> {
    if !word.is_of(period) {
        return Step::within(word, Recorded::Stale);
    }
    match word.phase() {
        Phase::Closed(payload) => closed(word, payload, vote, rules),
        Phase::HalfOpen(half_open) => half_open_report(word, half_open, vote, rules),
        Phase::Open(_) | Phase::Held(_) => Step::within(word, Recorded::Unrecorded),
    }
}

const fn closed(word: Word, payload: u64, vote: Vote, rules: &Rules) -> Step<Recorded> {
    let (moment, hint_ms) = match vote {
        Vote::Ignored => return Step::within(word, Recorded::Unrecorded),
        Vote::Success => {
            let next = word.with_payload(rules.tally.success(payload));
            return Step::within(next, Recorded::Applied);
        }
        Vote::Failure { moment, hint_ms } => (moment, hint_ms),
    };
    let payload = rules.tally.failure(payload);
    if !rules.tally.trips(payload) {
        return Step::within(word.with_payload(payload), Recorded::Applied);
    }
    let (next, mut change) = open(word, Cause::Tripped, 0, hint_ms, rules, moment);
    change.count = Some(rules.tally.count(payload));
    Step {
        word: next,
        verdict: Recorded::Tripped,
        change: Some(change),
    }
}

const fn half_open_report(
    word: Word,
    half_open: HalfOpen,
    vote: Vote,
    rules: &Rules,
) -> Step<Recorded> {
    let returned = word.with_in_flight(half_open.in_flight.saturating_sub(1));
    match vote {
        Vote::Ignored => Step::within(returned, Recorded::Unrecorded),
        Vote::Success if half_open.successes + 1 < rules.probe_successes => Step::within(
            returned.with_successes(half_open.successes + 1),
            Recorded::Applied,
        ),
        Vote::Success => {
            let next = word.begin_closed(rules.tally.fresh());
            Step {
                word: next,
                verdict: Recorded::Recovered,
                change: Some(Change::between(word, next, Cause::Recovered)),
            }
        }
        Vote::Failure { moment, hint_ms } => {
            let (next, change) = reopen(
                word,
                Cause::ProbeFailed,
                half_open.reopens,
                hint_ms,
                rules,
                moment,
            );
            Step {
                word: next,
                verdict: Recorded::Reopened,
                change: Some(change),
            }
        }
    }
}
