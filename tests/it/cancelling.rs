//! A future that is cancelled, at any await point and by any means, leaves the breaker as the
//! policy defines: under tokio and under another runtime.

use std::{
    convert::Infallible,
    future::{pending, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use cutout::{Breaker, Error, OnDrop, Outcome, Policy, Snapshot, State, Trip};
use tokio::time::{sleep, timeout};

use crate::support::{Fixture, SECOND};

const POLICY: Policy = Policy::new()
    .trip(Trip::consecutive(2))
    .open_for(SECOND)
    .probes(2)
    .on_drop(OnDrop::FailProbe);
/// The number of times that a call of these tests is pending before it completes.
const AWAITS: u32 = 5;

/// A call with several await points.
async fn quote() -> Result<u32, Infallible> {
    for _ in 0..AWAITS {
        smol::future::yield_now().await;
    }
    Ok(7)
}

/// The same, taking a second for each.
async fn slow_quote() -> Result<u32, Infallible> {
    for _ in 0..AWAITS {
        sleep(SECOND).await;
    }
    Ok(7)
}

/// Polls once and returns whether the future completed.
async fn is_ready_at_once<F: Future>(mut future: Pin<&mut F>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
}

fn breaker(policy: Policy) -> Arc<Breaker> {
    Fixture::new(policy).breaker
}

/// A breaker whose next call is a probe.
fn past_the_deadline(policy: Policy) -> Arc<Breaker> {
    Fixture::past_the_deadline(policy).breaker
}

/// Asserts the effect of a cancelled probe where drops fail probes.
fn assert_reopened(snapshot: Snapshot, context: impl std::fmt::Debug) {
    assert_eq!(snapshot.stored_state, State::Open, "{context:?}");
    assert_eq!(snapshot.reopens, 1, "{context:?}");
}

/// Asserts the effect of a cancelled probe where drops are ignored.
fn assert_released(snapshot: Snapshot, context: impl std::fmt::Debug) {
    assert_eq!(snapshot.stored_state, State::HalfOpen, "{context:?}");
    assert_eq!(snapshot.probes_in_flight, 0, "{context:?}");
}

/// Cancels calls after every number of polls that leaves them pending.
async fn cancel_everywhere() {
    for polls in 0..=AWAITS {
        for on_drop in [OnDrop::FailProbe, OnDrop::Ignore, OnDrop::Failure] {
            let policy = POLICY.on_drop(on_drop);
            let context = (polls, on_drop);

            let closed = breaker(policy);
            let half_open = past_the_deadline(policy);
            for breaker in [&closed, &half_open] {
                let mut call = Box::pin(breaker.call_async(quote()));
                for _ in 0..polls {
                    assert!(!is_ready_at_once(call.as_mut()).await);
                }
                drop(call);
            }

            let failed = polls > 0 && on_drop == OnDrop::Failure;
            let snapshot = closed.snapshot();
            assert_eq!(snapshot.failures, Some(u32::from(failed)), "{context:?}");
            assert_eq!(snapshot.generation, 0, "{context:?}");

            let snapshot = half_open.snapshot();
            match on_drop {
                _ if polls == 0 => {
                    assert_eq!(snapshot.stored_state, State::Open, "{context:?}");
                    assert_eq!(snapshot.reopens, 0, "{context:?}");
                }
                OnDrop::Ignore => assert_released(snapshot, context),
                _ => assert_reopened(snapshot, context),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn under_tokio_a_call_can_be_cancelled_at_every_await_point() {
    cancel_everywhere().await;
}

#[test]
fn under_smol_a_call_can_be_cancelled_at_every_await_point() {
    smol::block_on(cancel_everywhere());
}

#[tokio::test(start_paused = true)]
async fn an_outer_timeout_at_every_await_point_is_a_drop() {
    for awaits in 0..AWAITS {
        let breaker = past_the_deadline(POLICY);
        let limit = SECOND * awaits + SECOND / 2;
        let call = timeout(limit, breaker.call_async(slow_quote()));
        call.await.unwrap_err();
        assert_reopened(breaker.snapshot(), awaits);
    }
    let breaker = past_the_deadline(POLICY);
    let limit = SECOND * (AWAITS + 1);
    let call = timeout(limit, breaker.call_async(slow_quote()));
    assert_eq!(call.await.unwrap(), Ok(7));
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_outer_timeout_of_nothing_polls_once_and_drops() {
    let breaker = past_the_deadline(POLICY);
    let call = timeout(Duration::ZERO, breaker.call_async(slow_quote()));
    call.await.unwrap_err();
    assert_reopened(breaker.snapshot(), ());
}

#[tokio::test(start_paused = true)]
async fn an_inner_timeout_is_a_failure_also_while_closed() {
    let breaker = breaker(POLICY);
    let call = breaker.call_async(timeout(SECOND, pending::<()>()));
    assert!(matches!(call.await, Err(Error::Inner(_))));
    assert_eq!(breaker.snapshot().failures, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_lost_select_at_every_await_point_is_a_drop() {
    for awaits in 0..AWAITS {
        let breaker = past_the_deadline(POLICY.on_drop(OnDrop::Ignore));
        tokio::select! {
            answer = breaker.call_async(slow_quote()) => panic!("{answer:?}"),
            () = sleep(SECOND * awaits + SECOND / 2) => {}
        }
        assert_released(breaker.snapshot(), awaits);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_select_only_borrows_continues() {
    let breaker = past_the_deadline(POLICY);
    let mut call = Box::pin(breaker.call_async(slow_quote()));
    let mut ticks = 0;
    let answer = loop {
        tokio::select! {
            answer = &mut call => break answer,
            () = sleep(SECOND / 2) => ticks += 1,
        }
        assert_eq!(breaker.snapshot().probes_in_flight, 1);
    };
    assert_eq!(answer, Ok(7));
    assert!(ticks >= AWAITS);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_task_aborted_at_every_await_point_drops_its_call() {
    for awaits in 0..AWAITS {
        let breaker = Arc::new(past_the_deadline(POLICY));
        let shared = Arc::clone(&breaker);
        let task = tokio::spawn(async move { shared.call_async(slow_quote()).await });
        sleep(SECOND * awaits + SECOND / 2).await;
        assert_eq!(breaker.snapshot().probes_in_flight, 1);
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_reopened(breaker.snapshot(), awaits);
    }
}

#[test]
fn under_smol_a_lost_race_and_a_dropped_task_are_drops() {
    let policy = POLICY.on_drop(OnDrop::Ignore);
    smol::block_on(async {
        let breaker = past_the_deadline(policy);
        let call = async { breaker.call_async(quote()).await.is_ok() };
        let rival = async {
            smol::future::yield_now().await;
            false
        };
        assert!(!smol::future::or(call, rival).await);
        assert_released(breaker.snapshot(), "race");

        let breaker = past_the_deadline(policy);
        let executor = smol::LocalExecutor::new();
        let task = executor.spawn(breaker.call_async(quote()));
        assert!(executor.try_tick());
        assert_eq!(breaker.snapshot().probes_in_flight, 1);
        assert!(executor.run(task.cancel()).await.is_none());
        assert_released(breaker.snapshot(), "task");

        let task = executor.spawn(breaker.call_async(quote()));
        assert_eq!(executor.run(task).await, Ok(7));
        assert_eq!(breaker.state(), State::Closed);
    });
}

#[tokio::test]
async fn a_call_is_admitted_at_its_first_poll_and_not_before() {
    let breaker = past_the_deadline(POLICY.probes(1));
    let calls: Vec<_> = (0..100).map(|_| breaker.call_async(quote())).collect();
    assert_eq!(breaker.snapshot().stored_state, State::Open);
    drop(calls);
    assert_eq!(breaker.snapshot().stored_state, State::Open);

    let mut first = Box::pin(breaker.call_async(quote()));
    let second = breaker.call_async(quote());
    assert!(!is_ready_at_once(first.as_mut()).await);
    assert_eq!(breaker.snapshot().probes_in_flight, 1);
    assert!(second.await.unwrap_err().rejected().is_some());
    assert_eq!(first.await, Ok(7));
}

#[tokio::test]
async fn a_call_built_while_closed_is_rejected_if_it_is_polled_while_open() {
    let polls = AtomicU32::new(0);
    let breaker = breaker(POLICY);
    let call = breaker.call_async(async {
        polls.fetch_add(1, Ordering::Relaxed);
        Ok::<(), Infallible>(())
    });
    breaker.force_open();
    assert!(matches!(call.await, Err(Error::Rejected(_))));
    assert_eq!(polls.load(Ordering::Relaxed), 0, "no call was made");
}

#[tokio::test]
async fn a_call_admitted_while_closed_continues_while_open_and_is_stale() {
    let breaker = breaker(POLICY);
    let mut call = Box::pin(breaker.call_async(quote()));
    assert!(!is_ready_at_once(call.as_mut()).await);
    breaker.force_open();
    assert_eq!(call.await, Ok(7));
    assert_eq!(breaker.state(), State::ForcedOpen);
}

#[test]
fn a_call_that_is_polled_after_its_end_panics_and_changes_nothing() {
    let breaker = breaker(POLICY);
    let poll = |call: Pin<&mut dyn Future<Output = Result<(), Error<()>>>>| {
        let mut context = Context::from_waker(Waker::noop());
        catch_unwind(AssertUnwindSafe(|| call.poll(&mut context)))
    };

    let mut ready = Box::pin(breaker.call_async(async { Ok(()) }));
    assert!(poll(ready.as_mut()).unwrap().is_ready());
    poll(ready.as_mut()).unwrap_err();
    assert_eq!(breaker.snapshot().calls, Some(0), "a success breaks a run");

    let mut thrown = Box::pin(breaker.call_async(async { resume_unwind(Box::new("thrown")) }));
    poll(thrown.as_mut()).unwrap_err();
    assert_eq!(breaker.snapshot().failures, Some(1));
    poll(thrown.as_mut()).unwrap_err();
    drop(thrown);
    assert_eq!(breaker.snapshot().failures, Some(1), "it ended once");

    breaker.force_open();
    let mut rejected = Box::pin(breaker.call_async(async { Ok(()) }));
    assert!(poll(rejected.as_mut()).unwrap().is_ready());
    poll(rejected.as_mut()).unwrap_err();
}

#[test]
fn a_call_can_be_sent_if_its_future_can() {
    fn sent<T: Send>(value: T) -> T {
        value
    }

    let breaker = Arc::new(breaker(POLICY));
    drop(sent(breaker.call_async(quote())));
    drop(sent(breaker.call_async_with(quote(), |_| Outcome::Ignored)));
    let shared = Arc::clone(&breaker);
    drop(sent(async move {
        shared.call_async(slow_quote()).await.is_ok()
    }));
}

#[test]
fn a_call_is_little_bigger_than_its_future_and_classifier() {
    let breaker = breaker(POLICY);
    let future = quote();
    let future_size = size_of_val(&future);
    let call = breaker.call_async(future);
    let overhead = size_of_val(&call) - future_size;
    assert!(overhead <= 48, "{overhead}");

    let allowed = [404_u64; 3];
    let classify = move |result: &Result<u32, Infallible>| match result {
        Ok(status) if allowed.contains(&u64::from(*status)) => Outcome::Ignored,
        _ => Outcome::Success,
    };
    let parts = size_of_val(&classify) + future_size;
    let call = breaker.call_async_with(quote(), classify);
    let overhead = size_of_val(&call) - parts;
    assert!(overhead <= 48, "{overhead}");
}
