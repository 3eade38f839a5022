//! An outage and recovery, with the library alone: no network, no runtime, no waiting.
//!
//! `cargo run --example outage`. The same outage between two HTTP services: `cargo run -p offer`.

use std::{mem, time::Duration};

use cutout::{Breaker, Error, Outcome, Reason, Recorded, State, Trip, clock::Manual};

/// Advances only by its methods, so that the example takes no time.
static CLOCK: Manual = Manual::new();

/// The policy is checked at compile time: with `open_for(Duration::ZERO)`, this does not compile.
static OFFERS: Breaker = Breaker::builder()
    .name("offers")
    .trip(Trip::consecutive(3))
    .open_for(OPEN_FOR)
    .probe_lease(LEASE)
    .clock(&CLOCK)
    .build();

const OPEN_FOR: Duration = Duration::from_secs(15);
const LEASE: Duration = Duration::from_secs(30);

/// The answer of the service to a call.
type Service = fn() -> Result<&'static str, &'static str>;

const UP: Service = || Ok("hot offer");
const BROKEN: Service = || Err("service answered 500");
const NOT_CALLED: Service = || unreachable!("the circuit is open, but the service is called");

fn main() {
    println!("1. The service is up");
    assert_eq!(offer(UP), "hot offer");
    assert_eq!(OFFERS.state(), State::Closed);

    println!("2. The service fails: three failures in a row open the circuit");
    for failures in 1..=3 {
        assert_eq!(offer(BROKEN), "cold offer");
        assert_eq!(OFFERS.snapshot().failures, Some(failures));
    }
    assert_eq!(OFFERS.state(), State::Open);

    println!("3. While the circuit is open, the service is not called");
    assert_eq!(offer(NOT_CALLED), "cold offer");
    wait(Duration::from_secs(10));
    assert_eq!(offer(NOT_CALLED), "cold offer");
    let rejected = OFFERS.peek().unwrap_err();
    assert_eq!(rejected.retry_after(), Some(Duration::from_secs(5)));

    println!("4. After the open period one call probes; the probe fails, and the circuit reopens");
    wait(Duration::from_secs(5));
    assert_eq!(OFFERS.state(), State::HalfOpen);
    assert_eq!(offer(BROKEN), "cold offer");
    assert_eq!(OFFERS.state(), State::Open);

    println!("5. The service recovers: the next probe closes the circuit");
    wait(OPEN_FOR);
    assert_eq!(offer(UP), "hot offer");
    assert_eq!(OFFERS.state(), State::Closed);

    println!("6. A probe that never returns loses its slot");
    println!("   an operator opens the circuit for {OPEN_FOR:?}");
    OFFERS.force_open_for(OPEN_FOR);
    wait(OPEN_FOR);
    let probe = OFFERS.try_acquire().expect("the open period is over");
    assert!(probe.is_probe());
    println!("   a probe is admitted and never returns");
    mem::forget(probe);
    assert_eq!(offer(NOT_CALLED), "cold offer");
    assert_eq!(OFFERS.peek().unwrap_err().reason(), Reason::ProbesBusy);
    wait(LEASE);
    assert_eq!(offer(NOT_CALLED), "cold offer");
    assert_eq!(OFFERS.state(), State::Open);
    wait(OPEN_FOR);
    assert_eq!(offer(UP), "hot offer");

    println!("7. A call that began before an outage can't end it");
    let slow = OFFERS.try_acquire().expect("the circuit is closed");
    for _ in 1..=3 {
        assert_eq!(offer(BROKEN), "cold offer");
    }
    println!("   the slow call succeeds, but its outcome is stale");
    assert_eq!(slow.record(Outcome::Success), Recorded::Stale);
    assert_eq!(OFFERS.state(), State::Open);
}

/// Returns a hot offer if the call is admitted and succeeds, and a cold one otherwise.
fn offer(service: Service) -> &'static str {
    let offer = OFFERS.call(service).unwrap_or_else(|error| {
        match error {
            Error::Rejected(rejected) => println!("   rejected: {rejected}"),
            Error::Inner(error) => println!("   failed: {error}"),
        }
        "cold offer"
    });
    let circuit = OFFERS.snapshot();
    let failures = circuit.failures.unwrap_or(0);
    println!("   {offer}, circuit {}, failures {failures}", circuit.state);
    offer
}

fn wait(time: Duration) {
    CLOCK.advance(time);
    println!("   ... {time:?} later, circuit {}", OFFERS.state());
}
