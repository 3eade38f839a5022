//! The heart: no clock, no user code, no I/O; uses only `crate::sync` and itself.
//!
//! ```text
//! word ── the 64 bits          tick ── time that wraps        tally ── what closed counts
//!    \______________________________|_____________________________/
//!                                 rules ── the policy in integers    jitter ── a hash
//!                                   |                                   |
//!                                 step ── the pure transition function ─'
//!                                   |
//!         shortcut ── healthy?    cell ── the atomic word and the one CAS loop on it
//!                                   |
//!                  window ── rings and buckets beside the word
//!     notes ── what decides nothing     delivery ── transitions not yet told     watch ── a bell
//!     hints ── how long a dependency asked to be left alone
//! ```
//!
//! Rules:
//!
//! 1. Whatever decides is in the word, and one CAS moves all of it or none.
//! 2. What that CAS stores was computed by a function of [`step`], which is pure: a `const fn`. Whether a
//!    failure trips is decided by one of them, [`count_failure`](step::report::count_failure()), for every
//!    kind of window.
//! 3. Who loses a CAS starts over with the word that won: no decision outlives its word.
//! 4. A moment that is compared with a word was read after that word was loaded.
//! 5. The consequences of a transition (notes, listeners) belong to the winner of its CAS, and come
//!    after it.

pub(crate) mod cell;
#[cfg(feature = "std")]
pub(crate) mod delivery;
pub(crate) mod hints;
pub(crate) mod jitter;
#[cfg(test)]
mod legal;
pub(crate) mod notes;
pub(crate) mod rules;
#[cfg(test)]
mod search;
pub(crate) mod shortcut;
pub(crate) mod step;
pub(crate) mod tally;
pub(crate) mod tick;
#[cfg(feature = "watch")]
pub(crate) mod watch;
pub(crate) mod window;
pub(crate) mod word;
