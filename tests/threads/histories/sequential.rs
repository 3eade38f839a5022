//! The sequential specification of a history: the [oracle](crate::oracle), one operation at a time.

use std::{
    hash::{Hash, Hasher},
    time::Duration,
};

use cutout::{Outcome, Policy, Reason, Recorded, Snapshot, State, Window};
use histories::{Event, Specification};

use crate::oracle::{HeldPermit, ObservedState, Oracle};

/// An operation, with the last clock reading that the breaker took for it, if it took one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Invocation {
    pub(crate) operation: Operation,
    pub(crate) read: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    Acquire,
    Report(AdmittedCall, Outcome),
    ForceOpen,
    ForceOpenFor(Duration),
    Disable,
    Resume,
    Reset,
}

/// An admitted call, as its permit identifies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AdmittedCall {
    pub(crate) generation: u16,
    pub(crate) probe: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Response {
    Admitted(AdmittedCall),
    Rejected {
        reason: Reason,
        retry_after: Option<Duration>,
        generation: u16,
    },
    Recorded(Recorded),
    Found(State),
}

pub(crate) type HistoryEvent = Event<Invocation, Response>;

/// The specification of a breaker with this policy. It draws no jitter and times no calls. It does
/// not cover time buckets, whose bounds are looser than an order of steps.
pub(crate) struct Steps(pub(crate) Policy);

/// The oracle between two steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OracleState(pub(crate) Oracle);

impl Hash for OracleState {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let ObservedState {
            generation,
            failures,
            calls,
            probes_in_flight,
            ..
        } = self.0.observe(0);
        (generation, failures, calls, probes_in_flight).hash(hasher);
    }
}

impl OracleState {
    pub(crate) fn new(policy: Policy) -> Self {
        Self(Oracle::new(policy, 0, 0))
    }

    /// Whether the idle breaker shows exactly this state.
    pub(crate) fn matches(&self, snapshot: &Snapshot, now: u64) -> bool {
        let mut seen = self.0.observe(now);
        // The counts of a trip are lost if the next transition came before they were recorded.
        if snapshot.stored_state != State::Closed && snapshot.failures.is_none() {
            (seen.failures, seen.calls) = (None, None);
        }
        seen == ObservedState::from(*snapshot)
    }
}

impl Steps {
    fn do_step(oracle: &mut Oracle, invocation: &Invocation) -> Option<Response> {
        // An operation that reads no clock does not depend on it, except an admission: that
        // requires a closed breaker.
        let now = invocation.read.unwrap_or(0);
        Some(match invocation.operation {
            Operation::Acquire
                if invocation.read.is_none() && oracle.observe(0).recorded != State::Closed =>
            {
                return None;
            }
            Operation::Acquire => match oracle.acquire(now) {
                Ok(held) => Response::Admitted(AdmittedCall {
                    generation: held.generation,
                    probe: held.probe,
                }),
                Err(rejected) => Response::Rejected {
                    reason: rejected.reason,
                    retry_after: rejected.retry_after,
                    generation: rejected.generation,
                },
            },
            Operation::Report(call, outcome) => {
                let held = HeldPermit {
                    generation: call.generation,
                    probe: call.probe,
                    admitted: now,
                };
                Response::Recorded(oracle.report(held, outcome, now))
            }
            Operation::ForceOpen => Response::Found(oracle.force_open(now)),
            Operation::ForceOpenFor(time) => Response::Found(oracle.force_open_for(time, now)),
            Operation::Disable => Response::Found(oracle.disable(now)),
            Operation::Resume => Response::Found(oracle.resume(now)),
            Operation::Reset => Response::Found(oracle.reset(now)),
        })
    }

    /// Whether a failure may finish the recording of another, whose verdict then says less.
    fn may_be_completed_by_another(&self, invocation: &Invocation) -> bool {
        let external = |window: Window| match window.span {
            cutout::Span::OfLast(calls) => calls > 45,
            _ => true,
        };
        matches!(invocation.operation, Operation::Report(call, Outcome::Failure) if !call.probe)
            && self.0.trip.window.is_some_and(external)
    }
}

impl Specification for Steps {
    type State = OracleState;
    type Operation = Invocation;
    type Response = Response;

    fn step(
        &self,
        state: &OracleState,
        invocation: &Invocation,
    ) -> impl IntoIterator<Item = (OracleState, Response)> {
        use Recorded::{Applied, Stale, Tripped};
        let mut after = state.clone();
        let response = Self::do_step(&mut after.0, invocation);
        after.0.take_transitions();
        after.0.take_call_events();
        let less = match response {
            Some(Response::Recorded(Tripped | Stale))
                if self.may_be_completed_by_another(invocation) =>
            {
                Some((after.clone(), Response::Recorded(Applied)))
            }
            _ => None,
        };
        response
            .map(|response| (after, response))
            .into_iter()
            .chain(less)
    }

    fn changes_nothing(&self, invocation: &Invocation, response: &Response) -> bool {
        match (invocation.operation, *response) {
            (_, Response::Admitted(call)) => !call.probe,
            // The call that expires the lease gets the whole length of the open period.
            (_, Response::Rejected { retry_after, .. }) => {
                retry_after.is_none_or(|remaining| remaining < self.0.backoff.base)
            }
            (_, Response::Recorded(recorded)) => recorded == Recorded::Stale,
            (Operation::Resume, Response::Found(state)) => {
                !matches!(state, State::ForcedOpen | State::Disabled)
            }
            (_, Response::Found(_)) => false,
        }
    }
}
