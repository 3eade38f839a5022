//! Histories of a minimal breaker that the checker must refute, each beside a similar one that it
//! must explain.

use histories::{Event, Specification, Violation, WitnessOrder, check};
use std::iter;

/// Trips at the second failure in a row. The next admission is the only probe, and its success
/// recovers.
struct Toy;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    generation: u8,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Closed { failures: u8 },
    Open,
    HalfOpen,
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Admit,
    Fail { admitted: u8 },
    Succeed { admitted: u8 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Response {
    Admitted(u8),
    Busy,
    Applied,
    Tripped,
    Recovered,
    Reopened,
    Stale,
}

use Operation::{Admit, Fail, Succeed};
use Phase::{Closed, HalfOpen, Open};
use Response::{Admitted, Applied, Busy, Recovered, Reopened, Stale, Tripped};

const fn state(generation: u8, phase: Phase) -> State {
    State { generation, phase }
}

const FRESH: State = state(0, Closed { failures: 0 });
const ONE_FAILED: State = state(0, Closed { failures: 1 });
const OPEN: State = state(1, Open);

impl Specification for Toy {
    type State = State;
    type Operation = Operation;
    type Response = Response;

    fn step(
        &self,
        now: &State,
        operation: &Operation,
    ) -> impl IntoIterator<Item = (State, Response)> {
        let next = |phase| state(now.generation + 1, phase);
        let step = match (*operation, now.phase) {
            (Admit, Closed { .. }) => (*now, Admitted(now.generation)),
            (Admit, Open) => (next(HalfOpen), Admitted(now.generation + 1)),
            (Admit, HalfOpen) => (*now, Busy),
            (Fail { admitted } | Succeed { admitted }, _) if admitted != now.generation => {
                (*now, Stale)
            }
            (Fail { .. }, Closed { failures: 0 }) => {
                (state(now.generation, Closed { failures: 1 }), Applied)
            }
            (Fail { .. }, Closed { .. }) => (next(Open), Tripped),
            (Fail { .. }, _) => (next(Open), Reopened),
            (Succeed { .. }, Closed { .. }) => {
                (state(now.generation, Closed { failures: 0 }), Applied)
            }
            (Succeed { .. }, _) => (next(Closed { failures: 0 }), Recovered),
        };
        iter::once(step)
    }

    fn changes_nothing(&self, _: &Operation, response: &Response) -> bool {
        matches!(response, Busy | Stale)
    }
}

fn verify(
    first: State,
    threads: &[&[(Operation, Response)]],
    last: State,
) -> Result<WitnessOrder, Violation> {
    let event = |&(operation, response): &(Operation, Response)| Event {
        operation,
        response,
        hint: 0,
    };
    let threads: Vec<Vec<_>> = threads
        .iter()
        .map(|events| events.iter().map(event).collect())
        .collect();
    let checked = check(&Toy, first, &threads, |state| *state == last);
    if let Err(violation) = &checked {
        assert!(violation.is_refuted(), "{violation}");
    }
    checked
}

fn explains(first: State, threads: &[&[(Operation, Response)]], last: State) -> Vec<usize> {
    verify(first, threads, last)
        .unwrap_or_else(|violation| panic!("{violation}"))
        .order
}

fn refuses(first: State, threads: &[&[(Operation, Response)]], last: State) -> String {
    verify(first, threads, last)
        .expect_err("there is no such order")
        .to_string()
}

#[test]
fn one_slot_has_one_winner() {
    let (won, busy) = ((Admit, Admitted(2)), (Admit, Busy));
    let half_open = state(2, HalfOpen);
    assert_eq!(explains(OPEN, &[&[busy], &[won]], half_open), [1, 0]);
    let reported = refuses(OPEN, &[&[won], &[won]], half_open);
    assert!(
        reported.contains("Admit got Admitted(2) and may get [Busy]"),
        "{reported}"
    );
}

#[test]
fn no_trip_is_lost() {
    let fail = Fail { admitted: 0 };
    let (applied, tripped) = ((fail, Applied), (fail, Tripped));
    assert_eq!(explains(FRESH, &[&[tripped], &[applied]], OPEN), [1, 0]);
    refuses(FRESH, &[&[applied], &[applied]], ONE_FAILED);
    refuses(FRESH, &[&[applied], &[applied]], OPEN);
}

#[test]
fn one_trip_is_reported_once() {
    let fail = Fail { admitted: 0 };
    let (tripped, stale) = ((fail, Tripped), (fail, Stale));
    explains(ONE_FAILED, &[&[tripped], &[stale]], OPEN);
    refuses(ONE_FAILED, &[&[tripped], &[tripped]], OPEN);
}

#[test]
fn a_success_between_two_failures_may_be_what_lost_a_trip() {
    let fail = (Fail { admitted: 0 }, Applied);
    let success = (Succeed { admitted: 0 }, Applied);
    let order = explains(FRESH, &[&[fail, fail], &[success]], ONE_FAILED);
    assert_eq!(order, [0, 1, 0]);
    // Its own thread places it before both.
    refuses(FRESH, &[&[success, fail, fail]], ONE_FAILED);
}

#[test]
fn a_stale_outcome_has_no_effect() {
    let late = Fail { admitted: 0 };
    let probe = [(Admit, Admitted(2)), (Succeed { admitted: 2 }, Recovered)];
    let (closed, counted) = (
        state(3, Closed { failures: 0 }),
        state(3, Closed { failures: 1 }),
    );
    explains(OPEN, &[&[(late, Stale)], &probe], closed);
    refuses(OPEN, &[&[(late, Applied)], &probe], counted);
    refuses(
        OPEN,
        &[&[(late, Reopened)], &[(Admit, Admitted(2))]],
        state(3, Open),
    );
}

#[test]
fn a_thread_reads_no_word_older_than_its_last() {
    let trips = [(Fail { admitted: 0 }, Tripped)];
    let half_open = state(2, HalfOpen);
    let (closed, probe) = ((Admit, Admitted(0)), (Admit, Admitted(2)));
    // A second thread may read an old word long after the trip.
    explains(ONE_FAILED, &[&trips, &[closed, probe]], half_open);
    explains(ONE_FAILED, &[&trips, &[probe], &[closed]], half_open);
    // But no thread may read it after a newer word, and neither may the thread that tripped.
    refuses(ONE_FAILED, &[&trips, &[probe, closed]], half_open);
    refuses(ONE_FAILED, &[&[trips[0], closed]], OPEN);
}

#[test]
fn the_last_state_is_explained_too() {
    let applied = [(Fail { admitted: 0 }, Applied)];
    explains(FRESH, &[&applied], ONE_FAILED);
    let reported = refuses(FRESH, &[&applied], FRESH);
    assert!(reported.contains("the last state is another"), "{reported}");
}

#[test]
fn a_violation_shows_the_longest_explained_prefix() {
    let fail = Fail { admitted: 0 };
    let threads: [&[_]; 2] = [&[(fail, Applied), (fail, Tripped)], &[(Admit, Busy)]];
    let violation = verify(FRESH, &threads, OPEN).unwrap_err();
    assert_eq!(violation.prefix(), [0, 0]);
    let reported = violation.to_string();
    assert!(
        reported.contains("thread 0: Fail { admitted: 0 } -> Tripped\nleads to"),
        "{reported}"
    );
    assert!(
        reported.contains("thread 1: Admit got Busy and may get [Admitted(2)]"),
        "{reported}"
    );
}
