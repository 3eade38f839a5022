//! Checker of sequential consistency: searches an order of single steps that explains a history.
//!
//! A *history* holds, for each thread, its operations with their responses in program order. An
//! order of all operations *explains* it under these conditions:
//!
//! * it keeps the order of each thread;
//! * in it a sequential [`Specification`] gives every response;
//! * it ends in the expected last state.
//!
//! That is **sequential consistency** of the operations (Lamport, 1979). It is not real-time
//! linearizability. A plain load may return an old value, so the checker ignores whether one
//! operation returned before another thread's operation began.
//!
//! The algorithm is the search of Wing and Gong ("Testing and verifying concurrent objects", 1993)
//! with the memory of Lowe ("Testing for linearizability", 2017). It is depth first over *(number
//! of placed operations of each thread, state)*, and visits no such pair twice.
//!
//! The problem is NP-complete (Gibbons and Korach, "Testing shared memories", 1997). So histories
//! are short, and a search that grows too wide reports that it gave up. Two rules keep the search
//! small, and neither changes the verdict:
//!
//! * An operation that [changes nothing](Specification::changes_nothing) is placed as soon as its
//!   response fits, without alternatives. In any order that places it later, it may be moved
//!   forward.
//! * Among several threads, the one whose next operation has the lowest [`Event::hint`] is tried
//!   first.

mod depth;
mod search;
mod stats;
mod violation;

pub use depth::{is_deep, iterations};
pub use search::{MOST_NODES, WitnessOrder, check};
pub use stats::Stats;
pub use violation::Violation;

use std::{fmt::Debug, hash::Hash};

/// A sequential specification: the effect of each operation alone.
pub trait Specification {
    /// State between two operations.
    type State: Clone + Eq + Hash + Debug;
    /// An operation with all of its inputs, such as the clock reading that it used.
    type Operation: Debug;
    /// The response that the caller received.
    type Response: PartialEq + Debug;

    /// The states that `operation` may lead to, each with its response.
    ///
    /// One, if the operation is a function of its inputs. Several, if several responses are
    /// acceptable. None, if the operation cannot happen in `state`.
    fn step(
        &self,
        state: &Self::State,
        operation: &Self::Operation,
    ) -> impl IntoIterator<Item = (Self::State, Self::Response)>;

    /// Whether an operation with this response leaves **every** state that allows the response
    /// unchanged. `false` is always correct; a wrong `true` makes the verdict wrong.
    fn changes_nothing(&self, operation: &Self::Operation, response: &Self::Response) -> bool {
        let _ = (operation, response);
        false
    }
}

/// An operation of one thread, and its response.
#[derive(Clone, Copy, Debug)]
pub struct Event<O, A> {
    /// The operation.
    pub operation: O,
    /// The response.
    pub response: A,
    /// Approximate time, in any unit. It only decides which thread the search tries first.
    pub hint: u64,
}

/// The events of a specification's operations.
pub type EventOf<S> = Event<<S as Specification>::Operation, <S as Specification>::Response>;
