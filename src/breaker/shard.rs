//! Shards: counters that few threads share, each in a cache line of its own.

use core::cell::Cell;
use std::thread;

use crate::sync::{AtomicU64, Ordering};

/// The most shards. A reader adds all of them up.
const MOST_SHARDS: usize = 64;

/// The number of threads that can run at once, at most [`MOST_SHARDS`].
pub(super) fn shards() -> usize {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    threads.min(MOST_SHARDS)
}

thread_local! {
    /// The number of this thread, once it has one. It has no destructor and no lazy initialiser, so
    /// that an access is a plain load.
    static NUMBER: Cell<usize> = const { Cell::new(NONE) };
}

const NONE: usize = usize::MAX;

/// The number of this thread, which chooses its shard, if the thread has one.
#[inline]
pub(super) fn thread_number() -> Option<usize> {
    match NUMBER.get() {
        NONE => None,
        number => Some(number),
    }
}

/// The number of this thread, which gets one if it has none. A thread that ends keeps its number.
pub(super) fn number_thread() -> usize {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    thread_number().unwrap_or_else(|| {
        // ORDERING: Relaxed. Numbers need only differ, and their low bits choose the shard.
        let number = NEXT.fetch_add(1, Ordering::Relaxed) % (1 << 16);
        NUMBER.set(usize::try_from(number).unwrap_or(0));
        NUMBER.get()
    })
}
