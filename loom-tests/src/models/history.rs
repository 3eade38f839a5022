//! Histories of the actors' requests and responses: one order of the pure steps explains each
//! (I24).

use std::sync::atomic::Ordering;

use crate::{
    harness::{Model, Scenario},
    history::{HistoryEvent, Recorder, check_history},
    machine::{
        rules::Rules,
        step::{Command, Report},
        word::Word,
    },
    scene::{NOW, SECOND, closed, failure, half_open, open, rules, success, verdict_name, window},
    subject::Subject,
    sync::AtomicU64,
};

/// A failure that trips, and two callers that arrive when the open period is over.
pub(crate) fn a_trip_and_its_probes_have_an_order<S: Subject>() -> Model {
    const LATER: u64 = NOW + 2 * SECOND;
    let first = closed(&rules()).with_payload(1);
    actors(
        first,
        rules(),
        vec![
            Box::new(move |recorder: &mut Recorder<S>| {
                recorder.record(first.period(), failure(NOW));
            }),
            Box::new(|recorder: &mut Recorder<S>| recorder.call(|| LATER, success())),
            Box::new(|recorder: &mut Recorder<S>| recorder.call(|| LATER, failure(LATER))),
        ],
    )
    .reaches(&[
        "applied | call of 0, applied | call of 0, tripped",
        "stale | call of 0, stale | call of 0, tripped",
        "stale | open | call of 0, tripped",
        "tripped | busy | probe of 2, reopened",
        "tripped | call of 0, applied | call of 0, applied",
        "tripped | call of 0, stale | call of 0, stale",
        "tripped | call of 0, stale | probe of 2, reopened",
        "tripped | open | probe of 2, reopened",
        "tripped | probe of 2, recovered | busy",
        "tripped | probe of 2, recovered | call of 0, stale",
        "tripped | probe of 2, recovered | call of 3, applied",
    ])
    .takes(2_500, 1_100)
}

/// Outcomes that are counted in a window.
pub(crate) fn outcomes_of_a_window_have_an_order<S: Subject>() -> Model {
    let rules = Rules {
        trip_rule: window(3, 4),
        ..rules()
    };
    let first = closed(&rules);
    let reports = move |reports: [Report; 3]| -> Act<S> {
        Box::new(move |recorder| {
            for report in reports {
                recorder.record(first.period(), report);
            }
        })
    };
    actors(
        first,
        rules,
        vec![
            reports([failure(NOW), success(), success()]),
            reports([failure(NOW), failure(NOW), success()]),
        ],
    )
    .reaches(&[
        "applied, applied, applied | applied, applied, applied",
        "applied, applied, stale | applied, tripped, stale",
        "applied, stale, stale | applied, tripped, stale",
        "tripped, stale, stale | applied, applied, applied",
        "tripped, stale, stale | applied, applied, stale",
    ])
    .takes(2_100, 5_000)
}

/// Three callers that arrive when the open period is over. Two probes may be in flight, and two
/// successes are needed to recover.
pub(crate) fn probes_and_their_ends_have_an_order<S: Subject>() -> Model {
    let rules = Rules {
        probes: 2,
        probe_successes: 2,
        ..rules()
    };
    let call = |report| -> Act<S> { Box::new(move |recorder| recorder.call(|| NOW, report)) };
    actors(
        open(NOW),
        rules,
        vec![call(success()), call(success()), call(Report::Ignored)],
    )
    .reaches(&[
        "busy | probe of 2, applied | probe of 2, unrecorded",
        "probe of 2, applied | busy | probe of 2, unrecorded",
        "probe of 2, applied | probe of 2, recovered | busy",
        "probe of 2, applied | probe of 2, recovered | call of 3, unrecorded",
        "probe of 2, applied | probe of 2, recovered | probe of 2, stale",
        "probe of 2, applied | probe of 2, recovered | probe of 2, unrecorded",
        "probe of 2, recovered | probe of 2, applied | busy",
        "probe of 2, recovered | probe of 2, applied | call of 3, unrecorded",
        "probe of 2, recovered | probe of 2, applied | probe of 2, stale",
        "probe of 2, recovered | probe of 2, applied | probe of 2, unrecorded",
    ])
    .takes(12_000, 2_700)
}

/// A probe that reports when its lease is over, a caller, and an operator.
pub(crate) fn an_expiry_and_an_operator_have_an_order<S: Subject>() -> Model {
    let first = half_open(1, NOW);
    actors(
        first,
        rules(),
        vec![
            Box::new(move |recorder: &mut Recorder<S>| recorder.record(first.period(), success())),
            Box::new(|recorder: &mut Recorder<S>| {
                recorder.call(|| NOW, failure(NOW));
            }),
            Box::new(|recorder: &mut Recorder<S>| recorder.operate(Command::Disable, NOW)),
        ],
    )
    .reaches(&[
        "recovered | call of 3, applied | found closed",
        "recovered | call of 3, stale | found closed",
        "recovered | call of 4, unrecorded | found closed",
        "stale | call of 3, unrecorded | found half-open",
        "stale | open | found open",
    ])
    .takes(1_400, 700)
}

/// A caller that asks twice, and one whose probe fails, while the clock advances to the deadline.
pub(crate) fn a_clock_that_goes_on_has_an_order<S: Subject>() -> Model {
    let first = open(NOW + SECOND);
    Scenario::new(move || (S::at(first, rules()), AtomicU64::new(NOW)))
        .actor(|(subject, clock): &(S, AtomicU64)| {
            let mut recorder = Recorder::of(subject);
            for _ in 0..2 {
                recorder.admit(|| read(clock));
            }
            recorder.events
        })
        .actor(|(subject, clock)| {
            let now = clock.fetch_add(SECOND, Ordering::SeqCst) + SECOND;
            let mut recorder = Recorder::of(subject);
            recorder.call(|| read(clock), failure(now));
            recorder.events
        })
        .end(move |(subject, _), history| {
            check_history(first, subject.word(), rules(), history);
            outcome(history)
        })
        .reaches(&[
            "busy, busy | probe of 2, reopened",
            "busy, open | probe of 2, reopened",
            "open, busy | probe of 2, reopened",
            "open, open | probe of 2, reopened",
            "open, probe of 2 | busy",
            "probe of 2, busy | busy",
        ])
        .takes(300, 1_300)
}

/// Requests of one actor.
type Act<S> = Box<dyn Fn(&mut Recorder<S>) + Send + Sync>;

/// Actors that send these requests to a breaker that begins at `first`.
fn actors<S: Subject>(first: Word, rules: Rules, acts: Vec<Act<S>>) -> Model {
    acts.into_iter()
        .fold(
            Scenario::new(move || S::at(first, rules)),
            |scenario, act| {
                scenario.actor(move |subject: &S| {
                    let mut recorder = Recorder::of(subject);
                    act(&mut recorder);
                    recorder.events
                })
            },
        )
        .end(move |subject, history| {
            check_history(first, subject.word(), rules, history);
            outcome(history)
        })
}

/// Reads the clock, which never shows an old value.
fn read(clock: &AtomicU64) -> u64 {
    clock.fetch_or(0, Ordering::SeqCst)
}

/// As in the other models: actors are separated by `|`, their steps by `,`.
fn outcome(actors: &[Vec<HistoryEvent>]) -> String {
    let actor = |events: &Vec<HistoryEvent>| {
        let names: Vec<_> = events
            .iter()
            .map(|event| verdict_name(event.response.verdict))
            .collect();
        names.join(", ")
    };
    actors.iter().map(actor).collect::<Vec<_>>().join(" | ")
}
