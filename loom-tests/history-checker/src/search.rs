//! Depth-first search for an order that explains a history.

use std::collections::HashSet;

use crate::{EventOf, Specification, Violation};

/// Upper bound of nodes in a search. A search that reaches it gives up; [`Violation::is_refuted`]
/// is then false.
pub const MOST_NODES: usize = 20_000_000;

/// An order that explains a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessOrder {
    /// The thread of each operation, in order.
    pub order: Vec<usize>,
    /// Number of distinct (positions, state) pairs visited: one more than the operations if the
    /// search never backtracked.
    pub nodes: usize,
}

impl WitnessOrder {
    /// The number of times that consecutive operations belong to different threads.
    #[must_use]
    pub fn switches(&self) -> usize {
        self.order
            .windows(2)
            .filter(|pair| pair[0] != pair[1])
            .count()
    }
}

/// The number of placed operations of each thread, and the state after them.
type Node<State> = (Box<[usize]>, State);

/// Searches for an order of all threads' operations that leads from `first` to a state that
/// `is_last`.
///
/// # Errors
///
/// [`Violation`] if there is no such order, or none was found among [`MOST_NODES`].
pub fn check<S: Specification>(
    specification: &S,
    first: S::State,
    threads: &[Vec<EventOf<S>>],
    is_last: impl Fn(&S::State) -> bool,
) -> Result<WitnessOrder, Violation> {
    check_within(MOST_NODES, specification, first, threads, is_last)
}

pub(crate) fn check_within<S: Specification>(
    most_nodes: usize,
    specification: &S,
    first: S::State,
    threads: &[Vec<EventOf<S>>],
    is_last: impl Fn(&S::State) -> bool,
) -> Result<WitnessOrder, Violation> {
    let search = Search {
        specification,
        threads,
    };
    let operations: usize = threads.iter().map(Vec::len).sum();
    let start: Node<S::State> = (vec![0; threads.len()].into(), first);
    let mut seen = HashSet::new();
    let mut order = Vec::new();
    // Nodes left to try after each prefix of `order`, the best of them at the end.
    let mut untried = vec![vec![(None, start.clone())]];
    let mut longest = (order.clone(), start.1);
    while let Some(tries) = untried.last_mut() {
        let Some((thread, node)) = tries.pop() else {
            untried.pop();
            order.pop();
            continue;
        };
        if seen.contains(&node) {
            continue;
        }
        if seen.len() == most_nodes {
            let (prefix, state) = longest;
            return Err(search.failure(prefix, &state, seen.len(), false));
        }
        order.extend(thread);
        if order.len() == operations && is_last(&node.1) {
            let nodes = seen.len() + 1;
            return Ok(WitnessOrder { order, nodes });
        }
        if order.len() >= longest.0.len() {
            longest = (order.clone(), node.1.clone());
        }
        untried.push(search.next(&node));
        seen.insert(node);
    }
    let (prefix, state) = longest;
    Err(search.failure(prefix, &state, seen.len(), true))
}

pub(crate) struct Search<'a, S: Specification> {
    pub(crate) specification: &'a S,
    pub(crate) threads: &'a [Vec<EventOf<S>>],
}

impl<S: Specification> Search<'_, S> {
    /// Successors of a node with their threads, the best at the end.
    fn next(&self, (placed, state): &Node<S::State>) -> Vec<(Option<usize>, Node<S::State>)> {
        let mut next = Vec::new();
        for (thread, (events, at)) in self.threads.iter().zip(placed).enumerate() {
            let Some(event) = events.get(*at) else {
                continue;
            };
            for (after, response) in self.specification.step(state, &event.operation) {
                if response != event.response {
                    continue;
                }
                let mut placed = placed.clone();
                placed[thread] += 1;
                let node = (Some(thread), (placed, after));
                if self
                    .specification
                    .changes_nothing(&event.operation, &response)
                {
                    debug_assert!(node.1.1 == *state, "{event:?} changes {state:?}");
                    return vec![node];
                }
                next.push((event.hint, node));
            }
        }
        next.sort_by_key(|(hint, _)| std::cmp::Reverse(*hint));
        next.into_iter().map(|(_, node)| node).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;
    use std::iter;

    /// A counter; each operation returns whether the count was even.
    struct Counter;

    impl Specification for Counter {
        type State = u64;
        type Operation = ();
        type Response = bool;

        fn step(&self, count: &u64, (): &()) -> impl IntoIterator<Item = (u64, bool)> {
            iter::once((count + 1, count.is_multiple_of(2)))
        }
    }

    fn said(even: bool, hint: u64) -> Event<(), bool> {
        Event {
            operation: (),
            response: even,
            hint,
        }
    }

    #[test]
    fn a_search_that_is_too_wide_reports_that_it_gave_up() {
        // No order ends at 9, but only trying each one shows that.
        let threads: Vec<_> = (0..4).map(|at| vec![said(at % 2 == 0, 0)]).collect();
        let never = |count: &u64| *count == 9;
        let violation = check_within(3, &Counter, 0, &threads, never).unwrap_err();
        assert!(!violation.is_refuted());
        assert!(violation.to_string().starts_with("gave up"));
        let violation = check(&Counter, 0, &threads, never).unwrap_err();
        assert!(violation.is_refuted());
        assert!(violation.to_string().starts_with("no order"));
    }

    #[test]
    fn good_hints_make_a_straight_search() {
        let threads: Vec<_> = (0..64).map(|at| vec![said(at % 2 == 0, 64 - at)]).collect();
        let mut hinted = threads.clone();
        for (at, events) in (0..).zip(&mut hinted) {
            events[0].hint = at;
        }
        let explained = check(&Counter, 0, &hinted, |count| *count == 64).unwrap();
        assert_eq!(explained.nodes, 65);
        assert_eq!(explained.order, (0..64).collect::<Vec<_>>());
        assert_eq!(explained.switches(), 63);
        check(&Counter, 0, &threads, |count| *count == 64).unwrap();
    }

    #[test]
    fn an_empty_history_has_an_empty_order() {
        let none: [Vec<Event<(), bool>>; 1] = [Vec::new()];
        let explained = check(&Counter, 7, &none, |count| *count == 7).unwrap();
        assert_eq!((explained.order.len(), explained.nodes), (0, 1));
        check(&Counter, 7, &none, |count| *count == 8).unwrap_err();
    }
}
