//! The atomic word: its load and the one CAS loop on it.
//!
//! | operation | ordering | because |
//! |---|---|---|
//! | `load` | Acquire | pairs with the Release half of the CAS in `transition` |
//! | CAS, stored | Release | publishes what happened before the outcome that caused the transition |
//! | CAS, stored | Acquire | its winner tells of the transition: it must see what the word it replaced was made of |
//! | CAS, lost | Acquire | its value takes the place of a load |

use crate::sync::{AtomicU64, Ordering};

use super::{step::Step, word::Word};

/// The word that threads share.
#[derive(Debug)]
pub(crate) struct Cell(AtomicU64);

impl Cell {
    /// A cell over an atomic that holds the bits of a word.
    pub(crate) const fn over(word: AtomicU64) -> Self {
        Self(word)
    }

    #[inline]
    pub(crate) fn load(&self) -> Word {
        // ORDERING: Acquire. Pairs with the Release of `transition`. Without it a thread that sees
        // the breaker open need not see what the failing calls wrote before they failed (I23).
        Word::from_bits(self.0.load(Ordering::Acquire))
    }

    /// Decides on `seen` and stores the decision, or starts over with the word that stands instead.
    ///
    /// What a decision needs beside its word is `prepared` after that word was loaded, each time anew:
    /// an admission reads the clock (rule 4 of the machine), a report has nothing to do. `decide` is one
    /// of the pure functions of [`super::step`]. Returns the last step, with what was prepared for it.
    #[inline]
    pub(crate) fn transition<C: Copy, V>(
        &self,
        mut seen: Word,
        mut prepared: C,
        prepare: impl Fn() -> C,
        decide: impl Fn(Word, C) -> Step<V>,
    ) -> (Step<V>, C) {
        loop {
            let step = decide(seen, prepared);
            if step.word == seen {
                return (step, prepared);
            }
            // ORDERING, stored: AcqRel. Release pairs with the Acquire of `load`: without it I23 fails
            // as said there. Acquire makes the chain of reports that led to this transition happen
            // before its consequences: without it the one that trips would tell listeners of failures
            // whose effects it can't see.
            // ORDERING, lost: Acquire. The value replaces a load, and pairs as a load does.
            // Weak: a spurious failure decides on the same word again, by a later moment.
            match self.0.compare_exchange_weak(
                seen.bits(),
                step.word.bits(),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return (step, prepared),
                Err(stands) => seen = Word::from_bits(stands),
            }
            prepared = prepare();
        }
    }
}
