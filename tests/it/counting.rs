//! A breaker with `count_calls` counts each call once, by its outcome.

use std::{sync::Arc, thread, time::Duration};

use cutout::{Breaker, Builder, CallCounts, CallListener, OnDrop, Outcome, Trip, clock::Manual};

use crate::support::SECOND;

/// Successes, failures, ignored and rejected calls.
fn counts(breaker: &Breaker) -> [u64; 4] {
    let CallCounts {
        successes,
        failures,
        ignored,
        rejected,
        ..
    } = breaker.call_counts().expect("it counts");
    [successes, failures, ignored, rejected]
}

fn counting() -> Builder {
    Breaker::builder().trip(Trip::consecutive(2)).count_calls()
}

fn bench(builder: Builder) -> (Breaker, Arc<Manual>) {
    let clock = Arc::new(Manual::new());
    (builder.build().with_shared_clock(clock.clone()), clock)
}

/// One call of each outcome: four calls, one of them rejected.
fn one_of_each(breaker: &Breaker) {
    breaker.call(|| Ok::<_, ()>(1)).unwrap();
    breaker.call(|| Err::<(), _>("broken")).unwrap_err();
    breaker
        .call_with(|| Ok::<_, ()>(1), |_| Outcome::Ignored)
        .unwrap();
    breaker.force_open();
    breaker.call(|| Ok::<_, ()>(1)).unwrap_err();
    breaker.reset();
}

#[test]
fn a_breaker_that_does_not_count_has_no_counts() {
    let breaker = Breaker::new();
    breaker.call(|| Ok::<_, ()>(1)).unwrap();
    assert_eq!(breaker.call_counts(), None);
}

#[test]
fn nothing_is_counted_before_the_first_call() {
    let (breaker, _) = bench(counting());
    assert_eq!(breaker.call_counts(), Some(CallCounts::default()));
    breaker.force_open();
    assert_eq!(breaker.call_counts().unwrap().ended(), 0);
}

#[test]
fn each_call_is_counted_by_its_outcome_with_any_trip() {
    for trip in [
        Trip::consecutive(3),
        Trip::failures(3).of_last(5),
        Trip::failures(3).of_last(500),
        Trip::failures(3).within(SECOND),
        Trip::percent(99).min_calls(10).within(SECOND),
        Trip::percent(99)
            .min_calls(10)
            .within(SECOND)
            .or(Trip::consecutive(3)),
    ] {
        let (breaker, _) = bench(counting().trip(trip));
        for round in 1..=100 {
            one_of_each(&breaker);
            assert_eq!(counts(&breaker), [round; 4], "{trip:?}");
            assert_eq!(breaker.call_counts().unwrap().ended(), 3 * round);
        }
    }
}

#[test]
fn each_call_is_counted_once_beside_a_call_listener_and_a_time_limit() {
    struct Quiet;
    impl CallListener for Quiet {}

    for builder in [
        counting().call_listener(&Quiet),
        counting().slow_call(SECOND),
        counting().on_drop(OnDrop::FailureAfter(SECOND)),
    ] {
        let (breaker, _) = bench(builder);
        one_of_each(&breaker);
        assert_eq!(counts(&breaker), [1; 4]);
    }
}

#[test]
fn a_slow_success_is_counted_as_a_failure() {
    let (breaker, clock) = bench(counting().slow_call(SECOND));
    breaker
        .call(|| {
            clock.advance(SECOND);
            Ok::<_, ()>(1)
        })
        .unwrap();
    assert_eq!(counts(&breaker), [0, 1, 0, 0]);
}

#[test]
fn a_dropped_permit_is_counted_as_the_policy_says() {
    let (breaker, _) = bench(counting());
    drop(breaker.try_acquire().unwrap());
    assert_eq!(counts(&breaker), [0, 0, 1, 0]);
    let (breaker, _) = bench(counting().on_drop(OnDrop::Failure));
    drop(breaker.try_acquire().unwrap());
    assert_eq!(counts(&breaker), [0, 1, 0, 0]);
}

#[test]
fn probes_and_stale_outcomes_are_counted() {
    let (breaker, clock) = bench(counting());
    let late = breaker.try_acquire().unwrap();
    for _ in 0..2 {
        breaker.call(|| Err::<(), _>("broken")).unwrap_err();
    }
    assert_eq!(counts(&breaker), [0, 2, 0, 0]);
    breaker.call(|| Ok::<_, ()>(1)).unwrap_err();
    clock.advance(Duration::from_mins(2));
    let probe = breaker.try_acquire().unwrap();
    breaker.call(|| Ok::<_, ()>(1)).unwrap_err();
    probe.record(Outcome::Success);
    late.record(Outcome::Success);
    assert_eq!(counts(&breaker), [2, 2, 0, 2]);
}

#[test]
fn a_call_that_panics_is_counted_once() {
    let (breaker, _) = bench(counting().trip(Trip::consecutive(5)));
    let panics = std::panic::AssertUnwindSafe(|| {
        let _ = breaker.call(|| -> Result<(), ()> { panic!("on purpose") });
    });
    std::panic::catch_unwind(panics).unwrap_err();
    assert_eq!(counts(&breaker), [0, 1, 0, 0]);
}

#[cfg(feature = "tower")]
#[tokio::test]
async fn async_calls_and_requests_are_counted_once() {
    use cutout::tower::BreakerLayer;
    use tower::{Layer, ServiceExt, service_fn};

    let (breaker, _) = bench(counting());
    let breaker = Arc::new(breaker);
    breaker.call_async(async { Ok::<_, ()>(1) }).await.unwrap();
    assert_eq!(counts(&breaker), [1, 0, 0, 0]);
    let layer = BreakerLayer::new(breaker.clone());
    let service = layer.layer(service_fn(
        async |works: bool| {
            if works { Ok(1) } else { Err("broken") }
        },
    ));
    service.clone().oneshot(true).await.unwrap();
    service.clone().oneshot(false).await.unwrap_err();
    assert_eq!(counts(&breaker), [2, 1, 0, 0]);
    breaker.force_open();
    service.oneshot(true).await.unwrap_err();
    assert_eq!(counts(&breaker), [2, 1, 0, 1]);
}

#[test]
fn calls_of_all_threads_are_counted() {
    const CALLS: u64 = 10_000;
    let (breaker, _) =
        bench(counting().trip(Trip::consecutive(2).or(Trip::failures(9).of_last(10))));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..CALLS {
                    breaker.call(|| Ok::<_, ()>(1)).unwrap();
                }
            });
        }
    });
    assert_eq!(counts(&breaker), [8 * CALLS, 0, 0, 0]);
}
