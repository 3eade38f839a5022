//! Patches of the core.

use super::{Patch, UNSEEN};

pub(super) const PATCHES: &[Patch] = &[
    Patch {
        name: "whether_there_is_a_run_is_not_asked",
        invariants: "I14, I15",
        what: "a success skips the clock and the word although it must end a run",
        reported_in: UNSEEN,
        model: "time_buckets::a_success_without_the_clock_breaks_no_current_run",
        expected_message: "not an outcome: applied | tripped",
        file: "core.rs",
        edits: &[(
            "seen.is_of(period) && TripRule::has_no_run(seen) && self.count_untimed(seen)",
            "seen.is_of(period) && self.count_untimed(seen)",
        )],
    },
    Patch {
        name: "a_success_in_a_bucket_ends_no_run",
        invariants: "I14, I15",
        what: "a success in a bucket does not end the run in the word",
        reported_in: UNSEEN,
        model: "rate_or_run::a_success_between_two_failures_breaks_the_run",
        expected_message: "no lost trip",
        file: "core.rs",
        edits: &[(
            "        self.success(seen, period, Some(now))\n",
            "        Done::unchanged(seen, Recorded::Applied, Some(now))\n",
        )],
    },
];
