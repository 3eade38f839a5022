//! The atomic word: its load, the one CAS on it and the loop around that.
//!
//! | operation | ordering | because |
//! |---|---|---|
//! | `load` | Acquire | pairs with the Release half of `replace` |
//! | `replace`, stored | Release | publishes what happened before the outcome that caused the transition |
//! | `replace`, stored | Acquire | its winner tells of the transition: it must see what the word it replaced was made of |
//! | `replace`, lost | Acquire | its value takes the place of a load |

use crate::sync::{AtomicU64, Ordering, pause};

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
        // ORDERING: Acquire. Pairs with the Release of `replace`. Without it a thread that sees
        // the breaker open need not see what the failing calls wrote before they failed (I23).
        Word::from_bits(self.0.load(Ordering::Acquire))
    }

    /// The one CAS: puts `next` in the place of `seen`, or says what stands instead.
    #[inline]
    pub(crate) fn replace(&self, seen: Word, next: Word) -> Result<(), Word> {
        // ORDERING, stored: AcqRel. Release pairs with the Acquire of `load`: without it I23 fails as said
        // there. Acquire: the winner tells of what made the word it replaced, so that must have happened
        // before. Nearly always the load that `seen` came from has seen to it; not when the same bits have come
        // back in between (a run of 1, of 0, of 1 again), which the CAS can't tell from those it saw.
        // ORDERING, lost: Acquire. The value replaces a load, and pairs as a load does.
        // Weak: a spurious failure decides on the same word again, by a later moment.
        self.0
            .compare_exchange_weak(
                seen.bits(),
                next.bits(),
                Ordering::AcqRel,
                Ordering::Acquire,
            )
            .map(drop)
            .map_err(Word::from_bits)
    }

    /// Decides on `seen` and stores the decision, or starts over with the word that stands instead.
    ///
    /// What a decision needs beside its word is `prepared` after that word was loaded, each time anew:
    /// an admission reads the clock (rule 4 of the machine), a report has nothing to do. `decide` is one
    /// of the pure functions of [`super::step`].
    #[inline]
    pub(crate) fn transition<C: Copy, V>(
        &self,
        mut seen: Word,
        mut prepared: C,
        prepare: impl Fn() -> C,
        decide: impl Fn(Word, C) -> Step<V>,
    ) -> Decided<C, V> {
        loop {
            let Step { word, verdict } = decide(seen, prepared);
            let decided = Decided {
                before: seen,
                after: word,
                verdict,
                prepared,
            };
            if word == seen {
                return decided;
            }
            match self.replace(seen, word) {
                Ok(()) => return decided,
                Err(stands) => seen = stands,
            }
            pause();
            prepared = prepare();
        }
    }
}

/// A decision that stands: stored, or in need of no storing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decided<C, V> {
    pub(crate) before: Word,
    pub(crate) after: Word,
    pub(crate) verdict: V,
    /// What was prepared for it.
    pub(crate) prepared: C,
}

impl<C, V> Decided<C, V> {
    /// The decision that `word` stays as it is.
    #[cfg(feature = "std")]
    pub(crate) const fn unchanged(word: Word, prepared: C, verdict: V) -> Self {
        Self {
            before: word,
            after: word,
            verdict,
            prepared,
        }
    }

    /// The same decision, with something else prepared for it.
    #[inline]
    pub(crate) fn with<D>(self, prepared: D) -> Decided<D, V> {
        Decided {
            before: self.before,
            after: self.after,
            verdict: self.verdict,
            prepared,
        }
    }

    /// Whether a period ended.
    #[inline]
    pub(crate) fn is_transition(&self) -> bool {
        self.before.period() != self.after.period()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::Cell as Plain;

    fn cell() -> Cell {
        Cell::over(AtomicU64::new(Word::new(0).bits()))
    }

    fn add_one(word: Word) -> Step<()> {
        Step {
            word: Word::from_bits(word.bits() + 1),
            verdict: (),
        }
    }

    #[test]
    fn a_lost_cas_decides_anew_by_what_is_prepared_anew() {
        let cell = cell();
        let old = cell.load();
        let prepared = Plain::new(0);
        let prepare = || {
            prepared.set(prepared.get() + 1);
            prepared.get()
        };
        // Another thread's step comes between.
        cell.transition(old, (), || (), |word, ()| add_one(word));
        let decided = cell.transition(old, 0, prepare, |word, _| add_one(word));
        assert_eq!(decided.before.bits(), old.bits() + 1);
        assert_eq!(decided.after, cell.load());
        assert!(
            decided.prepared >= 1,
            "not what was prepared for the word that lost"
        );
    }

    #[test]
    fn a_step_that_changes_nothing_is_not_stored() {
        let cell = cell();
        let old = cell.load();
        cell.transition(old, (), || (), |word, ()| add_one(word));
        // Decided on an old word, which a store would bring back.
        let same = |word, ()| Step { word, verdict: () };
        let decided = cell.transition(old, (), || (), same);
        assert_eq!(decided.after, old);
        assert_ne!(cell.load(), old);
    }
}
