//! I8: no exit of a call leaks its probe's slot, and each exit has the outcome that the policy
//! defines.
//!
//! The table [`EXITS`] lists the ways out of a call; the tests take every one of them.

mod exits;

use std::{sync::Mutex, time::Duration};

use cutout::{
    Breaker, CallListener, Ended, OnDrop, Outcome, Policy, Reason, Recorded, State, Trip,
};
use proptest::{prelude::*, sample::select};

use exits::{EXITS, Exit, Meaning};

use crate::support::{Fixture, SECOND};

const LIMIT: Duration = Duration::from_secs(2);
/// A nanosecond less than the limit.
const ALMOST: Duration = Duration::from_nanos(1_999_999_999);
const LEASE: Duration = Duration::from_secs(30);
const OPEN: Duration = Duration::from_secs(1);

const POLICY: Policy = Policy::new()
    .trip(Trip::consecutive(2))
    .open_for(OPEN)
    .probe_lease(LEASE);

/// Records how calls ended.
#[derive(Default)]
struct Ends(Mutex<Vec<Ended>>);

impl CallListener for Ends {
    fn on_outcome(&self, ended: &Ended) {
        self.0.lock().unwrap().push(*ended);
    }
}

fn of(policy: Policy, ends: Option<&'static Ends>) -> Fixture {
    let builder = Breaker::builder().policy(policy);
    Fixture::at(
        0,
        match ends {
            Some(ends) => builder.call_listener(ends),
            None => builder,
        },
    )
}

impl Fixture {
    /// Leaves a call by this exit after its permit was held for `time`.
    fn leave(&self, exit: Exit, time: Duration) {
        exit(&self.breaker, &|| self.clock.advance(time));
    }

    /// Waits, as a patient caller would, until a call is admitted.
    fn wait(&self) {
        for _ in 0..3 {
            match self.breaker.try_acquire() {
                Ok(permit) => return permit.ignore(),
                Err(rejected) if rejected.reason() == Reason::ProbesBusy => {
                    self.clock.advance(LEASE);
                }
                Err(rejected) => self.clock.advance(rejected.retry_after().unwrap()),
            }
        }
        panic!("stuck: {:?}", self.breaker);
    }

    fn assert_recovers(&self) {
        for _ in 0..=self.breaker.policy().probe_successes {
            self.wait();
            self.breaker.call(|| Ok::<(), ()>(())).unwrap();
        }
        assert_eq!(self.breaker.state(), State::Closed);
    }
}

/// Whether a drop is a failure.
fn drop_fails(on_drop: Option<OnDrop>, probe: bool, held: Duration) -> bool {
    match on_drop {
        None => probe && held >= SECOND,
        Some(OnDrop::Ignore) => false,
        Some(OnDrop::FailProbe) => probe,
        Some(OnDrop::Failure) => true,
        Some(OnDrop::FailProbeAfter(limit)) => probe && held >= limit,
        Some(OnDrop::FailureAfter(limit)) => held >= limit,
        Some(other) => unreachable!("{other:?}"),
    }
}

const ON_DROP: [Option<OnDrop>; 6] = [
    None,
    Some(OnDrop::FailProbe),
    Some(OnDrop::Ignore),
    Some(OnDrop::Failure),
    Some(OnDrop::FailProbeAfter(LIMIT)),
    Some(OnDrop::FailureAfter(LIMIT)),
];

/// One case of the table.
#[derive(Clone, Copy, Debug)]
struct Case {
    policy: Policy,
    probe: bool,
    held: Duration,
    watched: bool,
}

impl Case {
    fn all() -> impl Iterator<Item = Self> {
        let held = [Duration::ZERO, ALMOST, LIMIT];
        ON_DROP.into_iter().flat_map(move |on_drop| {
            let policy = match on_drop {
                Some(on_drop) => POLICY.on_drop(on_drop),
                None => POLICY,
            };
            [1, 3].into_iter().flat_map(move |probes| {
                held.into_iter().flat_map(move |held| {
                    [(false, false), (false, true), (true, false), (true, true)].map(
                        |(probe, watched)| Self {
                            policy: policy.probes(probes),
                            probe,
                            held,
                            watched,
                        },
                    )
                })
            })
        })
    }

    fn check(self, name: &str, meaning: Meaning, exit: Exit) {
        let ends: &'static Ends = Box::leak(Box::default());
        let bench = of(self.policy, self.watched.then_some(ends));
        if self.probe {
            bench.open_until_now();
        }
        let before = bench.breaker.snapshot();
        bench.leave(exit, self.held);
        let after = bench.breaker.snapshot();
        let context = format!("{name}, {self:?}: {after:?}");

        let ended = match meaning {
            Meaning::NeverAdmitted => {
                assert_eq!(after.generation, before.generation, "{context}");
                None
            }
            Meaning::Forgotten => {
                assert_eq!(after.probes_in_flight, u8::from(self.probe), "{context}");
                None
            }
            Meaning::Failure => Some(true),
            Meaning::Dropped => Some(drop_fails(self.policy.on_drop, self.probe, self.held)),
        };
        if let Some(failed) = ended {
            let recorded = match (self.probe, failed) {
                (true, true) => State::Open,
                (true, false) => State::HalfOpen,
                (false, _) => State::Closed,
            };
            assert_eq!(after.stored_state, recorded, "{context}");
            assert_eq!(after.probes_in_flight, 0, "{context}");
            assert_eq!(after.reopens, u8::from(self.probe && failed), "{context}");
            if !self.probe {
                assert_eq!(after.failures, Some(u32::from(failed)), "{context}");
            }
        }
        if self.watched {
            let ends = ends.0.lock().unwrap();
            let recorded: Vec<_> = ends
                .iter()
                .map(|ended| (ended.outcome, ended.recorded, ended.call.probe))
                .collect();
            let expected = ended.map(|failed| match (self.probe, failed) {
                (true, true) => (Outcome::Failure, Recorded::Reopened, true),
                (false, true) => (Outcome::Failure, Recorded::Applied, false),
                (probe, false) => (Outcome::Ignored, Recorded::Unrecorded, probe),
            });
            assert_eq!(recorded, Vec::from_iter(expected), "{context}");
        } else {
            bench.assert_recovers();
        }
    }
}

#[test]
fn every_exit_releases_its_slot_and_has_the_outcome_of_the_policy() {
    for (name, meaning, exit) in EXITS {
        for case in Case::all() {
            case.check(name, meaning, exit);
        }
    }
}

#[test]
fn a_slow_call_limit_implies_failure_after_it_for_drops() {
    let policy = POLICY.slow_call(LIMIT);
    for (name, meaning, exit) in EXITS {
        for held in [ALMOST, LIMIT] {
            let bench = of(policy, None);
            bench.leave(exit, held);
            let failed = match meaning {
                Meaning::Failure => true,
                Meaning::Dropped => held == LIMIT,
                Meaning::NeverAdmitted | Meaning::Forgotten => false,
            };
            let failures = bench.breaker.snapshot().failures;
            assert_eq!(failures, Some(u32::from(failed)), "{name}, {held:?}");
        }
    }
}

#[test]
fn an_exit_after_its_period_is_stale_and_changes_nothing() {
    for (name, _, exit) in EXITS {
        for on_drop in ON_DROP.into_iter().flatten() {
            for probe in [false, true] {
                let bench = of(POLICY.on_drop(on_drop), None);
                if probe {
                    bench.open_until_now();
                }
                exit(&bench.breaker, &|| {
                    bench.breaker.reset();
                });
                let after = bench.breaker.snapshot();
                let context = format!("{name}, {on_drop:?}, {after:?}");
                assert_eq!(after.stored_state, State::Closed, "{context}");
                assert_eq!(after.failures, Some(0), "{context}");
            }
        }
    }
}

#[test]
fn a_leaked_slot_is_released_after_its_lease() {
    for (name, meaning, exit) in EXITS {
        if meaning != Meaning::Forgotten {
            continue;
        }
        let bench = of(POLICY, None);
        bench.open_until_now();
        bench.leave(exit, Duration::ZERO);
        bench
            .clock
            .advance(LEASE.saturating_sub(Duration::from_millis(4)));
        let busy = bench.breaker.try_acquire().unwrap_err();
        assert_eq!(busy.reason(), Reason::ProbesBusy, "{name}");
        let remaining = Some(Duration::from_millis(4));
        assert_eq!(busy.retry_after(), remaining, "{name}");
        bench.clock.advance(Duration::from_millis(4));
        let reopened = bench.breaker.try_acquire().unwrap_err();
        assert_eq!(reopened.retry_after(), Some(OPEN), "{name}");
        assert_eq!(bench.breaker.snapshot().reopens, 1, "{name}");
        bench.assert_recovers();
    }
}

fn any_policy() -> impl Strategy<Value = Policy> {
    (1_u32..=4, 1_u32..=4, select(ON_DROP.to_vec())).prop_map(|(probes, successes, on_drop)| {
        let policy = POLICY.probes(probes).probe_successes(successes);
        match on_drop {
            Some(on_drop) => policy.on_drop(on_drop),
            None => policy,
        }
    })
}

proptest! {
    #[test]
    fn after_any_exits_only_leaked_slots_are_in_flight(
        policy in any_policy(),
        exits in prop::collection::vec((select(EXITS.to_vec()), any::<bool>()), 1..24),
    ) {
        let bench = of(policy, None);
        bench.open_until_now();
        let mut forgotten = (0, 0);
        for ((name, meaning, exit), long) in exits {
            bench.wait();
            let before = bench.breaker.snapshot();
            bench.leave(exit, if long { LIMIT } else { Duration::ZERO });
            let after = bench.breaker.snapshot();
            if forgotten.0 != after.generation {
                forgotten = (after.generation, 0);
            }
            if meaning == Meaning::Forgotten && before.stored_state == State::HalfOpen {
                forgotten.1 += 1;
            }
            prop_assert_eq!(after.probes_in_flight, forgotten.1, "{}: {:?}", name, after);
        }
        bench.assert_recovers();
    }
}
