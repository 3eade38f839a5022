//! Queue of transitions that listeners have not been notified of yet.
//!
//! The thread whose CAS made a transition *pushes* it. The thread that pushes while no thread
//! dispatches becomes the dispatcher: it *pops* transitions and notifies the listeners of each,
//! outside the lock, until none is ready. So there is one dispatcher at a time, and a transition
//! made inside a listener is delivered after that listener returns.
//!
//! ```text
//!              next = 7                a window of 16 generations from `next` on
//!                 |
//! waiting   [ ... 7 | 8 | – | 10 ... ]  9 was made but is not pushed yet: 10 waits for it
//! ```
//!
//! Rules:
//!
//! 1. Transitions are popped in the order of their generations, each once. A transition that is
//!    pushed early waits for those before it, which other threads are about to push.
//! 2. At most [`CAPACITY`] wait. A push beyond that moves `next` on. The transitions that `next`
//!    passes over are missed, pushed or not, and the next transition popped says how many. The word
//!    says which generations are still to come: those from `next` on to its own.
//! 3. When no thread pushes or dispatches, nothing waits: `pop` ends the dispatch and `push` sees
//!    that, both under the lock.

use crate::sync::Mutex;

use super::step::RawTransition;

/// The maximum number of transitions that wait.
pub(crate) const CAPACITY: u16 = 16;

/// The undelivered transitions of one breaker.
#[derive(Debug)]
pub(crate) struct TransitionQueue(Mutex<Queue>);

#[derive(Debug)]
struct Queue {
    /// The generation to be popped next.
    next: u16,
    waiting: [Option<RawTransition>; CAPACITY as usize],
    missed: u32,
    dispatching: bool,
}

/// A transition to notify the listeners of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueuedTransition {
    pub(crate) change: RawTransition,
    /// The number of transitions before it that are never delivered.
    pub(crate) missed: u32,
}

impl TransitionQueue {
    /// The queue of a breaker whose next transition begins `generation`.
    pub(crate) fn from(generation: u16) -> Self {
        Self::after(0, generation)
    }

    fn after(missed: u16, generation: u16) -> Self {
        Self(Mutex::new(Queue {
            next: generation,
            waiting: [None; CAPACITY as usize],
            missed: missed.into(),
            dispatching: false,
        }))
    }

    /// The queue of a forked child, which pushes `generation` first.
    ///
    /// The parent delivers the transitions that wait here. A thread of the parent that had the
    /// lock, or dispatched, keeps both for ever in the child: then no transition is reported as
    /// missed.
    pub(crate) fn in_child(&self, generation: u16) -> Self {
        let seen = self.0.try_lock().ok();
        let idle =
            seen.filter(|queue| !queue.dispatching && queue.waiting.iter().all(Option::is_none));
        let missed = idle.map_or(0, |queue| generation.wrapping_sub(queue.next));
        Self::after(missed, generation)
    }

    /// Adds a transition, and returns whether the caller is now the dispatcher. `newest` loads the
    /// generation of the word.
    #[must_use = "a dispatcher must pop until nothing is left"]
    pub(crate) fn push(&self, change: RawTransition, newest: impl FnOnce() -> u16) -> bool {
        self.with(|queue| {
            // Under the lock, so that the generation is at least as new as all that were pushed.
            queue.push(change, newest());
            !core::mem::replace(&mut queue.dispatching, true)
        })
    }

    /// The next transition; after `None` the caller is no longer the dispatcher.
    pub(crate) fn pop(&self) -> Option<QueuedTransition> {
        self.with(|queue| {
            let popped = queue.pop();
            queue.dispatching = popped.is_some();
            popped
        })
    }

    fn with<R>(&self, f: impl FnOnce(&mut Queue) -> R) -> R {
        // No user code runs under the lock, so a poisoned queue is still consistent.
        let mut queue = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        f(&mut queue)
    }
}

impl Queue {
    fn push(&mut self, change: RawTransition, newest: u16) {
        let ahead = change.generation.wrapping_sub(self.next);
        // Not half of the range: a thread may stop for any number of transitions before it pushes.
        let to_come = newest.wrapping_add(1).wrapping_sub(self.next);
        if ahead >= to_come {
            return; // Passed over already, and counted as missed.
        }
        for _ in CAPACITY..=ahead {
            *self.slot(self.next) = None;
            self.next = self.next.wrapping_add(1);
            self.missed += 1;
        }
        *self.slot(change.generation) = Some(change);
    }

    fn pop(&mut self) -> Option<QueuedTransition> {
        let change = self.slot(self.next).take()?;
        self.next = self.next.wrapping_add(1);
        Some(QueuedTransition {
            change,
            missed: core::mem::take(&mut self.missed),
        })
    }

    fn slot(&mut self, generation: u16) -> &mut Option<RawTransition> {
        &mut self.waiting[usize::from(generation % CAPACITY)]
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{step::Cause, word::State},
        *,
    };

    fn change(generation: u16) -> RawTransition {
        RawTransition {
            from: State::Closed,
            to: State::Closed,
            generation,
            cause: Cause::Operator,
            count: None,
            reopens: 0,
            open_ms: None,
        }
    }

    /// The generation of the word, while it is at this one.
    fn newest(generation: u16) -> impl FnOnce() -> u16 {
        move || generation
    }

    fn pop_all(queue: &TransitionQueue) -> Vec<(u16, u32)> {
        std::iter::from_fn(|| queue.pop())
            .map(|queued| (queued.change.generation, queued.missed))
            .collect()
    }

    #[test]
    fn a_transition_posted_early_waits_for_those_before_it() {
        let word = 2;
        let queue = TransitionQueue::from(1);
        assert!(queue.push(change(2), newest(word)));
        assert_eq!(pop_all(&queue), []);
        assert!(queue.push(change(1), newest(word)));
        assert_eq!(pop_all(&queue), [(1, 0), (2, 0)]);
    }

    #[test]
    fn there_is_one_dispatcher() {
        let word = 3;
        let queue = TransitionQueue::from(1);
        assert!(queue.push(change(1), newest(word)));
        assert!(!queue.push(change(2), newest(word)));
        assert_eq!(pop_all(&queue), [(1, 0), (2, 0)]);
        assert!(queue.push(change(3), newest(word)));
    }

    #[test]
    fn beyond_the_capacity_the_oldest_are_reported_as_missed() {
        let word = 20;
        let queue = TransitionQueue::from(1);
        for generation in 1..=20 {
            let _ = queue.push(change(generation), newest(word));
        }
        let popped = pop_all(&queue);
        assert_eq!(popped.len(), 16);
        assert_eq!(popped[0], (5, 4));
        assert!(popped[1..].iter().all(|(_, missed)| *missed == 0));
        assert_eq!(popped[15].0, 20);
    }

    #[test]
    fn a_transition_that_is_never_posted_is_passed_over() {
        let word = 18;
        let queue = TransitionQueue::from(1);
        for generation in 2..=17 {
            let _ = queue.push(change(generation), newest(word));
        }
        assert_eq!(pop_all(&queue)[0], (2, 1));
        let _ = queue.push(change(1), newest(word));
        assert_eq!(pop_all(&queue), [], "the latecomer was counted as missed");
        let _ = queue.push(change(18), newest(word));
        assert_eq!(pop_all(&queue), [(18, 0)], "and moved nothing");
    }

    #[test]
    fn a_child_delivers_its_own_transitions() {
        let popped_in_child = |parent: &TransitionQueue, generation| {
            let child = parent.in_child(generation);
            assert!(
                child.push(change(generation), newest(generation)),
                "the child has a dispatcher"
            );
            pop_all(&child)
        };
        let parent = TransitionQueue::from(1);
        assert_eq!(popped_in_child(&parent, 1), [(1, 0)]);
        let lock = parent.0.lock();
        assert_eq!(popped_in_child(&parent, 2), [(2, 0)], "the lock is held");
        drop(lock);
        assert!(parent.push(change(1), newest(4)));
        assert!(parent.pop().is_some());
        assert_eq!(
            popped_in_child(&parent, 3),
            [(3, 0)],
            "the parent dispatches"
        );
        assert!(parent.pop().is_none());
        assert!(parent.push(change(3), newest(4)));
        assert!(parent.pop().is_none());
        assert_eq!(popped_in_child(&parent, 4), [(4, 0)], "3 is the parent's");
    }

    #[test]
    fn a_transition_that_a_child_passes_over_is_missed() {
        let child = TransitionQueue::from(1).in_child(2);
        assert!(
            child.push(change(2), newest(4)),
            "before another thread of the child"
        );
        assert!(!child.push(change(1), newest(4)));
        assert_eq!(pop_all(&child), [(2, 1)]);
    }

    #[test]
    fn a_transition_pushed_after_any_number_of_later_ones_moves_nothing() {
        for passed in [17, 0x7FFF, 0x8000, 40_000, u16::MAX - 1] {
            let queue = TransitionQueue::from(1);
            let last = passed.wrapping_add(1);
            let word = last;
            for back in (0..CAPACITY).rev() {
                let _ = queue.push(change(last.wrapping_sub(back)), newest(word));
            }
            assert_eq!(pop_all(&queue).last(), Some(&(last, 0)), "{passed}");
            let _ = queue.push(change(1), newest(word));
            assert_eq!(pop_all(&queue), [], "{passed}: it was counted as missed");
            let next = last.wrapping_add(1);
            let _ = queue.push(change(next), newest(next));
            assert_eq!(pop_all(&queue), [(next, 0)], "{passed}: and moved nothing");
        }
    }

    #[test]
    fn generations_wrap() {
        let word = 0;
        let queue = TransitionQueue::from(u16::MAX);
        let _ = queue.push(change(0), newest(word));
        let _ = queue.push(change(u16::MAX), newest(word));
        assert_eq!(pop_all(&queue), [(u16::MAX, 0), (0, 0)]);
    }
}
