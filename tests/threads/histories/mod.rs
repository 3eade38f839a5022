//! Whatever threads of the real machine ask of a breaker and are answered, some order of the sequential breaker in
//! `tests/oracle` explains it (I24): sequential consistency of the operations.
//!
//! For trips that live in the word, on a clock that moves meanwhile, and for rings beside it, on a clock that
//! stands: there a failure may finish another's recording, by its own reading of the clock. Time buckets
//! promise less than an order of steps; loom and the oracle have them.

mod sequential;
mod witness;

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
use histories::{Explanation, Figures, Specification, Unexplained, explain, iterations};

use super::alone;
use sequential::{Between, Heard, Steps, What};
use witness::{Remembering, Witness};

const THREADS: usize = 3;
/// Of each thread.
const OPERATIONS: usize = 24;
const HISTORIES: usize = 300;
/// Of these, so many must show by their answers alone that threads met: with fewer the test goes on.
const MET: usize = 30;
/// How many times as many are played at most.
const PATIENCE: usize = 100;

const SECOND: Duration = Duration::from_secs(1);
const START: u64 = 7_200_000_000_000;

const POLICY: Policy = Policy::new()
    .open_for(SECOND)
    .probe_lease(Duration::from_millis(700));

#[test]
fn runs_of_failures_have_an_order() {
    play(
        "consecutive",
        POLICY.trip(Trip::consecutive(3)),
        Time::GoesOn,
    );
}

#[test]
fn failures_of_the_last_calls_have_an_order() {
    let policy = POLICY.trip(Trip::failures(3).of_last(6));
    play("of-last", policy.probes(2).probe_successes(2), Time::GoesOn);
}

#[test]
fn a_share_of_the_last_calls_has_an_order() {
    let policy = POLICY.trip(Trip::percent(50).min_calls(3).of_last(5));
    play("percent", policy.probes(3), Time::GoesOn);
}

#[test]
fn failures_in_a_ring_have_an_order() {
    let policy = POLICY.trip(Trip::failures(4).of_last(60));
    play("ring", policy, Time::Stands);
}

#[test]
fn a_run_beside_a_ring_has_an_order() {
    let trip = Trip::consecutive(3).or(Trip::failures(5).of_last(50));
    play("run beside ring", POLICY.trip(trip), Time::Stands);
}

#[test]
fn failures_within_a_time_have_an_order() {
    let policy = POLICY.trip(Trip::failures(4).within(2 * SECOND));
    play("within", policy, Time::Stands);
}

/// What the clock does while threads ask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    GoesOn,
    Stands,
}

fn play(name: &str, policy: Policy, time: Time) {
    let mut figures = Figures::default();
    let (mut met, mut lost) = (0, 0);
    let wanted = iterations(HISTORIES);
    let _alone = alone();
    for seed in (0..).take(wanted * PATIENCE) {
        let game = Game::new(policy);
        let played = game.play(time, seed);
        let explanation =
            game.explain(&played.first, &played.heard)
                .unwrap_or_else(|unexplained| {
                    let end = game.breaker.snapshot();
                    panic!("{name}, game {seed} ends in {end:?}, {unexplained}")
                });
        figures.add(&played.heard, &explanation);
        met += usize::from(game.shows_that_threads_met(&played));
        lost += played.lost;
        if figures.histories() >= wanted && met >= iterations(MET) {
            break;
        }
    }
    println!(
        "history: real threads, {name}, {THREADS} threads of {OPERATIONS} operations: {figures}; \
         {met} of them show that threads met, {lost} admissions lost a CAS"
    );
    assert!(
        met >= iterations(MET),
        "threads hardly ever met, so this proves nothing"
    );
}

/// A breaker of its own, and what came of it.
struct Game {
    steps: Steps,
    clock: Arc<Remembering>,
    breaker: Breaker,
}

/// What threads heard, from which state on.
struct Played {
    first: Between,
    heard: Vec<Vec<Heard>>,
    lost: usize,
}

impl Game {
    fn new(policy: Policy) -> Self {
        let clock = Arc::new(Remembering(Manual::at(START)));
        let builder = Breaker::builder().policy(policy);
        Self {
            steps: Steps(policy),
            breaker: builder.build().with_shared_clock(clock.clone()),
            clock,
        }
    }

    /// One thread plays alone for a while, and hands the calls that it then holds on to all.
    fn play(&self, time: Time, seed: u64) -> Played {
        let since = Instant::now();
        let mut draw = Rng::with_seed(seed);
        let mut alone = Witness::of(&self.breaker, since, Vec::new());
        for _ in 0..draw.usize(..16) {
            self.act(&mut alone, &mut draw, Time::GoesOn);
        }
        let mut held: [Vec<Permit<'_>>; THREADS] = array::from_fn(|_| Vec::new());
        for permit in alone.hand_on() {
            held[draw.usize(..THREADS)].push(permit);
        }
        let (before, _) = alone.leave();
        let first = before
            .iter()
            .fold(Between::new(self.steps.0), |state, event| {
                self.follow(&state, event)
            });
        let gate = AtomicUsize::new(0);
        let (heard, lost): (Vec<_>, Vec<_>) = thread::scope(|scope| {
            let threads: Vec<_> = held
                .into_iter()
                .map(|held| {
                    let mut draw = draw.fork();
                    let gate = &gate;
                    scope.spawn(move || {
                        let mut witness = Witness::of(&self.breaker, since, held);
                        all_at_once(gate);
                        while witness.heard.len() < OPERATIONS {
                            self.act(&mut witness, &mut draw, time);
                        }
                        witness.leave()
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
            heard,
            lost: lost.into_iter().sum(),
        }
    }

    /// Does something, and most often asks or reports.
    fn act(&self, witness: &mut Witness<'_>, draw: &mut Rng, time: Time) {
        match draw.u32(..20) {
            0..2 if time == Time::GoesOn => self.clock.0.advance(SECOND * draw.u32(1..=5) / 4),
            2 => witness.operate(match draw.u32(..6) {
                0 => What::ForceOpen,
                1 => What::Disable,
                2 => What::ForceOpenFor(SECOND),
                3 => What::Reset,
                _ => What::Resume,
            }),
            3..12 if witness.holds_any() => {
                let outcome = match draw.u32(..10) {
                    0 => Outcome::Ignored,
                    1..5 => Outcome::Success,
                    _ => Outcome::Failure,
                };
                witness.report(draw.usize(..), outcome);
            }
            _ => witness.acquire(),
        }
    }

    /// The state after an operation that nothing ran beside.
    fn follow(&self, state: &Between, event: &Heard) -> Between {
        self.steps
            .step(state, &event.operation)
            .into_iter()
            .find(|(_, answer)| *answer == event.answer)
            .unwrap_or_else(|| panic!("one thread alone: {event:?} in {state:?}"))
            .0
    }

    fn explain(&self, first: &Between, heard: &[Vec<Heard>]) -> Result<Explanation, Unexplained> {
        let snapshot = self.breaker.snapshot();
        let now = self.clock.0.now();
        explain(&self.steps, first.clone(), heard, |state| {
            state.shows(&snapshot, now)
        })
    }

    /// Whether threads must have met: no order in which one goes on when another is done explains it.
    fn shows_that_threads_met(&self, played: &Played) -> bool {
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
                .flat_map(|&thread| played.heard[thread].clone());
            self.explain(&played.first, &[whole.collect()]).is_err()
        })
    }
}

/// Returns in all threads as nearly at once as can be.
fn all_at_once(gate: &AtomicUsize) {
    gate.fetch_add(1, Ordering::SeqCst);
    for turn in 0.. {
        if gate.load(Ordering::SeqCst) == THREADS {
            return;
        }
        // With fewer cores than threads the last may need this one's.
        if turn % 1_024 == 1_023 {
            thread::yield_now();
        }
        hint::spin_loop();
    }
}
