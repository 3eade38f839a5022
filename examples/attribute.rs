//! The attribute `#[cutout::breaker]` on a function: an outage and recovery, without waiting.
//!
//! `cargo run --example attribute --features macros`

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use cutout::{Error, State, clock::Manual};

/// Advances only by its methods, so that the example takes no time.
static CLOCK: Manual = Manual::new();
static SERVICE_IS_UP: AtomicBool = AtomicBool::new(true);

/// Returns the service's offer, or a cold one.
#[cutout::breaker(consecutive = 3, open_for = "15s", clock = CLOCK, fallback = cold_offer)]
async fn offer(customer: &str) -> io::Result<String> {
    let answer = fetch_offer(customer).await?;
    Ok(format!("hot offer for {answer}"))
}

/// Handles the error of the body, or the rejection if the body was not run.
fn cold_offer(error: Error<io::Error>) -> io::Result<String> {
    match error {
        Error::Inner(error) if error.kind() == io::ErrorKind::InvalidInput => Err(error),
        error => Ok(format!("cold offer: {error}")),
    }
}

async fn fetch_offer(customer: &str) -> io::Result<String> {
    tokio::task::yield_now().await;
    if SERVICE_IS_UP.load(Ordering::Relaxed) {
        Ok(customer.to_uppercase())
    } else {
        Err(io::Error::other("service answered 500"))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    println!("{}", offer("ada").await?);

    println!("the service fails");
    SERVICE_IS_UP.store(false, Ordering::Relaxed);
    for _ in 1..=3 {
        println!("{}", offer("ada").await?);
    }
    // The attribute generates this accessor of the breaker.
    assert_eq!(offer_breaker().state(), State::Open);
    println!("{}", offer("ada").await?);

    println!("the service recovers, and 15 s pass");
    SERVICE_IS_UP.store(true, Ordering::Relaxed);
    CLOCK.advance(Duration::from_secs(15));
    println!("{}", offer("ada").await?);
    assert_eq!(offer_breaker().state(), State::Closed);
    Ok(())
}
