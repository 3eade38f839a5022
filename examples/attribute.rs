//! A breaker around a function, as an attribute: an outage and its end, without waiting.
//!
//! `cargo run --example attribute --features macros`

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use cutout::{Error, State, clock::Manual};

/// Stands still until it is told otherwise, so that this takes no time.
static CLOCK: Manual = Manual::new();
static PARTNER_IS_WELL: AtomicBool = AtomicBool::new(true);

/// The partner's offer, or a cold one.
#[cutout::breaker(consecutive = 3, open_for = "15s", clock = CLOCK, fallback = cold_offer)]
async fn offer(customer: &str) -> io::Result<String> {
    let answer = ask_partner(customer).await?;
    Ok(format!("hot offer for {answer}"))
}

/// Gets the error of the body, or the rejection if it was not run.
fn cold_offer(error: Error<io::Error>) -> io::Result<String> {
    match error {
        Error::Inner(error) if error.kind() == io::ErrorKind::InvalidInput => Err(error),
        error => Ok(format!("cold offer: {error}")),
    }
}

async fn ask_partner(customer: &str) -> io::Result<String> {
    tokio::task::yield_now().await;
    if PARTNER_IS_WELL.load(Ordering::Relaxed) {
        Ok(customer.to_uppercase())
    } else {
        Err(io::Error::other("partner answered 500"))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    println!("{}", offer("ada").await?);

    println!("the partner breaks");
    PARTNER_IS_WELL.store(false, Ordering::Relaxed);
    for _ in 1..=3 {
        println!("{}", offer("ada").await?);
    }
    // The attribute made this function, to look at the breaker and to switch it.
    assert_eq!(offer_breaker().state(), State::Open);
    println!("{}", offer("ada").await?);

    println!("the partner recovers, and 15 s go by");
    PARTNER_IS_WELL.store(true, Ordering::Relaxed);
    CLOCK.advance(Duration::from_secs(15));
    println!("{}", offer("ada").await?);
    assert_eq!(offer_breaker().state(), State::Closed);
    Ok(())
}
