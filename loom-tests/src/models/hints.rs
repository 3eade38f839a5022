//! Hints of how long a dependency asked to be left alone. Of the failures that trip, the longest
//! hint counts, whichever thread records them.

use crate::{
    harness::Model,
    machine::{
        rules::Rules,
        step::Report,
        tick::Deadline,
        trip::{
            CompiledThreshold, CompiledWindow, TripRule, buckets::Buckets, call_ring::CallRing,
        },
        word::{Open, Phase},
    },
    scene::{NOW, breaker, closed, rules, run},
    subject::{Subject, moment},
};

const LONGEST_MS: u64 = 60_000;

/// Failures that are counted in the word.
pub(crate) fn the_longest_hint_of_two_failures_counts<S: Subject>() -> Model {
    two_failures::<S>(run(2))
        .reaches(&["applied | tripped", "tripped | applied"])
        .takes(60, 60)
}

/// Failures that another thread completes in the ring.
pub(crate) fn the_longest_hint_of_two_failures_in_a_ring_counts<S: Subject>() -> Model {
    let threshold = CompiledThreshold::Failures(2);
    two_failures::<S>(with_window(CompiledWindow::CallRing(CallRing {
        span: 100,
        threshold,
    })))
    .reaches(&[
        "applied | applied and opens it",
        "applied | tripped",
        "applied and opens it | applied",
        "tripped | applied",
    ])
    .takes(100, 100)
    .bounded()
}

/// Failures that are counted in a time bucket.
pub(crate) fn the_longest_hint_of_two_failures_in_a_bucket_counts<S: Subject>() -> Model {
    two_failures::<S>(with_window(CompiledWindow::Buckets(Buckets {
        percent: 100,
        min_calls: 2,
        within_ms: 100,
    })))
    .reaches(&["applied | tripped", "tripped | applied"])
    .takes(100, 100)
    .bounded()
}

fn with_window(window: CompiledWindow) -> TripRule {
    TripRule {
        run: None,
        window: Some(window),
    }
}

/// Two failures trip. One hints at a minute, the other at half a minute.
fn two_failures<S: Subject>(trip_rule: TripRule) -> Model {
    let rules = Rules {
        trip_rule,
        ..rules()
    };
    let first = closed(&rules);
    let failure = move |hint_ms| {
        let moment = moment(NOW);
        move |subject: &S| vec![subject.record(first.period(), Report::Failure { moment, hint_ms })]
    };
    breaker::<S>(first, rules)
        .actor(failure(LONGEST_MS))
        .actor(failure(LONGEST_MS / 2))
        .end_in_a_chain(first, |last, _| {
            let Phase::Open(Open { deadline, .. }) = last.phase() else {
                panic!("no lost trip: {last:?}");
            };
            assert_eq!(deadline, Deadline::after(NOW, LONGEST_MS), "a hint is lost");
        })
}
