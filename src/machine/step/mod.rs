//! The transition function: `(word, event, rules, moment) → (word, verdict)`, pure.
//!
//! | event | file | decision |
//! |---|---|---|
//! | a call begins | [`admit`](mod@admit) | admits, takes a slot, rejects, or gives the probes up |
//! | an admitted call ends | [`record`](mod@record) | counts, trips, recovers, reopens, or finds the outcome stale |
//! | a failure was recorded in an external window | [`count_failure`](record::count_failure()) | counts, or trips |
//! | an operator gives a command | [`operate`](mod@operate) | replaces the current state |
//!
//! Rules, for all of them:
//!
//! 1. A step reads no clock, calls no user code and touches no memory: each is a `const fn`. The
//!    caller stores the word by a CAS, and acts on the verdict afterwards, once.
//! 2. The generation changes iff the state was replaced; [`transition`] describes the transition.
//! 3. A step that leaves the word as it was is not stored.

pub(crate) mod admit;
pub(crate) mod operate;
pub(crate) mod record;
pub(crate) mod transition;

use super::{
    jitter,
    rules::Rules,
    tick::Deadline,
    word::{MAX_REOPENS, Open, Origin, Word},
};

pub(crate) use admit::{AdmitVerdict, admit, reject_fast, reject_reason};
pub(crate) use operate::{Command, operate};
pub use record::Recorded;
pub(crate) use record::{Report, record};
pub use transition::Cause;
#[cfg(any(feature = "std", test))]
pub(crate) use transition::RawTransition;
pub(crate) use transition::{Event, trip_count};

/// The result of a step: the next word and the verdict.
#[derive(Clone, Copy, Debug)]
#[must_use = "a step does nothing until its word is stored"]
pub(crate) struct Step<V> {
    pub(crate) word: Word,
    pub(crate) verdict: V,
}

/// A clock reading, and the salt of the jitter drawn with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeSample {
    /// Nanoseconds since any origin.
    pub(crate) now: u64,
    pub(crate) salt: u64,
}

/// Opens for the policy's interval, or for a hint that is longer. Private to this module, so that
/// only a step opens a word.
const fn open(word: Word, reopens: u8, hint_ms: u64, rules: &Rules, moment: TimeSample) -> Word {
    let draw = jitter::draw(moment.now, word.generation(), moment.salt);
    let interval = rules.drawn_interval_ms(reopens, draw);
    let (origin, open_ms) = if hint_ms > interval {
        (Origin::Hint, hint_ms)
    } else {
        (Origin::Policy, interval)
    };
    word.begin_open(Open {
        reopens,
        origin,
        deadline: Deadline::after(moment.now, open_ms),
    })
}

/// Opens again after half-open, where `reopens` is the count so far.
const fn reopen(word: Word, reopens: u8, hint_ms: u64, rules: &Rules, moment: TimeSample) -> Word {
    let reopens = if reopens < MAX_REOPENS {
        reopens + 1
    } else {
        reopens
    };
    open(word, reopens, hint_ms, rules, moment)
}
