//! Fast path: the two comparisons that decide a healthy call.
//!
//! The comparisons add no decision of their own. Where they hold, [`admit`] and [`record`] would
//! return the word as it is, and the exhaustive search asserts that. Where they fail, those two
//! decide.
//!
//! A breaker whose calls are timed or observed has comparisons that always fail, so that the
//! healthy path needs no further branch.
//!
//! [`admit`]: super::step::admit()
//! [`record`]: super::step::record()

use super::{
    rules::Rules,
    word::{CLOSED, HEADER, Period, Word},
};

/// Equal to no state and to no payload.
const NEVER: u64 = u64::MAX;
/// A mask under which nothing is compared. Every other mask has [`HEADER`].
#[cfg(feature = "std")]
const UNCOMPARED: u64 = 0;

/// The values that the word of a healthy call has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FastPath {
    /// The state in which a call is admitted.
    state: u64,
    /// The payload that a success leaves as it is, under the mask `health`.
    healthy: u64,
    health: u64,
}

impl FastPath {
    pub(crate) const fn new(rules: &Rules) -> Self {
        let healthy = rules.trip_rule.healthy();
        Self {
            state: CLOSED,
            healthy: match healthy {
                Some(payload) => payload,
                None => NEVER,
            },
            health: rules.trip_rule.health() | HEADER,
        }
    }

    /// Comparisons that always fail.
    pub(crate) const fn none() -> Self {
        Self {
            state: NEVER,
            healthy: NEVER,
            health: NEVER,
        }
    }

    /// Makes the comparison of an admission fail always, and that of a success.
    #[cfg(feature = "std")]
    pub(crate) const fn without_admissions(self) -> Self {
        Self {
            state: NEVER,
            healthy: NEVER,
            ..self
        }
    }

    /// Makes the comparison of a success fail always, so that the caller can count each.
    #[cfg(feature = "std")]
    pub(crate) const fn without_successes(self) -> Self {
        Self {
            healthy: NEVER,
            health: UNCOMPARED,
            ..self
        }
    }

    /// Whether the caller counts each success: [`FastPath::without_successes`].
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) const fn has_no_successes(&self) -> bool {
        self.health == UNCOMPARED
    }

    /// Whether the comparisons always fail.
    #[inline]
    pub(crate) const fn is_none(&self) -> bool {
        self.state == NEVER
    }

    /// Whether a call is admitted and leaves the word as it is.
    #[inline]
    pub(crate) const fn admits(&self, word: Word) -> bool {
        word.state_bits() == self.state
    }

    /// Whether a success of a call that was admitted in `period` leaves the word as it is.
    ///
    /// By rule 4 of the word, the comparison fails for every period that is not closed.
    #[inline]
    pub(crate) const fn changes_nothing(&self, word: Word, period: Period) -> bool {
        word.is(period, self.healthy, self.health)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::rules::tests::rules, *};
    use crate::{Policy, Trip};
    use core::time::Duration;

    /// Whether a call of a new breaker with this trip takes the fast path, and its success.
    fn takes_fast_path(trip: Trip) -> (bool, bool) {
        let rules = rules(&Policy::new().trip(trip));
        let fast_path = FastPath::new(&rules);
        assert!(!fast_path.is_none());
        let word = Word::new(rules.trip_rule.fresh(0));
        let success = fast_path.changes_nothing(word, word.period());
        (fast_path.admits(word), success)
    }

    #[test]
    fn a_trip_that_needs_no_successes_is_healthy_from_the_first_call() {
        assert_eq!(takes_fast_path(Trip::consecutive(3)), (true, true));
        assert_eq!(takes_fast_path(Trip::failures(3).of_last(5)), (true, false));
        #[cfg(feature = "std")]
        {
            let minute = Duration::from_mins(1);
            assert_eq!(
                takes_fast_path(Trip::failures(3).within(minute)),
                (true, true)
            );
            assert_eq!(
                takes_fast_path(Trip::percent(3).within(minute)),
                (true, false)
            );
            assert_eq!(
                takes_fast_path(Trip::failures(3).of_last(500)),
                (true, false)
            );
        }
        #[cfg(not(feature = "std"))]
        let _ = Duration::ZERO;
    }

    #[cfg(feature = "std")]
    #[test]
    fn a_fast_path_without_successes_admits() {
        let rules = rules(&Policy::new().trip(Trip::consecutive(3)));
        let fast_path = FastPath::new(&rules).without_successes();
        let word = Word::new(rules.trip_rule.fresh(0));
        assert!(fast_path.admits(word) && !fast_path.is_none());
        assert!(!fast_path.changes_nothing(word, word.period()));
        assert!(fast_path.has_no_successes());
        let neither = fast_path.without_admissions();
        assert!(neither.is_none() && neither.has_no_successes());
        let unadmitted = FastPath::new(&rules).without_admissions();
        assert!(unadmitted.is_none() && !unadmitted.has_no_successes());
        assert!(!unadmitted.changes_nothing(word, word.period()));
        assert!(!FastPath::new(&rules).has_no_successes());
        assert!(!FastPath::none().has_no_successes());
    }

    #[test]
    fn a_disabled_fast_path_rejects_every_word() {
        let word = Word::new(0);
        assert!(FastPath::none().is_none());
        assert!(!FastPath::none().admits(word));
        assert!(!FastPath::none().changes_nothing(word, word.period()));
        let opposite = Word::from_bits(!word.bits());
        assert!(!FastPath::none().changes_nothing(opposite, word.period()));
    }
}
