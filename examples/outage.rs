//! An outage and its end, with the library alone: no network, no runtime, no waiting.
//!
//! `cargo run --example outage`. The same story between two HTTP services is `cargo run -p offer`.

use std::{mem, time::Duration};

use cutout::{Breaker, Error, Outcome, Reason, Recorded, State, Trip, clock::Manual};

/// Stands still until it is told otherwise, so that this takes no time.
static CLOCK: Manual = Manual::new();

/// Checked when this is compiled: with `open_for(Duration::ZERO)` it does not.
static PARTNER: Breaker = Breaker::builder()
    .name("partner")
    .trip(Trip::consecutive(3))
    .open_for(OPEN_FOR)
    .probe_lease(LEASE)
    .clock(&CLOCK)
    .build();

const OPEN_FOR: Duration = Duration::from_secs(15);
const LEASE: Duration = Duration::from_secs(30);

/// What the partner answers, when it is asked.
type Partner = fn() -> Result<&'static str, &'static str>;

const WELL: Partner = || Ok("hot offer");
const BROKEN: Partner = || Err("partner answered 500");
const NOT_ASKED: Partner = || unreachable!("the circuit is open, and the partner is asked");

fn main() {
    println!("1. The partner is well");
    assert_eq!(offer(WELL), "hot offer");
    assert_eq!(PARTNER.state(), State::Closed);

    println!("2. The partner breaks: three failures in a row open the circuit");
    for failures in 1..=3 {
        assert_eq!(offer(BROKEN), "cold offer");
        assert_eq!(PARTNER.snapshot().failures, Some(failures));
    }
    assert_eq!(PARTNER.state(), State::Open);

    println!("3. While it is open the partner is left alone");
    assert_eq!(offer(NOT_ASKED), "cold offer");
    wait(Duration::from_secs(10));
    assert_eq!(offer(NOT_ASKED), "cold offer");
    let rejected = PARTNER.peek().unwrap_err();
    assert_eq!(rejected.retry_after(), Some(Duration::from_secs(5)));

    println!("4. After that one call probes; it fails, and the circuit opens again");
    wait(Duration::from_secs(5));
    assert_eq!(PARTNER.state(), State::HalfOpen);
    assert_eq!(offer(BROKEN), "cold offer");
    assert_eq!(PARTNER.state(), State::Open);

    println!("5. The partner recovers: the next probe closes the circuit");
    wait(OPEN_FOR);
    assert_eq!(offer(WELL), "hot offer");
    assert_eq!(PARTNER.state(), State::Closed);

    println!("6. A probe that never returns loses its place");
    println!("   an operator opens the circuit, for {OPEN_FOR:?}");
    PARTNER.force_open_for(OPEN_FOR);
    wait(OPEN_FOR);
    let probe = PARTNER.try_acquire().expect("the time is over");
    assert!(probe.is_probe());
    println!("   a probe is let through, and is never heard of again");
    mem::forget(probe);
    assert_eq!(offer(NOT_ASKED), "cold offer");
    assert_eq!(PARTNER.peek().unwrap_err().reason(), Reason::ProbesBusy);
    wait(LEASE);
    assert_eq!(offer(NOT_ASKED), "cold offer");
    assert_eq!(PARTNER.state(), State::Open);
    wait(OPEN_FOR);
    assert_eq!(offer(WELL), "hot offer");

    println!("7. A call that began before an outage can't end it");
    let slow = PARTNER.try_acquire().expect("the circuit is closed");
    for _ in 1..=3 {
        assert_eq!(offer(BROKEN), "cold offer");
    }
    println!("   the slow call of before succeeds: it is too late to say so");
    assert_eq!(slow.record(Outcome::Success), Recorded::Stale);
    assert_eq!(PARTNER.state(), State::Open);
}

/// An offer in any case: a hot one if the partner may be asked and makes one.
fn offer(partner: Partner) -> &'static str {
    let offer = PARTNER.call(partner).unwrap_or_else(|error| {
        match error {
            Error::Rejected(rejected) => println!("   rejected: {rejected}"),
            Error::Inner(error) => println!("   failed: {error}"),
        }
        "cold offer"
    });
    let circuit = PARTNER.snapshot();
    let failures = circuit.failures.unwrap_or(0);
    println!("   {offer}, circuit {}, failures {failures}", circuit.state);
    offer
}

fn wait(time: Duration) {
    CLOCK.advance(time);
    println!("   ... {time:?} later, circuit {}", PARTNER.state());
}
