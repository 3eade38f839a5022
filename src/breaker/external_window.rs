//! The slot of the external window: the window is allocated at its first use.

use core::cell::Cell;
use std::{boxed::Box, sync::OnceLock, thread};

use crate::{
    machine::{
        rules::Rules,
        trip::{external::ExternalWindow, slot::Slot},
    },
    sync::{AtomicU64, Ordering},
};

/// The most shards. A failure adds all of them up.
const MOST_SHARDS: usize = 64;

/// The slot of an external window. The first failure fills it; for time buckets, the first call
/// that ends.
pub(super) struct LazyWindow(OnceLock<Option<Box<ExternalWindow>>>);

impl LazyWindow {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }
}

impl Slot for LazyWindow {
    #[inline]
    fn get(&self) -> Option<&ExternalWindow> {
        self.0.get()?.as_deref()
    }

    fn get_or_make(&self, rules: &Rules) -> Option<&ExternalWindow> {
        let made = || ExternalWindow::new(rules, shards).map(Box::new);
        self.0.get_or_init(made).as_deref()
    }

    #[inline]
    fn thread(&self) -> usize {
        NUMBER.get()
    }

    fn number_thread(&self) -> usize {
        number_thread()
    }
}

/// The number of threads that can run at once, at most [`MOST_SHARDS`].
fn shards() -> usize {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    threads.min(MOST_SHARDS)
}

thread_local! {
    /// The number of this thread, once it has one. It has no destructor and no lazy initialiser, so
    /// that an access is a plain load.
    static NUMBER: Cell<usize> = const { Cell::new(NONE) };
}

const NONE: usize = usize::MAX;

/// The number of this thread, which gets one if it has none. A thread that ends keeps its number.
fn number_thread() -> usize {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    if NUMBER.get() == NONE {
        // ORDERING: Relaxed. Numbers need only differ, and their low bits choose the shard.
        let number = NEXT.fetch_add(1, Ordering::Relaxed) % (1 << 16);
        NUMBER.set(usize::try_from(number).unwrap_or(0));
    }
    NUMBER.get()
}
