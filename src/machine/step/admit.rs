//! Admission of a call.
//!
//! | word | answer | next word |
//! |---|---|---|
//! | closed, disabled | admitted | the same |
//! | open, deadline ahead | rejected: open | the same |
//! | open, deadline reached | admitted as probe | half-open, this probe in flight |
//! | half-open, a slot free | admitted as probe | one more in flight, the lease restarts |
//! | half-open, slots taken, lease ahead | rejected: probes busy, for the lease or the policy's first interval | the same |
//! | half-open, slots taken, lease over | rejected: open | open again |
//! | forced open | rejected: forced | the same |

use super::{
    super::{
        rules::Rules,
        tick::{Deadline, LeaseEnd},
        word::{HalfOpen, Hold, Open, Period, Phase, Word},
    },
    Step, TimeSample, reopen,
};

/// The verdict on a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AdmitVerdict {
    Admitted(Period),
    Rejected(RejectReason),
}

/// The reason of a rejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RejectReason {
    /// The breaker is open for this many more ticks of [`Deadline`].
    Open { remaining: u64 },
    /// All slots are taken, for at most this many more ticks of [`Deadline`].
    Busy { remaining: u64 },
    /// An operator forced the breaker open.
    Forced,
}

/// Decides about a call. `moment` must have been read after `word` was loaded: an older reading
/// could lie before the deadline of the word that this word replaced.
pub(crate) const fn admit(word: Word, rules: &Rules, moment: TimeSample) -> Step<AdmitVerdict> {
    if let Some(reason) = reject_reason(word, rules, moment.now) {
        return Step {
            word,
            verdict: AdmitVerdict::Rejected(reason),
        };
    }
    admit_unrejected(word, rules, moment)
}

/// Decides about a call that [`reject_reason`] does not reject at this moment.
#[expect(
    clippy::inline_always,
    reason = "as for `reject_reason`: moves no step through memory"
)]
#[inline(always)]
pub(crate) const fn admit_unrejected(
    word: Word,
    rules: &Rules,
    moment: TimeSample,
) -> Step<AdmitVerdict> {
    let next = match word.phase() {
        Phase::Closed(_) | Phase::Held(_) => word,
        Phase::Open(open) => first_probe(word, open, rules, moment.now),
        Phase::HalfOpen(half_open) if half_open.in_flight < rules.probes => {
            next_probe(word, half_open, rules, moment.now)
        }
        Phase::HalfOpen(half_open) => return expire_lease(word, half_open, rules, moment),
    };
    Step {
        word: next,
        verdict: AdmitVerdict::Admitted(next.period()),
    }
}

/// The reason of a rejection that makes no transition.
#[expect(
    clippy::inline_always,
    reason = "a twentieth of the cost of a rejection is the call of this"
)]
#[inline(always)]
pub(crate) const fn reject_reason(word: Word, rules: &Rules, now: u64) -> Option<RejectReason> {
    match word.phase() {
        Phase::Open(open) => match open_remaining(open, rules, now) {
            Some(remaining) => Some(RejectReason::Open { remaining }),
            None => None,
        },
        Phase::HalfOpen(half_open) => busy(half_open, rules, now),
        Phase::Held(Hold::ForcedOpen) => Some(RejectReason::Forced),
        Phase::Closed(_) | Phase::Held(Hold::Disabled) => None,
    }
}

/// The remaining ticks of an open period, if a comparison without the length of the period finds
/// them. It finds nearly all. After `None`, [`reject_reason`] decides.
#[inline]
pub(crate) const fn reject_fast(word: Word, rules: &Rules, now: u64) -> Option<RejectReason> {
    match word.deadline() {
        Some(deadline) => {
            match deadline.ahead_of(Deadline::of(now), rules.longest_open_at_least()) {
                Some(remaining) => Some(RejectReason::Open { remaining }),
                None => None,
            }
        }
        None => None,
    }
}

/// Whether all slots are taken, and for how long a caller should wait: the remainder of the lease,
/// but no longer than the policy's first interval. (A probe that succeeds sooner notifies no
/// caller.)
const fn busy(half_open: HalfOpen, rules: &Rules, now: u64) -> Option<RejectReason> {
    if half_open.in_flight < rules.probes {
        return None;
    }
    match lease_remaining(half_open, rules, now) {
        Some(remaining) => {
            let remaining = LeaseEnd::millis(remaining) * Deadline::ticks(1);
            let remaining =
                remaining - Deadline::of(now).get() % (LeaseEnd::millis(1) * Deadline::ticks(1));
            let interval = Deadline::ticks(rules.interval_ms(0));
            Some(RejectReason::Busy {
                remaining: if remaining < interval {
                    remaining
                } else {
                    interval
                },
            })
        }
        None => None,
    }
}

/// The remaining ticks of an open period, `None` once its deadline is reached.
#[inline]
pub(crate) const fn open_remaining(open: Open, rules: &Rules, now: u64) -> Option<u64> {
    let now = Deadline::of(now);
    // A lower bound of the longest period decides most calls, and costs less to compute.
    if let Some(remaining) = open.deadline.ahead_of(now, rules.longest_open_at_least()) {
        return Some(remaining);
    }
    // And an upper bound decides most calls after the deadline.
    if open.deadline.ahead_of(now, Rules::LONGEST_OPEN).is_none() {
        return None;
    }
    let longest = rules.longest_open(open.reopens, open.origin);
    open.deadline.ahead_of(now, longest)
}

const fn lease_remaining(half_open: HalfOpen, rules: &Rules, now: u64) -> Option<u64> {
    half_open
        .lease_end
        .ahead_of(LeaseEnd::of(now), rules.longest_lease(half_open.reopens))
}

/// One CAS ends the open period and takes the first slot.
const fn first_probe(word: Word, open: Open, rules: &Rules, now: u64) -> Word {
    let lease_end = LeaseEnd::after(now, rules.lease_ms(open.reopens));
    word.begin_half_open(open.reopens, lease_end)
}

/// Takes one more slot. The lease restarts, but a lease end that is ahead never moves back.
const fn next_probe(word: Word, half_open: HalfOpen, rules: &Rules, now: u64) -> Word {
    let next = LeaseEnd::after(now, rules.lease_ms(half_open.reopens));
    let lease_end = match lease_remaining(half_open, rules, now) {
        Some(remaining) if remaining > next.since(LeaseEnd::of(now)) => half_open.lease_end,
        _ => next,
    };
    word.with_in_flight(half_open.in_flight + 1)
        .with_lease_end(lease_end)
}

/// Counts the probes as failed, as their lease is over. The call that notices is rejected.
const fn expire_lease(
    word: Word,
    half_open: HalfOpen,
    rules: &Rules,
    moment: TimeSample,
) -> Step<AdmitVerdict> {
    let next = reopen(word, half_open.reopens, 0, rules, moment);
    let remaining = match next.phase() {
        Phase::Open(open) => open.deadline.since(Deadline::of(moment.now)),
        _ => 0,
    };
    Step {
        word: next,
        verdict: AdmitVerdict::Rejected(RejectReason::Open { remaining }),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{rules::tests::rules, word::Origin},
        *,
    };
    use crate::{Policy, Trip};
    use core::time::Duration;

    const SECOND: u64 = 1_000_000_000;

    fn at(seconds: u64) -> TimeSample {
        TimeSample {
            now: seconds * SECOND,
            salt: 0,
        }
    }

    /// Opens for 5 s; two probes, a lease of 2 s.
    fn policy() -> Rules {
        rules(
            &Policy::new()
                .trip(Trip::consecutive(1))
                .open_for(Duration::from_secs(5))
                .probes(2)
                .probe_lease(Duration::from_secs(2)),
        )
    }

    fn open_until(seconds: u64) -> Word {
        Word::new(0).begin_open(Open {
            reopens: 0,
            origin: Origin::Policy,
            deadline: Deadline::of(seconds * SECOND),
        })
    }

    fn admitted(step: Step<AdmitVerdict>) -> Word {
        assert_eq!(step.verdict, AdmitVerdict::Admitted(step.word.period()));
        step.word
    }

    #[test]
    fn the_step_that_ends_an_open_period_takes_the_first_probe() {
        let word = open_until(5);
        let rejected = admit(word, &policy(), at(4)).verdict;
        assert_eq!(
            rejected,
            AdmitVerdict::Rejected(RejectReason::Open { remaining: 4_000 })
        );
        let Phase::HalfOpen(half_open) = admitted(admit(word, &policy(), at(5))).phase() else {
            panic!("not half-open");
        };
        assert_eq!(half_open.in_flight, 1);
        assert_eq!(half_open.lease_end, LeaseEnd::of(7 * SECOND));
    }

    #[test]
    fn the_fast_rejection_finds_what_is_left_of_an_open_period() {
        let reason = |word, seconds| reject_fast(word, &policy(), seconds * SECOND);
        assert_eq!(
            reason(open_until(5), 4),
            Some(RejectReason::Open { remaining: 4_000 })
        );
        assert_eq!(reason(open_until(5), 5), None);
        assert_eq!(reason(Word::new(0), 4), None);
        let probing = admitted(admit(open_until(5), &policy(), at(5)));
        assert_eq!(reason(probing, 4), None);
    }

    #[test]
    fn slots_run_out_and_a_lease_that_is_over_reopens() {
        let one = admitted(admit(open_until(5), &policy(), at(5)));
        let two = admitted(admit(one, &policy(), at(6)));
        assert_eq!(two.period(), one.period());
        let busy = admit(two, &policy(), at(7));
        assert_eq!(
            busy.verdict,
            AdmitVerdict::Rejected(RejectReason::Busy { remaining: 4_000 }),
            "the lease restarted at 6 s"
        );
        let late = admit(two, &policy(), at(8));
        assert_eq!(
            late.verdict,
            AdmitVerdict::Rejected(RejectReason::Open { remaining: 20_000 })
        );
        assert!(matches!(late.word.phase(), Phase::Open(open) if open.reopens == 1));
    }

    #[test]
    fn a_lease_end_never_moves_back() {
        let one = admitted(admit(open_until(5), &policy(), at(6)));
        // The clock stepped back by half a second: the lease of the second probe would end sooner.
        let back = TimeSample {
            now: 5 * SECOND + SECOND / 2,
            salt: 0,
        };
        let two = admitted(admit(one, &policy(), back));
        assert!(
            matches!(two.phase(), Phase::HalfOpen(h) if h.lease_end == LeaseEnd::of(8 * SECOND))
        );
    }

    #[test]
    fn an_operator_hold_admits_all_or_none() {
        let forced = Word::new(0).begin_held(Hold::ForcedOpen);
        let step = admit(forced, &policy(), at(99));
        assert_eq!(step.verdict, AdmitVerdict::Rejected(RejectReason::Forced));
        assert_eq!(step.word, forced);
        let disabled = Word::new(0).begin_held(Hold::Disabled);
        assert_eq!(admitted(admit(disabled, &policy(), at(99))), disabled);
    }
}
