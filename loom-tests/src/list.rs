//! The list of the models, which both back ends run.

use crate::{driver::Shipped, harness::Model, models};

/// Every model: `$do!` receives the groups, each with its models. (A model that is missing here is
/// dead code, and so a warning.)
#[macro_export]
macro_rules! models {
    ($do:ident) => {
        $do! {
            trip {
                failures_that_trip_together_make_one_transition
                more_failures_than_trip_make_one_transition
                a_success_among_them_loses_no_trip
                every_failure_counts
            }
            probe {
                of_two_callers_one_gets_the_only_slot
                of_three_callers_one_gets_the_only_slot
                two_callers_get_two_slots
                of_three_callers_two_get_the_two_slots
                half_open_never_admits_more_than_the_limit
                half_open_never_admits_more_than_its_two_slots
                no_call_is_admitted_before_the_current_deadline
            }
            stale {
                a_late_failure_fails_no_probe
                a_late_success_recovers_nothing
                an_outcome_counts_in_its_own_period_only
            }
            lease {
                a_late_success_and_an_expiry_exclude_each_other
                a_late_failure_and_an_expiry_reopen_once
                a_slot_given_back_late_is_taken_or_expires
                two_callers_expire_a_lease_once
                a_slot_taken_renews_the_lease_for_all
                a_lease_that_ended_a_week_ago_expires_once
            }
            operator {
                a_reset_comes_before_a_trip_or_after_it
                no_outcome_undoes_forced_open
                no_deadline_undoes_forced_open
                operators_and_outcomes_have_an_order
            }
            publication {
                a_thread_that_sees_it_open_sees_the_writes_of_failed_calls
                a_thread_that_trips_sees_the_writes_of_the_other
                a_thread_that_loses_to_a_trip_sees_its_writes
                a_thread_that_trips_sees_the_writes_behind_the_replaced_word
            }
            transition_queue {
                transitions_are_delivered_in_order
                three_dispatchers_run_one_at_a_time
                a_transition_of_a_listener_is_delivered_after_it_returns
                a_gap_is_announced_and_delivery_goes_on
            }
            failure_ring {
                two_failures_of_the_last_calls_trip_once
                two_failures_beyond_65_535_calls_trip_once
                two_failures_within_a_time_trip_once
                more_failures_than_trip_trip_once
                a_thread_that_trips_for_another_is_stale_itself
                a_success_before_a_failure_is_counted_before_it
                a_success_between_two_failures_is_counted_between_them
                a_success_before_the_last_failure_is_counted_before_it
                a_success_breaks_the_run_of_a_trip_with_a_ring
                a_thread_delayed_for_two_laps_advances_no_index
                three_failures_across_the_change_of_laps_trip_once
                a_late_failure_of_a_period_loses_none_of_the_next
                a_late_failure_within_a_time_loses_none_of_the_next
                failures_of_two_periods_do_not_meet
                a_failure_after_a_recovery_is_the_first
                a_failure_that_stopped_after_its_entry_is_counted_once
                a_trip_of_a_failure_that_stopped_is_made_once
                readings_of_the_clock_are_recorded_in_either_order
                readings_within_the_time_trip_in_either_order
            }
            time_buckets {
                two_failures_in_a_bucket_trip_once
                two_failures_at_the_turn_of_a_bucket_trip_once
                two_failures_nine_buckets_apart_trip_once
                three_failures_at_the_turn_of_a_bucket_trip_once
                a_success_comes_before_a_failure_or_after_it
                two_failures_over_an_old_bucket_count_from_nothing
                a_late_success_loses_none_of_a_newer_bucket
                a_late_failure_loses_none_of_a_newer_bucket
                a_late_failure_of_a_period_loses_none_of_the_next
                a_late_failure_of_a_bucket_and_a_period_loses_none_of_the_next
                a_late_failure_of_a_round_and_a_period_loses_none_of_the_next
                a_late_success_of_a_period_loses_none_of_the_next
                a_late_success_of_a_bucket_in_use_loses_none_of_the_next_period
                successes_without_the_clock_are_counted_once
                a_success_without_the_clock_loses_none_of_a_newer_bucket
                a_late_success_without_the_clock_loses_none_of_the_next_period
                a_late_reading_turns_no_bucket_back
                a_very_late_reading_turns_no_bucket_back
                a_success_breaks_the_run_of_a_trip_with_buckets
                a_success_without_the_clock_breaks_no_current_run
            }
            rate_or_run {
                two_failures_in_a_row_trip_once
                two_failures_of_two_calls_trip_once
                two_failures_that_both_count_trip_once
                a_success_between_two_failures_breaks_the_run
                a_success_that_breaks_the_run_counts_for_the_rate
            }
            hints {
                the_longest_hint_of_two_failures_counts
                the_longest_hint_of_two_failures_in_a_ring_counts
                the_longest_hint_of_two_failures_in_a_bucket_counts
            }
            diagnostics {
                the_last_transition_is_the_one_that_is_recorded
            }
            event_count {
                no_transition_is_slept_through
                no_transition_is_slept_through_by_either_of_two
                of_two_transitions_the_last_is_not_slept_through
                a_watcher_that_is_stopped_wakes_up
            }
            weak {
                a_weak_cas_that_fails_changes_no_trip
                a_weak_cas_that_fails_changes_no_admission
                a_weak_cas_that_fails_changes_no_expiry
                a_weak_cas_that_fails_changes_no_delivery
            }
            reads {
                healthy_calls_after_a_run_write_nothing
                healthy_calls_of_a_window_in_the_word_write_nothing
                healthy_calls_of_a_ring_of_calls_write_nothing
                healthy_calls_of_a_ring_of_times_write_nothing
                calls_before_the_deadline_write_nothing
                calls_under_the_lease_write_nothing
                calls_of_a_breaker_forced_open_write_nothing
                a_healthy_call_that_meets_a_reset_writes_nothing
                a_call_that_meets_a_recovery_writes_nothing
                a_success_after_a_failure_writes
            }
            history {
                a_trip_and_its_probes_have_an_order
                outcomes_of_a_window_have_an_order
                probes_and_their_ends_have_an_order
                an_expiry_and_an_operator_have_an_order
                a_clock_that_goes_on_has_an_order
            }
        }
    };
}

macro_rules! shipped {
    ($($group:ident { $($model:ident)* })*) => {
        /// The models of the shipped machine.
        pub(crate) const SHIPPED: &[(&str, fn() -> Model)] = &[$($(
            (
                concat!(stringify!($group), "::", stringify!($model)),
                models::$group::$model::<Shipped>,
            ),
        )*)*];
    };
}

models!(shipped);

/// Runs a model of the shipped machine, and prints what it did.
///
/// # Panics
///
/// If the model fails, or no model has that name.
pub fn check(name: &str) {
    let (_, model) = SHIPPED
        .iter()
        .find(|(known, _)| *known == name)
        .expect("a model of this name");
    model().check(name, |run| println!("model: {name}, {run}"));
}

/// A test for each model of the list.
#[macro_export]
macro_rules! tests {
    ($($group:ident { $($model:ident)* })*) => {
        $(mod $group {
            $(#[test]
            fn $model() {
                $crate::check(concat!(stringify!($group), "::", stringify!($model)));
            })*
        })*
    };
}
