//! States of the search: a word, and the calls in progress.

use super::{
    super::{
        rules::Rules,
        tick::LeaseEnd,
        word::{HalfOpen, Hold, Period, Phase, State, Word},
    },
    canonical::{CanonicalForm, pack},
};

/// Maximum number of outstanding permits.
pub(super) const MAX_PERMITS: usize = 3;
/// The age of every permit that is two periods old or older.
pub(super) const OLDER: u16 = 2;

/// A call in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct HeldPermit {
    /// State of the word that admitted it.
    pub(super) state: State,
    /// Number of periods that have ended since.
    pub(super) age: u16,
}

impl HeldPermit {
    /// The permit of a call that this word has just admitted.
    pub(super) fn of(word: Word) -> Self {
        Self {
            state: word.state(),
            age: 0,
        }
    }

    /// Every possible permit of this age.
    pub(super) fn aged(age: u16) -> impl Iterator<Item = Self> {
        let admitting = [State::Closed, State::HalfOpen, State::Disabled];
        admitting.into_iter().map(move |state| Self { state, age })
    }

    pub(super) fn is_current(self) -> bool {
        self.age == 0
    }

    /// The period in this permit, if `word` is the current word.
    pub(super) fn period(self, word: Word) -> Period {
        let phase = match self.state {
            State::HalfOpen => PROBING,
            State::Disabled => Phase::Held(Hold::Disabled),
            State::Closed => Phase::Closed(0),
            State::Open | State::ForcedOpen => unreachable!("{} admits no call", self.state),
        };
        pack(word.generation().wrapping_sub(self.age), phase).period()
    }
}

const PROBING: Phase = Phase::HalfOpen(HalfOpen {
    reopens: 0,
    successes: 0,
    in_flight: 1,
    lease_end: LeaseEnd::new(0),
});

/// A word in canonical form and the outstanding permits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Configuration {
    pub(super) word: Word,
    /// The oldest first.
    pub(super) permits: Vec<HeldPermit>,
    /// Probes of this period that never report (`mem::forget`, a hung call).
    leaked: u8,
}

impl Configuration {
    /// A new breaker.
    pub(super) fn first(rules: &Rules, form: CanonicalForm) -> Self {
        Self {
            word: form.canonicalize(Word::new(rules.trip_rule.fresh(0))),
            permits: Vec::new(),
            leaked: 0,
        }
    }

    /// The same permits with the word of a step.
    pub(super) fn under(&self, word: Word) -> Self {
        let mut configuration = self.clone();
        if word.generation() != self.word.generation() {
            configuration.leaked = 0;
            for permit in &mut configuration.permits {
                permit.age = OLDER.min(permit.age + 1);
            }
        }
        configuration.word = word;
        configuration
    }

    pub(super) fn with(mut self, permit: HeldPermit) -> Self {
        self.permits.push(permit);
        self
    }

    pub(super) fn without(mut self, permit: HeldPermit) -> Self {
        let index = self.permits.iter().position(|other| *other == permit);
        self.permits
            .remove(index.expect("the permit is outstanding"));
        self
    }

    /// Leaks the permit: it never reports.
    pub(super) fn leaking(self, permit: HeldPermit) -> Self {
        let probe = permit.is_current() && permit.state == State::HalfOpen;
        let mut configuration = self.without(permit);
        configuration.leaked += u8::from(probe);
        configuration
    }

    /// Brings the configuration into canonical form, so that configurations with only irrelevant
    /// differences are equal.
    pub(super) fn at(mut self, form: CanonicalForm) -> Self {
        self.word = form.canonicalize(self.word);
        self.permits
            .sort_by_key(|permit| (OLDER - permit.age, permit.state as u8));
        let too_many = self.permits.len().saturating_sub(MAX_PERMITS);
        self.permits.drain(..too_many);
        self
    }

    /// I5. Each slot belongs to a live or a leaked probe, and there are no more than allowed.
    pub(super) fn i5_each_slot_is_a_probe_of_this_period(&self, rules: &Rules) {
        let Phase::HalfOpen(half_open) = self.word.phase() else {
            return;
        };
        let current = |permit: &&HeldPermit| permit.is_current();
        let live = self.permits.iter().filter(current).count();
        let slots = usize::from(half_open.in_flight);
        assert_eq!(live + usize::from(self.leaked), slots, "I5: {self:?}");
        assert!(half_open.in_flight <= rules.probes, "I5: {self:?}");
    }
}
