//! The oracle: one sequential reference breaker in plain structs and `Vec`s.
//!
//! Written from `docs/design.md` §3 and the comparison rules of §2, not from the code that it
//! judges. The oracle has no word, no atomics and no packing: it stores every event and evaluates
//! the stored events again for each query.
//!
//! Two facts cannot be derived: the drawn jitter, and which successes of a time bucket read the
//! clock. The test passes both in ([`Oracle::set_open_for`], [`Oracle::set_read_clock`]) and the
//! oracle checks them against their bounds.

pub(crate) mod lockstep;
mod rules;
mod time;

use std::time::Duration;

use cutout::{Cause, Outcome, Policy, Reason, Recorded, State};

use super::support;
use rules::{CallCounts, RecordedCall};

/// The reference breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Oracle {
    policy: Policy,
    generation: u16,
    period: Period,
    /// Tick of the last transition.
    since: Option<i128>,
    /// Length that the breaker under test drew for the next open period.
    open_for: Option<Duration>,
    /// Whether the breaker read the clock in the call that ends next.
    read: bool,
    /// Transitions since [`Oracle::take_transitions`] was last called.
    notified: Vec<Notified>,
    /// Events for a call listener since [`Oracle::take_call_events`] was last called.
    call_events: Vec<CallEvent>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Period {
    Closed {
        /// Every call recorded in this period.
        calls: Vec<RecordedCall>,
        /// End of the longest hint of this period, in microseconds.
        hint: Option<i128>,
    },
    Open {
        reopens: u8,
        length: Length,
        deadline: i128,
        tripped_on: Option<CallCounts>,
    },
    HalfOpen {
        reopens: u8,
        successes: u32,
        in_flight: u32,
        lease_end: i128,
        tripped_on: Option<CallCounts>,
    },
    ForcedOpen,
    Disabled,
}

/// An admitted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldPermit {
    pub(crate) generation: u16,
    pub(crate) probe: bool,
    /// Clock reading at admission.
    pub(crate) admitted: u64,
}

/// A rejected call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) reason: Reason,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) generation: u16,
}

/// A transition, as listeners are notified of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Notified {
    pub(crate) from: State,
    pub(crate) to: State,
    pub(crate) generation: u16,
    pub(crate) cause: Cause,
    pub(crate) failures: Option<u32>,
    pub(crate) calls: Option<u32>,
    pub(crate) reopens: u8,
    pub(crate) open_for: Option<Duration>,
}

/// One event of a call, as call listeners are notified of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallEvent {
    Admitted {
        generation: u16,
        probe: bool,
    },
    Ended {
        generation: u16,
        probe: bool,
        outcome: Outcome,
        recorded: Recorded,
    },
    Rejection(Rejection),
}

/// Everything observable of a breaker at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ObservedState {
    pub(crate) state: State,
    pub(crate) recorded: State,
    pub(crate) generation: u16,
    pub(crate) failures: Option<u32>,
    pub(crate) calls: Option<u32>,
    pub(crate) reopens: u8,
    pub(crate) probes_in_flight: u8,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) since: Option<Duration>,
}

/// Source of an open period's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Policy,
    Hint,
    Operator,
    /// A hint that equals the open period and is also within the policy's jitter bounds.
    Unsure,
}

impl Period {
    fn closed() -> Self {
        Self::Closed {
            calls: Vec::new(),
            hint: None,
        }
    }

    fn recorded(&self) -> State {
        match self {
            Self::Closed { .. } => State::Closed,
            Self::Open { .. } => State::Open,
            Self::HalfOpen { .. } => State::HalfOpen,
            Self::ForcedOpen => State::ForcedOpen,
            Self::Disabled => State::Disabled,
        }
    }

    fn reopens(&self) -> u8 {
        match self {
            Self::Open { reopens, .. } | Self::HalfOpen { reopens, .. } => *reopens,
            _ => 0,
        }
    }
}

/// Calls.
impl Oracle {
    /// A closed breaker after this many transitions, the last of them at `now`.
    pub(crate) fn new(policy: Policy, transitions: usize, now: u64) -> Self {
        Self {
            policy,
            generation: u16::try_from(transitions % (1 << 16)).expect("16 bits"),
            period: Period::closed(),
            since: (transitions > 0).then(|| time::tick(now)),
            open_for: None,
            read: true,
            notified: Vec::new(),
            call_events: Vec::new(),
        }
    }

    /// Asks for admission of a call.
    pub(crate) fn acquire(&mut self, now: u64) -> Result<HeldPermit, Rejection> {
        let verdict = self.admit(now);
        self.call_events.push(match verdict {
            Ok(held) => CallEvent::Admitted {
                generation: held.generation,
                probe: held.probe,
            },
            Err(rejection) => CallEvent::Rejection(rejection),
        });
        verdict
    }

    fn admit(&mut self, now: u64) -> Result<HeldPermit, Rejection> {
        self.peek(now)?;
        let held = |generation, probe| HeldPermit {
            generation,
            probe,
            admitted: now,
        };
        match &mut self.period {
            Period::Closed { .. } | Period::Disabled => Ok(held(self.generation, false)),
            Period::ForcedOpen => unreachable!("peek refuses"),
            Period::Open {
                reopens,
                tripped_on,
                ..
            } => {
                let half_open = Period::HalfOpen {
                    reopens: *reopens,
                    successes: 0,
                    in_flight: 1,
                    lease_end: time::lease_end(now, rules::lease(&self.policy, *reopens)),
                    tripped_on: *tripped_on,
                };
                self.begin(half_open, Cause::ProbeAdmitted, None, now);
                Ok(held(self.generation, true))
            }
            Period::HalfOpen {
                reopens,
                in_flight,
                lease_end,
                ..
            } => {
                if *in_flight < self.policy.probes {
                    *in_flight += 1;
                    let lease = rules::lease(&self.policy, *reopens);
                    // A lease end never moves back, unless the comparison rule says that it is not
                    // ahead at all.
                    let next = time::lease_end(now, lease);
                    let next_remaining = next - time::lease_end(now - now % 4_000_000, 0);
                    let later = time::lease_remaining(*lease_end, now, lease)
                        .is_some_and(|remaining| remaining > next_remaining);
                    if !later {
                        *lease_end = next;
                    }
                    return Ok(held(self.generation, true));
                }
                self.reopen(Cause::LeaseExpired, None, now);
                self.peek(now)?;
                unreachable!("an open period is at least 10 ms long");
            }
        }
    }

    /// The rejection that [`Oracle::acquire`] would return without a transition.
    pub(crate) fn peek(&self, now: u64) -> Result<(), Rejection> {
        let (reason, retry_after) = match &self.period {
            Period::ForcedOpen => (Reason::ForcedOpen, None),
            Period::Open { .. } => match self.remaining(now) {
                Some(remaining) => (Reason::Open, Some(remaining)),
                None => return Ok(()),
            },
            Period::HalfOpen { in_flight, .. } => {
                let Some(remaining) = self.until_lease_end(now) else {
                    return Ok(());
                };
                if *in_flight < self.policy.probes {
                    return Ok(());
                }
                let remaining = time::busy(remaining, rules::interval(&self.policy, 0));
                (Reason::ProbesBusy, Some(remaining))
            }
            Period::Closed { .. } | Period::Disabled => return Ok(()),
        };
        Err(Rejection {
            reason,
            retry_after: retry_after.map(time::stated),
            generation: self.generation,
        })
    }

    /// Records that a call returned.
    pub(crate) fn report(&mut self, held: HeldPermit, outcome: Outcome, now: u64) -> Recorded {
        let took = Self::since_admission(held, now);
        self.end(held, rules::returned(&self.policy, outcome, took), now)
    }

    /// Records that a permit was dropped.
    pub(crate) fn drop(&mut self, held: HeldPermit, now: u64) {
        let after = Self::since_admission(held, now);
        self.end(held, rules::dropped(&self.policy, held.probe, after), now);
    }

    /// Records that a permit was dropped by a panic.
    pub(crate) fn panic(&mut self, held: HeldPermit, now: u64) {
        self.end(held, Outcome::Failure, now);
    }

    /// Time since admission, also across the end of the clock's range; zero if the clock stepped
    /// back. (Half of the range, 292 years, is a step back.)
    fn since_admission(held: HeldPermit, now: u64) -> Duration {
        let passed = (i128::from(now) - i128::from(held.admitted)).rem_euclid(1 << 64);
        let passed = if passed >= 1 << 63 { 0 } else { passed };
        Duration::from_nanos(u64::try_from(passed).expect("less than half of the range"))
    }

    fn end(&mut self, held: HeldPermit, outcome: Outcome, now: u64) -> Recorded {
        let recorded = if held.generation == self.generation {
            self.count(outcome, now)
        } else {
            Recorded::Stale
        };
        self.call_events.push(CallEvent::Ended {
            generation: held.generation,
            probe: held.probe,
            outcome,
            recorded,
        });
        recorded
    }

    /// Counts the outcome of a call of this period.
    fn count(&mut self, outcome: Outcome, now: u64) -> Recorded {
        let (failed, hint) = match outcome {
            Outcome::Success => (false, None),
            Outcome::Failure => (true, None),
            Outcome::FailureFor(hint) => (true, Some(hint)),
            Outcome::Ignored => {
                if let Period::HalfOpen { in_flight, .. } = &mut self.period {
                    *in_flight -= 1;
                }
                return Recorded::Unrecorded;
            }
            _ => unimplemented!("an outcome that the oracle does not know"),
        };
        match &mut self.period {
            Period::Closed {
                calls,
                hint: longest,
            } => {
                let ended = hint.map(|hint| time::hint_end(now, rules::hint(hint)));
                // The hint with the most time remaining, among those still in force when the last
                // one arrived.
                let remaining =
                    |end: Option<i128>| end.and_then(|end| time::hint_remaining(end, now));
                if remaining(ended) > remaining(*longest) {
                    *longest = ended;
                }
                let hint = remaining(*longest);
                calls.push(rules::call(self.policy.trip, calls, failed, self.read, now));
                if failed && rules::trips(self.policy.trip, calls, now) {
                    let tripped_on = rules::counted(self.policy.trip, calls, now);
                    self.open(0, Some(tripped_on), Cause::Tripped, hint, now);
                    Recorded::Tripped
                } else {
                    Recorded::Applied
                }
            }
            Period::HalfOpen {
                successes,
                in_flight,
                ..
            } => {
                if failed {
                    self.reopen(Cause::ProbeFailed, hint, now);
                    return Recorded::Reopened;
                }
                *in_flight -= 1;
                *successes += 1;
                if *successes >= self.policy.probe_successes {
                    self.begin(Period::closed(), Cause::Recovered, None, now);
                    Recorded::Recovered
                } else {
                    Recorded::Applied
                }
            }
            Period::Disabled => Recorded::Unrecorded,
            Period::Open { .. } | Period::ForcedOpen => unreachable!("these states admit no call"),
        }
    }
}

/// Transitions.
impl Oracle {
    /// Passes in the length of the open period that the next operation begins, if the policy drew
    /// it.
    pub(crate) fn set_open_for(&mut self, open_for: Option<Duration>) {
        self.open_for = open_for;
    }

    /// Passes in whether the next report read the clock.
    pub(crate) fn set_read_clock(&mut self, read: bool) {
        self.read = read;
    }

    fn reopen(&mut self, cause: Cause, hint: Option<Duration>, now: u64) {
        let Period::HalfOpen {
            reopens,
            tripped_on,
            ..
        } = self.period
        else {
            unreachable!("only a half-open breaker reopens")
        };
        let reopens = (reopens + 1).min(rules::MAX_REOPENS);
        self.open(reopens, tripped_on, cause, hint, now);
    }

    fn open(
        &mut self,
        reopens: u8,
        tripped_on: Option<CallCounts>,
        cause: Cause,
        hint: Option<Duration>,
        now: u64,
    ) {
        let hint = hint.map_or(0, rules::hint);
        let least = rules::interval(&self.policy, reopens);
        let most = rules::interval_with_full_jitter(&self.policy, reopens);
        // A length out of bounds is clamped; the comparison with the reported length then fails.
        let open_ms = self
            .open_for
            .map_or(least, time::millis_up)
            .clamp(least.max(hint), most.max(hint));
        let length = match hint {
            _ if hint < open_ms || hint == least => Length::Policy,
            _ if hint <= most => Length::Unsure,
            _ => Length::Hint,
        };
        let open = Period::Open {
            reopens,
            length,
            deadline: time::deadline(now, open_ms),
            tripped_on,
        };
        self.begin(open, cause, Some(open_ms), now);
    }

    fn begin(&mut self, period: Period, cause: Cause, open_ms: Option<i128>, now: u64) {
        let from = self.period.recorded();
        self.period = period;
        self.generation = self.generation.wrapping_add(1);
        self.since = Some(time::tick(now));
        let trip = match (&self.period, cause) {
            (Period::Open { tripped_on, .. }, Cause::Tripped) => *tripped_on,
            _ => None,
        };
        self.notified.push(Notified {
            from,
            to: self.period.recorded(),
            generation: self.generation,
            cause,
            failures: trip.map(|counted| counted.failures),
            calls: trip.map(|counted| counted.calls),
            reopens: self.period.reopens(),
            open_for: open_ms.map(time::duration),
        });
    }
}

/// Operator actions. Each returns the state that it found.
impl Oracle {
    pub(crate) fn force_open(&mut self, now: u64) -> State {
        let found = self.period.recorded();
        if found != State::ForcedOpen {
            self.begin(Period::ForcedOpen, Cause::Operator, None, now);
        }
        found
    }

    pub(crate) fn force_open_for(&mut self, time: Duration, now: u64) -> State {
        let found = self.period.recorded();
        self.open_by_operator(rules::forced(time), Length::Operator, now);
        found
    }

    pub(crate) fn disable(&mut self, now: u64) -> State {
        let found = self.period.recorded();
        if found != State::Disabled {
            self.begin(Period::Disabled, Cause::Operator, None, now);
        }
        found
    }

    pub(crate) fn resume(&mut self, now: u64) -> State {
        let found = self.period.recorded();
        match found {
            State::ForcedOpen => self.open_by_operator(0, Length::Policy, now),
            State::Disabled => self.begin(Period::closed(), Cause::Operator, None, now),
            _ => {}
        }
        found
    }

    pub(crate) fn reset(&mut self, now: u64) -> State {
        let found = self.period.recorded();
        self.begin(Period::closed(), Cause::Operator, None, now);
        found
    }

    fn open_by_operator(&mut self, open_ms: i128, length: Length, now: u64) {
        let open = Period::Open {
            reopens: 0,
            length,
            deadline: time::deadline(now, open_ms),
            tripped_on: None,
        };
        self.begin(open, Cause::Operator, Some(open_ms), now);
    }
}

/// Read-only accessors.
impl Oracle {
    /// The state that the next call would find.
    pub(crate) fn state(&self, now: u64) -> State {
        match self.period.recorded() {
            State::Open if self.remaining(now).is_none() => State::HalfOpen,
            recorded => recorded,
        }
    }

    pub(crate) fn observe(&self, now: u64) -> ObservedState {
        let (counted, in_flight) = match &self.period {
            Period::Closed { calls, .. } => (Some(rules::counted(self.policy.trip, calls, now)), 0),
            Period::Open { tripped_on, .. } => (*tripped_on, 0),
            Period::HalfOpen {
                tripped_on,
                in_flight,
                ..
            } => (*tripped_on, *in_flight),
            Period::ForcedOpen | Period::Disabled => (None, 0),
        };
        ObservedState {
            state: self.state(now),
            recorded: self.period.recorded(),
            generation: self.generation,
            failures: counted.map(|counted| counted.failures),
            calls: counted.map(|counted| counted.calls),
            reopens: self.period.reopens(),
            probes_in_flight: u8::try_from(in_flight).expect("at most 63"),
            retry_after: self.remaining(now),
            since: self.since.map(|then| time::since(then, now)),
        }
    }

    /// The failure count from which an external window stops counting, because that many trip.
    pub(crate) fn failure_limit(&self) -> u32 {
        rules::failure_limit(self.policy.trip)
    }

    /// For time buckets of a closed breaker: calls younger than nine tenths of the window, and
    /// calls younger than the whole window.
    pub(crate) fn young_calls(&self, now: u64) -> Option<(CallCounts, CallCounts)> {
        match &self.period {
            Period::Closed { calls, .. } => rules::young_calls(self.policy.trip, calls, now),
            _ => None,
        }
    }

    /// Whether calls of a closed period have left the window.
    pub(crate) fn window_has_evicted(&self, now: u64) -> bool {
        matches!(&self.period, Period::Closed { calls, .. } if rules::has_evicted(self.policy.trip, calls, now))
    }

    /// Remaining time of the open period, if calls are still rejected.
    pub(crate) fn remaining(&self, now: u64) -> Option<Duration> {
        let Period::Open { length, .. } = self.period else {
            return None;
        };
        self.remaining_if(length, now)
    }

    /// Whether the verdict depends on the drawn jitter, which a longer hint hides. This happens
    /// only after the clock stepped back.
    pub(crate) fn is_ambiguous(&self, now: u64) -> bool {
        let unsure = matches!(self.period, Period::Open { length, .. } if length == Length::Unsure);
        unsure && self.remaining_if(Length::Hint, now) != self.remaining_if(Length::Policy, now)
    }

    fn remaining_if(&self, length: Length, now: u64) -> Option<Duration> {
        let Period::Open {
            reopens, deadline, ..
        } = self.period
        else {
            return None;
        };
        let longest = match length {
            Length::Policy => rules::interval_with_full_jitter(&self.policy, reopens),
            Length::Hint | Length::Unsure => rules::longest_hint(),
            Length::Operator => rules::longest_forced(),
        };
        time::open_remaining(deadline, now, longest).map(time::ticks)
    }

    /// Remaining time of the probes' lease.
    pub(crate) fn until_lease_end(&self, now: u64) -> Option<Duration> {
        let Period::HalfOpen {
            reopens, lease_end, ..
        } = self.period
        else {
            return None;
        };
        time::lease_remaining(lease_end, now, rules::lease(&self.policy, reopens))
            .map(|remaining| time::until_lease_tick(now, remaining))
    }

    /// Takes the transitions since the last call of this method.
    pub(crate) fn take_transitions(&mut self) -> Vec<Notified> {
        std::mem::take(&mut self.notified)
    }

    /// Takes the call listener's events since the last call of this method.
    pub(crate) fn take_call_events(&mut self) -> Vec<CallEvent> {
        std::mem::take(&mut self.call_events)
    }
}
