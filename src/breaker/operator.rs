//! The manual switch.

use core::time::Duration;

use crate::{
    State,
    machine::{
        rules::{LONGEST_GIVEN_MS, SHORTEST_GIVEN_MS},
        step::{Command, Event},
    },
};

use super::{Breaker, record::millis_up};

/// What an operator may do. Every verb replaces what stands, and returns the state that it found, as it
/// was recorded. Outcomes of calls that were admitted before are stale.
///
/// ```
/// use cutout::{Breaker, State};
///
/// static PARTNER: Breaker = Breaker::new();
///
/// assert_eq!(PARTNER.force_open(), State::Closed);
/// assert_eq!(PARTNER.state(), State::ForcedOpen);
/// PARTNER.resume(); // the next call is the probe
/// PARTNER.call(|| Ok::<_, ()>("well")).unwrap();
/// assert_eq!(PARTNER.state(), State::Closed);
/// ```
impl Breaker {
    /// Rejects every call until [`resume`](Breaker::resume) or [`reset`](Breaker::reset): neither time
    /// nor outcomes undo it. No transition if it is forced open already.
    pub fn force_open(&self) -> State {
        self.operate(Command::ForceOpen)
    }

    /// Opens for this long, as if the breaker had tripped: an ordinary open period, after which a probe
    /// is let through. Rounded up to whole milliseconds and clamped to 10 ms to 30 days. Always a
    /// transition.
    pub fn force_open_for(&self, time: Duration) -> State {
        let millis = millis_up(time).clamp(SHORTEST_GIVEN_MS, LONGEST_GIVEN_MS);
        self.operate(Command::OpenFor(millis))
    }

    /// Lets every call through and records nothing, until [`resume`](Breaker::resume) or
    /// [`reset`](Breaker::reset). No transition if it is disabled already.
    pub fn disable(&self) -> State {
        self.operate(Command::Disable)
    }

    /// Ends [`force_open`](Breaker::force_open), so that the next call is a probe, or
    /// [`disable`](Breaker::disable), so that the breaker is closed and has counted nothing. No
    /// transition if neither holds.
    pub fn resume(&self) -> State {
        self.operate(Command::Resume)
    }

    /// Closes the breaker, as new: nothing counts that was counted before. Always a transition.
    pub fn reset(&self) -> State {
        self.operate(Command::Reset)
    }

    fn operate(&self, verb: Command) -> State {
        let done = self.core.operate(verb, || self.now());
        self.notify(&done, Event::Operate);
        done.verdict
    }
}
