//! A call asks to be admitted.
//!
//! | word | answer | next word |
//! |---|---|---|
//! | closed, disabled | admitted | the same |
//! | open, deadline ahead | rejected: open | the same |
//! | open, deadline reached | admitted as probe | half-open, this probe in flight |
//! | half-open, a place free | admitted as probe | one more in flight, the lease begins anew |
//! | half-open, places taken, lease ahead | rejected: probes busy | the same |
//! | half-open, places taken, lease over | rejected: open | open again |
//! | forced open | rejected: forced | the same |

use super::{
    super::{
        rules::Rules,
        tick::{Deadline, LeaseEnd},
        word::{HalfOpen, Hold, Open, Period, Phase, Word},
    },
    Cause, Change, Moment, Step, reopen,
};

/// The answer to a call that asks to be admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Admitted(Period),
    Rejected(Refusal),
}

/// Why a call is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The breaker is open for this many more ticks of [`Deadline`].
    Open { rest: u64 },
    /// All probe places are taken.
    Busy,
    /// An operator forced it open.
    Forced,
}

/// Decides about a call. `moment` must have been read after `word` was loaded: an older reading
/// could be before the deadline that its own word replaced.
pub(crate) const fn admit(word: Word, rules: &Rules, moment: Moment) -> Step<Admission> {
    if let Some(refusal) = refuse(word, rules, moment.now) {
        return Step::within(word, Admission::Rejected(refusal));
    }
    match word.phase() {
        Phase::Closed(_) | Phase::Held(_) => Step::within(word, Admission::Admitted(word.period())),
        Phase::Open(open) => first_probe(word, open, rules, moment),
        Phase::HalfOpen(half_open) if half_open.in_flight < rules.probes => {
            let next = next_probe(word, half_open, rules, moment);
            Step::within(next, Admission::Admitted(next.period()))
        }
        Phase::HalfOpen(half_open) => give_up(word, half_open, rules, moment),
    }
}

/// Why a call is rejected, if it is without a transition.
#[inline]
pub(crate) const fn refuse(word: Word, rules: &Rules, now: u64) -> Option<Refusal> {
    match word.phase() {
        Phase::Open(open) => match open_rest(open, rules, now) {
            Some(rest) => Some(Refusal::Open { rest }),
            None => None,
        },
        Phase::HalfOpen(half_open)
            if half_open.in_flight >= rules.probes
                && lease_rest(half_open, rules, now).is_some() =>
        {
            Some(Refusal::Busy)
        }
        Phase::Held(Hold::ForcedOpen) => Some(Refusal::Forced),
        Phase::Closed(_) | Phase::HalfOpen(_) | Phase::Held(Hold::Disabled) => None,
    }
}

/// The ticks of an open period that are left, `None` once its deadline is reached.
#[inline]
pub(crate) const fn open_rest(open: Open, rules: &Rules, now: u64) -> Option<u64> {
    open.deadline.ahead_of(
        Deadline::of(now),
        rules.longest_open(open.reopens, open.given),
    )
}

const fn lease_rest(half_open: HalfOpen, rules: &Rules, now: u64) -> Option<u64> {
    half_open
        .lease_end
        .ahead_of(LeaseEnd::of(now), rules.longest_lease(half_open.reopens))
}

/// One CAS ends the open period and takes the first probe place.
const fn first_probe(word: Word, open: Open, rules: &Rules, moment: Moment) -> Step<Admission> {
    let lease_end = LeaseEnd::of(moment.now).plus(rules.lease(open.reopens));
    let next = word.begin_half_open(open.reopens, lease_end);
    let mut change = Change::between(word, next, Cause::ProbeAdmitted);
    change.reopens = open.reopens;
    Step {
        word: next,
        verdict: Admission::Admitted(next.period()),
        change: Some(change),
    }
}

/// Takes one more place. The lease begins anew, but a lease end that is ahead never moves back.
const fn next_probe(word: Word, half_open: HalfOpen, rules: &Rules, moment: Moment) -> Word {
    let lease = rules.lease(half_open.reopens);
    let rest = match lease_rest(half_open, rules, moment.now) {
        Some(rest) if rest > lease => rest,
        _ => lease,
    };
    word.with_in_flight(half_open.in_flight + 1)
        .with_lease_end(LeaseEnd::of(moment.now).plus(rest))
}

/// The probes did not come back: they count as failed, and the call that sees it is rejected.
const fn give_up(
    word: Word,
    half_open: HalfOpen,
    rules: &Rules,
    moment: Moment,
) -> Step<Admission> {
    let (next, change) = reopen(
        word,
        Cause::LeaseExpired,
        half_open.reopens,
        0,
        rules,
        moment,
    );
    let rest = match change.open_ms {
        Some(millis) => Deadline::ticks(millis),
        None => 0,
    };
    Step {
        word: next,
        verdict: Admission::Rejected(Refusal::Open { rest }),
        change: Some(change),
    }
}
