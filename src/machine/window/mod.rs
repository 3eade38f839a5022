//! The windows that live beside the word.
//!
//! | trip | file | bytes | made |
//! |---|---|---|---|
//! | `failures(k).of_last(n)`, `percent(p).of_last(n)`, n > 45 | [`stamps`] | 256, and 8 a failure that trips, k or p % of n | first failure |
//! | `failures(k).within(T)` | [`stamps`] | 256, and 8 k | first failure |
//! | `percent(p).within(T)` | [`rate`] | 384, and 128 a shard | first call that ends |
//!
//! What the word keeps of them is in [`payload`]. Rules, for all:
//!
//! 1. A cell carries the generation that it counts for, and is changed by CAS on the whole of it: a late
//!    writer finds another tag and leaves the cell alone.
//! 2. What a failure leaves in a cell comes first, then what it does to the word. Only the word's CAS makes
//!    a transition, so that there is one, and its winner tells of it.
//! 3. A thread that stops between any two steps stops nobody else: each file says who goes on. (But for the
//!    making of the window, once, for which others wait: `OnceLock`.)

pub(crate) mod payload;
#[cfg(feature = "std")]
pub(crate) mod rate;
#[cfg(feature = "std")]
pub(crate) mod stamps;

#[cfg(feature = "std")]
use super::{
    cell::{Cell, Decided},
    hints::Hints,
    rules::Rules,
    step::{Counted, Moment, Recorded, Step, count_failure},
    tally::{Count, Window},
    word::{Period, Phase, Word},
};

/// A failure to be recorded.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure<'a> {
    /// The period that its call was admitted in, a closed one.
    pub(crate) period: Period,
    pub(crate) moment: Moment,
    /// Has the hint of this failure already. Looked at once it is known what trips.
    pub(crate) hints: &'a Hints,
}

#[cfg(feature = "std")]
impl Failure<'_> {
    /// Counts it in a closed word of its period, whose payload it makes `payload`, or trips.
    ///
    /// The hint is looked up after what the word and the window trip by, so that the hint of each failure
    /// among those is there.
    #[inline]
    fn count(
        &self,
        word: Word,
        payload: payload::Payload,
        window_trips: bool,
        rules: &Rules,
    ) -> Step<Recorded> {
        match count_failure(word, payload.bits(), window_trips, rules) {
            Counted::Stays(step) => step,
            Counted::Trips(trip) => {
                let hint_ms = self.hints.running(self.period, self.moment.now);
                trip.open(hint_ms, rules, self.moment)
            }
        }
    }
}

/// A window beside the word.
#[cfg(feature = "std")]
#[expect(
    clippy::large_enum_variant,
    reason = "it always lives in a box of its own"
)]
#[derive(Debug)]
pub(crate) enum Beside {
    Stamps(stamps::Stamps),
    Rate(rate::Rate),
}

#[cfg(feature = "std")]
impl Beside {
    /// The window of these rules, if theirs lives beside the word. `shards` is how many threads may count
    /// successes without meeting.
    pub(crate) fn new(rules: &Rules, shards: impl FnOnce() -> usize) -> Option<Self> {
        match rules.tally.window? {
            Window::InWord { .. } => None,
            Window::Calls { .. } | Window::Failures { .. } => Some(Self::Stamps(
                stamps::Stamps::new(rules.tally.most_failures()),
            )),
            Window::Rate { within_ms, .. } => {
                Some(Self::Rate(rate::Rate::new(within_ms, shards())))
            }
        }
    }

    /// Records a failure of a call that was admitted while closed. If it trips, what was counted is in the
    /// decision.
    pub(crate) fn fail(
        &self,
        cell: &Cell,
        seen: Word,
        failure: Failure<'_>,
        rules: &Rules,
    ) -> Decided<Option<Count>, Recorded> {
        match self {
            Self::Stamps(stamps) => stamps.fail(cell, seen, failure, rules),
            Self::Rate(rate) => rate.fail(cell, seen, failure, rules),
        }
    }

    /// What is in the window of a closed word at `now`.
    pub(crate) fn count(&self, word: Word, rules: &Rules, now: u64) -> Count {
        match (self, word.phase()) {
            (Self::Stamps(stamps), Phase::Closed(_)) => stamps.count(word, rules, now),
            (Self::Rate(rate), Phase::Closed(_)) => rate.count(word, now),
            _ => Count::default(),
        }
    }
}
