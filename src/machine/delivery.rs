//! The transitions that listeners have not been told of yet, and who tells them.
//!
//! The winner of a transition *posts* it after its CAS. Whoever posts while nobody is telling becomes
//! the teller: it *takes* transitions and tells the listeners of each, outside the lock, until none is
//! ready. So there is one teller at a time, and a transition that a listener makes is told after that
//! listener returns.
//!
//! ```text
//!              next = 7                a window of 16 generations from `next` on
//!                 |
//! waiting   [ ... 7 | 8 | – | 10 ... ]  9 was won but is not posted yet: 10 waits for it
//! ```
//!
//! Rules:
//!
//! 1. Transitions are taken in the order of their generations, each once: one that is posted early
//!    waits for those before it, whose winners are about to post them.
//! 2. At most [`ROOM`] wait. A post beyond that moves `next` on; what it passes over is missed, posted
//!    or not, and the next transition taken says how many.
//!    Which generations are still to come the word tells: those from `next` on to its own.
//! 3. When nobody posts and nobody tells, nothing waits: `take` ends the telling and `post` sees it, both
//!    under the lock.

use crate::sync::Mutex;

use super::{cell::Cell, step::Change};

/// The most transitions that wait.
pub(crate) const ROOM: u16 = 16;

/// The transitions of one breaker that wait to be told.
#[derive(Debug)]
pub(crate) struct Delivery(Mutex<Queue>);

#[derive(Debug)]
struct Queue {
    /// The generation to be taken next.
    next: u16,
    waiting: [Option<Change>; ROOM as usize],
    missed: u32,
    telling: bool,
}

/// A transition to tell the listeners of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) change: Change,
    /// How many transitions before it are not told.
    pub(crate) missed: u32,
}

impl Delivery {
    /// The delivery of a breaker whose next transition begins `generation`.
    pub(crate) fn from(generation: u16) -> Self {
        Self::after(0, generation)
    }

    fn after(missed: u16, generation: u16) -> Self {
        Self(Mutex::new(Queue {
            next: generation,
            waiting: [None; ROOM as usize],
            missed: missed.into(),
            telling: false,
        }))
    }

    /// The delivery of a forked child, which posts `generation` first.
    ///
    /// Transitions that wait here are the parent's to tell. A thread of the parent that had the
    /// lock, or was the teller, keeps both for ever in the child: then no transition is said to be
    /// missed.
    pub(crate) fn in_child(&self, generation: u16) -> Self {
        let seen = self.0.try_lock().ok();
        let idle = seen.filter(|queue| !queue.telling && queue.waiting.iter().all(Option::is_none));
        let missed = idle.map_or(0, |queue| generation.wrapping_sub(queue.next));
        Self::after(missed, generation)
    }

    /// Adds a transition of this word, and says whether the caller is now the teller.
    #[must_use = "a teller must take until nothing is left"]
    pub(crate) fn post(&self, word: &Cell, change: Change) -> bool {
        self.with(|queue| {
            // Under the lock, so that it is at least as new as all that was posted.
            queue.add(change, word.load().generation());
            !core::mem::replace(&mut queue.telling, true)
        })
    }

    /// The next transition; with `None` the caller is no longer the teller.
    pub(crate) fn take(&self) -> Option<Told> {
        self.with(|queue| {
            let told = queue.take();
            queue.telling = told.is_some();
            told
        })
    }

    fn with<R>(&self, f: impl FnOnce(&mut Queue) -> R) -> R {
        // No user code runs under the lock, so a poisoned one is still whole.
        let mut queue = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        f(&mut queue)
    }
}

impl Queue {
    fn add(&mut self, change: Change, newest: u16) {
        let ahead = change.generation.wrapping_sub(self.next);
        // Not half of the range: a winner may stop for any number of transitions before it posts.
        let to_come = newest.wrapping_add(1).wrapping_sub(self.next);
        if ahead >= to_come {
            return; // Passed over already, and counted as missed.
        }
        for _ in ROOM..=ahead {
            *self.slot(self.next) = None;
            self.next = self.next.wrapping_add(1);
            self.missed += 1;
        }
        *self.slot(change.generation) = Some(change);
    }

    fn take(&mut self) -> Option<Told> {
        let change = self.slot(self.next).take()?;
        self.next = self.next.wrapping_add(1);
        Some(Told {
            change,
            missed: core::mem::take(&mut self.missed),
        })
    }

    fn slot(&mut self, generation: u16) -> &mut Option<Change> {
        &mut self.waiting[usize::from(generation % ROOM)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        machine::{
            step::Cause,
            word::{State, Word},
        },
        sync::AtomicU64,
    };

    fn change(generation: u16) -> Change {
        Change {
            from: State::Closed,
            to: State::Closed,
            generation,
            cause: Cause::Operator,
            count: None,
            reopens: 0,
            open_ms: None,
        }
    }

    /// The word after so many transitions.
    fn after(transitions: u16) -> Cell {
        let word = (0..transitions).fold(Word::new(0), |word, _| word.begin_closed(0));
        Cell::over(AtomicU64::new(word.bits()))
    }

    fn taken(delivery: &Delivery) -> Vec<(u16, u32)> {
        std::iter::from_fn(|| delivery.take())
            .map(|told| (told.change.generation, told.missed))
            .collect()
    }

    #[test]
    fn one_posted_early_waits_for_those_before_it() {
        let word = after(2);
        let delivery = Delivery::from(1);
        assert!(delivery.post(&word, change(2)));
        assert_eq!(taken(&delivery), []);
        assert!(delivery.post(&word, change(1)));
        assert_eq!(taken(&delivery), [(1, 0), (2, 0)]);
    }

    #[test]
    fn there_is_one_teller() {
        let word = after(3);
        let delivery = Delivery::from(1);
        assert!(delivery.post(&word, change(1)));
        assert!(!delivery.post(&word, change(2)));
        assert_eq!(taken(&delivery), [(1, 0), (2, 0)]);
        assert!(delivery.post(&word, change(3)));
    }

    #[test]
    fn beyond_the_room_the_oldest_are_missed_and_said_to_be() {
        let word = after(20);
        let delivery = Delivery::from(1);
        for generation in 1..=20 {
            let _ = delivery.post(&word, change(generation));
        }
        let told = taken(&delivery);
        assert_eq!(told.len(), 16);
        assert_eq!(told[0], (5, 4));
        assert!(told[1..].iter().all(|(_, missed)| *missed == 0));
        assert_eq!(told[15].0, 20);
    }

    #[test]
    fn one_that_is_never_posted_is_passed_over_in_the_end() {
        let word = after(18);
        let delivery = Delivery::from(1);
        for generation in 2..=17 {
            let _ = delivery.post(&word, change(generation));
        }
        assert_eq!(taken(&delivery)[0], (2, 1));
        let _ = delivery.post(&word, change(1));
        assert_eq!(taken(&delivery), [], "the latecomer was counted as missed");
        let _ = delivery.post(&word, change(18));
        assert_eq!(taken(&delivery), [(18, 0)], "and moved nothing");
    }

    #[test]
    fn a_child_tells_what_it_posts_itself() {
        let told_in_child = |parent: &Delivery, generation| {
            let child = parent.in_child(generation);
            assert!(
                child.post(&after(generation), change(generation)),
                "the child has a teller"
            );
            taken(&child)
        };
        let parent = Delivery::from(1);
        assert_eq!(told_in_child(&parent, 1), [(1, 0)]);
        let lock = parent.0.lock();
        assert_eq!(told_in_child(&parent, 2), [(2, 0)], "the lock is held");
        drop(lock);
        assert!(parent.post(&after(4), change(1)));
        assert!(parent.take().is_some());
        assert_eq!(told_in_child(&parent, 3), [(3, 0)], "the parent tells");
        assert!(parent.take().is_none());
        assert!(parent.post(&after(4), change(3)));
        assert!(parent.take().is_none());
        assert_eq!(told_in_child(&parent, 4), [(4, 0)], "3 is the parent's");
    }

    #[test]
    fn a_transition_that_a_child_passes_over_is_missed() {
        let child = Delivery::from(1).in_child(2);
        assert!(
            child.post(&after(4), change(2)),
            "before another thread of the child"
        );
        assert!(!child.post(&after(4), change(1)));
        assert_eq!(taken(&child), [(2, 1)]);
    }

    #[test]
    fn one_that_is_posted_after_any_number_of_later_ones_moves_nothing() {
        for passed in [17, 0x7FFF, 0x8000, 40_000, u16::MAX - 1] {
            let delivery = Delivery::from(1);
            let last = passed.wrapping_add(1);
            let word = after(last);
            for back in (0..ROOM).rev() {
                let _ = delivery.post(&word, change(last.wrapping_sub(back)));
            }
            assert_eq!(taken(&delivery).last(), Some(&(last, 0)), "{passed}");
            let _ = delivery.post(&word, change(1));
            assert_eq!(taken(&delivery), [], "{passed}: it was counted as missed");
            let next = last.wrapping_add(1);
            let _ = delivery.post(&after(next), change(next));
            assert_eq!(taken(&delivery), [(next, 0)], "{passed}: and moved nothing");
        }
    }

    #[test]
    fn generations_wrap() {
        let word = after(0);
        let delivery = Delivery::from(u16::MAX);
        let _ = delivery.post(&word, change(0));
        let _ = delivery.post(&word, change(u16::MAX));
        assert_eq!(taken(&delivery), [(u16::MAX, 0), (0, 0)]);
    }
}
