//! Description of a transition, derived from the words before and after it.
//!
//! The thread whose CAS made the transition derives it afterwards, so that the loop carries only
//! words.

use super::super::{
    rules::Rules,
    tick::Deadline,
    trip::Count,
    word::{Phase, State, Word},
};

/// The cause of a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// Closed to open: too many calls failed.
    Tripped,
    /// Open to half-open: the deadline had passed and a call was admitted as a probe.
    ProbeAdmitted,
    /// Half-open to open: a probe failed.
    ProbeFailed,
    /// Half-open to open: the probes did not report within their lease.
    LeaseExpired,
    /// Half-open to closed: enough probes succeeded.
    Recovered,
    /// An operator acted.
    Operator,
}

impl Cause {
    /// The name in kebab-case: `tripped`, `probe-admitted`, `probe-failed`, `lease-expired`,
    /// `recovered` or `operator`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tripped => "tripped",
            Self::ProbeAdmitted => "probe-admitted",
            Self::ProbeFailed => "probe-failed",
            Self::LeaseExpired => "lease-expired",
            Self::Recovered => "recovered",
            Self::Operator => "operator",
        }
    }
}

/// The step that made a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Admit,
    Record,
    Operate,
}

/// A transition, in the machine's units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawTransition {
    pub(crate) from: State,
    pub(crate) to: State,
    /// The generation of the period that begins.
    pub(crate) generation: u16,
    pub(crate) cause: Cause,
    /// The counts, where the cause is a trip.
    pub(crate) count: Option<Count>,
    pub(crate) reopens: u8,
    /// The length of the open period that begins, in milliseconds.
    pub(crate) open_ms: Option<u64>,
}

#[cfg_attr(
    not(any(feature = "std", test)),
    expect(dead_code, reason = "it is for listeners")
)]
impl RawTransition {
    /// The transition from one word to another that a step made at `now`.
    ///
    /// `counted` are the counts of a trip, if its step knows them.
    pub(crate) const fn between(
        before: Word,
        after: Word,
        event: Event,
        now: u64,
        counted: Option<Count>,
        rules: &Rules,
    ) -> Self {
        let cause = cause(event, before.phase(), after.phase());
        let (reopens, open_ms) = match after.phase() {
            Phase::Open(open) => {
                let ticks = open.deadline.since(Deadline::of(now));
                (open.reopens, Some(ticks / Deadline::ticks(1)))
            }
            Phase::HalfOpen(half_open) => (half_open.reopens, None),
            Phase::Closed(_) | Phase::Held(_) => (0, None),
        };
        Self {
            from: before.state(),
            to: after.state(),
            generation: after.generation(),
            cause,
            count: trip_count(before, event, counted, rules),
            reopens,
            open_ms,
        }
    }
}

/// The counts of a transition from `before`, where that is a trip. `counted` are those that its
/// step knows: an external window must say them.
#[inline]
pub(crate) const fn trip_count(
    before: Word,
    event: Event,
    counted: Option<Count>,
    rules: &Rules,
) -> Option<Count> {
    match (event, before.phase()) {
        (Event::Record, Phase::Closed(payload)) if counted.is_none() => {
            Some(rules.trip_rule.count(rules.trip_rule.failure(payload)))
        }
        _ => counted,
    }
}

const fn cause(event: Event, before: Phase, after: Phase) -> Cause {
    match (event, before, after) {
        (Event::Operate, ..) => Cause::Operator,
        (Event::Admit, Phase::HalfOpen(_), _) => Cause::LeaseExpired,
        (Event::Admit, ..) => Cause::ProbeAdmitted,
        (Event::Record, Phase::Closed(_), _) => Cause::Tripped,
        (Event::Record, _, Phase::Open(_)) => Cause::ProbeFailed,
        (Event::Record, ..) => Cause::Recovered,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{
            rules::tests::rules,
            tick::LeaseEnd,
            word::{Hold, Open, Origin},
        },
        *,
    };
    use crate::Policy;

    #[test]
    fn a_transition_is_described_by_the_words_on_both_sides() {
        let rules = rules(&Policy::new());
        let closed = Word::new(rules.trip_rule.fresh(0));
        let open = closed.begin_open(Open {
            reopens: 2,
            origin: Origin::Policy,
            deadline: Deadline::of(7_000_000_000),
        });
        let half_open = open.begin_half_open(2, LeaseEnd::of(0));
        let described = |before, after, event| {
            let change = RawTransition::between(before, after, event, 2_000_000_000, None, &rules);
            assert_eq!((change.from, change.to), (before.state(), after.state()));
            assert_eq!(change.generation, after.generation());
            (change.cause, change.reopens, change.open_ms)
        };
        let opened = |cause| (cause, 2, Some(5_000));
        assert_eq!(
            described(closed, open, Event::Record),
            opened(Cause::Tripped)
        );
        assert_eq!(
            described(half_open, open, Event::Record),
            opened(Cause::ProbeFailed)
        );
        assert_eq!(
            described(half_open, open, Event::Admit),
            opened(Cause::LeaseExpired)
        );
        let probing = described(open, half_open, Event::Admit);
        assert_eq!(probing, (Cause::ProbeAdmitted, 2, None));
        let recovered = described(half_open, closed, Event::Record);
        assert_eq!(recovered, (Cause::Recovered, 0, None));
        let held = described(open, open.begin_held(Hold::Disabled), Event::Operate);
        assert_eq!(held, (Cause::Operator, 0, None));
    }

    #[test]
    fn a_trip_says_what_it_counted_with_the_last_failure() {
        let rules = rules(&Policy::new());
        let closed = Word::new(rules.trip_rule.failure(rules.trip_rule.fresh(0)));
        let open = closed.begin_held(Hold::ForcedOpen);
        let described = |external| {
            RawTransition::between(closed, open, Event::Record, 0, external, &rules).count
        };
        let two = Count {
            failures: 2,
            calls: 2,
        };
        assert_eq!(described(None), Some(two));
        let nine = Count {
            failures: 9,
            calls: 9,
        };
        assert_eq!(
            described(Some(nine)),
            Some(nine),
            "an external window has the counts"
        );
    }

    #[test]
    fn a_cause_has_a_name() {
        let outcomes = [Cause::Tripped, Cause::ProbeFailed, Cause::Recovered];
        let names = ["tripped", "probe-failed", "recovered"];
        assert_eq!(outcomes.map(Cause::as_str), names);
        let others = [Cause::ProbeAdmitted, Cause::LeaseExpired, Cause::Operator];
        let names = ["probe-admitted", "lease-expired", "operator"];
        assert_eq!(others.map(Cause::as_str), names);
    }
}
