//! Properties of every recorded outcome.

use super::{
    super::super::{
        rules::Rules,
        step::{Event, Recorded, Report, Step},
        word::{HalfOpen, Period, Phase, State, Word},
    },
    super::inputs::at,
    Edge, i16_an_open_period_lasts_its_interval_or_hint,
};

pub(in super::super) fn check(
    before: Word,
    permit: Period,
    report: Report,
    rules: &Rules,
    step: &Step<Recorded>,
) {
    let (moment, hint_ms) = match report {
        Report::Failure { moment, hint_ms } => (moment, hint_ms),
        Report::Success { .. } | Report::Ignored => (at(0), 0),
    };
    let edge = Edge {
        before,
        after: step.word,
        event: Event::Record,
        moment,
        rules,
    };
    super::check(&edge, edge.replaces_the_state());
    i16_an_open_period_lasts_its_interval_or_hint(&edge, hint_ms);
    a_verdict_matches_its_event(&edge, permit, report, step.verdict);
    if permit == before.period() {
        i13_an_ignored_outcome_only_releases_its_slot(&edge, report);
        only_a_failure_trips(&edge, report);
        probes_decide_by_their_outcomes(&edge, report);
    } else {
        i4_a_stale_outcome_changes_no_bit(&edge, permit);
    }
}

/// I4.
fn i4_a_stale_outcome_changes_no_bit(edge: &Edge<'_>, permit: Period) {
    assert_eq!(edge.after, edge.before, "I4: {permit:?}");
}

/// I13.
fn i13_an_ignored_outcome_only_releases_its_slot(edge: &Edge<'_>, report: Report) {
    if matches!(report, Report::Ignored) {
        let expected = match edge.before.phase() {
            Phase::HalfOpen(half_open) => edge.before.with_in_flight(half_open.in_flight - 1),
            _ => edge.before,
        };
        assert_eq!(edge.after, expected, "I13: {edge:?}");
    }
}

/// Each verdict is returned exactly when its event has happened.
fn a_verdict_matches_its_event(edge: &Edge<'_>, permit: Period, report: Report, verdict: Recorded) {
    let happened = match (edge.before.state(), edge.after.state()) {
        _ if permit != edge.before.period() => Recorded::Stale,
        (State::Closed, State::Open) => Recorded::Tripped,
        (State::HalfOpen, State::Open) => Recorded::Reopened,
        (State::HalfOpen, State::Closed) => Recorded::Recovered,
        (State::Closed | State::HalfOpen, _) if !matches!(report, Report::Ignored) => {
            Recorded::Applied
        }
        _ => Recorded::Unrecorded,
    };
    assert_eq!(verdict, happened, "verdict: {report:?}: {edge:?}");
}

/// Only a recorded failure trips.
fn only_a_failure_trips(edge: &Edge<'_>, report: Report) {
    let tripped = edge.before.is_closed() && !edge.after.is_closed();
    let failed = matches!(report, Report::Failure { .. });
    assert!(failed || !tripped, "trip: {report:?}: {edge:?}");
}

/// One failure reopens, and `probe_successes` successes recover. Before that a success releases its
/// slot (I5).
fn probes_decide_by_their_outcomes(edge: &Edge<'_>, report: Report) {
    let Phase::HalfOpen(half_open) = edge.before.phase() else {
        return;
    };
    match report {
        Report::Ignored => {}
        Report::Failure { .. } => assert_eq!(edge.after.state(), State::Open, "probes: {edge:?}"),
        Report::Success { .. } if half_open.successes + 1 == edge.rules.probe_successes => {
            assert_eq!(edge.after.state(), State::Closed, "probes: {edge:?}");
        }
        Report::Success { .. } => {
            let expected = HalfOpen {
                successes: half_open.successes + 1,
                in_flight: half_open.in_flight - 1,
                ..half_open
            };
            let expected = Phase::HalfOpen(expected);
            assert_eq!(edge.after.phase(), expected, "probes: {edge:?}");
        }
    }
}
