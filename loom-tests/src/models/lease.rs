//! A probe that reports when its lease is over, and callers that give the lease up (I9, I1).

use crate::{
    harness::Model,
    machine::{
        rules::Rules,
        step::Report,
        word::{Phase, State},
    },
    scene::{NOW, SECOND, breaker, failure, half_open, rules, success, transitions},
    subject::Subject,
};

/// I1, I4, I9.
pub(crate) fn a_late_success_and_an_expiry_exclude_each_other<S: Subject>() -> Model {
    late::<S>(success(), 1)
        .reaches(&["recovered | call of 3", "stale | open"])
        .takes(18, 30)
}

/// I1, I4, I9.
pub(crate) fn a_late_failure_and_an_expiry_reopen_once<S: Subject>() -> Model {
    late::<S>(failure(NOW), 1)
        .reaches(&["reopened | open", "stale | open"])
        .takes(18, 30)
}

/// I4, I8, I13.
pub(crate) fn a_slot_given_back_late_is_taken_or_expires<S: Subject>() -> Model {
    late::<S>(Report::Ignored, 1)
        .reaches(&["unrecorded | probe of 2", "stale | open"])
        .takes(18, 30)
}

/// I1, I9.
pub(crate) fn two_callers_expire_a_lease_once<S: Subject>() -> Model {
    late::<S>(success(), 2)
        .reaches(&["recovered | call of 3 | call of 3", "stale | open | open"])
        .takes(750, 500)
}

/// I9, I16: a lease that ended long ago is over, even if its end is nearer to the next wrap of its
/// 28 bits.
pub(crate) fn a_lease_that_ended_a_week_ago_expires_once<S: Subject>() -> Model {
    const WEEK: u64 = 7 * 86_400 * SECOND;
    let first = half_open(1, NOW);
    let ask = |subject: &S| vec![subject.admit(&|| NOW + WEEK)];
    breaker::<S>(first, rules())
        .actor(ask)
        .actor(ask)
        .end_in_a_chain(first, |_, actors| {
            assert_eq!(transitions(actors), 1, "expired once");
        })
        .reaches(&["open | open"])
        .takes(18, 30)
}

/// The only probe ends with `report` when its lease is over, and callers ask to be admitted.
fn late<S: Subject>(report: Report, callers: usize) -> Model {
    let first = half_open(1, NOW);
    let probe = move |subject: &S| vec![subject.record(first.period(), report)];
    (0..callers)
        .fold(breaker::<S>(first, rules()).actor(probe), |scenario, _| {
            scenario.actor(|subject| vec![subject.admit(&|| NOW)])
        })
        .end_in_a_chain(first, |last, actors| {
            assert!(transitions(actors) <= 1, "the period ended once");
            let reopened = matches!(last.phase(), Phase::Open(open) if open.reopens == 1);
            assert_eq!(reopened, last.state() == State::Open);
        })
}

/// I5, I9: while one caller takes the free slot, which renews the lease, another must not give the
/// lease up.
pub(crate) fn a_slot_taken_renews_the_lease_for_all<S: Subject>() -> Model {
    let first = half_open(1, NOW);
    let rules = Rules {
        probes: 2,
        ..rules()
    };
    let ask = |subject: &S| vec![subject.admit(&|| NOW)];
    breaker::<S>(first, rules)
        .actor(ask)
        .actor(ask)
        .end_in_a_chain(first, |_, actors| assert_eq!(transitions(actors), 0))
        .reaches(&["probe of 2 | busy", "busy | probe of 2"])
        .takes(18, 30)
}
