//! Patches of hints, and of the diagnostics that record when a period began.

use super::{Patch, UNSEEN};

pub(super) const PATCHES: &[Patch] = &[
    Patch {
        name: "a_hint_is_stored",
        invariants: "hints",
        what: "a hint is stored without a comparison: a shorter hint replaces a longer one",
        reported_in: UNSEEN,
        model: "hints::the_longest_hint_of_two_failures_counts",
        expected_message: "a hint is lost",
        file: "hints.rs",
        edits: &[(
            "Some(other) => remaining(other, now) >= remaining(end, now),",
            "Some(_) => false,",
        )],
    },
    Patch {
        name: "the_mover_knows_no_hint",
        invariants: "hints",
        what: "rings take no hint: a thread that completes another's failure opens for the policy's interval",
        reported_in: "our own history, 3c87fa4",
        model: "hints::the_longest_hint_of_two_failures_in_a_ring_counts",
        expected_message: "a hint is lost",
        file: "trip/mod.rs",
        edits: &[(
            "let hint_ms = self.hints.running(self.period, self.moment.now);",
            "let hint_ms = 0;",
        )],
    },
    Patch {
        name: "a_slower_write_wins",
        invariants: "diagnostics",
        what: "a slower thread overwrites the diagnostics of a newer transition",
        reported_in: "our own history",
        model: "diagnostics::the_last_transition_is_the_one_that_is_recorded",
        expected_message: "the last is recorded",
        file: "diagnostics.rs",
        edits: &[(
            "if behind(generation) > behind(generation_of(current)) {",
            "if false {",
        )],
    },
];
