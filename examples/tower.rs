//! A client with a breaker in a tower stack: retries outside, the timeout inside.
//!
//! `cargo run --example tower --features tower-retry`. Both clocks are set by hand.

use std::{
    future::{Ready, pending, ready},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use cutout::{
    Breaker, Rejected, State, Transition, Trip,
    clock::Manual,
    tower::{BreakerLayer, UnlessRejected},
};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, retry::Policy};

static CLOCK: Manual = Manual::new();

static OFFERS: Breaker = Breaker::builder()
    .name("offers")
    .trip(Trip::consecutive(3))
    .open_for(Duration::from_secs(15))
    .clock(&CLOCK)
    .listeners(&[&LOG])
    .build();

static LOG: fn(&Transition) = |transition| {
    println!("   log: {} -> {}", transition.from, transition.to);
};

/// Number of requests to the service.
static REQUESTS: AtomicU32 = AtomicU32::new(0);

/// The service, which answers immediately or hangs.
async fn service(is_up: bool) -> Result<&'static str, std::io::Error> {
    REQUESTS.fetch_add(1, Ordering::Relaxed);
    if !is_up {
        pending::<()>().await;
    }
    Ok("hot offer")
}

/// Two more attempts, without delay; a real policy waits between attempts.
#[derive(Clone)]
struct Twice(u32);

impl Policy<bool, &'static str, BoxError> for Twice {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut bool,
        result: &mut Result<&'static str, BoxError>,
    ) -> Option<Ready<()>> {
        let error = result.as_ref().err()?;
        println!("   attempt failed: {error}");
        self.0 = self.0.checked_sub(1)?;
        Some(ready(()))
    }

    fn clone_request(&mut self, request: &bool) -> Option<bool> {
        Some(*request)
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), BoxError> {
    let mut client = ServiceBuilder::new()
        .retry(UnlessRejected(Twice(2)))
        .layer(BreakerLayer::new(&OFFERS).flat()) // rejections are boxed, like timeout errors
        .timeout(Duration::from_secs(2))
        .service_fn(service);

    println!("1. The service is up");
    println!("   {}", client.ready().await?.call(true).await?);

    println!("2. The service hangs: each attempt times out, the third opens the circuit");
    let error = client.ready().await?.call(false).await.unwrap_err();
    println!("   {error}");
    assert_eq!(OFFERS.state(), State::Open);

    println!("3. While the circuit is open, calls fail immediately, without retries or requests");
    let requests = REQUESTS.load(Ordering::Relaxed);
    let error = client.ready().await?.call(true).await.unwrap_err();
    println!("   {error}");
    let rejected = Rejected::find(&*error).expect("the breaker rejected it");
    assert_eq!(rejected.retry_after(), Some(Duration::from_secs(15)));
    assert_eq!(REQUESTS.load(Ordering::Relaxed), requests);

    println!("4. After 15 s one call probes: the service is up again");
    CLOCK.advance(Duration::from_secs(15));
    println!("   {}", client.ready().await?.call(true).await?);
    assert_eq!(OFFERS.state(), State::Closed);
    Ok(())
}
