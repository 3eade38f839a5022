//! Brings a word home: to one generation, its deadline or lease end to one tick, its reopens to few,
//! and what only a window beside it reads to one number.
//!
//! The machine compares generations by equality and times by their difference, so moving all of them
//! together changes nothing. That it changes nothing is itself checked: the search runs from a home in
//! the middle of all ranges and from one at their wraps. Reopens decide how long a breaker waits and
//! nothing else; where more of them do not make it wait longer, there is no telling them apart.

use super::super::{
    rules::Rules,
    tick::{Deadline, LeaseEnd},
    word::{HalfOpen, MAX_REOPENS, Open, PAYLOAD_BITS, Phase, Word},
};

/// Where the words of one search are brought.
#[derive(Clone, Copy, Debug)]
pub(super) struct CanonicalForm {
    generation: u16,
    deadline: u64,
    lease_end: u64,
    /// More reopens than this are brought to this many.
    reopens: u8,
    /// Closed words have these bits of their payload,
    counts: u64,
    /// where the rules have a window beside the word that counts in them.
    unread: u64,
}

/// In the middle of every range, and where the next period wraps the generation, every open period and
/// every lease runs across the wrap of its ticks, and the next call wraps the number of calls.
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
    /// This home for rules by which a breaker waits no longer after more reopens than these.
    pub(super) fn with_reopens(self, reopens: u8, rules: &Rules) -> Self {
        let waits = |reopens| (rules.interval_ms(reopens), rules.lease_ms(reopens));
        let settled = (reopens..=MAX_REOPENS).all(|more| waits(more) == waits(reopens));
        assert!(settled, "more than {reopens} reopens differ: {rules:?}");
        #[cfg(feature = "std")]
        let unread = super::external::unread(rules);
        #[cfg(not(feature = "std"))]
        let unread = 0;
        Self {
            reopens,
            unread,
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

/// The word that is made of these parts.
pub(super) fn pack(generation: u16, phase: Phase) -> Word {
    with_generation(begin(Word::from_bits(0), phase), generation)
}

/// The word of this phase that comes after `old`.
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

/// The same word in another generation. `word.rs` has no such function, lest anybody use it there.
pub(super) fn with_generation(word: Word, generation: u16) -> Word {
    let mask = u64::from(u16::MAX) << PAYLOAD_BITS;
    let bits = u64::from(generation) << PAYLOAD_BITS;
    Word::from_bits(word.bits() & !mask | bits)
}
