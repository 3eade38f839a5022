//! Calls through the wrapper, compared with calls through the breaker itself.

use std::{
    error::Error as _,
    future::{Ready, pending, ready},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use cutout::{
    Breaker, OnDrop, Outcome, Policy, Reason, Rejected, State, Trip,
    last_error::{Error, WithLastError},
};

use super::{Bench, SECOND};

static STATIC: Breaker = Breaker::builder().trip(Trip::consecutive(1)).build();
static OWNED: WithLastError<io::Error> = WithLastError::new(Breaker::new());
static BORROWED: WithLastError<io::Error, &Breaker> = WithLastError::new(&STATIC);

/// Polls once.
fn poll<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn ended<T>(polled: Poll<T>) -> T {
    match polled {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("not ready"),
    }
}

fn failing(error: &'static str) -> Ready<Result<(), &'static str>> {
    ready(Err(error))
}

#[test]
fn the_breaker_is_owned_borrowed_or_shared() {
    assert_eq!(OWNED.call(|| Ok(7)).unwrap(), 7);
    let down = || Err::<(), _>(io::Error::other("down"));
    BORROWED.call(down).unwrap_err();
    assert_eq!(STATIC.state(), State::Open);
    let breaker = Arc::new(Breaker::new());
    let shared = WithLastError::new(breaker.clone());
    shared.call(down).unwrap_err();
    assert_eq!(breaker.snapshot().failures, Some(1));
    let anywhere: &(dyn Send + Sync) = &shared;
    let _ = anywhere;
}

#[test]
fn a_call_gets_its_own_result_and_a_rejection_the_last_error() {
    let bench = Bench::new();
    assert_eq!(bench.dependency.call(|| Ok(7)).unwrap(), 7);
    bench.fail("first");
    let error = bench
        .dependency
        .call(|| Err::<(), _>("second"))
        .unwrap_err();
    assert!(matches!(&error, Error::Inner(inner) if **inner == "second"));
    assert_eq!(error.to_string(), "second");
    assert_eq!((error.retry_after(), error.rejected()), (None, None));
    assert_eq!(error.into_inner().as_deref(), Some(&"second"));

    let error = bench.rejected();
    assert_eq!(
        error.to_string(),
        "circuit is open, retry after 1s; last error: second"
    );
    assert_eq!(error.retry_after(), Some(SECOND));
    assert_eq!(error.rejected().unwrap().reason(), Reason::Open);
    assert_eq!(error.last().map(|last| **last), Some("second"));
    assert_eq!(error.clone().to_string(), error.to_string());
    assert_eq!(error.into_inner(), None);
}

#[test]
fn a_rejection_without_an_error_shows_the_breaker_s_message() {
    let bench = Bench::<&str>::new();
    bench.dependency.breaker().force_open();
    let error = bench.rejected();
    assert_eq!(error.to_string(), "circuit is forced open");
    assert!(error.last().is_none());
}

#[test]
fn a_report_of_the_whole_chain_repeats_no_text() {
    #[derive(Debug, thiserror::Error)]
    #[error("no quote")]
    struct QuoteFailed(#[source] io::Error);

    let bench = Bench::new();
    for _ in 0..2 {
        bench.fail(QuoteFailed(io::ErrorKind::TimedOut.into()));
    }
    let rejected = bench.rejected();
    assert_eq!(
        rejected.last().unwrap().source().unwrap().to_string(),
        "timed out"
    );
    let report = anyhow::Error::from(rejected);
    assert!(
        Rejected::find(&*report).is_some(),
        "a retry leaves it alone"
    );
    assert_eq!(
        format!("{report:#}"),
        "circuit is open, retry after 1s; last error: no quote: a circuit breaker rejected the call"
    );
    let inner = Error::Inner(Arc::new(QuoteFailed(io::ErrorKind::TimedOut.into())));
    assert_eq!(
        format!("{:#}", anyhow::Error::from(inner)),
        "no quote: timed out"
    );
    bench.dependency.breaker().force_open();
    assert!(bench.rejected().source().unwrap().source().is_none());
}

#[test]
fn a_future_is_admitted_at_its_first_poll_and_leaves_its_error() {
    let bench = Bench::new();
    let call = bench.dependency.call_async(failing("first"));
    bench.dependency.breaker().force_open();
    let error = ended(poll(call)).unwrap_err();
    assert_eq!(error.rejected().unwrap().reason(), Reason::ForcedOpen);
    bench.dependency.breaker().reset();

    for error in ["first", "second"] {
        let error = ended(poll(bench.dependency.call_async(failing(error)))).unwrap_err();
        assert!(!error.is_rejected());
    }
    let error = ended(poll(bench.dependency.call_async(failing("third")))).unwrap_err();
    assert_eq!(error.last().map(|last| **last), Some("second"));
    assert!(error.is_rejected());
    bench.past_the_deadline();
    let well = ready(Ok::<_, &str>(7));
    assert_eq!(ended(poll(bench.dependency.call_async(well))).unwrap(), 7);
    assert_eq!(bench.last(), None);
}

#[test]
fn a_future_can_be_spawned() {
    fn spawnable<F: Future + Send + 'static>(future: F) -> F {
        future
    }
    assert_eq!(
        ended(poll(spawnable(OWNED.call_async(ready(Ok(7)))))).unwrap(),
        7
    );
}

#[test]
fn a_future_is_classified_as_a_call_is() {
    let bench = Bench::new();
    let ignored = bench
        .dependency
        .call_async_with(failing("ignored"), |_| Outcome::Ignored);
    ended(poll(ignored)).unwrap_err();
    assert_eq!(bench.last(), None);
    let failed = bench
        .dependency
        .call_async_with(failing("failed"), |_| Outcome::Failure);
    ended(poll(failed)).unwrap_err();
    assert_eq!(bench.last(), Some("failed"));
}

#[test]
fn a_dropped_future_has_the_outcome_of_the_policy() {
    for (on_drop, failures) in [(OnDrop::Ignore, 0), (OnDrop::Failure, 1)] {
        let bench = Bench::of(Policy::new().on_drop(on_drop));
        assert!(poll(bench.dependency.call_async(pending::<Result<(), _>>())).is_pending());
        let snapshot = bench.dependency.breaker().snapshot();
        assert_eq!(snapshot.failures, Some(failures), "{on_drop:?}");
        assert_eq!(bench.last(), None);
    }
}

#[test]
fn a_panic_counts_as_a_failure_and_keeps_the_stored_error() {
    let bench = Bench::new();
    bench.fail("first");
    let call = || -> Result<(), &'static str> { panic!("on purpose") };
    catch_unwind(AssertUnwindSafe(|| bench.dependency.call(call))).unwrap_err();
    assert_eq!(bench.rejected().last().map(|last| **last), Some("first"));

    bench.past_the_deadline();
    let future = async { call() };
    catch_unwind(AssertUnwindSafe(|| {
        poll(bench.dependency.call_async(future)).is_ready()
    }))
    .unwrap_err();
    assert_eq!(bench.dependency.breaker().snapshot().reopens, 1);

    bench.past_the_deadline();
    let classify = |_: &Result<(), &'static str>| panic!("on purpose");
    catch_unwind(AssertUnwindSafe(|| {
        bench.dependency.call_with(|| Ok(()), classify)
    }))
    .unwrap_err();
    assert_eq!(bench.dependency.breaker().snapshot().reopens, 2);
}

#[test]
fn a_slow_call_fails_without_an_error_of_its_own() {
    let bench = Bench::of(Policy::new().slow_call(SECOND));
    let slowly = |result: Result<(), &'static str>| {
        let clock = bench.clock.clone();
        move || {
            clock.advance(SECOND + Duration::from_millis(1));
            result
        }
    };
    bench.dependency.call(slowly(Ok(()))).unwrap();
    let ignored = bench
        .dependency
        .call_with(slowly(Err("ignored")), |_| Outcome::Ignored);
    ignored.unwrap_err();
    assert_eq!(bench.dependency.breaker().state(), State::Open);
    assert!(bench.rejected().last().is_none());
}
