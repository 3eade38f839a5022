//! The atomic word: its load, its one CAS and the loop around that CAS.
//!
//! | operation | ordering | because |
//! |---|---|---|
//! | `load` | Acquire | pairs with the Release half of `replace` |
//! | `replace`, success | Release | publishes the writes before the outcome that caused the transition |
//! | `replace`, success | Acquire | its thread reports the transition, and must see the effects that led to the replaced word |
//! | `replace`, failure | Acquire | its value replaces that of a load |

use crate::sync::{AtomicU64, Ordering, pause};

use super::{step::Step, word::Word};

/// The shared word.
#[derive(Debug)]
pub(crate) struct AtomicWord(AtomicU64);

impl AtomicWord {
    /// A word in an atomic that holds its bits.
    pub(crate) const fn over(word: AtomicU64) -> Self {
        Self(word)
    }

    #[inline]
    pub(crate) fn load(&self) -> Word {
        // ORDERING: Acquire. Pairs with the Release of `replace`. Without it a thread that finds
        // the breaker open may miss what the failing calls wrote before they failed (I23).
        Word::from_bits(self.0.load(Ordering::Acquire))
    }

    /// The one CAS: replaces `seen` by `next`, or returns the current word.
    #[inline]
    pub(crate) fn replace(&self, seen: Word, next: Word) -> Result<(), Word> {
        // ORDERING, success: AcqRel. Release pairs with the Acquire of `load`; without it I23
        // fails, as `load` says. Acquire: this thread reports the effects that led to the replaced
        // word, so they must have happened before. The load of `seen` nearly always ensures that.
        // It does not when the same bits have returned in between (a run of 1, of 0, of 1 again):
        // the CAS can't distinguish them from `seen`.
        // ORDERING, failure: Acquire. The value replaces that of a load, and pairs as a load does.
        // Weak: a spurious failure repeats the decision on the same word, with a later reading.
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

    /// Decides on `seen` and stores the decision. A failed CAS restarts from the current word.
    ///
    /// `prepare` runs after each load and before its decision: an admission reads the clock (rule 4
    /// of the machine), a report prepares nothing. `decide` is one of the pure functions of
    /// [`super::step`].
    #[inline]
    pub(crate) fn update<C: Copy, V>(
        &self,
        seen: Word,
        prepared: C,
        prepare: impl Fn() -> C,
        decide: impl Fn(Word, C) -> Step<V> + Copy,
    ) -> Decided<C, V> {
        self.update_then(seen, prepared, prepare, decide, |decided| decided)
    }

    /// [`AtomicWord::update`], which passes the decision to `then`. (A decision that is returned
    /// from either of two places goes through memory.)
    #[inline]
    pub(crate) fn update_then<C: Copy, V, T>(
        &self,
        seen: Word,
        prepared: C,
        prepare: impl Fn() -> C,
        decide: impl Fn(Word, C) -> Step<V> + Copy,
        then: impl FnOnce(Decided<C, V>) -> T,
    ) -> T {
        match self.try_update(seen, prepared, decide) {
            Ok(decided) => then(decided),
            Err(current) => then(self.update_again(current, prepare, decide)),
        }
    }

    /// [`AtomicWord::update`] after a failed CAS.
    #[cold]
    #[inline(never)]
    pub(crate) fn update_again<C: Copy, V>(
        &self,
        mut seen: Word,
        prepare: impl Fn() -> C,
        decide: impl Fn(Word, C) -> Step<V> + Copy,
    ) -> Decided<C, V> {
        loop {
            pause();
            match self.try_update(seen, prepare(), decide) {
                Ok(decided) => return decided,
                Err(current) => seen = current,
            }
        }
    }

    /// Decides on `seen` and stores the decision, or returns the current word.
    #[inline]
    pub(crate) fn try_update<C: Copy, V>(
        &self,
        seen: Word,
        prepared: C,
        decide: impl Fn(Word, C) -> Step<V> + Copy,
    ) -> Result<Decided<C, V>, Word> {
        let Step { word, verdict } = decide(seen, prepared);
        if word != seen {
            self.replace(seen, word)?;
        }
        Ok(Decided {
            before: seen,
            after: word,
            verdict,
            prepared,
        })
    }
}

/// A decision that was stored, or that left the word as it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decided<C, V> {
    pub(crate) before: Word,
    pub(crate) after: Word,
    pub(crate) verdict: V,
    /// The prepared value that it used.
    pub(crate) prepared: C,
}

impl<C, V> Decided<C, V> {
    /// The decision that leaves `word` as it is.
    #[cfg(feature = "std")]
    pub(crate) const fn unchanged(word: Word, prepared: C, verdict: V) -> Self {
        Self {
            before: word,
            after: word,
            verdict,
            prepared,
        }
    }

    /// The same decision, with another prepared value.
    #[cfg(feature = "std")]
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
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn is_transition(&self) -> bool {
        self.before.period() != self.after.period()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::Cell;

    fn atomic_word() -> AtomicWord {
        AtomicWord::over(AtomicU64::new(Word::new(0).bits()))
    }

    fn add_one(word: Word) -> Step<()> {
        Step {
            word: Word::from_bits(word.bits() + 1),
            verdict: (),
        }
    }

    #[test]
    fn a_failed_cas_prepares_and_decides_again() {
        let word = atomic_word();
        let old = word.load();
        let prepared = Cell::new(0);
        let prepare = || {
            prepared.set(prepared.get() + 1);
            prepared.get()
        };
        // A step of another thread intervenes.
        word.update(old, (), || (), |word, ()| add_one(word));
        let decided = word.update(old, 0, prepare, |word, _| add_one(word));
        assert_eq!(decided.before.bits(), old.bits() + 1);
        assert_eq!(decided.after, word.load());
        assert!(
            decided.prepared >= 1,
            "not what was prepared for the word that lost"
        );
    }

    #[test]
    fn a_step_that_changes_nothing_is_not_stored() {
        let word = atomic_word();
        let old = word.load();
        word.update(old, (), || (), |word, ()| add_one(word));
        // Decided on an old word, which a store would restore.
        let same = |word, ()| Step { word, verdict: () };
        let decided = word.update(old, (), || (), same);
        assert_eq!(decided.after, old);
        assert_ne!(word.load(), old);
    }
}
