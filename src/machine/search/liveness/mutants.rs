//! Mutants: broken machines, which show that the simulations can fail.

use std::num::NonZeroU32;

use super::{
    super::{
        super::{
            rules::Rules,
            step::{AdmitVerdict, Step, admit, admit::RejectReason},
            tick::{Deadline, LeaseEnd},
            word::{Open, Origin, Phase, Word},
        },
        cases::one_probe,
        inputs::{MS, WRAP},
    },
    most_if_fast, most_if_slow,
    simulation::{Admit, CallTime, Client, Contender, Effort, Simulation},
};

/// Simulates a machine from a word whose only slot is taken for ever.
fn closes(admit: Admit, call_time: CallTime, rules: &Rules) -> Option<Effort> {
    let word = Word::new(0).begin_half_open(0, LeaseEnd::of(7_000 * MS));
    let most = match call_time {
        CallTime::LessThanTheLongestLease => most_if_slow(rules),
        _ => most_if_fast(word, rules),
    };
    let client = Client {
        call_time,
        contender: Contender::Asks,
    };
    Simulation::from(word, 0, rules, admit).close(client, most)
}

/// Mutant: no lease, with a leaked permit.
#[test]
fn a_machine_without_a_lease_never_closes() {
    let without: Admit = |word, rules, moment| match word.phase() {
        Phase::HalfOpen(half_open) if half_open.in_flight >= rules.probes => Step {
            word,
            verdict: AdmitVerdict::Rejected(RejectReason::Busy { remaining: 1 }),
        },
        _ => admit(word, rules, moment),
    };
    assert!(closes(admit, CallTime::Nothing, &one_probe()).is_some());
    assert!(closes(without, CallTime::Nothing, &one_probe()).is_none());
}

/// Mutant: a lease that does not grow, with a slow but healthy dependency.
#[test]
fn a_lease_that_does_not_grow_never_closes_for_a_slow_dependency() {
    let constant: Admit = |word, rules, moment| {
        let lease = NonZeroU32::new(30_000);
        admit(word, &Rules { lease, ..*rules }, moment)
    };
    let call_time = CallTime::LessThanTheLongestLease;
    assert!(closes(admit, call_time, &one_probe()).is_some());
    assert!(closes(constant, call_time, &one_probe()).is_none());
}

/// Mutant: deadlines compared by half their range, after the clock stepped back. It rejects for
/// years.
#[test]
fn a_deadline_compared_by_half_its_range_closes_too_late() {
    let half: Admit = |word, rules, moment| match word.phase() {
        Phase::Open(open) => match open
            .deadline
            .ahead_of(Deadline::of(moment.now), 1 << (Deadline::BITS - 1))
        {
            Some(remaining) => Step {
                word,
                verdict: AdmitVerdict::Rejected(RejectReason::Open { remaining }),
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
    let client = Client {
        call_time: CallTime::Nothing,
        contender: Contender::None,
    };
    let closes =
        |admit| Simulation::from(word, 7, &rules, admit).close(client, most_if_fast(word, &rules));
    assert!(closes(admit as Admit).is_some());
    assert!(closes(half).is_none());
}
