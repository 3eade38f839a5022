//! Stress test: real threads on one breaker, and the totals that must add up for every
//! interleaving.
//!
//! Each thread keeps its own log, so that the test orders as little as possible of what it
//! observes. `audit.rs` audits the logs after all threads are done. A test must first show that
//! threads collided: admissions lost their CAS (they read the clock again), and outcomes arrived
//! after their period. Otherwise it runs more rounds, and fails at the limit.

mod audit;

use std::{
    cell::Cell,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use cutout::{
    Breaker, Outcome, Permit, Policy, Recorded, Transition, Trip,
    clock::{Clock, Manual},
};
use fastrand::Rng;
use histories::iterations;

use super::{
    alone,
    support::{DAY, SECOND},
};
use audit::{Audit, Collisions};

/// Calls of each thread in a round: few enough that no generation repeats.
const CALLS: usize = 200;
const ROUNDS: usize = 12;
/// Upper bound of rounds until threads have collided, as a multiple of the number asked for.
const MAX_ROUNDS: usize = 50;
/// Required number of admissions that lost their CAS in a test, and of stale outcomes.
const MIN_COLLISIONS: usize = 2;

const OPEN_MS: u64 = 1_000;

/// Leases expire while threads are slow.
const POLICY: Policy = Policy::new()
    .open_for(Duration::from_millis(OPEN_MS))
    .probe_lease(SECOND);

/// The counts that a closed period may have, by the policy.
#[derive(Clone, Copy)]
struct TripCounts {
    /// Failures that trip among at most `among` calls; with 0, a success ends the run.
    failures: u32,
    among: u32,
    counted_in: CountedIn,
}

/// The place where failures are counted, and with it the failures beyond those that trip which may
/// be reported as applied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CountedIn {
    /// The CAS that trips counts its failure, so no further failure may be reported.
    Word,
    /// A failure may finish the recording of one other failure, which may be reported too.
    Ring,
    /// Failures are counted before the CAS that trips, so all that arrive together may be reported.
    Buckets,
}

#[test]
fn trips_of_a_run_add_up() {
    let counts = TripCounts {
        failures: 4,
        among: 0,
        counted_in: CountedIn::Word,
    };
    stress("consecutive", POLICY.trip(Trip::consecutive(4)), 4, counts);
}

#[test]
fn trips_of_the_last_calls_add_up() {
    let policy = POLICY.trip(Trip::failures(5).of_last(12));
    let counts = TripCounts {
        failures: 5,
        among: 12,
        counted_in: CountedIn::Word,
    };
    let policy = policy.probes(3).probe_successes(2);
    stress("of-last", policy, 8, counts);
}

#[test]
fn trips_of_a_ring_add_up() {
    let policy = POLICY.trip(Trip::failures(6).of_last(100));
    let counts = TripCounts {
        failures: 6,
        among: 100,
        counted_in: CountedIn::Ring,
    };
    stress("ring", policy.probes(2), 5, counts);
}

#[test]
fn trips_of_failures_within_a_time_add_up() {
    let policy = POLICY.trip(Trip::failures(6).within(DAY));
    let counts = TripCounts {
        failures: 6,
        among: u32::MAX,
        counted_in: CountedIn::Ring,
    };
    stress("within", policy, 4, counts);
}

/// Uses a window in which every call fails; with successes in it, the failure rate decides.
#[test]
fn trips_of_a_failure_rate_add_up() {
    let policy = POLICY.trip(Trip::percent(60).min_calls(7).within(DAY));
    let counts = TripCounts {
        failures: 7,
        among: 0,
        counted_in: CountedIn::Buckets,
    };
    let policy = policy.probes(2).probe_successes(2);
    stress("rate", policy, 6, counts);
}

fn stress(name: &str, policy: Policy, threads: usize, counts: TripCounts) {
    // One test at a time: threads only collide where each has a core.
    let _alone = alone();
    let mut collisions = Collisions::default();
    let wanted = iterations(ROUNDS);
    for seed in (0..).take(wanted * MAX_ROUNDS) {
        collisions.add(&Round::new(policy, threads).run(seed).audit(counts));
        if collisions.rounds >= wanted
            && collisions.failed_cas >= MIN_COLLISIONS
            && collisions.stale >= MIN_COLLISIONS
        {
            break;
        }
    }
    println!("stress: {name}, {threads} threads: {collisions}");
    assert!(
        collisions.failed_cas >= MIN_COLLISIONS && collisions.stale >= MIN_COLLISIONS,
        "threads hardly ever collided, so the test shows nothing"
    );
    assert!(
        collisions.closed > 0
            && collisions.trips > 0
            && collisions.recoveries > 0
            && collisions.reopenings > 0,
        "too few events"
    );
}

/// A call that ended, as its thread saw it.
#[derive(Clone, Copy, Debug)]
struct EndedCall {
    generation: u16,
    probe: bool,
    /// Clock reading right after admission.
    admitted: u64,
    outcome: Outcome,
    /// Clock reading right before the report.
    ended: u64,
    recorded: Recorded,
}

thread_local! {
    static READINGS: Cell<usize> = const { Cell::new(0) };
}

/// A manual clock that counts its readings for each thread.
struct CountingByThread(Manual);

impl Clock for CountingByThread {
    fn now(&self) -> u64 {
        READINGS.set(READINGS.get() + 1);
        self.0.now()
    }
}

struct Round {
    policy: Policy,
    threads: usize,
    clock: Arc<CountingByThread>,
    breaker: Breaker,
    notified: [Arc<Mutex<Vec<Transition>>>; 2],
    /// Probes in flight, by generation.
    probes: Vec<AtomicU32>,
    most_probes: AtomicU32,
    /// Number of threads that have made their calls.
    done: AtomicUsize,
    /// Whether a thread panicked; the others then stop.
    failed: AtomicBool,
}

impl Round {
    fn new(policy: Policy, threads: usize) -> Self {
        let clock = Arc::new(CountingByThread(Manual::at(OPEN_MS * 1_000_000)));
        let notified: [Arc<Mutex<Vec<Transition>>>; 2] = Default::default();
        let listener = |log: &Arc<Mutex<Vec<Transition>>>| {
            let log = Arc::clone(log);
            Arc::new(move |transition: &Transition| {
                log.lock().unwrap().push(*transition);
                if transition.generation.is_multiple_of(64) {
                    // Occasionally slow enough that transitions are missed.
                    (0..100).for_each(|_| thread::yield_now());
                }
            })
        };
        Self {
            policy,
            threads,
            breaker: Breaker::builder()
                .policy(policy)
                .build()
                .with_shared_clock(clock.clone())
                .with_shared_listener(listener(&notified[0]))
                .with_shared_listener(listener(&notified[1])),
            clock,
            notified,
            probes: (0..1 << 16).map(|_| AtomicU32::new(0)).collect(),
            most_probes: AtomicU32::new(0),
            done: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
        }
    }

    fn run(self, seed: u64) -> Audit {
        let gate = Barrier::new(self.threads);
        let (logs, failed_cas): (Vec<Vec<EndedCall>>, Vec<usize>) = thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads)
                .map(|number| {
                    let (round, gate) = (&self, &gate);
                    let mut draw = Rng::with_seed(seed ^ (number as u64) << 32);
                    scope.spawn(move || {
                        gate.wait();
                        round.act(number, &mut draw)
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no thread panics"))
                .unzip()
        });
        let notified = |log: usize| self.notified[log].lock().unwrap().clone();
        assert_eq!(
            notified(0),
            notified(1),
            "all listeners receive the same transitions"
        );
        Audit {
            threads: self.threads,
            calls: logs.into_iter().flatten().collect(),
            failed_cas: failed_cas.into_iter().sum(),
            notified: notified(0),
            last: self.breaker.snapshot(),
            most_probes: self.most_probes.into_inner(),
        }
    }

    /// The first thread moves the clock until the others have made their calls; the second also
    /// acts as an operator.
    fn act(&self, number: usize, draw: &mut Rng) -> (Vec<EndedCall>, usize) {
        let (mut log, mut failed_cas) = (Vec::with_capacity(CALLS), 0);
        let _leaving = Leaving(self);
        let goes_on = |calls: usize| match number {
            _ if self.failed.load(Ordering::SeqCst) => false,
            0 => self.done.load(Ordering::SeqCst) < self.threads - 1,
            _ => calls < CALLS,
        };
        while goes_on(log.len()) {
            if number == 0 && draw.u32(..4) == 0 {
                self.clock.0.advance(SECOND / 4);
            }
            if log.len() == CALLS {
                thread::yield_now();
                continue;
            }
            READINGS.set(0);
            let acquired = self.breaker.try_acquire();
            failed_cas += READINGS.get().saturating_sub(1);
            match acquired {
                Ok(permit) => {
                    log.push(self.call(permit, draw));
                    if number == 1 && draw.u32(..40) == 0 {
                        self.operate(draw);
                    }
                }
                Err(_) if draw.bool() => thread::yield_now(),
                Err(_) => {}
            }
        }
        (log, failed_cas)
    }

    fn call(&self, permit: Permit<'_>, draw: &mut Rng) -> EndedCall {
        let (generation, probe) = (permit.generation(), permit.is_probe());
        let admitted = self.clock.0.now();
        let probes = &self.probes[usize::from(generation)];
        if probe {
            let before = probes.fetch_add(1, Ordering::SeqCst);
            assert!(before < self.policy.probes, "I5: more probes than slots");
            self.most_probes.fetch_max(before + 1, Ordering::Relaxed);
        }
        if draw.u32(..16) == 0 {
            thread::yield_now();
        }
        let ended = self.clock.0.now();
        let outcome = Self::outcome(draw, ended);
        if probe {
            probes.fetch_sub(1, Ordering::SeqCst);
        }
        EndedCall {
            generation,
            probe,
            admitted,
            outcome,
            ended,
            recorded: permit.record(outcome),
        }
    }

    /// Alternates between outages and recoveries.
    fn outcome(draw: &mut Rng, now: u64) -> Outcome {
        let outage = (now / 1_000_000 / (4 * OPEN_MS)).is_multiple_of(2);
        match draw.u32(..20) {
            0 => Outcome::Ignored,
            1..6 => Outcome::Failure,
            _ if outage => Outcome::Failure,
            _ => Outcome::Success,
        }
    }

    fn operate(&self, draw: &mut Rng) {
        match draw.u32(..5) {
            0 => self.breaker.force_open(),
            1 => self.breaker.disable(),
            2 => self.breaker.force_open_for(SECOND),
            _ => self.breaker.reset(),
        };
        thread::yield_now();
        self.breaker.resume();
    }
}

/// Signals on drop that a thread is done, also after a panic.
struct Leaving<'a>(&'a Round);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.failed.store(true, Ordering::SeqCst);
        }
        self.0.done.fetch_add(1, Ordering::SeqCst);
    }
}
