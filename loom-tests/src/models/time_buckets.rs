//! The time buckets outside the word: at the turn of a bucket, where a bucket's cell is reused, and
//! where a period ends (I14, I15, I4).

use crate::{
    harness::Model,
    machine::{
        rules::Rules,
        step::{Command, Recorded},
        trip::{CompiledWindow, Count, TripRule, buckets::Buckets},
        word::{Period, State},
    },
    scene::{
        MS, NOW, assert_chain, breaker, closed, failure, outcome, played, record_all, rules,
        success_at, transitions,
    },
    subject::{StepResult, Subject},
};

/// A window of 100 ms. It is less than a second and a bucket, so that a reading of that age is not
/// taken for a step of the clock.
const WITHIN_MS: u32 = 100;
const BUCKET: u64 = 10 * MS;
/// The distance of buckets that share a cell.
const ROUND: u64 = 16 * BUCKET;

/// I1, I14.
pub(crate) fn two_failures_in_a_bucket_trip_once<S: Subject>() -> Model {
    all_needed::<S>(&[NOW, NOW], outcome)
        .reaches(&["applied | tripped", "tripped | applied"])
        .takes(729, 382)
        .bounded()
}

/// I1, I14: each failure counts in another cell, and one of them sees both.
pub(crate) fn two_failures_at_the_turn_of_a_bucket_trip_once<S: Subject>() -> Model {
    all_needed::<S>(&[NOW, NOW + BUCKET], outcome)
        .reaches(&["applied | tripped", "tripped | applied"])
        .takes(828, 525)
        .bounded()
}

/// I1, I14: the failures are as far apart as a window covers.
pub(crate) fn two_failures_nine_buckets_apart_trip_once<S: Subject>() -> Model {
    all_needed::<S>(&[NOW, NOW + 9 * BUCKET], outcome)
        .reaches(&["applied | tripped", "tripped | applied"])
        .takes(828, 2_439)
        .bounded()
}

/// I1, I14: a third failure has published another bucket.
pub(crate) fn three_failures_at_the_turn_of_a_bucket_trip_once<S: Subject>() -> Model {
    let last = NOW + BUCKET;
    all_needed::<S>(&[NOW, last, last], tripped_by)
        .reaches(&["0 trips", "1 trips", "2 trips"])
        .takes(14_600, 20_000)
}

/// The outcome for more than two actors. The models of two check the verdicts of the other actors.
fn tripped_by(actors: &[Vec<StepResult>]) -> String {
    let trips = |steps: &Vec<StepResult>| steps.iter().any(StepResult::is_transition);
    let who = actors.iter().position(trips);
    format!("{} trips", who.expect("one of them"))
}

/// These failures race; all of them are needed.
fn all_needed<S: Subject>(at: &[u64], outcome: fn(&[Vec<StepResult>]) -> String) -> Model {
    let min_calls = u32::try_from(at.len()).expect("a few");
    let rules = rate(100, min_calls);
    let first = closed(&rules);
    at.iter()
        .fold(breaker::<S>(first, rules), |scenario, &now| {
            scenario.actor(move |subject| vec![subject.record(first.period(), failure(now))])
        })
        .end(move |subject, actors| {
            let last = subject.word();
            assert_chain(first, last, actors);
            assert_eq!(last.state(), State::Open, "no lost trip");
            assert_eq!(transitions(actors), 1);
            let counted = actors.iter().flatten().find_map(|result| result.counted);
            assert_eq!(counted, Some(all_failed(min_calls)), "miscounted");
            outcome(actors)
        })
}

/// I15: a success is counted before a failure or after it. (Two of two trip, two of three don't.)
pub(crate) fn a_success_comes_before_a_failure_or_after_it<S: Subject>() -> Model {
    let rules = rate(70, 2);
    let first = closed(&rules);
    played::<S>(rules, [failure(NOW)])
        .actor(move |subject| vec![subject.record(first.period(), success_at(NOW))])
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW))])
        .end(move |subject, actors| {
            assert_chain(first, subject.word(), actors);
            if subject.word().state() == State::Closed {
                assert_eq!(
                    subject.counted(NOW),
                    Count {
                        failures: 2,
                        calls: 3
                    }
                );
            }
            outcome(&actors[1..])
        })
        .reaches(&["applied", "tripped"])
        .takes(12, 1_000)
}

/// I14, I15: two failures that find an old bucket's counts in their cell count from zero.
pub(crate) fn two_failures_over_an_old_bucket_count_from_nothing<S: Subject>() -> Model {
    let rules = rate(100, 3);
    let first = closed(&rules);
    let newer = NOW + ROUND;
    let fail = move |subject: &S| vec![subject.record(first.period(), failure(newer))];
    played::<S>(rules, [failure(NOW), failure(NOW)])
        .actor(fail)
        .actor(fail)
        .end(move |subject, actors| counted(subject, actors, newer))
        .reaches(&["applied | applied, 2 of 2"])
        .takes(427, 8_660)
        .bounded()
}

/// I15: a success that is late by a round leaves alone what its cell counts by then.
pub(crate) fn a_late_success_loses_none_of_a_newer_bucket<S: Subject>() -> Model {
    let rules = rate(100, 9);
    let first = closed(&rules);
    let newer = NOW + ROUND;
    breaker::<S>(first, rules)
        .actor(move |subject| vec![subject.record(first.period(), success_at(NOW))])
        .actor(move |subject| vec![subject.record(first.period(), success_at(newer))])
        .end(move |subject, actors| counted(subject, actors, newer))
        .reaches(&["applied | applied, 0 of 1", "applied | applied, 0 of 2"])
        .takes(273, 315)
        .bounded()
}

/// I14: a late failure takes none of the counts away: two failures of the newer bucket trip.
pub(crate) fn a_late_failure_loses_none_of_a_newer_bucket<S: Subject>() -> Model {
    let rules = rate(100, 2);
    let first = closed(&rules);
    let newer = NOW + ROUND;
    breaker::<S>(first, rules)
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW))])
        .actor(move |subject| vec![subject.record(first.period(), failure(newer))])
        .end(move |subject, actors| {
            assert_chain(first, subject.word(), actors);
            if subject.word().state() == State::Closed {
                let next = subject.record(first.period(), failure(newer));
                assert_eq!(next.recorded(), Some(Recorded::Tripped), "no lost trip");
            }
            outcome(actors)
        })
        .reaches(&[
            "applied | applied",
            "applied | tripped",
            "tripped | applied",
        ])
        .takes(1_372, 2_423)
        .bounded()
}

/// I4, I14: a failure of the previous period, in the same bucket, counts for nothing and takes
/// nothing away.
pub(crate) fn a_late_failure_of_a_period_loses_none_of_the_next<S: Subject>() -> Model {
    late_failure::<S>(NOW)
}

/// The same, where the new period begins with a bucket.
pub(crate) fn a_late_failure_of_a_bucket_and_a_period_loses_none_of_the_next<S: Subject>() -> Model
{
    late_failure::<S>(NOW + BUCKET)
}

/// The same, where the new period begins a round later.
pub(crate) fn a_late_failure_of_a_round_and_a_period_loses_none_of_the_next<S: Subject>() -> Model {
    late_failure::<S>(NOW + ROUND)
}

fn late_failure<S: Subject>(newer: u64) -> Model {
    let rules = rate(100, 2);
    let first = closed(&rules);
    let next = next_period(&rules);
    breaker::<S>(first, rules)
        .actor(move |subject| {
            let mut steps = vec![subject.operate(Command::Reset, newer)];
            steps.extend(record_all(subject, next, &[failure(newer), failure(newer)]));
            steps
        })
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW))])
        .end_in_a_chain(first, |last, actors| {
            assert_eq!(last.state(), State::Open, "no lost trip");
            assert_eq!(actors[0][1].recorded(), Some(Recorded::Applied), "I4");
            assert_eq!(actors[0][2].recorded(), Some(Recorded::Tripped), "I14");
            assert_eq!(actors[0][2].counted, Some(all_failed(2)), "miscounted");
        })
        .reaches(&[
            "found closed, applied, tripped | applied",
            "found closed, applied, tripped | stale",
        ])
        .takes(3_028, 192)
        .bounded()
}

/// I4, I15: a success of the previous period counts for nothing and takes nothing away.
pub(crate) fn a_late_success_of_a_period_loses_none_of_the_next<S: Subject>() -> Model {
    let rules = rate(100, 9);
    let first = closed(&rules);
    let next = next_period(&rules);
    breaker::<S>(first, rules)
        .actor(move |subject| {
            vec![
                subject.operate(Command::Reset, NOW),
                subject.record(next, success_at(NOW)),
            ]
        })
        .actor(move |subject| vec![subject.record(first.period(), success_at(NOW))])
        .end(move |subject, actors| counted(subject, actors, NOW))
        .reaches(&[
            "found closed, applied | applied, 0 of 1",
            "found closed, applied | stale, 0 of 1",
        ])
        .takes(720, 25_200)
}

/// The same in a bucket that has counted a call of the previous period.
pub(crate) fn a_late_success_of_a_bucket_in_use_loses_none_of_the_next_period<S: Subject>() -> Model
{
    let rules = rate(100, 9);
    let first = closed(&rules);
    let next = next_period(&rules);
    played::<S>(rules, [success_at(NOW)])
        .actor(move |subject| {
            vec![
                subject.operate(Command::Reset, NOW),
                subject.record(next, success_at(NOW)),
            ]
        })
        .actor(move |subject| vec![subject.record(first.period(), success_at(NOW))])
        .end(move |subject, actors| counted(subject, actors, NOW))
        .reaches(&[
            "found closed, applied | applied, 0 of 1",
            "found closed, applied | stale, 0 of 1",
        ])
        .takes(82, 190)
        .bounded()
}

/// I15: successes that skip the clock are counted once each.
pub(crate) fn successes_without_the_clock_are_counted_once<S: Subject>() -> Model {
    let rules = rate(100, 9);
    let first = closed(&rules);
    let succeed = move |subject: &S| vec![subject.record(first.period(), success_at(NOW))];
    played::<S>(rules, [success_at(NOW); 70])
        .actor(succeed)
        .actor(succeed)
        .end(move |subject, actors| counted(subject, actors, NOW))
        .reaches(&["applied | applied, 0 of 72"])
        .takes(14, 216)
}

/// I15: a success that skips the clock counts in the bucket that it found, or in the newest.
pub(crate) fn a_success_without_the_clock_loses_none_of_a_newer_bucket<S: Subject>() -> Model {
    let rules = rate(100, 9);
    let first = closed(&rules);
    let newer = NOW + ROUND;
    played::<S>(rules, [success_at(NOW); 65])
        .actor(move |subject| vec![subject.record(first.period(), success_at(newer))])
        .actor(move |subject| {
            vec![
                subject.record(first.period(), failure(newer)),
                subject.record(first.period(), success_at(newer)),
            ]
        })
        .end(move |subject, actors| counted(subject, actors, newer))
        .reaches(&[
            "applied | applied, applied, 1 of 2",
            "applied | applied, applied, 1 of 3",
        ])
        .takes(38, 587)
        .bounded()
}

/// I4, I15: a success that skips the clock counts in its own period only.
pub(crate) fn a_late_success_without_the_clock_loses_none_of_the_next_period<S: Subject>() -> Model
{
    let rules = rate(100, 9);
    let first = closed(&rules);
    let next = next_period(&rules);
    played::<S>(rules, [success_at(NOW); 65])
        .actor(move |subject| {
            vec![
                subject.operate(Command::Reset, NOW),
                subject.record(next, success_at(NOW)),
            ]
        })
        .actor(move |subject| vec![subject.record(first.period(), success_at(NOW))])
        .end(move |subject, actors| counted(subject, actors, NOW))
        .reaches(&[
            "found closed, applied | applied, 0 of 1",
            "found closed, applied | stale, 0 of 1",
        ])
        .takes(62, 492)
}

/// I14, I15: a reading of the clock that is late by less than a second moves no bucket back. (Two
/// failures of the newer bucket trip, whatever a late success publishes.)
pub(crate) fn a_late_reading_turns_no_bucket_back<S: Subject>() -> Model {
    late_reading::<S>(99)
}

/// The same with a reading that is late by 1.3 s, as that of a thread that was stopped.
pub(crate) fn a_very_late_reading_turns_no_bucket_back<S: Subject>() -> Model {
    late_reading::<S>(130)
}

fn late_reading<S: Subject>(buckets: u64) -> Model {
    let rules = rate(60, 2);
    let first = closed(&rules);
    let newer = NOW + buckets * BUCKET;
    breaker::<S>(first, rules)
        .actor(move |subject| vec![subject.record(first.period(), success_at(NOW))])
        .actor(move |subject| {
            record_all(subject, first.period(), &[failure(newer), failure(newer)])
        })
        .end(move |subject, actors| {
            let last = subject.word();
            assert_chain(first, last, actors);
            assert_eq!(last.state(), State::Open, "no lost trip");
            outcome(&actors[1..])
        })
        .reaches(&["applied, tripped"])
        .takes(240, 388)
        .bounded()
}

/// I14, with a run outside the buckets: two failures in a row trip, and a success between them ends
/// the run.
pub(crate) fn a_success_breaks_the_run_of_a_trip_with_buckets<S: Subject>() -> Model {
    with_a_run::<S>(0)
        .reaches(&["applied | applied", "stale | tripped"])
        .takes(20, 20)
}

/// The same where successes need no clock: during a run, a success checks the word nevertheless.
pub(crate) fn a_success_without_the_clock_breaks_no_current_run<S: Subject>() -> Model {
    with_a_run::<S>(70)
        .reaches(&["applied | applied", "stale | tripped"])
        .takes(20, 20)
}

/// After this number of successes and a failure, a success and a failure of the same period end
/// together.
fn with_a_run<S: Subject>(successes: usize) -> Model {
    let rules = Rules {
        trip_rule: TripRule {
            run: Some(2),
            ..rate(100, 1_000).trip_rule
        },
        ..rules()
    };
    let first = closed(&rules);
    let reports = std::iter::repeat_n(success_at(NOW), successes).chain([failure(NOW)]);
    played::<S>(rules, reports)
        .actor(move |subject| vec![subject.record(first.period(), success_at(NOW))])
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW))])
        .end_in_a_chain(first, |last, actors| {
            // A failure after the success did not trip, and leaves a run of one.
            let tripped = transitions(actors) == 1;
            assert_eq!(tripped, last.state() == State::Open);
        })
}

/// A failure rate in `percent` of at least `min_calls`.
fn rate(percent: u8, min_calls: u32) -> Rules {
    Rules {
        trip_rule: TripRule {
            run: None,
            window: Some(CompiledWindow::Buckets(Buckets {
                percent,
                min_calls,
                within_ms: WITHIN_MS,
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

/// The closed period that a reset of the first one begins.
fn next_period(rules: &Rules) -> Period {
    closed(rules).begin_closed(0).period()
}

/// The outcome with what is counted in the end.
fn counted(subject: &impl Subject, actors: &[Vec<StepResult>], now: u64) -> String {
    let Count { failures, calls } = subject.counted(now);
    format!("{}, {failures} of {calls}", outcome(actors))
}
