//! I20: a listener that panics changes no state and silences no other listener.

use std::{
    panic::{catch_unwind, panic_any, resume_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use cutout::{
    Admitted, Breaker, CallListener, Ended, Listener, Outcome, Policy, Recorded, Rejected, State,
    Transition, Trip, clock::Manual,
};

use crate::support::SECOND;

const POLICY: Policy = Policy::new().trip(Trip::consecutive(1)).open_for(SECOND);

/// Records the generations of the transitions that it is notified of.
#[derive(Debug, Default)]
struct GenerationLog(Mutex<Vec<u16>>);

impl GenerationLog {
    fn generations(&self) -> Vec<u16> {
        self.0.lock().unwrap().clone()
    }
}

impl Listener for GenerationLog {
    fn on_transition(&self, transition: &Transition) {
        self.0.lock().unwrap().push(transition.generation);
    }
}

fn fail(breaker: &Breaker) -> Recorded {
    breaker.try_acquire().unwrap().record(Outcome::Failure)
}

#[test]
fn a_listener_that_panics_changes_nothing_and_silences_no_other() {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            if !thread::panicking() {
                panic_any("dropped");
            }
        }
    }

    let log = Arc::new(GenerationLog::default());
    let clock = Arc::new(Manual::new());
    let breaker = Breaker::builder()
        .policy(POLICY)
        .listeners(&[&|_: &Transition| panic!("static")])
        .build()
        .with_shared_clock(clock.clone())
        .with_shared_listener(Arc::new(|_: &Transition| {
            resume_unwind(Box::new("shared"));
        }))
        .with_shared_listener(Arc::new(|_: &Transition| resume_unwind(Box::new(Bomb))))
        .with_shared_listener(log.clone());

    assert_eq!(fail(&breaker), Recorded::Tripped);
    clock.advance(SECOND);
    let answer = breaker.call(|| Ok::<_, ()>(7));
    assert_eq!(answer, Ok(7), "the call that recovers gets its answer");
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(log.generations(), [1, 2, 3]);
}

#[test]
fn a_listener_that_panics_while_its_thread_unwinds_does_not_abort() {
    let log = Arc::new(GenerationLog::default());
    let breaker = Breaker::builder()
        .policy(POLICY)
        .build()
        .with_shared_listener(Arc::new(|_: &Transition| {
            resume_unwind(Box::new("listener"));
        }))
        .with_shared_listener(log.clone());
    let thrown =
        catch_unwind(|| breaker.call(|| -> Result<(), ()> { resume_unwind(Box::new("call")) }));
    assert_eq!(thrown.unwrap_err().downcast_ref(), Some(&"call"));
    assert_eq!(log.generations(), [1]);
}

/// Panics at every event of a call.
#[derive(Default)]
struct PanickingListener(AtomicU32);

impl PanickingListener {
    fn throw(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        resume_unwind(Box::new("on purpose"));
    }
}

impl CallListener for PanickingListener {
    fn on_admitted(&self, _: &Admitted) {
        self.throw();
    }

    fn on_outcome(&self, _: &Ended) {
        self.throw();
    }

    fn on_rejected(&self, _: &Rejected) {
        self.throw();
    }
}

#[test]
fn a_call_listener_that_panics_changes_nothing_and_silences_no_listener() {
    static PANICS: PanickingListener = PanickingListener(AtomicU32::new(0));
    let log = Arc::new(GenerationLog::default());
    let clock = Arc::new(Manual::new());
    let breaker = Breaker::builder()
        .policy(POLICY)
        .call_listener(&PANICS)
        .build()
        .with_shared_clock(clock.clone())
        .with_shared_listener(log.clone());

    breaker.call(|| Ok::<_, ()>(())).unwrap();
    assert_eq!(fail(&breaker), Recorded::Tripped);
    assert_eq!(breaker.try_acquire().unwrap_err().generation(), 1);
    clock.advance(SECOND);
    let probe = breaker.try_acquire().unwrap();
    assert_eq!(breaker.snapshot().probes_in_flight, 1);
    assert_eq!(probe.record(Outcome::Success), Recorded::Recovered);
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(log.generations(), [1, 2, 3]);
    assert_eq!(PANICS.0.load(Ordering::Relaxed), 7);
}

impl Listener for PanickingListener {
    fn on_transition(&self, _: &Transition) {
        self.throw();
    }

    fn on_rejected(&self, _: &Rejected) {
        self.throw();
    }

    fn on_failure(&self, _: &Ended) {
        self.throw();
    }

    fn on_stale(&self, _: &Ended) {
        self.throw();
    }
}

#[test]
fn a_listener_that_panics_at_every_event_changes_nothing_and_silences_no_listener() {
    static PANICS: PanickingListener = PanickingListener(AtomicU32::new(0));
    static LISTENERS: [&dyn Listener; 1] = [&PANICS];
    let log = Arc::new(GenerationLog::default());
    let clock = Arc::new(Manual::new());
    let breaker = Breaker::builder()
        .policy(POLICY)
        .listeners(&LISTENERS)
        .build()
        .with_shared_clock(clock.clone())
        .with_shared_listener(log.clone());

    let late = breaker.try_acquire().unwrap();
    assert_eq!(fail(&breaker), Recorded::Tripped);
    assert_eq!(late.record(Outcome::Success), Recorded::Stale);
    assert_eq!(breaker.try_acquire().unwrap_err().generation(), 1);
    clock.advance(SECOND);
    breaker.call(|| Ok::<_, ()>(())).unwrap();
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(log.generations(), [1, 2, 3]);
    // A failure, a stale outcome, a rejection and three transitions.
    assert_eq!(PANICS.0.load(Ordering::Relaxed), 6);
}
