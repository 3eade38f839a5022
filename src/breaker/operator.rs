//! Operator commands.

use core::time::Duration;

use crate::{
    State,
    machine::{
        rules::{LONGEST_EXPLICIT_MS, SHORTEST_EXPLICIT_MS},
        step::{Command, Event},
    },
};

use super::{Breaker, record::millis_up};

/// Manual overrides. Each replaces the current state and returns the stored previous one. Outcomes
/// of calls that were admitted before are stale.
///
/// ```
/// use cutout::{Breaker, State};
///
/// static SEARCH: Breaker = Breaker::new();
///
/// assert_eq!(SEARCH.force_open(), State::Closed);
/// assert_eq!(SEARCH.state(), State::ForcedOpen);
/// SEARCH.resume(); // the next call is the probe
/// SEARCH.call(|| Ok::<_, ()>("well")).unwrap();
/// assert_eq!(SEARCH.state(), State::Closed);
/// ```
impl Breaker {
    /// Rejects every call until [`resume`](Breaker::resume) or [`reset`](Breaker::reset): neither
    /// time nor outcomes undo it. No transition if it is forced open already.
    pub fn force_open(&self) -> State {
        self.operate(Command::ForceOpen)
    }

    /// Opens for this long, as if the breaker had tripped: an ordinary open period, after which a
    /// probe is admitted. Rounded up to whole milliseconds and clamped to 10 ms to 30 days. Always
    /// a transition.
    pub fn force_open_for(&self, time: Duration) -> State {
        let millis = millis_up(time).clamp(SHORTEST_EXPLICIT_MS, LONGEST_EXPLICIT_MS);
        self.operate(Command::OpenFor(millis))
    }

    /// Admits every call and records nothing, until [`resume`](Breaker::resume) or
    /// [`reset`](Breaker::reset). No transition if the breaker is disabled already.
    pub fn disable(&self) -> State {
        self.operate(Command::Disable)
    }

    /// Ends [`force_open`](Breaker::force_open), so that the next call is a probe, or
    /// [`disable`](Breaker::disable), so that the breaker is closed with an empty window. No
    /// transition if neither is in effect.
    pub fn resume(&self) -> State {
        self.operate(Command::Resume)
    }

    /// Closes the breaker with an empty window. Always a transition.
    pub fn reset(&self) -> State {
        self.operate(Command::Reset)
    }

    fn operate(&self, command: Command) -> State {
        let done = self.core.operate(command, || self.now());
        self.notify(&done, Event::Operate);
        done.verdict
    }
}
