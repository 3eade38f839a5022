//! Paths that store nothing (I21): no store and no CAS is even tried. `tests/hardware` shows the
//! same of the whole breaker, by page protection.

use crate::{
    harness::{Model, Scenario},
    machine::{
        rules::Rules,
        step::Command,
        trip::{
            CompiledThreshold, CompiledWindow, TripRule, call_ring::CallRing, time_ring::TimeRing,
        },
        word::{Hold, Word},
    },
    scene::{
        NOW, SECOND, assert_chain, call, closed, half_open, open, outcome, rules, success, window,
    },
    subject::{StepResult, Subject},
    sync::writes_of,
};

/// I21.
pub(crate) fn healthy_calls_after_a_run_write_nothing<S: Subject>() -> Model {
    healthy::<S>(rules().trip_rule)
}

/// I21.
pub(crate) fn healthy_calls_of_a_window_in_the_word_write_nothing<S: Subject>() -> Model {
    healthy::<S>(window(2, 3))
}

/// I21.
pub(crate) fn healthy_calls_of_a_ring_of_calls_write_nothing<S: Subject>() -> Model {
    let threshold = CompiledThreshold::Failures(2);
    healthy::<S>(with_window(CompiledWindow::CallRing(CallRing {
        span: 50,
        threshold,
    })))
}

/// I21.
pub(crate) fn healthy_calls_of_a_ring_of_times_write_nothing<S: Subject>() -> Model {
    let within_ms = 100;
    healthy::<S>(with_window(CompiledWindow::TimeRing(TimeRing {
        k: 2,
        within_ms,
    })))
}

fn with_window(window: CompiledWindow) -> TripRule {
    TripRule {
        run: None,
        window: Some(window),
    }
}

fn healthy<S: Subject>(trip_rule: TripRule) -> Model {
    let rules = Rules {
        trip_rule,
        ..rules()
    };
    let payload = trip_rule.healthy().expect("a window that can be healthy");
    two_callers::<S>(Word::new(payload), rules)
        .reaches(&["call of 0, applied: 0 writes | call of 0, applied: 0 writes"])
        .takes(3, 30)
}

/// I21.
pub(crate) fn calls_before_the_deadline_write_nothing<S: Subject>() -> Model {
    two_callers::<S>(open(NOW + SECOND), rules())
        .reaches(&["open: 0 writes | open: 0 writes"])
        .takes(3, 9)
}

/// I21.
pub(crate) fn calls_under_the_lease_write_nothing<S: Subject>() -> Model {
    two_callers::<S>(half_open(1, NOW + SECOND), rules())
        .reaches(&["busy: 0 writes | busy: 0 writes"])
        .takes(3, 9)
}

/// I21.
pub(crate) fn calls_of_a_breaker_forced_open_write_nothing<S: Subject>() -> Model {
    two_callers::<S>(open(NOW).begin_held(Hold::ForcedOpen), rules())
        .reaches(&["forced: 0 writes | forced: 0 writes"])
        .takes(3, 9)
}

/// I21: whether the call ends before the reset, across it or after it.
pub(crate) fn a_healthy_call_that_meets_a_reset_writes_nothing<S: Subject>() -> Model {
    with_concurrent::<S>(closed(&rules()), |subject| {
        subject.operate(Command::Reset, NOW)
    })
    .reaches(&[
        "found closed: 1 writes | call of 0, applied: 0 writes",
        "found closed: 1 writes | call of 0, stale: 0 writes",
        "found closed: 1 writes | call of 1, applied: 0 writes",
    ])
    .takes(27, 30)
}

/// I21: whether the call is rejected or admitted.
pub(crate) fn a_call_that_meets_a_recovery_writes_nothing<S: Subject>() -> Model {
    let first = half_open(1, NOW + SECOND);
    with_concurrent::<S>(first, move |subject| {
        subject.record(first.period(), success())
    })
    .reaches(&[
        "recovered: 1 writes | busy: 0 writes",
        "recovered: 1 writes | call of 3, applied: 0 writes",
    ])
    .takes(15, 18)
}

/// Checks the count itself: the first of two successes after a failure writes, and the other may
/// try to.
pub(crate) fn a_success_after_a_failure_writes<S: Subject>() -> Model {
    let first = closed(&rules()).with_payload(1);
    callers::<S>(first, rules(), 2)
        .end(move |subject, actors| {
            assert_chain(first, subject.word(), &[]);
            let writes: usize = actors.iter().map(|(_, writes)| writes).sum();
            format!("{writes} writes")
        })
        .reaches(&["1 writes", "2 writes"])
        .takes(30, 105)
}

fn two_callers<S: Subject>(first: Word, rules: Rules) -> Model {
    callers::<S>(first, rules, 2).end(move |subject, actors| judged(first, subject, actors))
}

/// Steps of an actor, and the number of writes that they tried.
type Written = (Vec<StepResult>, usize);

fn callers<S: Subject>(first: Word, rules: Rules, callers: usize) -> Scenario<S, Written> {
    let begin = Scenario::new(move || S::at(first, rules));
    (0..callers).fold(begin, |scenario, _| {
        scenario.actor(|subject| writes_of(|| call(subject, NOW, success())))
    })
}

/// The actor that writes comes first. Otherwise loom leaves out what a caller that only loads sees
/// after the write.
fn with_concurrent<S: Subject>(
    first: Word,
    other: impl Fn(&S) -> StepResult + Send + Sync + 'static,
) -> Model {
    Scenario::new(move || S::at(first, rules()))
        .actor(move |subject: &S| writes_of(|| vec![other(subject)]))
        .actor(|subject| writes_of(|| call(subject, NOW, success())))
        .end(move |subject, actors| judged(first, subject, actors))
}

/// The verdicts, and the number of writes for each actor.
fn judged(first: Word, subject: &impl Subject, actors: &[Written]) -> String {
    let done: Vec<_> = actors.iter().map(|(done, _)| done.clone()).collect();
    assert_chain(first, subject.word(), &done);
    let name = |(done, writes): &Written| {
        format!("{}: {writes} writes", outcome(std::slice::from_ref(done)))
    };
    actors.iter().map(name).collect::<Vec<_>>().join(" | ")
}
