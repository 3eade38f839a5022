//! A game: threads that do random operations, and the checks of the resulting history.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use histories::{Stats, iterations};
use shuttle::rand::{Rng, thread_rng};

use crate::{
    backend::{self, Mode, thread},
    history::{HistoryEvent, Recorder, check_history},
    machine::{
        step::{Command, Report, admit::RejectReason},
        word::Word,
    },
    rules::{Named, OPEN_MS},
    subject::{Subject, Verdict, moment},
    sync::{self, AtomicU64, Ordering},
};

/// The number of games of a run.
const GAMES: usize = 2_000;
/// The number of changes of priority in a game, plus one.
const DEPTH: usize = 8;

const NANOS_PER_MS: u64 = 1_000_000;
const START: u64 = 7_200_000 * NANOS_PER_MS;

/// Rules, and the numbers of threads and of operations per thread.
#[derive(Clone, Copy)]
pub(crate) struct Game {
    rules: Named,
    threads: usize,
    operations: usize,
}

/// Result of a run.
#[derive(Default)]
struct Run {
    stats: Stats,
    /// The kinds of responses.
    responses: BTreeSet<String>,
}

impl Game {
    pub(crate) fn of(rules: Named) -> Self {
        Self {
            rules,
            threads: 12,
            operations: 8,
        }
    }

    /// A game so small that every order of it can be tried. A bug is then refuted, where the search
    /// of a large game gives up.
    pub(crate) fn small(self) -> Self {
        Self {
            threads: 3,
            operations: 6,
            ..self
        }
    }

    pub(crate) fn play<S: Subject>(self, mode: Mode) {
        let run = Arc::new(Mutex::new(Run::default()));
        let (game, results) = (self, Arc::clone(&run));
        let once = move || {
            let history = game.play_once::<S>();
            let mut run = results.lock().unwrap_or_else(PoisonError::into_inner);
            run.add(&history.0, &history.1);
        };
        sync::begin(&[]);
        let times = iterations(GAMES);
        mode.run_times(times, DEPTH, once);
        let lost = sync::lost();
        let run = run.lock().unwrap_or_else(PoisonError::into_inner);
        println!(
            "history: {mode}, {}, {} threads of {} operations: {}, {lost} failed CASes",
            self.rules.name, self.threads, self.operations, run.stats
        );
        if backend::is_replay() {
            return;
        }
        assert_eq!(run.stats.histories(), times);
        assert!(lost > times / 10, "hardly a CAS failed");
        for kind in ALL {
            assert!(
                run.responses.contains(kind),
                "no thread was answered {kind}, only {:?}",
                run.responses
            );
        }
    }

    /// One execution.
    fn play_once<S: Subject>(self) -> (Vec<Vec<HistoryEvent>>, histories::WitnessOrder) {
        let rules = self.rules.rules;
        let first = Word::new(rules.trip_rule.fresh(START));
        let shared = Arc::new((S::at(first, rules), AtomicU64::new(START)));
        let threads: Vec<_> = (0..self.threads)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || act(&shared.0, &shared.1, self.operations))
            })
            .collect();
        let history: Vec<Vec<HistoryEvent>> = threads
            .into_iter()
            .map(|thread| thread.join().expect("an actor does not panic"))
            .collect();
        let witness_order = check_history(first, shared.0.word(), rules, &history);
        (history, witness_order)
    }
}

/// Operations of one thread.
fn act<S: Subject>(subject: &S, clock: &AtomicU64, operations: usize) -> Vec<HistoryEvent> {
    let read = || clock.load(Ordering::SeqCst);
    let mut draw = thread_rng();
    let mut recorder = Recorder::of(subject);
    let mut held = Vec::new();
    while recorder.events.len() < operations {
        match draw.gen_range(0..20) {
            0..3 => {
                let quarters = draw.gen_range(1..=5);
                let step = u64::from(OPEN_MS / 4) * NANOS_PER_MS * quarters;
                clock.fetch_add(step, Ordering::SeqCst);
            }
            3 => {
                let now = read();
                let commands = [
                    Command::ForceOpen,
                    Command::Disable,
                    Command::OpenFor(u64::from(OPEN_MS)),
                    Command::Resume,
                    Command::Resume,
                    Command::Reset,
                ];
                recorder.operate(commands[draw.gen_range(0..commands.len())], now);
            }
            4..12 if !held.is_empty() => {
                let period = held.swap_remove(draw.gen_range(0..held.len()));
                let report = match draw.gen_range(0..10) {
                    0 => Report::Ignored,
                    1..5 => Report::Success { now: read() },
                    // Without a hint, which is no part of the word that the single steps decide on.
                    _ => Report::Failure {
                        moment: moment(read()),
                        hint_ms: 0,
                    },
                };
                recorder.record(period, report);
            }
            _ => held.extend(recorder.admit(read)),
        }
    }
    recorder.events
}

impl Run {
    fn add(&mut self, history: &[Vec<HistoryEvent>], witness_order: &histories::WitnessOrder) {
        self.stats.add(history, witness_order);
        let kinds = history
            .iter()
            .flatten()
            .map(|event| kind(event.response.verdict));
        self.responses.extend(kinds);
    }
}

/// Responses that must occur in a run: all that exist.
const ALL: [&str; 16] = [
    "Applied",
    "Recovered",
    "Reopened",
    "Stale",
    "Tripped",
    "Unrecorded",
    "busy",
    "call",
    "forced",
    "found closed",
    "found disabled",
    "found forced-open",
    "found half-open",
    "found open",
    "open",
    "probe",
];

fn kind(verdict: Verdict) -> String {
    match verdict {
        Verdict::Admitted(period) if period.is_half_open() => "probe".into(),
        Verdict::Admitted(_) => "call".into(),
        Verdict::Rejected(RejectReason::Open { .. }) => "open".into(),
        Verdict::Rejected(RejectReason::Busy { .. }) => "busy".into(),
        Verdict::Rejected(RejectReason::Forced) => "forced".into(),
        Verdict::Recorded(recorded) => format!("{recorded:?}"),
        Verdict::Found(state) => format!("found {state}"),
    }
}
