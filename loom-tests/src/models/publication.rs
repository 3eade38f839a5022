//! Publication: a thread that learns of a trip sees what each call wrote before its failure (I23).
//!
//! The witnesses are Relaxed, and plain in both modes. Only the word's own ordering can make them
//! visible.

use crate::{
    backend::atomic::{AtomicU64, Ordering},
    harness::{Model, Scenario},
    machine::{
        step::{Recorded, Report},
        word::State,
    },
    scene::{NOW, closed, failure, outcome, rules, success},
    subject::{Did, Subject},
};

/// A breaker, and the values that two calls write before they fail.
struct Watched<S> {
    subject: S,
    written: [AtomicU64; 2],
}

impl<S: Subject> Watched<S> {
    /// A breaker that has counted `failures` of the two.
    fn new(failures: u64) -> Self {
        Self {
            subject: S::at(closed(&rules()).with_payload(failures), rules()),
            written: [AtomicU64::new(0), AtomicU64::new(0)],
        }
    }

    fn write_and_fail(&self, call: usize) -> Did {
        self.written[call].store(1, Ordering::Relaxed);
        self.report(failure(NOW))
    }

    fn report(&self, report: Report) -> Did {
        self.subject.report(closed(&rules()).period(), report)
    }

    fn sees(&self, call: usize) -> bool {
        self.written[call].load(Ordering::Relaxed) == 1
    }
}

/// I23: the load. It takes both failures to trip, so both are seen.
pub(crate) fn who_sees_it_open_sees_what_failing_calls_wrote<S: Subject>() -> Model {
    Scenario::new(|| Watched::<S>::new(0))
        .actor(|watched| {
            watched.write_and_fail(0);
            None
        })
        .actor(|watched| {
            watched.write_and_fail(1);
            None
        })
        .actor(|watched| {
            let state = watched.subject.word().state();
            if state == State::Open {
                assert!(watched.sees(0) && watched.sees(1), "not published");
            }
            Some(state)
        })
        .end(|_, states| states.iter().flatten().map(State::to_string).collect())
        .reaches(&["closed", "open"])
        .takes(800, 500)
}

/// I23: the CAS, on success. The thread that trips notifies listeners of the failures that led to
/// the trip.
pub(crate) fn who_trips_sees_what_the_other_wrote<S: Subject>() -> Model {
    let fail = |call: usize| {
        move |watched: &Watched<S>| {
            let did = watched.write_and_fail(call);
            if did.recorded() == Some(Recorded::Tripped) {
                assert!(watched.sees(1 - call), "not published");
            }
            vec![did]
        }
    };
    Scenario::new(|| Watched::<S>::new(0))
        .actor(fail(0))
        .actor(fail(1))
        .end(|_, actors| outcome(actors))
        .reaches(&["applied | tripped", "tripped | applied"])
        .takes(18, 30)
}

/// I23: the CAS, on failure.
pub(crate) fn who_loses_to_a_trip_sees_what_it_wrote<S: Subject>() -> Model {
    Scenario::new(|| Watched::<S>::new(1))
        .actor(|watched| vec![watched.write_and_fail(0)])
        .actor(|watched| {
            let did = watched.report(success());
            if did.recorded() == Some(Recorded::Stale) {
                assert!(watched.sees(0), "not published");
            }
            vec![did]
        })
        .end(|_, actors| outcome(actors))
        .reaches(&["tripped | stale", "applied | applied"])
        .takes(18, 30)
}

/// I23: the CAS, on success, where its word was replaced and came back. The thread that trips had
/// loaded the initial run of 1, but may replace the run of 1 that the other call wrote.
pub(crate) fn who_trips_sees_what_made_the_word_it_replaced<S: Subject>() -> Model {
    Scenario::new(|| Watched::<S>::new(1))
        .actor(|watched| {
            let did = watched.report(failure(NOW));
            (vec![did], watched.sees(1))
        })
        .actor(|watched| {
            let ended = watched.report(success());
            (vec![ended, watched.write_and_fail(1)], true)
        })
        .end(|_, actors: &[(Vec<Did>, bool)]| {
            let name = outcome(
                &actors
                    .iter()
                    .map(|(did, _)| did.clone())
                    .collect::<Vec<_>>(),
            );
            if name == "tripped | applied, applied" {
                assert!(actors[0].1, "not published");
            }
            name
        })
        .reaches(&[
            "tripped | stale, stale",
            "tripped | applied, applied",
            "applied | applied, tripped",
        ])
        .takes(130, 270)
}
