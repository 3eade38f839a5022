//! The shipped machine under shuttle: histories of sizes that loom cannot reach (I24).
//!
//! Twelve threads do eight operations each, drawn at random, on a breaker that counts a trip in the
//! word. A scheduler of shuttle chooses the thread that runs at each access to an atomic. One order
//! of the pure steps must explain the answers. The files of `src/machine` are included unchanged,
//! over the atomics of `sync.rs`, and so is the driver of `loom-tests`.
//!
//! shuttle treats every ordering as `SeqCst`. It searches at random, so a bug that it does not find
//! may still exist. A run begins with a fixed seed (`SHUTTLE_RANDOM_SEED` sets another one), and
//! prints the schedule of an execution that failed.

// As in `loom-tests`: the unit tests of the machine need the real crate around them.
#![cfg(not(test))]

/// The primitives of shuttle that the shared files use.
mod backend {
    pub(crate) use shuttle::sync::{Condvar, Mutex, atomic};
}
#[path = "../../src/driver.rs"]
#[allow(dead_code, reason = "the models of loom need more of it")]
mod driver;
mod game;
#[path = "../../src/history.rs"]
#[allow(dead_code, reason = "the models of loom need more of it")]
mod history;
#[path = "../../../src/machine/mod.rs"]
#[allow(
    clippy::all,
    clippy::pedantic,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "linted where it ships; the games need less of it than the crate does, and export nothing"
)]
mod machine;
#[path = "../../src/bugs/in_word.rs"]
mod planted;
mod rules;
#[path = "../../src/subject.rs"]
#[allow(dead_code, reason = "the models of loom need more of it")]
mod subject;
mod sync;

pub use game::Scheduler;

use driver::Shipped;
use game::Game;
use planted::{InWord, NoBug, NoGenerationCheck, WinnerAndLoserBothAdmitted};

/// Plays with the shipped machine, and prints statistics of the histories.
///
/// # Panics
///
/// If a history has no order, if too few CASes failed or answers occurred to verify anything, or if
/// no rules have that name.
pub fn check(rules: &str, scheduler: Scheduler) {
    let rules = rules::named(rules);
    Game::of(rules).play::<Shipped>(scheduler);
}

/// Plays a small game with a breaker that has this bug planted.
///
/// # Panics
///
/// If the history checker finds the bug, or no bug has that name.
pub fn check_planted(bug: &str, scheduler: Scheduler) {
    let game = Game::of(rules::named("two-probes")).small();
    match bug {
        "no generation check" => game.play::<InWord<NoGenerationCheck>>(scheduler),
        "winner and loser both admitted" => {
            game.play::<InWord<WinnerAndLoserBothAdmitted>>(scheduler);
        }
        "no bug" => game.play::<InWord<NoBug>>(scheduler),
        other => panic!("no bug is called {other}"),
    }
}
