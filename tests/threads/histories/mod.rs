//! Sequential consistency (I24): some order of single steps of the sequential breaker in
//! `tests/oracle` explains every history that threads of the real machine produce.
//!
//! Trips in the word run on a moving clock. Rings run on a clock that does not move, because a
//! failure may finish another's recording with its own clock reading. Time buckets guarantee less
//! than an order of steps; loom and the oracle cover them.

mod recorder;
mod sequential;

use std::{
    array, hint,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use cutout::{
    Breaker, Outcome, Permit, Policy, Trip,
    clock::{Clock, Manual},
};
use fastrand::Rng;
use histories::{Specification, Stats, Violation, WitnessOrder, check, iterations};

use super::{alone, support::SECOND};
use recorder::{Recorder, RecordingClock};
use sequential::{HistoryEvent, Operation, OracleState, Steps};

const THREADS: usize = 3;
/// Operations of each thread.
const OPERATIONS: usize = 24;
const HISTORIES: usize = 300;
/// Number of histories whose verdicts alone must prove that threads interleaved. With fewer, the
/// test continues.
const MIN_INTERLEAVED: usize = 30;
/// Upper bound of histories played, as a multiple of the number asked for.
const MAX_ROUNDS: usize = 100;

const START: u64 = 7_200_000_000_000;

const POLICY: Policy = Policy::new()
    .open_for(SECOND)
    .probe_lease(Duration::from_millis(700));

#[test]
fn runs_of_failures_are_sequentially_consistent() {
    play(
        "consecutive",
        POLICY.trip(Trip::consecutive(3)),
        Time::Advances,
    );
}

#[test]
fn failures_of_the_last_calls_are_sequentially_consistent() {
    let policy = POLICY.trip(Trip::failures(3).of_last(6));
    play(
        "of-last",
        policy.probes(2).probe_successes(2),
        Time::Advances,
    );
}

#[test]
fn a_failure_rate_of_the_last_calls_is_sequentially_consistent() {
    let policy = POLICY.trip(Trip::percent(50).min_calls(3).of_last(5));
    play("percent", policy.probes(3), Time::Advances);
}

#[test]
fn failures_in_a_ring_are_sequentially_consistent() {
    let policy = POLICY.trip(Trip::failures(4).of_last(60));
    play("ring", policy, Time::StandsStill);
}

#[test]
fn a_run_with_a_ring_is_sequentially_consistent() {
    let trip = Trip::consecutive(3).or(Trip::failures(5).of_last(50));
    play("run with ring", POLICY.trip(trip), Time::StandsStill);
}

#[test]
fn failures_within_a_time_are_sequentially_consistent() {
    let policy = POLICY.trip(Trip::failures(4).within(2 * SECOND));
    play("within", policy, Time::StandsStill);
}

/// The behaviour of the clock while threads run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    Advances,
    StandsStill,
}

fn play(name: &str, policy: Policy, time: Time) {
    let mut stats = Stats::default();
    let (mut interleaved, mut failed_cas) = (0, 0);
    let wanted = iterations(HISTORIES);
    // One test at a time: threads only interleave where each has a core.
    let _alone = alone();
    for seed in (0..).take(wanted * MAX_ROUNDS) {
        let game = Game::new(policy);
        let played = game.play(time, seed);
        let witness_order = game
            .check(&played.first, &played.events)
            .unwrap_or_else(|violation| {
                let end = game.breaker.snapshot();
                panic!("{name}, game {seed} ends in {end:?}, {violation}")
            });
        stats.add(&played.events, &witness_order);
        interleaved += usize::from(game.proves_that_threads_interleaved(&played));
        failed_cas += played.failed_cas;
        if stats.histories() >= wanted && interleaved >= iterations(MIN_INTERLEAVED) {
            break;
        }
    }
    println!(
        "history: real threads, {name}, {THREADS} threads of {OPERATIONS} operations: {stats}; \
         {interleaved} of them prove that threads interleaved, {failed_cas} admissions lost a CAS"
    );
    assert!(
        interleaved >= iterations(MIN_INTERLEAVED),
        "threads hardly ever interleaved, so the test shows nothing"
    );
}

/// A breaker of its own, with the specification and the clock.
struct Game {
    steps: Steps,
    clock: Arc<RecordingClock>,
    breaker: Breaker,
}

/// The threads' histories, and the state in which they began.
struct Played {
    first: OracleState,
    events: Vec<Vec<HistoryEvent>>,
    failed_cas: usize,
}

impl Game {
    fn new(policy: Policy) -> Self {
        let clock = Arc::new(RecordingClock(Manual::at(START)));
        let builder = Breaker::builder().policy(policy);
        Self {
            steps: Steps(policy),
            breaker: builder.build().with_shared_clock(clock.clone()),
            clock,
        }
    }

    /// Runs one thread alone for a while, then distributes the permits that it holds among all
    /// threads.
    fn play(&self, time: Time, seed: u64) -> Played {
        let since = Instant::now();
        let mut draw = Rng::with_seed(seed);
        let mut alone = Recorder::of(&self.breaker, since, Vec::new());
        for _ in 0..draw.usize(..16) {
            self.perform(&mut alone, &mut draw, Time::Advances);
        }
        let mut held: [Vec<Permit<'_>>; THREADS] = array::from_fn(|_| Vec::new());
        for permit in alone.take_permits() {
            held[draw.usize(..THREADS)].push(permit);
        }
        let (before, _) = alone.finish();
        let first = before
            .iter()
            .fold(OracleState::new(self.steps.0), |state, event| {
                self.follow(&state, event)
            });
        let gate = AtomicUsize::new(0);
        let (events, failed_cas): (Vec<_>, Vec<_>) = thread::scope(|scope| {
            let threads: Vec<_> = held
                .into_iter()
                .map(|held| {
                    let mut draw = draw.fork();
                    let gate = &gate;
                    scope.spawn(move || {
                        let mut recorder = Recorder::of(&self.breaker, since, held);
                        wait_for_all(gate);
                        while recorder.events.len() < OPERATIONS {
                            self.perform(&mut recorder, &mut draw, time);
                        }
                        recorder.finish()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no thread panics"))
                .unzip()
        });
        Played {
            first,
            events,
            failed_cas: failed_cas.into_iter().sum(),
        }
    }

    /// Performs one operation, most often an acquire or a report.
    fn perform(&self, recorder: &mut Recorder<'_>, draw: &mut Rng, time: Time) {
        match draw.u32(..20) {
            0..2 if time == Time::Advances => self.clock.0.advance(SECOND * draw.u32(1..=5) / 4),
            2 => recorder.operate(match draw.u32(..6) {
                0 => Operation::ForceOpen,
                1 => Operation::Disable,
                2 => Operation::ForceOpenFor(SECOND),
                3 => Operation::Reset,
                _ => Operation::Resume,
            }),
            3..12 if recorder.holds_permits() => {
                let outcome = match draw.u32(..10) {
                    0 => Outcome::Ignored,
                    1..5 => Outcome::Success,
                    _ => Outcome::Failure,
                };
                recorder.report(draw.usize(..), outcome);
            }
            _ => recorder.acquire(),
        }
    }

    /// The state after an operation that ran alone.
    fn follow(&self, state: &OracleState, event: &HistoryEvent) -> OracleState {
        self.steps
            .step(state, &event.operation)
            .into_iter()
            .find(|(_, response)| *response == event.response)
            .unwrap_or_else(|| panic!("one thread alone: {event:?} in {state:?}"))
            .0
    }

    fn check(
        &self,
        first: &OracleState,
        events: &[Vec<HistoryEvent>],
    ) -> Result<WitnessOrder, Violation> {
        let snapshot = self.breaker.snapshot();
        let now = self.clock.0.now();
        check(&self.steps, first.clone(), events, |state| {
            state.matches(&snapshot, now)
        })
    }

    /// Whether the history proves that threads interleaved: no order in which one thread runs after
    /// another explains it.
    fn proves_that_threads_interleaved(&self, played: &Played) -> bool {
        const ORDERS: [[usize; THREADS]; 6] = [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ];
        ORDERS.iter().all(|order| {
            let whole = order
                .iter()
                .flat_map(|&thread| played.events[thread].clone());
            self.check(&played.first, &[whole.collect()]).is_err()
        })
    }
}

/// Returns in all threads as simultaneously as possible.
fn wait_for_all(gate: &AtomicUsize) {
    gate.fetch_add(1, Ordering::SeqCst);
    for turn in 0.. {
        if gate.load(Ordering::SeqCst) == THREADS {
            return;
        }
        // With fewer cores than threads the last thread may need this one's core.
        if turn % 1_024 == 1_023 {
            thread::yield_now();
        }
        hint::spin_loop();
    }
}
