//! Time windows under clocks that differ between cores.

use std::time::Duration;

use cutout::{Breaker, Outcome, Policy, Recorded, State, Trip, clock::Manual};

use super::{MS, SECOND, breaker, fail, succeed};

/// Nine failures are counted right after a recovery whose clock was already in the next bucket; the
/// tenth trips.
#[test]
fn failures_counted_behind_a_recovery_s_clock_are_not_lost() {
    let trip = Trip::percent(50).min_calls(10).within(SECOND);
    for ahead in [50, 100, 350, 999] {
        let recover = |breaker: &Breaker, clock: &Manual| {
            breaker.force_open();
            breaker.resume();
            clock.advance(ahead * MS);
            assert!(succeed(breaker));
            clock.step_back(ahead * MS);
        };
        let reset = |breaker: &Breaker, clock: &Manual| {
            clock.advance(ahead * MS);
            breaker.reset();
            clock.step_back(ahead * MS);
        };
        for begin in [&recover as &dyn Fn(&Breaker, &Manual), &reset] {
            let (breaker, clock) = breaker(Policy::new().trip(trip), 7_070_000_000);
            begin(&breaker, &clock);
            for _ in 0..9 {
                fail(&breaker);
            }
            assert_eq!(breaker.snapshot().failures, Some(9), "{ahead} ms ahead");
            clock.advance(ahead * MS);
            fail(&breaker);
            assert_eq!(breaker.state(), State::Open, "{ahead} ms ahead");
        }
    }
}

/// Records failures at these times on one core, each read from a clock that leads by this much.
fn trips(trip: Trip, failures: &[(Duration, Duration)]) -> bool {
    let (breaker, clock) = breaker(Policy::new().trip(trip), 0);
    failures.iter().any(|(time, ahead)| {
        let now = u64::try_from((SECOND + *time + *ahead).as_nanos()).unwrap();
        clock.set(now);
        let permit = breaker.try_acquire().unwrap();
        permit.record(Outcome::Failure) == Recorded::Tripped
    })
}

/// Clocks that differ by up to a second make a time window longer or shorter by that much.
#[test]
fn a_window_of_failures_varies_by_the_difference_of_clocks() {
    let within = 100 * MS;
    let trip = Trip::failures(2).within(within);
    let microsecond = Duration::from_micros(1);
    for skew in [Duration::ZERO, MS, 50 * MS, 900 * MS, SECOND] {
        for (first, second) in [(skew, Duration::ZERO), (Duration::ZERO, skew), (skew, skew)] {
            let trips = |apart| trips(trip, &[(Duration::ZERO, first), (apart, second)]);
            assert!(!trips(within + skew), "{skew:?}: never that far apart");
            if let Some(near) = (within - microsecond).checked_sub(skew) {
                assert!(trips(near), "{skew:?}: always that near");
            }
        }
    }
}

#[test]
fn time_buckets_vary_by_the_difference_of_clocks_and_a_tenth() {
    let within = 100 * MS;
    let trip = Trip::percent(100).min_calls(2).within(within);
    for skew in [Duration::ZERO, MS, 50 * MS, 900 * MS, SECOND] {
        for (first, second) in [(skew, Duration::ZERO), (Duration::ZERO, skew), (skew, skew)] {
            let trips = |apart| trips(trip, &[(Duration::ZERO, first), (apart, second)]);
            assert!(!trips(within + skew), "{skew:?}: never that far apart");
            if let Some(near) = (within * 9 / 10).checked_sub(skew) {
                assert!(trips(near), "{skew:?}: always that near");
            }
        }
    }
}

/// The default clock is one for all cores (on a processor with synchronised counters), so nothing
/// differs.
#[test]
fn a_core_that_leads_lengthens_a_window_by_its_lead_at_most() {
    let trip = Trip::failures(3).within(100 * MS);
    let ahead = 900 * MS;
    let apart = |n: u32| (n * 110 * MS, Duration::ZERO);
    // Listed limit: by the leading clock, the following two are as young as the first.
    assert!(trips(trip, &[(Duration::ZERO, ahead), apart(1), apart(2)]));
    let later = |n: u32| (ahead + n * 110 * MS, Duration::ZERO);
    assert!(!trips(trip, &[(Duration::ZERO, ahead), later(1), later(2)]));
}

#[test]
fn a_shared_clock_that_never_differs_keeps_the_window_exact() {
    let (breaker, clock) = breaker(Policy::new().trip(Trip::failures(2).within(100 * MS)), 0);
    fail(&breaker);
    clock.advance(100 * MS);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    clock.advance(99 * MS);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

/// The word keeps 29 bits of the bucket in which a period began. In the last second before they
/// repeat, a reading looks like one behind the clock of that beginning: the window is up to a
/// second longer. `Breaker#limits` documents that, and no more than that.
#[test]
fn a_window_of_time_buckets_is_a_second_longer_where_the_number_of_its_start_repeats() {
    let trip = Trip::percent(100).min_calls(2).within(100 * MS);
    let repeats = (10_000_000_u64 << 29) * 3;
    let trips = |before: Duration, apart: Duration| {
        let start = repeats - u64::try_from(before.as_nanos()).unwrap();
        let (breaker, clock) = breaker(Policy::new().trip(trip), start);
        fail(&breaker);
        clock.advance(apart);
        fail(&breaker);
        breaker.state() == State::Open
    };
    assert!(trips(SECOND, 900 * MS), "documented");
    assert!(!trips(SECOND, SECOND + 100 * MS));
    for before in [2 * SECOND, SECOND + 200 * MS] {
        assert!(!trips(before, 101 * MS), "sooner, a window has its length");
    }
    assert!(!trips(Duration::ZERO, 101 * MS), "and so it has afterwards");
    assert!(trips(Duration::ZERO, 89 * MS));
}
