//! Known bugs: machines that are broken on purpose, and for each the model that finds it. A model that nothing can
//! fail is worthless.
//!
//! ```text
//! planted    what a broken subject takes over from the shipped one
//! period  probes  transitions  clock  telling  ring      written by hand, a file for each family
//! histories, in_word    what the history checker finds, under shuttle too
//! patched    copies of shipped files in which a few words differ: memory orderings, windows, the core, delivery
//! ```
//!
//! A bug is found if its model goes red, and by what is said here to give it away: a message of the model itself, or
//! an outcome that the model does not reach. Something else that is red (loom that gives up, an overflow) is no
//! find. That the same model is green with the shipped machine is a test of its own.

mod clock;
mod histories;
#[allow(dead_code, reason = "the breaker without a bug is shuttle's")]
mod in_word;
mod notify;
#[allow(
    clippy::all,
    clippy::pedantic,
    dead_code,
    unreachable_pub,
    unused,
    reason = "copies of files that are linted where they ship"
)]
mod patched;
mod period;
mod planted;
mod probes;
mod ring;
mod transitions;

use std::{panic, thread};

use crate::harness::Model;

/// A planted bug.
#[derive(Clone, Copy, Debug)]
pub struct Bug {
    /// The invariants of `docs/design.md` that it breaks.
    pub breaks: &'static str,
    /// What is wrong.
    pub what: &'static str,
    /// Where it was seen.
    pub seen: &'static str,
    /// The model that finds it.
    pub model: &'static str,
    /// A part of what the model says then.
    pub gives_away: &'static str,
    plant: fn() -> Model,
}

/// A bug, in the order in which it is read: what it breaks, what it is, where it was seen, which model finds it in
/// which subject, and what gives it away.
macro_rules! bug {
    ($breaks:literal, $what:literal, $seen:literal, $group:ident::$model:ident, $subject:ty, $gives_away:literal $(,)?) => {
        $crate::bugs::Bug {
            breaks: $breaks,
            what: $what,
            seen: $seen,
            model: concat!(stringify!($group), "::", stringify!($model)),
            gives_away: $gives_away,
            plant: $crate::models::$group::$model::<$subject>,
        }
    };
}
use bug;

/// The families.
const FAMILIES: &[&[Bug]] = &[
    period::BUGS,
    probes::BUGS,
    transitions::BUGS,
    clock::BUGS,
    notify::BUGS,
    histories::BUGS,
    ring::BUGS,
    patched::BUGS,
];

/// All of them.
pub fn bugs() -> impl Iterator<Item = Bug> {
    FAMILIES.iter().copied().flatten().copied()
}

/// What planted models run on: their panics are what is looked for, so none is printed.
const HUNT: &str = "hunt";

/// Keeps the panics of planted models quiet.
pub fn silence() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().name() != Some(HUNT) {
            print(info);
        }
    }));
}

impl Bug {
    /// Runs its model: the message that gave it away.
    ///
    /// # Errors
    ///
    /// If the model is green, or red for something else.
    ///
    /// # Panics
    ///
    /// If the model is none that the shipped machine passes, or no thread can be had.
    pub fn hunt(&self) -> Result<String, String> {
        let is_a_test = crate::SHIPPED.iter().any(|(name, _)| *name == self.model);
        assert!(is_a_test, "no such model: {}", self.model);
        let Self { plant, model, .. } = *self;
        let hunt = thread::Builder::new().name(HUNT.into());
        let hunt = hunt.spawn(move || plant().hunt(model)).expect("a thread");
        let Err(thrown) = hunt.join() else {
            return Err("the model is green".into());
        };
        let said = match thrown.downcast::<String>() {
            Ok(said) => *said,
            Err(thrown) => thrown
                .downcast_ref::<&str>()
                .map_or("?", |said| said)
                .into(),
        };
        if said.contains(self.gives_away) {
            Ok(said)
        } else {
            Err(format!("red, but not by it: {said}"))
        }
    }
}
