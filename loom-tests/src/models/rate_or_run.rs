//! A failure rate with a run, `percent(..).within(..).or(consecutive(..))`: each trips, and neither
//! loses a trip of the other (I1, I14, I15).

use crate::{
    harness::Model,
    machine::{
        rules::Rules,
        step::Recorded,
        trip::{CompiledWindow, Count, TripRule, buckets::Buckets, payload::Payload},
        word::{Phase, State, Word},
    },
    scene::{
        NOW, assert_chain, breaker, closed, failure, outcome, played, rules, success_at,
        transitions,
    },
    subject::Subject,
};

/// I1, I14: the run trips, with far fewer calls than the failure rate needs.
pub(crate) fn two_failures_in_a_row_trip_once<S: Subject>() -> Model {
    two_failures::<S>(rate_or_run(100, 1_000, 2), |counted| {
        // The sum precedes the CAS, so it may or may not contain the other failure.
        assert!(counted == all_failed(1) || counted == all_failed(2));
    })
}

/// I1, I14: the failure rate trips, with far fewer failures than the run needs.
pub(crate) fn two_failures_of_two_calls_trip_once<S: Subject>() -> Model {
    two_failures::<S>(rate_or_run(100, 2, 9), |counted| {
        assert_eq!(counted, all_failed(2), "miscounted");
    })
}

/// I1: the second failure reaches both limits, and there is one trip.
pub(crate) fn two_failures_that_both_count_trip_once<S: Subject>() -> Model {
    two_failures::<S>(rate_or_run(100, 2, 2), |counted| {
        assert!(counted == all_failed(1) || counted == all_failed(2));
    })
}

/// Two failures race; both are needed.
fn two_failures<S: Subject>(rules: Rules, check: fn(Count)) -> Model {
    let first = closed(&rules);
    let fail = move |subject: &S| vec![subject.record(first.period(), failure(NOW))];
    breaker::<S>(first, rules)
        .actor(fail)
        .actor(fail)
        .end_in_a_chain(first, move |last, actors| {
            assert_eq!(last.state(), State::Open, "no lost trip");
            assert_eq!(transitions(actors), 1);
            let counted = actors.iter().flatten().find_map(|result| result.counted);
            check(counted.expect("a window beside the word has counted"));
        })
        .reaches(&["applied | tripped", "tripped | applied"])
        .takes(2_600, 780)
        .bounded()
}

/// I14, I15: two failures in a row trip, and two with a success between them do not. The words show
/// the order of the three.
pub(crate) fn a_success_between_two_failures_breaks_the_run<S: Subject>() -> Model {
    let rules = rate_or_run(100, 1_000, 2);
    let first = closed(&rules);
    let fail = move |subject: &S| vec![subject.record(first.period(), failure(NOW))];
    breaker::<S>(first, rules)
        .actor(fail)
        .actor(fail)
        .actor(move |subject| vec![subject.record(first.period(), success_at(NOW))])
        .end_in_a_chain(first, |last, actors| {
            let success = &actors[2][0];
            let stale = success.recorded() == Some(Recorded::Stale);
            let between = !stale && run(success.before) == 1;
            assert_eq!(last.state() == State::Open, !between, "no lost trip");
        })
        .reaches(&[
            "applied | applied | applied",
            "applied | tripped | applied",
            "applied | tripped | stale",
            "tripped | applied | applied",
            "tripped | applied | stale",
        ])
        .takes(68_000, 19_000)
}

/// I14, I15: a failure has come before. A success that breaks the run is the third call, and two
/// failures of three calls trip. So the failure trips, unless its sum precedes the success.
pub(crate) fn a_success_that_breaks_the_run_counts_for_the_rate<S: Subject>() -> Model {
    let rules = rate_or_run(60, 3, 2);
    let first = closed(&rules);
    played::<S>(rules, [failure(NOW)])
        .actor(move |subject| vec![subject.record(first.period(), success_at(NOW))])
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW))])
        .end(move |subject, actors| {
            let last = subject.word();
            assert_chain(first, last, actors);
            if last.state() == State::Closed {
                let Count { failures, calls } = subject.counted(NOW);
                assert_eq!((failures, calls, run(last)), (2, 3, 1), "miscounted");
            }
            outcome(actors)
        })
        .reaches(&["applied | applied", "applied | tripped", "stale | tripped"])
        .takes(78, 3_650)
}

/// The failures in a row that a closed word has counted.
fn run(word: Word) -> u64 {
    match word.phase() {
        Phase::Closed(payload) => Payload::new(payload).run(),
        _ => 0,
    }
}

/// A failure rate in `percent` of at least `min_calls`, or a run of failures.
fn rate_or_run(percent: u8, min_calls: u32, run: u16) -> Rules {
    Rules {
        trip_rule: TripRule {
            run: Some(run),
            window: Some(CompiledWindow::Buckets(Buckets {
                percent,
                min_calls,
                within_ms: 100,
            })),
        },
        ..rules()
    }
}

const fn all_failed(calls: u32) -> Count {
    Count {
        failures: calls,
        calls,
    }
}
