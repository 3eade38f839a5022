//! External windows in the search: failures whose verdict such a window decides, and payload bits
//! that no step reads.
//!
//! The window itself is not searched. Its verdict is an input, so each failure is tried both ways.
//! The resulting word comes from the trip rule, which computes the payload, and from
//! [`count_failure`].

use super::{
    super::{
        rules::Rules,
        step::{
            Recorded, Step, TimeSample,
            record::{Counted, count_failure},
        },
        trip::{
            CompiledThreshold, CompiledWindow, TripRule,
            buckets::Buckets,
            call_ring::CallRing,
            payload::{Payload, Position, START},
            time_ring::TimeRing,
        },
        word::{Period, Word},
    },
    cases::{CONSTANT, Case, DOUBLING, JITTERED, SETTLED, least, rules},
};

/// Two failure rings and two sets of time buckets, with and without a run.
pub(super) fn cases() -> [Case; 4] {
    let within = |window, run| TripRule {
        run,
        window: Some(window),
    };
    let last_three = CompiledWindow::CallRing(CallRing {
        span: 3,
        threshold: CompiledThreshold::Failures(2),
    });
    let three_failures = CompiledWindow::TimeRing(TimeRing {
        k: 3,
        within_ms: 10,
    });
    let half = CompiledWindow::Buckets(Buckets {
        percent: 50,
        min_calls: 2,
        within_ms: 100,
    });
    [
        Case {
            name: "failures(2).of_last(3) in a ring, or consecutive(3), two probes",
            rules: rules(within(last_three, Some(3)), DOUBLING, (2, 1), Some(10)),
            reopens: SETTLED,
            least: least(1_900, 57_000),
        },
        Case {
            name: "failures(3).within(10 ms), one probe, two successes",
            rules: rules(within(three_failures, None), CONSTANT, (1, 2), None),
            reopens: SETTLED,
            least: least(1_000, 30_000),
        },
        Case {
            name: "percent(50).within(100 ms).or(consecutive(2)), two probes, two successes, jitter 100",
            rules: rules(within(half, Some(2)), JITTERED, (2, 2), None),
            reopens: SETTLED,
            least: least(1_000, 33_000),
        },
        Case {
            name: "percent(50).within(100 ms), one probe",
            rules: rules(within(half, None), CONSTANT, (1, 1), None),
            reopens: SETTLED,
            least: least(580, 17_000),
        },
    ]
}

/// Whether an external window decides a failure of a call of this period. (An outcome of another
/// period is stale, and the window makes no step.)
pub(super) fn window_decides(word: Word, period: Period, rules: &Rules) -> bool {
    rules.trip_rule.is_external() && word.is_closed() && word.is_of(period)
}

/// The step after one more failure, with the payload from the window.
pub(super) fn fail(
    word: Word,
    window_trips: bool,
    hint_ms: u64,
    rules: &Rules,
    moment: TimeSample,
) -> Step<Recorded> {
    let payload = rules.trip_rule.failure(word.payload());
    match count_failure(word, payload, window_trips, rules) {
        Counted::Stays(step) => step,
        Counted::Trips(trip) => trip.open(hint_ms, rules, moment),
    }
}

/// A failure trips exactly if the window trips or the run is long enough. Otherwise it advances the
/// index of a ring, and lengthens the run if the rules have one.
pub(super) fn check(before: Word, after: Word, window_trips: bool, rules: &Rules) {
    let then = Payload::new(before.payload());
    let run = then.run() + 1;
    let long_enough = rules
        .trip_rule
        .run
        .is_some_and(|most| run >= u64::from(most));
    let trips = window_trips || long_enough;
    assert_eq!(!after.is_closed(), trips, "trip: {before:?} to {after:?}");
    if trips {
        return;
    }
    let now = Payload::new(after.payload());
    let expected = rules.trip_rule.run.map_or(0, |_| run);
    assert_eq!(now.run(), expected, "run: {before:?} to {after:?}");
    match rules.trip_rule.entries() {
        Some(cells) => {
            let Position { index, lap } = then.position();
            let last = index + 1 == cells;
            let next = Position {
                index: if last { 0 } else { index + 1 },
                lap: lap ^ last,
            };
            assert_eq!(now.position(), next, "index: {before:?} to {after:?}");
        }
        None => assert_eq!(start(now), start(then), "start: {before:?} to {after:?}"),
    }
}

/// A success of a closed word ends the run, and leaves the window unchanged.
pub(super) fn check_success(before: Word, after: Word, rules: &Rules) {
    let then = Payload::new(before.payload());
    let now = Payload::new(after.payload());
    assert_eq!(now.run(), 0, "run: {before:?} to {after:?}");
    match rules.trip_rule.entries() {
        Some(_) => assert_eq!(
            now.position(),
            then.position(),
            "index: {before:?} to {after:?}"
        ),
        None => assert_eq!(start(now), start(then), "start: {before:?} to {after:?}"),
    }
}

/// The bits of the payload in which a window keeps its index or its first bucket.
const fn start(payload: Payload) -> u64 {
    payload.bits() & START
}
