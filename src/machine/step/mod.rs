//! The transition function: `(word, event, rules, moment) → (word, verdict)`, pure.
//!
//! | event | file | what it decides |
//! |---|---|---|
//! | a call asks to be admitted | [`admit`](mod@admit) | lets it through, takes a probe place, rejects, or gives the probes up |
//! | an admitted call ends | [`report`](mod@report) | counts it, trips, recovers, reopens, or finds it stale |
//! | an operator acts | [`operate`](mod@operate) | replaces what stands |
//!
//! Rules, for all three:
//!
//! 1. Nothing here reads a clock, calls user code or touches memory. What is to be done beyond the
//!    word is in the [`Step`], and the caller does it once, after its CAS.
//! 2. The generation moves iff there is a [`Change`].
//! 3. A step that leaves the word as it was is not written.

pub(crate) mod admit;
pub(crate) mod operate;
pub(crate) mod report;

use super::{
    jitter,
    rules::Rules,
    tally::Count,
    tick::Deadline,
    word::{MAX_REOPENS, Open, State, Word},
};

pub(crate) use admit::{Admission, Refusal, admit, refuse};
pub(crate) use operate::{Verb, operate};
pub use report::Recorded;
pub(crate) use report::{Vote, report};

/// What a step gives: the next word, the answer, and the transition if there was one.
#[derive(Clone, Copy, Debug)]
#[must_use = "a step does nothing until its word is stored"]
pub(crate) struct Step<V> {
    pub(crate) word: Word,
    pub(crate) verdict: V,
    pub(crate) change: Option<Change>,
}

impl<V> Step<V> {
    const fn within(word: Word, verdict: V) -> Self
    where
        V: Copy,
    {
        Self {
            word,
            verdict,
            change: None,
        }
    }
}

/// A reading of the clock, and the salt of the jitter drawn with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Nanoseconds since any origin.
    pub(crate) now: u64,
    pub(crate) salt: u64,
}

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
    const fn between(from: Word, to: Word, cause: Cause) -> Self {
        Self {
            from: from.state(),
            to: to.state(),
            generation: to.generation(),
            cause,
            count: None,
            reopens: 0,
            open_ms: None,
        }
    }
}

/// Opens: for the policy's interval, or for a hint that is longer.
const fn open(
    word: Word,
    cause: Cause,
    reopens: u8,
    hint_ms: u64,
    rules: &Rules,
    moment: Moment,
) -> (Word, Change) {
    let draw = jitter::draw(moment.now, word.generation(), moment.salt);
    let interval = rules.drawn_interval_ms(reopens, draw);
    let given = hint_ms > interval;
    let open_ms = if given { hint_ms } else { interval };
    open_for(word, cause, reopens, given, open_ms, moment)
}

/// Opens for exactly `open_ms`.
const fn open_for(
    word: Word,
    cause: Cause,
    reopens: u8,
    given: bool,
    open_ms: u64,
    moment: Moment,
) -> (Word, Change) {
    let next = word.begin_open(Open {
        reopens,
        given,
        deadline: Deadline::of(moment.now).plus(Deadline::ticks(open_ms)),
    });
    let mut change = Change::between(word, next, cause);
    change.reopens = reopens;
    change.open_ms = Some(open_ms);
    (next, change)
}

/// Opens again after half-open, where `reopens` is the count so far.
const fn reopen(
    word: Word,
    cause: Cause,
    reopens: u8,
    hint_ms: u64,
    rules: &Rules,
    moment: Moment,
) -> (Word, Change) {
    let reopens = if reopens < MAX_REOPENS {
        reopens + 1
    } else {
        reopens
    };
    open(word, cause, reopens, hint_ms, rules, moment)
}
