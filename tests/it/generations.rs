//! I27: the generation has 16 bits. A permit is stale after every number of transitions except
//! multiples of 65 536, as the documentation of `Breaker` says.

use std::time::Duration;

use cutout::{Breaker, Outcome, Policy, Recorded, State, Trip};

use crate::support::Fixture;

const ROUND: u32 = 65_536;
const OPEN_FOR: Duration = Duration::from_millis(10);
const POLICY: Policy = Policy::new().trip(Trip::consecutive(2)).open_for(OPEN_FOR);

impl Fixture {
    /// Makes this many transitions, of which the last leads to closed.
    fn turn(&self, transitions: u32) {
        for _ in 0..transitions {
            self.breaker.reset();
        }
    }

    /// Makes two transitions: to the probe and its admission.
    fn probe(&self) -> cutout::Permit<'_> {
        self.breaker.force_open_for(OPEN_FOR);
        self.clock.advance(OPEN_FOR);
        self.breaker.try_acquire().unwrap()
    }
}

#[test]
fn a_failure_is_stale_after_every_number_of_transitions_but_whole_rounds() {
    let powers = (0..17).map(|bit| 1 << bit);
    let near = [
        3, 65_533, 65_534, 65_535, 65_537, 65_538, 98_304, 131_071, 131_072,
    ];
    for transitions in powers.chain(near) {
        let bench = Fixture::new(POLICY);
        let late = bench.breaker.try_acquire().unwrap();
        bench.turn(transitions);
        let expected = if transitions % ROUND == 0 {
            (Recorded::Applied, Some(1))
        } else {
            (Recorded::Stale, Some(0))
        };
        let recorded = late.record(Outcome::Failure);
        let failures = bench.breaker.snapshot().failures;
        assert_eq!((recorded, failures), expected, "{transitions}");
    }
}

#[test]
fn a_probe_recovers_a_later_outage_after_a_whole_round_only() {
    for (transitions, expected) in [
        (ROUND - 1, Recorded::Stale),
        (ROUND, Recorded::Recovered),
        (ROUND + 1, Recorded::Stale),
    ] {
        let bench = Fixture::new(POLICY);
        let late = bench.probe();
        bench.turn(transitions - 2);
        let probe = bench.probe();
        assert_eq!(late.record(Outcome::Success), expected, "{transitions}");
        let its_own = if expected == Recorded::Stale {
            Recorded::Recovered
        } else {
            Recorded::Stale
        };
        assert_eq!(probe.record(Outcome::Success), its_own, "{transitions}");
    }
}

#[test]
fn after_a_whole_round_a_permit_is_still_stale_in_any_state_but_its_own() {
    let commands: [fn(&Breaker) -> State; 3] = [Breaker::force_open, Breaker::disable, |breaker| {
        breaker.force_open_for(OPEN_FOR)
    }];
    for command in commands {
        let bench = Fixture::new(POLICY);
        let late = bench.breaker.try_acquire().unwrap();
        bench.turn(ROUND - 1);
        assert_eq!(command(&bench.breaker), State::Closed);
        let current = bench.breaker.state();
        assert_ne!(current, State::Closed);
        assert_eq!(late.record(Outcome::Failure), Recorded::Stale, "{current}");
    }
    let bench = Fixture::new(POLICY);
    let late = bench.breaker.try_acquire().unwrap();
    bench.turn(ROUND - 2);
    let probe = bench.probe();
    assert_eq!(late.record(Outcome::Failure), Recorded::Stale, "half-open");
    assert_eq!(probe.record(Outcome::Success), Recorded::Recovered);
}

/// At the shortest open period, without an operator: a trip, a probe and a recovery every 10 ms.
#[test]
fn a_round_takes_more_than_three_and_a_half_minutes() {
    let bench = Fixture::new(POLICY.trip(Trip::consecutive(1)));
    let end = |outcome| bench.breaker.try_acquire().unwrap().record(outcome);
    let mut transitions = 0;
    let mut waited = Duration::ZERO;
    while transitions < ROUND {
        assert_eq!(end(Outcome::Failure), Recorded::Tripped);
        bench.clock.advance(OPEN_FOR);
        waited += OPEN_FOR;
        assert_eq!(end(Outcome::Success), Recorded::Recovered);
        transitions += 3;
    }
    assert!(waited > Duration::from_secs(210), "{waited:?}");
}
