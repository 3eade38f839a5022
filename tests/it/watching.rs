//! Threads that wait for transitions. (`loom-tests` verifies that no wake-up is lost.)

use cutout::{Breaker, State, StopWatching};
use std::{sync::mpsc, thread};

#[test]
fn a_transition_that_is_over_is_seen_at_once() {
    let breaker = Breaker::new();
    breaker.force_open();
    let watched = breaker.watch(0, &StopWatching::new()).unwrap();
    assert_eq!(watched.snapshot.stored_state, State::ForcedOpen);
    assert_eq!((watched.snapshot.generation, watched.missed), (1, 0));
}

#[test]
fn transitions_between_two_waits_are_counted() {
    let breaker = Breaker::new();
    for _ in 0..5 {
        breaker.reset();
    }
    let missed = |since| breaker.watch(since, &StopWatching::new()).unwrap().missed;
    assert_eq!(missed(0), 4);
    assert_eq!(missed(4), 0);
    // As if generations had wrapped since.
    assert_eq!(missed(u16::MAX), 5);
}

#[test]
fn a_watcher_that_keeps_up_sees_every_transition() {
    let breaker = Breaker::new();
    let stop = StopWatching::new();
    thread::scope(|scope| {
        let (sender, seen) = mpsc::channel();
        let (breaker, stop) = (&breaker, &stop);
        scope.spawn(move || {
            let mut generation = 0;
            while let Some(watched) = breaker.watch(generation, stop) {
                generation = watched.snapshot.generation;
                sender
                    .send((watched.snapshot.stored_state, watched.missed))
                    .unwrap();
            }
        });
        for _ in 0..100 {
            breaker.force_open();
            assert_eq!(seen.recv(), Ok((State::ForcedOpen, 0)));
            breaker.reset();
            assert_eq!(seen.recv(), Ok((State::Closed, 0)));
        }
        breaker.stop_watching(stop);
        seen.recv().expect_err("the watcher has gone");
    });
}

#[test]
fn a_watcher_stops_before_and_during_a_wait() {
    let breaker = Breaker::new();
    let stop = StopWatching::new();
    thread::scope(|scope| {
        let watchers = [(); 3].map(|()| scope.spawn(|| breaker.watch(0, &stop)));
        breaker.stop_watching(&stop);
        assert_eq!(watchers.map(|watcher| watcher.join().unwrap()), [None; 3]);
    });
    breaker.reset();
    assert_eq!(breaker.watch(0, &stop), None);
}

#[test]
fn another_stop_stops_no_watcher() {
    let breaker = Breaker::new();
    let (stop, other) = (StopWatching::new(), StopWatching::new());
    thread::scope(|scope| {
        let watcher = scope.spawn(|| breaker.watch(0, &stop));
        breaker.stop_watching(&other);
        breaker.reset();
        assert_eq!(watcher.join().unwrap().unwrap().snapshot.generation, 1);
    });
}
