//! A client behind a breaker in a tower stack: retries outside, the timeout inside.
//!
//! `cargo run --example tower --features tower-retry`. Takes no time: both clocks are set by hand.

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

static PARTNER: Breaker = Breaker::builder()
    .name("partner")
    .trip(Trip::consecutive(3))
    .open_for(Duration::from_secs(15))
    .clock(&CLOCK)
    .listeners(&[&LOG])
    .build();

static LOG: fn(&Transition) = |transition| {
    println!("   log: {} -> {}", transition.from, transition.to);
};

/// How often the partner was asked.
static ASKED: AtomicU32 = AtomicU32::new(0);

/// Asks the partner, who answers at once or not at all.
async fn partner(well: bool) -> Result<&'static str, std::io::Error> {
    ASKED.fetch_add(1, Ordering::Relaxed);
    if !well {
        pending::<()>().await;
    }
    Ok("hot offer")
}

/// Two more attempts, at once; a real one waits between them.
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
        .layer(BreakerLayer::new(&PARTNER).flat()) // the timeout's error is boxed: a rejection is too
        .timeout(Duration::from_secs(2))
        .service_fn(partner);

    println!("1. The partner is well");
    println!("   {}", client.ready().await?.call(true).await?);

    println!("2. It hangs: each attempt times out, the third opens the circuit");
    let error = client.ready().await?.call(false).await.unwrap_err();
    println!("   {error}");
    assert_eq!(PARTNER.state(), State::Open);

    println!("3. While it is open nobody waits, nothing is retried and the partner is left alone");
    let asked = ASKED.load(Ordering::Relaxed);
    let error = client.ready().await?.call(true).await.unwrap_err();
    println!("   {error}");
    let rejected = Rejected::find(&*error).expect("the breaker rejected it");
    assert_eq!(rejected.retry_after(), Some(Duration::from_secs(15)));
    assert_eq!(ASKED.load(Ordering::Relaxed), asked);

    println!("4. After 15 s one call probes, and the partner is back");
    CLOCK.advance(Duration::from_secs(15));
    println!("   {}", client.ready().await?.call(true).await?);
    assert_eq!(PARTNER.state(), State::Closed);
    Ok(())
}
