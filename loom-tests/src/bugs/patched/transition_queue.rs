//! Patches of the transition queue.

use super::{Patch, UNSEEN};

pub(super) const PATCHES: &[Patch] = &[
    Patch {
        name: "two_dispatchers",
        invariants: "I19",
        what: "more than one dispatcher at a time",
        reported_in: "gastownhall/gascity pull 4839",
        model: "transition_queue::transitions_are_delivered_in_order",
        expected_message: "not one at a time",
        file: "transition_queue.rs",
        edits: &[(
            "!core::mem::replace(&mut queue.dispatching, true)",
            "core::mem::replace(&mut queue.dispatching, true) || true",
        )],
    },
    Patch {
        name: "the_dispatcher_never_stops",
        invariants: "I19",
        what: "a dispatcher with nothing left stays the dispatcher: the next transition is not delivered",
        reported_in: UNSEEN,
        model: "transition_queue::transitions_are_delivered_in_order",
        expected_message: "something is left",
        file: "transition_queue.rs",
        edits: &[("queue.dispatching = popped.is_some();", "")],
    },
    Patch {
        name: "a_gap_is_not_announced",
        invariants: "I19",
        what: "a gap is not announced",
        reported_in: UNSEEN,
        model: "transition_queue::a_gap_is_announced_and_delivery_goes_on",
        expected_message: "not in order",
        file: "transition_queue.rs",
        edits: &[("missed: core::mem::take(&mut self.missed),", "missed: 0,")],
    },
];
