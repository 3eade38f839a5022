//! I27 with a generation of two bits: a call that lasts while transitions go on, in every way there is, for twice
//! round and more. (The real 16 bits are tried in `tests/it/generations.rs`.)
//!
//! The machine compares generations and does nothing else with them. So the model keeps the real age of the permit,
//! and hands the machine what would be left of it.

use std::collections::{BTreeSet, HashSet};

use super::{
    super::{
        rules::Rules,
        step::{Admission, Recorded, admit, operate, report},
        word::Word,
    },
    ends::{end, judgements},
    for_each_subject,
    home::{HOMES, Home},
    inputs::{ANY_TIME, VERBS, at, moments},
    scene::Permit,
    words::VOTES,
};

/// How many transitions it takes to come round.
const ROUND: u16 = 1 << 2;
/// A call that lasts for longer is not followed.
const OLDEST: u16 = 2 * ROUND + 1;

/// A word, and the permit of the call that lasts.
type Scene = (Word, Permit);

/// I27.
#[test]
fn a_permit_is_taken_for_current_at_whole_rounds_and_at_no_other_age() {
    let found = for_each_subject(|subject, [explored, _]| {
        let home = HOMES[0].with_reopens(subject.reopens, &subject.rules);
        follow(&explored.words, &subject.rules, home)
    });
    for (subject, (scenes, taken)) in found {
        println!(
            "search: wrap: {}: {scenes} scenes, taken for current at {taken:?}",
            subject.name
        );
        assert_eq!(
            taken,
            BTreeSet::from([ROUND, 2 * ROUND]),
            "{}",
            subject.name
        );
    }
}

/// How many scenes there are, and at which ages the permit is taken for current.
fn follow(words: &HashSet<Word>, rules: &Rules, home: Home) -> (usize, BTreeSet<u16>) {
    let mut taken = BTreeSet::new();
    let mut known = HashSet::new();
    let mut open: Vec<Scene> = words
        .iter()
        .flat_map(|word| admitted(*word, rules))
        .map(|word| (home.bring(word), Permit::of(word)))
        .collect();
    while let Some(scene) = open.pop() {
        if scene.1.age > OLDEST || !known.insert(scene) {
            continue;
        }
        if scene.1.age > 0 && is_taken(scene, words, rules, home) {
            taken.insert(scene.1.age);
        }
        let (word, permit) = scene;
        open.extend(others(word, rules).map(|next| {
            let age = permit.age + next.generation().wrapping_sub(word.generation());
            (home.bring(next), Permit { age, ..permit })
        }));
    }
    (known.len(), taken)
}

/// The words of calls that this one lets through.
fn admitted(word: Word, rules: &Rules) -> impl Iterator<Item = Word> {
    moments(word, rules).filter_map(move |moment| {
        let step = admit(word, rules, moment);
        matches!(step.verdict, Admission::Admitted(_)).then_some(step.word)
    })
}

/// What other calls and operators make of a word: calls that end at once, or never.
fn others(word: Word, rules: &Rules) -> impl Iterator<Item = Word> {
    let calls = moments(word, rules).flat_map(move |moment| {
        let step = admit(word, rules, moment);
        let period = match step.verdict {
            Admission::Admitted(period) => Some(period),
            Admission::Rejected(_) => None,
        };
        let ended = period.into_iter().flat_map(move |period| {
            VOTES.into_iter().flat_map(move |vote| {
                let says = judgements(step.word, period, vote, rules).iter();
                says.map(move |says| end(step.word, period, vote, *says, rules).word)
            })
        });
        ended.chain([step.word])
    });
    let operated = VERBS.map(|verb| operate(word, verb, rules, at(ANY_TIME[0])).word);
    calls.chain(operated)
}

/// Whether this permit is taken for current where the generation has two bits. By the real one it is not.
///
/// What it leads to is a word that the breaker reaches anyway, so all that holds of those holds of it: one outcome is
/// counted in a period that is not its own, and nothing else comes of it.
fn is_taken((word, permit): Scene, words: &HashSet<Word>, rules: &Rules, home: Home) -> bool {
    let narrow = Permit {
        age: permit.age % ROUND,
        ..permit
    };
    let mut taken = false;
    for vote in VOTES {
        let real = report(word, permit.period(word), vote, rules);
        let stale = real.verdict == Recorded::Stale && real.word == word;
        assert!(stale, "I4: {word:?} {permit:?}");
        let period = narrow.period(word);
        for says in judgements(word, period, vote, rules) {
            let step = end(word, period, vote, *says, rules);
            let reached = words.contains(&home.bring(step.word));
            assert!(reached, "I27: {word:?} {permit:?} {vote:?}: {step:?}");
            taken |= step.verdict != Recorded::Stale;
        }
    }
    taken
}
