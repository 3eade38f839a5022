//! Differential fuzzing: a breaker and the oracle of `tests/oracle` play the same game.
//!
//! `letters` decodes numbers and times, `header` the setup of a game, `moves` its operations.
//! `fair` restricts games with a time window. Spaces, line ends and `|` are skipped.

mod fair;
mod header;
mod letters;
mod moves;
#[path = "../../tests/oracle/mod.rs"]
#[allow(
    clippy::all,
    clippy::pedantic,
    dead_code,
    unreachable_pub,
    reason = "linted with the tests of the crate"
)]
mod oracle;
#[path = "../../tests/support/mod.rs"]
#[allow(
    clippy::all,
    clippy::pedantic,
    unreachable_pub,
    reason = "linted with the tests of the crate"
)]
mod support;

use std::fmt::Write;

use crate::Reached;
use letters::Letters;
use oracle::lockstep::{self, Op, Setup};

/// Limits that keep games fast: the number of moves, and the total number of calls of `P` moves.
/// With a time window, the oracle scans all calls again at every call.
const MOST_MOVES: usize = 400;
const MOST_CALLS: u32 = 10_000;
const MOST_CALLS_IN_TIME: u32 = 2_000;

/// The events that the games of the corpus must reach: causes of transitions, verdicts and what was
/// recorded.
#[must_use]
pub fn expected() -> Vec<&'static str> {
    let mut all = [&lockstep::WITHOUT_OPERATOR[..], &["ForcedOpen", "Operator"]].concat();
    all.sort_unstable();
    all
}

/// Plays a game.
///
/// # Panics
///
/// Panics at the first step after which breaker and oracle disagree.
#[must_use = "it says what the input is worth"]
pub fn play(bytes: &[u8]) -> Reached {
    let (setup, ops) = read(bytes);
    lockstep::play(&setup, &ops)
}

/// Describes a game.
#[must_use]
pub fn describe(bytes: &[u8]) -> String {
    let (setup, ops) = read(bytes);
    let mut words = format!("{setup:#?}");
    for (step, op) in ops.iter().enumerate() {
        write!(words, "\nstep {step}, {op:?}").expect("a String takes all");
    }
    words
}

/// Returns the number of steps of a game.
#[must_use]
pub fn steps(bytes: &[u8]) -> usize {
    read(bytes).1.len()
}

fn read(bytes: &[u8]) -> (Setup, Vec<Op>) {
    let mut letters = Letters::new(bytes);
    let mut setup = header::read(&mut letters);
    let mut fair = fair::Fair::new(&mut setup);
    let mut calls_left = if fair.is_of_time() {
        MOST_CALLS_IN_TIME
    } else {
        MOST_CALLS
    };
    let mut ops = Vec::new();
    while ops.len() < MOST_MOVES
        && let Some(mut op) = moves::read(&mut letters)
    {
        if let Op::Play { calls, .. } = &mut op {
            *calls = calls_left.min(*calls);
            calls_left -= *calls;
        }
        ops.extend(fair.play(op));
    }
    (setup, ops)
}
