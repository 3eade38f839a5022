//! The failure ring outside the word. No failure is lost in it or counted twice (I14, I15), and the
//! entries of a period do not count in the next one (I4).

use crate::{
    harness::{Model, Scenario},
    machine::{
        rules::Rules,
        step::{Command, Recorded},
        trip::{
            CompiledThreshold, CompiledWindow, Count, TripRule, call_ring::CallRing,
            payload::Payload, time_ring::TimeRing,
        },
        word::{Period, Phase, State, Word},
    },
    scene::{
        MS, NOW, SECOND, assert_chain, breaker, call, closed, failure, outcome, played, record_all,
        rules, success, transitions,
    },
    subject::{StepResult, Subject},
    sync,
};

/// I1, I14: in a window of calls.
pub(crate) fn two_failures_of_the_last_calls_trip_once<S: Subject>() -> Model {
    trips::<S>(of_last(2, 2))
        .reaches(&[
            "applied | tripped",
            "tripped | applied",
            "applied | applied and opens it",
            "applied and opens it | applied",
        ])
        .takes(2_730, 1_186)
        .bounded()
}

/// I14, I15: the same in a period with more calls than the word counts. There only the previous
/// entry says which call a failure is. A thread that stopped while the ring went round must not
/// correct its entry by the word alone.
pub(crate) fn two_failures_beyond_65_535_calls_trip_once<S: Subject>() -> Model {
    let rules = of_last(2, 2);
    let first = closed(&rules).with_payload(0xFFFF);
    let fail = move |subject: &S| vec![subject.record(first.period(), failure(NOW))];
    let begin = move || {
        let subject = S::at(first, rules);
        record_all(
            &subject,
            first.period(),
            &[failure(NOW), success(), success()],
        );
        subject
    };
    Scenario::new(begin)
        .actor(fail)
        .actor(fail)
        .end_in_a_chain(first, assert_two_trip)
        .reaches(&[
            "applied | tripped",
            "tripped | applied",
            "applied | applied and opens it",
            "applied and opens it | applied",
        ])
        .takes(2_730, 2_240)
        .bounded()
}

/// I1, I14: in a window of time.
pub(crate) fn two_failures_within_a_time_trip_once<S: Subject>() -> Model {
    trips::<S>(within(2, 10))
        .reaches(&[
            "applied | tripped",
            "tripped | applied",
            "applied | applied and opens it",
            "applied and opens it | applied",
        ])
        .takes(2_476, 876)
        .bounded()
}

/// I1, I14, I4: of three failures, the one that comes after the trip is stale.
pub(crate) fn more_failures_than_trip_trip_once<S: Subject>() -> Model {
    let rules = of_last(2, 2);
    let first = closed(&rules);
    breaker::<S>(first, rules)
        .actor(move |subject| record_all(subject, first.period(), &[failure(NOW), failure(NOW)]))
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW))])
        .end_in_a_chain(first, assert_two_trip)
        .reaches(&[
            "applied and opens it, stale | applied",
            "applied, applied | stale and opens it",
            "applied, stale and opens it | applied",
            "applied, stale | applied and opens it",
            "applied, stale | tripped",
            "applied, tripped | stale",
            "tripped, stale | applied",
        ])
        .takes(2_200, 2_700)
        .bounded_throughout()
}

/// I1, I14: one call has failed before, so either of two failures trips. A thread that finds the
/// other's entry advances the index for it, notifies listeners of the trip, and is stale itself.
pub(crate) fn a_thread_that_trips_for_another_is_stale_itself<S: Subject>() -> Model {
    let rules = of_last(2, 2);
    let first = closed(&rules);
    let fail = move |subject: &S| vec![subject.record(first.period(), failure(NOW))];
    played::<S>(rules, [failure(NOW)])
        .actor(fail)
        .actor(fail)
        .end_in_a_chain(first, assert_two_trip)
        .reaches(&[
            "tripped | stale",
            "stale | tripped",
            "applied | stale and opens it",
            "stale and opens it | applied",
        ])
        .takes(273, 1_211)
        .bounded()
}

/// I15: for a failure rate, a failure has the call number at the time when it is recorded.
pub(crate) fn a_success_before_a_failure_is_counted_before_it<S: Subject>() -> Model {
    let threshold = CompiledThreshold::Percent {
        percent: 50,
        min_calls: 2,
    };
    let rules = of_last_calls(4, threshold);
    let first = closed(&rules);
    breaker::<S>(first, rules)
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW))])
        .actor(move |subject| vec![subject.record(first.period(), success())])
        .end_in_a_chain(first, |last, actors| {
            let after_a_success = calls(&actors[1][0]) == 0;
            assert_eq!(last.state() == State::Open, after_a_success);
        })
        .reaches(&["applied | applied", "tripped | applied"])
        .takes(14, 134)
}

/// I15: two failures have come. A third trips, unless a success precedes it.
pub(crate) fn a_success_before_the_last_failure_is_counted_before_it<S: Subject>() -> Model {
    before_the_last::<S>(of_last(3, 3), 2)
}

/// I15: the same for a run with a window that is far from tripping.
pub(crate) fn a_success_breaks_the_run_of_a_trip_with_a_ring<S: Subject>() -> Model {
    let mut rules = of_last(9, 9);
    rules.trip_rule.run = Some(2);
    before_the_last::<S>(rules, 1)
}

/// After this number of failures one more, which trips, races a success.
fn before_the_last<S: Subject>(rules: Rules, failures: usize) -> Model {
    let first = closed(&rules);
    played::<S>(rules, vec![failure(NOW); failures])
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW))])
        .actor(move |subject| vec![subject.record(first.period(), success())])
        .end_in_a_chain(first, |last, actors| {
            let late = actors[1][0].recorded() == Some(Recorded::Stale);
            assert_eq!(last.state() == State::Open, late);
        })
        .reaches(&["applied | applied", "tripped | stale"])
        .takes(14, 134)
}

/// I14, I15: two failures in a row trip, unless a success was between them. The words show the
/// order of the three.
pub(crate) fn a_success_between_two_failures_is_counted_between_them<S: Subject>() -> Model {
    let rules = of_last(2, 2);
    let first = closed(&rules);
    let fail = move |subject: &S| vec![subject.record(first.period(), failure(NOW))];
    breaker::<S>(first, rules)
        .actor(fail)
        .actor(fail)
        .actor(move |subject| vec![subject.record(first.period(), success())])
        .end_in_a_chain(first, move |last, actors| {
            let success = &actors[2][0];
            let stale = success.recorded() == Some(Recorded::Stale);
            let between = !stale && calls(success) == 1;
            assert_eq!(last.state() == State::Open, !between);
        })
        .reaches(&[
            "applied and opens it | applied | applied",
            "applied and opens it | applied | stale",
            "applied | applied and opens it | applied",
            "applied | applied and opens it | stale",
            "applied | applied | applied",
            "applied | tripped | applied",
            "applied | tripped | stale",
            "tripped | applied | applied",
            "tripped | applied | stale",
        ])
        .takes(48_000, 14_000)
}

/// I14, I15: a writer that was delayed while the ring went round leaves the entries of the next lap
/// alone. A writer that was delayed for two laps does not advance the index. (Three failures are
/// too far apart to trip, and another comes at any time.)
pub(crate) fn a_thread_delayed_for_two_laps_advances_no_index<S: Subject>() -> Model {
    let rules = within(2, 1);
    let first = closed(&rules);
    let last_at = NOW + 30 * MS;
    breaker::<S>(first, rules)
        .actor(move |subject| {
            let at = [NOW + 10 * MS, NOW + 20 * MS, last_at].map(failure);
            record_all(subject, first.period(), &at)
        })
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW))])
        .end(move |subject, actors| {
            assert_chain(first, subject.word(), actors);
            if subject.word().state() == State::Closed {
                let newest = Count {
                    failures: 1,
                    calls: 1,
                };
                assert_eq!(subject.counted(last_at), newest, "miscounted");
                let next = subject.record(first.period(), failure(last_at));
                assert_eq!(next.recorded(), Some(Recorded::Tripped), "no lost trip");
            }
            outcome(actors)
        })
        .reaches(&[
            "applied and opens it, stale, stale | applied",
            "applied, applied and opens it, stale | applied",
            "applied, applied, applied and opens it | applied",
            "applied, applied, applied | applied",
            "applied, applied, applied | tripped",
            "applied, applied, stale and opens it | applied",
            "applied, applied, stale | tripped",
            "applied, stale and opens it, stale | applied",
            "applied, stale, stale | tripped",
        ])
        .takes(19_600, 4_400)
        .bounded_throughout()
}

/// I14, I15, at the change of laps: the first of three failures is in the last slot of the ring.
pub(crate) fn three_failures_across_the_change_of_laps_trip_once<S: Subject>() -> Model {
    let rules = of_last(3, 3);
    let first = closed(&rules);
    let before = [
        failure(NOW),
        failure(NOW),
        success(),
        success(),
        success(),
        failure(NOW),
    ];
    let fail = move |subject: &S| vec![subject.record(first.period(), failure(NOW))];
    played::<S>(rules, before)
        .actor(fail)
        .actor(fail)
        .end_in_a_chain(first, |last, actors| {
            assert_eq!(last.state(), State::Open, "no lost trip");
            let counted = actors.iter().flatten().find_map(|result| result.counted);
            assert_eq!(
                counted,
                Some(Count {
                    failures: 3,
                    calls: 3
                })
            );
        })
        .reaches(&[
            "applied and opens it | applied",
            "applied | applied and opens it",
            "applied | tripped",
            "tripped | applied",
        ])
        .takes(2_476, 2_110)
        .bounded()
}

/// I4, I14: a failure of the previous period counts for nothing. It leaves alone the entries that
/// failures of the new period left in its slot.
pub(crate) fn a_late_failure_of_a_period_loses_none_of_the_next<S: Subject>() -> Model {
    late::<S>(of_last(2, 2))
}

/// The same where failures carry the time.
pub(crate) fn a_late_failure_within_a_time_loses_none_of_the_next<S: Subject>() -> Model {
    late::<S>(within(2, 10))
}

fn late<S: Subject>(rules: Rules) -> Model {
    let first = closed(&rules);
    let next = next_period(&rules);
    breaker::<S>(first, rules)
        .actor(move |subject| {
            let mut steps = vec![subject.operate(Command::Reset, NOW)];
            steps.extend(record_all(subject, next, &[failure(NOW), failure(NOW)]));
            steps
        })
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW))])
        .end_in_a_chain(first, |last, actors| {
            assert_eq!(last.state(), State::Open, "no lost trip");
            assert_eq!(actors[0][1].recorded(), Some(Recorded::Applied), "I4");
            assert_eq!(actors[0][2].recorded(), Some(Recorded::Tripped), "I14");
            assert_eq!(actors[0][2].counted, Some(two_of_two()), "miscounted");
        })
        .reaches(&[
            "found closed, applied, tripped | applied",
            "found closed, applied, tripped | stale",
        ])
        .takes(14_608, 18_324)
}

/// I4, I14: the same with two failures of the new period that come at once. The ring already has an
/// entry.
pub(crate) fn failures_of_two_periods_do_not_meet<S: Subject>() -> Model {
    let rules = of_last(2, 2);
    let first = closed(&rules);
    let next = next_period(&rules);
    played::<S>(rules, [failure(NOW)])
        .actor(move |subject| {
            vec![
                subject.record(first.period(), failure(NOW)),
                subject.record(next, failure(NOW)),
            ]
        })
        .actor(move |subject| {
            vec![
                subject.operate(Command::Reset, NOW),
                subject.record(next, failure(NOW)),
            ]
        })
        .end(move |subject, actors| {
            let last = subject.word();
            assert_chain(first, last, actors);
            assert_eq!(transitions(actors), 2);
            if actors[0][0].recorded() == Some(Recorded::Tripped) {
                assert_eq!(last.state(), State::Closed);
            } else {
                assert_eq!(last.state(), State::Open, "no lost trip");
                let counted = actors.iter().flatten().find_map(|result| result.counted);
                assert_eq!(counted, Some(two_of_two()), "miscounted");
            }
            let began = [vec![actors[0][0]], vec![actors[1][0]]];
            outcome(&began)
        })
        .reaches(&[
            "applied | found closed",
            "stale | found closed",
            "tripped | found open",
        ])
        .takes(4_600, 3_000)
        .bounded_throughout()
}

/// I4, I1: one call has failed before, and the second failure trips. A call past the deadline
/// recovers, and the next call fails. That failure is the first of its period, whichever other call
/// fails late.
pub(crate) fn a_failure_after_a_recovery_is_the_first<S: Subject>() -> Model {
    let rules = of_last(2, 2);
    let first = closed(&rules);
    let fail = move |subject: &S| vec![subject.record(first.period(), failure(NOW))];
    played::<S>(rules, [failure(NOW)])
        .actor(fail)
        .actor(move |subject| {
            let mut steps = fail(subject);
            steps.extend(call(subject, NOW + 2 * SECOND, success()));
            if steps.last().and_then(StepResult::recorded) == Some(Recorded::Recovered) {
                steps.extend(call(subject, NOW + 2 * SECOND, failure(NOW + 2 * SECOND)));
            }
            steps
        })
        .end_in_a_chain(first, |last, actors| {
            assert_eq!(last.state(), State::Closed);
            assert_eq!(
                actors[1].last().and_then(StepResult::recorded),
                Some(Recorded::Applied)
            );
        })
        .reaches(&[
            "applied | stale and opens it, probe of 2, recovered, call of 3, applied",
            "stale and opens it | applied, probe of 2, recovered, call of 3, applied",
            "stale | tripped, probe of 2, recovered, call of 3, applied",
            "tripped | stale, probe of 2, recovered, call of 3, applied",
        ])
        .takes(3_320, 2_673)
        .bounded()
}

/// I14, I15: an actor stops for good once its entry is written. The next failure advances the index
/// for it, once. Three failures trip, and the stopped one is among them.
pub(crate) fn a_failure_that_stopped_after_its_entry_is_counted_once<S: Subject>() -> Model {
    let rules = of_last(3, 3);
    let first = closed(&rules);
    breaker::<S>(first, rules)
        .actor(move |subject: &S| stop(subject, first.period()))
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW))])
        .end(move |subject, actors| {
            let Count { failures, calls } = subject.counted(NOW);
            let next = subject.record(first.period(), failure(NOW));
            assert_eq!(next.recorded(), Some(Recorded::Tripped), "counted once");

            assert_eq!(failures, calls);
            format!("{}, {failures} counted", outcome(actors))
        })
        .reaches(&[" | applied, 1 counted", " | applied, 2 counted"])
        .takes(146, 398)
        .bounded()
}

/// I14, I1: the same where the failure that stopped may have tripped the breaker.
pub(crate) fn a_trip_of_a_failure_that_stopped_is_made_once<S: Subject>() -> Model {
    let rules = of_last(3, 3);
    let first = closed(&rules);
    played::<S>(rules, [failure(NOW)])
        .actor(move |subject: &S| stop(subject, first.period()))
        .actor(move |subject| record_all(subject, first.period(), &[failure(NOW), failure(NOW)]))
        .end_in_a_chain(first, |last, actors| {
            assert_eq!(last.state(), State::Open, "three have failed, and one may");
            assert_eq!(transitions(actors), 1);
        })
        .reaches(&[
            " | applied and opens it, stale",
            " | applied, stale and opens it",
            " | tripped, stale",
            "stale and opens it | applied, applied",
            "stale | applied, tripped",
        ])
        .takes(8_556, 2_314)
        .bounded()
}

/// Reports a failure, and stops for good once its entry is written. If another thread advances the
/// index so that this one never writes an entry, returns the step.
fn stop(subject: &impl Subject, period: Period) -> Vec<StepResult> {
    sync::stop_after_a_cas(|| subject.record(period, failure(NOW)))
        .into_iter()
        .collect()
}

/// I15: an age of the whole window is too old, unless the older reading is recorded last. Then the
/// older reading counts as the newest.
pub(crate) fn readings_of_the_clock_are_recorded_in_either_order<S: Subject>() -> Model {
    let rules = within(2, 10);
    let first = closed(&rules);
    breaker::<S>(first, rules)
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW))])
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW + 10 * MS))])
        .end(move |subject, actors| {
            assert_chain(first, subject.word(), actors);
            outcome(actors)
        })
        .reaches(&[
            "applied | applied",
            "tripped | applied",
            "applied | applied and opens it",
        ])
        .takes(2_644, 888)
        .bounded()
}

/// I15: readings that are near enough trip in either order.
pub(crate) fn readings_within_the_time_trip_in_either_order<S: Subject>() -> Model {
    let rules = within(2, 10);
    let first = closed(&rules);
    breaker::<S>(first, rules)
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW))])
        .actor(move |subject| vec![subject.record(first.period(), failure(NOW + 10 * MS - 1_000))])
        .end_in_a_chain(first, |last, _| assert_eq!(last.state(), State::Open))
        .reaches(&[
            "applied | tripped",
            "tripped | applied",
            "applied | applied and opens it",
            "applied and opens it | applied",
        ])
        .takes(2_476, 876)
        .bounded()
}

fn of_last(k: u16, span: u16) -> Rules {
    of_last_calls(span, CompiledThreshold::Failures(k))
}

fn of_last_calls(span: u16, threshold: CompiledThreshold) -> Rules {
    with_window(CompiledWindow::CallRing(CallRing { span, threshold }))
}

fn within(k: u16, within_ms: u64) -> Rules {
    with_window(CompiledWindow::TimeRing(TimeRing { k, within_ms }))
}

fn with_window(window: CompiledWindow) -> Rules {
    Rules {
        trip_rule: TripRule {
            run: None,
            window: Some(window),
        },
        ..rules()
    }
}

const fn two_of_two() -> Count {
    Count {
        failures: 2,
        calls: 2,
    }
}

/// The closed period that a reset of the first period begins.
fn next_period(rules: &Rules) -> Period {
    closed(rules).begin_closed(0).period()
}

/// Number of calls that were counted before this step.
fn calls(result: &StepResult) -> u64 {
    calls_of(result.before)
}

fn calls_of(word: Word) -> u64 {
    match word.phase() {
        Phase::Closed(payload) => Payload::new(payload).calls(),
        _ => 0,
    }
}

/// Two failures race, and two trip.
fn trips<S: Subject>(rules: Rules) -> Model {
    let first = closed(&rules);
    let fail = move |subject: &S| vec![subject.record(first.period(), failure(NOW))];
    breaker(first, rules)
        .actor(fail)
        .actor(fail)
        .end_in_a_chain(first, assert_two_trip)
}

fn assert_two_trip(last: Word, actors: &[Vec<StepResult>]) {
    assert_eq!(last.state(), State::Open, "no lost trip");
    assert_eq!(transitions(actors), 1);
    let counted = actors.iter().flatten().find_map(|result| result.counted);
    assert_eq!(counted, Some(two_of_two()), "miscounted");
}
