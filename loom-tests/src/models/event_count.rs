//! Threads that wait for a transition. The back end reports a deadlock if one of them is
//! not woken.

use crate::{
    backend::atomic::{AtomicBool, Ordering},
    harness::{Model, Scenario},
    machine::step::Command,
    scene::{NOW, closed, rules},
    subject::{Subject, Waker},
};

pub(crate) fn no_transition_is_slept_through<S: Subject>() -> Model {
    watched::<S>()
        .actor(|watched| watched.watch_until(1))
        .actor(WatchedBreaker::resets::<1>)
        .end(seen)
        .reaches(&["1 | "])
        .takes(490, 730)
}

pub(crate) fn no_transition_is_slept_through_by_either_of_two<S: Subject>() -> Model {
    watched::<S>()
        .actor(|watched| watched.watch_until(1))
        .actor(|watched| watched.watch_until(1))
        .actor(WatchedBreaker::resets::<1>)
        .end(seen)
        .reaches(&["1 | 1 | "])
        .takes(11_000, 15_500)
}

pub(crate) fn of_two_transitions_the_last_is_not_slept_through<S: Subject>() -> Model {
    watched::<S>()
        .actor(|watched| watched.watch_until(2))
        .actor(WatchedBreaker::resets::<2>)
        .end(seen)
        .reaches(&["1, 2 | ", "2 | "])
        .bounded_throughout()
        .takes(1_800, 1_770)
}

pub(crate) fn a_watcher_that_is_stopped_wakes_up<S: Subject>() -> Model {
    watched::<S>()
        .actor(|watched| watched.watch_until(1))
        .actor(|watched| {
            watched.stop();
            Vec::new()
        })
        .end(seen)
        .reaches(&["stop | "])
        .takes(760, 760)
}

fn watched<S: Subject>() -> Scenario<WatchedBreaker<S>, Vec<Option<u16>>> {
    Scenario::new(WatchedBreaker::new)
}

/// Outcome: the generations that each actor saw, and stops.
fn seen<S: Subject>(_: &WatchedBreaker<S>, actors: &[Vec<Option<u16>>]) -> String {
    let one = |seen: &Option<u16>| seen.map_or("stop".into(), |generation| generation.to_string());
    let all = |actor: &Vec<_>| actor.iter().map(one).collect::<Vec<_>>().join(", ");
    actors.iter().map(all).collect::<Vec<_>>().join(" | ")
}

/// A breaker that is watched. (Like `Breaker::watch`, and like the code that follows a transition.)
struct WatchedBreaker<S: Subject> {
    subject: S,
    waker: S::Waker,
    stop: AtomicBool,
}

impl<S: Subject> WatchedBreaker<S> {
    fn new() -> Self {
        let rules = rules();
        Self {
            subject: S::at(closed(&rules), rules),
            waker: S::Waker::new(),
            stop: AtomicBool::new(false),
        }
    }

    fn reset(&self) {
        self.subject.operate(Command::Reset, NOW);
        self.waker.notify_all();
    }

    fn stop(&self) {
        self.waker
            .notify_after(&|| self.stop.store(true, Ordering::Relaxed));
    }

    /// Returns the generation that ended the wait, or `None` if asked to stop.
    fn watch(&self, last_seen: u16) -> Option<u16> {
        self.waker.watch(&|| {
            if self.stop.load(Ordering::Relaxed) {
                return Some(None);
            }
            let generation = self.subject.word().generation();
            (generation != last_seen).then_some(Some(generation))
        })
    }

    /// Waits until generation `last` or a request to stop, and returns what ended each wait.
    fn watch_until(&self, last: u16) -> Vec<Option<u16>> {
        let mut seen = vec![self.watch(0)];
        while let Some(Some(generation)) = seen.last().copied()
            && generation != last
        {
            seen.push(self.watch(generation));
        }
        seen
    }

    fn resets<const TIMES: usize>(&self) -> Vec<Option<u16>> {
        for _ in 0..TIMES {
            self.reset();
        }
        Vec::new()
    }
}
