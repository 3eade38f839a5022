//! Canonical form of a word (symmetry reduction): a fixed generation, a fixed deadline or lease
//! end, few reopens, and fixed fields of external windows.
//!
//! The machine compares generations by equality and times by their difference, so moving all of
//! them together changes nothing. The search checks this too: it runs with a canonical form in the
//! middle of all ranges, and with one at their wraps.
//!
//! Reopens only decide how long a breaker waits. Reopen counts with the same waiting times are
//! equivalent.

use super::super::{
    rules::Rules,
    tick::{Deadline, LeaseEnd},
    word::{HalfOpen, MAX_REOPENS, Open, PAYLOAD_BITS, Phase, Word},
};

/// The fixed values of one search.
#[derive(Clone, Copy, Debug)]
pub(super) struct CanonicalForm {
    generation: u16,
    deadline: u64,
    lease_end: u64,
    /// Greater reopen counts are replaced by this one.
    reopens: u8,
    /// Value of the payload bits that only an external window reads.
    counts: u64,
    /// Mask of those bits; 0 without an external window.
    unread: u64,
}

/// Two forms: one in the middle of every range, and one at the wraps.
///
/// In the second form the next period wraps the generation, and the next call wraps the call index.
/// Every open period and every lease crosses the wrap of its ticks.
pub(super) const CANONICAL_FORMS: [CanonicalForm; 2] = [
    CanonicalForm {
        generation: 1_000,
        deadline: 1 << (Deadline::BITS - 1),
        lease_end: 1 << (LeaseEnd::BITS - 1),
        reopens: MAX_REOPENS,
        counts: 1_000,
        unread: 0,
    },
    CanonicalForm {
        generation: u16::MAX,
        deadline: 1,
        lease_end: 1,
        reopens: MAX_REOPENS,
        counts: u64::MAX,
        unread: 0,
    },
];

impl CanonicalForm {
    /// This form for rules whose waiting times do not change after more reopens than these.
    pub(super) fn with_reopens(self, reopens: u8, rules: &Rules) -> Self {
        let waits = |reopens| (rules.interval_ms(reopens), rules.lease_ms(reopens));
        let settled = (reopens..=MAX_REOPENS).all(|more| waits(more) == waits(reopens));
        assert!(settled, "more than {reopens} reopens differ: {rules:?}");
        Self {
            reopens,
            unread: rules.trip_rule.unread(),
            ..self
        }
    }

    pub(super) fn canonicalize(&self, word: Word) -> Word {
        let phase = match word.phase() {
            Phase::Open(open) => Phase::Open(Open {
                reopens: open.reopens.min(self.reopens),
                deadline: Deadline::new(self.deadline),
                ..open
            }),
            Phase::HalfOpen(half_open) => Phase::HalfOpen(HalfOpen {
                reopens: half_open.reopens.min(self.reopens),
                lease_end: LeaseEnd::new(self.lease_end),
                ..half_open
            }),
            Phase::Closed(payload) => {
                Phase::Closed(payload & !self.unread | self.counts & self.unread)
            }
            phase @ Phase::Held(_) => phase,
        };
        pack(self.generation, phase)
    }
}

/// Packs a word from its parts.
pub(super) fn pack(generation: u16, phase: Phase) -> Word {
    with_generation(begin(Word::from_bits(0), phase), generation)
}

/// The word of this phase that follows `old`.
pub(super) fn begin(old: Word, phase: Phase) -> Word {
    match phase {
        Phase::Closed(payload) => old.begin_closed(payload),
        Phase::Open(open) => old.begin_open(open),
        Phase::HalfOpen(half_open) => old
            .begin_half_open(half_open.reopens, half_open.lease_end)
            .with_in_flight(half_open.in_flight)
            .with_successes(half_open.successes),
        Phase::Held(hold) => old.begin_held(hold),
    }
}

/// The same word in another generation. `word.rs` has no such function, because only tests may do
/// this.
pub(super) fn with_generation(word: Word, generation: u16) -> Word {
    let mask = u64::from(u16::MAX) << PAYLOAD_BITS;
    let bits = u64::from(generation) << PAYLOAD_BITS;
    Word::from_bits(word.bits() & !mask | bits)
}
