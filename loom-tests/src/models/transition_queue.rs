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
    subject::{Subject, Teller, Told},
};

/// A breaker whose transitions are delivered to a listener.
struct Watched<S: Subject> {
    subject: S,
    teller: S::Teller,
    log: Mutex<Vec<Entry>>,
    /// The listener makes a transition of its own when it is notified of this generation.
    answers: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Begins { told: Told, teller: usize },
    Ends { generation: u16 },
}

impl<S: Subject> Watched<S> {
    fn at(word: Word, answers: Option<u16>) -> Self {
        Self {
            subject: S::at(word, rules()),
            teller: S::Teller::beginning_at(1),
            log: Mutex::new(Vec::new()),
            answers,
        }
    }

    /// Makes a transition, and notifies the listener.
    fn reset(&self, actor: usize) {
        let did = self.subject.operate(Command::Reset, NOW);
        self.notify(did.before, did.after, actor);
    }

    fn notify(&self, before: Word, after: Word, actor: usize) {
        let change = RawTransition::between(before, after, Event::Operate, NOW, None, &rules());
        let newest = || self.subject.word().generation();
        self.teller
            .notify(change, &newest, &|told| self.listen(told, actor));
    }

    fn listen(&self, told: Told, teller: usize) {
        let generation = told.generation;
        self.write(Entry::Begins { told, teller });
        if self.answers == Some(generation) {
            self.reset(teller);
        }
        self.write(Entry::Ends { generation });
    }

    fn write(&self, entry: Entry) {
        self.log.lock().expect("no listener panics").push(entry);
    }

    /// The delivered transitions, each with its dispatcher. Asserts that they were delivered in
    /// order, one at a time and to the last, without a gap that is not announced.
    fn told(&self) -> Vec<(Told, usize)> {
        let log = self.log.lock().expect("no listener panics");
        let mut next = 1;
        let mut all = Vec::new();
        for entries in log.chunks(2) {
            let [Entry::Begins { told, teller }, ends] = *entries else {
                panic!("not one at a time: {entries:?}");
            };
            let generation = told.generation;
            assert_eq!(ends, Entry::Ends { generation }, "not one at a time");
            assert_eq!(u32::from(generation), next + told.missed, "not in order");
            next = u32::from(generation) + 1;
            all.push((told, teller));
        }
        let last = u32::from(self.subject.word().generation());
        assert_eq!(next, last + 1, "something is left");
        all
    }
}

/// I19: either thread delivers either transition.
pub(crate) fn transitions_are_told_in_their_order<S: Subject>() -> Model {
    Scenario::new(|| Watched::<S>::at(closed(&rules()), None))
        .actor(|watched| watched.reset(0))
        .actor(|watched| watched.reset(1))
        .end(|watched, _| by_whom(&watched.told()))
        .reaches(&[
            "1 by 0, 2 by 0",
            "1 by 0, 2 by 1",
            "1 by 1, 2 by 0",
            "1 by 1, 2 by 1",
        ])
        .takes(190, 330)
}

/// I19, with three threads.
pub(crate) fn three_tellers_are_one_at_a_time<S: Subject>() -> Model {
    Scenario::new(|| Watched::<S>::at(closed(&rules()), None))
        .actor(|watched| watched.reset(0))
        .actor(|watched| watched.reset(1))
        .actor(|watched| watched.reset(2))
        .end(|watched, _| {
            let told = watched.told();
            assert_eq!(told.len(), 3);
            let tellers: BTreeSet<_> = told.iter().map(|(_, teller)| teller).collect();
            format!("{} told", tellers.len())
        })
        .reaches(&["1 told", "2 told", "3 told"])
        .takes(11_000, 3_500)
}

/// I19, where the listener makes a transition of its own.
pub(crate) fn a_transition_of_a_listener_is_told_after_it_returns<S: Subject>() -> Model {
    Scenario::new(|| Watched::<S>::at(closed(&rules()), Some(1)))
        .actor(|watched| watched.reset(0))
        .actor(|watched| watched.reset(1))
        .end(|watched, _| by_whom(&watched.told()))
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
        let watched = Watched::<S>::at(waiting[waiting.len() - 1], None);
        for pair in waiting.windows(2) {
            watched.notify(pair[0], pair[1], usize::MAX);
        }
        watched
    };
    Scenario::new(begin)
        .actor(move |watched| watched.notify(zero, zero.begin_closed(fresh), 0))
        .actor(|watched| watched.reset(1))
        .end(|watched, _| {
            let told = watched.told();
            let (first, _) = told[0];
            format!("{} told after {} missed", told.len(), first.missed)
        })
        .reaches(&["17 told after 0 missed", "16 told after 1 missed"])
        .takes(600, 600)
}

fn by_whom(told: &[(Told, usize)]) -> String {
    let each = told
        .iter()
        .map(|(told, teller)| format!("{} by {teller}", told.generation));
    each.collect::<Vec<_>>().join(", ")
}
