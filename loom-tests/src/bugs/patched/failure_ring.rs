//! Patches of the failure ring.

use super::{Patch, UNSEEN};

pub(super) const PATCHES: &[Patch] = &[
    Patch {
        name: "marks_are_not_tagged",
        breaks: "I4",
        what: "entries are not tagged: those of the previous period count",
        seen: "breaker-machines 0.22.0 src/circuit.rs: only reset clears its window",
        model: "failure_ring::a_late_failure_of_a_period_loses_none_of_the_next",
        gives_away: "I4",
        file: "trip/ring/failure_ring.rs",
        edits: &[(
            "self.0 >> STAMP_BITS == Self::new(generation, place, 0).0 >> STAMP_BITS",
            "(self.0 ^ Self::new(generation, place, 0).0) >> STAMP_BITS & 1 == 0",
        )],
    },
    Patch {
        name: "a_mark_is_swapped",
        breaks: "I14",
        what: "an entry is stored without a comparison: a late writer overwrites a newer entry",
        seen: "hedzr/go-ringbuf pull 10: a ring, no breaker",
        model: "failure_ring::who_is_delayed_for_two_laps_moves_no_place",
        gives_away: "miscounted",
        file: "trip/ring/failure_ring.rs",
        edits: &[(
            ".compare_exchange(old.0, new.0, Ordering::Release, Ordering::Relaxed)\n            .is_ok()",
            ".swap(new.0, Ordering::AcqRel) == old.0",
        )],
    },
    Patch {
        name: "no_second_look",
        breaks: "I14",
        what: "the word is not loaded again after the entry was read",
        seen: UNSEEN,
        model: "failure_ring::a_late_failure_of_a_period_loses_none_of_the_next",
        gives_away: "miscounted",
        file: "trip/ring/failure_ring.rs",
        edits: &[("if again != seen {", "if false {")],
    },
    Patch {
        name: "a_late_mend",
        breaks: "I14, I15",
        what: "the stamp is looked up after the second load of the word: an entry is corrected by a later lap",
        seen: "our own history, ee07c5c",
        model: "failure_ring::two_failures_beyond_65_535_calls_trip_once",
        gives_away: "miscounted",
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
        breaks: "I14, I15",
        what: "a window of time does not count calls: two laps later the word is the same",
        seen: "our own history, 5472886",
        model: "failure_ring::who_is_delayed_for_two_laps_moves_no_place",
        gives_away: "miscounted",
        file: "trip/ring/failure_ring.rs",
        edits: &[(
            "after_failure(self.payload, self.ring.entries.len(), rules.trip_rule.run)",
            "self.payload.with_failure(rules.trip_rule.run).with_next_place(self.ring.entries.len())",
        )],
    },
    Patch {
        name: "a_moved_failure_is_stale",
        breaks: "I24",
        what: "a failure that another thread completed, and that trips for a third, reports that it is stale",
        seen: "our own history, 5472886",
        model: "failure_ring::more_failures_than_trip_trip_once",
        gives_away: "not an outcome",
        file: "trip/ring/failure_ring.rs",
        edits: &[(
            "                        let verdict = match mine {\n                            Some(_) => Recorded::Applied,",
            "                        let verdict = match mine {\n                            Some(_) => Recorded::Stale,",
        )],
    },
    Patch {
        name: "a_moved_failure_counts_again",
        breaks: "I15",
        what: "a failure that another thread completed is counted again",
        seen: UNSEEN,
        model: "failure_ring::a_failure_that_stopped_after_its_mark_is_counted_once",
        gives_away: "counted",
        file: "trip/ring/failure_ring.rs",
        edits: &[("} else if mine.is_some() {", "} else if false {")],
    },
];
