//! What a transition was: told from the words on both sides of it.
//!
//! Computed after the CAS by its winner, so that the loop carries nothing but words.

use super::super::{
    rules::Rules,
    tally::Count,
    tick::Deadline,
    word::{Phase, State, Word},
};

/// Why a breaker changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// Closed to open: too many calls failed.
    Tripped,
    /// Open to half-open: the deadline had passed and a call was let through as a probe.
    ProbeAdmitted,
    /// Half-open to open: a probe failed.
    ProbeFailed,
    /// Half-open to open: the probes did not report within their lease.
    LeaseExpired,
    /// Half-open to closed: enough probes succeeded.
    Recovered,
    /// An operator acted.
    Operator,
}

/// Which of the three steps made a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Admit,
    Report,
    Operate,
}

/// A transition, as the machine knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) from: State,
    pub(crate) to: State,
    /// Of the period that begins.
    pub(crate) generation: u16,
    pub(crate) cause: Cause,
    /// What was counted, where the cause is a trip.
    pub(crate) count: Option<Count>,
    pub(crate) reopens: u8,
    /// The length of the open period that begins, in milliseconds.
    pub(crate) open_ms: Option<u64>,
}

impl Change {
    /// The transition from one word to another that a step made at `now`.
    ///
    /// `beside` is what a window beside the word had counted at a trip.
    pub(crate) const fn between(
        before: Word,
        after: Word,
        event: Event,
        now: u64,
        beside: Option<Count>,
        rules: &Rules,
    ) -> Self {
        let cause = cause(event, before.phase(), after.phase());
        let (reopens, open_ms) = match after.phase() {
            Phase::Open(open) => {
                let ticks = open.deadline.since(Deadline::of(now));
                (open.reopens, Some(ticks / Deadline::ticks(1)))
            }
            Phase::HalfOpen(half_open) => (half_open.reopens, None),
            Phase::Closed(_) | Phase::Held(_) => (0, None),
        };
        Self {
            from: before.state(),
            to: after.state(),
            generation: after.generation(),
            cause,
            count: match (cause, before.phase()) {
                (Cause::Tripped, Phase::Closed(payload)) if beside.is_none() => {
                    Some(rules.tally.count(rules.tally.failure(payload)))
                }
                _ => beside,
            },
            reopens,
            open_ms,
        }
    }
}

const fn cause(event: Event, before: Phase, after: Phase) -> Cause {
    match (event, before, after) {
        (Event::Operate, ..) => Cause::Operator,
        (Event::Admit, Phase::HalfOpen(_), _) => Cause::LeaseExpired,
        (Event::Admit, ..) => Cause::ProbeAdmitted,
        (Event::Report, Phase::Closed(_), _) => Cause::Tripped,
        (Event::Report, _, Phase::Open(_)) => Cause::ProbeFailed,
        (Event::Report, ..) => Cause::Recovered,
    }
}
