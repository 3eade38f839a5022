//! Common beginnings of the models, and the assertions that hold at the end of all of them.

use std::num::NonZeroU32;

use crate::{
    harness::{Model, Scenario},
    machine::{
        rules::{CompiledBackoff, Rules},
        step::{Recorded, Report},
        tick::{Deadline, LeaseEnd},
        trip::{CompiledThreshold, CompiledWindow, TripRule, bits::Bits},
        word::{Open, Origin, Period, State, Word},
    },
    subject::{StepResult, Subject, Verdict, moment},
};

pub(crate) const MS: u64 = 1_000_000;

/// The time at which most models run.
pub(crate) const NOW: u64 = 7_200_000 * MS;
/// The length of an open period, and of the lease.
pub(crate) const SECOND: u64 = 1_000 * MS;

/// Trips at the second failure in a row; open for a second; one probe, one success, a lease of a
/// second.
pub(crate) fn rules() -> Rules {
    Rules {
        trip_rule: run(2),
        backoff: CompiledBackoff {
            base: 1_000,
            cap: 1_000,
            factor: 1,
            jitter: 0,
            seeded: false,
            seed: 0,
        },
        probes: 1,
        probe_successes: 1,
        lease: NonZeroU32::new(1_000),
        slow_call: None,
        on_drop: None,
    }
}

/// This many failures in a row.
pub(crate) fn run(failures: u16) -> TripRule {
    TripRule {
        run: Some(failures),
        window: None,
    }
}

/// This many failures among the last `span` calls.
pub(crate) fn window(failures: u16, span: u8) -> TripRule {
    TripRule {
        run: None,
        window: Some(CompiledWindow::Bits(Bits {
            span,
            threshold: CompiledThreshold::Failures(failures),
        })),
    }
}

/// The payload of a closed word that has counted nothing.
pub(crate) fn fresh(rules: &Rules) -> u64 {
    rules.trip_rule.fresh(NOW)
}

/// The closed word of generation 0 that has counted nothing.
pub(crate) fn closed(rules: &Rules) -> Word {
    Word::new(fresh(rules))
}

/// The open word of generation 1, its deadline reached at `deadline`.
pub(crate) fn open(deadline: u64) -> Word {
    Word::new(0).begin_open(Open {
        reopens: 0,
        origin: Origin::Policy,
        deadline: Deadline::of(deadline),
    })
}

/// The half-open word of generation 2 with this many probes in flight, whose lease ends at
/// `lease_end`.
pub(crate) fn half_open(in_flight: u8, lease_end: u64) -> Word {
    open(0)
        .begin_half_open(0, LeaseEnd::of(lease_end))
        .with_in_flight(in_flight)
}

pub(crate) fn success() -> Report {
    Report::Success { now: NOW }
}

pub(crate) fn success_at(now: u64) -> Report {
    Report::Success { now }
}

pub(crate) fn failure(now: u64) -> Report {
    Report::Failure {
        moment: moment(now),
        hint_ms: 0,
    }
}

/// A breaker that begins at `first`, for actors that return what they did.
pub(crate) fn breaker<S: Subject>(first: Word, rules: Rules) -> Scenario<S, Vec<StepResult>> {
    Scenario::new(move || S::at(first, rules))
}

impl<S: Subject> Scenario<S, Vec<StepResult>> {
    /// Asserts the chain, and runs the assertions of `also` on the last word and on all steps. The
    /// outcome consists of the verdicts.
    pub(crate) fn end_in_a_chain(
        self,
        first: Word,
        also: impl Fn(Word, &[Vec<StepResult>]) + Send + Sync + 'static,
    ) -> Model {
        self.end(move |subject, actors| {
            let last = subject.word();
            assert_chain(first, last, actors);
            also(last, actors);
            outcome(actors)
        })
    }
}

/// Requests admission, and records `report` if it is granted.
pub(crate) fn call(subject: &impl Subject, now: u64, report: Report) -> Vec<StepResult> {
    let admitted = subject.admit(&|| now);
    let ended = admitted
        .admitted()
        .map(|period| subject.record(period, report));
    std::iter::once(admitted).chain(ended).collect()
}

/// Calls of `period` end with these reports, one after the other.
pub(crate) fn record_all(
    subject: &impl Subject,
    period: Period,
    reports: &[Report],
) -> Vec<StepResult> {
    reports
        .iter()
        .map(|report| subject.record(period, *report))
        .collect()
}

/// A breaker with a window outside its word, in which calls have ended with `reports`.
pub(crate) fn played<S: Subject>(
    rules: Rules,
    reports: impl IntoIterator<Item = Report>,
) -> Scenario<S, Vec<StepResult>> {
    let first = closed(&rules);
    let reports: Vec<_> = reports.into_iter().collect();
    Scenario::new(move || {
        let subject = S::at(first, rules);
        for result in record_all(&subject, first.period(), &reports) {
            assert_eq!(result.recorded(), Some(Recorded::Applied));
        }
        subject
    })
}

/// Name of the outcome: the verdicts of all steps. Actors are separated by `|`, their steps by `,`.
pub(crate) fn outcome(actors: &[Vec<StepResult>]) -> String {
    let actor = |steps: &Vec<StepResult>| {
        let names: Vec<_> = steps.iter().map(step_name).collect();
        names.join(", ")
    };
    actors.iter().map(actor).collect::<Vec<_>>().join(" | ")
}

/// A failure can open the breaker by completing another one. Its own verdict does not show that, so
/// this name does.
fn step_name(result: &StepResult) -> String {
    use Recorded::{Applied, Stale};
    match result.verdict {
        Verdict::Recorded(Applied | Stale) if result.is_transition() => {
            format!("{} and opens it", verdict_name(result.verdict))
        }
        plain => verdict_name(plain),
    }
}

pub(crate) fn verdict_name(verdict: Verdict) -> String {
    use crate::machine::step::admit::RejectReason::{Busy, Forced, Open};
    match verdict {
        Verdict::Admitted(period) => format!("{period:?}"),
        Verdict::Rejected(Open { .. }) => "open".into(),
        Verdict::Rejected(Busy { .. }) => "busy".into(),
        Verdict::Rejected(Forced) => "forced".into(),
        Verdict::Recorded(recorded) => format!("{recorded:?}").to_lowercase(),
        Verdict::Found(state) => format!("found {state}"),
    }
}

/// I1, I3: the transitions form a chain from the first word to the last. Each period but the last
/// was ended by exactly one step, which raised the generation by one. I2: each transition follows
/// an edge of the state machine, unless an operator made it.
pub(crate) fn assert_chain(first: Word, last: Word, actors: &[Vec<StepResult>]) {
    let mut transitions: Vec<&StepResult> = actors
        .iter()
        .flatten()
        .filter(|result| result.is_transition())
        .collect();
    transitions.sort_by_key(|result| result.after.generation());
    let mut current: Period = first.period();
    for result in transitions {
        assert_eq!(result.before.period(), current, "a period ends once");
        assert_eq!(result.after.generation(), result.before.generation() + 1);
        let operated = matches!(result.verdict, Verdict::Found(_));
        let (from, to) = (result.before.state(), result.after.state());
        assert!(operated || is_edge(from, to), "no edge: {from} to {to}");
        current = result.after.period();
    }
    assert_eq!(
        last.period(),
        current,
        "the last word is the last transition's"
    );
}

fn is_edge(from: State, to: State) -> bool {
    use State::{Closed, HalfOpen, Open};
    matches!(
        (from, to),
        (Closed, Open) | (Open, HalfOpen) | (HalfOpen, Closed | Open)
    )
}

/// Number of steps that ended a period.
pub(crate) fn transitions(actors: &[Vec<StepResult>]) -> usize {
    actors
        .iter()
        .flatten()
        .filter(|result| result.is_transition())
        .count()
}
