//! Failure ring: the failures of a window, each stamped with the number of its call or with its
//! time.
//!
//! ```text
//! word      calls, index ──────────────┐ the position of the next failure
//!                                      v
//! ring      | 880 | 912 | 913 | 940 | 517 | 630 | 702 |      as many cells as failures that trip
//!             lap 1 ──────────────────> lap 0 ─────────>
//!
//! an entry  generation 16 | lap 1 | stamp 47
//! ```
//!
//! **Guarantee.** A failure trips iff enough failures before it have stamps inside the window: the
//! last n calls, or T. The count is exact, in the order in which failures advance the index in the
//! word.
//!
//! * In a window of calls the stamp is the number of the call in its period. A success only
//!   increments `calls` in the word. The m failures that trip are there iff the entry m - 1
//!   positions back is less than n calls old, so nothing is scanned.
//! * In a window of time the stamp is the clock in µs, or the newest stamp if the clock has stepped
//!   back. An age of T is outside the window.
//!
//! **Lock-freedom.** A failure writes its entry by CAS, at the index in the word. The CAS of the
//! word then advances the index, and trips. *A thread that finds the entry written advances the
//! index*: the next failure completes that of a thread which stopped. An entry is judged by a word
//! that was current before and after the entry was read. So a late writer never takes a newer entry
//! for an old one. If a success incremented `calls` in between, a CAS first corrects the number in
//! the entry. The number is then the call's at the moment when the index advances. Every retry is
//! caused by a success or failure of another thread.
//!
//! | a thread stops | then |
//! |---|---|
//! | before its entry | its failure is not recorded yet; no thread waits |
//! | after its entry | the next failure of the period advances the index; if the period ends first, the failure has no effect |
//! | after the index | only the notification of a trip is left |
//!
//! A failure whose index another thread advanced is reported as applied, even if it tripped; that
//! thread reports the trip. The failure's hint was stored before its entry, so that thread finds
//! the hint.
//!
//! **What wraps.**
//!
//! | what | after | then |
//! |---|---|---|
//! | the lap | 2 laps | a writer that stopped between its read of a cell and its CAS finds another stamp |
//! | `calls` in the word | 65 536 calls, more than any window | a thread that stops before its CAS, for a multiple of that, advances the index once too often |
//! | the generation | 65 536 periods (I27) | an entry of exactly that age, never overwritten, counts as one of this period |
//! | stamps of time | 4.4 years | a failure 2.2 to 4.4 years after the newest one counts as simultaneous |
//! | stamps of calls | 2^47 calls of one period | the same |

use std::boxed::Box;

use crate::sync::{AtomicU64, Ordering};

use super::{
    super::{
        super::{
            atomic_word::{AtomicWord, Decided},
            rules::Rules,
            step::{Recorded, Step},
            word::{Phase, Word},
        },
        Count,
        external::WindowData,
        payload::{Payload, Position},
        slot::FailedCall,
    },
    RingRule, after_failure,
};

const STAMP_BITS: u32 = 47;
const STAMP: u64 = (1 << STAMP_BITS) - 1;
const GENERATION_SHIFT: u32 = STAMP_BITS + 1;
const NANOS_PER_MICRO: u64 = 1_000;

/// The entry of a failure in the ring.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry(u64);

impl Entry {
    /// The content of a cell before its first entry. No failure has its stamp.
    const NONE: Self = Self(u64::MAX);

    const fn new(generation: u16, position: Position, stamp: u64) -> Self {
        Self(
            (generation as u64) << GENERATION_SHIFT
                | (position.lap as u64) << STAMP_BITS
                | (stamp & STAMP),
        )
    }

    /// Whether this is an entry of `position`, in this lap of this generation.
    const fn is_of(self, generation: u16, position: Position) -> bool {
        self.0 >> STAMP_BITS == Self::new(generation, position, 0).0 >> STAMP_BITS
            && self.stamp() != Self::NONE.stamp()
    }

    const fn stamp(self) -> u64 {
        self.0 & STAMP
    }
}

/// The distance of two stamps, modulo the wrap.
const fn between(older: u64, newer: u64) -> u64 {
    newer.wrapping_sub(older) & STAMP
}

/// The stamp of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// The number of its call in its period.
    Number,
    /// Its time in µs.
    Time,
}

/// The ring.
#[derive(Debug)]
pub(crate) struct FailureRing {
    stamp: Stamp,
    rule: RingRule,
    entries: Box<[AtomicU64]>,
}

/// The ring as a word of a closed period sees it.
struct View<'a> {
    ring: &'a FailureRing,
    word: Word,
    payload: Payload,
}

impl FailureRing {
    pub(crate) fn new(stamp: Stamp, rule: RingRule) -> Self {
        let entries = 0..rule.entries();
        Self {
            stamp,
            rule,
            entries: entries.map(|_| AtomicU64::new(Entry::NONE.0)).collect(),
        }
    }

    fn view(&self, word: Word) -> Option<View<'_>> {
        match word.phase() {
            Phase::Closed(payload) => Some(View {
                ring: self,
                word,
                payload: Payload::new(payload),
            }),
            _ => None,
        }
    }
}

impl WindowData for FailureRing {
    fn fail(
        &self,
        atomic_word: &AtomicWord,
        mut seen: Word,
        failure: FailedCall<'_>,
        rules: &Rules,
    ) -> Decided<Option<Count>, Recorded> {
        let mut mine = None;
        loop {
            let Some(view) = self.view(seen).filter(|_| seen.is_of(failure.period)) else {
                let verdict = match mine {
                    Some(_) => Recorded::Applied,
                    None => Recorded::Stale,
                };
                return Decided::unchanged(seen, None, verdict);
            };
            let position = view.payload.position();
            let current = view.entry(position);
            let stamp = view.stamp(failure);
            // The entry was read under `seen` only if the word is the same afterwards. Otherwise
            // the entry may belong to a later word, even of a later period. To overwrite or to
            // correct that entry would lose a failure. The stamp reads the entry before this one,
            // so it, too, is computed before this load.
            let again = atomic_word.load();
            if again != seen {
                seen = again;
                continue;
            }
            if current.is_of(seen.generation(), position) {
                match view.advance(current, stamp, atomic_word, failure, rules) {
                    Ok(decided) if mine == Some(position) => return decided,
                    // The entry of another failure, which tripped. Another thread advanced this
                    // failure's index before, or this failure comes too late to count.
                    Ok(decided) if decided.is_transition() => {
                        let verdict = match mine {
                            Some(_) => Recorded::Applied,
                            None => Recorded::Stale,
                        };
                        return Decided { verdict, ..decided };
                    }
                    Ok(Decided { after, .. }) => seen = after,
                    Err(current) => seen = current,
                }
            } else if mine.is_some() {
                // Another thread has advanced the index.
                return Decided::unchanged(seen, None, Recorded::Applied);
            } else {
                let entry = Entry::new(seen.generation(), position, stamp);
                if view.replace(position, current, entry) {
                    mine = Some(position);
                }
                seen = atomic_word.load();
            }
        }
    }

    fn count(&self, word: Word, now: u64) -> Count {
        let Some(view) = self.view(word) else {
            return Count::default();
        };
        match self.stamp {
            Stamp::Number => view.count(view.number() - 1, 1),
            Stamp::Time => view.count(view.time(now), 1),
        }
    }
}

impl View<'_> {
    fn entry(&self, position: Position) -> Entry {
        // ORDERING: Acquire. Pairs with `replace`: a thread that reads an entry, and then the word,
        // finds a word at least as new as that of the entry's writer. Without it `fail` could take
        // an old word for the current one, and overwrite an entry of a later period (I14).
        Entry(self.ring.entries[position.index].load(Ordering::Acquire))
    }

    fn replace(&self, position: Position, old: Entry, new: Entry) -> bool {
        // ORDERING: Release, pairs with `entry`, which says what fails without it. Relaxed on
        // failure: the loop reads everything again.
        self.ring.entries[position.index]
            .compare_exchange(old.0, new.0, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }

    /// The entry of the failure `back` before `position`, if this period has one.
    fn before(&self, position: Position, back: usize) -> Option<Entry> {
        let position = before(position, back, self.ring.entries.len());
        let entry = self.entry(position);
        entry
            .is_of(self.word.generation(), position)
            .then_some(entry)
    }

    /// The number, in its period, of the next call that is counted.
    fn number(&self) -> u64 {
        let calls = self.payload.calls();
        match self.before(self.payload.position(), 1) {
            // The word counts modulo 2^16, and fewer calls came since the last failure.
            Some(last) => last.stamp() + 1 + (calls.wrapping_sub(last.stamp()) & 0xFFFF),
            None => calls + 1,
        }
    }

    /// The clock in the unit of stamps, or the newest stamp if the clock is behind that.
    fn time(&self, now: u64) -> u64 {
        let now = ((now / NANOS_PER_MICRO) & STAMP).min(Entry::NONE.stamp() - 1);
        match self.before(self.payload.position(), 1) {
            Some(newest) if between(newest.stamp(), now) > STAMP / 2 => newest.stamp(),
            _ => now,
        }
    }

    /// The stamp of a failure that is recorded now.
    fn stamp(&self, failure: FailedCall<'_>) -> u64 {
        match self.ring.stamp {
            Stamp::Number => self.number(),
            Stamp::Time => self.time(failure.moment.now),
        }
    }

    /// Advances the index past the entry written there; `Err` is the word from which to restart.
    fn advance(
        &self,
        entry: Entry,
        stamp: u64,
        atomic_word: &AtomicWord,
        failure: FailedCall<'_>,
        rules: &Rules,
    ) -> Result<Decided<Option<Count>, Recorded>, Word> {
        let position = self.payload.position();
        if self.ring.stamp == Stamp::Number && entry.stamp() != stamp & STAMP {
            let corrected = Entry::new(self.word.generation(), position, stamp);
            self.replace(position, entry, corrected);
            return Err(atomic_word.load());
        }
        let payload =
            after_failure(self.payload, self.ring.entries.len(), rules.trip_rule.run).bits();
        let window_trips = self.window_trips(entry);
        let Step {
            word: next,
            verdict,
        } = failure.count(self.word, payload, window_trips, rules);
        atomic_word.replace(self.word, next)?;
        let tripped = verdict == Recorded::Tripped;
        Ok(Decided {
            before: self.word,
            after: next,
            verdict,
            prepared: tripped.then(|| self.count(entry.stamp(), 0)),
        })
    }

    /// Whether the failure of this entry trips by the window.
    fn window_trips(&self, entry: Entry) -> bool {
        let calls = entry.stamp().min(self.ring.rule.span);
        match self.ring.rule.threshold.needed(calls) {
            None => false,
            Some(..=1) => true,
            Some(needed) => self
                .before(self.payload.position(), needed - 1)
                .is_some_and(|oldest| between(oldest.stamp(), entry.stamp()) < self.ring.rule.span),
        }
    }

    /// The failures, from `first` before the index on, and the calls, in a window whose newest
    /// stamp is `newest`.
    fn count(&self, newest: u64, first: usize) -> Count {
        let position = self.payload.position();
        let failures = (first..first + self.ring.entries.len())
            .map_while(|back| self.before(position, back))
            .take(self.ring.rule.most_failures())
            .take_while(|entry| between(entry.stamp(), newest) < self.ring.rule.span)
            .count();
        let failures = u32::try_from(failures).unwrap_or(u32::MAX);
        let calls = match self.ring.stamp {
            Stamp::Number => newest.min(self.ring.rule.span),
            Stamp::Time => u64::from(failures),
        };
        Count {
            failures,
            calls: u32::try_from(calls).unwrap_or(u32::MAX),
        }
    }
}

/// The position of the failure `back` before this one, in a ring of `len`; `back` is less than
/// `len`.
const fn before(position: Position, back: usize, len: usize) -> Position {
    let Position { index, lap } = position;
    if back <= index {
        Position {
            index: index - back,
            lap,
        }
    } else {
        Position {
            index: index + len - back,
            lap: !lap,
        }
    }
}

#[cfg(test)]
mod tests;
