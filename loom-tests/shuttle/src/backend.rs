//! shuttle, a back end of the models: its primitives, and how it runs a model or a game.
//!
//! `../src/backend.rs` has the same interface.

use std::{env, fmt};

use atomic::{AtomicU64, Ordering};
use histories::iterations;
use shuttle::{
    Config, Runner,
    scheduler::{PctScheduler, RandomScheduler, ReplayScheduler},
};
pub(crate) use shuttle::{
    sync::{Condvar, Mutex, atomic},
    thread, thread_local,
};

use crate::harness::Effort;

const SEED: u64 = 0x0063_7574_6f75_7400;
/// The number of executions of a model in each mode. The rarest outcome is then expected eight
/// times.
const EXECUTIONS: usize = 4_000;
/// The number of changes of priority in an execution of a model, plus one.
const DEPTH: usize = 5;
/// A game is explained on the stack of one of shuttle's threads.
const STACK_BYTES: usize = 1 << 18;

/// Environment variable with the schedule of the one execution that is run again.
const REPLAY: &str = "CUTOUT_SCHEDULE";

/// An unknown outcome ends its execution with a panic, for which shuttle prints the schedule.
pub(crate) const STOPS_AT_AN_UNKNOWN_OUTCOME: bool = true;

/// A scheduler of shuttle, which chooses the thread that runs next.
#[derive(Clone, Copy, Debug)]
pub enum Mode {
    /// Probabilistic concurrency testing (Burckhardt et al., "A randomized scheduler with
    /// probabilistic guarantees of finding bugs", 2010): threads by priority, with a few changes of
    /// priority at random.
    Pct,
    /// Any thread, at each access to an atomic.
    Random,
}

/// A load of an atomic of the machine. It sees the newest value.
pub(crate) fn load(atomic: &AtomicU64, order: Ordering) -> u64 {
    atomic.load(order)
}

/// Whether one execution is run again, so that floors and outcomes are not compared.
pub(crate) fn is_replay() -> bool {
    env::var_os(REPLAY).is_some()
}

impl Mode {
    /// A model runs once in each mode. The modes of a group together reach all outcomes.
    pub(crate) const GROUPS: &[&[Self]] = &[&[Self::Pct, Self::Random]];

    /// Runs `execute` in executions that are drawn at random. No bound of the model applies.
    pub(crate) fn run(self, _: &Effort, execute: impl Fn() + Send + Sync + 'static) {
        self.run_times(iterations(EXECUTIONS), DEPTH, execute);
    }

    /// Runs `execute` in this number of executions, or in the one that is run again. `depth` is the
    /// number of changes of priority, plus one.
    pub(crate) fn run_times(
        self,
        times: usize,
        depth: usize,
        execute: impl Fn() + Send + Sync + 'static,
    ) {
        let mut config = Config::new();
        config.stack_size = STACK_BYTES;
        config.silence_warnings = true;
        if let Ok(schedule) = env::var(REPLAY) {
            let mut replay = ReplayScheduler::new_from_encoded(&schedule);
            // Another run of the same test has another schedule, and ends early.
            replay.set_allow_incomplete();
            Runner::new(replay, config).run(execute);
            return;
        }
        match self {
            Self::Pct => {
                let pct = PctScheduler::new_from_seed(SEED, depth, times);
                Runner::new(pct, config).run(execute);
            }
            Self::Random => {
                let random = RandomScheduler::new_from_seed(SEED, times);
                Runner::new(random, config).run(execute);
            }
        }
    }

    /// The least number of executions: all of them.
    #[allow(clippy::unused_self, reason = "loom has a floor for each mode")]
    pub(crate) fn least(self, _: &Effort) -> usize {
        iterations(EXECUTIONS)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pct => "shuttle, pct",
            Self::Random => "shuttle, random",
        })
    }
}
