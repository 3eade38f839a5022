//! Allocations of a breaker that stores its last error: none for a healthy call, and the documented
//! ones for a failure.

use std::{
    future::ready,
    pin::pin,
    task::{Context, Poll, Waker},
};

use allocation_counter::measure;
use cutout::{
    Breaker, Outcome, Trip,
    clock::Manual,
    last_error::{Error, FailureLog, WithLastError},
};

type CallResult = Result<u32, &'static str>;

static CLOCK: Manual = Manual::at(7_000_000_000);
static LOG: FailureLog = FailureLog::new(2);

fn breaker() -> Breaker {
    Breaker::builder()
        .trip(Trip::consecutive(1_000))
        .clock(&CLOCK)
        .build()
}

fn allocations<T>(act: impl FnOnce() -> T) -> u64 {
    measure(|| drop(act())).count_total
}

/// Makes a call in each of the four ways, which the classifier reports as `outcome`.
fn calls(
    dependency: &WithLastError<&'static str>,
    result: CallResult,
    outcome: Outcome,
) -> [u64; 4] {
    [
        allocations(|| dependency.call(|| result)),
        allocations(|| dependency.call_with(|| result, |_| outcome)),
        allocations(|| poll(dependency.call_async(ready(result)))),
        allocations(|| poll(dependency.call_async_with(ready(result), |_| outcome))),
    ]
}

fn poll(
    future: impl Future<Output = Result<u32, Error<&'static str>>>,
) -> Poll<Result<u32, Error<&'static str>>> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_healthy_call_does_not_allocate() {
    let logging = WithLastError::logging(breaker(), &LOG, |_| "io");
    for dependency in [WithLastError::new(breaker()), logging] {
        assert_eq!(calls(&dependency, Ok(7), Outcome::Success), [0; 4]);
    }
}

#[test]
fn an_error_is_shared_and_one_that_counts_is_stored() {
    let dependency = WithLastError::new(breaker());
    // The first use of an `ArcSwap` on a thread allocates its bookkeeping.
    calls(&dependency, Err("down"), Outcome::Failure);
    assert_eq!(calls(&dependency, Err("down"), Outcome::Failure), [2; 4]);
    let ignored = || dependency.call_with(|| Err::<(), _>("not found"), |_| Outcome::Ignored);
    assert_eq!(allocations(ignored), 1);
    dependency.breaker().force_open();
    assert_eq!(
        calls(&dependency, Ok(7), Outcome::Success),
        [0; 4],
        "rejected"
    );
}

#[test]
fn a_log_that_is_full_keeps_no_more() {
    static LOG: FailureLog = FailureLog::new(2);
    let dependency = WithLastError::logging(breaker(), &LOG, |_| "io");
    let fail = || drop(dependency.call(|| Err::<(), _>("down")));
    let kept = || measure(fail).count_current;
    assert!(kept() > 0 && kept() > 0, "until then it allocates");
    assert_eq!([kept(), kept(), kept()], [0; 3]);
}
