use super::*;

const fn window(span: u8, run: Option<u16>, threshold: Threshold) -> TripRule {
    TripRule {
        run,
        window: Some(Window::InWord { span, threshold }),
    }
}

/// Plays `calls` (`x` fails) and returns the call after which the trip is decided.
fn played(trip_rule: TripRule, calls: &str) -> (u64, Option<usize>) {
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

#[test]
fn a_window_forgets_its_oldest_call() {
    let trip_rule = window(4, None, Threshold::Failures(3));
    assert_eq!(played(trip_rule, "xxoox").1, None);
    assert_eq!(played(trip_rule, "xxox").1, Some(3));
    assert_eq!(played(trip_rule, "xooxx").1, None);
    assert_eq!(played(trip_rule, "xoox").1, None);
}

#[test]
fn a_percentage_waits_for_its_minimum_of_calls() {
    let half = |min_calls| {
        window(
            4,
            None,
            Threshold::Percent {
                percent: 50,
                min_calls,
            },
        )
    };
    assert_eq!(played(half(4), "xxox").1, Some(3));
    assert_eq!(played(half(4), "xxoo").1, None);
    assert_eq!(played(half(4), "xxoox").1, Some(4));
    assert_eq!(played(half(1), "x").1, Some(0));
    assert_eq!(played(half(2), "ox").1, Some(1));
}

#[test]
fn before_a_run_is_longer_than_its_window_that_has_tripped() {
    for threshold in [
        Threshold::Failures(4),
        Threshold::Percent {
            percent: 100,
            min_calls: 4,
        },
    ] {
        let trip_rule = window(4, Some(5), threshold);
        assert_eq!(played(trip_rule, "xxxoxxxxx").1, Some(7));
    }
}

#[test]
fn a_run_of_nothing_but_failures_is_not_lengthened_by_the_leading_one() {
    let trip_rule = window(20, Some(5), Threshold::Failures(20));
    assert_eq!(played(trip_rule, "xxxx").1, None);
    assert_eq!(played(trip_rule, "xxxxx").1, Some(4));
}

#[test]
fn a_full_window_of_successes_stays_as_it_is() {
    for span in 1..=MAX_IN_WORD {
        for run in [None, Some(1), Some(MAX_IN_WORD)] {
            let trip_rule = window(u8::try_from(span).unwrap(), run, Threshold::Failures(span));
            let (payload, _) = played(trip_rule, &"o".repeat(usize::from(span)));
            assert_eq!(Some(payload), trip_rule.healthy());
            assert_eq!(trip_rule.success(payload), payload);
        }
    }
}

#[test]
fn the_widest_window_fits_its_payload() {
    let trip_rule = window(
        45,
        Some(45),
        Threshold::Percent {
            percent: 100,
            min_calls: 45,
        },
    );
    let (payload, at) = played(trip_rule, &"x".repeat(45));
    assert_eq!(at, Some(44));
    assert_eq!(payload, (1 << 46) - 1);
    assert_eq!(
        trip_rule.count(payload),
        Count {
            failures: 45,
            calls: 45
        }
    );
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
