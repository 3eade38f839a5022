//! Wakes the threads that wait for a transition, or to be told to stop.
//!
//! ```text
//! bell     rung 31 | marked 1
//! ```
//!
//! | operation | does | who |
//! |---|---|---|
//! | mark | sets `marked` | a watcher, before it looks at what it waits for |
//! | sleep | until woken, if the bell is as it was marked | a watcher that saw nothing |
//! | ring | counts `rung` on and takes `marked`; if that was set, wakes all | whoever changed something, afterwards |
//!
//! **Why no change is slept through.** Mark and ring are read-modify-writes of one atomic, so one comes first. If
//! it is the ring, the mark reads what that left, and the look that follows sees the change. If it is the mark,
//! the ring finds it and wakes all; a watcher that is not asleep by then finds the bell rung, and does not sleep.
//! (The system compares and falls asleep in one step.)
//!
//! **What wraps.** `rung`, after 2^31 rings between a mark and its sleep. Each is a transition or a stop.
//!
//! | a thread stops | then |
//! |---|---|
//! | between its change and its ring | watchers sleep until that ring, or the next one |
//! | after its mark | one ring wakes nobody |

use crate::sync::{AtomicU32, Ordering, wait, wake_all};

const MARKED: u32 = 1;
const RUNG: u32 = 2;

/// The bell of one breaker.
#[derive(Debug)]
pub(crate) struct Bell(AtomicU32);

impl Bell {
    /// A bell over an atomic that holds 0.
    pub(crate) const fn over(bell: AtomicU32) -> Self {
        Self(bell)
    }

    /// Looks until there is something to see, and sleeps in between.
    pub(crate) fn watch<S>(&self, look: impl Fn() -> Option<S>) -> S {
        loop {
            // ORDERING: Acquire. Pairs with the Release of `ring`. Without it the look may see what stood before a
            // change whose ring is over, and nobody would wake this thread for it.
            let marked = self.0.fetch_or(MARKED, Ordering::Acquire) | MARKED;
            if let Some(seen) = look() {
                return seen;
            }
            wait(&self.0, marked);
        }
    }

    /// Makes a change that watchers look for, and wakes them: in this order, as one that looks in between would
    /// sleep through the change.
    pub(crate) fn ring_after(&self, change: impl FnOnce()) {
        change();
        self.ring();
    }

    /// Wakes those who watch, once what they look for has changed.
    pub(crate) fn ring(&self) {
        let next = |bell: u32| Some(bell.wrapping_add(RUNG) & !MARKED);
        // ORDERING, stored: Release, pairs with the Acquire of `watch`; without it as said there. Relaxed where
        // it is loaded or lost: nothing is concluded but whether somebody marked it.
        let rung = self
            .0
            .fetch_update(Ordering::Release, Ordering::Relaxed, next);
        if rung.is_ok_and(|before| before & MARKED != 0) {
            wake_all(&self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::Cell;

    #[test]
    fn who_sees_something_at_once_does_not_sleep() {
        let bell = Bell::over(AtomicU32::new(0));
        assert_eq!(bell.watch(|| Some(7)), 7);
    }

    #[test]
    fn a_ring_between_look_and_sleep_is_not_slept_through() {
        let bell = Bell::over(AtomicU32::new(0));
        let looks = Cell::new(0);
        let seen = bell.watch(|| {
            looks.set(looks.get() + 1);
            if looks.get() == 1 {
                bell.ring();
                return None;
            }
            Some(looks.get())
        });
        assert_eq!(seen, 2);
    }

    #[test]
    fn the_first_ring_wakes_a_thread_that_sleeps() {
        // The test cannot see that the watcher sleeps, so it gives the watcher time to, in each of some rounds.
        for _ in 0..20 {
            let bell = Bell::over(AtomicU32::new(0));
            let changed = AtomicU32::new(0);
            std::thread::scope(|threads| {
                threads
                    .spawn(|| bell.watch(|| (changed.load(Ordering::Relaxed) == 1).then_some(())));
                while bell.0.load(Ordering::Relaxed) != MARKED {
                    std::thread::yield_now();
                }
                std::thread::sleep(core::time::Duration::from_millis(1));
                bell.ring_after(|| changed.store(1, Ordering::Relaxed));
            });
        }
    }

    #[test]
    fn the_count_wraps_beside_the_mark() {
        let bell = Bell::over(AtomicU32::new(u32::MAX));
        bell.ring();
        assert_eq!(bell.0.into_inner(), 0);
    }
}
