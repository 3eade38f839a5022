//! Rejections that show the last error, and a log for operators: no network, no waiting.
//!
//! `cargo run --example last_error --features last-error`

use std::{
    io::{self, ErrorKind},
    time::{Duration, SystemTime},
};

use cutout::{
    Breaker, Trip,
    clock::Manual,
    last_error::{FailureLog, WithLastError},
};

/// Advances only by its methods, so that the example takes no time.
static CLOCK: Manual = Manual::new();

static FAILURES: FailureLog = FailureLog::new(3);

static OFFERS: WithLastError<io::Error> = WithLastError::logging(
    Breaker::builder()
        .name("offers")
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
    println!("1. The service is up: the log is empty");
    offer(Ok("hot offer"));
    assert!(FAILURES.read().failures.is_empty());

    println!("2. The service fails");
    offer(Err(ErrorKind::TimedOut));
    offer(Err(ErrorKind::TimedOut));
    offer(Err(ErrorKind::ConnectionRefused));

    println!("3. A rejection shows the last error");
    let rejected = offer(Ok("not called"));
    assert!(rejected.ends_with("is open, retry after 1.5s; last error: connection refused"));

    println!("4. A probe fails with another error, which is now the last one");
    CLOCK.advance(OPEN_FOR);
    offer(Err(ErrorKind::TimedOut));
    assert!(offer(Ok("not called")).ends_with("; last error: timed out"));

    println!("5. The log for operators");
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
    println!("   and {} not shown", read.missing);
    assert_eq!((read.failures.len(), read.missing), (3, 1));

    println!("6. The service recovers: the last error is cleared, the log stays");
    CLOCK.advance(OPEN_FOR);
    offer(Ok("hot offer"));
    assert!(OFFERS.last_error().is_none());
    assert_eq!(FAILURES.read().failures.len(), 3);
}

/// Calls the service and prints the result.
fn offer(answer: Result<&'static str, ErrorKind>) -> String {
    let offer = OFFERS
        .call(|| answer.map_err(io::Error::from))
        .map_or_else(|error| format!("cold offer: {error}"), str::to_owned);
    println!("   {offer}");
    offer
}
