//! Rules of the models. Each excludes a way in which a run passes although it checked little:
//!
//! 1. The main thread of a model spawns, joins and judges, and takes no other part. (If it did,
//!    loom would skip executions.) So a [`Scenario`] has only a beginning, actors and an end.
//! 2. Every model runs once in each mode of the back end ([`Mode`]): under loom with loads as
//!    loads, and with loads as read-modify-writes; under shuttle with each of two schedulers.
//! 3. Every model states which outcomes it reaches, and fails if it reaches others or fewer. Under
//!    loom each mode reaches all of them, under shuttle both modes together.
//! 4. Every model states the least number of its executions under loom.
//! 5. Under loom, two actors are searched without a bound, three or four with at most three
//!    preemptions, or one more if `CUTOUT_DEEP` is set. Nothing else bounds a run, not even the
//!    environment.
//! 6. Two actors whose number of loads would take minutes under loom are bounded too.
//!    [`Model::bounded`] bounds the mode in which loads are read-modify-writes.
//!    [`Model::bounded_throughout`] bounds both modes, where plain loads take as long.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use crate::{
    backend::{Mode, STOPS_AT_AN_UNKNOWN_OUTCOME, is_replay, thread},
    sync::{self, Spurious},
};

/// One execution: a beginning, actors that run concurrently, and an end.
///
/// `S` is what the actors share, `R` what each of them returns.
pub(crate) struct Scenario<S, R> {
    begin: Box<dyn Fn() -> S + Send + Sync>,
    actors: Vec<Actor<S, R>>,
}

type Actor<S, R> = Arc<dyn Fn(&S) -> R + Send + Sync>;

impl<S, R> Scenario<S, R>
where
    S: Send + Sync + 'static,
    R: Send + 'static,
{
    pub(crate) fn new(begin: impl Fn() -> S + Send + Sync + 'static) -> Self {
        Self {
            begin: Box::new(begin),
            actors: Vec::new(),
        }
    }

    pub(crate) fn actor(mut self, act: impl Fn(&S) -> R + Send + Sync + 'static) -> Self {
        self.actors.push(Arc::new(act));
        self
    }

    /// `judge` runs once all actors are done. It asserts the properties, and names the outcome.
    pub(crate) fn end(self, judge: impl Fn(&S, &[R]) -> String + Send + Sync + 'static) -> Model {
        let actors = self.actors.len();
        assert!((2..=4).contains(&actors), "two to four actors");
        let execute = move || {
            let shared = Arc::new((self.begin)());
            let threads: Vec<_> = self
                .actors
                .iter()
                .cloned()
                .enumerate()
                .map(|(number, act)| {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || {
                        sync::act_as(number);
                        act(&shared)
                    })
                })
                .collect();
            let returned: Vec<R> = threads
                .into_iter()
                .map(|thread| thread.join().expect("an actor does not panic"))
                .collect();
            judge(&shared, &returned)
        };
        Model {
            effort: Effort {
                actors,
                least: [0, 0],
                is_bounded: [false, false],
            },
            execute: Arc::new(execute),
            reaches: Vec::new(),
            spurious: &[],
        }
    }
}

/// A scenario with its expected results.
#[must_use = "a model proves nothing until it is checked"]
pub(crate) struct Model {
    effort: Effort,
    execute: Arc<dyn Fn() -> String + Send + Sync>,
    reaches: Vec<&'static str>,
    spurious: &'static [&'static [Spurious]],
}

/// The size of a model under loom. Where there are two values, the first is for plain loads, the
/// second for loads as read-modify-writes.
pub(crate) struct Effort {
    pub(crate) actors: usize,
    /// The least number of executions.
    pub(crate) least: [usize; 2],
    /// Whether the preemptions of two actors are bounded.
    pub(crate) is_bounded: [bool; 2],
}

impl Model {
    /// All outcomes that the model reaches.
    pub(crate) fn reaches(mut self, outcomes: &[&'static str]) -> Self {
        self.reaches = outcomes.to_vec();
        self
    }

    /// The least number of executions under loom: with plain loads, and with loads as
    /// read-modify-writes.
    pub(crate) fn takes(mut self, plain: usize, rmw: usize) -> Self {
        self.effort.least = [plain, rmw];
        self
    }

    /// Bounds the preemptions of two actors where loads are read-modify-writes.
    pub(crate) fn bounded(mut self) -> Self {
        self.effort.is_bounded = [false, true];
        self
    }

    /// Bounds the preemptions of two actors in both modes.
    pub(crate) fn bounded_throughout(mut self) -> Self {
        self.effort.is_bounded = [true, true];
        self
    }

    /// Runs the model again for each of these groups of weak CASes that fail. The outcomes must be
    /// the same.
    pub(crate) fn with_spurious_failures(mut self, groups: &'static [&'static [Spurious]]) -> Self {
        self.spurious = groups;
        self
    }

    /// Runs the model in every mode, and shows each run.
    ///
    /// # Panics
    ///
    /// If an execution panics, or the outcomes or their number are not what is expected.
    pub(crate) fn check(self, name: &str, show: impl Fn(&Run)) {
        let model = if STOPS_AT_AN_UNKNOWN_OUTCOME {
            self.refuse_others()
        } else {
            self
        };
        model.check_runs(name, show);
    }

    /// Searches for a planted bug: runs the model until an execution fails. An outcome that the
    /// model does not reach is a failure too. The number of executions does not matter.
    ///
    /// # Panics
    ///
    /// If it finds the bug.
    pub(crate) fn find_bug(mut self, name: &str) {
        self.effort.least = [0, 0];
        self.refuse_others().check_runs(name, |_| {});
    }

    /// An execution panics if its outcome is not one that the model reaches.
    fn refuse_others(mut self) -> Self {
        let (execute, reaches) = (self.execute, self.reaches.clone());
        self.execute = Arc::new(move || {
            let outcome = execute();
            let known = reaches.contains(&outcome.as_str());
            assert!(known, "not an outcome: {outcome}");
            outcome
        });
        self
    }

    fn check_runs(&self, name: &str, show: impl Fn(&Run)) {
        let none: &[Spurious] = &[];
        for modes in Mode::GROUPS {
            for spurious in std::iter::once(none).chain(self.spurious.iter().copied()) {
                let runs = modes.iter().map(|mode| self.run(*mode, spurious));
                let runs: Vec<_> = runs.inspect(&show).collect();
                if !is_replay() {
                    self.check_group(name, &runs);
                }
            }
        }
    }

    /// Asserts of runs in the modes of a group that they reached what is expected.
    fn check_group(&self, name: &str, runs: &[Run]) {
        let reached = runs.iter().flat_map(|run| run.outcomes.keys());
        assert_eq!(
            reached.map(String::as_str).collect::<BTreeSet<_>>(),
            self.reaches.iter().copied().collect(),
            "the outcomes that {name} reached, and those expected of it"
        );
        for run in runs {
            let least = run.mode.least(&self.effort);
            assert!(
                run.executions() >= least,
                "{name} takes at least {least} executions"
            );
            assert!(
                run.spurious.is_empty() || run.injected > 0,
                "{name} has no such weak CAS: {:?}",
                run.spurious
            );
        }
    }

    fn run(&self, mode: Mode, spurious: &'static [Spurious]) -> Run {
        let start = Instant::now();
        let outcomes = Arc::new(Mutex::new(BTreeMap::new()));
        sync::begin(spurious);
        let (execute, reached) = (Arc::clone(&self.execute), Arc::clone(&outcomes));
        mode.run(&self.effort, move || {
            let outcome = execute();
            let mut reached = reached.lock().unwrap_or_else(PoisonError::into_inner);
            *reached.entry(outcome).or_default() += 1;
        });
        let outcomes =
            std::mem::take(&mut *outcomes.lock().unwrap_or_else(PoisonError::into_inner));
        Run {
            mode,
            spurious,
            injected: sync::injected(),
            lost: sync::lost(),
            seconds: start.elapsed().as_secs_f32(),
            outcomes,
        }
    }
}

/// Result of one run of a model.
pub(crate) struct Run {
    mode: Mode,
    spurious: &'static [Spurious],
    /// Number of weak CASes that were made to fail, and of others that failed.
    injected: usize,
    lost: usize,
    seconds: f32,
    /// Number of executions by outcome.
    outcomes: BTreeMap<String, usize>,
}

impl Run {
    fn executions(&self) -> usize {
        self.outcomes.values().sum()
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mode)?;
        for Spurious { actor, call } in self.spurious {
            write!(f, ", weak CAS {call} of actor {actor} fails")?;
        }
        let (executions, lost, seconds) = (self.executions(), self.lost, self.seconds);
        write!(
            f,
            ": {executions} executions, {lost} failed CASes, {seconds:.2} s:"
        )?;
        for (outcome, times) in &self.outcomes {
            write!(f, " [{outcome}] {times}")?;
        }
        Ok(())
    }
}
