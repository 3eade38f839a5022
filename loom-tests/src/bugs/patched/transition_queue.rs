//! Patches of the transition queue.

use super::{Patch, UNSEEN};

pub(super) const PATCHES: &[Patch] = &[
    Patch {
        name: "two_tellers",
        breaks: "I19",
        what: "more than one dispatcher at a time",
        seen: "gastownhall/gascity pull 4839",
        model: "transition_queue::transitions_are_told_in_their_order",
        gives_away: "not one at a time",
        file: "transition_queue.rs",
        edits: &[(
            "!core::mem::replace(&mut queue.dispatching, true)",
            "core::mem::replace(&mut queue.dispatching, true) || true",
        )],
    },
    Patch {
        name: "the_teller_never_stops",
        breaks: "I19",
        what: "a dispatcher with nothing left stays the dispatcher: the next transition is not delivered",
        seen: UNSEEN,
        model: "transition_queue::transitions_are_told_in_their_order",
        gives_away: "something is left",
        file: "transition_queue.rs",
        edits: &[("queue.dispatching = popped.is_some();", "")],
    },
    Patch {
        name: "a_gap_is_not_announced",
        breaks: "I19",
        what: "a gap is not announced",
        seen: UNSEEN,
        model: "transition_queue::a_gap_is_announced_and_delivery_goes_on",
        gives_away: "not in order",
        file: "transition_queue.rs",
        edits: &[("missed: core::mem::take(&mut self.missed),", "missed: 0,")],
    },
];
