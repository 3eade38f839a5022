//! That the drives can fail: machines that are broken on purpose.

use std::num::NonZeroU32;

use super::{
    super::{
        super::{
            rules::Rules,
            step::{Admission, Step, admit, admit::Refusal},
            tick::{Deadline, LeaseEnd},
            word::{Open, Origin, Phase, Word},
        },
        inputs::{MS, WRAP},
        subjects::one_probe,
    },
    drive::{Admit, Caller, Drive, Effort, Rival, Takes},
    most_if_fast, most_if_slow,
};

/// What a machine that is broken does from a word whose one place is taken for good.
fn closes(admit: Admit, takes: Takes, rules: &Rules) -> Option<Effort> {
    let word = Word::new(0).begin_half_open(0, LeaseEnd::of(7_000 * MS));
    let most = match takes {
        Takes::LessThanTheLongestLease => most_if_slow(rules),
        _ => most_if_fast(word, rules),
    };
    let caller = Caller {
        takes,
        rival: Rival::Asks,
    };
    Drive::from(word, 0, rules, admit).close(caller, most)
}

/// Without a lease, on a leaked permit.
#[test]
fn a_machine_without_a_lease_never_closes() {
    let without: Admit = |word, rules, moment| match word.phase() {
        Phase::HalfOpen(half_open) if half_open.in_flight >= rules.probes => Step {
            word,
            verdict: Admission::Rejected(Refusal::Busy { rest: 1 }),
        },
        _ => admit(word, rules, moment),
    };
    assert!(closes(admit, Takes::Nothing, &one_probe()).is_some());
    assert!(closes(without, Takes::Nothing, &one_probe()).is_none());
}

/// With a lease that does not grow, on a partner that is slow but healthy.
#[test]
fn a_lease_that_does_not_grow_never_closes_for_a_slow_partner() {
    let constant: Admit = |word, rules, moment| {
        let lease = NonZeroU32::new(30_000);
        admit(word, &Rules { lease, ..*rules }, moment)
    };
    let takes = Takes::LessThanTheLongestLease;
    assert!(closes(admit, takes, &one_probe()).is_some());
    assert!(closes(constant, takes, &one_probe()).is_none());
}

/// With deadlines compared by half their range, once the clock has stepped back: it rejects for years.
#[test]
fn a_deadline_compared_by_half_its_range_closes_too_late() {
    let half: Admit = |word, rules, moment| match word.phase() {
        Phase::Open(open) => match open
            .deadline
            .ahead_of(Deadline::of(moment.now), 1 << (Deadline::BITS - 1))
        {
            Some(rest) => Step {
                word,
                verdict: Admission::Rejected(Refusal::Open { rest }),
            },
            None => admit(word, rules, moment),
        },
        _ => admit(word, rules, moment),
    };
    let rules = one_probe();
    let word = Word::new(0).begin_open(Open {
        reopens: 0,
        origin: Origin::Policy,
        deadline: Deadline::of(WRAP / 2),
    });
    let caller = Caller {
        takes: Takes::Nothing,
        rival: Rival::None,
    };
    let closes =
        |admit| Drive::from(word, 7, &rules, admit).close(caller, most_if_fast(word, &rules));
    assert!(closes(admit as Admit).is_some());
    assert!(closes(half).is_none());
}
