//! Outcomes of a period that is over change nothing (I4).

use crate::{
    harness::Model,
    machine::{
        rules::Rules,
        word::{Phase, State},
    },
    scene::{NOW, SECOND, breaker, call, closed, failure, half_open, rules, success},
    subject::Subject,
};

/// I4: a failure of the closed period comes while the probe recovers.
pub(crate) fn a_late_failure_fails_no_probe<S: Subject>() -> Model {
    let (first, late) = (half_open(1, NOW + SECOND), closed(&rules()).period());
    breaker::<S>(first, rules())
        .actor(move |subject| vec![subject.record(first.period(), success())])
        .actor(move |subject| vec![subject.record(late, failure(NOW))])
        .end_in_a_chain(first, |last, _| {
            assert_eq!(last.phase(), Phase::Closed(0), "closed, and fresh");
        })
        .reaches(&["recovered | stale"])
        .takes(15, 18)
}

/// I4: two successes recover. The success of the closed period is none of them, and releases no
/// slot.
pub(crate) fn a_late_success_recovers_nothing<S: Subject>() -> Model {
    let (first, late) = (half_open(2, NOW + SECOND), closed(&rules()).period());
    let rules = Rules {
        probes: 2,
        probe_successes: 2,
        ..rules()
    };
    breaker::<S>(first, rules)
        .actor(move |subject| vec![subject.record(first.period(), success())])
        .actor(move |subject| vec![subject.record(late, success())])
        .end_in_a_chain(first, move |last, _| {
            assert_eq!(last, first.with_in_flight(1).with_successes(1));
        })
        .reaches(&["applied | stale"])
        .takes(15, 18)
}

/// I4, I1: two failures of a closed period. The first of them ends it, unless a success comes
/// before. A caller arrives when the open period is over. The other failure meets the breaker
/// closed, open, half-open or closed again. It counts in the first of these only.
pub(crate) fn an_outcome_counts_in_its_own_period_only<S: Subject>() -> Model {
    let first = closed(&rules()).with_payload(1);
    let late = move |subject: &S| vec![subject.record(first.period(), failure(NOW))];
    breaker::<S>(first, rules())
        .actor(late)
        .actor(late)
        .actor(|subject| call(subject, NOW + 2 * SECOND, success()))
        .end_in_a_chain(first, |last, _| {
            let recovered = last.phase() == Phase::Closed(0);
            assert!(recovered || last.state() == State::Open, "{last:?}");
        })
        .reaches(&[
            "applied | tripped | call of 0, applied",
            "tripped | applied | call of 0, applied",
            "tripped | stale | call of 0, stale",
            "stale | tripped | call of 0, stale",
            "tripped | stale | probe of 2, recovered",
            "stale | tripped | probe of 2, recovered",
        ])
        .takes(1_500, 850)
}
