//! Async functions, each with its own breaker.

mod support;

use std::{
    cell::Cell,
    fmt,
    future::pending,
    panic::AssertUnwindSafe,
    pin::pin,
    task::{Context, Poll, Waker},
};

use cutout::{Error, Outcome, State};
use tokio::task::yield_now;

use support::Broken;

#[tokio::test]
async fn an_async_function_trips_and_is_rejected() {
    #[cutout::breaker(consecutive = 2)]
    async fn offer(well: bool) -> Result<u32, Broken> {
        yield_now().await;
        if !well {
            Err(fmt::Error)?;
        }
        return Ok(7);
    }

    assert_eq!(offer(true).await, Ok(7));
    assert_eq!(offer(false).await, Err(Broken::Service));
    assert_eq!(offer(false).await, Err(Broken::Service));
    assert_eq!(offer_breaker().state(), State::Open);
    assert!(matches!(offer(true).await, Err(Broken::Rejected(_))));
}

#[tokio::test]
async fn a_fallback_may_be_awaited() {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "a fallback returns what its function does"
    )]
    fn at_once(error: Error<&'static str>) -> Result<String, &'static str> {
        Ok(format!("cold, {error}"))
    }

    async fn later(error: Error<&'static str>) -> Result<String, &'static str> {
        yield_now().await;
        Ok(format!("cold, {error}"))
    }

    #[cutout::breaker(consecutive = 1, fallback = at_once)]
    async fn plain() -> Result<String, &'static str> {
        Err("broken")
    }

    #[cutout::breaker(consecutive = 1, fallback = async later)]
    async fn awaited() -> Result<String, &'static str> {
        Err("broken")
    }

    assert_eq!(plain().await.unwrap(), "cold, broken");
    assert_eq!(awaited().await.unwrap(), "cold, broken");
    assert!(
        awaited()
            .await
            .unwrap()
            .starts_with("cold, circuit \"awaited\" is open")
    );
}

#[tokio::test]
async fn a_classifier_says_what_a_result_means() {
    fn ignored(_: &Result<(), Broken>) -> Outcome {
        Outcome::Ignored
    }

    #[cutout::breaker(consecutive = 1, classify = ignored)]
    async fn offer() -> Result<(), Broken> {
        Err(Broken::Service)
    }

    assert_eq!(offer().await, Err(Broken::Service));
    assert_eq!(offer_breaker().state(), State::Closed);
}

#[test]
fn a_cancelled_future_means_what_on_drop_says() {
    #[cutout::breaker(consecutive = 1, on_drop = Failure)]
    async fn hung() -> Result<(), Broken> {
        pending().await
    }

    drop(hung());
    assert_eq!(hung_breaker().state(), State::Closed);

    {
        let call = pin!(hung());
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(call.poll(&mut context), Poll::Pending);
    }
    assert_eq!(hung_breaker().state(), State::Open);
}

#[tokio::test]
async fn a_panic_is_a_failure() {
    #[cutout::breaker(consecutive = 1)]
    async fn offer() -> Result<(), Broken> {
        yield_now().await;
        panic!("on purpose")
    }

    tokio::spawn(AssertUnwindSafe(offer()).0).await.unwrap_err();
    assert_eq!(offer_breaker().state(), State::Open);
}

#[tokio::test]
async fn arguments_of_every_kind_pass() {
    #[cutout::breaker]
    async fn borrowed<'a>(
        list: &'a mut Vec<u32>,
        (a, mut b): (u32, u32),
    ) -> Result<&'a [u32], Broken> {
        b += a;
        yield_now().await;
        list.push(b);
        Ok(list)
    }

    #[cutout::breaker]
    async fn opaque(text: String) -> Result<impl fmt::Display, Broken> {
        yield_now().await;
        Ok(text)
    }

    #[cutout::breaker]
    async fn boxed(well: bool) -> Result<u32, Box<dyn std::error::Error>> {
        if well {
            Ok(7)
        } else {
            Err(Box::new(fmt::Error))
        }
    }

    let mut list = vec![1];
    assert_eq!(borrowed(&mut list, (1, 2)).await.unwrap(), [1, 3]);
    assert_eq!(opaque("a".into()).await.unwrap().to_string(), "a");
    assert_eq!(boxed(true).await.unwrap(), 7);
    assert!(boxed(false).await.unwrap_err().is::<fmt::Error>());
}

#[test]
fn a_future_can_be_sent_if_its_arguments_can() {
    #[cutout::breaker]
    async fn counted(cell: Cell<u32>) -> Result<u32, Broken> {
        let count = cell.get();
        yield_now().await;
        Ok(count)
    }

    fn sent<T: Send>(_: T) {}
    sent(counted(Cell::new(7)));
}
