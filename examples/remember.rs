//! A rejection that says what broke, and the log that an operator reads: no network, no waiting.
//!
//! `cargo run --example remember --features last-error`

use std::{
    io::{self, ErrorKind},
    time::{Duration, SystemTime},
};

use cutout::{
    Breaker, Trip,
    clock::Manual,
    remember::{FailureLog, Remembering},
};

/// Stands still until it is told otherwise, so that this takes no time.
static CLOCK: Manual = Manual::new();

static FAILURES: FailureLog = FailureLog::new(3);

static PARTNER: Remembering<io::Error> = Remembering::logging(
    Breaker::builder()
        .name("partner")
        .trip(Trip::consecutive(3))
        .open_for(OPEN_FOR)
        .clock(&CLOCK)
        .build(),
    &FAILURES,
    |error| match error.kind() {
        ErrorKind::TimedOut => "timeout",
        ErrorKind::ConnectionRefused => "refused",
        _ => "io",
    },
);

const OPEN_FOR: Duration = Duration::from_millis(1_500);

fn main() {
    println!("1. The partner is well: nothing is remembered");
    offer(Ok("hot offer"));
    assert!(FAILURES.read().failures.is_empty());

    println!("2. It breaks");
    offer(Err(ErrorKind::TimedOut));
    offer(Err(ErrorKind::TimedOut));
    offer(Err(ErrorKind::ConnectionRefused));

    println!("3. Who is rejected sees why");
    let rejected = offer(Ok("nobody asks"));
    assert!(rejected.ends_with("is open, retry after 1.5s; last error: connection refused"));

    println!("4. A probe fails otherwise, and that is the last error now");
    CLOCK.advance(OPEN_FOR);
    offer(Err(ErrorKind::TimedOut));
    assert!(offer(Ok("nobody asks")).ends_with("; last error: timed out"));

    println!("5. What the operator reads");
    let read = FAILURES.read();
    for failure in &read.failures {
        let ago = SystemTime::now().duration_since(failure.when);
        println!(
            "   #{} in period {}, {} s ago: {}: {}",
            failure.number,
            failure.generation,
            ago.unwrap_or_default().as_secs(),
            failure.class,
            failure.message.escape_debug(),
        );
    }
    println!("   and {} before these", read.missing);
    assert_eq!((read.failures.len(), read.missing), (3, 1));

    println!("6. The partner recovers, and its error is forgotten; the log stays");
    CLOCK.advance(OPEN_FOR);
    offer(Ok("hot offer"));
    assert!(PARTNER.last_error().is_none());
    assert_eq!(FAILURES.read().failures.len(), 3);
}

/// What a caller is told.
fn offer(answer: Result<&'static str, ErrorKind>) -> String {
    let offer = PARTNER
        .call(|| answer.map_err(io::Error::from))
        .map_or_else(|error| format!("cold offer: {error}"), str::to_owned);
    println!("   {offer}");
    offer
}
