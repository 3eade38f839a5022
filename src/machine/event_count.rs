//! Event count: wakes the threads that wait for a transition or for a request to stop.
//!
//! ```text
//! state     notified 31 | waiting 1
//! ```
//!
//! | operation | effect | by |
//! |---|---|---|
//! | announce | sets `waiting` | a watcher, before it checks its condition |
//! | sleep | until woken, if the atomic is as the announcement left it | a watcher whose condition is false |
//! | notify | increments `notified` and clears `waiting`; wakes all if `waiting` was set | a thread, after its change |
//!
//! **No watcher sleeps through a change.** Announcement and notification are read-modify-writes of
//! one atomic, so one comes first. If the notification is first, the announcement reads its value,
//! and the check that follows sees the change. If the announcement is first, the notification finds
//! it and wakes all. A watcher that is not asleep by then finds another value, and does not sleep:
//! the system compares and sleeps in one step.
//!
//! **What wraps.** `notified`, after 2^31 notifications between an announcement and its sleep. Each
//! is a transition or a stop.
//!
//! | a thread stops | then |
//! |---|---|
//! | between its change and its notification | watchers sleep until that notification, or the next one |
//! | after its announcement | one notification makes a system call that wakes no thread |

use crate::sync::{AtomicU32, Ordering, wait, wake_all};

const WAITING: u32 = 1;
const NOTIFICATION: u32 = 2;

/// The event count of one breaker.
#[derive(Debug)]
pub(crate) struct EventCount(AtomicU32);

impl EventCount {
    /// An event count in an atomic that holds 0.
    pub(crate) const fn over(state: AtomicU32) -> Self {
        Self(state)
    }

    /// Calls `look` until it returns a value, and sleeps in between.
    pub(crate) fn watch<S>(&self, look: impl Fn() -> Option<S>) -> S {
        loop {
            // ORDERING: Acquire. Pairs with the Release of `notify_all`. Without it `look` may see
            // the state before a change whose notification is over, and no notification would wake
            // this thread for that change.
            let waiting = self.0.fetch_or(WAITING, Ordering::Acquire) | WAITING;
            if let Some(seen) = look() {
                return seen;
            }
            wait(&self.0, waiting);
        }
    }

    /// Makes a change that watchers wait for, and wakes them afterwards. In the opposite order a
    /// watcher that checks in between would sleep through the change.
    pub(crate) fn notify_after(&self, change: impl FnOnce()) {
        change();
        self.notify_all();
    }

    /// Wakes the watchers. Their condition must have changed before.
    pub(crate) fn notify_all(&self) {
        let next = |state: u32| Some(state.wrapping_add(NOTIFICATION) & !WAITING);
        // ORDERING, success: Release, pairs with the Acquire of `watch`, which says what fails
        // without it.
        // ORDERING, load and failure: Relaxed. The value only says whether a watcher waits.
        let notified = self
            .0
            .fetch_update(Ordering::Release, Ordering::Relaxed, next);
        if notified.is_ok_and(|before| before & WAITING != 0) {
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
        let state = EventCount::over(AtomicU32::new(0));
        assert_eq!(state.watch(|| Some(7)), 7);
    }

    #[test]
    fn a_ring_between_check_and_sleep_prevents_the_sleep() {
        let state = EventCount::over(AtomicU32::new(0));
        let looks = Cell::new(0);
        let seen = state.watch(|| {
            looks.set(looks.get() + 1);
            if looks.get() == 1 {
                state.notify_all();
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
            let state = EventCount::over(AtomicU32::new(0));
            let changed = AtomicU32::new(0);
            std::thread::scope(|threads| {
                threads
                    .spawn(|| state.watch(|| (changed.load(Ordering::Relaxed) == 1).then_some(())));
                while state.0.load(Ordering::Relaxed) != WAITING {
                    std::thread::yield_now();
                }
                std::thread::sleep(core::time::Duration::from_millis(1));
                state.notify_after(|| changed.store(1, Ordering::Relaxed));
            });
        }
    }

    #[test]
    fn the_count_wraps_without_changing_the_waiting_bit() {
        let state = EventCount::over(AtomicU32::new(u32::MAX));
        state.notify_all();
        assert_eq!(state.0.into_inner(), 0);
    }
}
