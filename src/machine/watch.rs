//! Event count: wakes the threads that wait for a transition or for a request to stop.
//!
//! ```text
//! bell     rung 31 | marked 1
//! ```
//!
//! | operation | effect | by |
//! |---|---|---|
//! | mark | sets `marked` | a watcher, before it checks its condition |
//! | sleep | until woken, if the atomic is as the mark left it | a watcher whose condition is false |
//! | ring | increments `rung` and clears `marked`; wakes all if `marked` was set | a thread, after its change |
//!
//! **No watcher sleeps through a change.** Mark and ring are read-modify-writes of one atomic, so
//! one comes first. If the ring is first, the mark reads its value, and the check that follows sees
//! the change. If the mark is first, the ring finds it and wakes all. A watcher that is not asleep
//! by then finds another value, and does not sleep: the system compares and sleeps in one step.
//!
//! **What wraps.** `rung`, after 2^31 rings between a mark and its sleep. Each is a transition or a
//! stop.
//!
//! | a thread stops | then |
//! |---|---|
//! | between its change and its ring | watchers sleep until that ring, or the next one |
//! | after its mark | one ring makes a system call that wakes no thread |

use crate::sync::{AtomicU32, Ordering, wait, wake_all};

const MARKED: u32 = 1;
const RUNG: u32 = 2;

/// The event count of one breaker.
#[derive(Debug)]
pub(crate) struct Bell(AtomicU32);

impl Bell {
    /// An event count in an atomic that holds 0.
    pub(crate) const fn over(bell: AtomicU32) -> Self {
        Self(bell)
    }

    /// Calls `look` until it returns a value, and sleeps in between.
    pub(crate) fn watch<S>(&self, look: impl Fn() -> Option<S>) -> S {
        loop {
            // ORDERING: Acquire. Pairs with the Release of `ring`. Without it `look` may see the
            // state before a change whose ring is over, and no ring would wake this thread for that
            // change.
            let marked = self.0.fetch_or(MARKED, Ordering::Acquire) | MARKED;
            if let Some(seen) = look() {
                return seen;
            }
            wait(&self.0, marked);
        }
    }

    /// Makes a change that watchers wait for, and wakes them afterwards. In the opposite order a
    /// watcher that checks in between would sleep through the change.
    pub(crate) fn ring_after(&self, change: impl FnOnce()) {
        change();
        self.ring();
    }

    /// Wakes the watchers. Their condition must have changed before.
    pub(crate) fn ring(&self) {
        let next = |bell: u32| Some(bell.wrapping_add(RUNG) & !MARKED);
        // ORDERING, success: Release, pairs with the Acquire of `watch`, which says what fails
        // without it.
        // ORDERING, load and failure: Relaxed. The value only says whether a watcher marked it.
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
    fn a_watcher_whose_condition_holds_does_not_sleep() {
        let bell = Bell::over(AtomicU32::new(0));
        assert_eq!(bell.watch(|| Some(7)), 7);
    }

    #[test]
    fn a_ring_between_check_and_sleep_prevents_the_sleep() {
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
        // The test cannot see that the watcher sleeps, so it gives the watcher time to, in each of
        // some rounds.
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
    fn the_count_wraps_without_changing_the_mark() {
        let bell = Bell::over(AtomicU32::new(u32::MAX));
        bell.ring();
        assert_eq!(bell.0.into_inner(), 0);
    }
}
