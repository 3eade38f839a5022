//! Outcome of an admitted call.
//!
//! | word | success | failure | ignored |
//! |---|---|---|---|
//! | another period | stale | stale | stale |
//! | closed | counted | counted, may trip | unrecorded |
//! | half-open | the slot is given back, may recover | reopens | the slot is given back, unrecorded |
//! | disabled | unrecorded | unrecorded | unrecorded |
//!
//! No permit of an open or forced-open period exists. But after 65 536 transitions inside one call
//! a permit can meet a younger period of its own generation; its outcome is then unrecorded.
//!
//! [`Counted`] says whether a failure of a closed word is counted or trips. An external window
//! calls [`count_failure`] directly with the window's own decision, after its own check of the
//! period.
//!
//! Most failures change only a count. [`record_failure_untimed`] decides these without the time, so
//! that they need no clock.

use super::{
    super::{
        rules::Rules,
        trip::Count,
        word::{HalfOpen, Period, Phase, Word},
    },
    Step, TimeSample, open, reopen,
};

/// The outcome of an admitted call, with the time that its step needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Report {
    /// At this clock reading, which only time buckets use.
    Success {
        now: u64,
    },
    /// If the failure opens the breaker, then from `moment` on and for at least `hint_ms`.
    Failure {
        moment: TimeSample,
        hint_ms: u64,
    },
    Ignored,
}

/// The effect of a reported outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recorded {
    /// The outcome was counted and the state stayed. (With an external window, concurrent failures
    /// may complete each other's recording. A failure that another thread completed is reported as
    /// applied, even if it tripped.)
    Applied,
    /// The call was admitted in an earlier period, so its outcome changed nothing.
    Stale,
    /// The outcome belongs to this period, but there was nothing to count: the outcome was ignored
    /// (a probe gives its slot back), or an operator has disabled the breaker.
    Unrecorded,
    /// The outcome opened the breaker.
    Tripped,
    /// The outcome closed the breaker.
    Recovered,
    /// The outcome opened the breaker again.
    Reopened,
}

/// Decides the effect of an outcome.
#[expect(
    clippy::inline_always,
    reason = "once the outcome is known, a success is a small part of this"
)]
#[inline(always)]
pub(crate) const fn record(
    word: Word,
    period: Period,
    report: Report,
    rules: &Rules,
) -> Step<Recorded> {
    let (next, verdict) = if !word.is_of(period) {
        (word, Recorded::Stale)
    } else if word.is_closed() {
        record_closed(word, report, rules)
    } else {
        record_not_closed(word, report, rules)
    };
    Step {
        word: next,
        verdict,
    }
}

/// The effect of a failure, as far as it is decided without the time.
pub(crate) enum Untimed {
    /// Decided: the next word, and the verdict.
    Step(Step<Recorded>),
    /// The word trips by its own counts.
    Trips(TrippingWord),
    /// The failure reopens, or an external window records it first.
    Unknown,
}

/// Decides the effect of a failure without the time. Where that is enough, [`record`] decides the
/// same at any time.
#[expect(clippy::inline_always, reason = "as for `record`")]
#[inline(always)]
pub(crate) const fn record_failure_untimed(word: Word, period: Period, rules: &Rules) -> Untimed {
    let verdict = if !word.is_of(period) {
        Recorded::Stale
    } else if word.is_closed() {
        return match rules.trip_rule.fail_in_word(word.payload()) {
            Some((payload, trips)) => match Counted::new(word, payload, trips) {
                Counted::Stays(step) => Untimed::Step(step),
                Counted::Trips(trip) => Untimed::Trips(trip),
            },
            None => Untimed::Unknown,
        };
    } else if period.is_half_open() {
        return Untimed::Unknown;
    } else {
        Recorded::Unrecorded
    };
    Untimed::Step(Step { word, verdict })
}

const fn record_not_closed(word: Word, report: Report, rules: &Rules) -> (Word, Recorded) {
    match word.phase() {
        Phase::HalfOpen(half_open) => record_half_open(word, half_open, report, rules),
        Phase::Closed(_) | Phase::Open(_) | Phase::Held(_) => (word, Recorded::Unrecorded),
    }
}

#[expect(clippy::inline_always, reason = "as for `record`")]
#[inline(always)]
const fn record_closed(word: Word, report: Report, rules: &Rules) -> (Word, Recorded) {
    match report {
        Report::Ignored => (word, Recorded::Unrecorded),
        Report::Success { .. } => {
            let payload = rules.trip_rule.success(word.payload());
            (word.with_payload(payload), Recorded::Applied)
        }
        Report::Failure { moment, hint_ms } => {
            let Step { word, verdict } = match fail(word, rules) {
                Counted::Stays(step) => step,
                Counted::Trips(trip) => trip.open(hint_ms, rules, moment),
            };
            (word, verdict)
        }
    }
}

/// The effect of a failure on a closed word.
pub(crate) enum Counted {
    /// The failure is counted, and the word stays closed.
    Stays(Step<Recorded>),
    Trips(TrippingWord),
}

impl Counted {
    /// `payload` is the payload after the failure.
    #[expect(clippy::inline_always, reason = "as for `record`")]
    #[inline(always)]
    const fn new(word: Word, payload: u64, trips: bool) -> Self {
        if trips {
            Self::Trips(TrippingWord { word, payload })
        } else {
            Self::Stays(Step {
                word: word.with_payload(payload),
                verdict: Recorded::Applied,
            })
        }
    }
}

/// A closed word that trips. Only [`Counted`] makes one.
#[must_use = "a trip opens the word"]
pub(crate) struct TrippingWord {
    word: Word,
    /// The payload after the failure that trips.
    payload: u64,
}

impl TrippingWord {
    /// The counts that trip, as far as the word has them.
    #[inline]
    pub(crate) const fn count(&self, rules: &Rules) -> Count {
        rules.trip_rule.count(self.payload)
    }

    /// Opens the word from `moment` on, for at least `hint_ms`. (An external window reads the hint
    /// once it has decided to trip, so that no other failure reads one.)
    #[expect(clippy::inline_always, reason = "as for `record`")]
    #[inline(always)]
    pub(crate) const fn open(
        self,
        hint_ms: u64,
        rules: &Rules,
        moment: TimeSample,
    ) -> Step<Recorded> {
        Step {
            word: open(self.word, 0, hint_ms, rules, moment),
            verdict: Recorded::Tripped,
        }
    }
}

/// Counts a failure of a closed word in that word, or trips by its counts.
#[expect(clippy::inline_always, reason = "as for `record`")]
#[inline(always)]
const fn fail(word: Word, rules: &Rules) -> Counted {
    if let Some((payload, trips)) = rules.trip_rule.fail_in_word(word.payload()) {
        return Counted::new(word, payload, trips);
    }
    let payload = rules.trip_rule.failure(word.payload());
    Counted::new(word, payload, rules.trip_rule.trips(payload))
}

/// Counts a failure of a closed word that an external window has recorded, or trips: because the
/// window trips, or by the run in the word.
///
/// `payload` is the payload after this failure.
#[expect(clippy::inline_always, reason = "as for `record`")]
#[inline(always)]
#[cfg(any(feature = "std", test))]
pub(crate) const fn count_failure(
    word: Word,
    payload: u64,
    window_trips: bool,
    rules: &Rules,
) -> Counted {
    let trips = window_trips || rules.trip_rule.trips(payload);
    Counted::new(word, payload, trips)
}

const fn record_half_open(
    word: Word,
    half_open: HalfOpen,
    report: Report,
    rules: &Rules,
) -> (Word, Recorded) {
    let returned = word.with_in_flight(half_open.in_flight.saturating_sub(1));
    let successes = half_open.successes + 1;
    match report {
        Report::Ignored => (returned, Recorded::Unrecorded),
        Report::Success { .. } if successes < rules.probe_successes => {
            (returned.with_successes(successes), Recorded::Applied)
        }
        Report::Success { now } => (recover(word, rules, now), Recorded::Recovered),
        Report::Failure { moment, hint_ms } => (
            reopen(word, half_open.reopens, hint_ms, rules, moment),
            Recorded::Reopened,
        ),
    }
}

/// Closes the word at `now`. (A call of its own, so that the step of a success that only counts is
/// small enough to be inlined.)
#[inline(never)]
const fn recover(word: Word, rules: &Rules, now: u64) -> Word {
    word.begin_closed(rules.trip_rule.fresh(now))
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{
            rules::tests::rules,
            tick::{Deadline, LeaseEnd},
            word::{Origin, State},
        },
        *,
    };
    use crate::{Policy, Trip};
    use core::time::Duration;

    const SUCCESS: Report = Report::Success { now: 0 };
    const FAILURE: Report = Report::Failure {
        moment: TimeSample { now: 0, salt: 0 },
        hint_ms: 0,
    };

    /// Trips at the second failure in a row; two probes, two successes.
    fn policy() -> Rules {
        rules(
            &Policy::new()
                .trip(Trip::consecutive(2))
                .open_for(Duration::from_secs(5))
                .probes(2)
                .probe_successes(2),
        )
    }

    fn half_open() -> Word {
        Word::new(0)
            .begin_half_open(3, LeaseEnd::new(9))
            .with_in_flight(2)
    }

    fn reported(word: Word, report: Report) -> (Word, Recorded) {
        let step = record(word, word.period(), report, &policy());
        (step.word, step.verdict)
    }

    #[test]
    fn the_threshold_trips_and_only_a_failure_can() {
        let (one, recorded) = reported(Word::new(0), FAILURE);
        assert_eq!(recorded, Recorded::Applied);
        assert_eq!(reported(one, Report::Ignored), (one, Recorded::Unrecorded));
        assert_eq!(reported(one, SUCCESS).1, Recorded::Applied);
        let (two, recorded) = reported(one, FAILURE);
        assert_eq!(recorded, Recorded::Tripped);
        assert_eq!(two.state(), State::Open);
    }

    #[test]
    fn an_outcome_of_another_period_changes_nothing() {
        let next = Word::new(1).begin_closed(1);
        for report in [SUCCESS, FAILURE, Report::Ignored] {
            let step = record(next, Word::new(1).period(), report, &policy());
            assert_eq!((step.word, step.verdict), (next, Recorded::Stale));
        }
    }

    #[test]
    fn the_last_success_needed_recovers() {
        let (one, recorded) = reported(half_open(), SUCCESS);
        assert_eq!(recorded, Recorded::Applied);
        assert!(matches!(one.phase(), Phase::HalfOpen(h) if (h.successes, h.in_flight) == (1, 1)));
        let (two, recorded) = reported(one, SUCCESS);
        assert_eq!(recorded, Recorded::Recovered);
        assert_eq!(two.phase(), Phase::Closed(0));
    }

    #[test]
    fn an_ignored_probe_gives_its_slot_back_and_is_unrecorded() {
        let (word, recorded) = reported(half_open(), Report::Ignored);
        assert_eq!(recorded, Recorded::Unrecorded);
        assert_eq!(word, half_open().with_in_flight(1));
    }

    #[test]
    fn one_failed_probe_reopens_for_at_least_the_hint() {
        let (word, recorded) = reported(half_open(), FAILURE);
        assert_eq!(recorded, Recorded::Reopened);
        assert!(
            matches!(word.phase(), Phase::Open(o) if (o.reopens, o.origin) == (4, Origin::Policy))
        );
        for (hint_ms, origin) in [(5_000, Origin::Policy), (5_001, Origin::Hint)] {
            let moment = TimeSample { now: 0, salt: 0 };
            let (word, _) = reported(half_open(), Report::Failure { moment, hint_ms });
            let Phase::Open(open) = word.phase() else {
                panic!("not open");
            };
            assert_eq!(open.origin, origin);
            assert_eq!(open.deadline, Deadline::of(hint_ms * 1_000_000));
        }
    }
}
