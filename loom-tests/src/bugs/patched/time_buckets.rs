//! Patches of the time buckets.

use super::{Patch, UNSEEN};

pub(super) const PATCHES: &[Patch] = &[
    Patch {
        name: "buckets_are_not_tagged",
        invariants: "I4",
        what: "buckets are not tagged with their period",
        reported_in: "breaker-machines 0.22.0 src/circuit.rs: only reset clears its window",
        model: "time_buckets::a_late_failure_of_a_period_loses_none_of_the_next",
        expected_message: "miscounted",
        file: "trip/buckets/time_buckets.rs",
        edits: &[(
            "let generation = (generation as u64) <<",
            "let generation = 0 * (generation as u64) <<",
        )],
    },
    Patch {
        name: "published_before_cleared",
        invariants: "I14, I15",
        what: "a bucket is published before it is cleared",
        reported_in: "redis/go-redis pull 3836 and ai-dynamo/dynamo pull 8178, in review: no breakers",
        model: "time_buckets::two_failures_over_an_old_bucket_count_from_nothing",
        expected_message: "not an outcome",
        file: "trip/buckets/time_buckets.rs",
        edits: &[(
            "                    empty + 1\n",
            "                    let full = empty | (current & self.layout.most);\n\
             if cell.compare_exchange(current, full, Ordering::AcqRel, Ordering::Relaxed).is_ok() {\n\
             cell.store(empty, Ordering::Release);\n\
             }\n\
             continue;\n",
        )],
    },
    Patch {
        name: "fetch_add_on_a_tagged_cell",
        invariants: "I4, I14",
        what: "fetch_add on a tagged cell: a late count lands in the next period",
        reported_in: "our prototypes; dropwizard/metrics #3347: late counts in a reused bucket",
        model: "time_buckets::a_late_success_of_a_bucket_in_use_loses_none_of_the_next_period",
        expected_message: "0 of 2",
        file: "trip/buckets/time_buckets.rs",
        edits: &[(
            "Some(count) => empty + count + 1,",
            "Some(_) => {\n                    cell.fetch_add(1, Ordering::AcqRel);\n                    return true;\n                }",
        )],
    },
    Patch {
        name: "fetch_add_without_the_clock",
        invariants: "I4, I15",
        what: "the same where a success skips the clock",
        reported_in: "the same",
        model: "time_buckets::a_late_success_without_the_clock_loses_none_of_the_next_period",
        expected_message: "0 of 2",
        file: "trip/buckets/time_buckets.rs",
        edits: &[(
            "                .compare_exchange(current, current + 1, Ordering::Relaxed, Ordering::Relaxed)\n                .is_ok()",
            "                .fetch_add(1, Ordering::Relaxed) > 0",
        )],
    },
    Patch {
        name: "whose_period_is_not_asked",
        invariants: "I14",
        what: "a late call of an ended period overwrites a cell of the next period",
        reported_in: UNSEEN,
        model: "time_buckets::a_late_failure_of_a_period_loses_none_of_the_next",
        expected_message: "no lost trip",
        file: "trip/buckets/time_buckets.rs",
        edits: &[("None if !word.load().is_of(period) => return false,", "")],
    },
    Patch {
        name: "the_newest_is_not_asked",
        invariants: "I15",
        what: "a late call overwrites the cell of a newer bucket",
        reported_in: UNSEEN,
        model: "time_buckets::a_late_success_loses_none_of_a_newer_bucket",
        expected_message: "not an outcome",
        file: "trip/buckets/time_buckets.rs",
        edits: &[("if is_later(newest, bucket) {", "if false {")],
    },
    Patch {
        name: "the_sum_is_of_its_own_bucket",
        invariants: "I14",
        what: "a failure sums up to its own bucket, not to the newest",
        reported_in: UNSEEN,
        model: "time_buckets::two_failures_at_the_turn_of_a_bucket_trip_once",
        expected_message: "no lost trip",
        file: "trip/buckets/time_buckets.rs",
        edits: &[(
            "let newest = if is_later(bucket, newest) {",
            "let newest = if true {",
        )],
    },
    Patch {
        name: "a_held_up_reading_turns_back",
        invariants: "I14",
        what: "a delayed reading of the clock moves the newest bucket back while a failure decides",
        reported_in: "our own history, 5472886",
        model: "time_buckets::a_very_late_reading_turns_no_bucket_back",
        expected_message: "no lost trip",
        file: "trip/buckets/time_buckets.rs",
        edits: &[(
            "let newest = if is_later(bucket, newest) {",
            "let newest = if false {",
        )],
    },
    Patch {
        name: "the_run_beside_the_buckets_is_not_counted",
        invariants: "I14",
        what: "a failure in a bucket does not lengthen the run",
        reported_in: UNSEEN,
        model: "rate_or_run::two_failures_in_a_row_trip_once",
        expected_message: "no lost trip",
        file: "trip/buckets/time_buckets.rs",
        edits: &[(
            "self.kind.failure(payload, rules.trip_rule.run)",
            "self.kind.failure(payload, None)",
        )],
    },
    Patch {
        name: "a_run_takes_the_place_of_the_rate",
        invariants: "I14",
        what: "with a run, the failure rate does not trip",
        reported_in: UNSEEN,
        model: "rate_or_run::two_failures_of_two_calls_trip_once",
        expected_message: "no lost trip",
        file: "trip/buckets/time_buckets.rs",
        edits: &[(
            "sum.trips(self.kind)",
            "rules.trip_rule.run.is_none() && sum.trips(self.kind)",
        )],
    },
];
