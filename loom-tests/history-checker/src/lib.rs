//! Does some order of single steps explain what threads asked and were answered?
//!
//! A *history* is, for each thread, its operations with their answers, in program order. It is *explained* by an
//! order of all of them that keeps each thread's own order, in which a sequential [`Specification`] gives every
//! answer and ends in a last state that is the right one. That is **sequential consistency** of the operations
//! (Lamport, 1979). It is not real-time linearizability: whether one operation had returned before another
//! thread's began is not looked at, as a plain load may be old.
//!
//! The search is that of Wing and Gong ("Testing and verifying concurrent objects", 1993) with the memory of
//! Lowe ("Testing for linearizability", 2017), without their real-time order: depth first over *(how many
//! operations of each thread are placed, the state)*, no such pair twice. (The question is NP-complete: Gibbons
//! and Korach, "Testing shared memories", 1997. So histories are short, and a search that grows too wide says
//! so.) Two things keep it small, and neither changes the verdict:
//!
//! * what [`changes nothing`](Specification::changes_nothing) is placed as soon as its answer fits, without
//!   another try: wherever an explanation has it later, it may be moved to the front;
//! * of several threads that could go on, that whose operation has the lowest [`Event::hint`] is tried first.

mod depth;
mod figures;
mod search;
mod unexplained;

pub use depth::{is_deep, iterations};
pub use figures::Figures;
pub use search::{Explanation, MOST_NODES, explain};
pub use unexplained::Unexplained;

use std::{fmt::Debug, hash::Hash};

/// What the operations do, one at a time.
pub trait Specification {
    /// Between two operations.
    type State: Clone + Eq + Hash + Debug;
    /// With all of its own inputs, such as the reading of the clock that it decided with.
    type Operation: Debug;
    /// What whoever asked was told.
    type Answer: PartialEq + Debug;

    /// Each state that `operation` may leave behind, with the answer that it gives then: one if it is a function
    /// of its inputs, more if several answers are acceptable, none if it can't happen in `state`.
    fn step(
        &self,
        state: &Self::State,
        operation: &Self::Operation,
    ) -> impl IntoIterator<Item = (Self::State, Self::Answer)>;

    /// Whether an operation with this answer leaves **every** state in which it gets it as it is. It need not be
    /// said of any; it must not be said wrongly.
    fn changes_nothing(&self, operation: &Self::Operation, answer: &Self::Answer) -> bool {
        let _ = (operation, answer);
        false
    }
}

/// An operation of one thread, and its answer.
#[derive(Clone, Copy, Debug)]
pub struct Event<O, A> {
    /// What was asked.
    pub operation: O,
    /// What came of it.
    pub answer: A,
    /// About when that was, in any unit: which of the threads the search tries first. It decides nothing.
    pub hint: u64,
}

/// The events of a specification's operations.
pub type EventOf<S> = Event<<S as Specification>::Operation, <S as Specification>::Answer>;
