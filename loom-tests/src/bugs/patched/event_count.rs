//! Patches of the event count, on which threads wait for a transition.

use super::{Patch, UNSEEN};

pub(super) const PATCHES: &[Patch] = &[
    Patch {
        name: "it_looks_before_it_announces",
        invariants: "wake-ups",
        what: "a watcher checks the state before it announces that it is about to sleep",
        reported_in: UNSEEN,
        model: "event_count::no_transition_is_slept_through",
        expected_message: "deadlock",
        file: "event_count.rs",
        edits: &[
            (
                "            let waiting =",
                "            let seen = look();\n            let waiting =",
            ),
            ("if let Some(seen) = look()", "if let Some(seen) = seen"),
        ],
    },
    Patch {
        name: "a_notification_before_the_change",
        invariants: "wake-ups",
        what: "watchers are notified before the change that they wait for is stored",
        reported_in: UNSEEN,
        model: "event_count::a_watcher_that_is_stopped_wakes_up",
        expected_message: "deadlock",
        file: "event_count.rs",
        edits: &[(
            "        change();\n        self.notify_all();",
            "        self.notify_all();\n        change();",
        )],
    },
    Patch {
        name: "a_notification_leaves_no_trace",
        invariants: "wake-ups",
        what: "a notification that finds no watcher asleep leaves the state unchanged",
        reported_in: UNSEEN,
        model: "event_count::no_transition_is_slept_through_by_either_of_two",
        expected_message: "deadlock",
        file: "event_count.rs",
        edits: &[(
            "state.wrapping_add(NOTIFICATION) & !WAITING",
            "state & !WAITING",
        )],
    },
];
