//! Games about external windows: enough calls to fill them, and gaps that empty them.

use super::*;

const YEAR: u64 = 365 * 86_400 * 1_000_000_000;
/// Modulus of the stamps of failures within a time, in nanoseconds.
const RING_WRAP: u64 = (1 << 47) * 1_000;
/// Modulus of the time buckets, in nanoseconds.
const BUCKETS_WRAP: u64 = DEADLINES_WRAP;

#[test]
fn a_window_of_many_calls_matches_the_oracle() {
    let ops = prop_oneof![
        6 => call(outcome()).boxed(),
        3 => plays(1..=100),
        2 => plays(1..=400),
        1 => small_advances(),
        1 => erratic_clock(),
        1 => resets(),
    ];
    let coverage = play_games_up_to(192, 80, policies(of_last(46..=200_u32)), ops);
    assert_window_coverage(coverage);
}

#[test]
fn a_window_of_very_many_calls_matches_the_oracle() {
    let length = prop_oneof![201..=4_096_u32, Just(4_096)];
    let ops = prop_oneof![
        2 => call(outcome()).boxed(),
        2 => plays(1..=5_000),
        1 => plays(4_090..=4_100),
        1 => Just(Op::ToDeadline(0)),
        1 => resets(),
    ];
    play_games_up_to(48, 16, policies(of_last(length)), ops);
}

#[test]
fn failures_within_a_time_match_the_oracle() {
    let trips = failures_within(prop_oneof![4 => 1..=12_u32, 1 => 1..=100_u32]);
    let ops = prop_oneof![
        6 => call(outcome()).boxed(),
        2 => plays(1..=40),
        5 => tenths(),
        1 => small_advances(),
        1 => steps_back(),
        1 => resets(),
    ];
    let coverage = play_games_up_to(384, 120, policies(trips), ops);
    assert_window_coverage(coverage);
}

#[test]
fn very_many_failures_within_a_time_match_the_oracle() {
    let trips = failures_within(prop_oneof![100..=1_024_u32, 1_020..=1_024_u32]);
    let ops = prop_oneof![
        2 => call(outcome()).boxed(),
        4 => plays(1..=1_500),
        4 => tenths(),
        1 => steps_back(),
        1 => Just(Op::ToDeadline(0)),
        1 => resets(),
    ];
    play_games_up_to(64, 24, policies(trips), ops);
}

/// Uses a clock that never steps back.
#[test]
fn a_rate_within_a_time_matches_the_oracle() {
    let ops = prop_oneof![
        6 => call(outcome()).boxed(),
        3 => plays(1..=60),
        6 => tenths(),
        1 => step().prop_map(Op::Advance),
        2 => Just(Op::ToDeadline(0)),
        1 => Just(Op::ToLeaseEnd(0)),
        1 => resets(),
    ];
    let coverage = play_games_up_to(384, 120, policies(rate_within()), ops);
    assert_window_coverage(coverage);
}

#[test]
fn a_rate_of_very_many_calls_matches_the_oracle() {
    let ops = prop_oneof![
        2 => call(outcome()).boxed(),
        4 => plays(1..=1_500),
        4 => tenths(),
        1 => Just(Op::ToDeadline(0)),
        1 => resets(),
    ];
    play_games_up_to(64, 24, policies(rate_within()), ops);
}

fn assert_window_coverage(coverage: Option<Coverage>) {
    if let Some(coverage) = coverage {
        for what in [
            "Operator",
            "Recovered",
            "Reopened",
            "Stale",
            "Tripped",
            "calls left the window",
        ] {
            assert!(coverage.contains(what), "{what} in {coverage:?}");
        }
    }
}

/// Readings near which only the stamps or the buckets wrap: no game moves the clock by a year in
/// either direction.
fn clock_of_windows() -> impl Strategy<Value = u64> {
    let near = 0..600_000_000_000_u64;
    prop_oneof![
        YEAR..3 * YEAR,
        YEAR..500 * YEAR,
        (1..130_u64, near.clone()).prop_map(|(lap, before)| lap * RING_WRAP - before),
        (1..66_u64, near).prop_map(|(lap, before)| lap * BUCKETS_WRAP - before),
    ]
}

fn policies(trip: impl Strategy<Value = Trip> + 'static) -> impl Strategy<Value = Setup> {
    // Boxed: a debug build would need more than a thread's stack for these strategies.
    let setup = setup(policy().boxed()).boxed();
    let run = option::weighted(
        0.3,
        prop_oneof![6 => 2..=30_u32, 1 => 1..=65_535_u32, 1 => Just(65_535)],
    );
    let trip =
        (trip.boxed(), run.boxed(), any::<bool>()).prop_map(|(window, run, first)| match run {
            Some(run) if first => Trip::consecutive(run).or(window),
            Some(run) => window.or(Trip::consecutive(run)),
            None => window,
        });
    (setup, trip.boxed(), clock_of_windows().boxed()).prop_map(|(setup, trip, start)| {
        let setup = Setup {
            policy: setup.policy.trip(trip),
            start,
            ..setup
        };
        setup.without_the_wrap_of_bucket_starts()
    })
}

fn percents() -> impl Strategy<Value = u32> {
    prop_oneof![1..=20_u32, 1..=100_u32, Just(50), Just(100)]
}

fn of_last(n: impl Strategy<Value = u32> + 'static) -> impl Strategy<Value = Trip> + 'static {
    (n, percents()).prop_flat_map(|(n, percent)| {
        let failures = prop_oneof![6 => 1..=12_u32, 2 => 1..=n, 1 => Just(n), 1 => n - 2..=n];
        let calls = option::of(prop_oneof![2 => 1..=n.min(100), 1 => 1..=n]);
        prop_oneof![
            failures.prop_map(move |k| Trip::failures(k).of_last(n)),
            calls.prop_map(move |calls| match calls {
                Some(calls) => Trip::percent(percent).min_calls(calls).of_last(n),
                None => Trip::percent(percent).of_last(n),
            }),
        ]
    })
}

fn failures_within(k: impl Strategy<Value = u32>) -> impl Strategy<Value = Trip> {
    let time = prop_oneof![
        Just(10),
        10..=100_u64,
        10..=100_000_u64,
        Just(365 * DAY_MS / 12),
    ];
    (k, time).prop_map(|(k, ms)| Trip::failures(k).within(Duration::from_millis(ms)))
}

fn rate_within() -> impl Strategy<Value = Trip> {
    let time = prop_oneof![
        Just(100),
        100..=200_u64,
        100..=1_000_000_u64,
        Just(60_000),
        Just(DAY_MS),
    ];
    let calls = option::weighted(
        0.8,
        prop_oneof![6 => 1..=30_u32, 2 => 1..=1_000_u32, 1 => Just(1_000_000)],
    );
    (percents(), calls, time).prop_map(|(percent, calls, ms)| {
        let time = Duration::from_millis(ms);
        match calls {
            Some(calls) => Trip::percent(percent).min_calls(calls).within(time),
            None => Trip::percent(percent).within(time),
        }
    })
}

/// Runs of successes, runs of failures, and mixtures of both.
fn plays(calls: std::ops::RangeInclusive<u32>) -> impl Strategy<Value = Op> {
    let fail_every = prop_oneof![
        2 => Just(0_u32),
        1 => Just(1),
        3 => 2..=20_u32,
        3 => 20..=600_u32,
    ];
    let gap = prop_oneof![
        3 => Just(0),
        1 => 1..=3_000_u64,
        1 => 1_000..=5_000_000_u64,
    ];
    (calls, fail_every, gap).prop_map(|(calls, fail_every, gap)| Op::Play {
        calls,
        fail_every,
        gap: Duration::from_nanos(gap),
    })
}

/// Gaps that end at, just before or just after the edge of a window or bucket. Time never steps
/// back.
fn tenths() -> impl Strategy<Value = Op> {
    let tenths = prop_oneof![6 => 1..=4_u32, 2 => 5..=11_u32, 2 => Just(10), 1 => 12..=40_u32];
    let around = || {
        prop_oneof![
            2 => Just(0_i64),
            1 => Just(-1),
            1 => Just(1),
            1 => Just(-1_000),
            1 => Just(1_000),
            1 => -1_500..=1_500_i64,
            1 => 0..=1_000_000_i64,
        ]
    };
    prop_oneof![
        3 => (tenths, around()).prop_map(|(tenths, nanos)| Op::Tenths(tenths, nanos)),
        2 => prop_oneof![Just(-1), Just(0), Just(1)].prop_map(Op::ToTenth),
    ]
}

/// Steps of at most a few minutes.
fn steps_back() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => step(),
        1 => (0..200_u64).prop_map(Duration::from_secs),
        1 => (0..5_000_u64).prop_map(Duration::from_nanos),
    ]
    .prop_map(Op::StepBack)
}

fn resets() -> impl Strategy<Value = Op> {
    prop_oneof![4 => Just(Op::Reset), 1 => Just(Op::Disable), 2 => Just(Op::Resume)]
}
