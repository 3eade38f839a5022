//! Publication: a thread that learns of a trip sees what each call wrote before its failure (I23).
//!
//! The values that the calls write, the *witnesses*, are Relaxed atomics, whose loads are plain in
//! both modes. Only the word's own ordering can make the witnesses visible.

use crate::{
    backend::atomic::{AtomicU64, Ordering},
    harness::{Model, Scenario},
    machine::{
        step::{Recorded, Report},
        word::State,
    },
    scene::{NOW, closed, failure, outcome, rules, success},
    subject::{StepResult, Subject},
};

/// A breaker, and the values that two calls write before they fail.
struct PublishingBreaker<S> {
    subject: S,
    written: [AtomicU64; 2],
}

impl<S: Subject> PublishingBreaker<S> {
    /// A breaker that has counted `failures` of the two.
    fn new(failures: u64) -> Self {
        Self {
            subject: S::at(closed(&rules()).with_payload(failures), rules()),
            written: [AtomicU64::new(0), AtomicU64::new(0)],
        }
    }

    fn write_and_fail(&self, call: usize) -> StepResult {
        self.written[call].store(1, Ordering::Relaxed);
        self.record(failure(NOW))
    }

    fn record(&self, report: Report) -> StepResult {
        self.subject.record(closed(&rules()).period(), report)
    }

    fn sees(&self, call: usize) -> bool {
        self.written[call].load(Ordering::Relaxed) == 1
    }
}

/// I23: the load. It takes both failures to trip, so both are seen.
pub(crate) fn a_thread_that_sees_it_open_sees_the_writes_of_failed_calls<S: Subject>() -> Model {
    Scenario::new(|| PublishingBreaker::<S>::new(0))
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
pub(crate) fn a_thread_that_trips_sees_the_writes_of_the_other<S: Subject>() -> Model {
    let fail = |call: usize| {
        move |watched: &PublishingBreaker<S>| {
            let result = watched.write_and_fail(call);
            if result.recorded() == Some(Recorded::Tripped) {
                assert!(watched.sees(1 - call), "not published");
            }
            vec![result]
        }
    };
    Scenario::new(|| PublishingBreaker::<S>::new(0))
        .actor(fail(0))
        .actor(fail(1))
        .end(|_, actors| outcome(actors))
        .reaches(&["applied | tripped", "tripped | applied"])
        .takes(18, 30)
}

/// I23: the CAS, on failure.
pub(crate) fn a_thread_that_loses_to_a_trip_sees_its_writes<S: Subject>() -> Model {
    Scenario::new(|| PublishingBreaker::<S>::new(1))
        .actor(|watched| vec![watched.write_and_fail(0)])
        .actor(|watched| {
            let result = watched.record(success());
            if result.recorded() == Some(Recorded::Stale) {
                assert!(watched.sees(0), "not published");
            }
            vec![result]
        })
        .end(|_, actors| outcome(actors))
        .reaches(&["tripped | stale", "applied | applied"])
        .takes(18, 30)
}

/// I23: the CAS, on success, where its word was replaced and came back. The thread that trips had
/// loaded the initial run of 1, but may replace the run of 1 that the other call wrote.
pub(crate) fn a_thread_that_trips_sees_the_writes_behind_the_replaced_word<S: Subject>() -> Model {
    Scenario::new(|| PublishingBreaker::<S>::new(1))
        .actor(|watched| {
            let result = watched.record(failure(NOW));
            (vec![result], watched.sees(1))
        })
        .actor(|watched| {
            let ended = watched.record(success());
            (vec![ended, watched.write_and_fail(1)], true)
        })
        .end(|_, actors: &[(Vec<StepResult>, bool)]| {
            let name = outcome(
                &actors
                    .iter()
                    .map(|(result, _)| result.clone())
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
