//! The atomics of the shipped machine under shuttle: shuttle's, with a count of failed CASes.
//!
//! shuttle treats every ordering as `SeqCst`: a load never sees an old value, and a fence does
//! nothing. So shuttle checks the interleavings, and loom checks the orderings.

#![allow(
    dead_code,
    unused_imports,
    reason = "the same interface as the real one, whatever the machine uses of it today"
)]

#[path = "../../src/futex.rs"]
mod futex;

use std::cell::Cell;

use shuttle::sync::atomic as model;

pub(crate) use crossbeam_utils::CachePadded;
pub(crate) use futex::{AtomicU32, wait, wake_all};
pub(crate) use shuttle::sync::{
    Mutex,
    atomic::{Ordering, fence},
};

thread_local! {
    /// Number of failed CASes. shuttle runs all threads of an execution on one system thread.
    static LOST: Cell<usize> = const { Cell::new(0) };
}

/// Number of CASes that ever failed on this system thread.
pub(crate) fn lost() -> usize {
    LOST.get()
}

/// All successes that are counted outside the word meet in one shard.
pub(crate) fn actor() -> usize {
    0
}

/// An atomic of the machine.
#[derive(Debug)]
pub(crate) struct AtomicU64(model::AtomicU64);

impl AtomicU64 {
    pub(crate) fn new(value: u64) -> Self {
        Self(model::AtomicU64::new(value))
    }

    pub(crate) fn load(&self, order: Ordering) -> u64 {
        self.0.load(order)
    }

    pub(crate) fn store(&self, value: u64, order: Ordering) {
        self.0.store(value, order);
    }

    pub(crate) fn swap(&self, value: u64, order: Ordering) -> u64 {
        self.0.swap(value, order)
    }

    pub(crate) fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        let done = self.0.compare_exchange(current, new, success, failure);
        LOST.set(LOST.get() + usize::from(done.is_err()));
        done
    }

    /// Never fails spuriously.
    pub(crate) fn compare_exchange_weak(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.compare_exchange(current, new, success, failure)
    }

    pub(crate) fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
        self.0.fetch_add(value, order)
    }

    pub(crate) fn fetch_sub(&self, value: u64, order: Ordering) -> u64 {
        self.0.fetch_sub(value, order)
    }

    pub(crate) fn fetch_or(&self, value: u64, order: Ordering) -> u64 {
        self.0.fetch_or(value, order)
    }

    pub(crate) fn fetch_max(&self, value: u64, order: Ordering) -> u64 {
        self.0.fetch_max(value, order)
    }
}

/// Does nothing: shuttle has no time, and decides itself which thread runs next.
pub(crate) fn pause() {}
