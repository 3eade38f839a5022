//! The oracle: one sequential reference breaker in plain structs and `Vec`s.
//!
//! Written from `docs/design.md` §3 and the comparison rules of §2, not from the code that it judges. It has no
//! word, no atomics and no packing; what happened is kept as it happened and looked at anew when asked.
//! What it cannot know is the jitter drawn and which successes of a time bucket read the clock: that it is
//! given ([`Oracle::given_open_for`], [`Oracle::given_reading`]), and holds against the bounds.

pub(crate) mod lockstep;
mod rules;
mod time;

use std::time::Duration;

use cutout::{Cause, Outcome, Policy, Reason, Recorded, State};

use rules::{Call, Counted};

/// The reference breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Oracle {
    policy: Policy,
    generation: u16,
    period: Period,
    /// The tick of the last transition.
    since: Option<i128>,
    /// The length that the breaker under test drew for the open period that begins next.
    open_for: Option<Duration>,
    /// Whether it read the clock in the call that ends next.
    read: bool,
    /// Transitions since they were last taken away.
    told: Vec<Told>,
    /// What a call listener would have heard since then.
    heard: Vec<Heard>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Period {
    Closed {
        /// Every call recorded in this period.
        calls: Vec<Call>,
        /// When the longest hint of this period ends, in microseconds.
        hint: Option<i128>,
    },
    Open {
        reopens: u8,
        length: Length,
        deadline: i128,
        tripped_on: Option<Counted>,
    },
    HalfOpen {
        reopens: u8,
        successes: u32,
        in_flight: u32,
        lease_end: i128,
        tripped_on: Option<Counted>,
    },
    ForcedOpen,
    Disabled,
}

/// An admitted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) generation: u16,
    pub(crate) probe: bool,
    /// The clock at its admission.
    pub(crate) admitted: u64,
}

/// A call that was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) reason: Reason,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) generation: u16,
}

/// A transition, as listeners are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) from: State,
    pub(crate) to: State,
    pub(crate) generation: u16,
    pub(crate) cause: Cause,
    pub(crate) failures: Option<u32>,
    pub(crate) calls: Option<u32>,
    pub(crate) reopens: u8,
    pub(crate) open_for: Option<Duration>,
}

/// What happened to one call, as call listeners are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
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
    Refused(Refused),
}

/// A breaker at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
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

/// Where the length of an open period came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Policy,
    Hint,
    Operator,
    /// A hint that is as long as the open period, and as the policy with its jitter may have drawn.
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
    /// A closed breaker that has made this many transitions, the last of them at `now`.
    pub(crate) fn new(policy: Policy, transitions: usize, now: u64) -> Self {
        Self {
            policy,
            generation: u16::try_from(transitions % (1 << 16)).expect("16 bits"),
            period: Period::closed(),
            since: (transitions > 0).then(|| time::tick(now)),
            open_for: None,
            read: true,
            told: Vec::new(),
            heard: Vec::new(),
        }
    }

    /// Asks to make a call.
    pub(crate) fn acquire(&mut self, now: u64) -> Result<Held, Refused> {
        let verdict = self.admit(now);
        self.heard.push(match verdict {
            Ok(held) => Heard::Admitted {
                generation: held.generation,
                probe: held.probe,
            },
            Err(refused) => Heard::Refused(refused),
        });
        verdict
    }

    fn admit(&mut self, now: u64) -> Result<Held, Refused> {
        self.peek(now)?;
        let held = |generation, probe| Held {
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
                    // A lease end never moves back, unless by the rule it is no lease end of this
                    // clock at all.
                    let next = time::lease_end(now, lease);
                    let rest_of_next = next - time::lease_end(now - now % 4_000_000, 0);
                    let later = time::rest_of_lease(*lease_end, now, lease)
                        .is_some_and(|rest| rest > rest_of_next);
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

    /// What [`Oracle::acquire`] would say, if that would refuse without a transition.
    pub(crate) fn peek(&self, now: u64) -> Result<(), Refused> {
        let (reason, retry_after) = match &self.period {
            Period::ForcedOpen => (Reason::ForcedOpen, None),
            Period::Open { .. } => match self.rest(now) {
                Some(rest) => (Reason::Open, Some(rest)),
                None => return Ok(()),
            },
            Period::HalfOpen { in_flight, .. } => {
                let Some(rest) = self.until_lease_end(now) else {
                    return Ok(());
                };
                if *in_flight < self.policy.probes {
                    return Ok(());
                }
                let rest = time::busy(rest, rules::interval(&self.policy, 0));
                (Reason::ProbesBusy, Some(rest))
            }
            Period::Closed { .. } | Period::Disabled => return Ok(()),
        };
        Err(Refused {
            reason,
            retry_after,
            generation: self.generation,
        })
    }

    /// A call returned.
    pub(crate) fn report(&mut self, held: Held, outcome: Outcome, now: u64) -> Recorded {
        let took = Self::since_admission(held, now);
        self.end(held, rules::returned(&self.policy, outcome, took), now)
    }

    /// A permit was dropped.
    pub(crate) fn drop(&mut self, held: Held, now: u64) {
        let after = Self::since_admission(held, now);
        self.end(held, rules::dropped(&self.policy, held.probe, after), now);
    }

    /// A permit was dropped by a panic.
    pub(crate) fn panic(&mut self, held: Held, now: u64) {
        self.end(held, Outcome::Failure, now);
    }

    /// Also across the end of the clock's range; nothing at all if the clock stepped back.
    fn since_admission(held: Held, now: u64) -> Duration {
        let passed = (i128::from(now) - i128::from(held.admitted)).rem_euclid(1 << 64);
        let passed = if passed > u64::MAX.into() || passed > 1 << 63 {
            0
        } else {
            passed
        };
        Duration::from_nanos(u64::try_from(passed).expect("half of the range"))
    }

    fn end(&mut self, held: Held, outcome: Outcome, now: u64) -> Recorded {
        let recorded = if held.generation == self.generation {
            self.count(outcome, now)
        } else {
            Recorded::Stale
        };
        self.heard.push(Heard::Ended {
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
                // The longest that still runs, of those that ran when the last was given.
                let rest = |end: Option<i128>| end.and_then(|end| time::rest_of_hint(end, now));
                if rest(ended) > rest(*longest) {
                    *longest = ended;
                }
                let hint = rest(*longest);
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
            Period::Open { .. } | Period::ForcedOpen => unreachable!("nobody is admitted in these"),
        }
    }
}

/// Transitions.
impl Oracle {
    /// Tells the length of the open period that the next operation begins, if the policy says how long.
    pub(crate) fn given_open_for(&mut self, open_for: Option<Duration>) {
        self.open_for = open_for;
    }

    /// Tells whether the next report read the clock.
    pub(crate) fn given_reading(&mut self, read: bool) {
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
        let reopens = (reopens + 1).min(rules::MOST_REOPENS);
        self.open(reopens, tripped_on, cause, hint, now);
    }

    fn open(
        &mut self,
        reopens: u8,
        tripped_on: Option<Counted>,
        cause: Cause,
        hint: Option<Duration>,
        now: u64,
    ) {
        let hint = hint.map_or(0, rules::hint);
        let least = rules::interval(&self.policy, reopens);
        let most = rules::interval_with_full_jitter(&self.policy, reopens);
        // Out of bounds is not believed, and what is believed is compared with what was said.
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
        self.told.push(Told {
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

/// What an operator may do. Each returns the state it found.
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

/// Looking.
impl Oracle {
    /// What the next call meets.
    pub(crate) fn state(&self, now: u64) -> State {
        match self.period.recorded() {
            State::Open if self.rest(now).is_none() => State::HalfOpen,
            recorded => recorded,
        }
    }

    pub(crate) fn look(&self, now: u64) -> Seen {
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
        Seen {
            state: self.state(now),
            recorded: self.period.recorded(),
            generation: self.generation,
            failures: counted.map(|counted| counted.failures),
            calls: counted.map(|counted| counted.calls),
            reopens: self.period.reopens(),
            probes_in_flight: u8::try_from(in_flight).expect("at most 63"),
            retry_after: self.rest(now),
            since: self.since.map(|then| time::since(then, now)),
        }
    }

    /// How many failures a window beside the word need not tell apart, as so many of them trip.
    pub(crate) fn enough(&self) -> u32 {
        rules::enough(self.policy.trip)
    }

    /// While closed, for time buckets: what is younger than nine tenths of the window, and than all of it.
    pub(crate) fn young_calls(&self, now: u64) -> Option<(Counted, Counted)> {
        match &self.period {
            Period::Closed { calls, .. } => rules::young_calls(self.policy.trip, calls, now),
            _ => None,
        }
    }

    /// Whether calls of a closed period have left the window.
    pub(crate) fn window_moved(&self, now: u64) -> bool {
        matches!(&self.period, Period::Closed { calls, .. } if rules::moved(self.policy.trip, calls, now))
    }

    /// The rest of the open period, if calls are still rejected.
    pub(crate) fn rest(&self, now: u64) -> Option<Duration> {
        let Period::Open { length, .. } = self.period else {
            return None;
        };
        self.rest_if(length, now)
    }

    /// Whether only the jitter drawn, which a longer hint hides, could tell if calls are still rejected:
    /// so after a clock that stepped back.
    pub(crate) fn cannot_tell(&self, now: u64) -> bool {
        let unsure = matches!(self.period, Period::Open { length, .. } if length == Length::Unsure);
        unsure && self.rest_if(Length::Hint, now) != self.rest_if(Length::Policy, now)
    }

    fn rest_if(&self, length: Length, now: u64) -> Option<Duration> {
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
        time::rest_of_open(deadline, now, longest).map(time::ticks)
    }

    /// How long the lease of the probes still runs.
    pub(crate) fn until_lease_end(&self, now: u64) -> Option<Duration> {
        let Period::HalfOpen {
            reopens, lease_end, ..
        } = self.period
        else {
            return None;
        };
        time::rest_of_lease(lease_end, now, rules::lease(&self.policy, reopens))
            .map(|rest| time::until_lease_tick(now, rest))
    }

    /// The transitions since this was last asked.
    pub(crate) fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// What a call listener would have heard since this was last asked.
    pub(crate) fn take_heard(&mut self) -> Vec<Heard> {
        std::mem::take(&mut self.heard)
    }
}
