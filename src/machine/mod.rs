//! The state machine. Pure: no clock, no user code, no I/O; uses only `crate::sync` and itself.
//!
//! ```text
//! word ── the 64 bits        tick ── time that wraps        trip ── counts of a closed word
//!    \____________________________|____________________________/
//!                              rules ── the policy in integers      jitter ── a hash
//!                                |                                     |
//!                              step ── the pure transition function ───'
//!                                |
//!       fast_path ── healthy?  atomic_word ── the atomic word and the one CAS loop on it
//!                                |
//!                     trip::external ── failure rings and time buckets     hints ── Retry-After
//!                                |
//!                              core ── all of them: load, decide, compare, swap, retry
//!
//!    diagnostics     transition_queue ── undelivered transitions     event_count ── wake-ups
//! ```
//!
//! Rules:
//!
//! 1. Every value that decides is in the word, and one CAS changes all of it or none.
//! 2. A function of [`step`] computes what that CAS stores; each is pure, a `const fn`. One
//!    type, [`Counted`](step::record::Counted), says whether a failure trips, for every kind of
//!    window.
//! 3. A failed CAS restarts the decision from the current word. A decision is never applied to
//!    another word than the one it was computed from.
//! 4. A clock reading that is compared with a word was taken after the load of that word.
//! 5. The thread whose CAS made a transition performs its consequences (diagnostics, listeners),
//!    after the CAS.

pub(crate) mod atomic_word;
pub(crate) mod core;
pub(crate) mod diagnostics;
#[cfg(feature = "watch")]
pub(crate) mod event_count;
pub(crate) mod fast_path;
pub(crate) mod hints;
pub(crate) mod jitter;
#[cfg(test)]
mod legal;
pub(crate) mod rules;
#[cfg(test)]
mod search;
pub(crate) mod step;
pub(crate) mod tick;
#[cfg(feature = "std")]
pub(crate) mod transition_queue;
pub(crate) mod trip;
pub(crate) mod word;
