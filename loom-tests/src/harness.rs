//! Rules of the models. Each excludes a way in which a loom run passes although it checked little:
//!
//! 1. The main thread of a model spawns, joins and judges, and takes no other part. (If it did,
//!    loom would skip executions.) So a [`Scenario`] has only a beginning, actors and an end.
//! 2. Every model runs twice: loads as loads, and loads as read-modify-writes ([`Loads`]).
//! 3. Every model states which outcomes it reaches, and fails if it reaches others or fewer. It
//!    also states the least number of executions.
//! 4. Two actors are searched without a bound, three or four with at most [`PREEMPTIONS`]
//!    preemptions, or one more if `CUTOUT_DEEP` is set. Nothing else bounds a run, not even the
//!    environment.
//! 5. Two actors whose number of loads would take minutes are bounded too. [`Model::bounded`]
//!    bounds the mode in which loads are read-modify-writes. [`Model::bounded_throughout`] bounds
//!    both modes, where plain loads take as long.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use crate::sync::{self, Loads, Spurious};

/// The most preemptions in an execution of three or four actors.
const PREEMPTIONS: usize = 3;
/// loom panics beyond this many scheduling points in one execution.
const BRANCHES: usize = 10_000;

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

    /// `judge` asserts what always holds once all actors are done, and names the outcome.
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
                    loom::thread::spawn(move || {
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
            actors,
            execute: Arc::new(execute),
            reaches: Vec::new(),
            least: [0, 0],
            spurious: &[],
            bounded: [false, false],
        }
    }
}

/// A scenario with its expected results.
#[must_use = "a model proves nothing until it is checked"]
pub(crate) struct Model {
    actors: usize,
    execute: Arc<dyn Fn() -> String + Send + Sync>,
    reaches: Vec<&'static str>,
    least: [usize; 2],
    spurious: &'static [&'static [Spurious]],
    /// As `least`: with plain loads, with loads as read-modify-writes.
    bounded: [bool; 2],
}

impl Model {
    /// All outcomes that the model reaches.
    pub(crate) fn reaches(mut self, outcomes: &[&'static str]) -> Self {
        self.reaches = outcomes.to_vec();
        self
    }

    /// The least number of executions: with plain loads, and with loads as read-modify-writes.
    pub(crate) fn takes(mut self, plain: usize, rmw: usize) -> Self {
        self.least = [plain, rmw];
        self
    }

    /// Bounds the preemptions of two actors where loads are read-modify-writes.
    pub(crate) fn bounded(mut self) -> Self {
        self.bounded = [false, true];
        self
    }

    /// Bounds the preemptions of two actors in both modes.
    pub(crate) fn bounded_throughout(mut self) -> Self {
        self.bounded = [true, true];
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
    pub(crate) fn check(&self, name: &str, show: impl Fn(&Run)) {
        let none: &[Spurious] = &[];
        for (loads, least) in [Loads::Plain, Loads::Rmw].into_iter().zip(self.least) {
            for spurious in std::iter::once(none).chain(self.spurious.iter().copied()) {
                let run = self.run(loads, spurious);
                show(&run);
                assert_eq!(
                    run.outcomes
                        .keys()
                        .map(String::as_str)
                        .collect::<BTreeSet<_>>(),
                    self.reaches.iter().copied().collect(),
                    "the outcomes that {name} reached, and those expected of it"
                );
                assert!(
                    run.executions() >= least,
                    "{name} takes at least {least} executions"
                );
                assert!(
                    spurious.is_empty() || run.injected > 0,
                    "{name} has no such weak CAS: {spurious:?}"
                );
            }
        }
    }

    /// Searches for a planted bug: runs the model until an execution fails. An outcome that the
    /// model does not reach is a failure too. The number of executions does not matter.
    ///
    /// # Panics
    ///
    /// If it finds the bug.
    pub(crate) fn hunt(mut self, name: &str) {
        self.least = [0, 0];
        let (execute, reaches) = (self.execute, self.reaches.clone());
        self.execute = Arc::new(move || {
            let outcome = execute();
            let known = reaches.contains(&outcome.as_str());
            assert!(known, "not an outcome: {outcome}");
            outcome
        });
        self.check(name, |_| {});
    }

    fn run(&self, loads: Loads, spurious: &'static [Spurious]) -> Run {
        let start = Instant::now();
        let outcomes = Arc::new(Mutex::new(BTreeMap::new()));
        sync::switch(loads, spurious);
        let mut builder = loom::model::Builder::new();
        builder.max_branches = BRANCHES;
        builder.max_permutations = None;
        builder.max_duration = None;
        builder.checkpoint_file = None;
        let bounded = self.actors > 2 || self.bounded[usize::from(loads == Loads::Rmw)];
        builder.preemption_bound =
            bounded.then_some(PREEMPTIONS + usize::from(histories::is_deep()));
        let (execute, reached) = (Arc::clone(&self.execute), Arc::clone(&outcomes));
        builder.check(move || {
            let outcome = execute();
            let mut reached = reached.lock().unwrap_or_else(PoisonError::into_inner);
            *reached.entry(outcome).or_default() += 1;
        });
        let outcomes =
            std::mem::take(&mut *outcomes.lock().unwrap_or_else(PoisonError::into_inner));
        Run {
            loads,
            spurious,
            injected: sync::injected(),
            seconds: start.elapsed().as_secs_f32(),
            outcomes,
        }
    }
}

/// Result of one run of a model.
pub(crate) struct Run {
    loads: Loads,
    spurious: &'static [Spurious],
    injected: usize,
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
        match self.loads {
            Loads::Plain => write!(f, "loads")?,
            Loads::Rmw => write!(f, "loads as read-modify-writes")?,
        }
        for Spurious { actor, call } in self.spurious {
            write!(f, ", weak CAS {call} of actor {actor} fails")?;
        }
        let (executions, seconds) = (self.executions(), self.seconds);
        write!(f, ": {executions} executions, {seconds:.2} s:")?;
        for (outcome, times) in &self.outcomes {
            write!(f, " [{outcome}] {times}")?;
        }
        Ok(())
    }
}
