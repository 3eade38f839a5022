//! Operators and concurrent calls: operator actions linearise, and no call undoes a hold (I25).

use crate::{
    harness::Model,
    machine::{
        step::Command,
        word::{Phase, State},
    },
    scene::{NOW, SECOND, breaker, closed, failure, half_open, open, rules, success, transitions},
    subject::Subject,
};

/// I25, I4.
pub(crate) fn a_reset_comes_before_a_trip_or_after_it<S: Subject>() -> Model {
    let first = closed(&rules()).with_payload(1);
    breaker::<S>(first, rules())
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW))])
        .actor(|subject| vec![subject.operate(Command::Reset, NOW)])
        .end_in_a_chain(first, |last, _| {
            assert_eq!(last.phase(), Phase::Closed(0), "closed, and fresh");
        })
        .reaches(&["tripped | found open", "stale | found closed"])
        .takes(18, 30)
}

/// I25: the success of a probe does not undo it.
pub(crate) fn no_outcome_undoes_forced_open<S: Subject>() -> Model {
    let first = half_open(1, NOW + SECOND);
    breaker::<S>(first, rules())
        .actor(move |subject| vec![subject.record(first.period(), success())])
        .actor(|subject| vec![subject.operate(Command::ForceOpen, NOW)])
        .end_in_a_chain(first, |last, _| assert_eq!(last.state(), State::ForcedOpen))
        .reaches(&["recovered | found closed", "stale | found half-open"])
        .takes(18, 30)
}

/// I25: a call past the deadline does not undo it.
pub(crate) fn no_deadline_undoes_forced_open<S: Subject>() -> Model {
    let first = open(NOW);
    breaker::<S>(first, rules())
        .actor(|subject| vec![subject.admit(&|| NOW)])
        .actor(|subject| vec![subject.operate(Command::ForceOpen, NOW)])
        .end_in_a_chain(first, |last, _| assert_eq!(last.state(), State::ForcedOpen))
        .reaches(&["probe of 2 | found half-open", "forced | found open"])
        .takes(18, 30)
}

/// I24, I25: what each actor found fits one order of the three.
pub(crate) fn operators_and_outcomes_have_an_order<S: Subject>() -> Model {
    let first = closed(&rules()).with_payload(1);
    breaker::<S>(first, rules())
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW))])
        .actor(|subject| vec![subject.operate(Command::ForceOpen, NOW)])
        .actor(|subject| vec![subject.operate(Command::Resume, NOW)])
        .end_in_a_chain(first, |_, actors| assert!(transitions(actors) >= 1))
        .reaches(&[
            "tripped | found open | found forced-open",
            "tripped | found open | found open",
            "tripped | found open | found closed",
            "stale | found closed | found forced-open",
            "stale | found closed | found closed",
        ])
        .takes(750, 500)
}
