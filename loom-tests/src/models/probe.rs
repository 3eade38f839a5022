//! Callers that meet past the deadline. There are never more probes than slots (I5), and the CAS
//! that admits a caller takes its slot (I6).

use crate::{
    backend::atomic::{AtomicU64, Ordering},
    harness::{Model, Scenario},
    machine::{
        rules::Rules,
        step::Report,
        word::{Phase, State, Word},
    },
    scene::{
        NOW, SECOND, assert_chain, breaker, call, failure, half_open, open, outcome, rules,
        transitions,
    },
    subject::{StepResult, Subject},
};

/// I1, I5, I6.
pub(crate) fn of_two_callers_one_gets_the_only_slot<S: Subject>() -> Model {
    callers::<S>(2, 1)
        .reaches(&["probe of 2 | busy", "busy | probe of 2"])
        .takes(18, 30)
}

/// I1, I5, I6.
pub(crate) fn of_three_callers_one_gets_the_only_slot<S: Subject>() -> Model {
    callers::<S>(3, 1)
        .reaches(&[
            "probe of 2 | busy | busy",
            "busy | probe of 2 | busy",
            "busy | busy | probe of 2",
        ])
        .takes(750, 500)
}

/// I1, I5, I6.
pub(crate) fn two_callers_get_two_slots<S: Subject>() -> Model {
    callers::<S>(2, 2)
        .reaches(&["probe of 2 | probe of 2"])
        .takes(18, 30)
}

/// I1, I5, I6.
pub(crate) fn of_three_callers_two_get_the_two_slots<S: Subject>() -> Model {
    callers::<S>(3, 2)
        .reaches(&[
            "probe of 2 | probe of 2 | busy",
            "probe of 2 | busy | probe of 2",
            "busy | probe of 2 | probe of 2",
        ])
        .takes(1_600, 750)
}

/// Callers that ask when the deadline has just been reached.
fn callers<S: Subject>(callers: usize, slots: u8) -> Model {
    let first = open(NOW);
    (0..callers)
        .fold(breaker::<S>(first, with_places(slots)), |scenario, _| {
            scenario.actor(|subject: &S| vec![subject.admit(&|| NOW)])
        })
        .end_in_a_chain(first, move |last, actors| {
            assert_eq!(transitions(actors), 1, "one call made it half-open");
            let admitted = actors
                .iter()
                .flatten()
                .filter_map(StepResult::admitted)
                .count();
            assert_eq!(admitted, usize::from(in_flight(last)), "a slot each");
            assert!(in_flight(last) <= slots, "more probes than slots");
        })
}

/// I5, I6, where slots are released and taken again.
pub(crate) fn half_open_never_admits_more_than_the_limit<S: Subject>() -> Model {
    slots_in_turn::<S>(2, 1)
        .reaches(&[
            "probe of 2, unrecorded | probe of 2, unrecorded",
            "probe of 2, unrecorded | busy",
            "busy | probe of 2, unrecorded",
        ])
        .takes(60, 95)
}

/// I5, I6, with more than one slot.
pub(crate) fn half_open_never_admits_more_than_its_two_slots<S: Subject>() -> Model {
    slots_in_turn::<S>(3, 2)
        .reaches(&[
            "probe of 2, unrecorded | probe of 2, unrecorded | probe of 2, unrecorded",
            "probe of 2, unrecorded | probe of 2, unrecorded | busy",
            "probe of 2, unrecorded | busy | probe of 2, unrecorded",
            "busy | probe of 2, unrecorded | probe of 2, unrecorded",
        ])
        .takes(70_000, 7_000)
}

/// Callers of a half-open breaker, each of which releases its slot. They count the callers inside.
fn slots_in_turn<S: Subject>(callers: usize, slots: u8) -> Model {
    let first = half_open(0, NOW + SECOND);
    let begin = move || (S::at(first, with_places(slots)), AtomicU64::new(0));
    (0..callers)
        .fold(Scenario::new(begin), |scenario, _| {
            scenario.actor(move |(subject, inside): &(S, AtomicU64)| {
                let asked = subject.admit(&|| NOW);
                let Some(period) = asked.admitted() else {
                    return vec![asked];
                };
                let others = inside.fetch_add(1, Ordering::Relaxed);
                assert!(others < u64::from(slots), "more probes than slots");
                inside.fetch_sub(1, Ordering::Relaxed);
                vec![asked, subject.record(period, Report::Ignored)]
            })
        })
        .end(move |(subject, _), actors| {
            let last = subject.word();
            assert_chain(first, last, actors);
            assert_eq!(in_flight(last), 0, "every slot was given back");
            outcome(actors)
        })
}

/// I11. One caller asks while the clock leaps ahead by hours. Another takes the probe, fails and
/// reopens. The reading that was past the old deadline must not be compared with the new one.
pub(crate) fn no_call_is_admitted_before_the_current_deadline<S: Subject>() -> Model {
    const LEAP: u64 = 7_200 * SECOND;
    let first = open(NOW);
    Scenario::new(move || (S::at(first, rules()), AtomicU64::new(NOW)))
        .actor(|(subject, clock): &(S, AtomicU64)| vec![subject.admit(&|| read(clock))])
        .actor(|(subject, clock)| {
            let now = clock.fetch_add(LEAP, Ordering::SeqCst) + LEAP;
            call(subject, now, failure(now))
        })
        .end(move |(subject, _), actors| {
            let last = subject.word();
            assert_chain(first, last, actors);
            let admitted = actors[0][0].admitted();
            assert!(
                admitted.is_none_or(|period| period.generation() == 2),
                "admitted before the deadline of the period that it ended"
            );
            assert!(transitions(actors) <= 2);
            outcome(actors)
        })
        .reaches(&[
            "probe of 2 | busy",
            "probe of 2 | open",
            "busy | probe of 2, reopened",
            "open | probe of 2, reopened",
        ])
        .takes(95, 180)
}

/// Reads the clock, which never shows an old value.
fn read(clock: &AtomicU64) -> u64 {
    clock.fetch_or(0, Ordering::SeqCst)
}

fn with_places(probes: u8) -> Rules {
    Rules { probes, ..rules() }
}

fn in_flight(word: Word) -> u8 {
    assert_eq!(word.state(), State::HalfOpen);
    match word.phase() {
        Phase::HalfOpen(half_open) => half_open.in_flight,
        _ => 0,
    }
}
