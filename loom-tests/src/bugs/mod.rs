//! Planted bugs: machines that are broken on purpose, each with the model that finds the bug. Most
//! of the bugs were seen in other breakers. A model that no bug can fail verifies nothing.
//!
//! ```text
//! planted    a subject that differs from the shipped one in what it breaks only
//! period  probes  transitions  clock  notify  ring      written by hand, a file for each family
//! histories, in_word    bugs for the history checker, in models and in games
//! patched    copies of shipped files with a small edit: orderings, windows, core, queue
//! ```
//!
//! A bug is found if its model fails with the message that is given here. That is a panic message
//! of the model, or an outcome that the model does not reach. Any other failure (loom gives up, an
//! overflow) does not count. A separate test checks that the same model passes with the shipped
//! machine.

mod clock;
mod histories;
#[allow(dead_code, reason = "only shuttle uses the breaker without a bug")]
pub(crate) mod in_word;
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
    /// The invariants of `docs/design.md` that the bug breaks.
    pub invariants: &'static str,
    /// Description of the bug.
    pub what: &'static str,
    /// The breaker or the report in which the bug was seen.
    pub reported_in: &'static str,
    /// The model that finds the bug.
    pub model: &'static str,
    /// A part of the message with which the model fails.
    pub expected_message: &'static str,
    inject: fn() -> Model,
}

/// A planted bug: what it breaks, its description, and where it was seen. Then the model that finds
/// it, the broken subject, and a part of the model's message.
macro_rules! bug {
    ($invariants:literal, $what:literal, $reported_in:literal, $group:ident::$model:ident, $subject:ty, $expected_message:literal $(,)?) => {
        $crate::bugs::Bug {
            invariants: $invariants,
            what: $what,
            reported_in: $reported_in,
            model: concat!(stringify!($group), "::", stringify!($model)),
            expected_message: $expected_message,
            inject: $crate::models::$group::$model::<$subject>,
        }
    };
}
use bug;

/// The families of bugs.
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

/// All planted bugs.
pub fn bugs() -> impl Iterator<Item = Bug> {
    FAMILIES.iter().copied().flatten().copied()
}

/// Name of the threads that run models of planted bugs. Their panics are expected, so none is
/// printed.
const BUG_THREAD: &str = "bug";

/// Suppresses the output of panics of planted bugs.
pub fn silence() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().name() != Some(BUG_THREAD) {
            print(info);
        }
    }));
}

impl Bug {
    /// Runs the model of this bug, and returns the message with which the model failed.
    ///
    /// # Errors
    ///
    /// If the model passes, or fails with another message.
    ///
    /// # Panics
    ///
    /// If no model of the shipped machine has that name, or no thread can be spawned.
    pub fn run(&self) -> Result<String, String> {
        let is_a_test = crate::list::SHIPPED
            .iter()
            .any(|(name, _)| *name == self.model);
        assert!(is_a_test, "no such model: {}", self.model);
        let Self { inject, model, .. } = *self;
        let thread = thread::Builder::new().name(BUG_THREAD.into());
        let thread = thread
            .spawn(move || inject().find_bug(model))
            .expect("a thread");
        let Err(thrown) = thread.join() else {
            return Err("the model passes".into());
        };
        let message = match thrown.downcast::<String>() {
            Ok(message) => *message,
            Err(thrown) => thrown
                .downcast_ref::<&str>()
                .map_or("?", |message| message)
                .into(),
        };
        if message.contains(self.expected_message) {
            Ok(message)
        } else {
            Err(format!(
                "the model fails, but with another message: {message}"
            ))
        }
    }
}
