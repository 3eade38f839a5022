//! The transition function: `(word, event, rules, moment) → (word, verdict)`, pure.
//!
//! | event | file | what it decides |
//! |---|---|---|
//! | a call asks to be admitted | [`admit`](mod@admit) | lets it through, takes a probe place, rejects, or gives the probes up |
//! | an admitted call ends | [`report`](mod@report) | counts it, trips, recovers, reopens, or finds it stale |
//! | a failure ends that a window beside the word judges | [`count_failure`](report::count_failure()) | counts it, or trips |
//! | an operator acts | [`operate`](mod@operate) | replaces what stands |
//!
//! Rules, for all of them:
//!
//! 1. Nothing here reads a clock, calls user code or touches memory: each is a `const fn`. The caller
//!    stores the word by a CAS, and does the rest after it, once.
//! 2. The generation moves iff the state was replaced; [`change`] then says what happened.
//! 3. A step that leaves the word as it was is not written.

pub(crate) mod admit;
pub(crate) mod change;
pub(crate) mod operate;
pub(crate) mod report;

use super::{
    jitter,
    rules::Rules,
    tick::Deadline,
    word::{MAX_REOPENS, Open, Origin, Word},
};

pub(crate) use admit::{Admission, admit, refuse};
pub use change::Cause;
pub(crate) use change::{Change, Event};
pub(crate) use operate::{Verb, operate};
pub use report::Recorded;
#[cfg(feature = "std")]
pub(crate) use report::{Counted, count_failure};
pub(crate) use report::{Vote, report};

/// What a step gives: the next word, and the answer to whoever asked.
#[derive(Clone, Copy, Debug)]
#[must_use = "a step does nothing until its word is stored"]
pub(crate) struct Step<V> {
    pub(crate) word: Word,
    pub(crate) verdict: V,
}

/// A reading of the clock, and the salt of the jitter drawn with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Nanoseconds since any origin.
    pub(crate) now: u64,
    pub(crate) salt: u64,
}

/// Opens: for the policy's interval, or for a hint that is longer. Private to the steps, so that no
/// outcome opens a word without one of them.
const fn open(word: Word, reopens: u8, hint_ms: u64, rules: &Rules, moment: Moment) -> Word {
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
const fn reopen(word: Word, reopens: u8, hint_ms: u64, rules: &Rules, moment: Moment) -> Word {
    let reopens = if reopens < MAX_REOPENS {
        reopens + 1
    } else {
        reopens
    };
    open(word, reopens, hint_ms, rules, moment)
}
