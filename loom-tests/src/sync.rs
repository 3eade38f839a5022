//! The atomics of the shipped machine under loom: loom's, behind two switches.
//!
//! * [`Loads`]: a load is a plain load, which may see an old value, or a `fetch_or(0)`, which
//!   cannot. The latter makes loom try every interleaving. (With plain loads loom leaves some out:
//!   its issues 392 and 166.)
//! * [`Spurious`]: which weak CASes fail although they need not. loom's own never do.
//!
//! loom runs all threads of a model on one system thread. So the switches are ordinary
//! thread-locals, and models can run in parallel.

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

use loom::sync::{Condvar, atomic as model};

pub(crate) use crossbeam_utils::CachePadded;
pub(crate) use futex::{AtomicU32, wait, wake_all};
pub(crate) use loom::sync::{
    Mutex,
    atomic::{Ordering, fence},
};

/// Kind of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loads {
    Plain,
    Rmw,
}

/// A weak CAS that fails spuriously.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spurious {
    /// Counted from 0, in the order in which the model has them.
    pub(crate) actor: usize,
    /// Which of that actor's weak CASes, counted from 1.
    pub(crate) call: usize,
}

thread_local! {
    static LOADS: Cell<Loads> = const { Cell::new(Loads::Plain) };
    static SPURIOUS: Cell<&'static [Spurious]> = const { Cell::new(&[]) };
    /// Number of injected failures.
    static INJECTED: Cell<usize> = const { Cell::new(0) };
}

loom::thread_local! {
    /// The actor that a loom thread is, and the number of weak CASes that it has tried.
    static ACTOR: Cell<Option<Spurious>> = Cell::new(None);
    /// Number of stores and read-modify-writes that the thread has tried. (Loads don't count, in
    /// either mode.)
    static WRITES: Cell<usize> = Cell::new(0);
    /// Whether the thread stops for good after its next CAS that is not weak.
    static STOPS: Cell<bool> = Cell::new(false);
}

/// Panic payload that stops an actor.
struct Stopped;

/// Sets the switches for the model that this thread is about to run.
pub(crate) fn switch(loads: Loads, spurious: &'static [Spurious]) {
    LOADS.set(loads);
    SPURIOUS.set(spurious);
    INJECTED.set(0);
}

/// Number of weak CASes that were made to fail since the switches were set.
pub(crate) fn injected() -> usize {
    INJECTED.get()
}

/// Sets the actor that this loom thread is.
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
pub(crate) struct AtomicU64(model::AtomicU64);

impl AtomicU64 {
    #[track_caller]
    pub(crate) fn new(value: u64) -> Self {
        Self(model::AtomicU64::new(value))
    }

    #[track_caller]
    pub(crate) fn load(&self, order: Ordering) -> u64 {
        match LOADS.get() {
            Loads::Plain => self.0.load(order),
            Loads::Rmw => self.0.fetch_or(0, order),
        }
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
        let done = self
            .written()
            .compare_exchange(current, new, success, failure);
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
        self.written()
            .compare_exchange(current, new, success, failure)
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

    /// Counts a write, and returns the atomic for it.
    fn written(&self) -> &model::AtomicU64 {
        WRITES.with(|writes| writes.set(writes.get() + 1));
        &self.0
    }
}

/// Does nothing: loom has no time, and decides itself which thread runs next.
pub(crate) fn pause() {}
