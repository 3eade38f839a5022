//! Functions that return a boxed future, as `#[async_trait]` generates it from an `async fn`.

mod support;

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use async_trait::async_trait;
use cutout::{Breaker, Error, Outcome, State, Trip};
use tokio::task::yield_now;

use support::Broken;

static ONE: Breaker = Breaker::builder().trip(Trip::consecutive(1)).build();

#[async_trait]
trait Offers: Send + Sync {
    async fn get(&self, customer: &str) -> Result<String, Broken>;
    async fn count(&mut self, step: u32) -> Result<u32, Broken>;
    async fn shown<T: ToString + Send>(&self, item: T) -> Result<String, Broken>
    where
        Self: Sized;

    #[cutout::breaker(breaker = ONE)]
    async fn by_default(&self) -> Result<&'static str, Broken> {
        Err(Broken::Service)?;
        Ok("hot")
    }
}

struct OffersClient {
    breaker: Arc<Breaker>,
    name: String,
    calls: u32,
}

impl OffersClient {
    fn new() -> Self {
        Self {
            breaker: Arc::new(Breaker::builder().trip(Trip::consecutive(1)).build()),
            name: "offer".into(),
            calls: 0,
        }
    }

    async fn cold(error: Error<Broken>) -> Result<u32, Broken> {
        yield_now().await;
        match error {
            Error::Rejected(_) => Ok(0),
            Error::Inner(error) => Err(error),
        }
    }
}

fn outcome(result: &Result<String, Broken>) -> Outcome {
    match result {
        Ok(text) if text.ends_with('?') => Outcome::Failure,
        Ok(_) => Outcome::Success,
        Err(_) => Outcome::Ignored,
    }
}

#[async_trait]
impl Offers for OffersClient {
    #[cutout::breaker(breaker = self.breaker)]
    async fn get(&self, customer: &str) -> Result<String, Broken> {
        yield_now().await;
        if customer.is_empty() {
            return Err(Broken::Service);
        }
        Ok(format!("{} for {customer}", self.name))
    }

    #[cutout::breaker(breaker = self.breaker.clone(), fallback = async Self::cold)]
    async fn count(&mut self, step: u32) -> Result<u32, Broken> {
        self.calls += step;
        yield_now().await;
        Ok(self.calls)
    }

    #[cutout::breaker(breaker = self.breaker, classify = outcome)]
    async fn shown<T: ToString + Send>(&self, item: T) -> Result<String, Broken> {
        yield_now().await;
        Ok(item.to_string())
    }
}

/// `#[async_trait(?Send)]` generates futures that stay on their thread.
#[async_trait(?Send)]
trait Local {
    async fn get(&self) -> Result<u32, Broken>;
}

#[async_trait(?Send)]
impl Local for OffersClient {
    #[cutout::breaker(breaker = self.breaker)]
    async fn get(&self) -> Result<u32, Broken> {
        let local = std::rc::Rc::new(7);
        yield_now().await;
        Ok(*local)
    }
}

#[tokio::test]
async fn a_method_of_an_async_trait_is_guarded() {
    let offers: Box<dyn Local> = Box::new(OffersClient::new());
    assert_eq!(offers.get().await, Ok(7));

    let client = OffersClient::new();
    assert_eq!(Offers::get(&client, "you").await.unwrap(), "offer for you");
    let failed = tokio::spawn(async move {
        let failed = Offers::get(&client, "").await;
        (client, failed)
    });
    let (client, failed) = failed.await.unwrap();
    assert_eq!(failed, Err(Broken::Service));
    assert_eq!(client.breaker.state(), State::Open);
    let rejected = Offers::get(&client, "you").await;
    assert!(matches!(rejected, Err(Broken::Rejected(_))));
}

#[tokio::test]
async fn words_of_the_call_are_for_methods_of_an_async_trait_too() {
    let mut client = OffersClient::new();
    assert_eq!(client.count(2).await, Ok(2));
    assert_eq!(client.shown('?').await.unwrap(), "?");
    assert_eq!(
        client.breaker.state(),
        State::Open,
        "the classifier said so"
    );
    assert_eq!(client.count(2).await, Ok(0), "the fallback was awaited");
    assert_eq!(client.calls, 2);
}

#[tokio::test]
async fn a_default_method_of_an_async_trait_is_guarded() {
    let client = OffersClient::new();
    assert_eq!(client.by_default().await, Err(Broken::Service));
    assert_eq!(ONE.state(), State::Open);
    assert!(matches!(
        client.by_default().await,
        Err(Broken::Rejected(_))
    ));
}

#[tokio::test]
async fn a_function_that_boxes_its_future_does_nothing_before_it_is_admitted() {
    static ASKED: AtomicU32 = AtomicU32::new(0);

    #[cutout::breaker(consecutive = 1)]
    fn offer(well: bool) -> Pin<Box<dyn Future<Output = Result<u32, Broken>> + Send>> {
        ASKED.fetch_add(1, Relaxed);
        if !well {
            return Box::pin(async { Err(Broken::Service) });
        }
        Box::pin(async { Ok(7) })
    }

    let future = offer(true);
    assert_eq!(ASKED.load(Relaxed), 0, "it has not been polled");
    assert_eq!(future.await, Ok(7));
    assert_eq!(offer(false).await, Err(Broken::Service));
    assert_eq!(offer_breaker().state(), State::Open);
    assert!(matches!(offer(true).await, Err(Broken::Rejected(_))));
    assert_eq!(ASKED.load(Relaxed), 2);
}

#[tokio::test]
async fn an_alias_of_a_boxed_future_is_one() {
    type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

    #[cutout::breaker(consecutive = 1)]
    fn offer(customer: &str) -> BoxFuture<'_, Result<&str, Broken>> {
        Box::pin(async move { Ok(customer) })
    }

    assert_eq!(offer("you").await, Ok("you"));
    assert_eq!(offer_breaker().state(), State::Closed);
}
