//! Failures that a window beside the word judges, and what of its payload the steps never look at.
//!
//! The window itself is not searched: whether it trips is an input, so each failure is tried both
//! ways. What the word then becomes is what [`stamps`] or [`rate`] makes of it: their payload, and
//! [`count_failure`].

use super::{
    super::{
        rules::Rules,
        step::{Counted, Moment, Recorded, Step, count_failure},
        tally::{Tally, Threshold, Window},
        window::{
            payload::{Payload, Place},
            rate, stamps,
        },
        word::{Period, Word},
    },
    cases::{CONSTANT, Case, DOUBLING, JITTERED, SETTLED, least, rules},
};
/// Two rings and two sets of buckets, with a run beside the window and without.
pub(super) fn cases() -> [Case; 4] {
    let within = |window, run| Tally {
        run,
        window: Some(window),
    };
    let last_three = Window::Calls {
        span: 3,
        threshold: Threshold::Failures(2),
    };
    let three_failures = Window::Failures {
        k: 3,
        within_ms: 10,
    };
    let half = Window::Rate {
        percent: 50,
        min_calls: 2,
        within_ms: 100,
    };
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

/// Whether a failure of a call of this period goes by a window beside the word. (Of another period it
/// is stale, and the window asks no step.)
pub(super) fn window_decides(word: Word, period: Period, rules: &Rules) -> bool {
    rules.tally.is_beside() && word.is_closed() && word.is_of(period)
}

/// What the window makes of the word after one more failure.
pub(super) fn fail(
    word: Word,
    window_trips: bool,
    hint_ms: u64,
    rules: &Rules,
    moment: Moment,
) -> Step<Recorded> {
    let payload = Payload::new(word.payload());
    let payload = match ring(rules) {
        Some(cells) => stamps::after_failure(payload, cells, rules),
        None => rate::after_failure(payload, rules),
    };
    match count_failure(word, payload.bits(), window_trips, rules) {
        Counted::Stays(step) => step,
        Counted::Trips(trip) => trip.open(hint_ms, rules, moment),
    }
}

/// A failure trips exactly if the window says so or the run is long enough. Else it moves the place of
/// a ring by one, and lengthens the run if the rules have one.
pub(super) fn check(before: Word, after: Word, window_trips: bool, rules: &Rules) {
    let then = Payload::new(before.payload());
    let run = then.run() + 1;
    let long_enough = rules.tally.run.is_some_and(|most| run >= u64::from(most));
    let trips = window_trips || long_enough;
    assert_eq!(!after.is_closed(), trips, "trip: {before:?} to {after:?}");
    if trips {
        return;
    }
    let now = Payload::new(after.payload());
    let expected = rules.tally.run.map_or(0, |_| run);
    assert_eq!(now.run(), expected, "run: {before:?} to {after:?}");
    match ring(rules) {
        Some(cells) => {
            let Place { index, lap } = then.place();
            let last = index + 1 == cells;
            let next = Place {
                index: if last { 0 } else { index + 1 },
                lap: lap ^ last,
            };
            assert_eq!(now.place(), next, "index: {before:?} to {after:?}");
        }
        None => assert_eq!(now.start(), then.start(), "start: {before:?} to {after:?}"),
    }
}

/// A success of a closed word ends the run, and leaves the window where it is.
pub(super) fn check_success(before: Word, after: Word, rules: &Rules) {
    let then = Payload::new(before.payload());
    let now = Payload::new(after.payload());
    assert_eq!(now.run(), 0, "run: {before:?} to {after:?}");
    match ring(rules) {
        Some(_) => assert_eq!(now.place(), then.place(), "index: {before:?} to {after:?}"),
        None => assert_eq!(now.start(), then.start(), "start: {before:?} to {after:?}"),
    }
}

/// How many cells the ring of these rules has.
fn ring(rules: &Rules) -> Option<usize> {
    match rules.tally.window {
        Some(Window::Calls { .. } | Window::Failures { .. }) => {
            Some(stamps::cells(rules.tally.most_failures()))
        }
        _ => None,
    }
}

/// The bits of a closed payload that only the window looks at, and that are not few: the number of
/// the call, or of the bucket that the period began in.
pub(super) fn unread(rules: &Rules) -> u64 {
    match rules.tally.window {
        Some(Window::Calls { .. } | Window::Failures { .. }) => 0xFFFF,
        Some(Window::Rate { .. }) => (1 << 29) - 1,
        _ => 0,
    }
}
