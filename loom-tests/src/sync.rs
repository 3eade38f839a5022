//! The atomics of the shipped machine under a back end: the back end's own, with a switch.
//!
//! The switch is [`Spurious`]: which weak CASes fail although they need not. Those of loom and of
//! shuttle never do.
//!
//! Both back ends run all threads of a model on one system thread. So the switch and the counts are
//! ordinary thread-locals, and models can run in parallel.

#![allow(
    dead_code,
    unused_imports,
    reason = "the same interface as the real one, whatever the machine uses of it today"
)]

#[path = "futex.rs"]
mod futex;

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

pub(crate) use crossbeam_utils::CachePadded;
pub(crate) use futex::{AtomicU32, wait, wake_all};

use crate::backend::{self, atomic};
pub(crate) use crate::backend::{
    Mutex,
    atomic::{Ordering, fence},
};

/// A weak CAS that fails spuriously.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spurious {
    /// Counted from 0, in the order in which the model has them.
    pub(crate) actor: usize,
    /// Which of that actor's weak CASes, counted from 1.
    pub(crate) call: usize,
}

thread_local! {
    static SPURIOUS: Cell<&'static [Spurious]> = const { Cell::new(&[]) };
    /// Number of injected failures.
    static INJECTED: Cell<usize> = const { Cell::new(0) };
    /// Number of CASes that failed because the word was another.
    static LOST: Cell<usize> = const { Cell::new(0) };
}

backend::thread_local! {
    /// The actor that a thread of the back end is, and the number of weak CASes that it has tried.
    static ACTOR: Cell<Option<Spurious>> = Cell::new(None);
    /// Number of stores and read-modify-writes that the thread has tried. (Loads don't count, in
    /// either mode.)
    static WRITES: Cell<usize> = Cell::new(0);
    /// Whether the thread stops for good after its next CAS that is not weak.
    static STOPS: Cell<bool> = Cell::new(false);
}

/// Panic payload that stops an actor.
struct Stopped;

/// Sets the switch for the model that this system thread is about to run, and counts from zero.
pub(crate) fn begin(spurious: &'static [Spurious]) {
    SPURIOUS.set(spurious);
    INJECTED.set(0);
    LOST.set(0);
}

/// Number of weak CASes that were made to fail since the model began.
pub(crate) fn injected() -> usize {
    INJECTED.get()
}

/// Number of other CASes that failed since the model began.
pub(crate) fn lost() -> usize {
    LOST.get()
}

/// Sets the actor that this thread of the back end is.
pub(crate) fn act_as(actor: usize) {
    ACTOR.with(|a| a.set(Some(Spurious { actor, call: 0 })));
}

/// Number of the actor that this thread is, constant for the thread; 0 before there are actors.
pub(crate) fn actor() -> usize {
    ACTOR.with(|actor| actor.get().map_or(0, |Spurious { actor, .. }| actor))
}

/// Runs `act`, and returns the number of stores and read-modify-writes that it tried.
pub(crate) fn writes_of<R>(act: impl FnOnce() -> R) -> (R, usize) {
    let before = WRITES.with(Cell::get);
    let done = act();
    (done, WRITES.with(Cell::get) - before)
}

/// Runs `act`, and stops it for good once one of its CASes that is not weak succeeds. Returns
/// `None` in that case.
pub(crate) fn stop_after_a_cas<R>(act: impl FnOnce() -> R) -> Option<R> {
    STOPS.with(|stops| stops.set(true));
    let done = catch_unwind(AssertUnwindSafe(act));
    STOPS.with(|stops| stops.set(false));
    match done {
        Ok(done) => Some(done),
        Err(thrown) if thrown.is::<Stopped>() => None,
        Err(thrown) => resume_unwind(thrown),
    }
}

/// Counts a weak CAS, and returns whether it must fail.
fn fails_spuriously() -> bool {
    ACTOR.with(|actor| {
        let Some(Spurious { actor: me, call }) = actor.get() else {
            return false;
        };
        let this = Spurious {
            actor: me,
            call: call + 1,
        };
        actor.set(Some(this));
        let fails = SPURIOUS.get().contains(&this);
        if fails {
            INJECTED.set(INJECTED.get() + 1);
        }
        fails
    })
}

/// An atomic of the machine.
#[derive(Debug)]
pub(crate) struct AtomicU64(atomic::AtomicU64);

impl AtomicU64 {
    #[track_caller]
    pub(crate) fn new(value: u64) -> Self {
        Self(atomic::AtomicU64::new(value))
    }

    #[track_caller]
    pub(crate) fn load(&self, order: Ordering) -> u64 {
        backend::load(&self.0, order)
    }

    #[track_caller]
    pub(crate) fn store(&self, value: u64, order: Ordering) {
        self.written().store(value, order);
    }

    #[track_caller]
    pub(crate) fn swap(&self, value: u64, order: Ordering) -> u64 {
        self.written().swap(value, order)
    }

    #[track_caller]
    pub(crate) fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        let done = self.replaced(current, new, success, failure);
        if done.is_ok() && STOPS.with(Cell::get) {
            resume_unwind(Box::new(Stopped));
        }
        done
    }

    #[track_caller]
    pub(crate) fn compare_exchange_weak(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        if fails_spuriously() {
            return Err(self.load(failure));
        }
        self.replaced(current, new, success, failure)
    }

    #[track_caller]
    pub(crate) fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
        self.written().fetch_add(value, order)
    }

    #[track_caller]
    pub(crate) fn fetch_sub(&self, value: u64, order: Ordering) -> u64 {
        self.written().fetch_sub(value, order)
    }

    #[track_caller]
    pub(crate) fn fetch_and(&self, value: u64, order: Ordering) -> u64 {
        self.written().fetch_and(value, order)
    }

    #[track_caller]
    pub(crate) fn fetch_or(&self, value: u64, order: Ordering) -> u64 {
        self.written().fetch_or(value, order)
    }

    #[track_caller]
    pub(crate) fn fetch_max(&self, value: u64, order: Ordering) -> u64 {
        self.written().fetch_max(value, order)
    }

    /// Counts a CAS that fails.
    #[track_caller]
    fn replaced(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        let done = self
            .written()
            .compare_exchange(current, new, success, failure);
        LOST.set(LOST.get() + usize::from(done.is_err()));
        done
    }

    /// Counts a write, and returns the atomic for it.
    fn written(&self) -> &atomic::AtomicU64 {
        WRITES.with(|writes| writes.set(writes.get() + 1));
        &self.0
    }
}

/// Does nothing: a back end has no time, and decides itself which thread runs next.
pub(crate) fn pause() {}
