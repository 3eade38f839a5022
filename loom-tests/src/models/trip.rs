//! Failures that trip together: no trip is lost (I14), and none is made twice (I1).

use crate::{
    harness::Model,
    machine::{
        rules::Rules,
        step::{Recorded, Report},
        word::State,
    },
    scene::{NOW, breaker, closed, failure, record_all, rules, run, success, transitions, window},
    subject::{StepResult, Subject},
};

/// I1, I14.
pub(crate) fn failures_that_trip_together_make_one_transition<S: Subject>() -> Model {
    trips::<S>(rules(), &[&[failure(NOW)], &[failure(NOW)]])
        .reaches(&["applied | tripped", "tripped | applied"])
        .takes(18, 30)
}

/// I1, I14, I4.
pub(crate) fn more_failures_than_trip_make_one_transition<S: Subject>() -> Model {
    trips::<S>(
        rules(),
        &[&[failure(NOW)], &[failure(NOW)], &[failure(NOW)]],
    )
    .reaches(&[
        "applied | tripped | stale",
        "applied | stale | tripped",
        "tripped | applied | stale",
        "tripped | stale | applied",
        "stale | applied | tripped",
        "stale | tripped | applied",
    ])
    .takes(1_600, 750)
}

/// I14, where failures are counted in a window.
pub(crate) fn a_success_among_them_loses_no_trip<S: Subject>() -> Model {
    let rules = Rules {
        trip_rule: window(2, 3),
        ..rules()
    };
    trips::<S>(rules, &[&[failure(NOW)], &[failure(NOW)], &[success()]])
        .reaches(&[
            "applied | tripped | applied",
            "applied | tripped | stale",
            "tripped | applied | applied",
            "tripped | applied | stale",
        ])
        .takes(1_600, 750)
}

/// I14: all four failures are needed to trip, so the breaker would stay closed if one were lost.
pub(crate) fn every_failure_counts<S: Subject>() -> Model {
    let rules = Rules {
        trip_rule: run(4),
        ..rules()
    };
    let two = [failure(NOW), failure(NOW)];
    trips::<S>(rules, &[&two, &two])
        .reaches(&[
            "applied, applied | applied, tripped",
            "applied, tripped | applied, applied",
        ])
        .takes(270, 650)
}

/// Calls of the first period end with these reports, which are enough to trip.
fn trips<S: Subject>(rules: Rules, actors: &[&[Report]]) -> Model {
    let first = closed(&rules);
    actors
        .iter()
        .fold(breaker::<S>(first, rules), |scenario, reports| {
            let reports = reports.to_vec();
            scenario.actor(move |subject| record_all(subject, first.period(), &reports))
        })
        .end_in_a_chain(first, |last, actors| {
            assert_eq!(last.state(), State::Open, "no lost trip");
            assert_eq!(transitions(actors), 1);
            let tripped = |result: &&StepResult| result.recorded() == Some(Recorded::Tripped);
            assert_eq!(actors.iter().flatten().filter(tripped).count(), 1);
        })
}
