//! External windows: what they cover, what clears them, what a call costs, and that no thread loses
//! a count or a trip.

use std::{
    sync::{Arc, Barrier, Mutex},
    thread,
    time::Duration,
};

use cutout::{
    Breaker, Outcome::Failure, Outcome::Success, Policy, Recorded, Snapshot, State, Transition,
    Trip,
};

use crate::support::{Fixture, MINUTE, MS, SECOND, US};

/// A multiple of every window and bucket length in these tests.
const START: u64 = 86_400_000_000_000 * 400;
/// In each time bucket, a thread's first `READ_EACH` successes read the clock; after those, one in
/// `READ_ONE_IN` does, and after `MANY` one in `READ_ONE_IN_OF_MANY`.
const READ_EACH: u32 = 64;
const READ_ONE_IN: u32 = 8;
const MANY: u32 = 512;
const READ_ONE_IN_OF_MANY: u32 = 32;

fn of_trip(trip: Trip) -> Fixture {
    of(Policy::new().trip(trip))
}

fn of(policy: Policy) -> Fixture {
    Fixture::at(START, Breaker::builder().policy(policy.open_for(SECOND)))
}

impl Fixture {
    fn trips(&self) -> bool {
        self.fail() == Recorded::Tripped
    }

    fn succeed(&self, times: u32) -> &Self {
        for _ in 0..times {
            let recorded = self.breaker.try_acquire().unwrap().record(Success);
            assert_eq!(recorded, Recorded::Applied);
        }
        self
    }

    /// Failures and calls in the window.
    fn counts(&self) -> (u32, u32) {
        counts(&self.breaker.snapshot())
    }

    /// Recovers from open to closed by a probe.
    fn recover(&self) {
        self.after(SECOND);
        let probe = self.breaker.try_acquire().unwrap();
        assert_eq!(probe.record(Success), Recorded::Recovered);
    }
}

fn counts(snapshot: &Snapshot) -> (u32, u32) {
    (snapshot.failures.unwrap(), snapshot.calls.unwrap())
}

/// One window of each kind; each trips at the third failure of three calls.
fn thirds() -> [Trip; 4] {
    [
        Trip::failures(3).of_last(100),
        Trip::percent(3).min_calls(3).of_last(100),
        Trip::failures(3).within(MINUTE),
        Trip::percent(100).min_calls(3).within(MINUTE),
    ]
}

#[test]
fn each_window_trips_at_the_kth_failure_and_reports_its_counts() {
    for trip in thirds() {
        let bench = of_trip(trip);
        assert_eq!(bench.counts(), (0, 0), "{trip:?}");
        assert!(!bench.trips(), "{trip:?}");
        assert!(!bench.trips(), "{trip:?}");
        assert_eq!(bench.counts(), (2, 2), "{trip:?}");
        assert!(bench.trips(), "{trip:?}");
        assert_eq!(bench.breaker.state(), State::Open);
        assert_eq!(bench.counts(), (3, 3), "{trip:?}");
    }
}

#[test]
fn each_window_starts_empty_after_recovery_and_after_a_reset() {
    for trip in thirds() {
        let bench = of_trip(trip);
        for _ in 0..300 {
            for expected in [false, false, true] {
                assert_eq!(bench.trips(), expected, "{trip:?}");
            }
            bench.recover();
            assert_eq!(bench.counts(), (0, 0), "{trip:?}");
            assert!(!bench.trips());
            assert!(!bench.trips());
            bench.breaker.reset();
            assert_eq!(bench.counts(), (0, 0), "{trip:?}");
        }
    }
}

#[test]
fn an_outcome_of_an_earlier_period_is_counted_in_no_window() {
    for trip in thirds() {
        let bench = of_trip(trip);
        bench.fail();
        let late = [(); 4].map(|()| bench.breaker.try_acquire().unwrap());
        bench.breaker.reset();
        for (permit, outcome) in late.into_iter().zip([Failure, Success, Failure, Failure]) {
            assert_eq!(permit.record(outcome), Recorded::Stale, "{trip:?}");
        }
        assert_eq!(bench.counts(), (0, 0), "{trip:?}");
    }
}

#[test]
fn a_slow_call_is_a_failure_in_each_window() {
    for trip in thirds() {
        let bench = of(Policy::new().trip(trip).slow_call(MS));
        for expected in [Recorded::Applied, Recorded::Applied, Recorded::Tripped] {
            let permit = bench.breaker.try_acquire().unwrap();
            bench.after(MS);
            assert_eq!(permit.record(Success), expected, "{trip:?}");
        }
    }
}

#[test]
fn a_run_and_each_window_trip_independently() {
    let windows = [
        Trip::failures(3).of_last(100),
        Trip::failures(3).within(MINUTE),
        Trip::percent(50).min_calls(5).within(MINUTE),
    ];
    for window in windows {
        for trip in [
            window.or(Trip::consecutive(2)),
            Trip::consecutive(2).or(window),
        ] {
            let bench = of_trip(trip);
            assert!(!bench.trips());
            assert!(bench.trips(), "by the run: {trip:?}");

            let bench = of_trip(trip);
            for _ in 0..2 {
                assert!(!bench.trips(), "{trip:?}");
                bench.succeed(1);
            }
            assert!(bench.trips(), "by the window: {trip:?}");
        }
    }
    for window in [
        Trip::failures(1_024).within(MINUTE),
        Trip::percent(100).min_calls(1_000_000).within(MINUTE),
        Trip::failures(4_096).of_last(4_096),
    ] {
        let bench = of_trip(window.or(Trip::consecutive(1_000)));
        bench.fail();
        bench.succeed(1);
        for _ in 1..1_000 {
            assert!(!bench.trips(), "{window:?}");
        }
        assert!(bench.trips(), "{window:?}");
    }
    let bench = of_trip(Trip::failures(2).of_last(46).or(Trip::consecutive(65_535)));
    bench.fail();
    assert!(bench.trips());
}

#[test]
fn a_failure_leaves_a_window_of_calls_with_the_nth_call_after_it() {
    for n in [46, 100, 4_096] {
        // Also far beyond the capacity of the word.
        for between in [n - 3, n - 2, n - 1, n, 65_534, 65_535, 65_536, 131_072] {
            let bench = of_trip(Trip::failures(2).of_last(n));
            bench.fail();
            bench.succeed(between);
            assert_eq!(bench.trips(), between + 2 <= n, "{between} between, {n}");
        }
    }
}

#[test]
fn a_window_of_calls_rotates_for_ever() {
    for n in [46, 100, 1_000, 4_096_u32] {
        let bench = of_trip(Trip::failures(3).of_last(n));
        // Any n calls contain two failures: the word is never healthy, and the ring wraps.
        let every = n / 2 + 1;
        for call in 1..70_000 + n {
            if call % every == 0 {
                assert!(!bench.trips(), "call {call} of {n}");
            } else {
                bench.succeed(1);
            }
        }
        let (failures, calls) = bench.counts();
        assert_eq!(calls, n);
        assert!((1..=2).contains(&failures), "{failures} of {n}");
    }
}

#[test]
fn a_failure_rate_of_many_calls_is_exact_to_the_call() {
    let bench = of_trip(Trip::percent(10).min_calls(1_000).of_last(1_000));
    for _ in 0..99 {
        assert!(!bench.trips());
        bench.succeed(9);
    }
    bench.succeed(9);
    assert_eq!(bench.counts(), (99, 999));
    assert!(bench.trips());
    assert_eq!(bench.counts(), (100, 1_000));

    bench.recover();
    for _ in 0..5_000 {
        assert!(!bench.trips(), "one in eleven is below a tenth");
        bench.succeed(10);
    }
}

#[test]
fn a_window_full_of_successes_is_not_written() {
    for n in [46, 1_000, 4_096] {
        let bench = of_trip(Trip::failures(2).of_last(n));
        bench.succeed(n);
        let full = bench.breaker.snapshot();
        assert_eq!(counts(&full), (0, n));
        for _ in 0..3 {
            bench.succeed(n - 1);
            assert_eq!(bench.breaker.snapshot(), full);
        }
        bench.fail();
        assert_eq!(bench.counts(), (1, n));
        bench.succeed(n - 1);
        assert_eq!(bench.counts(), (1, n));
        bench.succeed(1);
        assert_eq!(bench.breaker.snapshot(), full);
    }
}

#[test]
fn a_failure_of_exactly_the_windows_age_does_not_count_and_one_a_microsecond_younger_does() {
    for time in [10 * MS, MINUTE, Duration::from_hours(365 * 24)] {
        for (age, counts) in [
            (time, false),
            (time.checked_sub(US).unwrap(), true),
            (time + US, false),
            (time * 1_000 / 999, false),
        ] {
            let bench = of_trip(Trip::failures(2).within(time));
            bench.fail();
            bench.after(age);
            assert_eq!(bench.counts(), (counts.into(), counts.into()));
            assert_eq!(bench.trips(), counts, "{age:?} in {time:?}");
        }
    }
}

#[test]
fn failures_leave_a_window_of_time_one_by_one() {
    let bench = of_trip(Trip::failures(4).within(SECOND));
    for _ in 0..10_000 {
        assert!(!bench.trips(), "three are younger than a second");
        bench.after(334 * MS);
    }
    assert!(!bench.trips());
    bench.after(333 * MS);
    assert!(!bench.trips());
    bench.after(333 * MS);
    assert!(!bench.trips());
    bench.after(333 * MS);
    assert!(bench.trips(), "four in 999 ms");
}

#[test]
fn a_failure_on_a_clock_that_stepped_back_counts_at_the_newest_time() {
    let bench = of_trip(Trip::failures(3).within(SECOND));
    bench.after(MINUTE).fail();
    bench.clock.step_back(MINUTE);
    assert!(!bench.trips());
    assert_eq!(bench.counts(), (2, 2));
    bench.after(MINUTE + SECOND);
    assert_eq!(bench.counts(), (0, 0));
    assert!(!bench.trips());

    let bench = of_trip(Trip::failures(3).within(SECOND));
    bench.after(MINUTE).fail();
    bench.clock.step_back(MINUTE);
    bench.fail();
    assert!(bench.trips(), "all at the time of the first");
}

#[test]
fn a_rate_on_a_clock_that_steps_back_trips_all_the_same() {
    for time in [100 * MS, SECOND, MINUTE] {
        for step in [US, MS, 10 * MS, SECOND, 2 * SECOND, MINUTE, 3 * MINUTE] {
            let bench = of_trip(Trip::percent(50).min_calls(10).within(time));
            bench.succeed(5);
            bench.after(time / 10 * 15).succeed(5);
            let tripped = (0..1_000).any(|call| {
                if call % 20 == 0 {
                    bench.clock.step_back(step);
                }
                bench.trips()
            });
            assert!(tripped, "{step:?} in {time:?}");
        }
    }
}

#[test]
fn a_gap_clears_the_buckets_that_it_covers() {
    for time in [100 * MS, SECOND, MINUTE, Duration::from_hours(24)] {
        let bucket = time / 10;
        for gap in (1..=30).chain([1_000, 1_000_000]) {
            let bench = of_trip(Trip::percent(100).min_calls(1_000).within(time));
            // One call in each of ten buckets, and a failure in every other one.
            for call in 0..10 {
                if call > 0 {
                    bench.after(bucket);
                }
                if call % 2 == 0 {
                    bench.fail();
                } else {
                    bench.succeed(1);
                }
            }
            assert_eq!(bench.counts(), (5, 10));
            bench.after(bucket * gap);
            let left = 10_u32.saturating_sub(gap);
            assert_eq!(bench.counts(), (left / 2, left), "{gap} of {time:?}");
            bench.fail();
            assert_eq!(
                bench.counts(),
                (left / 2 + 1, left + 1),
                "{gap} of {time:?}"
            );
        }
    }
}

#[test]
fn a_bucket_ends_with_its_last_nanosecond() {
    let bench = of_trip(Trip::percent(100).min_calls(1_000).within(SECOND));
    bench.fail();
    bench.succeed(1);
    bench.after(SECOND.checked_sub(Duration::from_nanos(1)).unwrap());
    assert_eq!(bench.counts(), (1, 2));
    bench.after(Duration::from_nanos(1));
    assert_eq!(bench.counts(), (0, 0));
}

#[test]
fn one_failure_after_a_long_gap_does_not_trip() {
    let night = Duration::from_hours(8);
    for day in [0, 19, 20, READ_EACH, 1_000] {
        let bench = of_trip(Trip::percent(1).within(MINUTE));
        bench.succeed(day);
        bench.after(night);
        assert!(!bench.trips(), "the minimum applies to calls in the window");
        assert_eq!(bench.counts(), (1, 1));
        bench.succeed(18);
        assert_eq!(bench.counts(), (1, 19));
        assert!(bench.trips(), "2 of 20");
    }
}

/// At most this many successes count as older than they are, and none as younger.
#[test]
fn after_a_long_gap_few_old_successes_are_still_counted() {
    for day in (0..200).chain(MANY - 1..MANY + 50) {
        let bench = of_trip(Trip::percent(100).min_calls(1_000).within(MINUTE));
        bench.succeed(day);
        bench.after(MINUTE).succeed(50);
        let (_, calls) = bench.counts();
        assert!(calls <= 50);
        let one_in = if day < MANY {
            READ_ONE_IN
        } else {
            READ_ONE_IN_OF_MANY
        };
        assert!(calls > 50 - one_in, "{calls} of 50 after {day}");
        if day < READ_EACH {
            assert_eq!(calls, 50, "after {day}");
        }
    }
}

#[test]
fn a_success_with_failures_within_a_time_never_reads_the_clock() {
    for trip in [
        Trip::failures(3).within(SECOND),
        Trip::failures(3).within(SECOND).or(Trip::consecutive(9)),
        Trip::failures(3).of_last(100),
    ] {
        let bench = of_trip(trip);
        assert_eq!(bench.reads(|_| _ = bench.succeed(10)).0, 0, "{trip:?}");
        assert_eq!(bench.reads(|_| _ = bench.fail()).0, 1, "{trip:?}");
        assert_eq!(bench.reads(|_| _ = bench.succeed(500)).0, 0, "{trip:?}");
        assert_eq!(bench.reads(|_| _ = bench.fail()).0, 1, "{trip:?}");
    }
}

#[test]
fn a_call_with_time_buckets_reads_the_clock_at_most_once() {
    let trip = Trip::percent(50).min_calls(1_000_000).within(MINUTE);
    let bench = of_trip(trip);
    for bucket in 0..12 {
        bench.after(6 * SECOND);
        for call in 1..=READ_EACH {
            let reads = bench.reads(|_| _ = bench.succeed(1)).0;
            // The last bucket counts a few of these, if it already had that many.
            assert!(reads <= 1, "call {call} of {bucket}");
        }
        assert_eq!(bench.reads(|_| _ = bench.fail()).0, 1);
        bench.succeed(READ_EACH);
        let some = READ_ONE_IN * 20;
        assert_eq!(bench.reads(|_| _ = bench.succeed(some)).0, 20);
        bench.succeed(MANY);
        let more = READ_ONE_IN_OF_MANY * 20;
        assert_eq!(bench.reads(|_| _ = bench.succeed(more)).0, 20);
        assert_eq!(bench.reads(|_| _ = bench.fail()).0, 1);
    }
    let bench = of_trip(trip);
    assert_eq!(bench.reads(|_| _ = bench.succeed(READ_EACH)).0, READ_EACH);

    let bench = of(Policy::new().trip(trip).slow_call(SECOND));
    assert_eq!(bench.reads(|_| _ = bench.succeed(200)).0, 400);
    assert_eq!(bench.reads(|_| _ = bench.fail()).0, 2);
}

#[test]
fn threads_that_end_leave_their_counts() {
    let bench = of_trip(Trip::percent(100).min_calls(1_000_000).within(MINUTE));
    for thread in 0..1_000 {
        thread::scope(|scope| _ = scope.spawn(|| _ = bench.succeed(1 + thread % 3)));
    }
    let sum = (0..1_000).map(|thread| 1 + thread % 3).sum();
    assert_eq!(bench.counts(), (0, sum));
    bench.fail();
    assert_eq!(bench.counts(), (1, sum + 1));
}

/// Each of `THREADS` threads makes `CALLS` calls concurrently; every third call fails.
#[test]
fn counts_from_many_threads_add_up() {
    const THREADS: u32 = 4;
    const CALLS: u32 = 600;
    let (failures, calls) = (THREADS * CALLS / 3, THREADS * CALLS);
    for (trip, expected) in [
        (Trip::failures(4_096).of_last(4_096), (failures, calls)),
        (Trip::percent(100).of_last(4_096), (failures, calls)),
        (
            Trip::failures(1_024)
                .of_last(3_000)
                .or(Trip::consecutive(4_096)),
            (failures, calls),
        ),
        (Trip::failures(1_024).within(MINUTE), (failures, failures)),
        (
            Trip::failures(1_024)
                .within(MINUTE)
                .or(Trip::consecutive(4_096)),
            (failures, failures),
        ),
        (
            Trip::percent(100).min_calls(1_000_000).within(MINUTE),
            (failures, calls),
        ),
        (
            Trip::percent(100)
                .min_calls(1_000_000)
                .within(MINUTE)
                .or(Trip::consecutive(4_096)),
            (failures, calls),
        ),
    ] {
        let bench = of_trip(trip);
        for round in 0..5 {
            let barrier = Barrier::new(THREADS as usize);
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        barrier.wait();
                        for call in 0..CALLS {
                            if call % 3 == 0 {
                                assert_eq!(bench.fail(), Recorded::Applied);
                            } else {
                                bench.succeed(1);
                            }
                        }
                    });
                }
            });
            assert_eq!(bench.counts(), expected, "{trip:?}, round {round}");
            bench.breaker.reset();
        }
    }
}

/// The same while time advances by less than the window, so that buckets rotate while they are
/// counted in.
#[test]
fn counts_add_up_while_time_advances() {
    const THREADS: u32 = 4;
    const CALLS: u32 = 1_000;
    let bench = of_trip(Trip::percent(100).min_calls(1_000_000).within(MINUTE));
    for round in 0..5 {
        let barrier = Barrier::new(THREADS as usize);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    barrier.wait();
                    for call in 0..CALLS {
                        if call % 7 == 0 {
                            assert_eq!(bench.fail(), Recorded::Applied);
                        } else {
                            bench.succeed(1);
                        }
                        // 48 s in total.
                        bench.after(12 * MS);
                    }
                });
            }
        });
        let failures = THREADS * CALLS.div_ceil(7);
        assert_eq!(bench.counts(), (failures, THREADS * CALLS), "round {round}");
        bench.breaker.reset();
        bench.after(100 * MINUTE);
    }
}

/// Threads report exactly as many failures as trip, concurrently, with successes between them.
#[test]
fn the_kth_failure_trips_once_for_any_number_of_threads() {
    const THREADS: u32 = 4;
    const ROUNDS: u32 = 400;
    for each in [1, 3, 12] {
        let k = THREADS * each;
        let calls = k + THREADS * each;
        for (trip, successes) in [
            (Trip::failures(k).of_last(calls.max(46)), each),
            (Trip::percent(100).min_calls(k).of_last(200), 0),
            (Trip::failures(k).within(MINUTE), each),
            (Trip::percent(100).min_calls(k).within(MINUTE), 0),
            (
                Trip::consecutive(k).or(Trip::failures(k + 1).of_last(100)),
                0,
            ),
            (
                Trip::consecutive(k).or(Trip::failures(k + 1).within(MINUTE)),
                0,
            ),
            (
                Trip::consecutive(k).or(Trip::percent(100).min_calls(1_000).within(MINUTE)),
                0,
            ),
        ] {
            all_at_once(trip, THREADS, each, successes, ROUNDS);
        }
    }
}

fn all_at_once(trip: Trip, threads: u32, failures: u32, successes: u32, rounds: u32) {
    let notified = Arc::new(Mutex::new(Vec::new()));
    let bench = of_trip(trip).with_listener({
        let notified = notified.clone();
        Arc::new(move |transition: &Transition| notified.lock().unwrap().push(transition.to))
    });
    let bench = &bench;
    let barrier = Barrier::new(threads as usize + 1);
    // Checked after all threads are done: a panic earlier would leave the others waiting.
    let mut seen = Vec::new();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..rounds {
                    let calls = failures + successes;
                    let mut permits: Vec<_> = (0..calls)
                        .map(|_| bench.breaker.try_acquire().unwrap())
                        .collect();
                    barrier.wait();
                    for permit in permits.drain(..successes as usize) {
                        permit.record(Success);
                    }
                    for permit in permits {
                        permit.record(Failure);
                    }
                    barrier.wait();
                    barrier.wait();
                }
            });
        }
        for _ in 0..rounds {
            barrier.wait();
            barrier.wait();
            let trips: Vec<State> = notified.lock().unwrap().drain(..).collect();
            seen.push((bench.breaker.state(), trips));
            bench.after(7 * SECOND).breaker.reset();
            notified.lock().unwrap().clear();
            barrier.wait();
        }
    });
    for (round, seen) in seen.into_iter().enumerate() {
        let once = (State::Open, vec![State::Open]);
        assert_eq!(seen, once, "round {round} of {trip:?}");
    }
}
