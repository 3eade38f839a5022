//! Compares the breaker with the [oracle]: random policies, clocks and operations, and hand-written
//! timelines.

mod oracle;
mod support;
#[path = "oracle/timelines/mod.rs"]
mod timelines;
#[path = "oracle/windows.rs"]
mod windows;

use std::{cell::RefCell, env, time::Duration};

use cutout::{Backoff, OnDrop, Outcome, Policy, Trip};
use oracle::lockstep::{Coverage, End, Op, Setup, WITHOUT_OPERATOR, play};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    test_runner::{Config, TestRunner},
};

const DAY_MS: u64 = 24 * 3_600 * 1_000;
/// Modulus of deadlines and of lease ends, in nanoseconds.
const DEADLINES_WRAP: u64 = (1 << 40) * 250_000;
const LEASES_WRAP: u64 = (1 << 28) * 4_000_000;

/// Plays `PROPTEST_CASES` games of up to 200 operations each. Returns the coverage, unless
/// `PROPTEST_CASES` asks for too few games for it to mean anything.
fn play_games(
    setup: impl Strategy<Value = Setup>,
    op: impl Strategy<Value = Op>,
) -> Option<Coverage> {
    play_games_up_to(512, 200, setup, op)
}

/// The same with another default number of games and another bound of operations.
fn play_games_up_to(
    default: u32,
    most_ops: usize,
    setup: impl Strategy<Value = Setup>,
    op: impl Strategy<Value = Op>,
) -> Option<Coverage> {
    let cases = env::var("PROPTEST_CASES").map_or(default, |cases| {
        cases.parse().expect("PROPTEST_CASES is a number")
    });
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let coverage = RefCell::new(Coverage::new());
    TestRunner::new(config)
        .run(&(setup, vec(op, 1..most_ops)), |(setup, ops)| {
            coverage.borrow_mut().append(&mut play(&setup, &ops));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    (cases >= default).then(|| coverage.into_inner())
}

fn assert_coverage(coverage: Option<Coverage>, more: &[&str]) {
    if let Some(coverage) = coverage {
        let mut all = [&WITHOUT_OPERATOR, more].concat();
        all.sort_unstable();
        assert_eq!(coverage.iter().collect::<Vec<_>>(), all);
    }
}

#[test]
fn a_breaker_without_an_operator_matches_the_oracle() {
    let ops = prop_oneof![6 => call(outcome()), 1 => small_advances()];
    assert_coverage(play_games(setup(policy()), ops), &[]);
}

#[test]
fn a_breaker_with_an_erratic_clock_matches_the_oracle() {
    let ops = prop_oneof![6 => call(outcome()), 2 => small_advances(), 1 => erratic_clock()];
    assert_coverage(play_games(setup(policy()), ops), &[]);
}

#[test]
fn a_breaker_with_an_operator_and_an_erratic_clock_matches_the_oracle() {
    let ops = prop_oneof![
        6 => call(outcome()),
        2 => small_advances(),
        2 => erratic_clock(),
        2 => operator(),
    ];
    assert_coverage(
        play_games(setup(policy()), ops),
        &["ForcedOpen", "Operator"],
    );
}

/// Long enough for reopens to saturate.
#[test]
fn a_breaker_of_a_failing_dependency_matches_the_oracle() {
    let failure = prop_oneof![
        4 => Just(Outcome::Failure),
        1 => any_time().prop_map(Outcome::FailureFor),
    ];
    let fails = failure.clone().prop_map(|outcome| Op::Call {
        end: End::Outcome(outcome),
        takes: Duration::ZERO,
        future: false,
    });
    let ops = prop_oneof![
        10 => fails,
        1 => call(failure),
        10 => Just(Op::ToDeadline(0)),
    ];
    let trips_at_once = policy().prop_map(|policy| policy.trip(Trip::consecutive(1)));
    play_games(setup(trips_at_once), ops);
}

fn setup(policy: impl Strategy<Value = Policy>) -> impl Strategy<Value = Setup> {
    let generations = prop_oneof![15 => Just(0_usize), 1 => 65_500..65_536_usize];
    (policy, clock(), generations, any::<bool>()).prop_map(
        |(policy, start, transitions, watched)| Setup {
            policy,
            start,
            transitions,
            watched,
        },
    )
}

/// Readings near every wrap, and arbitrary ones.
fn clock() -> impl Strategy<Value = u64> {
    let near = 0..60_000_000_000_u64;
    prop_oneof![
        near.clone(),
        near.clone().prop_map(|before| u64::MAX - before),
        (1..67_u64, near.clone()).prop_map(|(lap, before)| lap * DEADLINES_WRAP - before),
        (1..17_000_u64, near).prop_map(|(lap, before)| lap * LEASES_WRAP - before),
        any::<u64>(),
    ]
}

/// A policy within its bounds, mostly one under which something happens.
fn policy() -> impl Strategy<Value = Policy> {
    let few = || prop_oneof![3 => 1..=3_u32, 1 => 1..=63_u32];
    (
        trip(),
        backoff(),
        few(),
        few(),
        option::of(interval(DAY_MS)),
        option::of(limit()),
        option::of(on_drop()),
    )
        .prop_map(|(trip, backoff, probes, successes, lease, slow, on_drop)| {
            let mut policy = Policy::new()
                .trip(trip)
                .backoff(backoff)
                .probes(probes)
                .probe_successes(successes);
            policy.probe_lease = lease;
            // A slow-call limit above the lease is refused.
            let default = policy.backoff.base.max(Duration::from_secs(30));
            let lease = lease.unwrap_or(default);
            policy.slow_call = slow.map(|slow| slow.min(lease));
            policy.on_drop = on_drop.map(|on_drop| match on_drop {
                OnDrop::FailureAfter(limit) => OnDrop::FailureAfter(limit.min(lease)),
                OnDrop::FailProbeAfter(limit) => OnDrop::FailProbeAfter(limit.min(lease)),
                other => other,
            });
            policy
        })
}

fn trip() -> impl Strategy<Value = Trip> {
    let length = || prop_oneof![3 => 1..=8_u32, 1 => 1..=45_u32];
    let failures = length().prop_flat_map(|n| {
        let small = n.min(4);
        prop_oneof![3 => 1..=small, 1 => 1..=n].prop_map(move |k| Trip::failures(k).of_last(n))
    });
    let percent = (length(), 1..=100_u32).prop_flat_map(|(n, percent)| {
        option::of(1..=n).prop_map(move |calls| match calls {
            Some(calls) => Trip::percent(percent).min_calls(calls).of_last(n),
            None => Trip::percent(percent).of_last(n),
        })
    });
    let window = prop_oneof![failures, percent];
    let alone = prop_oneof![6 => 1..=5_u32, 1 => 1..=65_535_u32].prop_map(Trip::consecutive);
    let run = prop_oneof![3 => 1..=5_u32, 1 => 1..=45_u32].prop_map(Trip::consecutive);
    prop_oneof![
        alone,
        window.clone(),
        (window.clone(), run.clone()).prop_map(|(window, run)| window.or(run)),
        (window, run).prop_map(|(window, run)| run.or(window)),
    ]
}

fn backoff() -> impl Strategy<Value = Backoff> {
    let factor = prop_oneof![3 => 1..=3_u32, 1 => 1..=100_u32];
    let jitter = prop_oneof![Just(0_u32), 0..=100_u32, Just(100)];
    let month = 30 * DAY_MS;
    (
        interval(month),
        factor,
        interval(month),
        jitter,
        any::<Option<u64>>(),
    )
        .prop_map(|(base, factor, cap, jitter, seed)| {
            let backoff = Backoff::exponential(base, factor, cap.max(base)).jitter(jitter);
            seed.map_or(backoff, |seed| backoff.seed(seed))
        })
}

/// From 10 ms to a bound, with small and extreme values.
fn interval(most: u64) -> impl Strategy<Value = Duration> + Clone {
    prop_oneof![
        4 => 10..=50_u64,
        4 => 10..=60_000_u64,
        1 => 10..=most,
        1 => Just(most),
    ]
    .prop_map(Duration::from_millis)
}

/// From 1 ms to a day.
fn limit() -> impl Strategy<Value = Duration> + Clone {
    prop_oneof![4 => 1..=20_u64, 1 => 1..=DAY_MS].prop_map(Duration::from_millis)
}

fn on_drop() -> impl Strategy<Value = OnDrop> {
    prop_oneof![
        Just(OnDrop::FailProbe),
        Just(OnDrop::Ignore),
        Just(OnDrop::Failure),
        limit().prop_map(OnDrop::FailureAfter),
        limit().prop_map(OnDrop::FailProbeAfter),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> + Clone {
    prop_oneof![
        4 => Just(Outcome::Success),
        4 => Just(Outcome::Failure),
        1 => any_time().prop_map(Outcome::FailureFor),
        1 => Just(Outcome::Ignored),
    ]
}

/// Any length: none, a few milliseconds, fractions of one, hours, and the maximum.
fn any_time() -> impl Strategy<Value = Duration> + Clone {
    prop_oneof![
        Just(Duration::ZERO),
        (0..100_000_000_u64).prop_map(Duration::from_nanos),
        (0..120_u64).prop_map(Duration::from_secs),
        (0..4_000_000_u64).prop_map(Duration::from_millis),
        any::<u64>().prop_map(Duration::from_nanos),
        any::<u64>().prop_map(Duration::from_secs),
        Just(Duration::MAX),
    ]
}

fn call(outcome: impl Strategy<Value = Outcome> + Clone) -> impl Strategy<Value = Op> {
    let which = || any::<prop::sample::Index>().prop_map(|index| index.index(1 << 16));
    let takes = || prop_oneof![3 => Just(Duration::ZERO), 1 => step()];
    let end = prop_oneof![
        6 => outcome.clone().prop_map(End::Outcome),
        1 => Just(End::Panic),
        1 => Just(End::ClassifierPanic),
    ];
    prop_oneof![
        8 => Just(Op::Acquire),
        8 => (which(), outcome).prop_map(|(which, outcome)| Op::Report(which, outcome)),
        1 => which().prop_map(Op::Drop),
        1 => which().prop_map(Op::Forget),
        1 => which().prop_map(Op::Unwind),
        4 => (end, takes(), any::<bool>()).prop_map(|(end, takes, future)| Op::Call {
            end,
            takes,
            future,
        }),
        1 => takes().prop_map(|after| Op::Cancel { after }),
    ]
}

/// A short time.
fn step() -> impl Strategy<Value = Duration> + Clone {
    prop_oneof![
        Just(Duration::from_millis(1)),
        (1..40_u64).prop_map(Duration::from_millis),
        (1..40_000_000_u64).prop_map(Duration::from_nanos),
    ]
}

fn small_advances() -> impl Strategy<Value = Op> {
    const MS: i64 = 1_000_000;
    let around = || prop_oneof![3 => Just(0), 1 => Just(-MS), 1 => Just(MS), 1 => -2 * MS..2 * MS];
    prop_oneof![
        2 => step().prop_map(Op::Advance),
        4 => around().prop_map(Op::ToDeadline),
        2 => around().prop_map(Op::ToLeaseEnd),
        1 => (1..120_u64).prop_map(|secs| Op::Advance(Duration::from_secs(secs))),
    ]
}

fn erratic_clock() -> impl Strategy<Value = Op> {
    // A whole wrap, plus or minus the remaining time.
    let lap = (
        prop_oneof![Just(LEASES_WRAP), Just(DEADLINES_WRAP)],
        0..100_000_000_u64,
    );
    prop_oneof![
        2 => step().prop_map(Op::StepBack),
        1 => lap.clone().prop_map(|(lap, less)| Op::Advance(Duration::from_nanos(lap - less))),
        1 => lap.prop_map(|(lap, more)| Op::StepBack(Duration::from_nanos(lap - more))),
        1 => (950..1_050_u64).prop_map(|ms| Op::StepBack(Duration::from_millis(ms))),
        1 => any_time().prop_map(Op::StepBack),
        1 => any_time().prop_map(Op::Advance),
        1 => clock().prop_map(Op::SetClock),
    ]
}

fn operator() -> impl Strategy<Value = Op> {
    prop_oneof![
        1 => Just(Op::ForceOpen),
        1 => any_time().prop_map(Op::ForceOpenFor),
        1 => Just(Op::Disable),
        4 => Just(Op::Resume),
        2 => Just(Op::Reset),
    ]
}
