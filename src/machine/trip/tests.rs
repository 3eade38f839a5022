use super::*;

/// Plays `calls` (`x` fails) and returns the call after which the trip is decided.
pub(super) fn played(trip_rule: TripRule, calls: &str) -> (u64, Option<usize>) {
    let mut payload = trip_rule.fresh(0);
    for (i, call) in calls.bytes().enumerate() {
        payload = match call {
            b'x' => trip_rule.failure(payload),
            _ => trip_rule.success(payload),
        };
        assert!(trip_rule.is_legal(payload));
        if call == b'x' && trip_rule.trips(payload) {
            return (payload, Some(i));
        }
    }
    (payload, None)
}

#[test]
fn a_run_trips_at_its_length_and_a_success_breaks_it() {
    let trip_rule = TripRule {
        run: Some(3),
        window: None,
    };
    assert_eq!(played(trip_rule, "xxoxxoxxx"), (3, Some(8)));
    assert_eq!(trip_rule.healthy(), Some(trip_rule.fresh(0)));
}

#[test]
fn a_run_saturates() {
    let trip_rule = TripRule {
        run: None,
        window: None,
    };
    assert_eq!(trip_rule.failure(65_535), 65_535);
    assert_eq!(trip_rule.failure(65_534), 65_535);
}

#[cfg(feature = "std")]
const RATE: TripRule = TripRule {
    run: None,
    window: Some(Window::TimeBuckets {
        percent: 50,
        min_calls: 4,
        within_ms: 1_000,
    }),
};

#[cfg(feature = "std")]
#[test]
fn a_share_over_time_waits_for_its_minimum_of_calls() {
    let judged = |failures, calls| RATE.judges(failures, calls);
    assert!(judged(2, 4));
    assert!(judged(3, 6));
    assert!(!judged(1, 4), "a quarter");
    assert!(!judged(3, 7), "just less than half");
    assert!(!judged(3, 3), "too few calls");
    let alone = TripRule {
        run: Some(1),
        window: None,
    };
    assert!(!alone.judges(9, 9));
}

#[cfg(feature = "std")]
#[test]
fn a_period_of_time_buckets_says_in_which_it_began() {
    assert_eq!(RATE.fresh(700_000_000), 7);
    let calls = Some(Window::Calls {
        span: 100,
        threshold: Threshold::Failures(1),
    });
    let others = [None, calls];
    assert!(others.iter().all(|&window| {
        let trip_rule = TripRule { run: None, window };
        trip_rule.fresh(700_000_000) == 0
    }));
}

#[cfg(feature = "std")]
#[test]
fn each_window_says_where_its_calls_are_counted() {
    let threshold = Threshold::Failures(1);
    let k = 1;
    for (window, is_external, is_time_buckets) in [
        (None, false, false),
        (Some(Window::InWord { span: 9, threshold }), false, false),
        (
            Some(Window::Calls {
                span: 99,
                threshold,
            }),
            true,
            false,
        ),
        (Some(Window::Failures { k, within_ms: 10 }), true, false),
        (RATE.window, true, true),
    ] {
        let trip_rule = TripRule { run: None, window };
        assert_eq!(
            (trip_rule.is_external(), trip_rule.is_time_buckets()),
            (is_external, is_time_buckets)
        );
    }
}

#[cfg(feature = "std")]
#[test]
fn only_a_closed_word_without_failures_has_no_run() {
    use crate::machine::word::{Hold, Word};
    let clean = Payload::new(7).without_run();
    let failing = clean.with_failure(Some(2));
    assert!(TripRule::has_no_run(Word::new(clean.bits())));
    assert!(!TripRule::has_no_run(Word::new(failing.bits())));
    let forced = Word::new(0).begin_held(Hold::ForcedOpen);
    assert!(!TripRule::has_no_run(forced));
}
