//! I27 with a generation of two bits: a call that lasts for more than two rounds of transitions, in
//! every possible order. (`tests/it/generations.rs` tests the real 16 bits.)
//!
//! The machine compares generations and does nothing else with them. So the model keeps the real
//! age of the permit, and passes the machine the two bits that remain of it.

use std::collections::{BTreeSet, HashSet};

use super::{
    super::{
        rules::Rules,
        step::{AdmitVerdict, Recorded, admit, operate, record},
        word::Word,
    },
    canonical::{CANONICAL_FORMS, CanonicalForm},
    configuration::HeldPermit,
    ends::{end, window_verdicts},
    for_each_case,
    inputs::{ANY_TIME, COMMANDS, at, moments},
    words::REPORTS,
};

/// Number of transitions in a round.
const ROUND: u16 = 1 << 2;
/// Maximum age: a call that lasts longer is not followed.
const MAX_AGE: u16 = 2 * ROUND + 1;

/// A word, and the permit of the call that lasts.
type WordAndPermit = (Word, HeldPermit);

/// I27.
#[test]
fn a_permit_is_accepted_as_current_at_whole_rounds_only() {
    let found = for_each_case(|case, [explored, _]| {
        let form = CANONICAL_FORMS[0].with_reopens(case.reopens, &case.rules);
        follow(&explored.words, &case.rules, form)
    });
    for (case, (configurations, accepted)) in found {
        println!(
            "search: wrap: {}: {configurations} configurations, accepted as current at {accepted:?}",
            case.name
        );
        assert_eq!(
            accepted,
            BTreeSet::from([ROUND, 2 * ROUND]),
            "{}",
            case.name
        );
    }
}

/// The number of configurations, and the ages at which the permit is accepted as current.
fn follow(words: &HashSet<Word>, rules: &Rules, form: CanonicalForm) -> (usize, BTreeSet<u16>) {
    let mut accepted = BTreeSet::new();
    let mut known = HashSet::new();
    let mut open: Vec<WordAndPermit> = words
        .iter()
        .flat_map(|word| admitted(*word, rules))
        .map(|word| (form.canonicalize(word), HeldPermit::of(word)))
        .collect();
    while let Some(configuration) = open.pop() {
        if configuration.1.age > MAX_AGE || !known.insert(configuration) {
            continue;
        }
        if configuration.1.age > 0 && is_accepted(configuration, words, rules, form) {
            accepted.insert(configuration.1.age);
        }
        let (word, permit) = configuration;
        open.extend(others(word, rules).map(|next| {
            let age = permit.age + next.generation().wrapping_sub(word.generation());
            (form.canonicalize(next), HeldPermit { age, ..permit })
        }));
    }
    (known.len(), accepted)
}

/// The words of calls that this word admits.
fn admitted(word: Word, rules: &Rules) -> impl Iterator<Item = Word> {
    moments(word, rules).filter_map(move |moment| {
        let step = admit(word, rules, moment);
        matches!(step.verdict, AdmitVerdict::Admitted(_)).then_some(step.word)
    })
}

/// The words after other calls and operators: calls that end at once, or never.
fn others(word: Word, rules: &Rules) -> impl Iterator<Item = Word> {
    let calls = moments(word, rules).flat_map(move |moment| {
        let step = admit(word, rules, moment);
        let period = match step.verdict {
            AdmitVerdict::Admitted(period) => Some(period),
            AdmitVerdict::Rejected(_) => None,
        };
        let ended = period.into_iter().flat_map(move |period| {
            REPORTS.into_iter().flat_map(move |report| {
                let window_trips = window_verdicts(step.word, period, report, rules).iter();
                window_trips.map(move |window_trips| {
                    end(step.word, period, report, *window_trips, rules).word
                })
            })
        });
        ended.chain([step.word])
    });
    let operated = COMMANDS.map(|command| operate(word, command, rules, at(ANY_TIME[0])).word);
    calls.chain(operated)
}

/// Whether this permit is accepted as current with a generation of two bits. With the real
/// generation it is not.
///
/// The resulting word is one that the breaker reaches anyway, so every property of reachable words
/// holds. One outcome is counted in the wrong period, with no other effect.
fn is_accepted(
    (word, permit): WordAndPermit,
    words: &HashSet<Word>,
    rules: &Rules,
    form: CanonicalForm,
) -> bool {
    let narrow = HeldPermit {
        age: permit.age % ROUND,
        ..permit
    };
    let mut accepted = false;
    for report in REPORTS {
        let real = record(word, permit.period(word), report, rules);
        let stale = real.verdict == Recorded::Stale && real.word == word;
        assert!(stale, "I4: {word:?} {permit:?}");
        let period = narrow.period(word);
        for window_trips in window_verdicts(word, period, report, rules) {
            let step = end(word, period, report, *window_trips, rules);
            let visited = words.contains(&form.canonicalize(step.word));
            assert!(visited, "I27: {word:?} {permit:?} {report:?}: {step:?}");
            accepted |= step.verdict != Recorded::Stale;
        }
    }
    accepted
}
