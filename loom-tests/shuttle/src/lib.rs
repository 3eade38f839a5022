//! The shipped machine under shuttle, the second back end of the models of `loom-tests`, and
//! histories of sizes that loom cannot reach (I24).
//!
//! ```text
//! backend  shuttle's primitives and schedulers, with the interface of `loom-tests/src/backend.rs`
//! game     threads that do random operations, and the checks of the resulting history
//! rules    the rules of the games
//! ```
//!
//! All other files are those of `loom-tests` and of `src/machine`, included unchanged. So the same
//! models run here, every one of them, and must reach the same outcomes. shuttle does not try every
//! execution, but bounds no preemptions.
//!
//! In a game, twelve threads do eight operations each, drawn at random, on a breaker that counts a
//! trip in the word. One order of the pure steps must explain the responses.
//!
//! shuttle treats every ordering as `SeqCst`: a load never sees an old value, and a fence does
//! nothing. So loom alone checks the orderings. Planted bugs that weaken one are left out here, by
//! `build.rs`.
//!
//! Executions are drawn at random, so a bug that is not found may still exist. A run begins with a
//! fixed seed (`SHUTTLE_RANDOM_SEED` sets another one). Each failure prints its schedule:
//! `CUTOUT_SCHEDULE` with that text runs the same execution again.
//!
//! This back end is a package, not a feature of `loom-tests`: cargo unifies features, so
//! `--all-features` would run the models under shuttle instead of loom. It is not a module either,
//! because the included files name `crate::sync`.

// As in `loom-tests`: the unit tests of the machine need the real crate around them.
#![cfg(not(test))]

mod backend;
#[path = "../../src/bugs/mod.rs"]
mod bugs;
#[path = "../../src/driver.rs"]
mod driver;
mod game;
#[path = "../../src/harness.rs"]
#[allow(dead_code, reason = "only loom bounds a model by its actors")]
mod harness;
#[path = "../../src/history.rs"]
mod history;
#[path = "../../src/list.rs"]
mod list;
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
#[path = "../../src/models/mod.rs"]
mod models;
mod rules;
#[path = "../../src/scene.rs"]
mod scene;
#[path = "../../src/subject.rs"]
mod subject;
#[path = "../../src/sync.rs"]
mod sync;

pub use backend::Mode;
pub use bugs::{Bug, bugs, silence};
pub use list::check;

use bugs::in_word::{InWord, NoBug, NoGenerationCheck, WinnerAndLoserBothAdmitted};
use driver::Shipped;
use game::Game;

/// Plays with the shipped machine, and prints statistics of the histories.
///
/// # Panics
///
/// If a history has no order, if too few CASes failed or responses occurred to verify anything, or
/// if no rules have that name.
pub fn play(rules: &str, mode: Mode) {
    let rules = rules::named(rules);
    Game::of(rules).play::<Shipped>(mode);
}

/// Plays a small game with a breaker that has this bug planted.
///
/// # Panics
///
/// If the history checker finds the bug, or no bug has that name.
pub fn play_planted(bug: &str, mode: Mode) {
    let game = Game::of(rules::named("two-probes")).small();
    match bug {
        "no generation check" => game.play::<InWord<NoGenerationCheck>>(mode),
        "winner and loser both admitted" => {
            game.play::<InWord<WinnerAndLoserBothAdmitted>>(mode);
        }
        "no bug" => game.play::<InWord<NoBug>>(mode),
        other => panic!("no bug is called {other}"),
    }
}
