//! Delivery to listeners: each transition is delivered, in the order of the generations, one at a
//! time (I19).
//!
//! The log is a mutex of the back end, which does not see a mutex of `std` and would miss the
//! reorderings. A listener writes when it begins and when it ends, so that all other threads can
//! come between.

use std::collections::BTreeSet;

use crate::{
    backend::Mutex,
    harness::{Model, Scenario},
    machine::{
        step::{Command, Event, RawTransition},
        transition_queue::CAPACITY,
        word::Word,
    },
    scene::{NOW, closed, fresh, rules},
    subject::{Dispatcher, Notification, Subject},
};

/// A breaker whose transitions are delivered to a listener.
struct ListenedBreaker<S: Subject> {
    subject: S,
    dispatcher: S::Dispatcher,
    log: Mutex<Vec<Entry>>,
    /// The listener makes a transition of its own when it is notified of this generation.
    answers: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Begins {
        notification: Notification,
        dispatcher: usize,
    },
    Ends {
        generation: u16,
    },
}

impl<S: Subject> ListenedBreaker<S> {
    fn at(word: Word, answers: Option<u16>) -> Self {
        Self {
            subject: S::at(word, rules()),
            dispatcher: S::Dispatcher::beginning_at(1),
            log: Mutex::new(Vec::new()),
            answers,
        }
    }

    /// Makes a transition, and notifies the listener.
    fn reset(&self, actor: usize) {
        let result = self.subject.operate(Command::Reset, NOW);
        self.notify(result.before, result.after, actor);
    }

    fn notify(&self, before: Word, after: Word, actor: usize) {
        let change = RawTransition::between(before, after, Event::Operate, NOW, None, &rules());
        let newest = || self.subject.word().generation();
        self.dispatcher.notify(change, &newest, &|notification| {
            self.listen(notification, actor);
        });
    }

    fn listen(&self, notification: Notification, dispatcher: usize) {
        let generation = notification.generation;
        self.write(Entry::Begins {
            notification,
            dispatcher,
        });
        if self.answers == Some(generation) {
            self.reset(dispatcher);
        }
        self.write(Entry::Ends { generation });
    }

    fn write(&self, entry: Entry) {
        self.log.lock().expect("no listener panics").push(entry);
    }

    /// The delivered transitions, each with its dispatcher. Asserts that they were delivered in
    /// order, one at a time and to the last, without a gap that is not announced.
    fn delivered(&self) -> Vec<(Notification, usize)> {
        let log = self.log.lock().expect("no listener panics");
        let mut next = 1;
        let mut all = Vec::new();
        for entries in log.chunks(2) {
            let [
                Entry::Begins {
                    notification,
                    dispatcher,
                },
                ends,
            ] = *entries
            else {
                panic!("not one at a time: {entries:?}");
            };
            let generation = notification.generation;
            assert_eq!(ends, Entry::Ends { generation }, "not one at a time");
            assert_eq!(
                u32::from(generation),
                next + notification.missed,
                "not in order"
            );
            next = u32::from(generation) + 1;
            all.push((notification, dispatcher));
        }
        let last = u32::from(self.subject.word().generation());
        assert_eq!(next, last + 1, "something is left");
        all
    }
}

/// I19: either thread delivers either transition.
pub(crate) fn transitions_are_delivered_in_order<S: Subject>() -> Model {
    Scenario::new(|| ListenedBreaker::<S>::at(closed(&rules()), None))
        .actor(|watched| watched.reset(0))
        .actor(|watched| watched.reset(1))
        .end(|watched, _| by_dispatcher(&watched.delivered()))
        .reaches(&[
            "1 by 0, 2 by 0",
            "1 by 0, 2 by 1",
            "1 by 1, 2 by 0",
            "1 by 1, 2 by 1",
        ])
        .takes(190, 330)
}

/// I19, with three threads.
pub(crate) fn three_dispatchers_run_one_at_a_time<S: Subject>() -> Model {
    Scenario::new(|| ListenedBreaker::<S>::at(closed(&rules()), None))
        .actor(|watched| watched.reset(0))
        .actor(|watched| watched.reset(1))
        .actor(|watched| watched.reset(2))
        .end(|watched, _| {
            let delivered = watched.delivered();
            assert_eq!(delivered.len(), 3);
            let dispatchers: BTreeSet<_> =
                delivered.iter().map(|(_, dispatcher)| dispatcher).collect();
            format!("dispatchers: {}", dispatchers.len())
        })
        .reaches(&["dispatchers: 1", "dispatchers: 2", "dispatchers: 3"])
        .takes(11_000, 3_500)
}

/// I19, where the listener makes a transition of its own.
pub(crate) fn a_transition_of_a_listener_is_delivered_after_it_returns<S: Subject>() -> Model {
    Scenario::new(|| ListenedBreaker::<S>::at(closed(&rules()), Some(1)))
        .actor(|watched| watched.reset(0))
        .actor(|watched| watched.reset(1))
        .end(|watched, _| by_dispatcher(&watched.delivered()))
        .reaches(&[
            "1 by 0, 2 by 0, 3 by 0",
            "1 by 0, 2 by 0, 3 by 1",
            "1 by 0, 2 by 1, 3 by 1",
            "1 by 1, 2 by 0, 3 by 0",
            "1 by 1, 2 by 1, 3 by 0",
            "1 by 1, 2 by 1, 3 by 1",
        ])
        .takes(2_700, 3_100)
}

/// I19: the queue is full, because the winner of the first transition did not enqueue it yet. It
/// does so while another thread makes one more transition.
pub(crate) fn a_gap_is_announced_and_delivery_goes_on<S: Subject>() -> Model {
    let fresh = fresh(&rules());
    let zero = closed(&rules());
    let begin = move || {
        let one = zero.begin_closed(fresh);
        let waiting: Vec<Word> = std::iter::successors(Some(one), |w| Some(w.begin_closed(fresh)))
            .take(usize::from(CAPACITY))
            .collect();
        let watched = ListenedBreaker::<S>::at(waiting[waiting.len() - 1], None);
        for pair in waiting.windows(2) {
            watched.notify(pair[0], pair[1], usize::MAX);
        }
        watched
    };
    Scenario::new(begin)
        .actor(move |watched| watched.notify(zero, zero.begin_closed(fresh), 0))
        .actor(|watched| watched.reset(1))
        .end(|watched, _| {
            let delivered = watched.delivered();
            let (first, _) = delivered[0];
            format!(
                "{} delivered after {} missed",
                delivered.len(),
                first.missed
            )
        })
        .reaches(&["17 delivered after 0 missed", "16 delivered after 1 missed"])
        .takes(600, 600)
}

fn by_dispatcher(delivered: &[(Notification, usize)]) -> String {
    let each = delivered
        .iter()
        .map(|(notification, dispatcher)| format!("{} by {dispatcher}", notification.generation));
    each.collect::<Vec<_>>().join(", ")
}
