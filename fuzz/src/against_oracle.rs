//! Differential fuzzing: a breaker and the oracle of `tests/oracle` play the same game.
//!
//! `decode` reads numbers and times, `setup` the setup of a game, `ops` its operations.
//! `constraints` restricts games with a time window. Spaces, line ends and `|` are skipped.

mod constraints;
mod decode;
mod ops;
#[path = "../../tests/oracle/mod.rs"]
#[allow(
    clippy::all,
    clippy::pedantic,
    dead_code,
    unreachable_pub,
    reason = "linted with the tests of the crate"
)]
mod oracle;
mod setup;
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
use decode::Decoder;
use oracle::lockstep::{self, Op, Setup};

/// Limits that keep games fast: the number of operations, and the total number of calls that the
/// `P` operations of `ops` make. With a time window, the oracle scans all calls at every call.
const MAX_OPS: usize = 400;
const MAX_CALLS: u32 = 10_000;
const MAX_CALLS_IN_TIME: u32 = 2_000;

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
    let mut decoder = Decoder::new(bytes);
    let mut setup = setup::read(&mut decoder);
    let mut constraints = constraints::Constraints::new(&mut setup);
    let mut calls_left = if constraints.has_time_window() {
        MAX_CALLS_IN_TIME
    } else {
        MAX_CALLS
    };
    let mut ops = Vec::new();
    while ops.len() < MAX_OPS
        && let Some(mut op) = ops::read(&mut decoder)
    {
        if let Op::Play { calls, .. } = &mut op {
            *calls = calls_left.min(*calls);
            calls_left -= *calls;
        }
        ops.extend(constraints.play(op));
    }
    (setup, ops)
}
