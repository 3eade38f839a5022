//! An atomic that threads can wait on, built from the back end's own primitives.

use crate::backend::{
    Condvar, Mutex,
    atomic::{self, Ordering},
};

/// An atomic that threads can wait on.
///
/// The system's futex is a queue behind a lock, under which a waiter compares before it sleeps.
/// This type works the same way.
#[derive(Debug)]
pub(crate) struct AtomicU32 {
    value: atomic::AtomicU32,
    lock: Mutex<()>,
    queue: Condvar,
}

impl AtomicU32 {
    pub(crate) fn new(value: u32) -> Self {
        Self {
            value: atomic::AtomicU32::new(value),
            lock: Mutex::new(()),
            queue: Condvar::new(),
        }
    }

    #[track_caller]
    pub(crate) fn fetch_or(&self, value: u32, order: Ordering) -> u32 {
        self.value.fetch_or(value, order)
    }

    #[track_caller]
    pub(crate) fn fetch_update(
        &self,
        stored: Ordering,
        loaded: Ordering,
        next: impl FnMut(u32) -> Option<u32>,
    ) -> Result<u32, u32> {
        self.value.fetch_update(stored, loaded, next)
    }
}

/// Sleeps until woken, if the atomic holds `value`.
pub(crate) fn wait(atomic: &AtomicU32, value: u32) {
    let lock = atomic.lock.lock().expect("nothing panics under it");
    // A compare, not a load, because the system's compare sees the newest value.
    let current = atomic.value.fetch_or(0, Ordering::Relaxed);
    if current == value {
        drop(atomic.queue.wait(lock).expect("nothing panics under it"));
    }
}

/// Wakes all threads that sleep on the atomic.
pub(crate) fn wake_all(atomic: &AtomicU32) {
    let lock = atomic.lock.lock().expect("nothing panics under it");
    atomic.queue.notify_all();
    drop(lock);
}
