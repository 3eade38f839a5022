//! What the models are asked of: the shipped machine, or a planted bug.
//!
//! A planted bug is another [`Subject`]: whatever it does not break it takes from `driver.rs`.

use crate::machine::{
    rules::Rules,
    step::{Command, RawTransition, Recorded, Report, TimeSample, admit::RejectReason},
    trip_rule::Count,
    word::{Period, State, Word},
};

/// A breaker, as far as the models need one.
pub(crate) trait Subject: Send + Sync + 'static {
    type Teller: Teller;
    type Waker: Waker;

    fn at(word: Word, rules: Rules) -> Self;

    fn word(&self) -> Word;

    /// A call asks to be admitted; `clock` is read when the breaker would read it.
    fn admit(&self, clock: &dyn Fn() -> u64) -> Did;

    /// A call that was admitted in `period` ends.
    fn report(&self, period: Period, vote: Report) -> Did;

    fn operate(&self, verb: Command, now: u64) -> Did;

    /// What the window of a closed word covers at `now`.
    fn counted(&self, now: u64) -> Count;
}

/// What tells listeners of transitions.
pub(crate) trait Teller: Send + Sync + 'static {
    /// Of a breaker whose next transition begins `generation`.
    fn beginning_at(generation: u16) -> Self;

    /// What the winner of a transition does after its CAS. `newest` loads the generation of the word.
    fn notify(&self, change: RawTransition, newest: &dyn Fn() -> u16, listen: &dyn Fn(Told));

    /// What it does before: it notes since when the period stands.
    fn note(&self, change: RawTransition, now: u64, newest: &dyn Fn() -> u16) {
        let _ = (change, now, newest);
    }

    /// Since when the period of this generation stands, in nanoseconds, if that was noted.
    fn since(&self, generation: u16) -> Option<u64> {
        let _ = generation;
        None
    }
}

/// What wakes those that wait for a transition.
pub(crate) trait Waker: Send + Sync + 'static {
    fn new() -> Self;

    /// Waits until `look` sees something.
    fn watch(&self, look: &dyn Fn() -> Option<Option<u16>>) -> Option<u16>;

    /// What the winner of a transition does after its CAS.
    fn notify_all(&self);

    /// What one who tells watchers to stop does: `change` is its store.
    fn notify_after(&self, change: &dyn Fn());
}

/// A transition that a listener is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) generation: u16,
    /// How many transitions before it are not told.
    pub(crate) missed: u32,
}

/// What a step of a subject did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Did {
    pub(crate) said: Said,
    /// The word that was decided on, and the one that it became.
    pub(crate) before: Word,
    pub(crate) after: Word,
    /// What a window beside the word had counted, if that tripped.
    pub(crate) counted: Option<Count>,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Admitted(Period),
    Rejected(RejectReason),
    Recorded(Recorded),
    /// An operator acted, and found this state.
    Found(State),
}

impl Did {
    pub(crate) fn is_transition(&self) -> bool {
        self.before.period() != self.after.period()
    }

    pub(crate) fn admitted(&self) -> Option<Period> {
        match self.said {
            Said::Admitted(period) => Some(period),
            _ => None,
        }
    }

    pub(crate) fn recorded(&self) -> Option<Recorded> {
        match self.said {
            Said::Recorded(recorded) => Some(recorded),
            _ => None,
        }
    }
}

pub(crate) fn moment(now: u64) -> TimeSample {
    TimeSample { now, salt: 0 }
}
