//! loom, a back end of the models: its primitives, and how it runs a model.
//!
//! `shuttle/src/backend.rs` has the same interface.

use std::{cell::Cell, fmt};

use atomic::{AtomicU64, Ordering};
pub(crate) use loom::{
    sync::{Condvar, Mutex, atomic},
    thread, thread_local,
};

use crate::harness::Effort;

/// The most preemptions in an execution of three or four actors.
const PREEMPTIONS: usize = 3;
/// loom panics beyond this many scheduling points in one execution.
const BRANCHES: usize = 10_000;

/// An unknown outcome ends a run only after all executions, so that all outcomes are shown.
pub(crate) const STOPS_AT_AN_UNKNOWN_OUTCOME: bool = false;

/// Kind of a load of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A load is a load, which may see an old value.
    Plain,
    /// A load is a `fetch_or(0)`, which sees the newest value. This makes loom try every
    /// interleaving. (With plain loads loom leaves some out: its issues 392 and 166.)
    Rmw,
}

std::thread_local! {
    static MODE: Cell<Mode> = const { Cell::new(Mode::Plain) };
}

/// A load of an atomic of the machine.
#[track_caller]
pub(crate) fn load(atomic: &AtomicU64, order: Ordering) -> u64 {
    match MODE.get() {
        Mode::Plain => atomic.load(order),
        Mode::Rmw => atomic.fetch_or(0, order),
    }
}

/// Whether one execution is run again. loom has no schedule that could be.
pub(crate) fn is_replay() -> bool {
    false
}

impl Mode {
    /// A model runs once in each mode. The modes of a group together reach all outcomes.
    pub(crate) const GROUPS: &[&[Self]] = &[&[Self::Plain], &[Self::Rmw]];

    /// Runs `execute` in every execution, within the bounds of the model.
    pub(crate) fn run(self, effort: &Effort, execute: impl Fn() + Send + Sync + 'static) {
        MODE.set(self);
        let mut builder = loom::model::Builder::new();
        builder.max_branches = BRANCHES;
        builder.max_permutations = None;
        builder.max_duration = None;
        builder.checkpoint_file = None;
        let is_bounded = effort.actors > 2 || effort.is_bounded[self as usize];
        builder.preemption_bound =
            is_bounded.then_some(PREEMPTIONS + usize::from(histories::is_deep()));
        builder.check(execute);
    }

    /// The least number of executions.
    pub(crate) fn least(self, effort: &Effort) -> usize {
        effort.least[self as usize]
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "loads",
            Self::Rmw => "loads as read-modify-writes",
        })
    }
}
