use super::{
    super::word::{Hold, Word},
    *,
};

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

/// A window of each kind that has one.
fn windows() -> [CompiledWindow; 4] {
    let threshold = CompiledThreshold::Failures(1);
    [
        CompiledWindow::Bits(Bits { span: 9, threshold }),
        CompiledWindow::CallRing(CallRing {
            span: 99,
            threshold,
        }),
        CompiledWindow::TimeRing(TimeRing {
            k: 1,
            within_ms: 10,
        }),
        CompiledWindow::Buckets(Buckets {
            percent: 50,
            min_calls: 4,
            within_ms: 1_000,
        }),
    ]
}

fn alone(window: Option<CompiledWindow>) -> TripRule {
    TripRule { run: None, window }
}

#[test]
fn a_period_of_time_buckets_says_in_which_it_began() {
    let fresh = |window| alone(window).fresh(700_000_000);
    assert_eq!(fresh(None), 0);
    assert_eq!(windows().map(Some).map(fresh), [1, 0, 0, 7]);
}

#[test]
fn each_window_says_where_its_calls_are_counted() {
    let counted = |window| {
        let trip_rule = alone(window);
        (trip_rule.is_external(), trip_rule.records_successes())
    };
    assert_eq!(counted(None), (false, false));
    assert_eq!(
        windows().map(Some).map(counted),
        [(false, false), (true, false), (true, false), (true, true)]
    );
}

#[test]
fn a_run_that_ends_a_window_in_the_word_fits_the_word() {
    let longest = |window| alone(window).longest_run();
    assert_eq!(longest(None), 65_535);
    assert_eq!(
        windows().map(Some).map(longest),
        [45, 65_535, 65_535, 65_535]
    );
}

#[test]
fn only_a_closed_word_without_failures_has_no_run() {
    let clean = payload::Payload::new(7).without_run();
    let failing = clean.with_failure(Some(2));
    assert!(TripRule::has_no_run(Word::new(clean.bits())));
    assert!(!TripRule::has_no_run(Word::new(failing.bits())));
    let forced = Word::new(0).begin_held(Hold::ForcedOpen);
    assert!(!TripRule::has_no_run(forced));
}
