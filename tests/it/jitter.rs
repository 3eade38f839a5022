//! I26: breakers that trip together do not recover together, and none admits more probes than
//! allowed.

use std::{collections::BTreeSet, time::Duration};

use cutout::{Backoff, Breaker, Outcome, Recorded, State, Trip, clock::Manual};

const BASE: Duration = Duration::from_secs(10);
/// Interval between the attempts of a waiting caller.
const STEP: Duration = Duration::from_millis(50);

/// Ten seconds, plus up to ten more.
const BACKOFF: Backoff = Backoff::exponential(BASE, 1, BASE).jitter(100);
/// Milliseconds that jitter can add.
const RANGE: usize = 10_000;

fn breaker(backoff: Backoff, clock: &'static Manual) -> Breaker {
    Breaker::builder()
        .trip(Trip::consecutive(1))
        .backoff(backoff)
        .probes(2)
        .clock(clock)
        .build()
}

/// Trips the breaker and returns the milliseconds that jitter added.
fn trip(breaker: &Breaker) -> usize {
    let permit = breaker.try_acquire().unwrap();
    assert_eq!(permit.record(Outcome::Failure), Recorded::Tripped);
    let remaining = breaker.snapshot().retry_after.expect("it is open");
    let added = remaining.checked_sub(BASE).expect("at least the interval");
    usize::try_from(added.as_millis()).unwrap()
}

/// Counts how many of these fall into each tenth of the range.
fn tenths(added: &[usize]) -> [usize; 10] {
    let mut tenths = [0; 10];
    for millis in added {
        tenths[(millis * 10 / (RANGE + 1)).min(9)] += 1;
    }
    tenths
}

fn seeded(clock: &'static Manual) -> Vec<Breaker> {
    let seeds = 0..1_000;
    seeds
        .map(|seed| breaker(BACKOFF.seed(seed), clock))
        .collect()
}

#[test]
fn breakers_that_trip_at_once_spread_over_the_whole_range() {
    static CLOCK: Manual = Manual::at(7_000_000_000);
    let added: Vec<_> = seeded(&CLOCK).iter().map(trip).collect();
    // An even spread has 100 ± 9.5 of a thousand in each tenth.
    let tenths = tenths(&added);
    assert!(tenths.iter().all(|n| (60..=140).contains(n)), "{tenths:?}");
    assert!(added.iter().all(|millis| *millis <= RANGE));
    assert_eq!(added, seeded(&CLOCK).iter().map(trip).collect::<Vec<_>>());
}

#[test]
fn one_breaker_spreads_over_its_periods() {
    static CLOCK: Manual = Manual::at(7_000_000_000);
    let breaker = breaker(BACKOFF.seed(7), &CLOCK);
    let added: Vec<_> = (0..1_000)
        .map(|_| {
            breaker.reset();
            trip(&breaker)
        })
        .collect();
    let tenths = tenths(&added);
    assert!(tenths.iter().all(|n| (60..=140).contains(n)), "{tenths:?}");
}

/// Without a seed, the jitter depends on the breakers' addresses, which vary between runs; the
/// bound is therefore loose.
#[test]
fn breakers_without_a_seed_differ() {
    static CLOCK: Manual = Manual::at(7_000_000_000);
    let breakers: Vec<_> = (0..200).map(|_| breaker(BACKOFF, &CLOCK)).collect();
    let added: BTreeSet<_> = breakers.iter().map(trip).collect();
    assert!(added.len() > 150, "only {} of 200 differ", added.len());
}

/// A thousand breakers trip at once. Each has five callers that try every fifty milliseconds and
/// whose calls hang: two of each five are admitted, spread over time.
#[test]
fn a_herd_is_admitted_two_per_breaker_and_spread_over_time() {
    static CLOCK: Manual = Manual::at(7_000_000_000);
    let breakers = seeded(&CLOCK);
    for breaker in &breakers {
        trip(breaker);
    }
    CLOCK.advance(BASE);
    let mut together = Vec::new();
    let mut probes = Vec::new();
    for _ in 0..=RANGE / 50 + 1 {
        let before = probes.len();
        for breaker in &breakers {
            let admitted = (0..5).filter_map(|_| breaker.try_acquire().ok());
            probes.extend(admitted);
            assert!(breaker.snapshot().probes_in_flight <= 2);
        }
        together.push(probes.len() - before);
        CLOCK.advance(STEP);
    }
    assert_eq!(probes.len(), 2 * breakers.len());
    assert!(probes.iter().all(cutout::Permit::is_probe));
    // Two thousand in two hundred steps: an even spread has 10 ± 4.5 in each.
    let most = together.iter().max().unwrap();
    assert!(*most <= 32, "{most} at once");
    let states: BTreeSet<_> = breakers.iter().map(|b| b.state().as_str()).collect();
    assert_eq!(states, BTreeSet::from([State::HalfOpen.as_str()]));
}
