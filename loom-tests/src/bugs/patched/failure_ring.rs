//! Patches of the failure ring.

use super::{Patch, UNSEEN};

pub(super) const PATCHES: &[Patch] = &[
    Patch {
        name: "entries_are_not_tagged",
        invariants: "I4",
        what: "entries are not tagged: those of the previous period count",
        reported_in: "breaker-machines 0.22.0 src/circuit.rs: only reset clears its window",
        model: "failure_ring::a_late_failure_of_a_period_loses_none_of_the_next",
        expected_message: "I4",
        file: "trip/ring/failure_ring.rs",
        edits: &[(
            "self.0 >> STAMP_BITS == Self::new(generation, position, 0).0 >> STAMP_BITS",
            "(self.0 ^ Self::new(generation, position, 0).0) >> STAMP_BITS & 1 == 0",
        )],
    },
    Patch {
        name: "a_mark_is_swapped",
        invariants: "I14",
        what: "an entry is stored without a comparison: a late writer overwrites a newer entry",
        reported_in: "hedzr/go-ringbuf pull 10: a ring, no breaker",
        model: "failure_ring::a_thread_delayed_for_two_laps_advances_no_index",
        expected_message: "miscounted",
        file: "trip/ring/failure_ring.rs",
        edits: &[(
            ".compare_exchange(old.0, new.0, Ordering::Release, Ordering::Relaxed)\n            .is_ok()",
            ".swap(new.0, Ordering::AcqRel) == old.0",
        )],
    },
    Patch {
        name: "no_second_look",
        invariants: "I14",
        what: "the word is not loaded again after the entry was read",
        reported_in: UNSEEN,
        model: "failure_ring::a_late_failure_of_a_period_loses_none_of_the_next",
        expected_message: "miscounted",
        file: "trip/ring/failure_ring.rs",
        edits: &[("if again != seen {", "if false {")],
    },
    Patch {
        name: "a_late_mend",
        invariants: "I14, I15",
        what: "the stamp is looked up after the second load of the word: an entry is corrected by a later lap",
        reported_in: "our own history, ee07c5c",
        model: "failure_ring::two_failures_beyond_65_535_calls_trip_once",
        expected_message: "miscounted",
        file: "trip/ring/failure_ring.rs",
        edits: &[
            (
                "            let stamp = view.stamp(failure);\n            // The entry",
                "            // The entry",
            ),
            (
                "                seen = again;\n                continue;\n            }\n",
                "                seen = again;\n                continue;\n            }\n\
                 let stamp = view.stamp(failure);\n",
            ),
        ],
    },
    Patch {
        name: "two_laps_give_the_same_word",
        invariants: "I14, I15",
        what: "a window of time does not count calls: two laps later the word is the same",
        reported_in: "our own history, 5472886",
        model: "failure_ring::a_thread_delayed_for_two_laps_advances_no_index",
        expected_message: "miscounted",
        file: "trip/ring/failure_ring.rs",
        edits: &[(
            "after_failure(self.payload, self.ring.entries.len(), rules.trip_rule.run)",
            "self.payload.with_failure(rules.trip_rule.run).with_next_position(self.ring.entries.len())",
        )],
    },
    Patch {
        name: "a_moved_failure_is_stale",
        invariants: "I24",
        what: "a failure that another thread completed, and that trips for a third, reports that it is stale",
        reported_in: "our own history, 5472886",
        model: "failure_ring::more_failures_than_trip_trip_once",
        expected_message: "not an outcome",
        file: "trip/ring/failure_ring.rs",
        edits: &[(
            "                        let verdict = match mine {\n                            Some(_) => Recorded::Applied,",
            "                        let verdict = match mine {\n                            Some(_) => Recorded::Stale,",
        )],
    },
    Patch {
        name: "a_moved_failure_counts_again",
        invariants: "I15",
        what: "a failure that another thread completed is counted again",
        reported_in: UNSEEN,
        model: "failure_ring::a_failure_that_stopped_after_its_entry_is_counted_once",
        expected_message: "counted",
        file: "trip/ring/failure_ring.rs",
        edits: &[("} else if mine.is_some() {", "} else if false {")],
    },
];
