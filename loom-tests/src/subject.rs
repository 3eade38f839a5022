//! Subject of a model: the shipped machine, or a planted bug.
//!
//! A planted bug is another [`Subject`]. It takes from `driver.rs` all that it does not break.

use crate::machine::{
    rules::Rules,
    step::{Command, RawTransition, Recorded, Report, TimeSample, admit::RejectReason},
    trip::Count,
    word::{Period, State, Word},
};

/// A breaker, as far as the models need one.
pub(crate) trait Subject: Send + Sync + 'static {
    type Dispatcher: Dispatcher;
    type Waker: Waker;

    fn at(word: Word, rules: Rules) -> Self;

    fn word(&self) -> Word;

    /// Requests admission for a call. `clock` is read when the breaker would read it.
    fn admit(&self, clock: &dyn Fn() -> u64) -> StepResult;

    /// Reports the end of a call that was admitted in `period`.
    fn record(&self, period: Period, report: Report) -> StepResult;

    fn operate(&self, command: Command, now: u64) -> StepResult;

    /// The counts that the window of a closed word covers at `now`.
    fn counted(&self, now: u64) -> Count;
}

/// A dispatcher, which notifies listeners of transitions.
pub(crate) trait Dispatcher: Send + Sync + 'static {
    /// The dispatcher of a breaker whose next transition begins `generation`.
    fn beginning_at(generation: u16) -> Self;

    /// Called by the thread that made a transition, after its CAS. `newest` loads the generation of
    /// the word.
    fn notify(
        &self,
        change: RawTransition,
        newest: &dyn Fn() -> u16,
        listen: &dyn Fn(Notification),
    );

    /// Called before `notify`: records when the period began.
    fn write_diagnostics(&self, generation: u16, now: u64, newest: &dyn Fn() -> u16) {
        let _ = (generation, now, newest);
    }

    /// The time at which the period of this generation began, in nanoseconds, if it was recorded.
    fn period_start(&self, generation: u16) -> Option<u64> {
        let _ = generation;
        None
    }
}

/// Wakes the threads that wait for a transition.
pub(crate) trait Waker: Send + Sync + 'static {
    fn new() -> Self;

    /// Waits until `look` returns a value.
    fn watch(&self, look: &dyn Fn() -> Option<Option<u16>>) -> Option<u16>;

    /// Called by the thread that made a transition, after its CAS.
    fn notify_all(&self);

    /// Called by a thread that asks watchers to stop: `change` stores that request.
    fn notify_after(&self, change: &dyn Fn());
}

/// A transition that a listener is notified of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Notification {
    pub(crate) generation: u16,
    /// Number of transitions before this one that are not delivered.
    pub(crate) missed: u32,
}

/// Result of a step of a subject.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepResult {
    pub(crate) verdict: Verdict,
    /// The word that was decided on, and the word after the step.
    pub(crate) before: Word,
    pub(crate) after: Word,
    /// The counts that tripped, if the step knows them.
    pub(crate) counted: Option<Count>,
}

/// The verdict of a step, in the terms of any subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Admitted(Period),
    Rejected(RejectReason),
    Recorded(Recorded),
    /// An operator acted, and found this state.
    Found(State),
}

impl StepResult {
    pub(crate) fn is_transition(&self) -> bool {
        self.before.period() != self.after.period()
    }

    pub(crate) fn admitted(&self) -> Option<Period> {
        match self.verdict {
            Verdict::Admitted(period) => Some(period),
            _ => None,
        }
    }

    pub(crate) fn recorded(&self) -> Option<Recorded> {
        match self.verdict {
            Verdict::Recorded(recorded) => Some(recorded),
            _ => None,
        }
    }
}

pub(crate) fn moment(now: u64) -> TimeSample {
    TimeSample { now, salt: 0 }
}
