//! Allocations of a breaker: number, size and time, as the documentation of `Trip` states them.

use std::{
    alloc::Layout,
    future::poll_fn,
    hint::black_box,
    mem,
    pin::pin,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use allocation_counter::{AllocationInfo, measure};
use cutout::{Breaker, Failures, Outcome, Percent, Policy, Recorded, State, Trip, clock::Manual};

const SECOND: Duration = Duration::from_secs(1);

const IN_WORD: [Trip; 4] = [
    Trip::consecutive(3),
    Policy::new().trip,
    Trip::failures(3).of_last(45),
    Trip::percent(50).of_last(45).or(Trip::consecutive(45)),
];

/// A clock for one test. A clock that tests share moves the time under the others.
fn clock() -> &'static Manual {
    Box::leak(Box::new(Manual::at(7_000_000_000)))
}

fn breaker(trip: Trip, clock: &'static Manual) -> Breaker {
    Breaker::builder()
        .name("allocations")
        .trip(trip)
        .open_for(SECOND)
        .clock(clock)
        .build()
}

fn succeed(breaker: &Breaker) -> Recorded {
    breaker.try_acquire().unwrap().record(Outcome::Success)
}

fn fail(breaker: &Breaker) -> Recorded {
    breaker.try_acquire().unwrap().record(Outcome::Failure)
}

/// Number and total size of the allocations that `act` makes.
fn allocated<T>(act: impl FnOnce() -> T) -> (u64, u64) {
    let AllocationInfo {
        count_total,
        bytes_total,
        ..
    } = measure(|| drop(act()));
    (count_total, bytes_total)
}

/// Number of those allocations that `act` does not free.
fn kept<T>(act: impl FnOnce() -> T) -> (i64, i64) {
    let AllocationInfo {
        count_current,
        bytes_current,
        ..
    } = measure(|| drop(act()));
    (count_current, bytes_current)
}

const NOTHING: (u64, u64) = (0, 0);

#[test]
fn an_in_word_breaker_allocates_nothing_ever() {
    let clock = clock();
    for trip in IN_WORD {
        let life = || {
            let breaker = breaker(trip, clock);
            for _ in 0..100 {
                succeed(&breaker);
            }
            breaker.call(|| Ok::<_, ()>(7)).unwrap();
            while fail(&breaker) != Recorded::Tripped {}
            assert!(breaker.try_acquire().is_err());
            breaker.call(|| Ok::<_, ()>(7)).unwrap_err();
            breaker.force_open_for(SECOND);
            clock.advance(SECOND);
            assert_eq!(fail(&breaker), Recorded::Reopened);
            assert!(breaker.try_acquire().is_err());
            breaker.force_open();
            assert!(breaker.try_acquire().is_err());
            breaker.disable();
            succeed(&breaker);
            breaker.reset();
            let _ = (breaker.state(), breaker.snapshot(), breaker.policy());
            assert!(breaker.peek().is_ok());
            drop(breaker.try_acquire().unwrap());
        };
        assert_eq!(allocated(life), NOTHING, "{trip:?}");
    }
}

/// Shows that these tests can fail.
#[test]
fn an_allocation_is_counted() {
    let boxed = || black_box(Box::new([0_u8; 40]));
    assert_eq!(allocated(boxed), (1, 40));
    assert_eq!(kept(boxed), (0, 0));
    assert_eq!(kept(|| mem::forget(boxed())), (1, 40));
}

#[test]
fn an_async_call_allocates_nothing() {
    let breaker = breaker(Policy::new().trip, clock());
    let call = |result: Result<u32, &'static str>| {
        let mut pending = true;
        let future = poll_fn(move |_| {
            if mem::take(&mut pending) {
                Poll::Pending
            } else {
                Poll::Ready(result)
            }
        });
        let mut call = pin!(breaker.call_async(future));
        let mut context = Context::from_waker(Waker::noop());
        while call.as_mut().poll(&mut context).is_pending() {}
    };
    assert_eq!(allocated(|| call(Ok(7))), NOTHING);
    assert_eq!(allocated(|| call(Err("down"))), NOTHING);
    breaker.force_open();
    assert_eq!(allocated(|| call(Ok(7))), NOTHING, "rejected");
}

/// 256 bytes, plus 8 for each failure that trips, for at least two failures.
#[test]
fn a_ring_is_allocated_at_the_first_failure() {
    let calls = |trip: Failures| trip.of_last(4_096);
    let time = |trip: Failures| trip.within(SECOND);
    let of_many = |trip: Percent| trip.of_last(4_096);
    for (trip, failures) in [
        (calls(Trip::failures(1)), 2),
        (calls(Trip::failures(2)), 2),
        (calls(Trip::failures(4_096)), 4_096),
        (Trip::failures(3).of_last(46), 3),
        (of_many(Trip::percent(50)), 2_048),
        (of_many(Trip::percent(1)), 41),
        (time(Trip::failures(2)), 2),
        (time(Trip::failures(1_024)), 1_024),
    ] {
        let breaker = breaker(trip, clock());
        let before = allocated(|| {
            for _ in 0..5_000 {
                succeed(&breaker);
            }
            breaker.try_acquire().unwrap().ignore();
            let _ = breaker.snapshot();
        });
        assert_eq!(before, NOTHING, "{trip:?} before its first failure");
        let first = kept(|| fail(&breaker));
        assert_eq!(first, (2, 256 + 8 * failures), "{trip:?}");
        let after = allocated(|| {
            while breaker.state() == State::Closed {
                fail(&breaker);
            }
            breaker.reset();
            fail(&breaker);
        });
        assert_eq!(after, NOTHING, "{trip:?} after it");
    }
}

/// 384 bytes, plus 128 for each shard. (The query for the system's parallelism allocates too.)
#[test]
fn buckets_are_allocated_at_the_first_call_that_ends() {
    for first in [Outcome::Success, Outcome::Failure] {
        let clock = clock();
        let breaker = breaker(Trip::percent(50).within(SECOND), clock);
        let before = allocated(|| {
            breaker.try_acquire().unwrap().ignore();
            let _ = breaker.snapshot();
        });
        assert_eq!(before, NOTHING);
        let permit = breaker.try_acquire().unwrap();
        let bytes = 384 + 128 * i64::from(shards());
        assert_eq!(kept(|| permit.record(first)), (2, bytes));
        let after = allocated(|| {
            for _ in 0..100 {
                succeed(&breaker);
                clock.advance(SECOND / 10);
            }
            while breaker.state() == State::Closed {
                fail(&breaker);
            }
            breaker.reset();
            fail(&breaker);
        });
        assert_eq!(after, NOTHING);
    }
}

/// 48 bytes, plus 128 for each shard. (The query for the system's parallelism allocates too.)
#[test]
fn counters_are_allocated_at_the_first_call_that_ends() {
    for first in [Outcome::Success, Outcome::Failure, Outcome::Ignored] {
        let counting = Breaker::builder().clock(clock()).count_calls();
        let breaker = counting.build();
        let permit = breaker.try_acquire().unwrap();
        assert_eq!(kept(|| breaker.call_counts()), (0, 0));
        let bytes = 48 + 128 * i64::from(shards());
        assert_eq!(kept(|| permit.record(first)), (2, bytes));
        let after = allocated(|| {
            for _ in 0..100 {
                succeed(&breaker);
            }
            while fail(&breaker) != Recorded::Tripped {}
            breaker.try_acquire().unwrap_err();
            breaker.call_counts()
        });
        assert_eq!(after, NOTHING);
    }
}

/// The system's parallelism, rounded up to a power of two, at most 64.
fn shards() -> u8 {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    u8::try_from(threads.min(64).next_power_of_two()).unwrap()
}

#[test]
fn a_million_in_word_breakers_are_256_megabytes() {
    let one = Layout::new::<Breaker>();
    let million = Layout::array::<Breaker>(1_000_000).unwrap();
    assert!(one.size() <= 256, "{one:?}");
    assert!(million.size() <= 256_000_000, "{million:?}");
    let clock = clock();
    let few = allocated(|| {
        [(); 100]
            .map(|()| breaker(IN_WORD[0], clock))
            .into_iter()
            .collect::<Box<[_]>>()
    });
    assert_eq!(few, (1, 100 * 256), "and no others");
}
