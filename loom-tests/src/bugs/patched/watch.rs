//! Threads that wait for a transition.

use super::{Patch, UNSEEN};

pub(super) const PATCHES: &[Patch] = &[
    Patch {
        name: "it_looks_before_it_marks",
        breaks: "wake-ups",
        what: "a watcher looks, and only then says that it is about to sleep",
        seen: UNSEEN,
        model: "watch::no_transition_is_slept_through",
        gives_away: "deadlock",
        file: "watch.rs",
        edits: &[
            (
                "            let marked =",
                "            let seen = look();\n            let marked =",
            ),
            ("if let Some(seen) = look()", "if let Some(seen) = seen"),
        ],
    },
    Patch {
        name: "a_ring_before_the_change",
        breaks: "wake-ups",
        what: "the bell is rung before what watchers look for is stored",
        seen: UNSEEN,
        model: "watch::who_is_told_to_stop_wakes_up",
        gives_away: "deadlock",
        file: "watch.rs",
        edits: &[(
            "        change();\n        self.ring();",
            "        self.ring();\n        change();",
        )],
    },
    Patch {
        name: "a_ring_leaves_no_trace",
        breaks: "wake-ups",
        what: "a ring that finds nobody asleep leaves the bell as it was",
        seen: UNSEEN,
        model: "watch::no_transition_is_slept_through_by_either_of_two",
        gives_away: "deadlock",
        file: "watch.rs",
        edits: &[("bell.wrapping_add(RUNG) & !MARKED", "bell & !MARKED")],
    },
];
